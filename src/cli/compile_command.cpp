// blobsmith compile: the options, defaults and exit codes of Intel's compile_tool (front-end spec §10).
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "cli/cli.hpp"
#include "cli/progress.hpp"
#include "cli/text.hpp"

namespace blobsmith::cli {
namespace {

struct CompileArguments {
  std::string model, output, device, ip, op, iop, il, ol, iol, iml, oml, ioml, shaves, slices, cmx_limit, dump,
      log_level, target;
  std::vector<std::string> config;
  bool no_quirks = false;
  bool ov_api_1_0 = false;
  CLI::Option* ov_api_1_0_told = nullptr;
};

void declare(CLI::App& app, CompileArguments& o) {
  app.add_option("-m,--model", o.model, "OpenVINO IR (.xml, its .bin beside it) or ONNX model (.onnx)");
  app.add_option("-o,--output", o.output, "blob to write (default: the model's name with .blob, in this folder)");
  app.add_option("-d,--device", o.device, "MYRIAD (the only one; may be left out)");
  app.add_option("--ip,--input-precision", o.ip, "precision of all inputs: U8, FP16 (default), FP32, I32");
  app.add_option("--op,--output-precision", o.op, "precision of all outputs: FP16 (default), FP32, I32");
  app.add_option("--iop,--io-precision", o.iop, "precisions by name: name:FP16,other:U8");
  app.add_option("--il", o.il, "layout of all inputs");
  app.add_option("--ol", o.ol, "layout of all outputs");
  app.add_option("--iol", o.iol, "layouts by name");
  app.add_option("--iml", o.iml, "layout of the network's inputs; another --il is transposed (target 2022.1)");
  app.add_option("--oml", o.oml, "layout of the network's outputs; another --ol is transposed (target 2022.1)");
  app.add_option("--ioml", o.ioml, "layouts of the network by name");
  o.ov_api_1_0_told = app.add_flag(
      "--ov_api_1_0", o.ov_api_1_0,
      "target 2022.1: by way of its first runtime interface (default for ONNX; =false: of the second, default "
      "for an OpenVINO IR)");
  app.add_option("-c,--config", o.config, "configuration: a file of KEY VALUE lines, or KEY=VALUE (repeatable)");
  app.add_option("--VPU_NUMBER_OF_SHAVES,--shaves", o.shaves, "SHAVE processors, 1..16 (together with the slices)");
  app.add_option("--VPU_NUMBER_OF_CMX_SLICES,--slices", o.slices, "slices of on-chip memory, 1..19");
  app.add_option("--VPU_TILING_CMX_LIMIT_KB", o.cmx_limit, "on-chip memory for one tile, in KB");
  app.add_option("--log_level", o.log_level, "accepted for compatibility");
  app.add_option("--dump-passes", o.dump, "write the program after every pass into this folder (.json, .dot)");
  app.add_option("--target", o.target,
                 "OpenVINO version to state in the blob: " + all_targets() + " (default: 6.0, as compile_tool writes)");
  app.add_flag("--no-quirks", o.no_quirks, "do not reproduce Intel's known wrong results (docs/quirks.md)");
}

CompileOptions compile_options(const CompileArguments& o) {
  CompileOptions c;
  const auto given = [](const std::string& s) { return s.empty() ? std::nullopt : std::optional(s); };
  c.config = read_config(o.config);
  c.shaves = given(o.shaves);
  c.slices = given(o.slices);
  c.tiling_cmx_limit_kb = given(o.cmx_limit);
  if (!o.ip.empty()) c.input_precision = parse_precision(o.ip);
  if (!o.op.empty()) c.output_precision = parse_precision(o.op);
  c.io_precision = named_precisions(o.iop);
  c.input_layout = upper_case(o.il);
  c.output_layout = upper_case(o.ol);
  for (const auto& [name, layout] : named_values(o.iol)) c.io_layout[name] = upper_case(layout);
  c.input_model_layout = upper_case(o.iml);
  c.output_model_layout = upper_case(o.oml);
  for (const auto& [name, layout] : named_values(o.ioml)) c.io_model_layout[name] = upper_case(layout);
  c.quirks = !o.no_quirks;
  c.target = o.target;
  c.dump_passes = o.dump;
  return c;
}

/// A type as the second runtime interface prints it.
const char* element_name(TensorType t) {
  switch (t) {
    case TensorType::U8: return "u8";
    case TensorType::S32: return "i32";
    case TensorType::FP16: return "f16";
    case TensorType::FP32: return "f32";
    case TensorType::I8: return "i8";
  }
  return "?";
}

/// "[N,H,W,C]", or "[...]" where none was told.
std::string dimensions(const std::string& layout) {
  if (layout.empty()) return "[...]";
  std::string r;
  for (const char c : layout) r += (r.empty() ? "[" : ",") + std::string(1, c);
  return r + "]";
}

/// What compile_tool prints of a network's inputs or outputs. `told`: the layout of all, by the second interface.
void print_tensors(const char* title, const std::vector<BlobPort>& tensors, bool second, const std::string& told) {
  std::printf("Network %s:\n", title);
  for (const BlobPort& t : tensors)
    std::printf("    %s : %s / %s\n", t.name.c_str(),
                second ? element_name(t.type) : std::string(to_string(t.type)).c_str(),
                second ? dimensions(told).c_str() : t.layout.c_str());
}

int run_compile(const CompileArguments& o) {
  if (o.model.empty()) throw Error(ErrorCode::BadOptionValue, "Path to model xml file is required");
  const std::string output = o.output.empty() ? std::filesystem::path(o.model).stem().string() + ".blob" : o.output;
  CompileOptions options = compile_options(o);
  const auto start = std::chrono::steady_clock::now();
  ProgressBar bar;
  options.control = bar.control(0.2);
  const CompileResult r = compile(
      read_model(o.model, {.as = ReadAs::InferenceEngine,
                           .runtime_1_0 = o.ov_api_1_0_told->empty() ? std::nullopt : std::optional(o.ov_api_1_0),
                           .target = o.target,
                           .control = bar.control(0, 0.2)}),
      options);
  r.blob.save(output, options.control);
  print_tensors("inputs", r.inputs, r.runtime_2_0, options.input_layout);
  print_tensors("outputs", r.outputs, r.runtime_2_0, options.output_layout);
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
  std::printf("Done. LoadNetwork time elapsed: %lld ms\n", static_cast<long long>(ms));
  return kDone;
}

}  // namespace

int compile_command(const Arguments& args) {
  CLI::App app(
      "Example: blobsmith compile -m model.xml -o model.blob -ip U8 -VPU_NUMBER_OF_SHAVES 6 -VPU_NUMBER_OF_CMX_SLICES "
      "6",
      "blobsmith compile");
  CompileArguments options;
  declare(app, options);
  // compile_tool knows two exit codes only: 0 and 1.
  if (const int code = parse(app, args); code >= 0) return code == kDone ? 0 : 1;
  try {
    return run_compile(options);
  } catch (const ErrorList& e) {
    report(e);
  } catch (const Error& e) {
    const int code = report(e);
    if (code == kInternalError || code == kStopped) return code;
  }
  return 1;
}

}  // namespace blobsmith::cli
