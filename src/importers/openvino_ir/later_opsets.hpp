// How layers of opset 8 and later are made of operations that the graph has: one table row per type and first opset.
#pragma once
#include <span>

#include "importers/common/layer_builder.hpp"
#include "importers/openvino_ir/builder.hpp"

namespace blobsmith::ir {

/// A layer as a row sees it: attributes as the file states them, its inputs, and a builder of nodes named after it.
class LaterLayer : public importers::LayerBuilder {
 public:
  /// notes: where what is said of the layer goes; null: nowhere.
  LaterLayer(Graph& graph, const Layer& layer, const Inputs& inputs, std::string source, std::vector<Remark>* notes)
      : LayerBuilder(graph, layer.name, layer.type, std::move(source)), layer_(layer), inputs_(inputs), notes_(notes) {}

  std::string text(const char* attribute, const char* fallback = "") const;
  std::string choice(const char* attribute, const char* fallback) const;  ///< in lower case
  bool flag(const char* attribute, bool fallback) const;
  int64_t integer(const char* attribute, int64_t fallback) const;
  double real(const char* attribute, double fallback) const;
  std::vector<int64_t> integers(const char* attribute) const;

  size_t input_count() const { return inputs_.size(); }
  const Value& input(size_t i) const;
  const Inputs& all_inputs() const { return inputs_; }
  size_t axis(int64_t a, size_t rank) const;  ///< counted from the front, or a refusal
  /// What input i is known to hold, or a refusal.
  std::vector<int64_t> known_integers(size_t i, const char* what) const;
  /// A node of an operation that has the attributes of the layer, but for the one `left_out`.
  Node* as(std::string type, int version, std::vector<Value> inputs, const char* left_out = "");
  /// What isn't as Intel's tools, or not as the model says.
  void note(std::string what);

 private:
  const Layer& layer_;
  const Inputs& inputs_;
  std::vector<Remark>* notes_;
};

struct LaterRow {
  std::string_view type;
  int since;                    ///< the first opset of this meaning
  Node* (*build)(LaterLayer&);  ///< null where the row isn't for this form
};

std::span<const LaterRow> later_rows();

}  // namespace blobsmith::ir
