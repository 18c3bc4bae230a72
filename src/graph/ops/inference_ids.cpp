#include "graph/ops/inference_ids.hpp"

#include <algorithm>
#include <array>

#include "graph/ops/known_value.hpp"

namespace blobsmith::quirks {
namespace {

// quirk: the bounds of a shape input are held in two constants; some operations are decomposed to infer their shape.
struct Row {
  std::string_view type;
  int64_t ids;
};
constexpr std::array kBounded{Row{"Reshape", 2}, Row{"Broadcast", 2}, Row{"Tile", 2}, Row{"TopK", 2}};
constexpr std::array kDecomposed{Row{"NormalizeL2", 6}, Row{"HardSigmoid", 6}, Row{"Selu", 8}, Row{"GRN", 12}};
constexpr int64_t kGelu0 = 23;

template <class Rows>
int64_t ids_in(const Rows& rows, const Node& n) {
  const auto it = std::ranges::find(rows, n.type, &Row::type);
  return it == rows.end() ? 0 : it->ids;
}

// quirk: these make one constant of each input that is known without being a constant.
std::vector<int> inputs_as_constants(const Node& n) {
  if (n.is("Range")) return {0, 1, 2};
  if (n.is("StridedSlice") && n.input_count() > 2)
    return n.input_count() > 3 ? std::vector<int>{1, 2, 3} : std::vector<int>{1, 2};
  if (n.type.starts_with("Reduce") && n.input_count() > 1) return {1};
  return {};
}

bool is_known(const Node& n, int input) { return known_value(n.input(input)).has_value(); }

}  // namespace

std::vector<int> bounded_inputs(const Node& n) {
  if (ids_in(kBounded, n) > 0 && n.input_count() > 1) return {1};
  std::vector<int> inputs = inputs_as_constants(n);
  std::erase_if(inputs, [&](int i) { return n.input(i).node->is_constant(); });
  return inputs;
}

int64_t ids_of_inference(const Node& n) {
  if (n.is("Gelu")) return n.version == 0 ? kGelu0 : 0;
  if (const int64_t ids = ids_in(kDecomposed, n)) return ids;
  const std::vector<int> inputs = bounded_inputs(n);
  const auto known = std::ranges::count_if(inputs, [&](int i) { return is_known(n, i); });
  return known * std::max<int64_t>(ids_in(kBounded, n), 1);
}

}  // namespace blobsmith::quirks
