// Values of inputs: arrays, pictures, raw bytes, random numbers.
#include "blobsmith/inputs.hpp"

#include <algorithm>
#include <cstring>
#include <random>

#include "core/error.hpp"
#include "core/file.hpp"
#include "emulator/view.hpp"
#include "files/image_input.hpp"
#include "files/npz.hpp"
#include "files/picture.hpp"

namespace blobsmith {
namespace {

size_t bytes_each(TensorType type) {
  switch (type) {
    case TensorType::U8:
    case TensorType::I8: return 1;
    case TensorType::FP16: return 2;
    case TensorType::S32:
    case TensorType::FP32: return 4;
  }
  return 4;
}

Error no_such_input(const InputTarget& target, const std::string& argument) {
  std::string names;
  for (const TensorInfo& t : target.inputs()) names += (names.empty() ? "" : ", ") + t.name;
  return Error(ErrorCode::BadInputName, "'" + argument + "' names no input of the network")
      .hint("write NAME=FILE; the inputs are: " + names);
}

// ---- pictures -----------------------------------------------------------------------------------------------------
/// One number, or one per channel.
float of_channel(const std::vector<float>& list, size_t channel, float otherwise) {
  if (list.empty()) return otherwise;
  return list[list.size() == 1 ? 0 : channel];
}

void check_normalization(const TensorInfo& t, size_t channels, const InputOptions& o) {
  if (o.mean.empty() && o.scale.empty()) return;
  if (t.type != TensorType::FP16 && t.type != TensorType::FP32)
    throw Error(ErrorCode::BadOptionValue, "--mean and --scale: input '" + t.name + "' takes integers")
        .hint("compile with -ip FP16, or put mean and scale into the model");
  for (const auto* list : {&o.mean, &o.scale})
    if (list->size() > 1 && list->size() != channels)
      throw Error(ErrorCode::BadOptionValue,
                  "--mean and --scale take one number or one for each of " + std::to_string(channels) + " channels");
  if (std::ranges::find(o.scale, 0.0f) != o.scale.end()) throw Error(ErrorCode::BadOptionValue, "--scale 0");
}

void set_image(InputTarget& target, const TensorInfo& t, const Bytes& file, const InputOptions& o) {
  const size_t n = t.shape.size();
  if (n < 3 || (t.shape[n - 3] != 1 && t.shape[n - 3] != 3)) {
    Error e(ErrorCode::ShapeMismatch,
            "input '" + t.name + "' of shape " + shape_text(t.shape) + " can't take a picture");
    throw e.hint("give it a .npy array");
  }
  const auto channels = static_cast<size_t>(t.shape[n - 3]);
  check_normalization(t, channels, o);
  const ImageOptions image{.bgr = !o.rgb, .letterbox = o.letterbox};
  const std::vector<uint8_t> planes = image_planes(file, static_cast<int>(channels), static_cast<int>(t.shape[n - 2]),
                                                   static_cast<int>(t.shape[n - 1]), image);
  size_t at = 0;
  target.set_input(t, [&](std::span<float> row) {
    for (float& v : row) {
      const size_t channel = at / (planes.size() / channels);
      v = (static_cast<float>(planes[at]) - of_channel(o.mean, channel, 0)) / of_channel(o.scale, channel, 1);
      at = (at + 1) % planes.size();  // the same picture for all items of a batch
    }
  });
}

// ---- arrays -------------------------------------------------------------------------------------------------------
Error wrong_count(const TensorInfo& t, int64_t given) {
  return Error(ErrorCode::ShapeMismatch, "input \"" + t.name + "\" takes " + std::to_string(count_of(t)) +
                                             " values, not " + std::to_string(given))
      .hint("its shape: " + shape_text(t.shape));
}

/// The sizes that say something.
Shape without_ones(Shape shape) {
  std::erase(shape, 1);
  return shape;
}

/// The same sizes in another order: the array has another layout than the input (NHWC for NCHW).
bool is_turned(const Shape& array, const Shape& input) {
  Shape a = without_ones(array), b = without_ones(input);
  if (a == b) return false;
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

using Notes = std::vector<std::string>;

void note_rounded(const TensorInfo& t, int64_t count, Notes& notes) {
  if (count > 0)
    notes.push_back("input \"" + t.name + "\" takes bytes: " + std::to_string(count) + " of " +
                    std::to_string(count_of(t)) +
                    " values are not whole numbers from 0 to 255, and were made such (for other values, convert the "
                    "model with --ip FP16)");
}

void set_array(InputTarget& target, const TensorInfo& t, const NpyArray& a, Notes& notes) {
  if (a.count() != count_of(t)) throw wrong_count(t, a.count());
  if (is_turned(a.shape, t.shape))
    throw Error(ErrorCode::ShapeMismatch,
                "input \"" + t.name + "\" is " + shape_text(t.shape) + ", the array " + shape_text(a.shape))
        .hint("its axes are in another order: transpose the array");
  int64_t at = 0;
  if (t.type == TensorType::S32 && a.is_integer()) {
    std::vector<int32_t> values(static_cast<size_t>(a.count()));
    for (int32_t& v : values) v = static_cast<int32_t>(std::clamp<int64_t>(a.integer(at++), INT32_MIN, INT32_MAX));
    return target.set_integers(t, values);
  }
  int64_t rounded = 0;
  target.set_input(t, [&](std::span<float> row) {
    for (float& v : row) {
      v = a.number(at++);
      if (t.type == TensorType::U8) rounded += !(v >= 0 && v <= 255 && v == std::nearbyint(v));
    }
  });
  note_rounded(t, rounded, notes);
}

const TensorInfo* set_values(InputTarget& target, const std::string& name, const std::vector<float>& values) {
  const auto it = std::ranges::find(target.inputs(), name, &TensorInfo::name);
  if (it == target.inputs().end()) throw no_such_input(target, name);
  if (count_of(*it) != static_cast<int64_t>(values.size())) throw wrong_count(*it, static_cast<int64_t>(values.size()));
  size_t at = 0;
  target.set_input(*it, [&](std::span<float> row) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(at), row.size(), row.begin());
    at += row.size();
  });
  return &*it;
}

/// The array of an archive that is meant for this input: named so, or the only one.
const NpyArray* array_for(const std::vector<std::pair<std::string, NpyArray>>& arrays, const std::string& name,
                          bool only) {
  for (const auto& [key, array] : arrays)
    if (key == name) return &array;
  return only && arrays.size() == 1 ? &arrays[0].second : nullptr;
}

/// Bytes as they are, in the type of the input and framework order.
void set_raw(InputTarget& target, const TensorInfo& t, const Bytes& file) {
  const size_t each = bytes_each(t.type), count = static_cast<size_t>(count_of(t));
  if (file.size() != count * each) {
    Error e(ErrorCode::BadTensorFile, "neither a picture nor an array, and not the " + std::to_string(count * each) +
                                          " bytes of input '" + t.name + "'");
    throw e.hint("input: " + shape_text(t.shape) + ", " + std::to_string(each) + " bytes each; the file has " +
                 std::to_string(file.size()) + " bytes");
  }
  const uint8_t* p = file.data();
  if (t.type == TensorType::S32) {
    std::vector<int32_t> values(count);
    std::memcpy(values.data(), p, file.size());
    return target.set_integers(t, values);
  }
  target.set_input(t, [&](std::span<float> row) {
    emulator::load_row(p, static_cast<int64_t>(each), static_cast<vpu::DataType>(t.type),
                       static_cast<int64_t>(row.size()), row.data());
    p += row.size() * each;
  });
}

/// 0..255 for bytes, 0 or 1 for S32, which mostly are indices, [-1, 1) for the others. The same for a seed everywhere.
void set_random(InputTarget& target, const TensorInfo& t, std::mt19937& numbers) {
  target.set_input(t, [&](std::span<float> row) {
    for (float& v : row) {
      const uint32_t bits = numbers() >> 8;
      if (t.type == TensorType::U8)
        v = static_cast<float>(bits & 255);
      else if (t.type == TensorType::S32)
        v = static_cast<float>(bits & 1);
      else
        v = static_cast<float>(bits) * 0x1p-23f - 1.0f;
    }
  });
}

// ---- arguments ----------------------------------------------------------------------------------------------------
void set_from(InputTarget& target, const TensorInfo& t, const Bytes& file, const InputOptions& o, Notes& notes) {
  if (looks_like_image(file))
    set_image(target, t, file, o);
  else if (looks_like_npy(file))
    set_array(target, t, read_npy(file), notes);
  else if (looks_like_npz(file)) {
    const auto arrays = read_npz(file);
    const NpyArray* array = array_for(arrays, t.name, true);
    if (!array)
      throw Error(ErrorCode::BadTensorFile, "the archive has several arrays, and none is called '" + t.name + "'");
    set_array(target, t, *array, notes);
  } else {
    set_raw(target, t, file);
  }
}

std::vector<const TensorInfo*> set_all_from(InputTarget& target, const Bytes& archive, Notes& notes) {
  const auto arrays = read_npz(archive);
  std::vector<const TensorInfo*> set;
  for (const TensorInfo& t : target.inputs())
    if (const NpyArray* array = array_for(arrays, t.name, target.inputs().size() == 1)) {
      set_array(target, t, *array, notes);
      set.push_back(&t);
    }
  if (set.empty()) throw no_such_input(target, arrays.empty() ? "" : arrays[0].first);
  return set;
}

/// "NAME=FILE"; "FILE.npz" for all inputs that it has; any name or none where the network has one input only (in a
/// network that computes nothing it is called after its layer). Returns the inputs set.
std::vector<const TensorInfo*> set_from_argument(InputTarget& target, const std::string& argument,
                                                 const InputOptions& o, Notes& notes) {
  const TensorInfo* input = nullptr;
  std::string path;
  for (const TensorInfo& t : target.inputs())
    if (!input && argument.starts_with(t.name + "=")) {
      input = &t;
      path = argument.substr(t.name.size() + 1);
    }
  if (!input) {
    path = file_exists(argument) ? argument : argument.substr(argument.rfind('=') + 1);
    const bool whole = path == argument;
    if (!file_exists(path) || (target.inputs().size() > 1 && !whole)) throw no_such_input(target, argument);
  }
  try {
    const Bytes file = read_file(path);
    if (!input && looks_like_npz(file)) return set_all_from(target, file, notes);
    if (!input && target.inputs().size() > 1) throw no_such_input(target, argument);
    if (!input) input = &target.inputs().at(0);
    set_from(target, *input, file, o, notes);
    return {input};
  } catch (Error& e) {
    if (e.file().empty()) e.in_file(path);
    throw;
  }
}

}  // namespace

