#include "vpu/lowering/lower.hpp"

#include "core/release.hpp"
#include "vpu/lowering/lowering.hpp"

namespace blobsmith::vpu {

std::unique_ptr<Program> lower(const Graph& graph, const CompileOptions& options, const Declared& declared) {
  auto program = std::make_unique<Program>();
  program->name = graph.name;
  program->options = options;
  program->resources = resolve_resources(options, *graph.release);
  program->batch_size = declared.batch.batch;
  program->with_detection_output = declared.batch.with_detection_output;

  const Network network(graph, !options.force_pure_tensor_iterator);  // layers, their names and order
  if (network.inputs().empty() && graph.release->needs_inputs)
    throw Error(ErrorCode::BadGraph, "AssertionFailed: !out.networkInputs.empty()")
        .hint("the network has no inputs: its outputs are constants");
  if (network.outputs().empty())
    throw Error(ErrorCode::BadGraph, "AssertionFailed: !out.networkOutputs.empty()").hint("the network has no outputs");
  Lowering l{network, options, declared, *program, *graph.release, {}, {}, {}, {}};
  add_inputs(l);  // the order of data is the order of constants and buffers in the blob
  add_outputs(l);
  add_constants(l);
  copy_trivial_outputs(l);
  if (!options.disable_convert_stages) {
    convert_inputs(l);  // these stages come first: ids decide ties of the execution order
    convert_outputs(l);
  }
  subtract_mean_images(l);
  parse_layers(l);  // one parser per layer type
  program->clean_up();
  return program;
}

}  // namespace blobsmith::vpu
