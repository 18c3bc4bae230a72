// blobsmith run: executes a blob, or a model, on this machine's processor.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "blobsmith/emulator.hpp"
#include "cli/cli.hpp"
#include "cli/run_expect.hpp"
#include "cli/run_model.hpp"
#include "cli/run_options.hpp"
#include "cli/run_stages.hpp"
#include "core/file.hpp"
#include "emulator/npy.hpp"

namespace blobsmith::cli {
namespace {

using Json = nlohmann::ordered_json;

void add_options(CLI::App& app, RunOptions& o) {
  app.add_option("blob", o.blob, "a .blob, of blobsmith or of Intel; or a model (.onnx, .xml), which is computed in FP32 as it is defined")->required();
  app.add_option("--input", o.inputs, "NAME=FILE: a .npy or .npz array, a picture (PNG, JPEG), resized to the input, or the bytes themselves (repeatable); FILE.npz: all inputs")
      ->allow_extra_args(false);
  app.add_flag("--random", o.random, "random numbers for the inputs not given");
  app.add_option("--seed", o.seed, "of --random (default 0)");
  app.add_option("--output-dir", o.output_dir, "folder for <output>.npy (FP32)");
  app.add_option("--expect", o.expect, "FILE.npy, OUTPUT=FILE.npy or FILE.npz: exit 4 when the outputs differ (repeatable)")->allow_extra_args(false);
  app.add_option("--tolerance", o.tolerance, "of --expect: largest difference, relative to the largest value of an output (default 0.01)")->check(CLI::NonNegativeNumber);
  app.add_flag("--rgb,!--bgr", o.rgb, "pictures in RGB order, or in BGR (default, as cameras deliver)");
  app.add_flag("--letterbox", o.letterbox, "keep a picture's proportions and fill the rest");
  app.add_option("--mean", o.mean, "of pictures, in the order of the input's channels, subtracted from 0..255: one number, or a,b,c")->delimiter(',')->allow_extra_args(false);
  app.add_option("--scale", o.scale, "of pictures: what they are divided by after --mean")->delimiter(',')->allow_extra_args(false);
  app.add_flag("--avg-exclude-pad", o.avg_exclude_pad, "average pools of the hardware exclude padding, as the model means");
  app.add_option("--threads", o.threads, "processors to use (default: all)");
  app.add_option("--repeat", o.repeat, "run so many times, after one run that is not counted, and say how long it takes")->check(CLI::Range(1, 1000000));
  app.add_flag("--profile", o.profile, "the time of every stage, on this processor");
  app.add_option("--sort", o.sort, "of --profile: by 'time' (default) or in 'order' of execution")->check(CLI::IsMember({"time", "order"}));
  app.add_option("--dump-stage", o.dump_stages, "N, a stage type, an output's name or 'all': writes what these stages read and wrote as .npy to --output-dir (repeatable)")->allow_extra_args(false);
  app.add_flag("--json", o.json, "print the result as JSON");
}

Emulator load(const RunOptions& o) {
  try {
    return Emulator(read_file(o.blob).span(), {.avg_exclude_pad = o.avg_exclude_pad, .threads = o.threads});
  } catch (Error& e) {
    if (e.file().empty()) e.in_file(o.blob);
    throw;
  }
}

double timed_run(Emulator& emulator) {
  const auto start = std::chrono::steady_clock::now();
  emulator.run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// What one call of the command found out.
struct Result {
  std::vector<double> milliseconds;  ///< of each run that counts
  std::vector<std::string> dumped;
  StageProfile profile;
};

Result run_all(Emulator& emulator, const RunOptions& o) {
  Result result;
  StageDump dump(o);
  Progress progress;
  std::string run_text;
  bool first = true;
  emulator.on_stage([&](const StageEvent& e) {
    if (first) dump.see(e);
    if (o.profile) result.profile.see(e);
    progress.show(run_text + "stage " + std::to_string(e.index));
  });
  if (o.dump_stages.empty() && !o.profile && !progress.active()) emulator.on_stage(nullptr);
  if (o.repeat > 1) {
    timed_run(emulator);
    first = false;
    result.profile.clear();
  }
  for (int k = 0; k < o.repeat; ++k) {
    if (o.repeat > 1) run_text = "run " + std::to_string(k + 1) + " of " + std::to_string(o.repeat) + ", ";
    result.milliseconds.push_back(timed_run(emulator));
    first = false;
  }
  emulator.on_stage(nullptr);
  dump.check_all_found();
  result.dumped = dump.files();
  return result;
}

std::vector<FloatTensor> outputs_of(const Emulator& emulator) {
  std::vector<FloatTensor> list;
  for (const TensorInfo& t : emulator.outputs()) list.push_back(emulator.output(t.name));
  return list;
}

Json to_json(const Verdict& v) {
  Json j{{"output", v.output}, {"ok", v.good}, {"shape", v.shape}, {"expected_shape", v.expected_shape}};
  if (!v.same_count) return j;
  const auto number = [](double d) { return std::isfinite(d) ? Json(d) : Json(nullptr); };
  j.update({{"values", v.count}, {"differing", v.differing}, {"largest_difference", number(v.largest_difference)}, {"relative_difference", number(v.relative_difference)}});
  if (!v.at.empty()) j.update({{"at", v.at}, {"got", number(v.got)}, {"expected", number(v.expected)}});
  return j;
}

void print_json(const RunOptions& o, const Result& r, const Json& outputs, const std::vector<Verdict>& verdicts) {
  const Latency latency(r.milliseconds);
  Json j{{"milliseconds", latency.median}, {"outputs", outputs}};
  if (o.repeat > 1) j["latency"] = {{"runs", o.repeat}, {"min", latency.min}, {"median", latency.median}, {"p95", latency.p95}};
  if (o.profile) j["stages"] = r.profile.json(o.repeat, o.sort == "time");
  if (!r.dumped.empty()) j["dumped"] = r.dumped;
  for (const Verdict& v : verdicts) j["expected"].push_back(to_json(v));
  std::printf("%s\n", j.dump(1).c_str());
}

void print_text(const RunOptions& o, const Result& r, const Json& outputs, const std::vector<Verdict>& verdicts) {
  if (o.profile) std::printf("%s", r.profile.text(o.repeat, o.sort == "time").c_str());
  for (const std::string& path : r.dumped) std::printf("%s\n", path.c_str());
  print_outputs(outputs);
  const Latency latency(r.milliseconds);
  if (o.repeat > 1) std::printf("%d runs: min %.2f, median %.2f, p95 %.2f ms\n", o.repeat, latency.min, latency.median, latency.p95);
  else std::printf("%.0f ms\n", latency.median);
  for (const Verdict& v : verdicts) std::printf("%s\n", verdict_text(v).c_str());
}

}  // namespace

int run_command(const Arguments& args) {
  CLI::App app("Example: blobsmith run model.blob --input images=photo.png --output-dir out", "blobsmith run");
  RunOptions o;
  add_options(app, o);
  if (const int code = parse(app, args); code >= 0) return code;
  if (!o.dump_stages.empty() && o.output_dir.empty()) throw Error(ErrorCode::BadOptionValue, "--dump-stage writes files: give --output-dir too");
  if (is_model(o.blob)) return run_model(o);

  Emulator emulator = load(o);
  set_inputs(emulator, o);
  if (!o.output_dir.empty()) make_folder(o.output_dir);
  const Result result = run_all(emulator, o);
  const Json outputs = write_outputs(outputs_of(emulator), o);
  const std::vector<Verdict> verdicts = check_expected(emulator, o);
  if (o.json) print_json(o, result, outputs, verdicts);
  else print_text(o, result, outputs, verdicts);
  return std::ranges::all_of(verdicts, &Verdict::good) ? kDone : kWrongResult;
}

}  // namespace blobsmith::cli
