#include "importers/openvino_ir/layers.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "importers/openvino_ir/xml.hpp"

namespace blobsmith::ir {
namespace {

// Names are separated by commas; "\," is a comma inside a name.
std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> names;
  std::string name;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ',') {
      name += ',';
      ++i;
    } else if (text[i] == ',') {
      names.push_back(std::move(name));
      name.clear();
    } else {
      name += text[i];
    }
  }
  if (!name.empty()) names.push_back(std::move(name));
  return names;
}

// Dimensions are checked, not used: shapes are inferred. Version 11 writes -1 for dynamic ones.
void check_dims(const pugi::xml_node& port) {
  for (const pugi::xml_node& dim : port.children("dim")) {
    std::string_view text = dim.child_value();
    const bool dynamic = text == "-1" && port.root().child("net").attribute("version").as_int() >= 11;
    int64_t v = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (error == std::errc() && (v >= 0 || dynamic)) continue;
    throw xml_error("dimension (" + std::string(text) + ") in node dim must be a non-negative integer: at offset " +
                    std::to_string(dim.offset_debug()));
  }
}

std::vector<Port> read_ports(const pugi::xml_node& group) {
  std::vector<Port> ports;
  for (const pugi::xml_node& port : group.children("port")) {
    check_dims(port);
    ports.push_back({unsigned_attribute(port, "id"), split_names(port.attribute("names").value())});
  }
  return ports;
}

Layer read_layer(const pugi::xml_node& xml) {
  Layer layer;
  layer.id = unsigned_attribute(xml, "id");
  layer.type = text_attribute(xml, "type");
  layer.name = text_attribute(xml, "name");
  layer.opset = text_attribute(xml, "version");
  layer.xml = xml;
  layer.inputs = read_ports(xml.child("input"));
  layer.outputs = read_ports(xml.child("output"));
  return layer;
}

size_t port_index(const std::vector<Port>& ports, uint32_t id, const char* direction, const std::string& layer) {
  const auto it = std::ranges::find(ports, id, &Port::id);
  if (it == ports.end())
    throw graph_error("Can not find " + std::string(direction) + " port with id " + std::to_string(id) + " in layer " +
                      layer);
  return static_cast<size_t>(it - ports.begin());
}

enum class Visit : uint8_t { Fresh, Open, Done };

// Depth first from one root with a stack of its own: networks are deep, and files may be hostile.
class LayerWalk {
 public:
  explicit LayerWalk(const Layers& layers) : layers_(layers), state_(layers.list.size(), Visit::Fresh) {}

  void from(const Layer& root) {
    enter(root);
    while (!stack_.empty()) {
      Frame& f = stack_.back();
      const auto& edges = layers_.edges_to(f.layer->id);
      if (f.next == edges.size()) {
        state_[index(*f.layer)] = Visit::Done;
        order.push_back(f.layer);
        stack_.pop_back();
        continue;
      }
      const Edge& edge = edges[f.next++];
      const Layer* producer = layers_.find(edge.from_layer);
      if (!producer)
        throw graph_error("Attempt to access node " + std::to_string(edge.from_layer) + " that not in graph.");
      if (state_[index(*producer)] == Visit::Open)
        throw graph_error("the network has a cycle through layer \"" + producer->name + "\"");
      enter(*producer);
    }
  }

  std::vector<const Layer*> order;

 private:
  struct Frame {
    const Layer* layer;
    size_t next = 0;
  };
  size_t index(const Layer& layer) const { return static_cast<size_t>(&layer - layers_.list.data()); }
  void enter(const Layer& layer) {
    Visit& state = state_[index(layer)];
    if (state != Visit::Fresh) return;
    state = Visit::Open;
    stack_.push_back({&layer});
  }

  const Layers& layers_;
  std::vector<Visit> state_;
  std::vector<Frame> stack_;
};

}  // namespace

size_t Layer::input_index(uint32_t port) const { return port_index(inputs, port, "input", name); }
size_t Layer::output_index(uint32_t port) const { return port_index(outputs, port, "output", name); }
std::string Layer::title() const { return type + " layer " + name + " with id: " + std::to_string(id); }

const Layer* Layers::find(uint32_t id) const {
  const auto it = by_id.find(id);
  return it == by_id.end() ? nullptr : &list[it->second];
}

const std::vector<Edge>& Layers::edges_to(uint32_t id) const {
  static const std::vector<Edge> none;
  const auto it = incoming.find(id);
  return it == incoming.end() ? none : it->second;
}

Layers read_layers(const pugi::xml_node& net) {
  Layers layers;
  std::set<std::string> names;
  for (const pugi::xml_node& xml : net.child("layers").children("layer")) {
    Layer layer = read_layer(xml);
    if (layer.type != "Result" && !names.insert(layer.name).second)
      throw graph_error("Invalid IR! " + layer.name + " name is not unique!");
    if (!layers.by_id.emplace(layer.id, layers.list.size()).second)
      throw graph_error("Invalid IR! layer id " + std::to_string(layer.id) + " is not unique!");
    layers.list.push_back(std::move(layer));
  }
  for (const pugi::xml_node& xml : net.child("edges").children("edge")) {
    const Edge edge{unsigned_attribute(xml, "from-layer"), unsigned_attribute(xml, "from-port"),
                    unsigned_attribute(xml, "to-layer"), unsigned_attribute(xml, "to-port")};
    layers.incoming[edge.to_layer].push_back(edge);
  }
  return layers;
}

std::vector<const Layer*> reachable_in_order(const Layers& layers, bool all_parameters) {
  LayerWalk walk(layers);
  for (const Layer& layer : layers.list)
    if (layer.type == "Result" || layer.type == "Assign" || (all_parameters && layer.type == "Parameter"))
      walk.from(layer);
  return std::move(walk.order);
}

}  // namespace blobsmith::ir
