#include "blobsmith/cut.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "api/cut_graph.hpp"
#include "api/model.hpp"
#include "blobsmith/check.hpp"
#include "blobsmith/emulator.hpp"
#include "blobsmith/run.hpp"
#include "compare/comparison.hpp"
#include "emulator/access.hpp"
#include "importers/common/model_files.hpp"
#include "importers/onnx/split.hpp"
#include "transforms/pipeline.hpp"
#include "vpu/format/reader.hpp"

namespace blobsmith {
namespace {

using onnx_file::Part;
using onnx_file::Parts;

constexpr int kMostRounds = 40;     ///< of finding layers that can't be compiled
constexpr int kRoundsOneByOne = 3;  ///< then layers that look alike (the post-processing of each class) go together

/// What the network calls an output of an operator, unless after its tensor.
std::string layer_output(const onnx_file::Node& n, size_t k) {
  return n.outputs.size() > 1 ? n.name + "." + std::to_string(k) : n.name;
}

/// Whether the network may call a tensor of the model so.
bool is_called(const std::string& network_name, const std::string& tensor, const onnx_file::Model& model) {
  if (network_name == tensor) return true;
  for (const onnx_file::Node& n : model.nodes)
    for (size_t k = 0; k < n.outputs.size(); ++k)
      if (n.outputs[k] == tensor) return network_name == layer_output(n, k);
  return false;
}

bool is_onnx(const ModelFile& file) { return file.path().ends_with(".onnx"); }

/// An ONNX model that is cut, and its parts.
class Cut {
 public:
  Cut(const ModelFile& file, const CheckOptions& o)
      : file_(file), bytes_(importers::contents_of(file)), model_(read(file, bytes_)) {
    for (int round = 0; round < kMostRounds; ++round) {
      const CheckResult r = checked(o);
      if (r.compiles() && !leave_open_sizes(o)) return;
      if (r.compiles()) continue;
      std::vector<Error> errors;
      for (const CheckProblem& p : r.problems) errors.push_back(p.error);
      std::vector<size_t> more = operators_of(errors);
      if (round >= kRoundsOneByOne) add_alike(more);
      if (more.empty()) more = operators_of_open_sizes(o);  // what the rest is made of names no place
      if (more.empty()) throw ErrorList(std::move(errors));
      for (Error& e : errors) refused.push_back(std::move(e));
      operators_.insert(more.begin(), more.end());
      parts = onnx_file::split(model_, {operators_.begin(), operators_.end()}, first_);
      if (parts.chip.operators.empty() || parts.chip.outputs.empty()) throw ErrorList(refused);
    }
    throw ErrorList(refused);
  }

  const onnx_file::Model& model() const { return model_; }
  bool is_whole() const { return operators_.empty(); }
  ModelFile chip() const { return is_whole() ? file_ : api::file_of(as_model(parts.chip), "chip"); }
  ModelPart as_model(const Part& part) const {
    if (part.operators.empty() || part.outputs.empty()) return {};
    return {onnx_file::part_of_model(bytes_, model_, part, known)};
  }

  Parts parts;
  std::vector<Error> refused;
  std::map<std::string, onnx_file::ValueInfo> known;  ///< tensors between parts

 private:
  /// Of the chip's part; where what the data decide comes into that, the part before takes its place.
  CheckResult checked(const CheckOptions& o) {
    try {
      return check(chip(), o);
    } catch (const Error& e) {
      if (is_whole() || first_ || e.code() != ErrorCode::ShapeMismatch) throw;
      first_ = true;
      parts = onnx_file::split(model_, {operators_.begin(), operators_.end()}, first_);
      if (parts.chip.operators.empty() || parts.chip.outputs.empty()) throw;
      return check(chip(), o);
    }
  }

  static onnx_file::Model read(const ModelFile& file, const Bytes& bytes) {
    return api::in_file(file.path(), [&] { return onnx_file::read_model(bytes, importers::files_beside(file)); });
  }

  /// The operators that errors are about, by the places in the file that they name.
  std::vector<size_t> operators_of(const std::vector<Error>& errors) const {
    std::vector<size_t> list;
    for (size_t i = 0; i < model_.nodes.size(); ++i) {
      const std::string place = model_.nodes[i].describe(model_.opset);
      const auto names = [&](const Error& e) { return e.source() == place; };
      if (!operators_.contains(i) && std::ranges::any_of(errors, names)) list.push_back(i);
    }
    return list;
  }

