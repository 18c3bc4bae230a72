// Runs a blob from C++: one allocation, many inferences, a look at every stage.
//   example_emulator model.blob
#include "blobsmith/emulator.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s model.blob\n", argv[0]);
    return 2;
  }
  std::ifstream in(argv[1], std::ios::binary);
  const std::vector<char> text((std::istreambuf_iterator<char>(in)), {});
  const std::vector<uint8_t> file(text.begin(), text.end());
  try {
    // Memory is allocated here, once. `threads` is how many of this processor's cores one inference may use.
    blobsmith::Emulator emulator(file, {.threads = 2});

    // The slowest stage: the hook is called after every stage.
    double slowest = -1;
    std::string slowest_name;
    emulator.on_stage([&](const blobsmith::StageEvent& stage) {
      if (stage.milliseconds <= slowest) return;
      slowest = stage.milliseconds;
      slowest_name = stage.label();
    });

    for (int frame = 0; frame < 3; ++frame) {
      // Values in the order of `shape` (NCHW for pictures), 0..255 where the input takes bytes.
      for (const blobsmith::TensorInfo& input : emulator.inputs()) {
        size_t count = 1;
        for (const int64_t size : input.shape) count *= static_cast<size_t>(size);
        emulator.set_input(input.name,
                           std::span<const float>(std::vector<float>(count, 50.0f * static_cast<float>(frame))));
      }
      emulator.run();
      for (const blobsmith::TensorInfo& info : emulator.outputs()) {
        const blobsmith::FloatTensor output = emulator.output(info.name);
        const auto largest = std::max_element(output.values.begin(), output.values.end());
        std::printf("frame %d: %s has %zu values, the largest is %g at %td\n", frame, output.name.c_str(),
                    output.values.size(), double{*largest}, largest - output.values.begin());
      }
    }
    std::printf("slowest stage: %s\n", slowest_name.c_str());
  } catch (
      const std::runtime_error& e) {  // blobsmith::Error is one: a file that is no blob, a stage that can't be emulated
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
