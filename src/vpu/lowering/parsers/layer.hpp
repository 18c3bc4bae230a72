// What a layer parser works with: one layer of the network, its data, and the program to add stages to.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/release.hpp"
#include "vpu/lowering/lowering.hpp"
#include "vpu/program/builders.hpp"

namespace blobsmith::vpu {

class LayerContext {
 public:
  LayerContext(Lowering& l, const NetworkLayer& n);

  Lowering& lowering;
  Program& program;
  const CompileOptions& options;
  const NetworkLayer& layer;
  LayerPtr origin;
  std::vector<Data*> inputs;
  std::vector<Data*> outputs;  ///< null where nothing reads the value

  const Node& node() const { return *layer.node; }
  const Attributes& attrs() const { return layer.node->attrs; }
  const std::string& name() const { return layer.name; }
  /// Input 0 and output 0, for layers that have one of each.
  Data* in() const { return inputs.at(0); }
  Data* out() const { return outputs.at(0); }
  std::vector<Data*> used_outputs() const;

  [[noreturn]] void fail(std::string_view what) const { throw cannot_compile(name(), layer.type, what); }
  void require(bool condition, std::string_view what) const {
    if (!condition) fail(what);
  }
  /// The reference's plain assertion.
  void check(bool condition, std::string_view text) const {
    if (!condition) fail("AssertionFailed: " + std::string(text));
  }
  /// Fails unless the layer has that many inputs and outputs, all of them used.
  void expect_ports(size_t input_count, size_t output_count) const;

  /// Attributes as the layer holds them: real numbers through text, strings in lower case.
  double real(std::string_view attribute, double fallback) const;
  double real(std::string_view attribute) const;
  std::string text(std::string_view attribute, std::string_view fallback = "") const;

  /// A constant that the node reads at a port; fails with `what` when it is none.
  const Tensor& constant(int port, std::string_view what) const;
  bool has_constant(int port) const { return port < node().input_count() && node().input(port).node->is_constant(); }
  /// The integers of a constant input.
  std::vector<int64_t> integers(int port, std::string_view what) const { return constant(port, what).to_i64(); }
  /// The same, of exactly one number.
  int64_t integer(int port, std::string_view what) const;
  void require_rank(const Data* d, int min, int max) const;

  /// FP16 constant `<layer><postfix>`.
  Data* add_weights(std::string_view postfix, const std::vector<int64_t>& innermost_first, const Tensor& t);

  Stage* add_stage(StageType type, std::vector<Data*> ins, std::vector<Data*> outs) {
    return program.add_stage(name(), type, origin, std::move(ins), std::move(outs));
  }
  Stage* add_stage(StageType type) { return add_stage(type, {in()}, {out()}); }

  /// Framework axis of a tensor as a dimension.
  Dim axis_dim(const Data* d, int64_t axis) const;
};

using LayerParser = void (*)(LayerContext&);
/// By type in any letter case; null when the type can't be lowered under the rules of a release.
LayerParser find_parser(std::string_view layer_type, const Release& release = kRelease2022);
/// All layer types that can be lowered.
std::vector<std::string_view> parsed_layer_types();

/// A layer type and what adds its stages (front-end spec §9).
struct ParserRow {
  std::string_view type;
  LayerParser parser;
  bool Release::* only_with = nullptr;  ///< the switch of releases that have it; null: all of them
};

// The rows of each file of this folder.
std::span<const ParserRow> activation_parsers();
std::span<const ParserRow> concat_split_parsers();
std::span<const ParserRow> convolution_parsers();
std::span<const ParserRow> detection_parsers();
std::span<const ParserRow> dynamic_parsers();
std::span<const ParserRow> eltwise_parsers();
std::span<const ParserRow> fully_connected_parsers();
std::span<const ParserRow> gather_scatter_parsers();
std::span<const ParserRow> normalization_parsers();
std::span<const ParserRow> pooling_parsers();
std::span<const ParserRow> prior_box_parsers();
std::span<const ParserRow> recurrent_parsers();
std::span<const ParserRow> reduce_parsers();
std::span<const ParserRow> resize_parsers();
std::span<const ParserRow> roi_parsers();
std::span<const ParserRow> shape_parsers();
std::span<const ParserRow> tensor_iterator_parsers();

}  // namespace blobsmith::vpu
