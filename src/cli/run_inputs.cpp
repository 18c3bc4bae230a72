// Inputs of `blobsmith run`: arrays and pictures.
#include <algorithm>

#include "cli/run_options.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "emulator/image_input.hpp"
#include "emulator/npy.hpp"

namespace blobsmith::cli {

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string s;
  for (int64_t d : shape) s += (s.empty() ? "" : "x") + std::to_string(d);
  return s;
}

std::string as_file_name(std::string name) {
  std::ranges::replace(name, '/', '_');
  return name;
}

namespace {

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

void set_image(Emulator& emulator, const TensorInfo& t, const Bytes& file, const RunOptions& o) {
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

}  // namespace

void set_inputs(Emulator& emulator, const RunOptions& o) {
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

}  // namespace blobsmith::cli
