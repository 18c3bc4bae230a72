#include "api/model.hpp"

#include <algorithm>
#include <iterator>

#include "api/layouts.hpp"
#include "compare/known_faults.hpp"
#include "heads/heads.hpp"
#include "importers/import.hpp"
#include "transforms/legalise/legalise.hpp"
#include "transforms/pipeline.hpp"
#include "vpu/format/target.hpp"

namespace blobsmith {
namespace {

model_optimizer::FrameworkOptions framework_options(const FrameworkOptions& f) {
  model_optimizer::FrameworkOptions r{f};
  if (!f.mean_file_offsets.empty()) r.mean_file_origin = model_optimizer::parse_offsets(f.mean_file_offsets);
  return r;
}

ImportOptions import_options(const ReadOptions& o) {
  using namespace model_optimizer;
  const ConversionOptions& c = o.conversion;
  ImportOptions r{.as = o.as == ReadAs::ModelOptimizer ? ImportAs::ModelOptimizer : ImportAs::InferenceEngine,
                  .release = o.target.empty() ? &kRelease2021 : vpu::find_target(o.target).release,
                  .input_shapes = o.input_shapes,
                  .half_precision = o.half_precision && !(o.quirks && c.single_precision),
                  .quirks = o.quirks};
  r.runtime_1_0 = o.runtime_1_0;
  r.strip_quantization = c.strip_quant;
  if (!c.shapes.empty()) r.cut.shapes = parse_shapes(c.shapes);
  if (!c.inputs.empty()) r.cut.inputs = parse_inputs(c.inputs);
  if (!c.outputs.empty()) r.cut.outputs = parse_places(c.outputs);
  if (c.batch) r.cut.batch = c.batch;
  if (!c.mean_values.empty()) r.preprocess.mean = parse_channel_values(c.mean_values);
  if (!c.scale_values.empty()) r.preprocess.scale = parse_channel_values(c.scale_values);
  r.preprocess.reverse_input_channels = c.reverse_input_channels;
  if (c.scale != 0) r.preprocess.scale_of_all = c.scale;
  if (!c.freeze_placeholder_with_value.empty()) r.cut.frozen = parse_inputs(c.freeze_placeholder_with_value);
  r.rewrites = {.fuse = !c.disable_fusing,
                .group_convolutions = !c.disable_gfusing,
                .move_strides = !c.disable_resnet_optimization,
                .reuse_concats = c.enable_concat_optimization,
                .static_shape = c.static_shape,
                .low_latency = c.low_latency};
  if (!c.finegrain_fusing.empty()) r.rewrites.unfused = parse_places(c.finegrain_fusing);
  r.framework = framework_options(c.framework);
  return r;
}

TensorInfo tensor_info(std::string name, ElementType t, Shape shape) {
  const TensorType type = is_float(t) ? TensorType::FP32 : t == ElementType::u8 ? TensorType::U8 : TensorType::S32;
  return {std::move(name), type, std::move(shape)};
}

}  // namespace

namespace api {

std::vector<TensorInfo> inputs_of(const Graph& graph) {
  std::vector<TensorInfo> list;
  for (const Node* p : graph.parameters()) list.push_back(tensor_info(p->name, p->element_type(), p->shape()));
  return list;
}

std::vector<TensorInfo> outputs_of(const Graph& graph) {
  std::vector<TensorInfo> list;
  for (const Node* r : graph.results()) {
    const Value v = r->input(0);
    list.push_back(tensor_info(output_name(*r), v.type(), v.shape()));
  }
  return list;
}

ReadGraph read_graph(const ModelFile& file, const ReadOptions& o, Diagnostics& diagnostics, bool keep_going) {
  report(o.control, "reading", 0);
  ImportOptions options = import_options(o);
  if (keep_going) options.problems = &diagnostics;
  Imported imported = in_file(file.path(), [&] { return import_model(file, options); });
  std::ranges::move(imported.notes, std::back_inserter(diagnostics.remarks));
  ReadGraph r{std::move(imported.graph), imported.runtime_2_0, std::move(imported.metadata)};
  if (o.conversion.strip_quant) strip_quantization(r.graph);
  if (o.conversion.yolo_head) r.head = in_file(file.path(), [&] { return heads::reshape(r.graph, r.metadata); });
  if (!o.conversion.layout.empty()) apply_layouts(r.graph, o.conversion.layout);
  return r;
}

}  // namespace api

Model read_model(const ModelFile& file, const ReadOptions& options) {
  Diagnostics diagnostics;
  api::ReadGraph read = api::read_graph(file, options, diagnostics);
  std::vector<Remark> remarks = std::move(diagnostics.remarks);
  for (Remark& r : comparison::find_faults(read.graph)) remarks.push_back(std::move(r));
  return Model(std::make_unique<Model::Impl>(
      Model::Impl{file.path(), std::move(read.graph), std::move(remarks), read.runtime_2_0}));
}

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

Model Model::clone() const {
  return Model(std::make_unique<Impl>(Impl{impl_->path, impl_->graph.clone(), impl_->remarks, impl_->runtime_2_0}));
}

const std::string& Model::path() const { return impl_->path; }
std::string Model::name() const { return impl_->graph.name; }
std::vector<Remark> Model::remarks() const { return impl_->remarks; }

std::vector<TensorInfo> Model::inputs() const { return api::inputs_of(impl_->graph); }
std::vector<TensorInfo> Model::outputs() const { return api::outputs_of(impl_->graph); }

std::vector<LayerInfo> Model::layers() const {
  std::vector<LayerInfo> list;
  for (const Node* n : impl_->graph.ordered())
    if (is_layer(*n)) list.push_back({n->name, n->type, n->source, input_shapes(*n), output_shapes(*n)});
  return list;
}

}  // namespace blobsmith
