#include <map>

#include "emulator/kernels/kernels.hpp"

namespace blobsmith::emulator {

Kernel find_kernel(StageType type) {
  static const std::map<StageType, Kernel> kernels = [] {
    std::map<StageType, Kernel> r;
    for (auto file : {data_movement_kernels(), detection_kernels(), elementwise_kernels(), eltwise_kernels(),
                      hardware_kernels(), indexing_kernels(), matrix_kernels(), normalization_kernels(),
                      pooling_kernels(), proposals_kernels(), recurrent_kernels(), reduction_kernels(),
                      resize_kernels(), roi_kernels(), software_convolution_kernels(), yolo_ctc_kernels()})
      for (const KernelRow& row : file) r.emplace(row.type, row.kernel);
    return r;
  }();
  const auto it = kernels.find(type);
  return it == kernels.end() ? nullptr : it->second;
}

}  // namespace blobsmith::emulator
