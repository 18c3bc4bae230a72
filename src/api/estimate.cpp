#include "blobsmith/estimate.hpp"

#include <algorithm>

#include "api/model.hpp"
#include "core/file.hpp"
#include "estimate/measured.hpp"
#include "estimate/network_size.hpp"
#include "estimate/sweep.hpp"
#include "transforms/legalise/legalise.hpp"
#include "vpu/format/reader.hpp"
#include "vpu/format/target.hpp"

namespace blobsmith {
namespace {

estimate::Constants constants_of(const std::map<std::string, double>& values) {
  estimate::Constants constants;
  for (const auto& [name, value] : values) constants.set(name, value);
  return constants;
}

void name_layers(Estimate& e, const vpu::CompileReport& report) {
  for (size_t i = 0; i < std::min(e.stages.size(), report.origins.size()); ++i)
    if (const auto& layer = report.origins[i].layer)
      e.stages[i].layer = layer->source.empty() ? layer->name : layer->source;
}

}  // namespace

EstimateResult estimate_model(const ModelFile& file, const EstimateOptions& o) {
  const estimate::Constants constants = constants_of(o.constants);
  Diagnostics ignored;
  api::ReadGraph read = api::read_graph(file,
                                        {.input_shapes = o.input_shapes,
                                         .conversion = o.conversion,
                                         .target = o.target,
                                         .control = part_of(o.control, 0, 0.1)},
                                        ignored);
  Graph graph = std::move(read.graph);
  graph.release = vpu::find_target(o.target).release;
  EstimateResult r;
  const estimate::NetworkSize size = estimate::size_of(graph);
  r.gflops = size.gflops();
  r.mparams = size.parameters / 1e6;
  r.measured = estimate::recognise(graph);
  legalise(graph, false);
  vpu::CompileOptions options = api::camera_options(o.camera, graph, false);
  options.runtime_2_0 = read.runtime_2_0;
  return api::in_file(file.path(), [&] {
    vpu::Prepared network = vpu::prepare(std::move(graph), options, ignored, part_of(o.control, 0.1, 0.2));
    vpu::share_contents(network);
    r.by_shaves = estimate::sweep(network, options, part_of(o.control, 0.2, 0.9), constants);
    r.best_shaves = estimate::best(r.by_shaves).shaves;
    vpu::CompileReport report;
    const ChunkedBytes blob = vpu::compile(network, options, ignored, &report, part_of(o.control, 0.9, 1));
    r.estimate = estimate::estimate(vpu::read_blob(Bytes::adopt(blob.joined())), constants);
    name_layers(r.estimate, report);
    return std::move(r);
  });
}

Estimate estimate_blob(const std::string& path, const std::map<std::string, double>& values) {
  const estimate::Constants constants = constants_of(values);
  return api::in_file(path, [&] { return estimate::estimate(vpu::read_blob(read_file(path)), constants); });
}

Estimate estimate_blob(std::span<const uint8_t> file, const std::map<std::string, double>& constants) {
  return estimate::estimate(vpu::read_blob(Bytes::copy_of(file)), constants_of(constants));
}

const std::vector<Measurement>& measured_speeds() { return estimate::measurements(); }

}  // namespace blobsmith
