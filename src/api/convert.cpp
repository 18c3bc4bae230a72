#include "api/convert.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>

#include "api/cut_advice.hpp"
#include "api/layer_stages.hpp"
#include "api/model.hpp"
#include "blobsmith/convert.hpp"
#include "blobsmith/version.hpp"
#include "compare/known_faults.hpp"
#include "core/parallel.hpp"
#include "core/picture.hpp"
#include "heads/heads.hpp"
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

void set_slices(vpu::CompileOptions& c, int slices) {
  c.slices = slices;
  c.streams = slices > 8 ? 1 : -1;  // two streams would need more than there is
}

}  // namespace

namespace api {

void set_shaves(vpu::CompileOptions& c, const CameraOptions& o, int shaves) {
  c.shaves = shaves;
  set_slices(c, o.slices ? o.slices : shaves);
  for (const auto& [key, value] : o.config) c.set(key, value);
}

vpu::CompileOptions camera_options(const CameraOptions& o, const Graph& graph, bool quirks) {
  vpu::CompileOptions c;
  set_shaves(c, o, o.shaves);
  c.quirks = quirks;
  for (const Node* p : graph.parameters()) {  // those of indices keep their type
    if (!is_float(p->element_type())) continue;
    const TensorType usual = quirks || picture_channels(p->shape()) ? TensorType::U8 : TensorType::FP16;
    c.io_precision[p->name] = element_type(o.input_precision.value_or(usual));
  }
  if (quirks && o.output_precision) c.output_precision = element_type(*o.output_precision);
  if (!quirks) set_output_precisions(c, o, graph);
  for (const auto& [name, type] : o.io_precision) c.io_precision[name] = element_type(type);
  return c;
}

bool lacks_memory(const Error& e) { return e.code() == ErrorCode::AllocationFailed; }
bool lacks_memory(const ErrorList& list) {
  return !list.errors().empty() && std::ranges::all_of(list.errors(), [](const Error& e) { return lacks_memory(e); });
}

std::vector<Departure> departures(const CameraOptions& o) {
  std::vector<Departure> list;
  const auto states = [&](std::string_view key) {
    return std::ranges::any_of(o.config, [&](const auto& pair) { return pair.first.ends_with(key); });
  };
  if (!states("PACK_DATA_IN_CMX"))
    list.push_back({"its stages find no room in the memory on the chip; data stay outside of it, which is slower",
                    [](vpu::CompileOptions& c) { c.pack_data_in_cmx = vpu::Tristate::No; }});
  if (!states("TILING_CMX_LIMIT_KB"))
    for (const int kb : {256, 128, 64})
      list.push_back({"its stages find no room in the memory on the chip; convolutions work on tiles of " +
                          std::to_string(kb) + " KB, which is slower",
                      [kb](vpu::CompileOptions& c) { c.tiling_cmx_limit_kb = kb; }});
  for (const int more : {1, 2})
    if (const int slices = o.shaves + more; !o.slices && !states("CMX_SLICES"))
      list.push_back({"its stages find no room in " + std::to_string(o.shaves) + " slices of memory; it takes " +
                          std::to_string(slices),
                      [slices](vpu::CompileOptions& c) { set_slices(c, slices); }});
  for (int shaves = o.shaves - 1; shaves > 0 && !states("SHAVES"); --shaves)
    list.push_back({"its stages find no room in the memory on the chip with " + std::to_string(o.shaves) +
                        " SHAVEs; it is compiled for " + std::to_string(shaves),
                    [shaves](vpu::CompileOptions& c) { c.shaves = shaves; }});
  return list;
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

/// A model as it is compiled, and all that was said of it on the way.
struct Network {
  Graph graph;
  api::LayersOfModel layers;
  Diagnostics diagnostics;
  vpu::CompileOptions options;
  std::optional<DetectionHead> head;
};

/// Keys that Intel's compiler of the release would refuse; here they do what they do in the other one.
std::optional<Remark> keys_of_other_releases(const CameraOptions& o, const Graph& graph) {
  std::string keys;
  for (const auto& [key, value] : o.config)
    if (!vpu::knows(*graph.release, key)) keys += (keys.empty() ? "" : ", ") + key;
  if (keys.empty()) return std::nullopt;
  return Remark{Remark::Kind::NotAsIntel,
                graph.name,
                "network",
                {},
                "configuration that only another version of OpenVINO knows is applied (" + keys + ")"};
}

Network read_network(const ModelFile& model, const ConvertOptions& o) {
  Network n;
  api::ReadGraph read = api::read_graph(model,
                                        {.input_shapes = o.input_shapes,
                                         .conversion = o.conversion,
                                         .quirks = o.quirks,
                                         .target = o.target,
                                         .control = part_of(o.control, 0, 0.2)},
                                        n.diagnostics);
  n.graph = std::move(read.graph);
  n.head = read.head ? std::move(read.head) : heads::find(n.graph, read.metadata);
  n.layers = api::LayersOfModel(n.graph);
  if (!o.ir_folder.empty()) write_ir(model.path(), o, n.graph);
  for (Remark& r : comparison::remaining_faults(n.graph, o.quirks)) n.diagnostics.remarks.push_back(std::move(r));
  for (Remark& r : legalise(n.graph, o.quirks)) n.diagnostics.remarks.push_back(std::move(r));
  n.options = api::camera_options(o.camera, n.graph, o.quirks);
  n.options.runtime_2_0 = read.runtime_2_0;
  if (auto remark = keys_of_other_releases(o.camera, n.graph)) n.diagnostics.remarks.push_back(*std::move(remark));
  const auto takes_bytes = [&](const std::string& input) {
    const auto it = n.options.io_precision.find(input);
    return it != n.options.io_precision.end() && it->second == ElementType::u8;
  };
  std::erase_if(n.diagnostics.remarks, [&](const Remark& r) {  // nothing but a camera delivers bytes
    return r.kind == Remark::Kind::RawPicture && !takes_bytes(r.layer);
  });
  if (!o.dump_passes.empty()) n.options.dump_passes = o.dump_passes;
  return n;
}

void depart(const api::Departure* departure, const Graph& graph, vpu::CompileOptions& options,
            Diagnostics& diagnostics) {
  if (!departure) return;
  departure->apply(options);
  diagnostics.remarks.push_back({Remark::Kind::NotAsIntel, graph.name, "network", {}, departure->what});
}

/// Options of a network that is prepared, for a camera's SHAVEs.
vpu::CompileOptions options_for(const CameraOptions& camera, const Network& n, const Graph& network,
                                const api::Departure* departure, Diagnostics& diagnostics) {
  vpu::CompileOptions options = n.options;
  api::set_shaves(options, camera, camera.shaves);
  depart(departure, network, options, diagnostics);
  return options;
}

CompileResult compile_for(const CameraOptions& camera, const Network& n, const vpu::Prepared& prepared,
                          const ConvertOptions& o, const api::Departure* departure, const Control& control) {
  Diagnostics diagnostics = n.diagnostics;
  const vpu::CompileOptions options = options_for(camera, n, prepared.graph, departure, diagnostics);
  CompileResult r = api::compile_prepared(prepared, options, o.target, std::move(diagnostics), control);
  r.layer_stages = n.layers.computed_by(r.origins);
  r.head = n.head;
  return r;
}

vpu::Prepared prepare(Network& n, const ConvertOptions& o) {
  return api::prepare_graph(std::move(n.graph), n.options, o.target, n.diagnostics, part_of(o.control, 0.2, 0.3));
}

CompileResult convert_whole(const ModelFile& model, const ConvertOptions& o) {
  Network n = read_network(model, o);
  return api::in_file(model.path(), [&] {
    const auto start = std::chrono::steady_clock::now();
    const vpu::Prepared prepared = prepare(n, o);
    const auto attempt = [&](const api::Departure* d) {
      return compile_for(o.camera, n, prepared, o, d, part_of(o.control, 0.3, 1));
    };
    CompileResult r = o.quirks ? attempt(nullptr) : api::fitted(o.camera, attempt);
    r.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return r;
  });
}

}  // namespace

CompileResult convert(const ModelFile& model, const ConvertOptions& o) {
  vpu::find_target(o.target);  // throws before the work where there is none
  return api::with_cut_advice(model, o, [&] { return convert_whole(model, o); });
}

namespace {

/// Reads and prepares a model, then makes and takes what several numbers of SHAVEs need of it: the first, then the
/// others in several threads. make(place in `shaves`, camera, network, prepared).
template <class Make>
void for_each_number(const ModelFile& model, std::span<const int> shaves, const ConvertOptions& o, Make make) {
  vpu::find_target(o.target);  // throws before the work where there is none
  if (shaves.empty()) return;
  Network n = read_network(model, o);
  api::in_file(model.path(), [&] {
    vpu::Prepared prepared = prepare(n, o);
    vpu::share_contents(prepared);
    const auto one = [&](size_t i) {
      CameraOptions camera = o.camera;
      camera.shaves = shaves[i];  // departures go from these
      make(i, camera, n, prepared);
    };
    one(0);
    in_parallel(shaves.size() - 1, part_of(o.control, 0.3, 1), "passes", [&](size_t i) { one(i + 1); });
  });
}

CompileResult fitted_result(const CameraOptions& camera, const Network& n, const vpu::Prepared& prepared,
                            const ConvertOptions& o) {
  return api::fitted(
      camera, [&](const api::Departure* d) { return compile_for(camera, n, prepared, o, d, {{}, o.control.stop}); });
}

}  // namespace

void api::convert_blobs(const ModelFile& model, std::span<const int> shaves, const ConvertOptions& o,
                        const std::function<void(CompileResult)>& take_first,
                        const std::function<void(size_t, const ChunkedBytes&)>& take) {
  for_each_number(model, shaves, o, [&](size_t i, const CameraOptions& camera, const Network& n, const auto& prepared) {
    if (i == 0) return take_first(fitted_result(camera, n, prepared, o));
    take(i, api::fitted(camera, [&](const api::Departure* d) {
           Diagnostics nobodys;
           const vpu::CompileOptions options = options_for(camera, n, prepared.graph, d, nobodys);
           return api::compile_blob(prepared, options, o.target, nobodys, nullptr, {{}, o.control.stop});
         }));
  });
}

std::vector<CompileResult> convert_each(const ModelFile& model, std::span<const int> shaves, const ConvertOptions& o) {
  std::vector<std::optional<CompileResult>> results(shaves.size());
  for_each_number(model, shaves, o, [&](size_t i, const CameraOptions& camera, const Network& n, const auto& prepared) {
    results[i] = fitted_result(camera, n, prepared, o);
  });
  std::vector<CompileResult> r;
  for (auto& one : results) r.push_back(std::move(*one));
  return r;
}

}  // namespace blobsmith
