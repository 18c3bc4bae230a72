// The VPU has 32-bit integers only: i64, u64, u32 and boolean become i32 (front-end spec §5.5).
#include <algorithm>
#include <limits>

#include "transforms/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

bool becomes_i32(ElementType t) { return t == ElementType::i64 || t == ElementType::u64 || t == ElementType::u32 || t == ElementType::boolean; }

template <class T>
std::vector<int32_t> clamped(const Tensor& t) {
  std::vector<int32_t> r;
  r.reserve(t.bytes.size() / sizeof(T));
  constexpr auto kLow = std::numeric_limits<int32_t>::min(), kHigh = std::numeric_limits<int32_t>::max();
  for (T v : t.as<T>()) r.push_back(std::cmp_less(v, kLow) ? kLow : std::cmp_greater(v, kHigh) ? kHigh : static_cast<int32_t>(v));
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
  for (const char* name : {"destination_type", "output_type", "index_element_type", "element_type", "classes_index_type", "sequence_length_type"}) {
    const auto type = parse_element_type(attrs.text(name, ""));
    if (type && becomes_i32(*type)) attrs.set(name, "i32");
  }
}

}  // namespace

bool convert_precision(Graph& graph) {
  bool changed = false;
  int64_t converted = 0;
  for (Node* n : graph.ordered()) {
    if (n->body) changed |= in_body(graph, *n, convert_precision);
    convert_type_attributes(n->attrs);
    if (n->is_constant() && becomes_i32(n->constant.type)) {
      n->constant = to_i32(n->constant);
      ++converted;
    }
    std::vector<std::pair<ElementType, Shape>> outputs;
    bool differs = false;
    for (int i = 0; i < n->output_count(); ++i) {
      const bool converts = becomes_i32(n->element_type(i));
      outputs.emplace_back(converts ? ElementType::i32 : n->element_type(i), n->shape(i));
      differs |= converts;
    }
    if (differs) graph.set_outputs(n, std::move(outputs));
    changed |= differs;
  }
  if (converted) graph.next_id += 2 * converted + 1;  // the reference replaces the nodes
  return changed;
}

}  // namespace blobsmith::transforms
