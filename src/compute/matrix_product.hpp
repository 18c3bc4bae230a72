// Products of matrices in FP32.
#pragma once
#include <cstdint>

#include "compute/simd.hpp"
#include "compute/thread_pool.hpp"

namespace blobsmith::compute {

/// c = a*b for row-major matrices; b has kSlack floats behind it and less than 2^31 elements.
void matrix_product(ThreadPool& pool, const float* a, const float* b, float* c, int64_t rows, int64_t inner,
                    int64_t columns);

}  // namespace blobsmith::compute
