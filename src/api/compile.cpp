#include <chrono>

#include "api/layer_stages.hpp"
#include "api/model.hpp"
#include "core/file.hpp"
#include "core/release.hpp"
#include "vpu/format/target.hpp"
#include "vpu/options/config_file.hpp"

namespace blobsmith {

namespace {

std::vector<BlobPort> ports(const std::vector<vpu::BlobPort>& list) {
  std::vector<BlobPort> r;
  for (const vpu::BlobPort& p : list) {
    Shape shape;
    for (int i = 0; i < p.desc.rank(); ++i) shape.push_back(p.desc.dim(p.desc.axis_dim(i)));
    r.push_back({p.name, static_cast<TensorType>(p.desc.type), std::move(shape), p.desc.order.name()});
  }
  return r;
}

vpu::CompileOptions tool_options(const CompileOptions& o) {
  vpu::CompileOptions c;
  const Release* release = o.target.empty() ? &kRelease2021 : vpu::find_target(o.target).release;
  for (const auto& [key, value] : o.config) c.set(key, value, release);
  if (o.shaves) c.set("MYRIAD_NUMBER_OF_SHAVES", *o.shaves, release);
  if (o.slices) c.set("MYRIAD_NUMBER_OF_CMX_SLICES", *o.slices, release);
  if (o.tiling_cmx_limit_kb) c.set("MYRIAD_TILING_CMX_LIMIT_KB", *o.tiling_cmx_limit_kb, release);
  if (o.input_precision) c.input_precision = api::element_type(*o.input_precision);
  if (o.output_precision) c.output_precision = api::element_type(*o.output_precision);
  for (const auto& [name, type] : o.io_precision) c.io_precision[name] = api::element_type(type);
  c.input_layout = o.input_layout;
  c.output_layout = o.output_layout;
  c.io_layout = o.io_layout;
  c.input_model_layout = o.input_model_layout;
  c.output_model_layout = o.output_model_layout;
  c.io_model_layout = o.io_model_layout;
  c.quirks = o.quirks;
  if (!o.dump_passes.empty()) c.dump_passes = o.dump_passes;
  return c;
}

}  // namespace

namespace api {

ElementType element_type(TensorType t) {
  switch (t) {
    case TensorType::U8: return ElementType::u8;
    case TensorType::S32: return ElementType::i32;
    case TensorType::FP32: return ElementType::f32;
    case TensorType::I8: return ElementType::i8;
    case TensorType::FP16: break;
  }
  return ElementType::f16;
}

vpu::Prepared prepare_graph(Graph graph, const vpu::CompileOptions& options, const std::string& target,
                            Diagnostics& diagnostics, const Control& control) {
  graph.release = target.empty() ? &kRelease2021 : vpu::find_target(target).release;
  vpu::check_names(graph, options);
  return vpu::prepare(std::move(graph), options, diagnostics, control);
}

ChunkedBytes compile_blob(const vpu::Prepared& network, const vpu::CompileOptions& options, const std::string& target,
                          Diagnostics& diagnostics, vpu::CompileReport* report, const Control& control) {
  ChunkedBytes blob = vpu::compile(network, options, diagnostics, report, control);
  if (!target.empty()) vpu::stamp(blob, vpu::find_target(target));
  return blob;
}

CompileResult compile_prepared(const vpu::Prepared& network, const vpu::CompileOptions& options,
                               const std::string& target, Diagnostics diagnostics, const Control& control,
                               std::vector<vpu::TracedTensor>* tensors) {
  const auto start = std::chrono::steady_clock::now();
  vpu::CompileReport told;
  auto blob = std::make_unique<BlobBytes::Impl>(
      BlobBytes::Impl{compile_blob(network, options, target, diagnostics, &told, control)});
  if (tensors) *tensors = std::move(told.tensors);
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
  CompileResult r{
      .blob = BlobBytes(std::move(blob)),
      .layers = told.layers,
      .stages = told.stages,
      .inputs = ports(told.inputs),
      .outputs = ports(told.outputs),
      .remarks = std::move(diagnostics.remarks),
      .milliseconds = time.count(),
      .runtime_2_0 = options.runtime_2_0,
      .origins = {},
      .layer_stages = {},
  };
  for (vpu::StageOrigin& s : told.origins) {
    StageOrigin& o = r.origins.emplace_back();
    o.name = std::move(s.name);
    if (!s.layer) continue;
    o.layer = s.layer->name;
    o.type = s.layer->type;
    o.source = s.layer->source;
  }
  return r;
}

CompileResult compile_graph(Graph graph, const vpu::CompileOptions& options, const std::string& target,
                            Diagnostics diagnostics, const Control& control, std::vector<vpu::TracedTensor>* tensors) {
  const auto start = std::chrono::steady_clock::now();
  const vpu::Prepared network =
      prepare_graph(std::move(graph), options, target, diagnostics, part_of(control, 0, 0.25));
  CompileResult r =
      compile_prepared(network, options, target, std::move(diagnostics), part_of(control, 0.25, 1), tensors);
  r.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return r;
}

}  // namespace api

CompileResult compile(Model model, const CompileOptions& o) {
  Model::Impl& m = model.impl();
  Diagnostics diagnostics;
  diagnostics.remarks = std::move(m.remarks);
  if (!o.quirks) std::erase_if(diagnostics.remarks, [](const Remark& r) { return r.avoidable; });
  return api::in_file(m.path, [&] {
    vpu::CompileOptions options = tool_options(o);
    options.runtime_2_0 = m.runtime_2_0;
    const api::LayersOfModel layers(m.graph);
    CompileResult r = api::compile_graph(std::move(m.graph), options, o.target, std::move(diagnostics), o.control);
    r.layer_stages = layers.computed_by(r.origins);
    return r;
  });
}

Config parse_config(std::string_view text) { return vpu::parse_config_text(text); }

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const vpu::Target& t : vpu::targets()) names.emplace_back(t.name);
  return names;
}

std::optional<TensorType> parse_tensor_type(std::string_view name) {
  const auto t = parse_element_type(name);
  if (!t) return std::nullopt;
  switch (*t) {
    case ElementType::f16: return TensorType::FP16;
    case ElementType::f32: return TensorType::FP32;
    case ElementType::u8: return TensorType::U8;
    case ElementType::i8: return TensorType::I8;
    case ElementType::i32:
    case ElementType::i64:
    case ElementType::u32:
    case ElementType::u64:
    case ElementType::boolean: return TensorType::S32;
    default: return std::nullopt;
  }
}

BlobBytes::BlobBytes(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BlobBytes::~BlobBytes() = default;
BlobBytes::BlobBytes(BlobBytes&&) noexcept = default;
BlobBytes& BlobBytes::operator=(BlobBytes&&) noexcept = default;
size_t BlobBytes::size() const { return impl_->bytes.size(); }
std::vector<uint8_t> BlobBytes::bytes() const { return impl_->bytes.joined(); }
void BlobBytes::save(const std::string& path, const Control& control) const {
  write_file(path, [&](const auto& write) {
    for (const Bytes& part : impl_->bytes.parts()) {
      check_stop(control);
      write(part.span());
    }
    check_stop(control);
  });
}

}  // namespace blobsmith
