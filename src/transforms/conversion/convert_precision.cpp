// The VPU has 32-bit integers only: i64, u64, u32 and boolean become i32 (front-end spec §5.5).
// quirk: so a Convert of real numbers to booleans cuts off their fractions.
#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "core/release.hpp"
#include "graph/numbering.hpp"
#include "graph/tensor_names.hpp"
#include "transforms/conversion/passes.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms {
namespace {

constexpr std::array<std::string_view, 12> kBooleanOperations{
    "Equal",     "NotEqual",   "Greater",    "GreaterEqual",     "Less",           "LessEqual", "LogicalAnd",
    "LogicalOr", "LogicalXor", "LogicalNot", "ReduceLogicalAnd", "ReduceLogicalOr"};
bool is_boolean_operation(const Node& n) {
  return std::ranges::find(kBooleanOperations, n.type) != kBooleanOperations.end();
}

bool becomes_i32(ElementType t) {
  return t == ElementType::i64 || t == ElementType::u64 || t == ElementType::u32 || t == ElementType::boolean;
}

template <class T>
std::vector<int32_t> clamped(const Tensor& t) {
  std::vector<int32_t> r;
  r.reserve(t.bytes.size() / sizeof(T));
  constexpr auto kLow = std::numeric_limits<int32_t>::min(), kHigh = std::numeric_limits<int32_t>::max();
  for (T v : t.as<T>())
    r.push_back(std::cmp_less(v, kLow) ? kLow : std::cmp_greater(v, kHigh) ? kHigh : static_cast<int32_t>(v));
  return r;
}

Tensor to_i32(const Tensor& t) {
  const auto aligned = Tensor{t.type, t.shape, t.bytes.aligned(8)};
  switch (t.type) {
    case ElementType::i64: return Tensor::of(ElementType::i32, t.shape, clamped<int64_t>(aligned));
    case ElementType::u64: return Tensor::of(ElementType::i32, t.shape, clamped<uint64_t>(aligned));
    case ElementType::u32: return Tensor::of(ElementType::i32, t.shape, clamped<uint32_t>(aligned));
    case ElementType::boolean: return Tensor::of(ElementType::i32, t.shape, clamped<uint8_t>(aligned));
    default: throw internal_error("convert_precision of a constant that stays as it is");
  }
}

// Attributes that state the type of an output.
void convert_type_attributes(Attributes& attrs) {
  for (const char* name : {"destination_type", "output_type", "index_element_type", "element_type",
                           "classes_index_type", "sequence_length_type"}) {
    const auto type = parse_element_type(attrs.text(name, ""));
    if (type && becomes_i32(*type)) attrs.set(name, "i32");
  }
}

bool converts(const Node& n, bool (*from)(ElementType)) {
  bool changed = false;
  for (int i = 0; i < n.output_count(); ++i) changed |= from(n.element_type(i));
  return changed;
}

void convert_outputs(Graph& graph, Node* n, bool (*from)(ElementType)) {
  if (n->is_constant()) {
    n->constant = to_i32(n->constant);
    n->output().tensor_names.clear();  // quirk: the constant is another one, which nobody told the names
  }
  std::vector<std::pair<ElementType, Shape>> outputs;
  for (int i = 0; i < n->output_count(); ++i)
    outputs.emplace_back(from(n->element_type(i)) ? ElementType::i32 : n->element_type(i), n->shape(i));
  graph.set_outputs(n, std::move(outputs));
}

bool is_boolean(ElementType t) { return t == ElementType::boolean; }
bool is_wide_integer(ElementType t) { return t == ElementType::i64 || t == ElementType::u64 || t == ElementType::u32; }

// quirk: a conversion that changes nothing any more vanishes, except behind a node of several outputs.
void remove_useless_converts(Graph& graph) {
  Rewriter rw(graph);
  bool changed = false;
  for (Node* n : graph.ordered())
    if (n->is("Convert") && n->input(0).type() == n->element_type() && n->input(0).node->output_count() == 1)
      changed |= rw.eliminate(n->value(), n->input(0));
  if (changed) graph.remove_unreachable();
}

// quirk: the reference puts another node in its place.
void renew(Graph& graph, Node* n) {
  numbering::renumber(graph, n);
  if (graph.release->tensor_names_follow) renew_tensor_names(n->output());
}

// One round: choices first, whose condition or values change, then whatever makes such values.
bool convert(Graph& graph, const std::vector<Node*>& order, bool (*from)(ElementType),
             std::set<const Node*>& renumbered) {
  for (Node* n : order)
    if (n->is("Select") && std::ranges::any_of(n->inputs(), [&](const Value& v) { return from(v.type()); }) &&
        renumbered.insert(n).second)
      renew(graph, n);
  bool changed = false;
  for (Node* n : order) {
    if (!converts(*n, from)) continue;
    convert_outputs(graph, n, from);
    changed = true;
    if (n->is_constant())
      numbering::skip(graph, 1);
    else if (is_boolean_operation(*n))
      renew(graph, n);
  }
  if (changed) numbering::validated(graph);
  return changed;
}

}  // namespace

bool convert_precision(Graph& graph) {
  const std::vector<Node*> order = graph.ordered();
  for (Node* n : order) {
    if (n->body) in_body(graph, *n, convert_precision);
    convert_type_attributes(n->attrs);
  }
  std::set<const Node*> renumbered;
  convert(graph, order, is_wide_integer, renumbered);
  convert(graph, order, is_boolean, renumbered);
  remove_useless_converts(graph);
  return false;  // quirk: the rounds above have counted what it takes to infer shapes again
}

}  // namespace blobsmith::transforms
