#include "heads/levels.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::heads {
namespace {

using transforms::constant_of;

/// What a YOLO makes boxes with.
constexpr std::string_view kArithmetic[] = {
    "Add",      "Clamp",      "Concat",         "Convert",   "Cos",       "Divide",       "Exp",     "Floor",
    "FloorMod", "Gather",     "GatherElements", "GatherND",  "MatMul",    "Maximum",      "Minimum", "Mod",
    "Multiply", "Power",      "ReduceMax",      "ReduceSum", "Relu",      "Reshape",      "Sigmoid", "Sin",
    "Softmax",  "Split",      "Sqrt",           "Squeeze",   "Subtract",  "StridedSlice", "Tile",    "TopK",
    "SoftPlus", "Unsqueeze",  "VariadicSplit",  "Transpose", "Broadcast", "Negative",     "Select",  "Greater",
    "Equal",    "LogicalNot", "Tanh",           "Einsum",    "ReduceL2",  "NormalizeL2"};

/// Of these only the first input is data; the others say where it goes.
constexpr std::string_view kMoved[] = {"Broadcast", "Reshape", "Split",     "Squeeze",   "StridedSlice",
                                       "Tile",      "TopK",    "Transpose", "Unsqueeze", "VariadicSplit"};

bool is_convolution(const Node* n) {
  return (n->is("Convolution") || n->is("GroupConvolution")) && n->shape().size() == 4;
}

/// The sum of a distribution, written as a convolution: it reads a Softmax, and is part of the arithmetic.
bool sums_distribution(const Node* n) {
  const Node* from = n->input(0).node;
  while (from->is("Transpose") || from->is("Reshape")) from = from->input(0).node;
  return n->shape()[1] == 1 && from->is("Softmax");
}

/// A convolution with or without bias, if v is one that the network ends in.
bool is_level_convolution(Value v) {
  const Node* n = v.node;
  if (n->is("Add") && n->shape().size() == 4)
    for (const int i : {0, 1})
      if (is_convolution(n->input(i).node) && constant_of(n->input(1 - i))) return true;
  return is_convolution(n) && !sums_distribution(n);
}

/// Goes back from the boxes; false where it meets something that no YOLO has there.
class Backwards {
 public:
  bool walk(Value v) {
    if (!seen_.insert(v.node).second) return true;
    if (v.node->is_constant() || (v.node->is("Parameter") && v.shape().size() < 4)) return true;  // names as vectors
    if (is_level_convolution(v)) {
      found.push_back(v);
      return true;
    }
    if (!is_convolution(v.node) && std::ranges::find(kArithmetic, v.node->type) == std::end(kArithmetic)) return false;
    chooses |= v.node->is("TopK");
    if (v.node->is("Softmax") && bins_of(v.node) > 1) bins = bins_of(v.node);
    const std::vector<Value>& inputs = v.node->inputs();
    const bool only_first = std::ranges::find(kMoved, v.node->type) != std::end(kMoved);
    return std::all_of(inputs.begin(), only_first ? inputs.begin() + 1 : inputs.end(),
                       [&](const Value& i) { return walk(i); });
  }

  std::vector<Value> found;
  int64_t bins = 1;
  bool chooses = false;

 private:
  static int64_t bins_of(const Node* softmax) {
    const Shape& s = softmax->shape();
    if (s.size() == 2) return s[1];  // of ONNX before opset 13: flattened rows
    if (s.size() != 4) return 1;
    return s[transforms::axis_from_front(softmax->attrs.integer("axis"), s.size())];
  }
  std::set<const Node*> seen_;
};

// ---- what becomes of channels ----

/// Some channels of a tensor, along one of its axes.
struct Channels {
  Value value;
  int64_t begin, end;
  size_t axis;
};

/// Follows channels forward through what only moves them, and notes what computes with them.
class Forwards {
 public:
  void walk(const Channels& c) {
    if (++steps_ > kMostSteps) return;
    for (const NodeUse& use : c.value.node->output(c.value.port).uses) step(c, *use.node, use.port);
  }

  std::set<const Node*> readers;
  std::map<const Node*, int64_t> widths;  ///< how many of the channels a reader sees

