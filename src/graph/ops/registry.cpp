// The table of all operations, and what is common to all of them: defaults, limits, messages.
#include <algorithm>
#include <array>
#include <map>

#include "core/text.hpp"
#include "graph/ops/attribute_text.hpp"
#include "graph/ops/known_value.hpp"
#include "graph/ops/op.hpp"

namespace blobsmith {
namespace ops {
namespace {

// Limits that no real network meets; they keep all shape arithmetic inside int64.
constexpr int64_t kLargestDimension = (int64_t{1} << 31) - 1;
constexpr int64_t kLargestInteger = int64_t{1} << 32;
constexpr int64_t kLargestFoldedBytes = int64_t{1} << 30;

constexpr std::array kFamilies{source_ops,        convolution_ops, pooling_ops,   binary_ops,      activation_ops,
                               normalization_ops, matmul_ops,      reduction_ops, reshape_ops,     slice_ops,
                               broadcast_ops,     rearrange_ops,   gather_ops,    scatter_ops,     sorting_ops,
                               resize_ops,        roi_ops,         prior_box_ops, detection_ops,   recurrent_ops,
                               control_flow_ops,  sequence_ops,    legacy_ops,    legacy_layer_ops};

using Index = std::multimap<std::string, const OpRow*, std::less<>>;

// All rows by lower-case type name.
const Index& index() {
  static const Index table = [] {
    Index t;
    for (const auto& family : kFamilies)
      for (const OpRow& op : family()) t.emplace(lower_case(op.type), &op);
    return t;
  }();
  return table;
}

void check_integers(std::string_view name, const Attributes::Value& value) {
  const auto check = [&](int64_t v) {
    if (v > kLargestInteger || v < -kLargestInteger)
      throw Error(ErrorCode::BadAttribute,
                  "attribute '" + std::string(name) + "' is out of range: " + std::to_string(v));
  };
  if (const auto* v = std::get_if<int64_t>(&value)) check(*v);
  if (const auto* v = std::get_if<std::vector<int64_t>>(&value)) std::ranges::for_each(*v, check);
}

void complete_attributes(const OpRow& op, Inference& in) {
  for (const AttributeSpec& spec : op.attributes) {
    if (const auto* value = in.attrs().find(spec.name)) {
      check_integers(spec.name, *value);
      continue;
    }
    if (spec.fallback == kOptional) continue;
    if (spec.fallback == kMandatory)
      throw Error(ErrorCode::BadAttribute, "missing mandatory attribute '" + std::string(spec.name) + "'");
    std::visit([&](auto v) { in.attrs().set(spec.name, std::move(v)); }, *parse_attribute(spec, spec.fallback));
  }
}

void check_inputs(const OpRow& op, const Inference& in) {
  const int count = in.input_count();
  if (count < op.min_inputs || (op.max_inputs != kAnyNumber && count > op.max_inputs))
    in.fail("it has " + std::to_string(count) + " inputs, " + std::to_string(op.min_inputs) +
            (op.max_inputs == op.min_inputs ? "" : " or more") + " expected");
  for (int i = 0; i < count; ++i)
    if (!in.connected(i)) in.fail("input " + std::to_string(i) + " is not connected");
}

void check_outputs(const Inference& in, const std::vector<std::pair<ElementType, Shape>>& outputs) {
  for (const auto& [type, shape] : outputs) {
    int64_t bits = bit_width(type);
    for (int64_t d : shape) {
      if (d < kDynamic) in.fail("its output has the impossible shape " + to_string(shape));
      if (d > kLargestDimension || (d > 0 && __builtin_mul_overflow(bits, d, &bits)))
        in.fail("its output is too large: " + to_string(shape));
    }
  }
}

void infer_node(Graph& g, Node& n) {
  const OpRow* op = find_op(n.type, n.version);
  if (!op) throw Error(ErrorCode::UnknownOperation, "unknown operation \"" + n.type + "\" of layer \"" + n.name + "\"");
  Inference in(g, n);
  check_inputs(*op, in);
  complete_attributes(*op, in);
  op->infer(in);
  auto outputs = in.take_outputs();
  check_outputs(in, outputs);
  g.set_outputs(&n, std::move(outputs));
}

bool small_enough(const Node& n) {
  int64_t bytes = 0;
  for (int i = 0; i < n.output_count(); ++i) {
    if (!is_static(n.shape(i))) return false;
    bytes += element_count(n.shape(i)) * static_cast<int64_t>(byte_width(n.element_type(i)));
    if (bytes > kLargestFoldedBytes) return false;
  }
  return true;
}

}  // namespace

const OpRow* find_op(std::string_view type, int version) {
  const auto [first, last] = index().equal_range(lower_case(type));
  if (first == last || first->second->type != type) return nullptr;
  if (std::next(first) == last) return first->second;
  for (auto it = first; it != last; ++it)
    if (it->second->version == version) return it->second;
  return nullptr;
}

const OpRow* find_in_opset(std::string_view type, int opset) {
  const auto [first, last] = index().equal_range(lower_case(type));
  for (auto it = first; it != last; ++it)
    if (it->second->opsets.first <= opset && opset <= it->second->opsets.last) return it->second;
  return nullptr;
}

std::vector<const OpRow*> all_ops() {
  std::vector<const OpRow*> list;
  for (const auto& family : kFamilies)
    for (const OpRow& op : family()) list.push_back(&op);
  return list;
}

std::string describe(const Node& n) {
  std::string s = "v" + std::to_string(n.version) + "::" + n.type + " " + n.name + " (";
  for (int i = 0; i < n.input_count(); ++i) {
    const Value v = n.input(i);
    if (i) s += ", ";
    s +=
        v ? v.node->name + "[" + std::to_string(v.port) + "]:" + std::string(to_string(v.type())) + to_string(v.shape())
          : "(none)";
  }
  s += ") -> (";
  for (int i = 0; i < n.output_count(); ++i)
    s += (i ? ", " : "") + std::string(to_string(n.element_type(i))) + to_string(n.shape(i));
  return s + ")";
}

void Inference::fail(std::string_view what) const {
  throw Error(ErrorCode::ShapeMismatch, "While validating node '" + describe(node_) + "' with friendly_name '" +
                                            node_.name + "':\n" + std::string(what));
}

void Inference::fail_type(std::string_view what) const {
  throw Error(ErrorCode::TypeMismatch, "While validating node '" + describe(node_) + "' with friendly_name '" +
                                           node_.name + "':\n" + std::string(what));
}

ElementType Inference::type_attribute(std::string_view name) const {
  const auto type = parse_element_type(attrs().text(name));
  if (!type) fail_type("attribute '" + std::string(name) + "' is not an element type: " + attrs().text(name));
  return *type;
}

ElementType Inference::replaceable_type(ElementType fallback) const {
  return node_.output_count() > 0 && node_.element_type() == ElementType::i32 ? ElementType::i32 : fallback;
}

std::optional<Tensor> Inference::tensor(int i) const { return known_value(node_.input(i)); }

std::optional<std::vector<int64_t>> Inference::values(int i) const {
  const auto known = tensor(i);
  if (!known) return std::nullopt;
  return known->to_i64();
}

std::optional<int64_t> Inference::value(int i) const {
  const auto list = values(i);
  if (!list || list->size() != 1) return std::nullopt;
  return list->front();
}

std::vector<int64_t> Inference::constant_values(int i, std::string_view what) const {
  auto list = values(i);
  if (!list) fail("its " + std::string(what) + " (input " + std::to_string(i) + ") is not a constant");
  return *std::move(list);
}

int64_t Inference::axis(int64_t axis, int64_t rank) const {
  if (axis < -rank || axis >= rank)
    fail("axis " + std::to_string(axis) + " is out of range for rank " + std::to_string(rank));
  return axis < 0 ? axis + rank : axis;
}

std::vector<int64_t> Inference::axes(const std::vector<int64_t>& list, int64_t rank) const {
  std::vector<int64_t> r;
  for (int64_t a : list) r.push_back(axis(a, rank));
  return r;
}

}  // namespace ops

void infer(Graph& g, Node* n) {
  try {
    ops::infer_node(g, *n);
  } catch (Error& e) {
    if (!e.has_address()) e.at_layer(n->name, n->type);
    if (e.source().empty()) e.from(n->source);
    throw;
  }
}

void infer_all(Graph& g) {
  for (Node* n : g.ordered()) infer(g, n);
}

std::vector<Tensor> evaluate(const Node& n, std::span<const Tensor* const> inputs) {
  const ops::OpRow* op = ops::find_op(n.type, n.version);
  if (!op || !op->evaluate || static_cast<int>(inputs.size()) < op->min_inputs || !ops::small_enough(n)) return {};
  return op->evaluate(n, inputs);
}

bool is_known_operation(std::string_view type, int version) { return ops::find_op(type, version) != nullptr; }

}  // namespace blobsmith
