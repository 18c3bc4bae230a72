// blobsmith estimate: how fast a network will be on the device. blobsmith fps: how fast others were measured.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "api/model.hpp"
#include "cli/cli.hpp"
#include "cli/estimate_report.hpp"
#include "cli/text.hpp"
#include "core/file.hpp"
#include "transforms/legalise/legalise.hpp"
#include "vpu/compile.hpp"
#include "vpu/format/reader.hpp"

namespace blobsmith::cli {
namespace {

struct EstimateArguments {
  ModelOptions model;
  std::string html, other, constants;
  bool json = false;
};

estimate::Constants read_constants(const std::string& file) {
  estimate::Constants constants;
  if (file.empty()) return constants;
  const Bytes text = read_file(file, 1 << 20);
  const auto j = nlohmann::json::parse(text.span().begin(), text.span().end(), nullptr, false);
  if (!j.is_object()) throw Error(ErrorCode::BadOptionValue, file + " is no JSON object of constants");
  for (const auto& [name, value] : j.items()) {
    if (!value.is_number()) throw Error(ErrorCode::BadOptionValue, "\"" + name + "\" in " + file + " is no number");
    constants.set(name, value.get<double>());
  }
  return constants;
}

EstimateResult of_blob(const std::string& file, const estimate::Constants& constants) {
  EstimateResult r;
  r.file = file;
  r.blob = vpu::read_blob(read_file(file));
  r.estimate = estimate::estimate(r.blob, constants);
  return r;
}

EstimateResult of_model(const EstimateArguments& o, const estimate::Constants& constants) {
  EstimateResult r;
  r.file = o.model.file;
  Diagnostics said;
  Graph graph = api::read_graph(r.file, {.input_shapes = o.model.input_shapes()}, said);
  const estimate::NetworkSize size = estimate::size_of(graph);
  r.gflops = size.gflops();
  r.mparams = size.parameters / 1e6;
  r.measured = estimate::recognise(graph);
  legalise(graph, false);
  const vpu::CompileOptions options = api::camera_options(o.model.for_camera(), graph, false);
  r.by_shaves = estimate::sweep([&] { return graph.clone(); }, options, constants);
  const ChunkedBytes blob = vpu::compile(std::move(graph), options, said);
  r.blob = vpu::read_blob(Bytes::adopt(blob.joined()));
  r.estimate = estimate::estimate(r.blob, constants);
  return r;
}

EstimateResult of_file(const EstimateArguments& o, const std::string& file, const estimate::Constants& constants) {
  if (std::filesystem::path(file).extension() == ".blob") return of_blob(file, constants);
  EstimateArguments one = o;
  one.model.file = file;
  return of_model(one, constants);
}

void print_comparison(const EstimateResult& a, const EstimateResult& b) {
  const auto line = [](const char* what, double x, double y, const char* unit) {
    std::printf("%-14s %10.2f %10.2f %-4s %+7.1f %%\n", what, x, y, unit, x > 0 ? 100 * (y / x - 1) : 0);
  };
  std::printf("A: %s\nB: %s\n\n%-14s %10s %10s\n", a.file.c_str(), b.file.c_str(), "estimate", "A", "B");
  const estimate::Estimate &x = a.estimate, &y = b.estimate;
  line("throughput", x.fps, y.fps, "FPS");
  line("latency", x.latency / 1000, y.latency / 1000, "ms");
  line("NCE", x.nce / 1000, y.nce / 1000, "ms");
  line("DDR", x.ddr / 1000, y.ddr / 1000, "ms");
  line("SHAVE", x.shave / 1000, y.shave / 1000, "ms");
  line("overhead", x.overhead / 1000, y.overhead / 1000, "ms");
  line("stages", double(x.stages.size()), double(y.stages.size()), "");
  line("DDR traffic", x.ddr_bytes / 1e6, y.ddr_bytes / 1e6, "MB");
}

}  // namespace

int estimate_command(const Arguments& args) {
  CLI::App app("Example: blobsmith estimate model.onnx", "blobsmith estimate");
  EstimateArguments o;
  add_model_options(app, o.model);
  app.get_option("model")->description("a model (.onnx, .xml: every number of SHAVEs) or a .blob");
  add_camera_options(app, o.model);
  app.add_option("--compare", o.other, "a second model or blob: what differs");
  app.add_option("--constants", o.constants, "a JSON file with constants of the cost model (tools/fit_cost_model.py)");
  app.add_option("--html", o.html, "write a page with charts into this file");
  app.add_flag("--json", o.json, "print the estimate as JSON");
  if (const int code = parse(app, args); code >= 0) return code;
  const estimate::Constants constants = read_constants(o.constants);
  const EstimateResult result = of_file(o, o.model.file, constants);
  if (!o.other.empty()) {
    const EstimateResult other = of_file(o, o.other, constants);
    if (o.json)
      std::printf("{\"a\": %s,\n\"b\": %s}\n", estimate_json(result).c_str(), estimate_json(other).c_str());
    else
      print_comparison(result, other);
    return kDone;
  }
  if (!o.html.empty()) write_file(o.html, estimate_html(result));
  if (o.json)
    std::printf("%s\n", estimate_json(result).c_str());
  else
    print_estimate(result);
  return kDone;
}

int fps_command(const Arguments& args) {
  CLI::App app("Example: blobsmith fps mobilenet", "blobsmith fps");
  std::string name;
  bool json = false;
  app.add_option("name", name, "only models whose name holds this");
  app.add_flag("--json", json, "print the rows as JSON");
  if (const int code = parse(app, args); code >= 0) return code;
  auto rows = nlohmann::ordered_json::array();
  for (const estimate::Measurement& m : estimate::measurements())
    if (upper_case(m.model).find(upper_case(name)) != std::string::npos)
      rows.push_back({{"model", m.model},
                      {"input", m.input},
                      {"gflops", m.gflops},
                      {"mparams", m.mparams},
                      {"device", m.device},
                      {"toolchain", m.toolchain},
                      {"shaves", m.shaves},
                      {"fps", m.fps},
                      {"source", m.source}});
  if (json) {
    std::printf("%s\n", rows.dump(1).c_str());
    return kDone;
  }
  if (rows.empty()) std::printf("no measured network has \"%s\" in its name\n", name.c_str());
  for (const auto& r : rows)
    std::printf("%7.1f FPS  %s %s, %s, %s, shaves %s (%s)\n", r["fps"].get<double>(),
                r["model"].get<std::string>().c_str(), r["input"].get<std::string>().c_str(),
                r["device"].get<std::string>().c_str(), r["toolchain"].get<std::string>().c_str(),
                r["shaves"].get<std::string>().c_str(), r["source"].get<std::string>().c_str());
  return kDone;
}

}  // namespace blobsmith::cli
