// The values that a blob gives to the tensors of its network, taken from memory while it runs.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "blobsmith/emulator.hpp"
#include "vpu/blob/trace.hpp"

namespace blobsmith::comparison {

/// One tensor, put together from parts, turns of loops and batch items.
struct FoundTensor {
  std::string name;
  FloatTensor tensor;
  int stage = -1;
};

/// Collects tensors as soon as they are complete. To be told of every stage that ran.
class BlobTensors {
 public:
  BlobTensors(const Emulator& emulator, std::vector<vpu::TracedTensor> tensors)
      : emulator_(emulator), wanted_(std::move(tensors)) {}

  void see(const StageEvent& e);
  /// All of them, in the order of stages. Those of which parts are missing are left out.
  std::vector<FoundTensor> finish();

 private:
  void take(int stage);

  struct Piece {
    vpu::TensorPart part;
    FloatTensor values;
  };
  static bool join(std::vector<Piece>& pieces, FloatTensor& whole);

  const Emulator& emulator_;
  std::vector<vpu::TracedTensor> wanted_;  ///< in order of stage
  size_t next_ = 0;
  int last_stage_ = -1;
  std::vector<std::string> order_;
  std::map<std::string, std::vector<Piece>> pieces_;  ///< in order of time
  std::map<std::string, int> stages_;
};

}  // namespace blobsmith::comparison
