// blobsmith compare: a blob, layer by layer, against the model that it was made of.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "cli/cli.hpp"
#include "cli/compare_report.hpp"
#include "cli/model_input.hpp"
#include "cli/run_options.hpp"
#include "core/file.hpp"
#include "transforms/legalise/legalise.hpp"
#include "vpu/compile.hpp"
#include "vpu/format/reader.hpp"

namespace blobsmith::cli {
namespace {

struct Options {
  ModelInput model;
  CameraOptions camera;
  RunOptions run;  ///< inputs and threads
  std::string blob, html;
  double tolerance = 0.02;
  size_t worst = 10;
  bool verbose = false, json = false;
};

void declare(CLI::App& app, Options& o) {
  add_model_options(app, o.model);
  app.add_option("blob", o.blob,
                 "a blob made of the model, of blobsmith or of Intel (default: the model is compiled as convert does)");
  add_camera_options(app, o.camera);
  app.add_flag("--quirks", o.model.quirks, "compile with the known wrong results of Intel's tools (docs/quirks.md)");
  add_input_options(app, o.run);
  app.add_option("--tolerance", o.tolerance, "largest relative error of a layer (default 0.02)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--worst", o.worst, "how many layers to show, the worst first (default 10)")
      ->check(CLI::Range(1, 1000000));
  app.add_flag("-v,--verbose", o.verbose, "show all layers, in order");
  app.add_option("--html", o.html, "write the result as a page with plots");
  app.add_option("--threads", o.run.threads, "processors to use (default: all)");
  app.add_flag("--json", o.json, "print the result as JSON");
}

/// A blob and where it holds the tensors of the network.
struct Subject {
  vpu::Blob blob;
  std::vector<vpu::TracedTensor> tensors;
  bool traced = true, quirks = false;
};

struct Compiled {
  std::vector<uint8_t> bytes;
  std::vector<vpu::TracedTensor> tensors;
};

Compiled compile_model(const ModelInput& model, const std::function<vpu::CompileOptions(const Graph&)>& options) {
  Graph g = read_model(model);
  legalise(g, model.quirks);
  const vpu::CompileOptions c = options(g);
  vpu::CompileReport report;
  Compiled r;
  r.bytes = vpu::compile(std::move(g), c, &report).joined();
  r.tensors = std::move(report.tensors);
  return r;
}

Subject compile_subject(const Options& o) {
  Compiled c = compile_model(o.model, [&](const Graph& g) { return camera_options(o.camera, g, o.model.quirks); });
  return {vpu::read_blob(Bytes::adopt(std::move(c.bytes))), std::move(c.tensors), true, o.model.quirks};
}

ElementType element_type(vpu::DataType t) {
  switch (t) {
    case vpu::DataType::U8: return ElementType::u8;
    case vpu::DataType::S32: return ElementType::i32;
    case vpu::DataType::FP32: return ElementType::f32;
    case vpu::DataType::I8: return ElementType::i8;
    default: return ElementType::f16;
  }
}

/// What the blob says of the options that it was compiled with.
vpu::CompileOptions options_of(const vpu::Blob& b, const Options& o, const Graph& g, bool quirks) {
  vpu::CompileOptions c = camera_options(o.camera, g, quirks);
  c.shaves = static_cast<int>(b.header.shaves);
  c.slices = static_cast<int>(b.header.slices);
  if (c.slices > 8) c.streams = 1;
  for (const auto* list : {&b.inputs, &b.outputs})
    for (const vpu::BlobIo& io : *list) c.io_precision[io.name] = element_type(io.desc.type);
  return c;
}

std::span<const uint8_t> stage_section(const vpu::Blob& b) {
  return b.file.span().subspan(b.header.stage_section_offset,
                               b.header.const_section_offset - b.header.stage_section_offset);
}

/// The places of tensors in a given blob are known where compiling the model anew gives the same stages.
Subject given_subject(const Options& o) {
  Subject s;
  try {
    s.blob = vpu::read_blob(read_file(o.blob));
  } catch (Error& e) {
    if (e.file().empty()) e.in_file(o.blob);
    throw;
  }
  for (const bool quirks : {true, false}) {
    ModelInput model = o.model;
    model.quirks = quirks;
    try {
      Compiled c = compile_model(model, [&](const Graph& g) { return options_of(s.blob, o, g, quirks); });
      if (!std::ranges::equal(stage_section(vpu::read_blob(Bytes::adopt(std::move(c.bytes)))), stage_section(s.blob)))
        continue;
      s.tensors = std::move(c.tensors);
      s.quirks = quirks;
      return s;
    } catch (const Error&) {      // then only its outputs are compared
    } catch (const ErrorList&) {  //
    }
  }
  s.traced = false;
  s.quirks = true;
  return s;
}

/// Passes values on to the emulator and notes what they were.
class RecordedInputs : public InputTarget {
 public:
  explicit RecordedInputs(Emulator& emulator) : emulator_(emulator) {}
  const std::vector<TensorInfo>& inputs() const override { return emulator_.inputs(); }
  void set_input(const TensorInfo& input, const std::function<void(std::span<float>)>& next) override {
    std::vector<float>& given = given_[input.name];
    given.clear();
    emulator_.set_input(input.name, [&](std::span<float> row) {
      next(row);
      given.insert(given.end(), row.begin(), row.end());
    });
  }
  void set_integers(const TensorInfo& input, std::span<const int32_t> values) override {
    emulator_.set_input(input.name, values);
  }

