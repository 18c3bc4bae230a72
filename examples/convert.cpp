// A model to a blob from C++, with progress and every problem of a model that can't be converted.
//   example_convert model.onnx model.blob
#include <blobsmith/check.hpp>
#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s model.onnx model.blob\n", argv[0]);
    return 2;
  }
  try {
    blobsmith::ConvertOptions options;
    options.camera.shaves = 6;
    options.control.on_progress = [](const blobsmith::Progress& p) {
      std::fprintf(stderr, "\r%3d %%", static_cast<int>(100 * p.fraction));
    };
    const blobsmith::CompileResult result = blobsmith::convert(argv[1], options);
    result.blob.save(argv[2]);
    for (const blobsmith::Remark& remark : result.remarks) std::printf("%s\n", remark.text().c_str());
    std::printf("%d layers became %d stages, %zu bytes\n", result.layers, result.stages, result.blob.size());
    return 0;
  } catch (const blobsmith::ErrorList&) {  // layers that can't be converted: check() tells all of them
    for (const blobsmith::CheckProblem& p : blobsmith::check(argv[1]).problems)
      std::fprintf(stderr, "%s\n  %s\n", p.error.what(), p.error.hint().c_str());
  } catch (const blobsmith::Error& e) {
    std::fprintf(stderr, "%s: %s\n", blobsmith::error_name(e.code()).c_str(), e.what());
  }
  return 1;
}
