#include "importers/model_optimizer/preprocess.hpp"

#include <algorithm>
#include <initializer_list>
#include <set>

#include "core/picture.hpp"
#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

using importers::Session;

constexpr int64_t kChannels = 3;  // what is reversed: red, green, blue
constexpr size_t kChannelAxis = 1;

// ---- mean and scale ------------------------------------------------------------------------------------------------

Node* input_named(const Session& s, const std::string& name) {
  for (Node* p : s.graph.parameters())
    if (p->name == name) return p;
  std::string all;
  for (const Node* p : s.graph.parameters()) all += (all.empty() ? "" : ", ") + p->name;
  throw Error(ErrorCode::BadInputName, "the network has no input named '" + name + "'").hint("its inputs are: " + all);
}

/// The inputs that the network's outputs come from: others are left of what was cut away.
std::vector<Node*> read_inputs(const Graph& g) {
  std::set<const Node*> seen(g.results().begin(), g.results().end());
  for (const Node* n : g.all())
    if (n->is("Assign")) seen.insert(n);
  std::vector<const Node*> left(seen.begin(), seen.end());
  while (!left.empty()) {
    const Node* n = left.back();
    left.pop_back();
    for (int i = 0; i < n->input_count(); ++i)
      if (const Node* from = n->input(i).node; seen.insert(from).second) left.push_back(from);
  }
  std::vector<Node*> inputs = g.parameters();
  std::erase_if(inputs, [&](const Node* p) { return !seen.contains(p); });
  return inputs;
}

/// The lists with the inputs that they are for.
std::vector<std::pair<Node*, std::vector<double>>> by_input(const Session& s, std::vector<ChannelValues> lists) {
  std::vector<std::pair<Node*, std::vector<double>>> r;
  if (lists.empty()) return r;
  if (!lists[0].input.empty()) {
    for (const ChannelValues& l : lists) r.emplace_back(input_named(s, l.input), l.values);
    return r;
  }
  std::vector<Node*> inputs = read_inputs(s.graph);
  const std::vector<InputPlace>& places = s.options.cut.inputs;
  if (places.size() == inputs.size()) {  // in the order of --input
    const auto place_of = [&](const Node* p) { return std::ranges::find(places, p->name, &InputPlace::place); };
    std::ranges::stable_sort(inputs, {}, place_of);
  }
  if (inputs.size() != lists.size())
    throw Error(ErrorCode::BadOptionValue, "Numbers of inputs and mean/scale values do not match.")
        .hint("the network has " + std::to_string(inputs.size()) + " inputs; name them: INPUT[104,117,123]");
  // quirk: lists without names are sorted by their first numbers.
  if (s.options.quirks) std::ranges::stable_sort(lists, {}, [](const ChannelValues& l) { return l.values.front(); });
  for (size_t i = 0; i < lists.size(); ++i) r.emplace_back(inputs[i], lists[i].values);
  return r;
}

/// One value, or one per channel, of the input's rank.
Tensor per_channel(const Node& input, const std::vector<double>& values) {
  Shape shape(input.shape().size(), 1);
  const auto count = static_cast<int64_t>(values.size());
  if (count != 1) {
    if (shape.size() <= kChannelAxis || input.shape()[kChannelAxis] != count)
      throw Error(ErrorCode::ShapeMismatch, "input '" + input.name + "' of shape " + to_string(input.shape()) +
                                                " does not have " + std::to_string(count) + " channels");
    shape[kChannelAxis] = count;
  }
  return Tensor::of(ElementType::f64, shape, values);
}

void insert(Session& s, Node* input, const char* type, const std::vector<double>& values, const char* suffix) {
  if (!is_float(input->element_type()))
    throw Error(ErrorCode::TypeMismatch, "input '" + input->name + "' of type " +
                                             std::string(to_string(input->element_type())) +
                                             " takes no mean or scale values");
  const std::vector<NodeUse> uses = input->output().uses;
  Rewriter rw(s.graph);
  const Value constant = rw.constant(per_channel(*input, values));
  constant.node->name = input->name + suffix + "/value";
  Node* n = rw.make_like(input, type, {input->value(), constant});
  n->name = input->name + suffix;
  n->source = input->source;
  for (const NodeUse& use : uses)
    if (!use.node->is("ShapeOf")) s.graph.set_input(use.node, use.port, n->value());
}

