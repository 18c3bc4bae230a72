#include "vpu/compile.hpp"

#include "transforms/faults/avoid_faults.hpp"
#include "transforms/pipeline.hpp"
#include "vpu/blob/writer.hpp"
#include "vpu/lowering/lower.hpp"
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

/// What the reference does otherwise, before there is a program; only without quirks.
std::vector<Program::Avoided> avoid_in_graph(Graph& graph, const BatchInfo& batch) {
  std::vector<Program::Avoided> list;
  for (const BatchInfo::Layer& l : batch.across)
    list.push_back({l.name, "it works across the batch, so all items are computed together"});
  for (AvoidedFault& f : avoid_faults(graph)) list.push_back({std::move(f.layer), std::move(f.what)});
  return list;
}

}  // namespace

ChunkedBytes compile(Graph graph, const CompileOptions& options, CompileReport* report) {
  const auto types = output_types(graph);  // they decide the precision of the outputs
  BatchInfo batch;
  if (options.detect_network_batch) batch = detect_batch(graph, options.quirks);  // N items become N runs
  const auto avoided = options.quirks ? std::vector<Program::Avoided>() : avoid_in_graph(graph, batch);
  convert_to_legacy(graph);  // fusions, decompositions, the layer set of the VPU
  if (options.enable_tensor_iterator_unrolling && !options.force_pure_tensor_iterator) unroll_loops(graph);
  const std::unique_ptr<Program> program = lower(graph, options, batch, types);
  program->avoided.insert(program->avoided.begin(), avoided.begin(), avoided.end());
  run_passes(*program);  // stages, layouts, tiles, memory
  if (report)
    *report = {static_cast<int>(graph.size()),
               static_cast<int>(program->stages().size()),
               ports(*program, DataUsage::Input),
               ports(*program, DataUsage::Output),
               program->avoided,
               trace_tensors(*program)};
  return write_blob(*program);
}

}  // namespace blobsmith::vpu
