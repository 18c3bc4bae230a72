// The decoded contents of a .blob file: header, inputs and outputs, stages with parameters and buffers (blob-format
// spec).
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "vpu/format/container.hpp"
#include "vpu/format/data_desc.hpp"
#include "vpu/format/location.hpp"
#include "vpu/format/params.hpp"
#include "vpu/format/stage_type.hpp"

namespace blobsmith::vpu {

/// The 20 words after the ELF-like header (blob-format spec §1.2), in file order.
struct BlobHeader {
  uint32_t magic = 0, file_size = 0, version_major = 0, version_minor = 0, input_count = 0, output_count = 0,
           stage_count = 0;
  uint32_t inputs_size = 0, outputs_size = 0, batch_size = 1, bss_size = 0, slices = 0, shaves = 0;
  uint32_t has_hw_stage = 0, has_shave_stage = 0, has_dma_stage = 0;
  uint32_t input_info_offset = 0, output_info_offset = 0, stage_section_offset = 0, const_section_offset = 0;

  /// OpenVINO 2020.1 to 2020.3: sizes and strides stand in the records themselves; the rest is as later.
  bool has_inline_shapes() const { return version_major == 5 && version_minor == 0; }
};

/// Refers to an input or output of the network: its number, and the bytes of one batch item of it.
struct IoReference {
  uint32_t index = 0, bytes = 0;
};

/// Type, order and shape of a tensor (§3). Sizes and strides (bytes) have the innermost dimension first.
struct BlobTensorDesc {
  DataType type = DataType::FP16;
  DimsOrder order;
  Location dims_location = Location::Blob, strides_location = Location::Blob;
  uint32_t dims_offset = 0, strides_offset = 0;
  std::vector<int64_t> dims;  ///< empty when they lie in memory (dynamic shape)
  std::vector<int64_t> strides;

  int rank() const { return order.rank(); }
  bool is_dynamic() const { return dims_location != Location::Blob; }
};

/// What a stage writes for each of its tensors (§3).
struct BlobBuffer {
  BlobTensorDesc desc;
  Location location = Location::None;
  IoReference io;       ///< when the location is Input or Output
  IoReference dims_io;  ///< when the sizes lie in an input or output
  uint32_t offset = 0;  ///< in bytes, within the location
  std::string role;     ///< "in0", "out0", "temp0", ...
  size_t file_offset = 0, file_size = 0;

  bool is_fake() const { return location == Location::None; }
};

struct BlobIo {
  uint32_t index = 0;
  int32_t buffer_offset = 0;  ///< of this tensor in the whole input (output) buffer
  std::string name;
  BlobTensorDesc desc;
  size_t file_offset = 0, file_size = 0;

  int64_t item_bytes() const;  ///< of one batch item
};

struct BlobStage {
  StageType type = StageType::None;
  uint32_t shaves = 0;
  std::shared_ptr<const StageParams> params;
  std::vector<BlobBuffer> buffers;
  std::shared_ptr<const BlobStage> injected;  ///< rides on this hardware stage
  size_t file_offset = 0, file_size = 0;      ///< of the whole record
  size_t params_offset = 0, params_size = 0;  ///< without the size word
};

/// What OpenVINO 2022.1 appends after file_size (§9).
struct BlobNetworkInfo {
  struct Node {
    std::string name;
    std::vector<uint64_t> shape;
    int32_t element_type = 0;
    std::vector<std::string> tensor_names;
    std::string legacy_name;  ///< of results
  };
  std::vector<Node> parameters, results;
  size_t file_offset = 0, file_size = 0;
};

struct Blob {
  Bytes file;
  BlobHeader header;
  std::vector<BlobIo> inputs, outputs;
  std::vector<BlobStage> stages;
  Bytes constants;  ///< the const section, up to header.file_size
  std::optional<BlobNetworkInfo> network_info;
  size_t inputs_end = 0, outputs_end = 0, stages_end = 0;  ///< where the records of each section end

  int64_t cmx_bytes() const { return int64_t{header.slices} * kCmxSliceBytes; }
};

/// Bytes from the first to one past the last element; nothing when it does not fit 63 bits.
std::optional<int64_t> tensor_extent(DataType type, const std::vector<int64_t>& dims,
                                     const std::vector<int64_t>& strides);

}  // namespace blobsmith::vpu
