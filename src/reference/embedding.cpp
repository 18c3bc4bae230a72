// Sums of rows of a table (opset 3).
#include "graph/ops/shape_math.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

/// Adds rows of input 0 to the rows of the output.
class Bags {
 public:
  explicit Bags(const Call& c)
      : c_(c),
        table_(c.reals(0)),
        row_(ops::product(c.shape(0), 1, static_cast<int64_t>(c.shape(0).size()))),
        sums_(static_cast<size_t>(c.out_count())),
        filled_(static_cast<size_t>(c.out_shape()[0])) {}

  void add(int64_t bag, int64_t index, double weight = 1) {
    c_.require(index >= 0 && index < c_.dim(0, 0) && bag >= 0 && bag < c_.out_shape()[0], "an index out of range");
    filled_[static_cast<size_t>(bag)] = true;
    for (int64_t k = 0; k < row_; ++k)
      sums_[static_cast<size_t>(bag * row_ + k)] += table_[static_cast<size_t>(index * row_ + k)] * weight;
  }
  /// Bags without rows get the one that input `i` names, if there is such an input and it names one.
  void add_default(int i) {
    const int64_t index = c_.input_count() > i ? c_.integers(i).at(0) : -1;
    for (size_t bag = 0; index >= 0 && bag < filled_.size(); ++bag)
      if (!filled_[bag]) add(static_cast<int64_t>(bag), index);
  }
  Outputs take() { return {number_tensor(c_.input(0).type, c_.out_shape(), sums_)}; }

 private:
  const Call& c_;
  std::vector<double> table_;
  int64_t row_;
  std::vector<double> sums_;
  std::vector<bool> filled_;
};

/// Of input `i`, or nothing where it is absent.
std::vector<double> weights(const Call& c, int i, size_t count) {
  if (c.input_count() <= i) return std::vector<double>(count, 1.0);
  std::vector<double> w = c.reals(i);
  c.require(w.size() == count, "not one weight per index");
  return w;
}

/// Table, indices, where each bag begins, default index, weights.
Outputs run_offsets_sum(const Call& c) {
  const std::vector<int64_t> indices = c.integers(1), offsets = c.integers(2);
  const std::vector<double> w = weights(c, 4, indices.size());
  Bags bags(c);
  for (size_t bag = 0; bag < offsets.size(); ++bag) {
    const int64_t last = bag + 1 < offsets.size() ? offsets[bag + 1] : static_cast<int64_t>(indices.size());
    c.require(offsets[bag] >= 0 && last <= static_cast<int64_t>(indices.size()), "an offset out of range");
    for (int64_t i = offsets[bag]; i < last; ++i)
      bags.add(static_cast<int64_t>(bag), indices[static_cast<size_t>(i)], w[static_cast<size_t>(i)]);
  }
  bags.add_default(3);
  return bags.take();
}

/// Table, indices [bag][place], weights.
Outputs run_packed_sum(const Call& c) {
  const std::vector<int64_t> indices = c.integers(1);
  const std::vector<double> w = weights(c, 2, indices.size());
  Bags bags(c);
  for (size_t i = 0; i < indices.size(); ++i) bags.add(static_cast<int64_t>(i) / c.dim(1, 1), indices[i], w[i]);
  return bags.take();
}

/// Table, indices, the bag of each, number of bags, default index, weights.
Outputs run_segments_sum(const Call& c) {
  const std::vector<int64_t> indices = c.integers(1), segments = c.integers(2);
  c.require(indices.size() == segments.size(), "not one segment per index");
  const std::vector<double> w = weights(c, 5, indices.size());
  Bags bags(c);
  for (size_t i = 0; i < indices.size(); ++i) bags.add(segments[i], indices[i], w[i]);
  bags.add_default(4);
  return bags.take();
}

constexpr OperationRow kOperations[] = {
    {"EmbeddingBagOffsetsSum", kAnyVersion, run_offsets_sum},
    {"EmbeddingBagPackedSum", kAnyVersion, run_packed_sum},
    {"EmbeddingSegmentsSum", kAnyVersion, run_segments_sum},
};

}  // namespace

std::span<const OperationRow> embedding_operations() { return kOperations; }

}  // namespace blobsmith::reference
