#include "blobsmith/cut.hpp"

#include <algorithm>
#include <iterator>
#include <set>

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

ModelFile in_memory(const std::string& name, std::vector<uint8_t> bytes) {
  return ModelFile(name + ".onnx", std::move(bytes));
}

/// A model that is cut, and its parts.
class Cut {
 public:
  Cut(const ModelFile& file, const CheckOptions& o)
      : file_(file), bytes_(importers::contents_of(file)), model_(read(file, bytes_)) {
    if (!o.conversion.inputs.empty() || !o.conversion.outputs.empty())
      throw Error(ErrorCode::BadOptionValue, "--cut-unsupported: --input and --output cut the model already");
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
  ModelFile chip() const { return is_whole() ? file_ : in_memory("chip", bytes_of(parts.chip)); }
  std::vector<uint8_t> bytes_of(const Part& part) const {
    if (part.operators.empty() || part.outputs.empty()) return {};
    return onnx_file::part_of_model(bytes_, model_, part, known);
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
    if (!file.path().ends_with(".onnx"))
      throw Error(ErrorCode::BadOptionValue, "--cut-unsupported is for ONNX models")
          .hint(
              "check -v names where to cut: --output makes the blob of what comes before; a host computes the rest "
              "with the framework that the model is from")
          .in_file(file.path());
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

}  // namespace

CutResult convert_cut(const ModelFile& model, const ConvertOptions& o) {
  Cut cut(model, check_options(o));
  CutResult r{convert(cut.chip(), o), cut.refused};
  if (cut.is_whole()) return r;
  r.from_chip = describe_outputs(cut, o, r.blob);
  for (const BlobPort& p : r.blob.inputs)
    if (std::ranges::find(cut.parts.before.outputs, p.name) != cut.parts.before.outputs.end())
      r.to_chip.push_back({p.name, p.name, p.type, p.shape});
  r.before = cut.bytes_of(cut.parts.before);
  r.chip = cut.bytes_of(cut.parts.chip);
  r.after = cut.bytes_of(cut.parts.after);
  return r;
}

namespace {

using Tensors = std::map<std::string, FloatTensor>;  ///< by name in the ONNX model

std::vector<std::string> names_of(const std::vector<onnx_file::ValueInfo>& list) {
  std::vector<std::string> names;
  for (const onnx_file::ValueInfo& v : list) names.push_back(v.name);
  return names;
}

/// What an ONNX model gives for those of these values that it takes.
void run_onnx(const ModelFile& file, const ReadOptions& how, const Tensors& values, int threads, Tensors& to) {
  const onnx_file::Model model = onnx_file::read_model(importers::contents_of(file), importers::files_beside(file));
  RunOptions o{.threads = threads};
  for (const std::string& name : names_of(model.inputs))
    if (const auto it = values.find(name); it != values.end()) o.inputs.values[name] = it->second.values;
  for (FloatTensor& result : run_model(read_model(file, how), o).outputs)
    for (const std::string& name : names_of(model.outputs))
      if (is_called(result.name, name, model)) {
        to[name] = std::move(result);
        break;
      }
}

/// The outputs of host and chip together beside those of the whole model, on the same inputs.
std::vector<LayerResult> results_together(const ModelFile& model, const CutResult& c, const CompareOptions& o,
                                          std::vector<Skipped>& skipped) {
  if (!c.before.empty()) throw Error(ErrorCode::NotYetSupported, "a host computes the blob's inputs");
  Emulator emulator = EmulatorAccess::make(vpu::read_blob(Bytes::adopt(c.blob.blob.bytes())), {.threads = o.threads});
  set_inputs(emulator, o.inputs);
  Tensors given, together, whole;
  for (const TensorInfo& t : emulator.inputs()) given[t.name] = emulator.input(t.name);
  emulator.run();
  Tensors passed = given;
  for (const PassedTensor& t : c.from_chip) together[t.name] = passed[t.name] = emulator.output(t.blob_name);
  const ReadOptions as_written{.half_precision = false};
  if (!c.after.empty()) run_onnx(in_memory("after", c.after), as_written, passed, o.threads, together);
  ReadOptions stated = as_written;
  stated.input_shapes = o.input_shapes;
  stated.conversion = o.conversion;
  run_onnx(model, stated, given, o.threads, whole);
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

}  // namespace

CompareResult compare_cut(const ModelFile& model, const CompareOptions& o) {
  const CutResult c = convert_cut(model, {.input_shapes = o.input_shapes,
                                          .conversion = o.conversion,
                                          .camera = o.camera,
                                          .control = {{}, o.control.stop}});
  if (c.chip.empty()) return compare(model, o);
  CompareResult r = compare(in_memory("chip", c.chip), o);
  try {
    std::vector<LayerResult> results = results_together(model, c, o, r.comparison.skipped);
    for (LayerResult& l : r.comparison.layers) l.is_output = false;  // the model's are these
    std::ranges::move(results, std::back_inserter(r.comparison.layers));
  } catch (const Error& e) {
    r.advice.push_back(std::string("only the chip's part was compared: ") + e.what());
  } catch (const ErrorList& e) {
    r.advice.push_back(std::string("only the chip's part was compared: ") + e.errors()[0].what());
  }
  return r;
}

}  // namespace blobsmith
