#include "transforms/quirks.hpp"

#include <algorithm>
#include <array>

namespace blobsmith::transforms::quirks {
namespace {

struct Row {
  std::string_view type;
  int64_t ids;
  int bounded_input = -1;  ///< made only where this input's value is known
};
// quirk: bounds of a shape input are held in two constants each; some operations are decomposed to infer their shape.
constexpr std::array kRows{Row{"Reshape", 2, 1},  Row{"Broadcast", 2, 1},  Row{"Tile", 2, 1}, Row{"TopK", 2, 1},
                           Row{"NormalizeL2", 6}, Row{"HardSigmoid", 6}, Row{"Selu", 8}, Row{"GRN", 12}};
constexpr int64_t kGelu0 = 23;

const Row* row_of(const Node& n) {
  const auto it = std::ranges::find(kRows, n.type, &Row::type);
  return it == kRows.end() ? nullptr : &*it;
}

}  // namespace

int64_t ids_of_inference(const Node& n) {
  if (n.is("Gelu")) return n.version == 0 ? kGelu0 : 0;
  const Row* row = row_of(n);
  return row ? row->ids : 0;
}

int64_t ids_of_validation(const Graph& graph) {
  int64_t count = 0;
  for (const Node* n : graph.ordered()) {
    count += ids_of_inference(*n);
    if (n->body) count += ids_of_validation(*n->body);
  }
  return count;
}

int bounded_input(const Node& n) {
  const Row* row = row_of(n);
  return row && row->bounded_input < n.input_count() ? row->bounded_input : -1;
}

// quirk: a constant that only changes its shape takes no new number.
int64_t ids_of_folding(const Node& n) {
  if (n.is("Reshape") || n.is("Squeeze") || n.is("Unsqueeze")) return 0;
  return n.output_count();
}

}  // namespace blobsmith::transforms::quirks
