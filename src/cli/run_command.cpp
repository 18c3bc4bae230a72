// blobsmith run: executes a blob on this machine's processor.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "blobsmith/emulator.hpp"
#include "cli/cli.hpp"
#include "core/file.hpp"
#include "emulator/image_input.hpp"
#include "emulator/npy.hpp"

namespace blobsmith::cli {
namespace {

struct Options {
  std::string blob, output_dir;
  std::vector<std::string> inputs;
  bool rgb = false, letterbox = false, avg_exclude_pad = false, json = false;
  int threads = 0;
};

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string s;
  for (int64_t d : shape) s += (s.empty() ? "" : "x") + std::to_string(d);
  return s;
}

/// "NAME=FILE"; without a name where the network has one input only.
std::pair<const TensorInfo*, std::string> split_input(const Emulator& emulator, const std::string& argument) {
  for (const TensorInfo& t : emulator.inputs())
    if (argument.starts_with(t.name + "=")) return {&t, argument.substr(t.name.size() + 1)};
  if (emulator.inputs().size() == 1) {
    // Any name will do for the only input: in a network that computes nothing it is called after its layer.
    const std::string path = file_exists(argument) ? argument : argument.substr(argument.rfind('=') + 1);
    if (file_exists(path)) return {&emulator.inputs()[0], path};
  }
  std::string names;
  for (const TensorInfo& t : emulator.inputs()) names += (names.empty() ? "" : ", ") + t.name;
  Error e(ErrorCode::BadInputName, "'" + argument + "' names no input of the blob");
  throw e.hint("write NAME=FILE; the inputs are: " + names);
}

void set_image(Emulator& emulator, const TensorInfo& t, const Bytes& file, const Options& o) {
  const size_t n = t.shape.size();
  if (n < 3 || (t.shape[n - 3] != 1 && t.shape[n - 3] != 3)) {
    Error e(ErrorCode::ShapeMismatch, "input '" + t.name + "' of shape " + shape_text(t.shape) + " can't take a picture");
    throw e.hint("give it a .npy array");
  }
  const ImageOptions image{.bgr = !o.rgb, .letterbox = o.letterbox};
  const std::vector<uint8_t> planes = image_planes(file, static_cast<int>(t.shape[n - 3]), static_cast<int>(t.shape[n - 2]), static_cast<int>(t.shape[n - 1]), image);
  std::vector<uint8_t> batch;
  int64_t items = 1;
  for (size_t i = 0; i + 3 < n; ++i) items *= t.shape[i];
  for (int64_t i = 0; i < items; ++i) batch.insert(batch.end(), planes.begin(), planes.end());
  emulator.set_input(t.name, std::span<const uint8_t>(batch));
}

void set_array(Emulator& emulator, const TensorInfo& t, const Bytes& file) {
  const NpyArray a = read_npy(file);
  if (t.type == TensorType::S32 && a.is_integer) {
    std::vector<int32_t> v(a.integers.size());
    std::ranges::transform(a.integers, v.begin(), [](int64_t x) { return static_cast<int32_t>(std::clamp<int64_t>(x, INT32_MIN, INT32_MAX)); });
    emulator.set_input(t.name, std::span<const int32_t>(v));
  } else {
    emulator.set_input(t.name, std::span<const float>(a.floats));
  }
}

void set_inputs(Emulator& emulator, const Options& o) {
  std::vector<const TensorInfo*> given;
  for (const std::string& argument : o.inputs) {
    const auto [input, path] = split_input(emulator, argument);
    try {
      const Bytes file = read_file(path);
      if (looks_like_image(file)) set_image(emulator, *input, file, o);
      else set_array(emulator, *input, file);
    } catch (Error& e) {
      if (e.file().empty()) e.in_file(path);
      throw;
    }
    given.push_back(input);
  }
  for (const TensorInfo& t : emulator.inputs())
    if (std::ranges::find(given, &t) == given.end()) throw Error(ErrorCode::BadInputName, "input '" + t.name + "' (" + shape_text(t.shape) + ") is missing: --input " + t.name + "=FILE");
}

/// A layer's name as a file name.
std::string file_name(std::string name) {
  std::ranges::replace(name, '/', '_');
  return name;
}

nlohmann::ordered_json write_outputs(const Emulator& emulator, const Options& o) {
  auto list = nlohmann::ordered_json::array();
  for (const TensorInfo& t : emulator.outputs()) {
    const FloatTensor v = emulator.output(t.name);
    const std::string path = o.output_dir + "/" + file_name(t.name) + ".npy";
    write_file(path, write_npy(v.values, v.shape));
    const auto [low, high] = std::ranges::minmax_element(v.values);
    const bool finite = std::ranges::all_of(v.values, [](float x) { return std::isfinite(x); });
    list.push_back({{"name", t.name}, {"shape", v.shape}, {"file", path}, {"finite", finite}});
    if (!v.values.empty() && finite) list.back().update({{"min", *low}, {"max", *high}});
  }
  return list;
}

}  // namespace

int run_command(const Arguments& args) {
  CLI::App app("Example: blobsmith run model.blob --input images=photo.png --output-dir out", "blobsmith run");
  Options o;
  app.add_option("blob", o.blob, "a .blob, of blobsmith or of Intel")->required();
  app.add_option("--input", o.inputs, "NAME=FILE: a .npy array or a picture (PNG, JPEG), resized to the input (repeatable)");
  app.add_option("--output-dir", o.output_dir, "folder for <output>.npy (FP32)")->required();
  app.add_flag("--rgb", o.rgb, "pictures in RGB order (default BGR, as cameras deliver)");
  app.add_flag("--letterbox", o.letterbox, "keep a picture's proportions and fill the rest");
  app.add_flag("--avg-exclude-pad", o.avg_exclude_pad, "average pools of the hardware exclude padding, as the model means");
  app.add_option("--threads", o.threads, "processors to use (default: all)");
  app.add_flag("--json", o.json, "print the result as JSON");
  if (const int code = parse(app, args); code >= 0) return code;

  using Clock = std::chrono::steady_clock;
  const Bytes file = read_file(o.blob);
  Emulator emulator = [&] {
    try {
      return Emulator(file.span(), {.avg_exclude_pad = o.avg_exclude_pad, .threads = o.threads});
    } catch (Error& e) {
      if (e.file().empty()) e.in_file(o.blob);
      throw;
    }
  }();
  set_inputs(emulator, o);
  const auto start = Clock::now();
  emulator.run();
  const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  make_folder(o.output_dir);
  const nlohmann::ordered_json outputs = write_outputs(emulator, o);
  if (o.json) {
    std::printf("%s\n", nlohmann::ordered_json{{"milliseconds", ms}, {"outputs", outputs}}.dump(1).c_str());
    return kDone;
  }
  for (const auto& out : outputs)
    std::printf("%s %s -> %s\n", out["name"].get<std::string>().c_str(), shape_text(out["shape"].get<std::vector<int64_t>>()).c_str(), out["file"].get<std::string>().c_str());
  std::printf("%.0f ms\n", ms);
  return kDone;
}

}  // namespace blobsmith::cli
