// blobsmith convert: a model of any known format to a blob in one go, with the defaults of OAK cameras.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "blobsmith/convert.hpp"
#include "cli/cli.hpp"
#include "cli/progress.hpp"

namespace blobsmith::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ConvertArguments {
  ModelOptions model;
  std::string output, dump, ir, target = "2022.1";
  int ir_version = 10;
  bool quirks = false, explain = false, json = false, quiet = false;
};

void declare(CLI::App& app, ConvertArguments& o) {
  add_model_options(app, o.model);
  add_conversion_options(app, o.model);
  add_rewrite_options(app, o.model);
  add_framework_options(app, o.model.conversion.framework);
  app.add_option("-o", o.output, "blob to write (default: the model's name with .blob, in this folder)");
  add_camera_options(app, o.model);
  app.add_option("--target", o.target, "OpenVINO version that the blob states: " + all_targets() + " (default 2022.1)");
  app.add_option("--ir", o.ir, "also write the model as OpenVINO IR (.xml, .bin) into this folder, as it was read");
  app.add_option("--ir_version,--ir-version", o.ir_version, "of that IR: 10 (OpenVINO 2020 to 2022, default) or 11")
      ->check(CLI::IsMember({10, 11}));
  app.add_option("--dump-passes", o.dump, "write the program after every pass into this folder (.json, .dot)");
  app.add_flag("--explain", o.explain, "say which layers were rewritten, and how exactly");
  app.add_flag("--quirks", o.quirks, "reproduce the known wrong results of Intel's tools (docs/quirks.md)");
  app.add_flag("--json", o.json, "print the summary as JSON");
  app.add_flag("-q,--quiet", o.quiet, "print nothing but errors");
}

Json ports_json(const std::vector<BlobPort>& ports) {
  Json list = Json::array();
  for (const BlobPort& p : ports)
    list.push_back(
        {{"name", p.name}, {"type", std::string(to_string(p.type))}, {"shape", p.shape}, {"layout", p.layout}});
  return list;
}

void print_json(const ConvertArguments& o, const std::string& output, const CompileResult& r, double ms) {
  Json j{{"output", output},
         {"bytes", r.blob.size()},
         {"target", o.target},
         {"layers", r.layers},
         {"stages", r.stages},
         {"milliseconds", ms},
         {"rewrites", Json::array()},
         {"not_as_intel", Json::array()},
         {"warnings", Json::array()},
         {"inputs", ports_json(r.inputs)},
         {"outputs", ports_json(r.outputs)}};
  for (const Remark& m : r.remarks) {
    Json common{{"layer", m.layer}, {"type", m.type}};
    if (!m.source.empty()) common["source"] = m.source;
    if (m.kind == Remark::Kind::Rewritten) {
      common.update({{"replacement", m.what}, {"max_error", m.max_error}});
      j["rewrites"].push_back(std::move(common));
    } else {
      common["what"] = m.what;
      j[m.kind == Remark::Kind::NotAsIntel ? "not_as_intel" : "warnings"].push_back(std::move(common));
    }
  }
  std::printf("%s\n", j.dump(1, ' ', false, Json::error_handler_t::replace).c_str());
}

/// Says of which inputs it was guessed that they are not a camera's.
void print_guesses(const ConvertArguments& o, const CompileResult& r) {
  if (!o.model.ip.empty()) return;
  const auto stated = named_precisions(o.model.iop);
  std::string names;
  for (const BlobPort& p : r.inputs)
    if (p.type == TensorType::FP16 && !stated.contains(p.name))
      names += (names.empty() ? "\"" : ", \"") + p.name + "\" " + shape_text(p.shape);
  if (!names.empty()) std::printf("FP16 input, as no picture has its shape: %s (--ip U8 for bytes)\n", names.c_str());
}

void print_text(const ConvertArguments& o, const std::string& output, const CompileResult& r, double ms) {
  print_guesses(o, r);
  if (!o.model.preset.empty()) std::printf("%s\n", o.model.preset_text().c_str());
  for (const Remark& m : r.remarks)
    if (m.kind == Remark::Kind::NotAsIntel)
      std::printf("not as Intel's tools: \"%s\": %s\n", m.layer.c_str(), m.what.c_str());
    else if (m.kind == Remark::Kind::WrongResult)
      std::printf("warning: the blob computes something else than the model: %s\n", m.text().c_str());
    else if (o.explain)
      std::printf("rewritten: %s \"%s\" as %s (largest error %.1e)\n", m.type.c_str(), m.layer.c_str(), m.what.c_str(),
                  m.max_error);
  const auto rewrites = std::ranges::count(r.remarks, Remark::Kind::Rewritten, &Remark::kind);
  const std::string more = rewrites == 0 ? "" : ", " + std::to_string(rewrites) + " layers rewritten";
  std::printf("%s: %d layers, %d stages, %.1f KB, %.0f ms%s%s\n", output.c_str(), r.layers, r.stages,
              static_cast<double>(r.blob.size()) / 1024, ms, more.c_str(),
              rewrites == 0 || o.explain ? "" : " (--explain shows them)");
}

}  // namespace

int convert_command(const Arguments& args) {
  CLI::App app("Example: blobsmith convert model.onnx -o model.blob --shaves 6", "blobsmith convert");
  ConvertArguments o;
  declare(app, o);
  if (const int code = parse(app, args); code >= 0) return code;
  const auto start = std::chrono::steady_clock::now();
  std::optional<ProgressBar> bar(std::in_place);
  const Control control = bar->control();
  const CompileResult r = convert(o.model.file, {.input_shapes = o.model.input_shapes(),
                                                 .conversion = o.model.for_conversion(),
                                                 .camera = o.model.for_camera(),
                                                 .quirks = o.quirks,
                                                 .target = o.target,
                                                 .dump_passes = o.dump,
                                                 .ir_folder = o.ir,
                                                 .ir_version = o.ir_version,
                                                 .control = control});
  const std::string output =
      o.output.empty() ? std::filesystem::path(o.model.file).stem().string() + ".blob" : o.output;
  r.blob.save(output, control);
  bar.reset();
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  if (o.json)
    print_json(o, output, r, ms);
  else if (!o.quiet)
    print_text(o, output, r, ms);
  return kDone;
}

}  // namespace blobsmith::cli
