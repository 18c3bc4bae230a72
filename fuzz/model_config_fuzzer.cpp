// model.yml as strangers send it.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "serve/zoo/model_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    blobsmith::serve::parse_model_config({reinterpret_cast<const char*>(data), size});
  } catch (const std::runtime_error&) {}
  return 0;
}
