// blobsmith run: executes a blob, or a model, on this machine's processor.
#include <CLI/CLI.hpp>
#include <chrono>

#include "blobsmith/emulator.hpp"
#include "blobsmith/files.hpp"
#include "blobsmith/model.hpp"
#include "cli/cli.hpp"
#include "cli/progress.hpp"
#include "cli/run_model.hpp"
#include "cli/run_options.hpp"
#include "cli/run_report.hpp"

namespace blobsmith::cli {
namespace {

void add_options(CLI::App& app, RunArguments& o) {
  app.add_option("blob", o.file,
                 "a .blob, of blobsmith or of Intel; or a model, which is computed in FP32 as it is defined")
      ->required();
  app.add_option("--input-shape,--input_shape", o.model.shapes,
                 "of a model: NAME=1,3,224,224, or [1,3,224,224],... (repeatable)")
      ->allow_extra_args(false);
  add_input_options(app, o.inputs);
  add_framework_options(app, o.model.conversion.framework);
  app.add_flag("--random", o.inputs.random, "random numbers for the inputs not given");
  app.add_option("--output-dir", o.output_dir, "folder for <output>.npy (FP32)");
  app.add_option("--expect", o.expect,
                 "FILE.npy, OUTPUT=FILE.npy or FILE.npz: exit 4 when the outputs differ (repeatable)")
      ->allow_extra_args(false);
  app.add_option("--tolerance", o.tolerance,
                 "of --expect: largest difference, relative to the largest value of an output (default 0.01)")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--avg-exclude-pad", o.avg_exclude_pad,
               "average pools of the hardware exclude padding, as the model means");
  app.add_option("--assume", o.assume,
                 "of the chip's arithmetic, to see what it matters: fp16-sums, saturate, flush-denormals")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"fp16-sums", "saturate", "flush-denormals"}));
  app.add_option("--threads", o.threads, "processors to use (default: all)");
  app.add_option("--repeat", o.repeat,
                 "run that many times, after one run that is not counted, and say how long it takes")
      ->check(CLI::Range(1, 1000000));
  app.add_flag("--profile", o.profile, "the time of every stage, on this processor");
  app.add_option("--sort", o.sort, "of --profile: by 'time' (default) or in 'order' of execution")
      ->check(CLI::IsMember({"time", "order"}));
  app.add_option("--dump-stage", o.dump_stages,
                 "N, a stage type, an output's name or 'all': writes what these stages read and wrote as .npy to "
                 "--output-dir (repeatable)")
      ->allow_extra_args(false);
  app.add_flag(
      "--check-memory", o.check_memory,
      "exit 4 when a stage reads what none has written, overwrites what is still needed, or leaves its buffers");
  app.add_flag("--json", o.json, "print the result as JSON");
}

Emulator load(const RunArguments& o) {
  const auto assumed = [&](const char* name) { return std::ranges::find(o.assume, name) != o.assume.end(); };
  const ArithmeticOptions arithmetic{.fp16_sums = assumed("fp16-sums"),
                                     .saturate = assumed("saturate"),
                                     .flush_denormals = assumed("flush-denormals")};
  return Emulator::open(o.file, {.avg_exclude_pad = o.avg_exclude_pad,
                                 .arithmetic = arithmetic,
                                 .check_memory = o.check_memory,
                                 .threads = o.threads});
}

double timed_run(Emulator& emulator, const Control& control) {
  const auto start = std::chrono::steady_clock::now();
  emulator.run(control);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

RunReport run_all(Emulator& emulator, const RunArguments& o) {
  RunReport result;
  StageDump dump(o);
  ProgressBar bar;
  const int runs = o.repeat > 1 ? o.repeat + 1 : 1;
  const auto run = [&](int k) {
    return timed_run(emulator, bar.control(static_cast<double>(k) / runs, static_cast<double>(k + 1) / runs));
  };
  bool first = true;
  emulator.on_stage([&](const StageEvent& e) {
    if (first) dump.see(e);
    if (o.profile) result.profile.see(e);
  });
  if (o.dump_stages.empty() && !o.profile) emulator.on_stage(nullptr);
  if (o.repeat > 1) {
    run(0);
    first = false;
    result.profile.clear();
  }
  for (int k = 0; k < o.repeat; ++k) {
    result.milliseconds.push_back(run(o.repeat > 1 ? k + 1 : 0));
    first = false;
  }
  emulator.on_stage(nullptr);
  dump.check_all_found();
  result.dumped = dump.files();
  return result;
}

}  // namespace

int run_command(const Arguments& args) {
  CLI::App app("Example: blobsmith run model.blob --input images=photo.png --output-dir out", "blobsmith run");
  RunArguments o;
  add_options(app, o);
  if (const int code = parse(app, args); code >= 0) return code;
  if (!o.dump_stages.empty() && o.output_dir.empty())
    throw Error(ErrorCode::BadOptionValue, "--dump-stage writes files: give --output-dir too");
  if (is_model_file(o.file)) return run_model_file(o);

  Emulator emulator = load(o);
  const std::vector<std::string> notes = set_inputs(emulator, o.inputs);
  if (!o.output_dir.empty()) make_folder(o.output_dir);
  RunReport result = run_all(emulator, o);
  result.notes = notes;
  result.outputs = nlohmann::ordered_json::array();
  for (const TensorInfo& t : emulator.outputs())
    result.outputs.push_back(write_output(
        t.name, emulator.output_shape(t.name), [&](const auto& take) { emulator.output(t.name, take); }, o));
  result.verdicts = check_expected(emulator, o);
  result.memory = emulator.memory_reports();
  if (o.json)
    print_json(o, result);
  else
    print_text(o, result);
  return result.good() ? kDone : kWrongResult;
}

}  // namespace blobsmith::cli