int64_t count_of(const TensorInfo& t) {
  int64_t n = 1;
  for (int64_t d : t.shape) n *= d;
  return n;
}

namespace {

class EmulatorInputs : public InputTarget {
 public:
  explicit EmulatorInputs(Emulator& emulator) : emulator_(emulator) {}
  const std::vector<TensorInfo>& inputs() const override { return emulator_.inputs(); }
  void set_input(const TensorInfo& input, const std::function<void(std::span<float>)>& next) override {
    emulator_.set_input(input.name, next);
  }
  void set_integers(const TensorInfo& input, std::span<const int32_t> values) override {
    emulator_.set_input(input.name, values);
  }

 private:
  Emulator& emulator_;
};

}  // namespace

std::vector<std::string> set_inputs(Emulator& emulator, const InputOptions& o) {
  EmulatorInputs target(emulator);
  return set_inputs(target, o);
}

std::vector<std::string> set_inputs(InputTarget& target, const InputOptions& o) {
  Notes notes;
  std::vector<const TensorInfo*> given;
  for (const auto& [name, values] : o.values) given.push_back(set_values(target, name, values));
  for (const std::string& argument : o.files)
    for (const TensorInfo* t : set_from_argument(target, argument, o, notes)) given.push_back(t);
  std::mt19937 numbers(o.seed);
  for (const TensorInfo& t : target.inputs()) {
    if (std::ranges::find(given, &t) != given.end()) continue;
    if (!o.random)
      throw Error(ErrorCode::BadInputName,
                  "input '" + t.name + "' (" + shape_text(t.shape) + ") is missing: --input " + t.name + "=FILE")
          .hint("--random fills inputs with random numbers");
    set_random(target, t, numbers);
  }
  return notes;
}

}  // namespace blobsmith
