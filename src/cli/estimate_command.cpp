// blobsmith estimate: how fast a network will be on the device. blobsmith fps: how fast others were measured.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "blobsmith/files.hpp"
#include "cli/cli.hpp"
#include "cli/estimate_report.hpp"
#include "cli/progress.hpp"
#include "cli/text.hpp"
#include "reports/json.hpp"

namespace blobsmith::cli {
namespace {

struct EstimateArguments {
  ModelOptions model;
  std::string html, other, constants;
  bool json = false;
};

std::map<std::string, double> read_constants(const std::string& file) {
  std::map<std::string, double> constants;
  if (file.empty()) return constants;
  const std::vector<uint8_t> text = load_file(file, 1 << 20);
  const char* first = reinterpret_cast<const char*>(text.data());
  const auto j = nlohmann::json::parse(first, first + text.size(), nullptr, false);
  if (!j.is_object()) throw Error(ErrorCode::BadOptionValue, file + " is not a JSON object of constants");
  for (const auto& [name, value] : j.items()) {
    if (!value.is_number()) throw Error(ErrorCode::BadOptionValue, "\"" + name + "\" in " + file + " is not a number");
    constants[name] = value.get<double>();
  }
  return constants;
}

EstimateReport of_file(const EstimateArguments& o, const std::string& file,
                       const std::map<std::string, double>& constants) {
  if (std::filesystem::path(file).extension() == ".blob") return {file, {.estimate = estimate_blob(file, constants)}};
  ProgressBar bar;
  return {file, estimate_model(file, {.input_shapes = o.model.input_shapes(),
                                      .conversion = o.model.for_conversion(),
                                      .camera = o.model.for_camera(),
                                      .constants = constants,
                                      .control = bar.control()})};
}

void print_comparison(const EstimateReport& a, const EstimateReport& b) {
  const auto line = [](const char* what, double x, double y, const char* unit) {
    std::printf("%-14s %10.2f %10.2f %-4s %+7.1f %%\n", what, x, y, unit, x > 0 ? 100 * (y / x - 1) : 0);
  };
  std::printf("A: %s\nB: %s\n\n%-14s %10s %10s\n", a.file.c_str(), b.file.c_str(), "estimate", "A", "B");
  const Estimate &x = a.result.estimate, &y = b.result.estimate;
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
  app.get_option("model")->description("a model (every number of SHAVEs) or a .blob");
  add_camera_options(app, o.model);
  add_conversion_options(app, o.model);
  app.add_option("--compare", o.other, "a second model or blob: what differs");
  app.add_option("--constants", o.constants, "a JSON file with constants of the cost model (tools/fit_cost_model.py)");
  app.add_option("--html", o.html, "write a page with charts into this file");
  app.add_flag("--json", o.json, "print the estimate as JSON");
  if (const int code = parse(app, args); code >= 0) return code;
  const std::map<std::string, double> constants = read_constants(o.constants);
  const EstimateReport result = of_file(o, o.model.file, constants);
  if (!o.other.empty()) {
    const EstimateReport other = of_file(o, o.other, constants);
    if (o.json)
      std::printf("{\"a\": %s,\n\"b\": %s}\n", estimate_json(result).c_str(), estimate_json(other).c_str());
    else
      print_comparison(result, other);
    return kDone;
  }
  if (!o.html.empty()) save_file(o.html, estimate_html(result));
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
  for (const Measurement& m : measured_speeds())
    if (upper_case(m.model).find(upper_case(name)) != std::string::npos) rows.push_back(reports::of_measurement(m));
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
