#include "reports/json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace blobsmith::reports {
namespace {

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }

void set_if(Json& j, const char* key, const std::string& value) {
  if (!value.empty()) j[key] = value;
}

// ---- check ----

Json problem_json(const CheckResult& r, size_t k) {
  const CheckProblem& p = r.problems[k];
  Json j{{"number", k + 1}, {"code", error_name(p.error.code())}, {"message", p.error.what()}};
  if (p.layer >= 0) {
    const CheckedLayer& l = r.layers[static_cast<size_t>(p.layer)];
    j["layer"] = l.name;
    j["type"] = l.type;
    if (!l.source.empty()) j["source"] = l.source;
  } else {
    j["layer"] = p.error.has_address() ? Json(p.error.layer()) : Json(nullptr);
  }
  if (!p.error.why().empty()) j["why"] = p.error.why();
  if (!p.error.hint().empty()) j["hint"] = p.error.hint();
  if (!p.nearest.empty()) j["nearest"] = p.nearest;
  if (!p.cut_at.empty()) j["cut_at"] = p.cut_at;
  return j;
}

Json of_tensors(const std::vector<TensorInfo>& list) {
  Json j = Json::array();
  for (const TensorInfo& t : list) j.push_back({{"name", t.name}, {"type", to_string(t.type)}, {"shape", t.shape}});
  return j;
}

Json layer_json(const CheckResult& r, size_t i) {
  const CheckedLayer& l = r.layers[i];
  Json j{{"name", l.name},
         {"type", l.type},
         {"status", to_string(l.status)},
         {"inputs", l.inputs},
         {"outputs", l.outputs}};
  if (!l.fix.empty()) j["fix"] = l.fix;
  Json numbers = Json::array();
  for (size_t k = 0; k < r.problems.size(); ++k)
    if (r.problems[k].layer == static_cast<int>(i)) numbers.push_back(k + 1);
  if (!numbers.empty()) j["problems"] = std::move(numbers);
  return j;
}

// ---- comparison ----

Json layer_json(const LayerResult& l) {
  return {{"name", l.name},
          {"type", l.type},
          {"shape", l.shape},
          {"output", l.is_output},
          {"stage", l.stage >= 0 ? Json(l.stage) : Json(nullptr)},
          {"within", l.within},
          {"values", l.count},
          {"largest", number(l.largest)},
          {"max_error", number(l.max_error)},
          {"mean_error", number(l.mean_error)},
          {"relative_error", number(l.relative_error)},
          {"cosine", number(l.cosine)},
          {"worst",
           {{"at", l.worst_at},
            {"model", number(static_cast<double>(l.model_value))},
            {"blob", number(static_cast<double>(l.blob_value))}}},
          {"overflows", l.overflows},
          {"flushed", l.flushed},
          {"nans", l.nans},
          {"model_special", l.model_special},
          {"labels_differ", l.differing >= 0 ? Json(l.differing) : Json(nullptr)},
          {"rounding_alone", l.rounding >= 0 ? number(l.rounding) : Json(nullptr)}};
}

// ---- estimate ----

Json stage_json(const Estimate& e, size_t i) {
  const StageEstimate& c = e.stages[i];
  const StageWork& w = c.work;
  return {{"index", i},
          {"layer", c.layer},
          {"type", c.type},
          {"kind", c.kind},
          {"us", c.total},
          {"share", c.total / e.sum},
          {"bound", to_string(c.bound)},
          {"known", c.known},
          {"input", c.input},
          {"output", c.output},
          {"shaves", c.shaves},
          {"parts",
           {{"nce", c.nce},
            {"weights", c.weights},
            {"ddr_input", c.ddr_input},
            {"ddr", c.ddr},
            {"shave", c.shave},
            {"overhead", c.overhead}}},
          {"work",
           {{"cycles", w.cycles},
            {"mode_cycles", w.mode_cycles},
            {"pool_cycles", w.pool_cycles},
            {"macs", w.macs},
            {"weight_bytes", w.weight_bytes},
            {"input_bytes", w.input_bytes},
            {"descriptors", w.descriptors},
            {"bytes", w.bytes},
            {"ddr_ends", w.ddr_ends},
            {"pieces", w.pieces},
            {"elements", w.elements},
            {"class", w.element_class},
            {"ddr_bytes", w.ddr_bytes}}},
          {"live_bytes", {{"cmx", c.live_cmx}, {"ddr", c.live_ddr}}},
          {"advice", c.advice}};
}