  /// The operators whose outputs have sizes that the data decide.
  std::vector<size_t> operators_of_open_sizes(const CheckOptions& o) const {
    Diagnostics read;
    const Graph graph =
        api::read_graph(chip(), {.input_shapes = o.input_shapes, .conversion = o.conversion}, read, true).graph;
    std::set<std::string> open;
    for (const Node* n : graph.ordered())
      for (int i = 0; i < n->output_count(); ++i)
        if (!is_static(n->shape(i))) open.insert(n->source);
    std::vector<size_t> list;
    for (size_t i = 0; i < model_.nodes.size(); ++i)
      if (!operators_.contains(i) && open.contains(model_.nodes[i].describe(model_.opset))) list.push_back(i);
    return list;
  }

  /// Sizes that the data decide are the host's, where a cut leads through them; false where nothing is to be done.
  bool leave_open_sizes(const CheckOptions& o) {
    if (is_whole()) return false;
    Diagnostics ignored;
    const api::ReadGraph read =
        api::read_graph(chip(), {.input_shapes = o.input_shapes, .conversion = o.conversion}, ignored);
    std::set<std::string> open;
    for (const Node* r : read.graph.results())
      if (!is_static(r->input(0).shape())) open.insert(output_name(*r));
    std::set<size_t> all = operators_;
    for (size_t i = 0; i < model_.nodes.size(); ++i)
      for (size_t k = 0; k < model_.nodes[i].outputs.size(); ++k)
        if (open.contains(model_.nodes[i].outputs[k]) || open.contains(layer_output(model_.nodes[i], k))) all.insert(i);
    if (all.size() == operators_.size()) return false;
    Parts more = onnx_file::split(model_, {all.begin(), all.end()}, first_);
    if (more.chip.operators.empty() || more.chip.outputs.empty()) return false;
    operators_ = std::move(all);
    parts = std::move(more);
    return true;
  }

  /// All of the same types, behind operators of the same types.
  void add_alike(std::vector<size_t>& list) const {
    const auto kind = [&](size_t i) {
      std::string text = model_.nodes[i].op_type;
      for (const std::string& name : model_.nodes[i].inputs)
        for (const onnx_file::Node& n : model_.nodes)
          if (!name.empty() && std::ranges::find(n.outputs, name) != n.outputs.end()) text += " " + n.op_type;
      return text;
    };
    std::set<std::string> kinds;
    for (const size_t i : list) kinds.insert(kind(i));
    for (size_t i = 0; i < model_.nodes.size(); ++i)
      if (!operators_.contains(i) && kinds.contains(kind(i))) list.push_back(i);
  }

