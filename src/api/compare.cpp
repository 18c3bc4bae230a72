#include "blobsmith/compare.hpp"

#include <algorithm>
#include <cmath>

#include "api/model.hpp"
#include "compare/advice.hpp"
#include "compare/comparison.hpp"
#include "compare/known_faults.hpp"
#include "core/file.hpp"
#include "emulator/access.hpp"
#include "transforms/legalise/legalise.hpp"
#include "vpu/format/reader.hpp"

namespace blobsmith {
namespace {

using comparison::InputLoss;

/// A blob and where it holds the tensors of the network.
struct Subject {
  vpu::Blob blob;
  std::vector<vpu::TracedTensor> tensors;
  bool traced = true, quirks = false;
};

Graph read(const ModelFile& model, const CompareOptions& o, bool half_precision, bool quirks) {
  Diagnostics ignored;
  return api::read_graph(model,
                         {.input_shapes = o.input_shapes,
                          .conversion = o.conversion,
                          .half_precision = half_precision,
                          .quirks = quirks},
                         ignored)
      .graph;
}

/// The model as convert() makes a blob of it.
template <class OptionsFor>
Subject compiled_with(const ModelFile& model, const CompareOptions& o, bool quirks, const OptionsFor& options_for,
                      const Control& control, const api::Departure* departure) {
  Graph graph = read(model, o, true, quirks);
  legalise(graph, quirks);
  vpu::CompileOptions options = options_for(graph);
  if (departure) departure->apply(options);
  Subject s{{}, {}, true, quirks};
  const CompileResult r = api::compile_graph(std::move(graph), options, "", {}, control, &s.tensors);
  s.blob = vpu::read_blob(Bytes::adopt(r.blob.bytes()));
  return s;
}

template <class OptionsFor>
Subject compiled(const ModelFile& model, const CompareOptions& o, bool quirks, const OptionsFor& options_for,
                 const Control& control) {
  const auto attempt = [&](const api::Departure* d) {
    return compiled_with(model, o, quirks, options_for, control, d);
  };
  return quirks ? attempt(nullptr) : api::fitted(o.camera, attempt);
}

/// What the blob says of the options that it was compiled with.
vpu::CompileOptions options_of(const vpu::Blob& b, const CameraOptions& o, const Graph& graph, bool quirks) {
  vpu::CompileOptions c = api::camera_options(o, graph, quirks);
  c.shaves = static_cast<int>(b.header.shaves);
  c.slices = static_cast<int>(b.header.slices);
  if (c.slices > 8) c.streams = 1;
  for (const auto* list : {&b.inputs, &b.outputs})
    for (const vpu::BlobIo& io : *list)
      c.io_precision[io.name] = api::element_type(static_cast<TensorType>(io.desc.type));
  return c;
}

std::span<const uint8_t> stage_section(const vpu::Blob& b) {
  return b.file.span().subspan(b.header.stage_section_offset,
                               b.header.const_section_offset - b.header.stage_section_offset);
}

/// The places of tensors in a given blob are known where compiling the model anew gives the same stages.
Subject given(const ModelFile& model, const CompareOptions& o, const Control& control) {
  vpu::Blob blob = api::in_file(o.blob, [&] { return vpu::read_blob(read_file(o.blob)); });
  for (const bool quirks : {true, false}) {
    try {
      Subject s = compiled(
          model, o, quirks, [&](const Graph& g) { return options_of(blob, o.camera, g, quirks); },
          part_of(control, quirks ? 0 : 0.5, quirks ? 0.5 : 1));
      if (!std::ranges::equal(stage_section(s.blob), stage_section(blob))) continue;
      s.blob = std::move(blob);
      return s;
    } catch (const Error& e) {  // then only its outputs are compared
      if (e.code() == ErrorCode::Cancelled) throw;
    } catch (const ErrorList&) {}
  }
  return {std::move(blob), {}, false, true};
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
  std::vector<InputLoss> losses() const {
    std::vector<InputLoss> list;
    for (const TensorInfo& t : emulator_.inputs()) {
      const auto it = given_.find(t.name);
      if (it == given_.end()) continue;
      InputLoss loss{t.name,
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

const LayerResult* Comparison::first_outside() const {
  const auto it = std::ranges::find(layers, false, &LayerResult::within);
  return it == layers.end() ? nullptr : &*it;
}

bool Comparison::outputs_within() const {
  return std::ranges::all_of(layers, [](const LayerResult& l) { return l.within || !l.is_output; }) &&
         std::ranges::none_of(skipped, &Skipped::is_output);
}

CompareResult compare(const ModelFile& model, const CompareOptions& o) {
  const Control making = part_of(o.control, 0, 0.3), running = part_of(o.control, 0.3, 1);
  report(making, "reading", 0);
  return api::in_file(model.path(), [&] {
    const auto for_camera = [&](const Graph& g) { return api::camera_options(o.camera, g, o.quirks); };
    Subject subject = o.blob.empty() ? compiled(model, o, o.quirks, for_camera, making) : given(model, o, making);
    const bool item_by_item = subject.blob.header.batch_size > 1;
    reference::Executor executor(read(model, o, false, false), o.threads);
    Emulator emulator = EmulatorAccess::make(std::move(subject.blob), {.threads = o.threads});
    RecordedInputs inputs(emulator);
    set_inputs(inputs, o.inputs);

    CompareResult r{{}, subject.traced, {}, {}};
    r.comparison = comparison::compare(emulator, subject.tensors, executor, {.tolerance = o.tolerance}, running);
    r.faults = comparison::remaining_faults(executor.graph(), subject.quirks);
    if (item_by_item)  // constants of one type, as shape inference wants them
      for (Remark& f : comparison::find_batch_faults(read(model, o, true, false))) r.faults.push_back(std::move(f));
    r.advice = comparison::advice(r.comparison, r.faults, inputs.losses());
    if (o.inputs.files.empty() && o.inputs.values.empty() && r.comparison.first_outside())
      r.advice.push_back(
          "the inputs were random numbers, U8 ones over their whole range: a real one (--input) may stay within what "
          "the network was trained for");
    return r;
  });
}

}  // namespace blobsmith
