// The network comes in the model's own order of axes, [N,H,W,C], in which every node means what it says: operations
// with windows stand between two Transposes. The pass walks from the inputs and keeps for every tensor in which order
// of axes it is at hand. An operation takes its operands as they are and has its axes renamed; one that reinterprets
// shapes takes them in the model's order. Transposes are made only where a tensor is not at hand in the order that is
// wanted:
//
//   x [1,H,W,C] → Transpose → Convolution → Transpose → Add [C] → Reshape [1,-1]
//   x [1,C,H,W] →             Convolution →             Add [1,C,1,1] → Transpose → Reshape [1,-1]
#include "importers/model_optimizer/layout.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "importers/common/layer_builder.hpp"
#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

using Order = std::vector<int64_t>;  // new axis i is axis order[i] of the model's tensor
using Names = std::initializer_list<std::string_view>;

constexpr size_t kSmallestRank = 4;

Order identity(size_t rank) {
  Order o(rank);
  for (size_t i = 0; i < rank; ++i) o[i] = static_cast<int64_t>(i);
  return o;
}

Order channels_in_front(size_t rank) {
  if (rank < kSmallestRank) return identity(rank);
  Order o{0, static_cast<int64_t>(rank) - 1};
  for (size_t i = 1; i + 1 < rank; ++i) o.push_back(static_cast<int64_t>(i));
  return o;
}

int64_t position(const Order& o, int64_t axis) { return std::ranges::find(o, axis) - o.begin(); }

/// What leads from the order `from` to the order `to`.
Order between(const Order& from, const Order& to) {
  Order k;
  for (const int64_t axis : to) k.push_back(position(from, axis));
  return k;
}

template <class T>
std::vector<T> permuted(const std::vector<T>& list, const Order& o) {
  std::vector<T> r;
  for (const int64_t axis : o) r.push_back(list.at(static_cast<size_t>(axis)));
  return r;
}

bool is_one_of(const Node* n, Names types) {
  return std::ranges::any_of(types, [&](std::string_view t) { return n->is(t); });
}

bool is_element_wise(const Node* n) {
  return is_one_of(n, {"Add",        "Subtract",     "Multiply",   "Divide",
                       "Power",      "Maximum",      "Minimum",    "SquaredDifference",
                       "FloorMod",   "Mod",          "Equal",      "NotEqual",
                       "Greater",    "GreaterEqual", "Less",       "LessEqual",
                       "LogicalAnd", "LogicalOr",    "LogicalXor", "LogicalNot",
                       "Select",     "FakeQuantize", "Clamp",      "Relu",
                       "PRelu",      "Elu",          "Selu",       "Sigmoid",
                       "Tanh",       "Exp",          "Log",        "Abs",
                       "Sign",       "Floor",        "Ceiling",    "Round",
                       "Erf",        "Sin",          "Cos",        "Tan",
                       "Asin",       "Acos",         "Atan",       "Sinh",
                       "Cosh",       "Asinh",        "Acosh",      "Atanh",
                       "SoftPlus",   "Mish",         "Swish",      "HSwish",
                       "HSigmoid",   "HardSigmoid",  "Gelu",       "Negative",
                       "Sqrt",       "Convert"});
}
/// Planes are axes 2 and further, whatever the model's order: between Transposes.
bool has_windows(const Node* n) {
  return is_one_of(
      n, {"Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData", "MaxPool",
          "AvgPool", "DepthToSpace", "SpaceToDepth", "ROIPooling", "ExtractImagePatches", "RegionYolo"});
}
bool has_axis_attribute(const Node* n) { return is_one_of(n, {"Concat", "Softmax", "LogSoftmax", "TopK"}); }
bool is_reduction(const Node* n) { return n->type.starts_with("Reduce"); }
/// Input 1 states axes.
bool has_axes_input(const Node* n) {
  return is_one_of(n, {"Split", "VariadicSplit", "NormalizeL2", "LRN", "CumSum"}) ||
         (n->is("MVN") && n->input_count() > 1);
}
/// These inputs have one number per axis.
std::vector<int> inputs_per_axis(const Node* n) {
  if (n->is("Pad")) return {1, 2};
  if (n->is("Tile")) return {1};
  if (is_one_of(n, {"SpaceToBatch", "BatchToSpace", "StridedSlice"})) return {1, 2, 3};
  return {};
}
bool is_layout_transpose(const Node* n) { return n->is("Transpose") && n->attrs.flag(kLayoutTranspose); }
bool is_product(const Node* n) { return is_one_of(n, {"MatMul", "Einsum"}); }

