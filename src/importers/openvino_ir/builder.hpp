// Layers of an IR -> nodes of a Graph (front-end spec §1.2 to §1.6).
#pragma once
#include <map>
#include <optional>

#include "core/bytes.hpp"
#include "core/release.hpp"
#include "graph/graph.hpp"
#include "graph/ops/op.hpp"
#include "importers/openvino_ir/layers.hpp"
#include "importers/openvino_ir/reader.hpp"
#include "transforms/pre_post_process.hpp"

namespace blobsmith::ir {

/// What is said of the inputs' shapes beside the file.
struct StatedShapes {
  std::map<std::string, Shape> by_layer;  ///< by the layer's name; kDynamic: as the file has it
  bool close_batch = false;               ///< an open batch is 1
  std::vector<Remark> notes;
};

/// What all nets and bodies of one file share.
struct File {
  int version = 10;
  Bytes weights;
  IrReadOptions options{};
  int depth = 0;                   ///< of nested bodies
  StatedShapes* shapes = nullptr;  ///< null: nothing is said

  bool knows_opset8() const { return version >= 11 || options.release->ir_opset >= 8; }
};

/// A graph, and which node each layer became.
struct Built {
  Graph graph;
  std::map<uint32_t, Node*> nodes;
  /// Of version 11, what version 10 would have said of inputs and outputs, in their order; empty where it is the same.
  std::vector<TensorForm> old_inputs, old_outputs;
};

/// Makes the nodes of a <net> or <body>.
Built build_graph(const pugi::xml_node& net, const File& file);

// ---- parts of it ----

/// The values that a layer's edges bring, by input port.
using Inputs = std::vector<Value>;

/// The bytes of a Const layer. Throws when they are not in the weights.
Tensor read_constant(const Layer& layer, const File& file);
/// The type that stands for one that the graph does not compute with, because several elements share a byte or it is
/// an exotic float (packed_constants.cpp); nothing for other types.
std::optional<ElementType> unpacked_type(std::string_view type_name);
/// Elements of such a type as that type. Throws FileTruncated where there are too few bytes.
Tensor unpack(std::string_view type_name, Shape shape, const Bytes& bytes);
/// Element type and shape of a Parameter layer.
std::pair<ElementType, Shape> read_parameter(const Layer& layer, const File& file);
/// The table row of a layer's type in its opset, with the opsets that Intel's reader looks elsewhere.
const ops::OpRow& find_operation(const Layer& layer, const File& file);
/// Attributes of the row that <data> states, but for the one `left_out`.
Attributes read_attributes(const Layer& layer, const ops::OpRow& op, std::string_view left_out = {});
/// Reads the body, the port map and the back edges of a TensorIterator or Loop into `n`.
void read_body(const Layer& layer, const File& file, Node& n);

/// The mean image of <pre-process> becomes the `constant` of its Parameter, in shape [C, H, W].
void read_mean_image(Graph& graph, const pugi::xml_node& net, const File& file);

inline constexpr int kLastOpset = 16;
/// The number of the layer's opset from 8 to kLastOpset; 0 for others.
int later_opset(const Layer& layer);
/// Makes a layer of opset 8 and later of operations of opset 7. Null when it needs no such treatment.
Node* build_later(Graph& graph, const Layer& layer, const Inputs& inputs, const File& file);
/// Whether <rt_info> of a layer has an attribute of this name.
bool has_runtime_attribute(const Layer& layer, std::string_view name);
/// Version 11, as 2022.1 has it: old_api_map_order and old_api_map_element_type.
void read_old_forms(Built& built, const Layers& layers);
/// Version 11: gives inputs and outputs the layout that version 10 gave them (old_api_map_order).
void restore_old_layout(Graph& graph, const Layers& layers, const std::map<uint32_t, Node*>& nodes);

}  // namespace blobsmith::ir
