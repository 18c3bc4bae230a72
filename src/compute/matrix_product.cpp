#include "compute/matrix_product.hpp"

#include <algorithm>
#include <vector>

namespace blobsmith::compute {

void matrix_product(ThreadPool& pool, const float* a, const float* b, float* c, int64_t rows, int64_t inner,
                    int64_t columns) {
  std::vector<int32_t> offsets(static_cast<size_t>(inner));
  for (int64_t k = 0; k < inner; ++k) offsets[static_cast<size_t>(k)] = static_cast<int32_t>(k * columns);
  pool.run((rows + kGroup - 1) / kGroup,
           [&](int64_t group) {
             const int64_t first = group * kGroup, count = std::min(kGroup, rows - first),
                           pitch = (columns + kSlack + 7) / 8 * 8;
             std::vector<float> packed(static_cast<size_t>(inner * kGroup)),
                 sums(static_cast<size_t>(pitch * kGroup + kSlack));
             for (int64_t m = 0; m < count; ++m)
               for (int64_t k = 0; k < inner; ++k)
                 packed[static_cast<size_t>(k * kGroup + m)] = a[(first + m) * inner + k];
             accumulate(packed.data(), b, offsets.data(), inner, sums.data(), pitch, columns);
             for (int64_t m = 0; m < count; ++m)
               std::copy_n(sums.data() + m * pitch, columns, c + (first + m) * columns);
           },
           rows * inner * columns);
}

}  // namespace blobsmith::compute