bool keeps_layout_apart(const Node* n) {
  return is_element_wise(n) || has_axis_attribute(n) || has_axes_input(n) || !inputs_per_axis(n).empty() ||
         (is_reduction(n) && n->attrs.flag("keep_dims")) ||
         is_one_of(n, {"Transpose", "Interpolate", "Parameter", "Roll"});
}

/// The Transposes that importers put around windows stay.
void keep_layout(importers::Session& s) {
  for (Node* n : s.graph.all()) {
    n->attrs.erase(kLayoutTranspose);
    n->attrs.erase(kKeepsOrder);
    if ((n->is("Multiply") || n->is("Add")) && n->shape().size() >= kSmallestRank) n->attrs.set(kChannelsLast, true);
  }
}

class Layout {
 public:
  Layout(Graph& g, bool quirks) : g_(g), rw_(g), quirks_(quirks) {}

  void run() {
    const std::vector<Node*> nodes = g_.ordered();
    const bool by_planes = std::ranges::any_of(nodes, is_layout_transpose) || std::ranges::none_of(nodes, has_windows);
    mark_products(nodes);
    for (Node* n : nodes) {
      if (n->is_constant()) continue;
      rw_.set_origin(n->source);
      if (n->is("Parameter"))
        parameter(n, by_planes);
      else
        node(n);
      n->attrs.erase(kKeepsOrder);
    }
    number_transposes();
  }

 private:
  /// Forms in which a tensor is at hand; the first is that which operations take.
  struct Form {
    Value value;
    Order order;
  };

  // ---- products of stacks of matrices: they and what lies around them keep the model's order ----

  void mark_products(const std::vector<Node*>& nodes) {
    std::vector<Node*> stack;
    const auto enter = [&](Node* n) {
      if (marked_.insert(n).second) stack.push_back(n);
    };
    for (Node* n : nodes) {
      if (is_product(n) && n->shape().size() >= kSmallestRank) enter(n);
      if (n->attrs.has(kKeepsOrder)) marked_.insert(n);
    }
    while (!stack.empty()) {
      Node* n = stack.back();
      stack.pop_back();
      const bool passes = is_product(n) || keeps_layout_apart(n);
      if (passes && !is_layout_transpose(n))
        for (const Value& v : n->inputs())
          if (v.shape().size() >= kSmallestRank && !v.node->is_constant() && !is_layout_transpose(v.node))
            enter(v.node);
      for (int i = 0; i < n->output_count(); ++i) {
        if (n->shape(i).size() < kSmallestRank) continue;
        for (const NodeUse& use : n->output(i).uses)
          if ((is_product(use.node) || keeps_layout_apart(use.node)) && !is_layout_transpose(use.node)) enter(use.node);
      }
    }
  }

  Order wanted_order(const Node* n, size_t rank) const {
    return marked_.contains(n) ? identity(rank) : channels_in_front(rank);
  }

  // ---- forms ----

  std::vector<Form>& forms(Value v) {
    std::vector<Form>& f = forms_[{v.node, v.port}];
    if (f.empty()) f.push_back({v, identity(v.shape().size())});
    return f;
  }
  const Order& order(Value v) { return forms(v)[0].order; }

  void set_form(Node* n, int port, Value value, Order o) {
    std::vector<Form>& f = forms_[{n, port}];
    f.insert(f.begin(), {value, std::move(o)});
  }

  static void name_transpose(Node* t, std::string name) {
    t->name = std::move(name);
    t->input(1).node->name = t->name + "/value";
  }

  Node* turned(const Form& from, const Order& o) {
    Node* t = rw_.transpose(from.value, between(from.order, o));
    name_transpose(t, from.value.node->name + "/Transpose");
    transposes_.insert(t);
    return t;
  }

