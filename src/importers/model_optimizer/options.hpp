// Options of Model Optimizer that hold for every framework, and their texts (model-optimizer spec §2.2, §2.4, §3.1).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "blobsmith/model.hpp"
#include "graph/graph.hpp"

namespace blobsmith::model_optimizer {

/// One item of --input: "conv1", "0:conv1[1 3 224 224]", "train{boolean}->False".
struct InputPlace {
  std::string place;  ///< an input, or where to cut: NAME, PORT:NAME (input port), NAME:PORT (output port), a tensor
  std::optional<Shape> shape{};
  std::optional<ElementType> type{};
  std::optional<std::vector<std::string>> value{};  ///< freezes the input: one literal, or one per element
};

/// Where the network begins and ends; empty lists: as the model says.
struct CutOptions {
  std::vector<InputPlace> inputs{};
  std::vector<std::string> outputs{};  ///< places as above
  std::vector<Shape> shapes{};         ///< of `inputs` in order, or of the only input
  std::optional<int64_t> batch{};      ///< first dimension of all inputs
  std::vector<InputPlace> frozen{};    ///< inputs with values, beside `inputs`
};

/// Values per channel for inputs by name. A single list without a name is for the inputs in their order.
struct ChannelValues {
  std::string input{};  ///< empty: not named
  std::vector<double> values{};
};

/// (x - mean) / scale, in the order of the model's channels; `reverse` for pictures that come in the other order.
struct PreprocessOptions {
  std::vector<ChannelValues> mean{}, scale{};
  std::optional<double> scale_of_all{};  ///< instead of `scale`: for every input
  bool reverse_input_channels = false;
};

/// Rewrites that can be switched off or on.
struct RewriteOptions {
  bool fuse = true;                    ///< factors and summands into each other and into weights
  bool group_convolutions = true;      ///< Split, convolutions, Concat: one convolution
  bool move_strides = true;            ///< of 1x1 convolutions to what is before them
  bool reuse_concats = false;          ///< a Concat whose inputs another one has among its own is read by that one
  bool static_shape = false;           ///< shapes are numbers, not computed while the network runs
  bool low_latency = false;            ///< memories in place of the states of loops: refused where there are loops
  std::vector<std::string> unfused{};  ///< regular expressions: layers whose names match are not fused
};

/// Options of single frameworks (model-optimizer spec §2.3), their texts read. What a framework has no use for is
/// ignored.
struct FrameworkOptions : blobsmith::FrameworkOptions {
  std::optional<std::pair<int64_t, int64_t>> mean_file_origin{};  ///< row and column of its first used pixel
};

// Each throws BadOptionValue with what is expected.
std::vector<InputPlace> parse_inputs(std::string_view text);             ///< --input
std::vector<std::string> parse_places(std::string_view text);            ///< --output
std::vector<Shape> parse_shapes(std::string_view text);                  ///< --input_shape: [1,3,224,224],[1,10]
std::vector<ChannelValues> parse_channel_values(std::string_view text);  ///< --mean_values: [1,2,3] or x[1,2,3],y[4]
std::pair<int64_t, int64_t> parse_offsets(std::string_view text);        ///< --mean_file_offsets: (1,2)

}  // namespace blobsmith::model_optimizer