 private:
  static constexpr int kMostSteps = 2000;

  void step(const Channels& c, const Node& n, int port) {
    Node* node = const_cast<Node&>(n).value().node;
    const Shape& to = n.output_count() > 0 ? n.shape() : c.value.shape();
    if (n.is("Reshape") && port == 0 && keeps_channels(c, to)) return walk({node->value(), c.begin, c.end, c.axis});
    if (n.is("Transpose") && port == 0) return walk({node->value(), c.begin, c.end, moved_axis(c, n)});
    if (n.is("Concat")) return walk(beside_others(c, node, port));
    if (n.is("Split") || n.is("VariadicSplit")) return parts(c, node);
    if (n.is("StridedSlice") && n.shape().size() == c.value.shape().size()) return slice(c, node);
    readers.insert(&n);
    widths[&n] = c.end - c.begin;
  }

  static bool keeps_channels(const Channels& c, const Shape& to) {
    const Shape& from = c.value.shape();
    return c.axis < to.size() && std::equal(from.begin(), from.begin() + static_cast<long>(c.axis) + 1, to.begin());
  }
  static size_t moved_axis(const Channels& c, const Node& n) {
    const std::vector<int64_t> order = constant_of(n.input(1))->to_i64();
    return static_cast<size_t>(std::ranges::find(order, static_cast<int64_t>(c.axis)) - order.begin());
  }
  static Channels beside_others(const Channels& c, Node* n, int port) {
    int64_t before = 0;
    if (transforms::axis_from_front(n->attrs.integer("axis"), n->shape().size()) == c.axis)
      for (int i = 0; i < port; ++i) before += n->input(i).shape()[c.axis];
    return {n->value(), c.begin + before, c.end + before, c.axis};
  }
  void parts(const Channels& c, Node* n) {
    const Tensor* axis = constant_of(n->input(1));
    if (!axis) return;
    const bool here = transforms::axis_from_front(axis->to_i64().at(0), c.value.shape().size()) == c.axis;
    int64_t at = 0;
    for (int i = 0; i < n->output_count(); ++i) {
      const int64_t size = n->shape(i)[c.axis];
      const int64_t begin = std::max(c.begin - at, int64_t{0}), end = std::min(c.end - at, size);
      if (!here)
        walk({n->value(i), c.begin, c.end, c.axis});
      else if (begin < end)
        walk({n->value(i), begin, end, c.axis});
      at += size;
    }
  }
  void slice(const Channels& c, Node* n) {
    const int64_t size = n->shape()[c.axis];
    if (size == c.value.shape()[c.axis]) return walk({n->value(), c.begin, c.end, c.axis});
    const Tensor* first = constant_of(n->input(1));
    if (!first || first->to_i64().size() <= c.axis) return;
    const std::vector<int64_t>& masked = n->attrs.integers("begin_mask");
    const bool from_start = c.axis < masked.size() && masked[c.axis] == 0;
    int64_t from = from_start ? 0 : first->to_i64()[c.axis];
    if (from < 0) from += c.value.shape()[c.axis];
    const int64_t begin = std::max(c.begin - from, int64_t{0}), end = std::min(c.end - from, size);
    if (begin < end) walk({n->value(), begin, end, c.axis});
  }