  /// The tensor in this order: as it is at hand, or by a Transpose.
  Value want(Value v, const Order& o) {
    for (const Form& f : forms(v))
      if (f.order == o) return f.value;
    const Form from = forms(v)[0];
    Node* t = turned(from, o);
    Value made = t->value();
    if (from.value.node->is_constant()) {
      const Tensor* inputs[] = {&from.value.node->constant, &t->input(1).node->constant};
      std::vector<Tensor> folded = evaluate(*t, inputs);
      if (!folded.empty()) made = g_.constant(std::move(folded[0]), from.value.node->name)->value();
    }
    forms(v).push_back({made, o});
    return made;
  }

  /// An operand of lower rank, with leading axes of size 1.
  Value want_ranked(Value v, size_t rank, const Order& o) {
    const size_t own = v.shape().size();
    if (own == rank) return want(v, o);
    Value x = want(v, identity(own));
    Shape shape(rank - own, 1);
    if (x.node->is_constant()) {
      Tensor t = x.node->constant;
      t.shape.insert(t.shape.begin(), shape.begin(), shape.end());
      x = g_.constant(std::move(t), x.node->name)->value();
    } else {
      Order axes = identity(rank - own);
      Node* n = rw_.make("Unsqueeze", {x, rw_.indices(axes)});
      n->name = x.node->name + "/Unsqueeze";
      x = n->value();
    }
    return is_static(x.shape()) && element_count(x.shape()) == 1 ? x : want(x, o);
  }

  // ---- nodes ----

  void parameter(Node* n, bool by_planes) {
    if (n->shape().size() < kSmallestRank || !by_planes || marked_.contains(n)) return;
    const Order o = channels_in_front(n->shape().size());
    g_.set_outputs(n, {{n->element_type(), permuted(n->shape(), o)}});
    set_form(n, 0, n->value(), o);
  }

  void node(Node* n) {
    if (n->is("Result")) return rw_.set_input(n, 0, forms(n->input(0))[0].value);
    if (n->is("Transpose") && transforms::constant_of(n->input(1))) return transpose(n);
    if (n->is("ShapeOf")) return shape_of(n);
    if (is_element_wise(n)) return element_wise(n);
    if (has_windows(n)) return in_model_order(n);
    if (n->input_count() == 0 || n->input(0).shape().size() < kSmallestRank) return reinterpret(n);
    if (has_axis_attribute(n)) return axis_attribute(n);
    if (is_reduction(n)) return reduction(n);
    if (n->is("Squeeze") && n->input_count() > 1) return squeeze(n);
    if (has_axes_input(n)) return axes_input(n, 1);
    if (n->is("Roll")) return axes_input(n, 2);
    if (n->is("Interpolate") && n->input_count() > 3) return axes_input(n, 3);
    if (n->is("Gather") && n->input(1).shape().size() == 1) return gather(n);
    if (n->is("ReverseSequence")) return reverse_sequence(n);
    if (!inputs_per_axis(n).empty() && n->shape().size() == n->input(0).shape().size()) return per_axis(n);
    reinterpret(n);
  }

  void refresh(Node* n, const Order& o) {
    infer(g_, n);
    for (int i = 0; i < n->output_count(); ++i) set_form(n, i, n->value(i), o);
  }

  void element_wise(Node* n) {
    const size_t rank = n->shape().size();
    if (n->is("PRelu") && element_count(n->input(1).shape()) > 1) return in_model_order(n);
    if (rank < kSmallestRank) return in_model_order(n);
    Order o = identity(rank);
    bool found = false;
    for (const Value& v : n->inputs()) {
      if (v.node->is_constant() || v.shape().size() != rank || found) continue;
      o = order(v);
      found = true;
    }
    if (!found) o = wanted_order(n, rank);
    const int count = n->is("PRelu") || n->is("Swish") ? 1 : n->input_count();  // slopes and factors stay as they are
    for (int i = 0; i < count; ++i) rw_.set_input(n, i, want_ranked(n->input(i), rank, o));
    refresh(n, o);
  }

  /// Inputs and outputs in the model's order, or in that between two Transposes.
  void in_model_order(Node* n) {
    for (int i = 0; i < n->input_count(); ++i)
      rw_.set_input(n, i, want(n->input(i), identity(n->input(i).shape().size())));
  }

  /// What reads a tensor in another order than that at hand has a Transpose of its own.
  Value apart(Value v, const Order& o, const Node* reader) {
    bool is_first = true;
    for (const Form& f : forms(v)) {
      if (f.order != o) continue;
      if (!transposes_.contains(f.value.node)) return f.value;
      is_first = false;
    }
    const Value made = is_first ? want(v, o) : turned(forms(v)[0], o)->value();
    if (transposes_.contains(made.node)) own_[made.node->name].emplace_back(reader->id(), made.node);
    return made;
  }

