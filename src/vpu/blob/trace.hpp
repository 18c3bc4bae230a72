// Where a blob holds the tensors of the network: which ones exist as a whole, where they lie, and when.
#pragma once
#include <string>
#include <vector>

#include "vpu/format/blob.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// Which part of a tensor a buffer holds, where the compiler cut it.
struct TensorPart {
  int index = 0, count = 1;
  int axis = 0;  ///< along which the parts follow each other, in framework order
};

/// A tensor, or a part of one, that is complete in memory after a stage, and stays so until its readers have run.
/// Inside a loop over the batch it is so once for every item.
struct TracedTensor {
  std::string name;   ///< of the layer whose output it is (of several outputs: "layer.1")
  int stage = 0;      ///< in the blob, the last one that writes to it
  BlobBuffer record;  ///< the record that a stage reading all of it would have
  TensorPart part;
};

/// All tensors of static shape that some stage computes, in order of `stage`; in parts where no whole one exists. The
/// program must be ready to be written.
std::vector<TracedTensor> trace_tensors(Program& program);

}  // namespace blobsmith::vpu