bool is_all(const std::vector<double>& values, double v) {
  return std::ranges::all_of(values, [&](double x) { return x == v; });
}

// ---- values as they come -----------------------------------------------------------------------------------------

bool is_any_of(const Node& n, std::initializer_list<const char*> types) {
  return std::ranges::any_of(types, [&](const char* type) { return n.is(type); });
}

bool moves_values(const Node& n) {
  return is_any_of(n, {"Concat", "Convert", "FakeQuantize", "Gather", "Interpolate", "Pad", "Reshape", "SpaceToDepth",
                       "Split", "Squeeze", "StridedSlice", "Transpose", "Unsqueeze", "VariadicSplit"});
}

/// Whether layers with weights read these values, and nothing else computes with them.
bool are_weighed_as_they_come(const Node* input) {
  bool weighed = false;
  std::set<const Node*> seen{input};
  for (std::vector<const Node*> open{input}; !open.empty();) {
    const Node* n = open.back();
    open.pop_back();
    for (int port = 0; port < n->output_count(); ++port)
      for (const NodeUse& use : n->output(port).uses) {
        if (use.node->is("ShapeOf") || use.node->is("Result")) continue;
        if (moves_values(*use.node)) {
          if (seen.insert(use.node).second) open.push_back(use.node);
        } else if (is_any_of(*use.node, {"Convolution", "GroupConvolution", "MatMul"})) {
          weighed = true;
        } else {
          return false;
        }
      }
  }
  return weighed;
}

// ---- reversed channels ---------------------------------------------------------------------------------------------

