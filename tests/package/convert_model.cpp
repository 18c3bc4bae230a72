// Every public header, and the way from a model to a result: convert_model model.onnx out.blob
#include <blobsmith/check.hpp>
#include <blobsmith/compare.hpp>
#include <blobsmith/compile.hpp>
#include <blobsmith/convert.hpp>
#include <blobsmith/emulator.hpp>
#include <blobsmith/error.hpp>
#include <blobsmith/estimate.hpp>
#include <blobsmith/files.hpp>
#include <blobsmith/inputs.hpp>
#include <blobsmith/inspect.hpp>
#include <blobsmith/layers.hpp>
#include <blobsmith/model.hpp>
#include <blobsmith/model_file.hpp>
#include <blobsmith/progress.hpp>
#include <blobsmith/remark.hpp>
#include <blobsmith/run.hpp>
#include <blobsmith/tensor.hpp>
#include <blobsmith/version.hpp>
#include <cstdio>
#include <string>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    const blobsmith::CompileResult result = blobsmith::convert(argv[1]);
    result.blob.save(argv[2]);
    const blobsmith::RunResult run = blobsmith::run_blob(argv[2], {.inputs = {.random = true}});
    std::printf("blobsmith %s: %d stages, %zu outputs, %zu stages in the blob\n",
                std::string(blobsmith::version()).c_str(), result.stages, run.outputs.size(),
                blobsmith::inspect(argv[2]).stages.size());
    return 0;
  } catch (const blobsmith::Error& e) {
    std::printf("%s: %s\n", blobsmith::error_name(e.code()).c_str(), e.what());
  } catch (const blobsmith::ErrorList& list) {
    std::printf("%zu problems: %s\n", list.errors().size(), list.what());
  }
  return 1;
}
