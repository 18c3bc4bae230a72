// Any bytes as an array (.npy) and as an archive of arrays (.npz).
#include "files/npz.hpp"
#include "fuzz/survive.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  const Bytes bytes = Bytes::copy_of(std::span(data, size));
  fuzz::survive([&] { read_npy(bytes); });
  fuzz::survive([&] { read_npz(bytes); });
  return 0;
}