Json summary(const Estimate& e) {
  return {{"shaves", e.shaves},
          {"slices", e.slices},
          {"streams", e.streams},
          {"fps", e.fps},
          {"range", {e.fps_low, e.fps_high}},
          {"latency_ms", e.latency / 1000},
          {"latency_loaded_ms", e.loaded_latency / 1000},
          {"bound", e.bound}};
}

Json whole(const std::string& file, const Estimate& e) {
  Json j = summary(e);
  j["file"] = file;
  j["sum_ms"] = e.sum / 1000;
  j["parts_ms"] = {
      {"NCE", e.nce / 1000}, {"DDR", e.ddr / 1000}, {"SHAVE", e.shave / 1000}, {"overhead", e.overhead / 1000}};
  j["ddr_bytes"] = e.ddr_bytes;
  j["io_bytes"] = e.io_bytes;
  j["hardware_macs"] = e.macs;
  j["peak_bytes"] = {{"cmx", e.cmx_peak}, {"ddr", e.ddr_peak}, {"constants", e.constants}};
  j["usb3_fps"] = e.usb3_fps;
  j["usb2_fps"] = e.usb2_fps;
  j["caveats"] = e.caveats;
  return j;
}

void add_stages(Json& j, const Estimate& e) {
  for (const LayerCost& l : costliest_layers(e))
    j["costliest"].push_back({{"layer", l.layer},
                              {"us", l.total},
                              {"share", l.total / e.sum},
                              {"stages", l.stages},
                              {"advice", e.stages[l.stages[0]].advice}});
  for (size_t i = 0; i < e.stages.size(); ++i) j["stages"].push_back(stage_json(e, i));
}

}  // namespace

Json of_error(const Error& e) {
  Json j{{"code", error_name(e.code())}, {"message", e.what()}};
  set_if(j, "file", e.file());
  set_if(j, "layer", e.layer());
  set_if(j, "type", e.layer_type());
  set_if(j, "source", e.source());
  set_if(j, "why", e.why());
  set_if(j, "hint", e.hint());
  return j;
}

Json of_ports(const std::vector<BlobPort>& ports) {
  Json list = Json::array();
  for (const BlobPort& p : ports)
    list.push_back({{"name", p.name}, {"type", to_string(p.type)}, {"shape", p.shape}, {"layout", p.layout}});
  return list;
}

Json of_head(const DetectionHead& h) {
  Json j{{"family", h.family},
         {"camera_decodes", h.camera_decodes()},
         {"classes", h.classes},
         {"coordinates", h.coordinates},
         {"strides", h.strides},
         {"anchors", h.anchors},
         {"outputs", h.outputs},
         {"labels", h.labels},
         {"config", Json::parse(camera_config(h))}};
  set_if(j, "subtype", h.subtype);
  return j;
}

namespace {
const char* list_of(Remark::Kind kind) {
  switch (kind) {
    case Remark::Kind::OfTarget: return "of_target";
    case Remark::Kind::NotAsIntel: return "not_as_intel";
    case Remark::Kind::RawPicture: return "raw_pictures";
    default: return "warnings";
  }
}
}  // namespace

Json of_conversion(const CompileResult& r, const std::string& target) {
  Json j{{"bytes", r.blob.size()},       {"target", target},
         {"layers", r.layers},           {"stages", r.stages},
         {"inputs", of_ports(r.inputs)}, {"outputs", of_ports(r.outputs)},
         {"rewrites", Json::array()},    {"not_as_intel", Json::array()},
         {"warnings", Json::array()},    {"of_target", Json::array()},
         {"raw_pictures", Json::array()}};
  if (r.head) j["head"] = of_head(*r.head);
  for (const Remark& m : r.remarks) {
    Json common{{"layer", m.layer}, {"type", m.type}};
    set_if(common, "source", m.source);
    if (m.kind == Remark::Kind::Rewritten) {
      common.update({{"replacement", m.what}, {"max_error", m.max_error}});
      j["rewrites"].push_back(std::move(common));
    } else {
      common["what"] = m.what;
      j[list_of(m.kind)].push_back(std::move(common));
    }
  }
  return j;
}

