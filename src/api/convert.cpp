#include "blobsmith/convert.hpp"

#include <filesystem>

#include "api/model.hpp"
#include "blobsmith/version.hpp"
#include "compare/known_faults.hpp"
#include "importers/openvino_ir/writer.hpp"
#include "transforms/legalise/legalise.hpp"
#include "transforms/pipeline.hpp"
#include "vpu/format/target.hpp"

namespace blobsmith {
namespace {

/// What is told holds for real numbers; integers and conditions leave the network as 32-bit integers, all of whose
/// digits count.
void set_output_precisions(vpu::CompileOptions& c, const CameraOptions& o, const Graph& graph) {
  for (const Node* r : graph.results()) {
    const bool real = is_float(r->input(0).type());
    if (!real)
      c.io_precision[output_name(*r)] = ElementType::i32;
    else if (o.output_precision)
      c.io_precision[output_name(*r)] = api::element_type(*o.output_precision);
  }
}

}  // namespace

namespace api {

vpu::CompileOptions camera_options(const CameraOptions& o, const Graph& graph, bool quirks) {
  vpu::CompileOptions c;
  c.shaves = o.shaves;
  c.slices = o.slices ? o.slices : o.shaves;
  if (c.slices > 8) c.streams = 1;  // two streams would need more than there is
  c.quirks = quirks;
  for (const auto& [key, value] : o.config) c.set(key, value);
  // A camera delivers bytes; inputs of indices keep their type.
  for (const Node* p : graph.parameters())
    if (is_float(p->element_type())) c.io_precision[p->name] = element_type(o.input_precision);
  if (quirks && o.output_precision) c.output_precision = element_type(*o.output_precision);
  if (!quirks) set_output_precisions(c, o, graph);
  for (const auto& [name, type] : o.io_precision) c.io_precision[name] = element_type(type);
  return c;
}

}  // namespace api

namespace {

void write_ir(const std::string& path, const ConvertOptions& o, const Graph& graph) {
  const std::filesystem::path model(path);
  const IrWriterOptions options{o.ir_version,
                                "blobsmith " + std::string(version()),
                                {{"data_type", "FP16"},
                                 {"input_model", "DIR/" + model.filename().string()},
                                 {"model_name", model.stem().string()}}};
  save_openvino_ir(graph, (std::filesystem::path(o.ir_folder) / model.stem()).string(), options);
}

}  // namespace

CompileResult convert(const ModelFile& model, const ConvertOptions& o) {
  vpu::find_target(o.target);  // throws before the work where there is none
  Diagnostics diagnostics;
  bool runtime_2_0 = false;
  Graph graph = api::read_graph(model,
                                {.input_shapes = o.input_shapes,
                                 .conversion = o.conversion,
                                 .quirks = o.quirks,
                                 .target = o.target,
                                 .control = part_of(o.control, 0, 0.2)},
                                diagnostics, false, &runtime_2_0);
  if (!o.ir_folder.empty()) write_ir(model.path(), o, graph);
  for (Remark& r : comparison::remaining_faults(graph, o.quirks)) diagnostics.remarks.push_back(std::move(r));
  for (Remark& r : legalise(graph, o.quirks)) diagnostics.remarks.push_back(std::move(r));
  vpu::CompileOptions options = api::camera_options(o.camera, graph, o.quirks);
  options.runtime_2_0 = runtime_2_0;
  if (!o.dump_passes.empty()) options.dump_passes = o.dump_passes;
  return api::in_file(model.path(), [&] {
    return api::compile_graph(std::move(graph), options, o.target, std::move(diagnostics), part_of(o.control, 0.2, 1));
  });
}

}  // namespace blobsmith
