// The text is printed from the JSON document, so that both say the same.
#include "vpu/format/inspect.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "vpu/format/account.hpp"
#include "vpu/format/eltwise.hpp"
#include "vpu/format/params_json.hpp"

namespace blobsmith::vpu {
namespace {

using Json = nlohmann::ordered_json;

Json stage_params_json(const BlobStage& s) {
  if (const auto* p = dynamic_cast<const EltwiseParams*>(s.params.get())) {
    const bool integers = !s.buffers.empty() && s.buffers[0].desc.type == DataType::S32;
    const auto number = [integers](uint32_t bits) {
      return integers ? Json(EltwiseParams::integer(bits)) : Json(EltwiseParams::real(bits));
    };
    const auto post = stage_type_from_id(p->post_operation);
    return {{"coeff1", number(p->coeff1)},
            {"coeff2", number(p->coeff2)},
            {"postOperation", p->post_operation < 0 || !post ? "none" : to_string(*post)},
            {"negativeSlope", number(p->negative_slope)},
            {"min_value", number(p->min_value)},
            {"max_value", number(p->max_value)}};
  }
  return params_json(*s.params);
}

/// Outermost first, as the order's name reads.
Json outermost_first(std::vector<int64_t> v) {
  std::reverse(v.begin(), v.end());
  return v;
}

Json desc_json(const BlobTensorDesc& d) {
  Json j{{"type", to_string(d.type)}, {"order", d.order.name()}};
  if (d.is_dynamic())
    j["dims"] = std::string("in ") + to_string(d.dims_location) + "+" + std::to_string(d.dims_offset);
  else
    j["dims"] = outermost_first(d.dims);
  j["strides"] = outermost_first(d.strides);
  return j;
}

Json stage_json(const BlobStage& s) {
  Json j{{"type", to_string(s.type)},
         {"id", static_cast<int>(s.type)},
         {"shaves", s.shaves},
         {"fileOffset", s.file_offset},
         {"bytes", s.file_size}};
  j["params"] = stage_params_json(s);
  j["buffers"] = Json::array();
  for (const BlobBuffer& b : s.buffers) {
    Json r{{"role", b.role}};
    r.update(desc_json(b.desc));
    r["location"] = to_string(b.location);
    if (b.location == Location::Input || b.location == Location::Output) r["io"] = b.io.index;
    r["offset"] = b.offset;
    j["buffers"].push_back(std::move(r));
  }
  if (s.injected) j["injected"] = stage_json(*s.injected);
  return j;
}

Json io_json(const std::vector<BlobIo>& list) {
  Json j = Json::array();
  for (const BlobIo& io : list) {
    Json r{{"name", io.name}};
    r.update(desc_json(io.desc));
    r["offset"] = io.buffer_offset;
    j.push_back(std::move(r));
  }
  return j;
}

Json header_json(const Blob& b) {
  const BlobHeader& h = b.header;
  return {{"version", std::to_string(h.version_major) + "." + std::to_string(h.version_minor)},
          {"fileSize", h.file_size},
          {"shaves", h.shaves},
          {"cmxSlices", h.slices},
          {"batch", h.batch_size},
          {"stages", h.stage_count},
          {"inputsSize", h.inputs_size},
          {"outputsSize", h.outputs_size},
          {"bssSize", h.bss_size},
          {"hasHwStage", h.has_hw_stage != 0},
          {"hasShaveStage", h.has_shave_stage != 0},
          {"hasDmaStage", h.has_dma_stage != 0}};
}

Json account_json(const ByteAccount& a) {
  Json j{{"complete", a.complete()},
         {"padding", a.padding},
         {"unmentionedConstants", a.unmentioned_constants},
         {"unmentionedShapes", a.unmentioned_shapes},
         {"unexplained", a.unexplained}};
  j["problems"] = a.problems;
  j["sections"] = Json::array();
  for (const auto& s : a.sections)
    j["sections"].push_back({{"name", s.name}, {"begin", s.begin}, {"end", s.end}, {"paddedEnd", s.padded_end}});
  j["constants"] = Json::array();
  for (const auto& r : a.constants) {
    Json e{{"kind", to_string(r.kind)}, {"offset", r.begin}, {"bytes", r.end - r.begin}};
    if (!r.users.empty()) e["users"] = r.users;
    j["constants"].push_back(std::move(e));
  }
  return j;
}

Json network_info_json(const BlobNetworkInfo& info) {
  Json j = Json::object();
  for (const auto& [key, list] : {std::pair("parameters", &info.parameters), std::pair("results", &info.results)}) {
    j[key] = Json::array();
    for (const auto& n : *list) {
      j[key].push_back(
          {{"name", n.name}, {"shape", n.shape}, {"elementType", n.element_type}, {"tensorNames", n.tensor_names}});
      if (!n.legacy_name.empty()) j[key].back()["legacyName"] = n.legacy_name;
    }
  }
  return j;
}

Json document(const Blob& b) {
  Json j{{"kind", "blob"}, {"header", header_json(b)}, {"inputs", io_json(b.inputs)}, {"outputs", io_json(b.outputs)}};
  j["stages"] = Json::array();
  for (const BlobStage& s : b.stages) j["stages"].push_back(stage_json(s));
  if (b.network_info) j["networkInfo"] = network_info_json(*b.network_info);
  j["account"] = account_json(account_bytes(b));
  return j;
}

// ---- text ----

std::string value_text(const Json& v) {
  if (v.is_string()) return v.get<std::string>();
  if (!v.is_array()) return v.dump();
  std::string s;
  for (const Json& e : v) s += (s.empty() ? "" : ",") + value_text(e);
  return "[" + s + "]";
}

std::string padded(std::string s, size_t width) {
  s.resize(std::max(s.size(), width), ' ');
  return s;
}

/// "a=1 b=[2,3]", lists of objects on lines of their own.
void append_params(std::string& out, const Json& params, const std::string& indent) {
  std::string line, lists;
  for (const auto& [key, v] : params.items()) {
    const bool objects = v.is_array() && !v.empty() && v[0].is_object();
    if (!objects) line += (line.empty() ? "" : " ") + key + "=" + value_text(v);
    for (size_t i = 0; objects && i < v.size(); ++i) {
      lists += indent + key + "[" + std::to_string(i) + "] ";
      append_params(lists, v[i], "");
    }
  }
  if (!line.empty()) out += indent + line + "\n";
  out += lists;
}

std::string tensor_text(const Json& t) {
  return padded(t["type"].get<std::string>(), 5) + padded(t["order"].get<std::string>(), 6) +
         padded(value_text(t["dims"]), 22) + " strides " + value_text(t["strides"]);
}

void append_stage(std::string& out, const Json& s, const std::string& title, const std::string& indent) {
  out += indent + title + "  " + s["type"].get<std::string>() + " (" + value_text(s["id"]) + ")  shaves " +
         value_text(s["shaves"]) + "  at " + value_text(s["fileOffset"]) + ", " + value_text(s["bytes"]) + " bytes\n";
  append_params(out, s["params"], indent + "    ");
  for (const Json& b : s["buffers"]) {
    std::string place = b["location"].get<std::string>();
    if (b.contains("io")) place += "#" + value_text(b["io"]);
    if (place != "None") place += "+" + value_text(b["offset"]);
    out += indent + "    " + padded(b["role"].get<std::string>(), 8) + padded(place, 18) + tensor_text(b) + "\n";
  }
  if (s.contains("injected")) append_stage(out, s["injected"], "injected", indent + "    ");
}

void append_account(std::string& out, const Json& a) {
  out += "bytes\n";
  for (const Json& s : a["sections"])
    out += "  " + padded(s["name"].get<std::string>(), 14) + value_text(s["begin"]) + " .. " + value_text(s["end"]) +
           ", padded to " + value_text(s["paddedEnd"]) + "\n";
  out += "const section\n";
  for (const Json& r : a["constants"]) {
    out +=
        "  " + padded(value_text(r["offset"]), 10) + padded(value_text(r["bytes"]), 10) + r["kind"].get<std::string>();
    if (r.contains("users")) out += "  used by " + value_text(r["users"]);
    out += "\n";
  }
  for (const Json& p : a["problems"]) out += "problem: " + p.get<std::string>() + "\n";
  out += "account: padding " + value_text(a["padding"]) + ", unmentioned constants " +
         value_text(a["unmentionedConstants"]) + ", unmentioned shapes " + value_text(a["unmentionedShapes"]) +
         ", unexplained " + value_text(a["unexplained"]) + " bytes\n";
}

}  // namespace

std::string inspect_json(const Blob& blob) {
  return document(blob).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string inspect_text(const Blob& blob) {
  const Json j = document(blob);
  std::string out = "MyriadX blob\n";
  for (const auto& [key, v] : j["header"].items()) out += "  " + padded(key, 16) + value_text(v) + "\n";
  for (const char* kind : {"inputs", "outputs"}) {
    out += std::string(kind) + "\n";
    for (const Json& io : j[kind])
      out += "  " + padded(io["name"].get<std::string>(), 24) + " at " + padded(value_text(io["offset"]), 10) +
             tensor_text(io) + "\n";
  }
  size_t index = 0;
  for (const Json& s : j["stages"]) append_stage(out, s, "stage " + std::to_string(index++), "");
  if (j.contains("networkInfo"))
    out += "network info (2022.1) " + j["networkInfo"].dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  append_account(out, j["account"]);
  return out;
}

}  // namespace blobsmith::vpu