  /// The first of them in the order of the model has the plain name.
  void number_transposes() {
    for (auto& [name, all] : own_) {
      std::ranges::stable_sort(all, {}, &std::pair<int64_t, Node*>::first);
      for (size_t i = 1; i < all.size(); ++i) name_transpose(all[i].second, name + importers::numbered(g_));
    }
  }

  void reinterpret(Node* n) {
    for (int i = 0; i < n->input_count(); ++i)
      rw_.set_input(n, i, apart(n->input(i), identity(n->input(i).shape().size()), n));
    for (int i = 0; i < n->output_count(); ++i) {
      const size_t rank = n->shape(i).size();
      const Order o = wanted_order(n, rank);
      if (rank < kSmallestRank || n->is("TensorIterator") || n->is("Loop") || n->output(i).uses.empty()) continue;
      set_form(n, i, want(n->value(i), o), o);
    }
  }

  void transpose(Node* n) {
    const Value x = n->input(0);
    const Order p = n->input(1).node->constant.to_i64();
    const Form at_hand = forms(x)[0];
    Order o;
    for (const int64_t axis : at_hand.order) o.push_back(position(p, axis));
    set_form(n, 0, at_hand.value, o);
    for (const Form& f : std::vector<Form>(forms(x))) {
      Order other;
      for (const int64_t axis : f.order) other.push_back(position(p, axis));
      forms_[{n, 0}].push_back({f.value, other});
    }
    const Order wanted = wanted_order(n, p.size());
    if (o == wanted || is_layout_transpose(n)) return;
    // The model's own, or what is left of it.
    const Value made = want(n->value(), wanted);
    if (made.node->is("Transpose") && made.node->name.ends_with("/Transpose")) made.node->name = n->name;
    set_form(n, 0, made, wanted);
  }

  void shape_of(Node* n) {
    const Form f = forms(n->input(0))[0];
    rw_.set_input(n, 0, f.value);
    if (f.order == identity(f.order.size())) return;
    const Value order_value = rw_.indices(between(f.order, identity(f.order.size())));
    Node* gather = rw_.make("Gather", {n->value(), order_value, rw_.index(0)},
                            transforms::attributes({{"batch_dims", int64_t{0}}}), 7);
    gather->name = n->name + "/GatherNCHWtoNHWC";
    set_form(n, 0, gather->value(), identity(1));
  }

  /// What a constant of n is called whose numbers follow this order: what is turned round has a number for a name,
  /// unless Model Optimizer does it by a layer.
  std::string name_in(const Order& o, const Node* n, const Node* constant) {
    if (o == identity(o.size())) return constant->name;
    if (is_reduction(n) && !n->attrs.flag("keep_dims")) return n->name + "Gather";
    return constant->name == n->name + "/End" ? n->name + "/GatherNHWCtoNCHW" : importers::numbered(g_);
  }

  /// Constant axes in input i, renamed. False where they are computed.
  bool rename_axes(Node* n, int i, const Order& o) {
    const Tensor* t = transforms::constant_of(n->input(i));
    if (!t) return false;
    std::vector<int64_t> axes = t->to_i64();
    for (int64_t& a : axes) a = position(o, a < 0 ? a + static_cast<int64_t>(o.size()) : a);
    Tensor renamed = Tensor::of(ElementType::i64, t->shape, axes);
    rw_.set_input(n, i, g_.constant(std::move(renamed), name_in(o, n, n->input(i).node))->value());
    return true;
  }

  void axes_input(Node* n, int input) {
    const Order o = order(n->input(0));
    if (!rename_axes(n, input, o)) return reinterpret(n);
    rw_.set_input(n, 0, want(n->input(0), o));
    refresh(n, o);
  }

  void axis_attribute(Node* n) {
    Order o = order(n->input(0));
    for (const Value& v : n->inputs())
      if (!v.node->is_constant() && v.shape().size() == o.size()) {
        o = order(v);
        break;
      }
    const int64_t axis = n->attrs.integer("axis");
    n->attrs.set("axis", position(o, axis < 0 ? axis + static_cast<int64_t>(o.size()) : axis));
    const int count = n->is("TopK") ? 1 : n->input_count();
    for (int i = 0; i < count; ++i) rw_.set_input(n, i, want(n->input(i), o));
    refresh(n, o);
  }

