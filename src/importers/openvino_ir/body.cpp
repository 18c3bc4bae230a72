// TensorIterator and Loop (front-end spec §1.5).
#include <algorithm>

#include "importers/openvino_ir/builder.hpp"
#include "importers/openvino_ir/xml.hpp"

namespace blobsmith::ir {
namespace {

int index_in(const std::vector<Node*>& list, const Built& body, uint32_t layer_id, const char* what) {
  const auto node = body.nodes.find(layer_id);
  const auto it = node == body.nodes.end() ? list.end() : std::ranges::find(list, node->second);
  if (it == list.end()) throw graph_error("layer " + std::to_string(layer_id) + " of the body is not a " + what);
  return static_cast<int>(it - list.begin());
}

int parameter_index(const Built& body, uint32_t id) { return index_in(body.graph.parameters(), body, id, "Parameter"); }
int result_index(const Built& body, uint32_t id) { return index_in(body.graph.results(), body, id, "Result"); }

// The entries of one kind in ascending order of their outer port.
std::vector<pugi::xml_node> entries(const pugi::xml_node& port_map, const char* kind) {
  std::vector<pugi::xml_node> list;
  for (const pugi::xml_node& entry : port_map.children(kind)) list.push_back(entry);
  std::ranges::stable_sort(list, {}, [](const pugi::xml_node& e) { return integer_attribute(e, "external_port_id"); });
  return list;
}

uint32_t outer_port(int64_t id) {
  if (id < 0 || id > INT32_MAX) throw graph_error("port map with the impossible port " + std::to_string(id));
  return static_cast<uint32_t>(id);
}

// axis, start, end, stride and part_size of a sliced input or concatenated output.
template <class Entry>
void read_slicing(const pugi::xml_node& xml, Entry& entry) {
  entry.axis = integer_attribute(xml, "axis", -1);
  entry.start = integer_attribute(xml, "start", 0);
  entry.end = integer_attribute(xml, "end", -1);
  entry.stride = integer_attribute(xml, "stride", 1);
  entry.part_size = integer_attribute(xml, "part_size", 1);
  constexpr int64_t kLimit = int64_t{1} << 31;
  for (int64_t v : {entry.axis, entry.start, entry.end, entry.stride, entry.part_size})
    if (v < -kLimit || v > kLimit) throw graph_error("port map with a number out of range");
}

void read_inputs(const Layer& layer, const Built& body, PortMap& map) {
  for (const pugi::xml_node& xml : entries(layer.xml.child("port_map"), "input")) {
    const int parameter = parameter_index(body, unsigned_attribute(xml, "internal_layer_id"));
    const int64_t outer = integer_attribute(xml, "external_port_id");
    if (std::string_view(xml.attribute("purpose").value()) == "current_iteration")
      map.current_iteration_input = parameter;
    if (outer < 0) continue;
    PortMap::Input entry{static_cast<int>(layer.input_index(outer_port(outer))), parameter};
    entry.sliced = !xml.attribute("axis").empty();
    if (entry.sliced) read_slicing(xml, entry);
    map.inputs.push_back(entry);
  }
}

void read_outputs(const Layer& layer, const Built& body, PortMap& map) {
  for (const pugi::xml_node& xml : entries(layer.xml.child("port_map"), "output")) {
    const int result = result_index(body, unsigned_attribute(xml, "internal_layer_id"));
    const int64_t outer = integer_attribute(xml, "external_port_id");
    if (std::string_view(xml.attribute("purpose").value()) == "execution_condition")
      map.execution_condition_output = result;
    if (outer < 0) continue;
    PortMap::Output entry{static_cast<int>(layer.output_index(outer_port(outer))), result};
    entry.concatenated = !xml.attribute("axis").empty();
    if (entry.concatenated) read_slicing(xml, entry);
    map.outputs.push_back(entry);
  }
}

}  // namespace

void read_body(const Layer& layer, const File& file, Node& n) {
  const pugi::xml_node xml = layer.xml.child("body");
  if (!xml) throw graph_error("TensorIterator has no body.");
  File inner = file;
  ++inner.depth;
  Built body = build_graph(xml, inner);
  if (body.graph.parameters().empty() || body.graph.results().empty())
    throw graph_error("No parameters or results found in body Function.");
  read_inputs(layer, body, n.port_map);
  read_outputs(layer, body, n.port_map);
  for (const pugi::xml_node& edge : layer.xml.child("back_edges").children("edge"))
    n.port_map.back_edges.push_back({result_index(body, unsigned_attribute(edge, "from-layer")),
                                     parameter_index(body, unsigned_attribute(edge, "to-layer"))});
  n.body = std::make_unique<Graph>(std::move(body.graph));
}

}  // namespace blobsmith::ir
