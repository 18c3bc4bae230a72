// Where a blob holds the tensors of the network: which ones exist as a whole, where they lie, and when.
#pragma once
#include <string>
#include <vector>

#include "vpu/blob/blob.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// A tensor that is complete in memory after a stage, and stays so until its readers have run.
struct TracedTensor {
  std::string name;   ///< of the layer whose output it is (of several outputs: "layer.1")
  int stage = 0;      ///< in the blob, the last one that writes to it
  BlobBuffer record;  ///< the record that a stage reading all of it would have
};

/// All tensors of static shape that some stage computes, in order of `stage`. The program must be ready to be written.
std::vector<TracedTensor> trace_tensors(Program& program);

}  // namespace blobsmith::vpu