  void reverse_sequence(Node* n) {
    const Order o = order(n->input(0));
    for (const char* attribute : {"batch_axis", "seq_axis"})
      n->attrs.set(attribute, position(o, n->attrs.integer(attribute)));
    rw_.set_input(n, 0, want(n->input(0), o));
    refresh(n, o);
  }

  void per_axis(Node* n) {
    const Order o = order(n->input(0));
    for (const int i : inputs_per_axis(n)) {
      if (i >= n->input_count()) continue;
      const Tensor* t = transforms::constant_of(n->input(i));
      if (!t || t->to_i64().size() != o.size()) return reinterpret(n);
    }
    for (const int i : inputs_per_axis(n)) {
      if (i >= n->input_count()) continue;
      const Node* old = n->input(i).node;
      rw_.set_input(n, i, g_.constant(Tensor::i64(permuted(old->constant.to_i64(), o)), name_in(o, n, old))->value());
    }
    for (const char* mask : {"begin_mask", "end_mask", "new_axis_mask", "shrink_axis_mask", "ellipsis_mask"})
      if (n->attrs.has(mask) && n->attrs.integers(mask).size() == o.size())
        n->attrs.set(mask, permuted(n->attrs.integers(mask), o));
    rw_.set_input(n, 0, want(n->input(0), o));
    refresh(n, o);
  }

  void gather(Node* n) {
    const Tensor* axis = transforms::constant_of(n->input(2));
    if (!axis || n->attrs.integer("batch_dims", 0) != 0) return reinterpret(n);
    if (!quirks_) return axes_input(n, 2);
    // quirk: not the axis is renamed, but the indices, as if they were axes.
    const Order o = order(n->input(0));
    const Tensor* indices = transforms::constant_of(n->input(1));
    const std::vector<int64_t> list = indices ? indices->to_i64() : std::vector<int64_t>();
    if (std::ranges::all_of(list, [&](int64_t i) { return i >= 0 && i < std::ssize(o); })) rename_axes(n, 1, o);
    rw_.set_input(n, 0, want(n->input(0), o));
    refresh(n, o);
  }

  // ---- axes that go away ----

  void reduction(Node* n) {
    if (n->attrs.flag("keep_dims")) return axes_input(n, 1);
    without_axes(n);
  }
  void squeeze(Node* n) { without_axes(n); }

  void without_axes(Node* n) {
    const Order o = order(n->input(0));
    const Tensor* t = transforms::constant_of(n->input(1));
    if (!t) return reinterpret(n);
    std::set<int64_t> gone;
    for (const int64_t a : t->to_i64()) gone.insert(a < 0 ? a + static_cast<int64_t>(o.size()) : a);
    rename_axes(n, 1, o);
    rw_.set_input(n, 0, want(n->input(0), o));
    infer(g_, n);
    // The axes that stay, counted without those that go.
    Order left;
    for (const int64_t axis : o)
      if (!gone.contains(axis)) left.push_back(axis - std::distance(gone.begin(), gone.lower_bound(axis)));
    set_form(n, 0, n->value(), left);
    const Order wanted = wanted_order(n, left.size());
    if (left == wanted) return;
    const std::string name = n->name;
    const Value made = want(n->value(), wanted);
    n->name = name + "/without_axes";
    made.node->name = name;
    set_form(n, 0, made, wanted);
  }

  Graph& g_;
  transforms::Rewriter rw_;
  bool quirks_;
  std::map<std::pair<const Node*, int>, std::vector<Form>> forms_;
  std::set<const Node*> marked_;
  std::set<const Node*> transposes_;                                   ///< that were made
  std::map<std::string, std::vector<std::pair<int64_t, Node*>>> own_;  ///< of single readers, by name: their numbers
};

}  // namespace

void channels_first(importers::Session& s) {
  if (s.options.framework.disable_nhwc_to_nchw) return keep_layout(s);
  Layout(s.graph, s.options.quirks).run();
  s.graph.remove_unreachable();
}

}  // namespace blobsmith::model_optimizer
