#include "vpu/lowering/network.hpp"

#include <algorithm>
#include <set>

#include "vpu/lowering/layer_types.hpp"

namespace blobsmith::vpu {
namespace {

bool feeds_result(const Node& n) {
  for (int i = 0; i < n.output_count(); ++i)
    if (std::ranges::any_of(n.output(i).uses, [](const NodeUse& u) { return u.node->is("Result"); })) return true;
  return false;
}

bool takes_as_weights(const Node& reader, int port) {
  return reader.input(port).node->is_constant() && port >= first_internal_port(reader);
}

/// A constant that all its consumers take as weights: it is not a layer.
bool is_internal_constant(const Node& n) {
  if (!n.is_constant() || n.use_count() == 0) return false;
  return std::ranges::all_of(n.output().uses, [](const NodeUse& u) { return takes_as_weights(*u.node, u.port); });
}

void check_shapes(const Node& n, const std::string& name) {
  for (int i = 0; i < n.output_count(); ++i)
    for (int64_t d : n.shape(i)) {
      if (d == kDynamic)
        throw Error(ErrorCode::NotYetSupported, "Unsupported dynamic ops: \n" + n.type + " " + name)
            .at_layer(name, std::string(layer_type(n)))
            .from(n.source);
      if (d <= 0)
        throw cannot_compile(name, layer_type(n),
                             std::string(layer_type(n)) + " layer " + name +
                                 " has incorrect dimensions in the output data " + std::to_string(i))
            .from(n.source);
    }
}

}  // namespace

Network::Network(const Graph& graph, bool combine_loops) {
  const std::vector<Node*> nodes = graph.ordered();
  choose_names(nodes);
  make_layers(nodes, combine_loops);
  for (const Node* p : graph.parameters()) inputs_.push_back(p);
  std::ranges::sort(inputs_, {}, [&](const Node* p) { return names_.at(p); });
  for (const Node* r : graph.results())
    if (!is_output(r->input(0))) outputs_.push_back(r->input(0));
  std::ranges::sort(outputs_, {}, [&](Value v) { return data_name(v); });
  drop_unread_constants();
  for (const NetworkLayer& l : layers_) check_shapes(*l.node, l.name);
  connect();
  sort();
}

// quirk: an output that took the place of an eliminated operation has that operation's name, without a number, whatever
// its node is called later.
std::string Network::data_name(Value v) const {
  if (v.node->attrs.has("data_names"))  // of an unrolled loop's outputs
    if (const std::string& given =
            v.node->attrs.get<std::vector<std::string>>("data_names").at(static_cast<size_t>(v.port));
        !given.empty())
      return given;
  if (const std::string& own = v.node->output(v.port).name; !own.empty()) return own;
  const std::string& name = names_.at(v.node);
  return v.node->output_count() > 1 ? name + "." + std::to_string(v.port) : name;
}

bool Network::is_output(Value v) const { return std::ranges::find(outputs_, v) != outputs_.end(); }

const std::vector<const NetworkLayer*>& Network::consumers(Value v) const {
  static const std::vector<const NetworkLayer*> kNone;
  const auto it = consumers_.find({v.node, v.port});
  return it == consumers_.end() ? kNone : it->second;
}

// Of two nodes with one name, the later one gets "/1", "/2", ...; the earlier one when the later is an output.
void Network::choose_names(const std::vector<Node*>& nodes) {
  std::map<std::string, const Node*> owners;
  for (const Node* n : nodes) {
    if (n->is("Result")) continue;
    names_[n] = n->name;
    const auto [it, is_new] = owners.try_emplace(n->name, n);
    if (is_new) continue;
    const Node* other = it->second;
    const auto can_change = [](const Node* x) { return !x->is("Parameter") && !feeds_result(*x); };
    if (!can_change(other) && !can_change(n))
      throw Error(ErrorCode::BadGraph,
                  "Detected two output operations with the same name: " + other->type + " and " + n->type)
          .at_layer(n->name, n->type)
          .from(n->source);
    const Node* renamed = can_change(n) ? n : other;
    int suffix = 1;
    while (owners.contains(n->name + "/" + std::to_string(suffix))) ++suffix;
    names_[renamed] = n->name + "/" + std::to_string(suffix);
    owners[names_[other]] = other;
    owners[names_[n]] = n;
  }
}

void Network::make_layers(const std::vector<Node*>& nodes, bool combine_loops) {
  std::set<const Node*> internal;
  for (const Node* n : nodes)
    if (is_internal_constant(*n)) internal.insert(n);
  for (Node* n : nodes) {
    if (n->is("Result") || internal.contains(n)) continue;
    NetworkLayer l{n, names_.at(n), std::string(layer_type(*n)), {}, {}, {}};
    for (int i = 0; i < n->input_count(); ++i) {
      const Value v = n->input(i);
      if (takes_as_weights(*n, i)) continue;
      if (i == 1 && v.node->is_constant() && takes_shape_constant(l.type)) continue;
      l.inputs.push_back(v);
    }
    for (int i = 0; i < n->output_count(); ++i) l.outputs.push_back(n->value(i));
    if (combine_loops)
      if (std::optional<NetworkLayer> sequence = as_recurrent_sequence(l)) l = std::move(*sequence);
    layers_.push_back(std::move(l));
  }
}

// A constant that only told shapes is gone with its last consumer.
void Network::drop_unread_constants() {
  std::set<const Node*> read;
  for (const NetworkLayer& l : layers_)
    for (const Value& v : l.inputs) read.insert(v.node);
  std::erase_if(layers_, [&](const NetworkLayer& l) {
    return l.is_const() && !read.contains(l.node) && !is_output({l.node, 0});
  });
}

void Network::connect() {
  std::vector<NetworkLayer*> by_name;
  for (NetworkLayer& l : layers_) by_name.push_back(&l);
  std::ranges::sort(by_name, {}, [](const NetworkLayer* l) -> const std::string& { return l->name; });
  for (const NetworkLayer* l : by_name)
    for (const Value& v : l->inputs) {
      auto& list = consumers_[{v.node, v.port}];
      if (list.empty() || list.back() != l) list.push_back(l);
    }
}

void Network::sort() {
  std::vector<const NetworkLayer*> roots;
  for (const NetworkLayer& l : layers_)
    if (l.inputs.empty()) roots.push_back(&l);
  std::ranges::sort(roots, {}, [](const NetworkLayer* l) -> const std::string& { return l->name; });

  struct Frame {
    const NetworkLayer* layer;
    size_t port = 0, consumer = 0;
  };
  std::set<const NetworkLayer*> visited;
  std::vector<Frame> frames;
  for (const NetworkLayer* root : roots) {
    if (!visited.insert(root).second) continue;
    frames.push_back({root});
    while (!frames.empty()) {
      Frame& f = frames.back();
      if (f.port == f.layer->outputs.size()) {
        sorted_.push_back(f.layer);
        frames.pop_back();
        continue;
      }
      const auto& next = consumers(f.layer->outputs[f.port]);
      if (f.consumer == next.size()) {
        ++f.port;
        f.consumer = 0;
        continue;
      }
      const NetworkLayer* l = next[f.consumer++];
      if (visited.insert(l).second) frames.push_back({l});
    }
  }
  std::ranges::reverse(sorted_);
}

}  // namespace blobsmith::vpu