  ModelFile file_;
  Bytes bytes_;
  onnx_file::Model model_;
  std::set<size_t> operators_;
  bool first_ = false;  ///< the chip's part begins at the model's inputs
};

/// Types and shapes of what the chip gives, and under which names.
std::vector<PassedTensor> describe_outputs(Cut& cut, const ConvertOptions& o, const CompileResult& blob) {
  Diagnostics ignored;
  const api::ReadGraph read = api::read_graph(
      cut.chip(), {.input_shapes = o.input_shapes, .conversion = o.conversion, .target = o.target}, ignored);
  std::vector<PassedTensor> list;
  const std::vector<Node*>& results = read.graph.results();
  for (const std::string& name : cut.parts.chip.outputs) {
    const auto it =
        std::ranges::find_if(results, [&](const Node* r) { return is_called(output_name(*r), name, cut.model()); });
    if (it == results.end()) throw Error(ErrorCode::NotYetSupported, "\"" + name + "\" has lost its name");
    const Value v = (*it)->input(0);
    cut.known[name] = {name, is_float(v.type()) ? ElementType::f32 : v.type(), v.shape()};
    PassedTensor t{name, output_name(**it), TensorType::FP16, v.shape()};
    const auto port = std::ranges::find(blob.outputs, t.blob_name, &BlobPort::name);
    if (port != blob.outputs.end()) t.type = port->type;
    list.push_back(std::move(t));
  }
  return list;
}

CheckOptions check_options(const auto& o) {
  return {
      .input_shapes = o.input_shapes, .conversion = o.conversion, .camera = o.camera, .control = {{}, o.control.stop}};
}

/// The options of a conversion for the chip's part of an ONNX model.
ConvertOptions for_chip(const Cut& cut, const ConvertOptions& o) {
  Diagnostics ignored;
  const Graph chip =
      api::read_graph(cut.chip(), {.input_shapes = o.input_shapes, .conversion = o.conversion}, ignored).graph;
  ConvertOptions r = o;
  r.camera = api::for_chip(o.camera, api::inputs_of(chip), api::outputs_of(chip), cut.parts.before.outputs);
  return r;
}

std::vector<PassedTensor> inputs_from_host(const CompileResult& blob, const std::vector<std::string>& names) {
  std::vector<PassedTensor> list;
  for (const BlobPort& p : blob.inputs)
    if (std::ranges::find(names, p.name) != names.end()) list.push_back({p.name, p.name, p.type, p.shape});
  return list;
}

CutResult convert_onnx_cut(const ModelFile& model, const ConvertOptions& o) {
  Cut cut(model, check_options(o));
  if (cut.is_whole()) return {convert(model, o), cut.refused};
  const ConvertOptions chip = for_chip(cut, o);
  CutResult r{convert(cut.chip(), chip), cut.refused};
  r.from_chip = describe_outputs(cut, o, r.blob);
  r.to_chip = inputs_from_host(r.blob, cut.parts.before.outputs);
  r.before = cut.as_model(cut.parts.before);
  r.chip = cut.as_model(cut.parts.chip);
  r.after = cut.as_model(cut.parts.after);
  return r;
}

CutResult convert_graph_cut(const ModelFile& model, const ConvertOptions& o) {
  api::CutGraph cut = api::cut_graph(model, check_options(o));
  ConvertOptions chip = o;
  chip.conversion.outputs = cut.ends_at;
  if (!cut.chip.empty()) {
    chip.conversion = {};
    chip.input_shapes.clear();
    chip.camera = api::for_chip(o.camera, cut.inputs, cut.from_chip, cut.to_chip);
  }
  CutResult r{convert(cut.chip.empty() ? model : api::file_of(cut.chip, "chip"), chip), std::move(cut.refused)};
  r.ends_at = cut.ends_at;
  r.to_chip = inputs_from_host(r.blob, cut.to_chip);
  if (!cut.chip.empty() || !cut.ends_at.empty())
    for (const BlobPort& p : r.blob.outputs) r.from_chip.push_back({p.name, p.name, p.type, p.shape});
  for (const TensorInfo& t : cut.from_chip)
    if (std::ranges::find(r.from_chip, t.name, &PassedTensor::name) == r.from_chip.end())
      throw Error(ErrorCode::NotYetSupported, "\"" + t.name + "\" has lost its name");
  r.before = std::move(cut.before);
  r.chip = std::move(cut.chip);
  r.after = std::move(cut.after);
  return r;
}

}  // namespace

CutResult convert_cut(const ModelFile& model, const ConvertOptions& o) {
  if (!o.conversion.inputs.empty() || !o.conversion.outputs.empty())
    throw Error(ErrorCode::BadOptionValue, "--cut-unsupported: --input and --output cut the model already");
  return is_onnx(model) ? convert_onnx_cut(model, o) : convert_graph_cut(model, o);
}

namespace {

using Tensors = std::map<std::string, FloatTensor>;  ///< by name in the host's models

/// The outputs of a model, by the names that it gives them, from those of these values that it takes.
void run_part(const ModelFile& file, const ReadOptions& how, const Tensors& values, int threads, Tensors& to) {
  RunOptions o{.threads = threads};
  Model model = read_model(file, how);
  for (const TensorInfo& t : model.inputs())
    if (const auto it = values.find(t.name); it != values.end()) o.inputs.values[t.name] = it->second.values;
  std::vector<FloatTensor> results = run_model(std::move(model), o).outputs;
  std::optional<onnx_file::Model> onnx;
  if (is_onnx(file)) onnx = onnx_file::read_model(importers::contents_of(file), importers::files_beside(file));
  for (FloatTensor& result : results) {
    std::string name = result.name;
    if (onnx)
      for (const onnx_file::ValueInfo& v : onnx->outputs)
        if (is_called(result.name, v.name, *onnx)) name = v.name;
    to[name] = std::move(result);
  }
}

/// Values of inputs: those of the blob, and those that only the host's part reads.
class GivenValues : public InputTarget {
 public:
  GivenValues(Emulator& emulator, const std::vector<PassedTensor>& computed, const std::vector<TensorInfo>& of_model)
      : emulator_(emulator) {
    for (const TensorInfo& t : emulator.inputs())
      if (std::ranges::find(computed, t.name, &PassedTensor::blob_name) == computed.end()) inputs_.push_back(t);
    chip_ = inputs_.size();
    for (const TensorInfo& t : of_model)
      if (std::ranges::find(inputs_, t.name, &TensorInfo::name) == inputs_.end()) inputs_.push_back(t);
  }
  const std::vector<TensorInfo>& inputs() const override { return inputs_; }
  void set_input(const TensorInfo& input, const std::function<void(std::span<float>)>& next) override {
    if (is_chips(input)) {
      emulator_.set_input(input.name, next);
      values[input.name] = emulator_.input(input.name);
      return;
    }
    std::vector<float> list(static_cast<size_t>(count_of(input)));
    next(list);
    values[input.name] = {input.name, input.shape, std::move(list)};
  }
  void set_integers(const TensorInfo& input, std::span<const int32_t> list) override {
    if (is_chips(input)) emulator_.set_input(input.name, list);
    values[input.name] = {input.name, input.shape, std::vector<float>(list.begin(), list.end())};
  }

