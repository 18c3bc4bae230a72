// blobsmith: picks the verb and turns errors into text and exit codes.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <new>
#include <string>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "blobsmith/version.hpp"
#include "cli/cli.hpp"
#include "cli/progress.hpp"
#include "reports/nearest.hpp"

namespace {

using namespace blobsmith;
using namespace blobsmith::cli;

struct VerbRow {
  const char* name;
  int (*run)(const Arguments&);
  const char* summary;  ///< null: not for people
};
constexpr VerbRow kVerbs[] = {
    {"convert", convert_command, "a model of any framework to a blob, with the defaults of OAK cameras"},
    {"mo", mo_command, "a model of a framework to an OpenVINO IR: Intel's Model Optimizer, its options and defaults"},
    {"check", check_command, "every problem of a model at once, layer by layer"},
    {"compile", compile_command,
     "an OpenVINO IR or ONNX model to a blob: Intel's compile_tool, its options and defaults"},
    {"layers", layers_command, "which operations can be converted"},
    {"explain", explain_command, "what an error code means"},
    {"inspect", inspect_command, "what is in a blob: header, inputs, outputs, stages, every byte"},
    {"run", run_command, "runs a blob, or a model, on this machine's processor"},
    {"compare", compare_command, "a blob against its model, layer by layer"},
    {"estimate", estimate_command, "speed of a model or blob on the device, for every number of SHAVEs"},
    {"fps", fps_command, "measured speeds of common networks"},
    {"serve", serve_command, "the conversion service: a page, the API of blobconverter, and one of its own"},
    {"worker", worker_command, "takes jobs of services that share a database"},
    {"zoo", zoo_command, "lists, fetches and converts models of a zoo (model.yml)"},
    {"job", job_command, nullptr},
};

void print_usage(std::FILE* to) {
  std::fprintf(to,
               "Usage: blobsmith VERB ...\n\nExamples:\n  blobsmith convert model.onnx -o model.blob\n  blobsmith run "
               "model.blob --input images=photo.png --output-dir out\n\nVerbs:\n");
  for (const VerbRow& v : kVerbs)
    if (v.summary) std::fprintf(to, "  %-8s %s\n", v.name, v.summary);
  std::fprintf(to,
               "\nblobsmith VERB --help shows a verb's options. Exit codes: 0 done, 1 the model can't be converted, 2 "
               "usage, 3 a file, 4 wrong result, 70 a bug.\n");
}

int run_caught(const VerbRow& verb, const Arguments& args) {
  try {
    return verb.run(args);
  } catch (const ErrorList& e) {
    return report(e);
  } catch (const Error& e) {
    return report(e);
  } catch (const std::bad_alloc&) {
    return report(Error(ErrorCode::NotEnoughResources, "out of memory"));
  } catch (const std::exception& e) {
    return report(Error(ErrorCode::Internal, std::string("internal error: ") + e.what()));
  }
}

/// Weights and planes take and give back the same large buffers over and over: the system is not to map them anew each
/// time.
void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 1 << 25);  // the most there may be
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 1 << 20);
#endif
}

}  // namespace

int blobsmith::cli::run_verb(const Arguments& args) {
  const auto verb = std::ranges::find_if(kVerbs, [&](const VerbRow& v) { return args.at(0) == v.name; });
  if (verb == std::end(kVerbs)) {
    std::vector<std::string> verbs;
    for (const VerbRow& v : kVerbs)
      if (v.summary) verbs.push_back(v.name);
    const std::string meant = reports::nearest(args[0], verbs);
    report(Error(ErrorCode::UnknownOption, "unknown verb '" + args[0] + "'")
               .hint(meant.empty() ? "" : "did you mean " + meant + "?"));
    print_usage(stderr);
    return kUsageError;
  }
  return run_caught(*verb, {args.begin() + 1, args.end()});
}

int main(int argc, char** argv) {
  keep_freed_memory();
  if (argc < 2 || std::string_view(argv[1]) != "job") catch_interrupts();  // a sandbox is for a process of one thread
  Arguments args(argv, argv + argc);
  const std::string program = std::filesystem::path(args.empty() ? "" : args[0]).filename();
  if (!args.empty()) args.erase(args.begin());
  if (program == "compile_tool" || program == "myriad_compile") args.insert(args.begin(), "compile");
  if (program == "mo" || program == "mo.py") args.insert(args.begin(), "mo");
  for (const char* framework : {"caffe", "kaldi", "mxnet", "onnx", "tf"})
    if (program == std::string("mo_") + framework || program == std::string("mo_") + framework + ".py")
      args.insert(args.begin(), {"mo", "--framework", framework});
  if (args.empty() || args[0] == "-h" || args[0] == "--help" || args[0] == "help") {
    print_usage(args.empty() ? stderr : stdout);
    return args.empty() ? kUsageError : kDone;
  }
  if (args[0] == "--version") {
    std::printf("blobsmith %s (blobs as OpenVINO 2021.4.2 writes them)\n", std::string(version()).c_str());
    return kDone;
  }
  return run_verb(args);
}