/// A constant with its channels in the other order; axis counted from the front.
Tensor reversed(const Tensor& t, size_t axis) {
  const auto channels = static_cast<size_t>(t.shape[axis]);
  size_t inner = byte_width(t.type);
  for (size_t i = axis + 1; i < t.shape.size(); ++i) inner *= static_cast<size_t>(t.shape[i]);
  std::vector<uint8_t> bytes(t.bytes.size());
  for (size_t at = 0; at < bytes.size(); at += inner) {
    const size_t row = at / inner, channel = row % channels;
    std::copy_n(t.bytes.data() + (row + channels - 1 - 2 * channel) * inner, inner,
                bytes.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return {t.type, t.shape, Bytes::adopt(std::move(bytes)).aligned(8)};
}

/// Where constants are to be reversed on the way from an input to the weights of its first convolution.
struct WeightsPlace {
  Node* node;
  int port;
  size_t axis;
};

/// The axis of the channels in an operand that is broadcast against `rank` axes; none where it has one for all.
std::optional<size_t> channel_axis(const Shape& operand, size_t rank) {
  if (operand.size() + kChannelAxis < rank) return std::nullopt;
  const size_t axis = operand.size() + kChannelAxis - rank;
  if (axis >= operand.size() || operand[axis] == 1) return std::nullopt;
  return axis;
}

bool is_element_wise(const Node& n) {
  return is_any_of(n, {"Multiply", "Add", "Subtract", "Divide", "Power", "FakeQuantize", "Convert"});
}

bool is_pad_of_planes(const Node& n) {
  const auto keeps_channels = [&](int pads) {
    const Tensor* t = transforms::constant_of(n.input(pads));
    return t && t->to_i64().at(kChannelAxis) == 0;
  };
  return n.is("Pad") && keeps_channels(1) && keeps_channels(2);
}

/// The only layer that reads v, not counting those that only read its shape; null: there are several.
std::optional<NodeUse> only_reader(Value v) {
  std::optional<NodeUse> reader;
  for (const NodeUse& use : v.node->output(v.port).uses) {
    if (use.node->is("ShapeOf")) continue;
    if (reader) return std::nullopt;
    reader = use;
  }
  return reader;
}

/// The constants to reverse instead of the input; nothing where the way does not end in a convolution.
std::optional<std::vector<WeightsPlace>> way_to_weights(const Node* input) {
  std::vector<WeightsPlace> places;
  for (Value v{const_cast<Node*>(input), 0};;) {
    const auto reader = only_reader(v);
    if (!reader) return std::nullopt;
    Node* n = reader->node;
    if (n->is("Convolution") && reader->port == 0) {
      if (!n->input(1).node->is_constant() || n->input(1).shape()[1] != kChannels) return std::nullopt;
      places.push_back({n, 1, 1});
      return places;
    }
    if (!is_pad_of_planes(*n) && (!is_element_wise(*n) || n->shape() != v.shape())) return std::nullopt;
    for (int i = 0; i < n->input_count(); ++i) {
      if (i == reader->port) continue;
      if (!n->input(i).node->is_constant()) return std::nullopt;
      if (const auto axis = channel_axis(n->input(i).shape(), n->shape().size())) places.push_back({n, i, *axis});
    }
    v = n->value();
  }
}

void reverse_constants(Graph& g, const std::vector<WeightsPlace>& places) {
  for (const WeightsPlace& p : places) {
    const Node* old = p.node->input(p.port).node;
    g.set_input(p.node, p.port, g.constant(reversed(old->constant, p.axis), old->name)->value());
  }
}

void reverse_by_layers(Graph& g, Node* input) {
  const std::string name = input->name + "/reverse_input_channels";
  const std::vector<NodeUse> uses = input->output().uses;
  const Value axis = g.constant(Tensor::scalar_i64(kChannelAxis), name + "/Split/axis")->value();
  Node* split =
      g.make("Split", {input->value(), axis}, transforms::attributes({{"num_splits", kChannels}}), 0, name + "/Split");
  Node* concat = g.make("Concat", {split->value(2), split->value(1), split->value(0)},
                        transforms::attributes({{"axis", static_cast<int64_t>(kChannelAxis)}}), 0, name + "/Concat");
  for (const NodeUse& use : uses)
    if (!use.node->is("ShapeOf")) g.set_input(use.node, use.port, concat->value());
}

}  // namespace

void add_mean_and_scale(Session& s) {
  // The scale first: the mean comes between it and the input.
  if (const auto scale = s.options.preprocess.scale_of_all) {
    if (*scale == 0) throw Error(ErrorCode::BadOptionValue, "the scale is 0");
    for (Node* input : s.graph.parameters())
      if (is_float(input->element_type()) && *scale != 1) insert(s, input, "Multiply", {1 / *scale}, "/scale");
  }
  for (auto& [input, values] : by_input(s, s.options.preprocess.scale)) {
    if (std::ranges::find(values, 0.0) != values.end())
      throw Error(ErrorCode::BadOptionValue, "a scale value of input '" + input->name + "' is 0");
    if (is_all(values, 1)) continue;
    std::ranges::transform(values, values.begin(), [](double v) { return 1 / v; });
    insert(s, input, "Multiply", values, "/scale");
  }
  for (auto& [input, values] : by_input(s, s.options.preprocess.mean)) {
    if (is_all(values, 0)) continue;
    std::ranges::transform(values, values.begin(), [](double v) { return -v; });
    insert(s, input, "Add", values, "/mean");
  }
}

void note_raw_pictures(Session& s) {
  for (const Node* input : s.graph.parameters())
    if (is_float(input->element_type()) && picture_channels(input->shape()) && are_weighed_as_they_come(input))
      s.notes.push_back({Remark::Kind::RawPicture, input->name, "Parameter", input->source,
                         "a camera's bytes, 0 to 255, reach the network as they are; --preset, or --mean-values and "
                         "--scale-values, normalise them as most networks expect it"});
}

void reverse_input_channels(Session& s) {
  if (!s.options.preprocess.reverse_input_channels) return;
  bool found = false;
  for (Node* input : s.graph.parameters()) {
    const Shape& shape = input->shape();
    if (shape.size() != 4 || shape[kChannelAxis] != kChannels) continue;
    found = true;
    if (const auto places = way_to_weights(input))
      reverse_constants(s.graph, *places);
    else
      reverse_by_layers(s.graph, input);
  }
  // quirk: Model Optimizer says nothing.
  if (!found && !s.options.quirks)
    throw Error(ErrorCode::BadOptionValue, "no input has three channels to reverse, [N,3,H,W]");
}

}  // namespace blobsmith::model_optimizer
