// <pre-process>: a mean image for one input, as Model Optimizer's --mean_file makes it (front-end spec §1.7).
#include <algorithm>
#include <cstring>

#include "importers/common/tensor_bytes.hpp"
#include "importers/openvino_ir/builder.hpp"
#include "importers/openvino_ir/xml.hpp"

namespace blobsmith::ir {
namespace {

Node* preprocessed_input(Graph& graph, const pugi::xml_node& xml) {
  std::string name = xml.attribute("reference-layer-name").value();
  name.erase(0, name.find_first_not_of(" \t\r\n"));
  name.erase(name.find_last_not_of(" \t\r\n") + 1);
  std::vector<Node*> inputs = graph.parameters();
  std::ranges::sort(inputs, {}, &Node::name);
  if (!name.empty()) {
    const auto it = std::ranges::find(inputs, name, &Node::name);
    if (it == inputs.end()) throw graph_error("pre-process name ref '" + name + "' refers to un-existing input");
    return *it;
  }
  const auto image = std::ranges::find_if(inputs, [](const Node* n) { return n->shape().size() == 4; });
  if (image == inputs.end() && inputs.empty()) throw graph_error("pre-process of a network without inputs");
  return image == inputs.end() ? inputs.front() : *image;
}

// One channel's plane of `bytes` bytes.
Bytes read_plane(const pugi::xml_node& mean, const File& file, uint64_t bytes) {
  if (!mean.attribute("size")) throw xml_error("mean should have the attribute: size");
  const uint64_t offset = unsigned64_attribute(mean, "offset"), size = unsigned64_attribute(mean, "size");
  if (size != bytes) throw graph_error("mean blob size mismatch expected input, got: " + std::to_string(size));
  const auto plane = importers::part_of(file.weights, offset, size);
  if (!plane) throw Error(ErrorCode::FileTruncated, "Incorrect weights in bin file!");
  return *plane;
}

ElementType mean_type(const pugi::xml_node& xml) {
  const auto type = parse_element_type(xml.attribute("mean-precision").value());
  if (!type || *type == ElementType::boolean) throw graph_error("mean blob defined without specifying precision.");
  if (*type != ElementType::f32 && *type != ElementType::f16)
    throw Error(ErrorCode::NotYetSupported, "not yet supported: a mean image of type " + std::string(to_string(*type)));
  return *type;
}

}  // namespace

void read_mean_image(Graph& graph, const pugi::xml_node& net, const File& file) {
  const pugi::xml_node xml = net.child("pre-process");
  if (!xml) return;
  Node* input = preprocessed_input(graph, xml);
  std::vector<pugi::xml_node> channels;
  for (const pugi::xml_node& c : xml.children("channel")) channels.push_back(c);
  const auto with_mean =
      std::ranges::count_if(channels, [](const pugi::xml_node& c) { return static_cast<bool>(c.child("mean")); });
  if (with_mean == 0) return;
  if (static_cast<size_t>(with_mean) != channels.size()) throw graph_error("mean is not provided for all channels");
  const Shape& shape = input->shape();
  if (shape.size() < 3 || shape[shape.size() - 3] != with_mean)
    throw graph_error("the mean image of input \"" + input->name + "\" has another number of channels");
  const ElementType type = mean_type(xml);
  const Shape image(shape.end() - 3, shape.end());
  const auto plane = static_cast<size_t>(element_count({image[1], image[2]})) * byte_width(type);
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < channels.size(); ++i) {
    if (unsigned_attribute(channels[i], "id") != i)
      throw graph_error("Pre-process channel id invalid: " + std::to_string(unsigned_attribute(channels[i], "id")));
    const Bytes data = read_plane(channels[i].child("mean"), file, plane);
    bytes.insert(bytes.end(), data.data(), data.data() + data.size());
  }
  input->constant = {type, image, Bytes::adopt(std::move(bytes))};
}

}  // namespace blobsmith::ir
