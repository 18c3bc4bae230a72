// blobsmith compile: the options, defaults and exit codes of Intel's compile_tool (front-end spec §10).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <set>

#include "cli/cli.hpp"
#include "core/file.hpp"
#include "importers/import.hpp"
#include "transforms/pipeline.hpp"
#include "vpu/compile.hpp"
#include "vpu/format/target.hpp"

namespace blobsmith::cli {
namespace {

struct Options {
  std::string model, output, device, ip, op, iop, il, ol, iol, shaves, slices, cmx_limit, dump, log_level, target;
  std::vector<std::string> config;
  bool no_quirks = false;
};

void declare(CLI::App& app, Options& o) {
  app.add_option("-m,--model", o.model, "OpenVINO IR (.xml, its .bin beside it) or ONNX model (.onnx)");
  app.add_option("-o,--output", o.output, "blob to write (default: the model's name with .blob, in this folder)");
  app.add_option("-d,--device", o.device, "MYRIAD (the only one; may be left out)");
  app.add_option("--ip,--input-precision", o.ip, "precision of all inputs: U8, FP16 (default), FP32, I32");
  app.add_option("--op,--output-precision", o.op, "precision of all outputs: FP16 (default), FP32, I32");
  app.add_option("--iop,--io-precision", o.iop, "precisions by name: name:FP16,other:U8");
  app.add_option("--il", o.il, "layout of all inputs");
  app.add_option("--ol", o.ol, "layout of all outputs");
  app.add_option("--iol", o.iol, "layouts by name");
  app.add_option("-c,--config", o.config, "configuration: a file of KEY VALUE lines, or KEY=VALUE (repeatable)");
  app.add_option("--VPU_NUMBER_OF_SHAVES,--shaves", o.shaves, "SHAVE processors, 1..16 (together with the slices)");
  app.add_option("--VPU_NUMBER_OF_CMX_SLICES,--slices", o.slices, "slices of on-chip memory, 1..19");
  app.add_option("--VPU_TILING_CMX_LIMIT_KB", o.cmx_limit, "on-chip memory for one tile, in KB");
  app.add_option("--log_level", o.log_level, "accepted for compatibility");
  app.add_option("--dump-passes", o.dump, "write the program after every pass into this folder (.json, .dot)");
  app.add_option(
      "--target", o.target,
      "OpenVINO version to state in the blob: " + vpu::target_names() + " (default: 6.0, as compile_tool writes)");
  app.add_flag("--no-quirks", o.no_quirks, "do not reproduce Intel's known wrong results (docs/quirks.md)");
}

vpu::CompileOptions compile_options(const Options& o) {
  vpu::CompileOptions c;
  for (const std::string& s : o.config) apply_config(c, s);
  if (!o.shaves.empty()) c.set("MYRIAD_NUMBER_OF_SHAVES", o.shaves);
  if (!o.slices.empty()) c.set("MYRIAD_NUMBER_OF_CMX_SLICES", o.slices);
  if (!o.cmx_limit.empty()) c.set("MYRIAD_TILING_CMX_LIMIT_KB", o.cmx_limit);
  if (!o.ip.empty()) c.input_precision = parse_precision(o.ip);
  if (!o.op.empty()) c.output_precision = parse_precision(o.op);
  apply_io_precision(c, o.iop);
  if (!o.dump.empty()) c.dump_passes = o.dump;
  c.quirks = !o.no_quirks;
  c.input_layout = upper_case(o.il);
  c.output_layout = upper_case(o.ol);
  for (const auto& [name, layout] : named_values(o.iol)) c.io_layout[name] = upper_case(layout);
  return c;
}

void check_names(const Graph& g, const vpu::CompileOptions& c) {
  std::set<std::string> names;
  for (const Node* p : g.parameters()) names.insert(p->name);
  for (const Node* r : g.results()) names.insert(output_name(r->input(0)));
  const auto check = [&](const auto& told) {
    for (const auto& [name, value] : told)
      if (!names.contains(name)) throw Error(ErrorCode::BadInputName, name + " is not an input neither output");
  };
  check(c.io_precision);
  check(c.io_layout);
}

/// What compile_tool prints of a network's inputs or outputs.
void print_tensors(const char* title, const std::vector<vpu::BlobPort>& tensors) {
  constexpr const char* kPrecisions[] = {"FP16", "U8", "I32", "FP32", "I8"};
  std::printf("Network %s:\n", title);
  for (const vpu::BlobPort& t : tensors)
    std::printf("    %s : %s / %s\n", t.name.c_str(), kPrecisions[static_cast<size_t>(t.desc.type)],
                t.desc.order.name().c_str());
}

int compile(const Options& o) {
  if (o.model.empty()) throw Error(ErrorCode::BadOptionValue, "Path to model xml file is required");
  const std::filesystem::path model(o.model);
  const std::string output = o.output.empty() ? model.stem().string() + ".blob" : o.output;
  const vpu::CompileOptions options = compile_options(o);
  const vpu::Target* target = o.target.empty() ? nullptr : &vpu::find_target(o.target);
  const auto start = std::chrono::steady_clock::now();
  Graph graph = import_model(o.model, {.as = ImportAs::InferenceEngine}).graph;
  check_names(graph, options);
  vpu::CompileReport compiled;
  ChunkedBytes blob = vpu::compile(std::move(graph), options, &compiled);
  if (target) vpu::stamp(blob, *target);
  write_file(output, blob);
  print_tensors("inputs", compiled.inputs);
  print_tensors("outputs", compiled.outputs);
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
  Options options;
  declare(app, options);
  // compile_tool knows two exit codes only: 0 and 1.
  if (const int code = parse(app, args); code >= 0) return code == kDone ? 0 : 1;
  try {
    return compile(options);
  } catch (const ErrorList& e) {
    report(e);
  } catch (const Error& e) {
    if (report(e) == kInternalError) return kInternalError;
  }
  return 1;
}

}  // namespace blobsmith::cli
