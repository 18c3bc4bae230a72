// An axis that shrank with the batch holds its items: a layer that reduces, sorts, picks or moves along it mixes them.
#include "transforms/conversion/batch_mixing.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms {
namespace {

/// Where an operation says along which axes of its first input it works.
struct AxesRow {
  std::string_view type, attribute;
  int input = -1;  ///< a constant, where it is no attribute
};

constexpr std::array kAxes{
    AxesRow{"ReduceMean", "", 1},
    AxesRow{"ReduceMax", "", 1},
    AxesRow{"ReduceMin", "", 1},
    AxesRow{"ReduceSum", "", 1},
    AxesRow{"ReduceProd", "", 1},
    AxesRow{"ReduceL1", "", 1},
    AxesRow{"ReduceL2", "", 1},
    AxesRow{"ReduceLogicalAnd", "", 1},
    AxesRow{"ReduceLogicalOr", "", 1},
    AxesRow{"MVN", "", 1},
    AxesRow{"NormalizeL2", "", 1},
    AxesRow{"LRN", "", 1},
    AxesRow{"Softmax", "axis"},
    AxesRow{"LogSoftmax", "axis"},
    AxesRow{"TopK", "axis"},
    AxesRow{"Concat", "axis"},
    AxesRow{"ShuffleChannels", "axis"},
    AxesRow{"ReverseSequence", "seq_axis"},
    AxesRow{"Reverse", "", 1},
    AxesRow{"CumSum", "", 1},
    AxesRow{"Roll", "", 2},
    AxesRow{"Gather", "", 2},
    AxesRow{"GatherElements", "axis"},
    AxesRow{"ScatterUpdate", "", 3},
    AxesRow{"ScatterElementsUpdate", "", 3},
    AxesRow{"Split", "", 1},
    AxesRow{"VariadicSplit", "", 1},
};

/// Operands that hold something for each item, which a constant goes on to hold for all of them.
struct OperandRow {
  std::string_view type;
  int input;
};

constexpr std::array kOfItems{
    OperandRow{"ScatterElementsUpdate", 1},
    OperandRow{"ScatterUpdate", 2},
    OperandRow{"ReverseSequence", 1},
};

class Judge {
 public:
  Judge(const ShapesOfNodes& before, int64_t batch) : before_(before), batch_(batch) {}

  bool mixes(const Node& n) const {
    if (n.is("Result")) return !item_comes_first(n.input(0));
    if (n.is("ShapeOf") || std::ranges::none_of(n.inputs(), [&](Value v) { return changed(v); })) return false;
    if (works_along_batch(n)) return true;
    if (n.is("DetectionOutput")) return false;  // its number of boxes does not follow the batch
    for (int i = 0; i < n.output_count(); ++i)
      if (!follows_batch({const_cast<Node*>(&n), i})) return true;
    return (n.is("Reshape") || n.is("Squeeze") || n.is("Unsqueeze")) && !keeps_items_apart(n);
  }

 private:
  const Shape* shape_before(Value v) const {
    const auto it = before_.find(v.node);
    return it != before_.end() && static_cast<size_t>(v.port) < it->second.size()
               ? &it->second[static_cast<size_t>(v.port)]
               : nullptr;
  }
  bool changed(Value v) const {
    const Shape* s = shape_before(v);
    return s && *s != v.shape();
  }
  bool changed(Value v, size_t axis) const {
    const Shape* s = shape_before(v);
    return s && s->size() == v.shape().size() && axis < s->size() && (*s)[axis] != v.shape()[axis];
  }

  /// All of v is as many times larger for the whole batch as there are items.
  bool follows_batch(Value v) const {
    const Shape* s = shape_before(v);
    if (!s || !is_static(*s) || !is_static(v.shape())) return true;
    return element_count(*s) == batch_ * element_count(v.shape());
  }

  /// The elements of one item lie behind each other in the whole tensor.
  bool item_comes_first(Value v) const {
    const std::optional<int64_t> outer = elements_outside_batch(v);
    return !outer || *outer == 1;
  }
  bool keeps_items_apart(const Node& n) const {
    const std::optional<int64_t> from = elements_outside_batch(n.input(0)),
                                 to = elements_outside_batch({const_cast<Node*>(&n), 0});
    return !from || !to || *from == *to;
  }
  /// The product of the axes before that of the batch; nothing where no axis changed.
  std::optional<int64_t> elements_outside_batch(Value v) const {
    const Shape& s = v.shape();
    for (size_t i = 0; i < s.size(); ++i)
      if (changed(v, i)) return product(std::span(s).first(i));
    return std::nullopt;
  }

