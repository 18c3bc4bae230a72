// Any bytes as a picture, for an input of three channels and for one of a single one.
#include "files/image_input.hpp"
#include "fuzz/survive.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  const Bytes bytes = Bytes::copy_of(std::span(data, size));
  fuzz::survive([&] { image_planes(bytes, 3, 5, 7); });
  fuzz::survive([&] { image_planes(bytes, 1, 9, 4, {.letterbox = true}); });
  return 0;
}
