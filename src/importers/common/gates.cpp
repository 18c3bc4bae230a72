#include "importers/common/gates.hpp"

namespace blobsmith::importers {

Tensor turned_gates(const Tensor& t, int64_t hidden, const std::vector<int64_t>& gates) {
  const std::vector<float> all = t.to_f32();
  const int64_t rows = t.shape.size() == 2 ? t.shape[0] : 1, columns = t.shape.back();
  std::vector<float> r;
  for (const int64_t gate : gates)
    for (int64_t h = 0; h < hidden; ++h)
      for (int64_t i = 0; i < rows; ++i) r.push_back(all[static_cast<size_t>(i * columns + gate * hidden + h)]);
  const int64_t count = std::ssize(gates) * hidden;
  return Tensor::of(ElementType::f32, t.shape.size() == 2 ? Shape{count, rows} : Shape{count}, std::move(r));
}

Tensor rows_of(const Tensor& matrix, int64_t first, int64_t count) {
  const std::vector<float> all = matrix.to_f32();
  const int64_t columns = matrix.shape[1];
  const auto from = all.begin() + first * columns;
  return Tensor::of(ElementType::f32, {count, columns}, std::vector<float>(from, from + count * columns));
}

}  // namespace blobsmith::importers
