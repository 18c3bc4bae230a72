#include "api/model.hpp"

#include <algorithm>
#include <iterator>

#include "compare/known_faults.hpp"
#include "importers/import.hpp"
#include "transforms/pipeline.hpp"
#include "vpu/format/target.hpp"

namespace blobsmith {
namespace {

ImportOptions import_options(const ReadOptions& o) {
  using namespace model_optimizer;
  const ConversionOptions& c = o.conversion;
  ImportOptions r{.as = o.as == ReadAs::ModelOptimizer ? ImportAs::ModelOptimizer : ImportAs::InferenceEngine,
                  .release = o.target.empty() ? &kRelease2021 : vpu::find_target(o.target).release,
                  .input_shapes = o.input_shapes,
                  .half_precision = o.half_precision,
                  .quirks = o.quirks};
  r.runtime_1_0 = o.runtime_1_0;
  if (!c.shapes.empty()) r.cut.shapes = parse_shapes(c.shapes);
  if (!c.inputs.empty()) r.cut.inputs = parse_inputs(c.inputs);
  if (!c.outputs.empty()) r.cut.outputs = parse_places(c.outputs);
  if (c.batch) r.cut.batch = c.batch;
  if (!c.mean_values.empty()) r.preprocess.mean = parse_channel_values(c.mean_values);
  if (!c.scale_values.empty()) r.preprocess.scale = parse_channel_values(c.scale_values);
  r.preprocess.reverse_input_channels = c.reverse_input_channels;
  return r;
}

TensorInfo tensor_info(std::string name, ElementType t, Shape shape) {
  const TensorType type = is_float(t) ? TensorType::FP32 : t == ElementType::u8 ? TensorType::U8 : TensorType::S32;
  return {std::move(name), type, std::move(shape)};
}

}  // namespace

namespace api {

Graph read_graph(const ModelFile& file, const ReadOptions& o, Diagnostics& diagnostics, bool keep_going,
                 bool* runtime_2_0) {
  report(o.control, "reading", 0);
  ImportOptions options = import_options(o);
  if (keep_going) options.problems = &diagnostics;
  Imported imported = in_file(file.path(), [&] { return import_model(file, options); });
  std::ranges::move(imported.notes, std::back_inserter(diagnostics.remarks));
  if (runtime_2_0) *runtime_2_0 = imported.runtime_2_0;
  return std::move(imported.graph);
}

}  // namespace api

Model read_model(const ModelFile& file, const ReadOptions& options) {
  Diagnostics diagnostics;
  bool runtime_2_0 = false;
  Graph graph = api::read_graph(file, options, diagnostics, false, &runtime_2_0);
  std::vector<Remark> remarks = std::move(diagnostics.remarks);
  for (Remark& r : comparison::find_faults(graph)) remarks.push_back(std::move(r));
  return Model(std::make_unique<Model::Impl>(file.path(), std::move(graph), std::move(remarks), runtime_2_0));
}

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

Model Model::clone() const {
  return Model(std::make_unique<Impl>(impl_->path, impl_->graph.clone(), impl_->remarks, impl_->runtime_2_0));
}

const std::string& Model::path() const { return impl_->path; }
std::string Model::name() const { return impl_->graph.name; }
std::vector<Remark> Model::remarks() const { return impl_->remarks; }

std::vector<TensorInfo> Model::inputs() const {
  std::vector<TensorInfo> list;
  for (const Node* p : impl_->graph.parameters()) list.push_back(tensor_info(p->name, p->element_type(), p->shape()));
  return list;
}

std::vector<TensorInfo> Model::outputs() const {
  std::vector<TensorInfo> list;
  for (const Node* r : impl_->graph.results()) {
    const Value v = r->input(0);
    list.push_back(tensor_info(output_name(*r), v.type(), v.shape()));
  }
  return list;
}

std::vector<LayerInfo> Model::layers() const {
  std::vector<LayerInfo> list;
  for (const Node* n : impl_->graph.ordered())
    if (is_layer(*n)) list.push_back({n->name, n->type, n->source, input_shapes(*n), output_shapes(*n)});
  return list;
}

}  // namespace blobsmith