  int steps_ = 0;
};

/// A score of its own or one of a class; an angle is computed on.
Role role_of_score(const LevelConvolution& c, const std::set<const Node*>& readers) {
  for (const Node* sigmoid : readers)
    for (const NodeUse& use : sigmoid->output().uses)
      if (use.node->is("Subtract") || use.node->is("Add") || use.node->is("Multiply"))
        return c.channels() == 1 ? Role::Angle : Role::Extra;
  return Role::Classes;
}

Role role_of(const LevelConvolution& c) {
  Forwards f;
  f.walk({c.value, 0, c.channels(), 1});
  const auto reads = [&](std::string_view type) {
    return std::ranges::any_of(f.readers, [&](const Node* n) { return n->is(type); });
  };
  const auto all_read = [&](std::string_view type) {
    return !f.readers.empty() && std::ranges::all_of(f.readers, [&](const Node* n) { return n->is(type); });
  };
  if (all_read("Sigmoid")) return role_of_score(c, f.readers);
  if (c.channels() == 1 && reads("Sin") && reads("Cos")) return Role::Angle;
  if (all_read("Result") || f.readers.empty()) return Role::Extra;
  if (reads("Sigmoid")) return Role::Extra;  // key points with their visibility
  return Role::Boxes;
}

void set_roles(Level& level, int64_t bins) {
  if (level.convolutions.size() == 1) return;  // all in one: by anchors
  for (LevelConvolution& c : level.convolutions) {
    c.role = role_of(c);
    if (c.role == Role::Boxes && c.channels() != 4 * bins) c.role = Role::Extra;
  }
  // YOLOX: one score says whether there is something, the others what.
  const auto is_score = [](const LevelConvolution& c) { return c.role == Role::Classes; };
  if (std::ranges::count_if(level.convolutions, is_score) != 2) return;
  const auto one = std::ranges::find_if(level.convolutions,
                                        [&](const LevelConvolution& c) { return is_score(c) && c.channels() == 1; });
  if (one == level.convolutions.end()) return;
  one->role = Role::Objectness;
  for (LevelConvolution& c : level.convolutions)  // as the convolution gives them, where the host decodes
    if (c.role == Role::Extra && c.channels() == 4 && !level.find(Role::Boxes)) c.role = Role::Boxes;
}

/// How many channels of a convolution for everything become scores, where the host gets all others as they are.
int64_t scores_beside_raw_numbers(const LevelConvolution& c) {
  Forwards f;
  f.walk({c.value, 0, c.channels(), 1});
  int64_t scores = 0, raw = 0;
  for (const auto& [reader, width] : f.widths) {
    if (reader->is("Sigmoid")) scores += width;
    if (reader->is("Result")) raw += width;
  }
  return raw > 0 && scores + raw == c.channels() ? scores : 0;
}

/// The picture that all is computed from.
const Node* only_picture(const Graph& graph) {
  const Node* picture = nullptr;
  for (const Node* p : graph.parameters()) {
    if (p->shape().size() != 4 || !is_static(p->shape())) continue;
    if (picture) return nullptr;
    picture = p;
  }
  return picture;
}

}  // namespace

const LevelConvolution* Level::find(Role role) const {
  const auto it = std::ranges::find(convolutions, role, &LevelConvolution::role);
  return it == convolutions.end() ? nullptr : &*it;
}

std::optional<Levels> find_levels(const Graph& graph, const Node* result) {
  Backwards back;
  Levels r;
  r.picture = only_picture(graph);
  r.result = result;
  if (!r.picture || !back.walk(result->input(0)) || back.found.empty()) return std::nullopt;
  r.bins = back.bins;
  r.chooses = back.chooses;
  const Shape& picture = r.picture->shape();
  const bool last = picture[3] <= 4 && picture[1] > 4;  // NHWC
  const int64_t height = picture[last ? 1 : 2], width = picture[last ? 2 : 3];
  std::map<int64_t, Level> by_stride;
  for (const Node* n : graph.ordered())  // in the order in which they are computed
    for (const Value& v : back.found) {
      if (v.node != n) continue;
      const Shape& s = v.shape();
      if (s[2] < 1 || s[3] < 1 || height % s[2] != 0 || width % s[3] != 0 || height / s[2] != width / s[3])
        return std::nullopt;
      const int64_t stride = height / s[2];
      by_stride[stride].stride = stride;
      by_stride[stride].convolutions.push_back({v});
    }
  for (auto& [stride, level] : by_stride) {
    set_roles(level, r.bins);
    r.levels.push_back(std::move(level));
  }
  const Level& least = r.levels[0];
  if (least.convolutions.size() == 1) r.scores = scores_beside_raw_numbers(least.convolutions[0]);
  const auto as_first = [&](const Level& l) {
    return std::ranges::equal(l.convolutions, r.levels[0].convolutions, [](const auto& a, const auto& b) {
      return a.channels() == b.channels() && a.role == b.role;
    });
  };
  if (r.levels[0].stride < 2 || !std::ranges::all_of(r.levels, as_first)) return std::nullopt;
  return r;
}

}  // namespace blobsmith::heads
