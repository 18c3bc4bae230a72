// What the second runtime interface of OpenVINO ("API 2.0") puts between a network and its user: the types and layouts
// that a user asks for become operations of the network, where the first interface left them to the compiler.
// Example: a network reads FP16, the camera delivers U8. With the first interface the input of the network has two
// types; with the second there is a Parameter of U8 and a Convert to FP16 behind it.
// Source: OpenVINO 2022.1, ov::preprocess::PrePostProcessor and ov::Core::read_model; names and numbers measured.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith {

/// Of a Result: what its producer is called when it loses its name to an operation behind it ("Relu_3").
inline constexpr std::string_view kAutomaticName = "automatic_name";

/// Of a Parameter: the layout that the file states ("[N,C,H,W]"), where no TensorForm::model_layout does.
inline constexpr std::string_view kModelLayout = "model_layout";

/// What is asked of one input or output.
struct TensorForm {
  std::optional<ElementType> type;  ///< that the user gives or gets; none: the network's
  std::string layout;               ///< that the user gives or gets: "NHWC"; "" = not stated
  std::string model_layout;         ///< of the network. Only where both are stated are dimensions moved
  /// The other way to say so: how the user's dimensions become the network's, or the network's become the user's.
  std::vector<int64_t> order{};
};

/// Inserts Convert and Transpose operations. `inputs` and `outputs` are in the order of the network's. An operation
/// before an output takes the name of what it reads, which gets its kAutomaticName.
/// Throws BadOptionValue for layouts that are none or don't fit.
void pre_post_process(Graph& graph, const std::vector<TensorForm>& inputs, const std::vector<TensorForm>& outputs);

/// Version 10 of the IR: every tensor has the type that the first interface showed. FP32 for FP16; outputs of integers
/// I32, all others FP32. Inputs and outputs can be asked for by the names of their operations as well.
void show_first_interface_types(Graph& graph);

}  // namespace blobsmith
