// blobsmith convert: a model of any known format to a blob in one go, with the defaults of OAK cameras.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "blobsmith/convert.hpp"
#include "blobsmith/files.hpp"
#include "blobsmith/nn_archive.hpp"
#include "blobsmith/superblob.hpp"
#include "cli/cli.hpp"
#include "cli/cut_command.hpp"
#include "cli/help.hpp"
#include "cli/progress.hpp"
#include "reports/json.hpp"

namespace blobsmith::cli {
namespace {

struct ConvertArguments {
  ModelOptions model;
  std::string output, dump, ir, layers, target = "2022.1";
  int ir_version = 10;
  bool quirks = false, explain = false, json = false, quiet = false;
  bool superblob = false, archive = false;
  std::string dai_type, heads, camera_config;
  bool cut = false;
  std::string model_name, folder, log_level;
  bool ignored = false;
};

/// What is written: by the options, else by the ending of the output's name.
enum class OutputKind { Blob, Superblob, Archive };

OutputKind kind_of(const ConvertArguments& o) {
  if (o.archive || is_nn_archive_name(o.output)) return OutputKind::Archive;
  return o.superblob || o.output.ends_with(".superblob") ? OutputKind::Superblob : OutputKind::Blob;
}

void declare(CLI::App& app, ConvertArguments& o) {
  app.add_option("-o", o.output,
                 "file to write (default: the model's name with .blob, in this folder); .superblob and .tar.xz (an NN "
                 "archive) say what it is");
  // Some of Model Optimizer's options, for those whose fingers know them.
  app.add_option("-n,--model-name,--model_name", o.model_name, "name of the file to write, without ending");
  app.add_option("--output-dir,--output_dir", o.folder, "folder of the file to write (made if it is not there)");
  app.add_flag("--superblob", o.superblob, "for every number of SHAVEs in one file, as depthai 3 reads it");
  app.add_flag("--nn-archive", o.archive,
               "an NN archive of depthai 3 (NAME.rvc2.tar.xz): a superblob, or with --shaves a blob, and config.json");
  app.add_option("--dai-type", o.dai_type, "of an NN archive: the frames for pictures, RGB888p, BGR888p, GRAY8 ...");
  app.add_option("--heads", o.heads, "of an NN archive: a JSON file with the heads for depthai's decoders");
  app.add_flag("--cut-unsupported,--cut_unsupported", o.cut,
               "of a model with layers that can't be compiled: a blob of the largest part without them, and models "
               "for the host of what comes before and after it (NAME.before.onnx, NAME.after.onnx; .xml where the "
               "model is no ONNX)");
  app.add_option(
      "--json-config,--json_config", o.camera_config,
      "also write what depthai's detection nodes must know (classes, anchors, thresholds, labels) to this file");
  app.add_option("--target", o.target, "OpenVINO version that the blob states: " + all_targets() + " (default 2022.1)");
  app.add_option("--ir", o.ir, "also write the model as OpenVINO IR (.xml, .bin) into this folder, as it was read");
  app.add_option("--ir_version,--ir-version", o.ir_version, "of that IR: 10 (OpenVINO 2020 to 2022, default) or 11")
      ->check(CLI::IsMember({10, 11}));
  app.add_option("--dump-passes", o.dump, "write the program after every pass into this folder (.json, .dot)");
  app.add_option("--layers", o.layers, "write which stages of the blob compute which layers into this file (JSON)");
  app.add_flag("--explain", o.explain, "say which layers were rewritten, and how exactly, and which need the target");
  app.add_flag("--quirks", o.quirks, "reproduce the known wrong results of Intel's tools (docs/quirks.md)");
  app.add_flag("--json", o.json, "print the summary as JSON");
  app.add_flag("-q,--quiet,--silent", o.quiet, "print nothing but errors");
  add_model_options(app, o.model);
  add_camera_options(app, o.model);
  add_conversion_options(app, o.model);
  add_rewrite_options(app, o.model.conversion);
  add_framework_options(app, o.model.conversion.framework);
  add_ignored_options(app, o.ignored);
  app.add_option("--log-level,--log_level", o.log_level, "without effect")->group(kHiddenOptions);
}

/// Of a pipe or the like: of the blob.
uint64_t size_of_output(const std::string& output, const CompileResult& r) {
  return std::filesystem::is_regular_file(output) ? std::filesystem::file_size(output) : r.blob.size();
}

void print_json(const ConvertArguments& o, const std::string& output, const CompileResult& r, double ms) {
  reports::Json j{{"output", output}, {"file_bytes", size_of_output(output, r)}};
  j.update(reports::of_conversion(r, o.target));
  j["milliseconds"] = ms;
  std::printf("%s\n", reports::text(j).c_str());
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

/// What is said of several layers is said once.
void print_departures(const std::vector<Remark>& remarks) {
  constexpr size_t kNamed = 3;
  std::vector<std::pair<std::string, std::vector<std::string>>> layers_of;
  for (const Remark& m : remarks) {
    if (m.kind != Remark::Kind::NotAsIntel) continue;
    auto it = std::ranges::find(layers_of, m.what, &std::pair<std::string, std::vector<std::string>>::first);
    if (it == layers_of.end()) it = layers_of.insert(it, {m.what, {}});
    it->second.push_back(m.layer);
  }
  for (const auto& [what, layers] : layers_of) {
    std::string names;
    for (size_t i = 0; i < std::min(layers.size(), kNamed); ++i) names += (i ? ", \"" : "\"") + layers[i] + "\"";
    if (layers.size() > kNamed) names += " and " + std::to_string(layers.size() - kNamed) + " more";
    std::printf("not as Intel's tools: %s: %s\n", names.c_str(), what.c_str());
  }
}

void print_text(const ConvertArguments& o, const std::string& output, const CompileResult& r, double ms) {
  print_guesses(o, r);
  if (!o.model.preset.empty()) std::printf("%s\n", o.model.preset_text().c_str());
  if (r.head) std::printf("%s\n", describe(*r.head).c_str());
  print_departures(r.remarks);
  for (const Remark& m : r.remarks)
    if (m.kind == Remark::Kind::WrongResult)
      std::printf("warning: the blob computes something else than the model: %s\n", m.text().c_str());
    else if (m.kind == Remark::Kind::RawPicture)
      std::printf("input \"%s\": %s\n", m.layer.c_str(), m.what.c_str());
    else if (o.explain && m.kind == Remark::Kind::OfTarget)
      std::printf("only in a blob of %s: %s\n", o.target.c_str(), m.text().c_str());
    else if (o.explain && m.kind == Remark::Kind::Rewritten)
      std::printf("rewritten: %s \"%s\" as %s (largest error %.1e)\n", m.type.c_str(), m.layer.c_str(), m.what.c_str(),
                  m.max_error);
  const auto rewrites = std::ranges::count(r.remarks, Remark::Kind::Rewritten, &Remark::kind);
  const std::string more = rewrites == 0 ? "" : ", " + std::to_string(rewrites) + " layers rewritten";
  std::printf("%s: %d layers, %d stages, %.1f KB, %.0f ms%s%s\n", output.c_str(), r.layers, r.stages,
              static_cast<double>(size_of_output(output, r)) / 1024, ms, more.c_str(),
              rewrites == 0 || o.explain ? "" : " (--explain shows them)");
}

std::string name_of_output(const ConvertArguments& o, OutputKind kind) {
  const bool into_folder = !o.output.empty() && std::filesystem::is_directory(o.output);
  if (!o.output.empty() && !into_folder && o.folder.empty()) return o.output;
  constexpr const char* kEndings[] = {".blob", ".superblob", ".rvc2.tar.xz"};
  const std::string stem = o.model_name.empty() ? std::filesystem::path(o.model.file).stem().string() : o.model_name;
  const std::string file = o.output.empty() || into_folder ? stem + kEndings[static_cast<int>(kind)] : o.output;
  const std::filesystem::path folder = into_folder ? o.output : o.folder;
  if (!folder.empty()) make_folder(folder.string());
  return (folder / file).string();
}

ConvertOptions convert_options(const ConvertArguments& o, const Control& control) {
  return {.input_shapes = o.model.input_shapes(),
          .conversion = o.model.for_conversion(),
          .camera = o.model.for_camera(),
          .quirks = o.quirks,
          .target = o.target,
          .dump_passes = o.dump,
          .ir_folder = o.ir,
          .ir_version = o.ir_version,
          .control = control};
}

NnArchiveOptions archive_options(const ConvertArguments& o, bool superblob, const std::optional<DetectionHead>& head) {
  NnArchiveOptions a{.superblob = superblob, .dai_type = o.dai_type};
  a.name = std::filesystem::path(o.model.file).stem().string();
  if (!o.heads.empty()) {
    const std::vector<uint8_t> text = load_file(o.heads, 1 << 22);
    a.heads.assign(text.begin(), text.end());
  } else if (head) {
    a.heads = archive_heads(*head);
  }
  a.build_info = {{"target", o.target}, {"input_precision", o.model.ip}};
  if (!superblob) a.build_info.emplace_back("number_of_shaves", std::to_string(o.model.camera.shaves));
  return a;
}

/// Converts and writes the file.
CompileResult convert_and_write(const ConvertArguments& o, OutputKind kind, bool one_blob, const std::string& output,
                                const Control& control) {
  const ConvertOptions options = convert_options(o, control);
  if (kind == OutputKind::Blob || one_blob) {
    CompileResult r = convert(o.model.file, options);
    if (kind == OutputKind::Archive)
      write_nn_archive(output, r.blob.bytes(), r.inputs, r.outputs, archive_options(o, false, r.head));
    else
      r.blob.save(output, control);
    return r;
  }
  SuperblobResult r = convert_superblob(o.model.file, options);
  const std::vector<uint8_t>& bytes = r.superblob.bytes();
  if (kind == OutputKind::Archive)
    write_nn_archive(output, bytes, r.base.inputs, r.base.outputs, archive_options(o, true, r.base.head));
  else
    save_file(output, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return std::move(r.base);
}

/// --layers, --json-config
void write_beside(const ConvertArguments& o, const CompileResult& r) {
  if (!o.layers.empty()) save_file(o.layers, reports::text(reports::of_layers(r)) + "\n");
  if (o.camera_config.empty()) return;
  if (!r.head)
    throw Error(ErrorCode::BadOptionValue, "--json-config: no head of a detector is recognised").in_file(o.model.file);
  save_file(o.camera_config, camera_config(*r.head));
}

/// --cut-unsupported
int convert_in_parts(const ConvertArguments& o, OutputKind kind) {
  if (kind != OutputKind::Blob)
    throw Error(ErrorCode::BadOptionValue, "--cut-unsupported makes a blob, and models of the rest");
  const auto start = std::chrono::steady_clock::now();
  std::optional<ProgressBar> bar(std::in_place);
  const std::string output = name_of_output(o, kind);
  const CutResult r = convert_cut(o.model.file, convert_options(o, bar->control()));
  const CutFiles files = write_cut(r, output);
  bar.reset();
  write_beside(o, r.blob);
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  if (o.json) {
    reports::Json j{{"output", output}, {"cut", json_of_cut(r, files)}};
    j.update(reports::of_conversion(r.blob, o.target));
    j["milliseconds"] = ms;
    std::printf("%s\n", reports::text(j).c_str());
  } else if (!o.quiet) {
    print_cut(r, files);
    print_text(o, output, r.blob, ms);
  }
  return kDone;
}

}  // namespace

int convert_command(const Arguments& args) {
  CLI::App app("Example: blobsmith convert model.onnx -o model.blob --shaves 6", "blobsmith convert");
  ConvertArguments o;
  declare(app, o);
  if (const int code = parse(app, args); code >= 0) return code;
  const OutputKind kind = kind_of(o);
  const bool shaves_given = app.count("--shaves") > 0;
  if (kind == OutputKind::Superblob && shaves_given)
    throw Error(ErrorCode::BadOptionValue, "a superblob is for every number of SHAVEs: leave --shaves out");
  if (o.cut) return convert_in_parts(o, kind);
  const auto start = std::chrono::steady_clock::now();
  std::optional<ProgressBar> bar(std::in_place);
  const std::string output = name_of_output(o, kind);
  const CompileResult r = convert_and_write(o, kind, shaves_given, output, bar->control());
  bar.reset();
  write_beside(o, r);
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  if (o.json)
    print_json(o, output, r, ms);
  else if (!o.quiet)
    print_text(o, output, r, ms);
  return kDone;
}

}  // namespace blobsmith::cli
