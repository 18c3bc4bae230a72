// The FP32 form of a convolution's input, kept for the operations and stages behind that read the same: tiles of output
// channels follow each other.
#pragma once
#include <optional>

#include "emulator/shifted_planes.hpp"

namespace blobsmith::emulator {

class PlanesCache {
 public:
  static constexpr int64_t kLeastRoom = 1 << 14;
  int64_t room = kLeastRoom;  ///< floats; what needs more is done in parts

  const ShiftedPlanes& get(ThreadPool& pool, const Grid& image, int64_t channels, const Window& window,
                           int64_t out_height, int64_t out_width);
  /// To be called when a stage is done that wrote to the bytes [begin, end).
  void written(const uint8_t* begin, const uint8_t* end) {
    if (planes_ && begin < end_ && begin_ < end) planes_.reset();
  }
  void clear() { planes_.reset(); }

 private:
  struct Key {
    Grid image;
    int64_t channels = 0, out_height = 0, out_width = 0;
    Window window;
    bool operator==(const Key&) const = default;
  };
  std::optional<ShiftedPlanes> planes_;
  Key key_;
  const uint8_t *begin_ = nullptr, *end_ = nullptr;  ///< where the image lies
};

}  // namespace blobsmith::emulator