  /// Inputs of which more was lost than rounding to FP16 loses.
  std::vector<compare::InputLoss> losses() const {
    std::vector<compare::InputLoss> list;
    for (const TensorInfo& t : emulator_.inputs()) {
      const auto it = given_.find(t.name);
      if (it == given_.end()) continue;
      compare::InputLoss loss{t.name,
                              t.type == TensorType::U8     ? "U8"
                              : t.type == TensorType::FP16 ? "FP16"
                                                           : "S32",
                              0, static_cast<int64_t>(it->second.size()), 0};
      const std::vector<float> seen = emulator_.input(t.name).values;
      for (size_t i = 0; i < seen.size(); ++i) {
        const double was = static_cast<double>(it->second[i]), e = std::fabs(static_cast<double>(seen[i]) - was);
        loss.changed += e > 1e-3 * std::max(std::fabs(was), 1e-3);
        loss.largest = std::max(loss.largest, e);
      }
      if (loss.changed > 0) list.push_back(loss);
    }
    return list;
  }

 private:
  Emulator& emulator_;
  std::map<std::string, std::vector<float>> given_;
};

}  // namespace

int compare_command(const Arguments& args) {
  CLI::App app("Example: blobsmith compare model.onnx --input images=photo.png --html report.html",
               "blobsmith compare");
  Options o;
  o.run.random = true;
  declare(app, o);
  if (const int code = parse(app, args); code >= 0) return code;

  ModelInput precise = o.model;
  precise.half_precision = false;
  precise.quirks = false;
  Subject subject = o.blob.empty() ? compile_subject(o) : given_subject(o);
  const bool item_by_item = subject.blob.header.batch_size > 1;
  reference::Executor executor(read_model(precise), o.run.threads);
  Emulator emulator(std::move(subject.blob), {.threads = o.run.threads});
  RecordedInputs inputs(emulator);
  set_inputs(inputs, o.run);

  CompareReport r{o.model.file, o.blob, subject.traced, {.tolerance = o.tolerance}, {}, {}, {}};
  r.comparison = compare::compare(emulator, subject.tensors, executor, r.settings);
  r.faults = compare::remaining_faults(executor.graph(), subject.quirks);
  if (item_by_item) {
    precise.half_precision = true;  // constants of one type, as shape inference wants them
    for (compare::FaultyLayer& f : compare::find_batch_faults(read_model(precise))) r.faults.push_back(std::move(f));
  }
  r.advice = compare::advice(r.comparison, r.faults, inputs.losses());
  if (o.run.inputs.empty() && r.comparison.first_outside())
    r.advice.push_back(
        "the inputs were random numbers, U8 ones over their whole range: a real one (--input) may stay within what the "
        "network was trained for");
  if (!o.html.empty()) {
    const std::string page = compare_html(r);
    write_file(o.html, std::vector<uint8_t>(page.begin(), page.end()));
  }
  std::printf("%s", (o.json ? compare_json(r) : compare_text(r, o.verbose ? 0 : o.worst)).c_str());
  return r.comparison.outputs_within() ? kDone : kWrongResult;
}

}  // namespace blobsmith::cli
