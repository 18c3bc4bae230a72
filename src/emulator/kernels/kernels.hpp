// Stage types and what runs them: the rows of each file of this folder. Missing: Custom (115) and MTCNN (69), whose
// work is machine code or whole blobs inside the blob.
#pragma once
#include <span>

#include "emulator/stage_run.hpp"

namespace blobsmith::emulator {

using vpu::StageType;

struct KernelRow {
  StageType type;
  Kernel kernel;
};

std::span<const KernelRow> data_movement_kernels();
std::span<const KernelRow> detection_kernels();
std::span<const KernelRow> elementwise_kernels();
std::span<const KernelRow> eltwise_kernels();
std::span<const KernelRow> hardware_kernels();
std::span<const KernelRow> indexing_kernels();
std::span<const KernelRow> matrix_kernels();
std::span<const KernelRow> normalization_kernels();
std::span<const KernelRow> pooling_kernels();
std::span<const KernelRow> proposals_kernels();
std::span<const KernelRow> recurrent_kernels();
std::span<const KernelRow> reduction_kernels();
std::span<const KernelRow> resize_kernels();
std::span<const KernelRow> roi_kernels();
std::span<const KernelRow> software_convolution_kernels();
std::span<const KernelRow> yolo_ctc_kernels();

}  // namespace blobsmith::emulator