Json of_layers(const CompileResult& r) {
  Json j{{"stages", Json::array()}, {"layers", Json::array()}};
  for (const StageOrigin& s : r.origins) {
    Json stage{{"name", s.name}};
    set_if(stage, "layer", s.layer);
    set_if(stage, "type", s.type);
    set_if(stage, "source", s.source);
    j["stages"].push_back(std::move(stage));
  }
  for (const LayerStages& l : r.layer_stages) {
    Json layer{{"name", l.layer}, {"type", l.type}, {"stages", l.stages}};
    set_if(layer, "source", l.source);
    set_if(layer, "inside", l.inside);
    j["layers"].push_back(std::move(layer));
  }
  return j;
}

Json of_check(const std::string& model, const CheckResult& r) {
  using Status = CheckedLayer::Status;
  Json j{{"model", model},
         {"compiles", r.compiles()},
         {"supported", r.count(Status::Supported)},
         {"fixed", r.count(Status::Fixed)},
         {"unsupported", r.count(Status::Unsupported)},
         {"not_checked", r.count(Status::NotChecked)},
         {"inputs", of_tensors(r.inputs)},
         {"outputs", of_tensors(r.outputs)},
         {"problems", Json::array()},
         {"warnings", Json::array()},
         {"layers", Json::array()}};
  for (size_t k = 0; k < r.problems.size(); ++k) j["problems"].push_back(problem_json(r, k));
  for (const Remark& f : r.remarks)
    j["warnings"].push_back({{"layer", f.layer}, {"type", f.type}, {"what", f.what}, {"convert_avoids", f.avoidable}});
  for (size_t i = 0; i < r.layers.size(); ++i) j["layers"].push_back(layer_json(r, i));
  return j;
}

Json of_comparison(const std::string& model, const std::string& blob, double tolerance, const CompareResult& r) {
  const Comparison& c = r.comparison;
  const LayerResult* first = c.first_outside();
  Json j{{"model", model},
         {"blob", blob.empty() ? Json(nullptr) : Json(blob)},
         {"tolerance", tolerance},
         {"outputs_within", c.outputs_within()},
         {"first_outside", first ? Json(first->name) : Json(nullptr)},
         {"traced", r.traced},
         {"model_layers", c.model_layers},
         {"compared_layers", c.compared_layers},
         {"milliseconds", {{"blob", c.blob_milliseconds}, {"model", c.model_milliseconds}}},
         {"layers", Json::array()},
         {"computed_inside", Json::array()},
         {"not_compared", Json::array()},
         {"known_faults", Json::array()},
         {"hints", r.advice}};
  for (const LayerResult& l : c.layers) j["layers"].push_back(layer_json(l));
  for (const Inside& i : c.inside)
    j["computed_inside"].push_back(
        {{"name", i.name}, {"type", i.type}, {"shows_in", i.shows_in.empty() ? Json(nullptr) : Json(i.shows_in)}});
  for (const Skipped& k : c.skipped) j["not_compared"].push_back({{"name", k.name}, {"why", k.why}});
  for (const Remark& f : r.faults)
    j["known_faults"].push_back({{"layer", f.layer}, {"type", f.type}, {"what", f.what}, {"avoidable", f.avoidable}});
  return j;
}

Json of_measurement(const Measurement& m) {
  return {{"model", m.model},     {"input", m.input},   {"gflops", m.gflops},
          {"mparams", m.mparams}, {"device", m.device}, {"toolchain", m.toolchain},
          {"shaves", m.shaves},   {"fps", m.fps},       {"source", m.source}};
}

Json of_estimate(const std::string& file, const Estimate& e) {
  Json j = whole(file, e);
  add_stages(j, e);
  return j;
}

Json of_estimate(const std::string& file, const EstimateResult& r) {
  Json j = whole(file, r.estimate);
  j["gflops"] = r.gflops;
  j["mparams"] = r.mparams;
  j["best_shaves"] = r.best_shaves;
  for (const ShaveEstimate& s : r.by_shaves)
    j["by_shaves"].push_back(s.error.empty() ? summary(s.estimate) : Json{{"shaves", s.shaves}, {"error", s.error}});
  j["measured"] = Json::array();
  for (const Measurement& m : r.measured) j["measured"].push_back(of_measurement(m));
  add_stages(j, r.estimate);
  return j;
}

std::string text(const Json& j) { return j.dump(1, ' ', false, Json::error_handler_t::replace); }

}  // namespace blobsmith::reports