  Tensors values;

 private:
  bool is_chips(const TensorInfo& input) const { return static_cast<size_t>(&input - inputs_.data()) < chip_; }

  Emulator& emulator_;
  std::vector<TensorInfo> inputs_;
  size_t chip_ = 0;
};

void give(Emulator& emulator, const std::string& name, const std::vector<float>& values) {
  size_t at = 0;
  emulator.set_input(name, [&](std::span<float> row) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(at), row.size(), row.begin());
    at += row.size();
  });
}

/// The outputs of host and chip together beside those of the whole model, on the same inputs; `chip`: what the blob
/// got.
std::vector<LayerResult> results_together(const ModelFile& model, const CutResult& c, const CompareOptions& o,
                                          InputOptions& chip, std::vector<Skipped>& skipped) {
  Emulator emulator = EmulatorAccess::make(vpu::read_blob(Bytes::adopt(c.blob.blob.bytes())), {.threads = o.threads});
  const ReadOptions as_written{.half_precision = false};
  ReadOptions stated = as_written;
  stated.input_shapes = o.input_shapes;
  stated.conversion = o.conversion;
  GivenValues given(emulator, c.to_chip, read_model(model, stated).inputs());
  set_inputs(given, o.inputs);
  Tensors together, passed = given.values, whole;
  if (!c.before.empty()) {
    run_part(api::file_of(c.before, "before"), as_written, passed, o.threads, together);
    passed.insert(together.begin(), together.end());
  }
  for (const PassedTensor& t : c.to_chip) give(emulator, t.blob_name, passed.at(t.name).values);
  chip = {.random = false, .seed = o.inputs.seed};
  for (const TensorInfo& t : emulator.inputs()) chip.values[t.name] = emulator.input(t.name).values;
  emulator.run();
  for (const PassedTensor& t : c.from_chip) together[t.name] = passed[t.name] = emulator.output(t.blob_name);
  if (!c.after.empty()) run_part(api::file_of(c.after, "after"), as_written, passed, o.threads, together);
  run_part(model, stated, given.values, o.threads, whole);
  std::vector<LayerResult> list;
  for (const auto& [name, wanted] : whole) {
    const auto got = together.find(name);
    if (got == together.end() || got->second.values.size() != wanted.values.size()) {
      skipped.push_back({name, "its size depends on what the chip computes", true});
      continue;
    }
    LayerResult l = comparison::measure(got->second, wanted.values, {.tolerance = o.tolerance});
    l.name = name;
    l.type = "whole model";
    l.shape = wanted.shape;
    l.is_output = true;
    list.push_back(std::move(l));
  }
  return list;
}

CompareResult only_chip(CompareResult r, const std::string& why) {
  r.advice.push_back("only the chip's part was compared: " + why);
  return r;
}

}  // namespace

CompareResult compare_cut(const ModelFile& model, const CompareOptions& o) {
  const CutResult c = convert_cut(model, {.input_shapes = o.input_shapes,
                                          .conversion = o.conversion,
                                          .camera = o.camera,
                                          .control = {{}, o.control.stop}});
  if (c.chip.empty() && c.ends_at.empty()) return compare(model, o);
  CompareOptions chip = o;
  chip.conversion.outputs = c.ends_at;
  if (c.chip.empty()) return only_chip(compare(model, chip), "what follows is for the framework of the model");
  chip.conversion = {};
  chip.input_shapes.clear();
  for (const PassedTensor& t : c.to_chip) chip.camera.io_precision.emplace(t.name, t.type);
  std::vector<LayerResult> results;
  std::vector<Skipped> skipped;
  std::string why = c.ends_at.empty() ? "" : "what follows is for the framework of the model";
  try {
    if (why.empty()) results = results_together(model, c, o, chip.inputs, skipped);
  } catch (const Error& e) {
    why = e.what();
  } catch (const ErrorList& e) {
    why = e.errors()[0].what();
  }
  if (!why.empty() && !c.to_chip.empty()) chip.inputs = {.random = true, .seed = o.inputs.seed};
  CompareResult r = compare(api::file_of(c.chip, "chip"), chip);
  if (!why.empty()) return only_chip(std::move(r), why);
  for (LayerResult& l : r.comparison.layers) l.is_output = false;  // the model's are these
  std::ranges::move(results, std::back_inserter(r.comparison.layers));
  std::ranges::move(skipped, std::back_inserter(r.comparison.skipped));
  return r;
}

}  // namespace blobsmith