  bool works_along_batch(const Node& n) const {
    if (n.body)
      return std::ranges::any_of(n.port_map.inputs, [&](const PortMap::Input& p) {
        return p.sliced && changed(n.input(p.outer), axis_from_front(p.axis, n.input(p.outer).shape().size()));
      });
    if (n.is("NonMaxSuppression")) return changed(n.input(1), 0);  // its boxes name their item
    if (n.is("GatherND") || n.is("ScatterNDUpdate")) return indexes_batch(n);
    if (n.is("Tile")) return repeats_batch(n);
    if (n.is("StridedSlice")) return turns_batch_round(n);
    if (n.is("SpaceToBatch") || n.is("BatchToSpace")) return true;  // an item of the input is no outermost part
    for (const OperandRow& row : kOfItems)
      if (n.is(row.type) && changed(n.input(0)) && !changed(n.input(row.input))) return true;
    const auto row = std::ranges::find(kAxes, n.type, &AxesRow::type);
    if (row == kAxes.end()) return false;
    const size_t rank = n.input(0).shape().size();
    for (const size_t axis : axes(n, *row, rank))
      for (int i = 0; i < (n.is("Concat") ? n.input_count() : 1); ++i)
        if (changed(n.input(i), axis)) return true;
    return false;
  }

  static std::vector<size_t> axes(const Node& n, const AxesRow& row, size_t rank) {
    std::vector<int64_t> given;
    if (!row.attribute.empty()) {
      given = {n.attrs.integer(row.attribute)};
    } else if (row.input < n.input_count()) {
      const Tensor* t = constant_of(n.input(row.input));
      if (t) given = t->to_i64();
    }
    std::vector<size_t> list;
    for (const int64_t a : given) list.push_back(axis_from_front(a, rank));
    return list;
  }

  /// The first axes, behind those of batches, are those that the indices name.
  bool indexes_batch(const Node& n) const {
    const Shape& indices = n.input(1).shape();
    const int64_t first = n.attrs.integer("batch_dims", 0), count = indices.empty() ? 0 : indices.back();
    for (int64_t a = first; a < first + count; ++a)
      if (changed(n.input(0), static_cast<size_t>(a))) return true;
    return false;
  }

  /// Backwards over all items; other slices of them leave a number that does not follow the batch.
  bool turns_batch_round(const Node& n) const {
    const Tensor* strides = n.input_count() > 3 ? constant_of(n.input(3)) : nullptr;
    if (!strides) return false;
    const std::vector<int64_t> steps = strides->to_i64();
    const auto is_set = [](int64_t v) { return v != 0; };
    for (const char* mask : {"new_axis_mask", "ellipsis_mask"})  // axes are not those of the steps
      if (n.attrs.has(mask) && std::ranges::any_of(n.attrs.integers(mask), is_set))
        return std::ranges::any_of(steps, [](int64_t v) { return v < 0; });
    for (size_t i = 0; i < std::min(steps.size(), n.input(0).shape().size()); ++i)
      if (steps[i] < 0 && changed(n.input(0), i)) return true;
    return false;
  }

  bool repeats_batch(const Node& n) const {
    const Tensor* t = constant_of(n.input(1));
    if (!t) return false;
    const std::vector<int64_t> repeats = t->to_i64();
    const size_t rank = n.input(0).shape().size();
    for (size_t i = 0; i < std::min(rank, repeats.size()); ++i)  // counted from the last
      if (repeats[repeats.size() - 1 - i] != 1 && changed(n.input(0), rank - 1 - i)) return true;
    return false;
  }

  const ShapesOfNodes& before_;
  int64_t batch_;
};

}  // namespace

ShapesOfNodes shapes_of_nodes(const Graph& graph) {
  ShapesOfNodes r;
  for (const Node* n : graph.all())
    for (int i = 0; i < n->output_count(); ++i) r[n].push_back(n->shape(i));
  return r;
}

std::vector<const Node*> layers_across_batch(const Graph& graph, const ShapesOfNodes& before, int64_t batch) {
  const Judge judge(before, batch);
  std::vector<const Node*> list;
  for (const Node* n : graph.ordered())
    if (judge.mixes(*n)) list.push_back(n->is("Result") ? n->input(0).node : n);
  return list;
}

}  // namespace blobsmith::transforms
