#include "vpu/compile.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "core/release.hpp"
#include "graph/layer_name.hpp"
#include "graph/numbering.hpp"
#include "transforms/compressed_models.hpp"
#include "transforms/pre_post_process.hpp"
#include "vpu/blob/writer.hpp"
#include "vpu/lowering/lower.hpp"
#include "vpu/network_info.hpp"
#include "vpu/pipeline.hpp"

namespace blobsmith::vpu {
namespace {

std::vector<BlobPort> ports(Program& program, DataUsage usage) {
  std::vector<BlobPort> r;
  program.for_each_data([&](const Data* d) {
    if (d->usage == usage) r.push_back({d->name, d->desc});
  });
  return r;
}

std::vector<StageOrigin> origins(Program& program) {
  std::vector<StageOrigin> r;
  for (const Stage* s : program.stages())
    if (s->category() != StageCategory::Special) r.push_back({s->name, s->layer});
  return r;
}

/// Whatever is said of a layer inside a loop is said of the loop: bodies are not layers of the user's model.
void take_sources_from_loops(Graph& graph, const std::string* source = nullptr) {
  for (Node* n : graph.all()) {
    if (source) n->source = *source;
    if (n->body) take_sources_from_loops(*n->body, &n->source);
  }
}

/// The conversion replaces what computed the outputs.
void name_outputs(Graph& graph) {
  for (const Node* r : graph.results())
    if (r->attrs.has(kOutputName)) r->input(0).node->output(r->input(0).port).name = output_name(*r);
}

/// What is told of a tensor by one of its names, else of all.
template <class T, class All>
All told(const std::map<std::string, T>& by_name, const std::vector<std::string>& names, const All& of_all) {
  for (const std::string& name : names)
    if (const auto it = by_name.find(name); it != by_name.end()) return it->second;
  return of_all;
}

std::vector<std::string> names_of(const OutputPort& port, std::string layer) {
  std::vector<std::string> names = port.tensor_names;
  names.push_back(std::move(layer));
  return names;
}

/// Real numbers are given and got in half, as Intel's tool has it for single precision.
std::optional<ElementType> usual_type(ElementType t) {
  return is_float(t) ? std::optional(ElementType::f16) : std::nullopt;
}

TensorForm form_of(const CompileOptions& o, const OutputPort& port, const std::vector<std::string>& names,
                   const std::optional<ElementType>& type, const std::string& layout, const std::string& model) {
  return {told(o.io_precision, names, type ? type : usual_type(port.type)), told(o.io_layout, names, layout),
          told(o.io_model_layout, names, model)};
}

/// The network as the second runtime interface hands it to the compiler.
void apply_second_interface(Graph& graph, const CompileOptions& o) {
  std::vector<TensorForm> inputs, outputs;
  for (const Node* p : graph.parameters())
    inputs.push_back(form_of(o, p->output(), names_of(p->output(), p->name), o.input_precision, o.input_layout,
                             o.input_model_layout));
  for (const Node* r : graph.results()) {
    const OutputPort& port = r->input(0).node->output(r->input(0).port);
    outputs.push_back(
        form_of(o, port, names_of(port, output_name(*r)), o.output_precision, o.output_layout, o.output_model_layout));
  }
  pre_post_process(graph, inputs, outputs);
  numbering::copied(graph);
  for (Node* n : graph.ordered()) graph.set_inputs(n, std::vector<Value>(n->inputs()));
}

void add(std::vector<Remark>& all, const std::vector<Remark>& some) { all.insert(all.end(), some.begin(), some.end()); }

}  // namespace

void check_names(const Graph& g, const CompileOptions& options) {
  std::set<std::string> names;
  const auto add_names = [&](const OutputPort& port, const std::string& layer) {
    names.insert(layer);
    if (options.runtime_2_0) names.insert(port.tensor_names.begin(), port.tensor_names.end());
  };
  for (const Node* p : g.parameters()) add_names(p->output(), p->name);
  for (const Node* r : g.results()) add_names(r->input(0).node->output(r->input(0).port), output_name(*r));
  const auto check = [&](const auto& told) {
    for (const auto& [name, value] : told) {
      if (names.contains(name)) continue;
      throw Error(ErrorCode::BadInputName, options.runtime_2_0
                                               ? "Model doesn't have input/output with tensor name: " + name
                                               : name + " is not an input neither output");
    }
  };
  check(options.io_precision);
  check(options.io_layout);
  check(options.io_model_layout);
}

Prepared prepare(Graph graph, const CompileOptions& options, Diagnostics& diagnostics, const Control& control) {
  report(control, "converting", 0);
  take_sources_from_loops(graph);
  if (options.runtime_2_0) apply_second_interface(graph, options);
  Declared declared{{}, output_types(graph)};  // they decide the precision of the outputs
  if (options.detect_network_batch) declared.batch = detect_batch(graph, options.quirks);  // N items become N runs
  if (!options.quirks) {
    add(diagnostics.remarks, declared.batch.across);
    add(diagnostics.remarks, avoid_faults_of_compressed(graph));
  }
  check_stop(control);
  convert_to_legacy(graph);  // fusions, decompositions, the layer set of the VPU
  BlobNetworkInfo info = describe_network(graph);
  if (options.enable_tensor_iterator_unrolling && !options.force_pure_tensor_iterator) unroll_loops(graph);
  name_outputs(graph);
  return {std::move(graph), std::move(declared), std::move(info)};
}

namespace {

void know_constants(const Graph& graph, SharedContents& shared) {
  for (const Node* n : graph.all()) {
    if (n->is_constant()) shared.know(n->constant.bytes);
    if (n->body) know_constants(*n->body, shared);
  }
}

}  // namespace

void share_contents(Prepared& network) {
  network.shared = std::make_shared<SharedContents>();
  know_constants(network.graph, *network.shared);
}

namespace {

/// A precision that was told for all inputs or outputs, or for one, and that hardly any network can have there. Some
/// can, so it is looked at only when types don't fit: then it is the option that is wrong, not a layer.
std::optional<Error> unusual_precision(const Graph& graph, const CompileOptions& o) {
  using enum ElementType;
  const auto refuse = [](bool input, const std::string& name, ElementType t) -> std::optional<Error> {
    if (t == f16 || t == f32 || t == i32 || t == i64 || (input && t == u8)) return std::nullopt;
    const std::string kind = input ? "input" : "output";
    Error e(ErrorCode::BadOptionValue, kind + (name.empty() ? "s" : " \"" + name + "\"") + " can't be " +
                                           std::string(precision_name(t)) + " in this network");
    return e.hint(input ? "inputs are U8, FP16, FP32 or I32"
                        : "outputs are FP16, FP32 or I32; the chip does not convert to bytes: take FP16, and bytes of "
                          "it on the host");
  };
  if (o.input_precision)
    if (auto e = refuse(true, {}, *o.input_precision)) return e;
  if (o.output_precision)
    if (auto e = refuse(false, {}, *o.output_precision)) return e;
  for (const auto& [name, type] : o.io_precision)
    if (auto e =
            refuse(std::ranges::find(graph.parameters(), name, &Node::name) != graph.parameters().end(), name, type))
      return e;
  return std::nullopt;
}

/// The conversion may have given a layer's name to another; an error says what the user's file calls it.
Error by_name_of_file(const Graph& graph, Error e) {
  for (const Node* n : graph.all())
    if (n->name == e.layer() && n->attrs.has(kLayerName)) return e.at_layer(layer_name(*n), e.layer_type());
  return e;
}

std::unique_ptr<Program> make_program(const Prepared& network, const CompileOptions& options, const Control& control) {
  std::unique_ptr<Program> program = lower(network.graph, options, network.declared);
  program->shared = network.shared;
  run_passes(*program, options.dump_passes, part_of(control, 0.2, 1));  // stages, layouts, tiles, memory
  return program;
}

}  // namespace

std::unique_ptr<Program> build(const Prepared& network, const CompileOptions& options, Diagnostics& diagnostics,
                               const Control& control) {
  report(control, "lowering", 0);
  std::unique_ptr<Program> program;
  const auto explain = [&](ErrorCode code) {
    if (code == ErrorCode::TypeMismatch)
      if (const auto e = unusual_precision(network.graph, options)) throw *e;
  };
  try {
    program = make_program(network, options, control);
  } catch (const Error& e) {
    explain(e.code());
    throw by_name_of_file(network.graph, e);
  } catch (const ErrorList& list) {
    std::vector<Error> errors;
    for (const Error& e : list.errors()) {
      explain(e.code());
      errors.push_back(by_name_of_file(network.graph, e));
    }
    throw ErrorList(std::move(errors));
  }
  add(diagnostics.remarks, program->remarks);
  return program;
}

ChunkedBytes compile(const Prepared& network, const CompileOptions& options, Diagnostics& diagnostics,
                     CompileReport* told, const Control& control) {
  const std::unique_ptr<Program> program = build(network, options, diagnostics, part_of(control, 0, 0.95));
  report(control, "writing", 0.95);
  if (told) {
    std::vector<StageOrigin> stages = origins(*program);
    *told = {static_cast<int>(network.graph.size()), static_cast<int>(stages.size()), ports(*program, DataUsage::Input),
             ports(*program, DataUsage::Output),     trace_tensors(*program),         std::move(stages)};
  }
  ChunkedBytes blob = write_blob(*program);
  if (network.graph.release->network_info) blob.append(encode(network.info));
  return blob;
}

ChunkedBytes compile(Graph graph, const CompileOptions& options, Diagnostics& diagnostics, CompileReport* told,
                     const Control& control) {
  check_names(graph, options);
  const Prepared network = prepare(std::move(graph), options, diagnostics, part_of(control, 0, 0.25));
  return compile(network, options, diagnostics, told, part_of(control, 0.25, 1));
}

}  // namespace blobsmith::vpu
