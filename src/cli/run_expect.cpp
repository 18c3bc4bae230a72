#include "cli/run_expect.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <numeric>

#include "blobsmith/files.hpp"
#include "cli/cli.hpp"
#include "cli/text.hpp"

namespace blobsmith::cli {
namespace {

double difference(float got, float expected) {
  if (got == expected || (std::isnan(got) && std::isnan(expected))) return 0;
  const double d = std::abs(double{got} - double{expected});
  return std::isnan(d) ? std::numeric_limits<double>::infinity() : d;
}

std::vector<int64_t> position(int64_t index, const std::vector<int64_t>& shape) {
  std::vector<int64_t> at(shape.size());
  for (size_t k = shape.size(); k-- > 0; index /= shape[k]) at[k] = index % shape[k];
  return at;
}

constexpr double kLabelsOff = 0.01;  ///< share of labels that may differ, as FP16 decides ties otherwise

bool is_of_labels(const Emulator& emulator, const std::string& name) {
  const auto it = std::ranges::find(emulator.outputs(), name, &TensorInfo::name);
  return it != emulator.outputs().end() && it->type == TensorType::S32;
}

/// Rows of a list that is sorted by one of its columns (detections by score), which ties in FP16 order otherwise.
class SortedRows {
 public:
  SortedRows(std::span<const float> expected, size_t width) : expected_(expected), width_(width) {
    for (size_t c = 0; c < width; ++c)
      if (is_sorted_by(c)) columns_.push_back(c);
  }

  /// How many of the rows stand elsewhere; -1 where one is none of the expected ones, or too far from its place.
  int64_t moved(std::span<const float> got, double allowed) const {
    int64_t count = 0;
    std::vector<bool> taken(rows(), false);
    for (size_t i = 0; i < rows(); ++i) {
      size_t j = i;
      while (j > 0 && tie(i, j - 1)) --j;
      while (j < rows() && tie(i, j) && (taken[j] || !equal(got, i, j, allowed))) ++j;
      if (j == rows() || !tie(i, j)) return -1;
      taken[j] = true;
      count += i != j;
    }
    return count;
  }

 private:
  static constexpr double kSteps = 1.0 / 512;  ///< two steps of FP16

  size_t rows() const { return expected_.size() / width_; }
  float at(size_t row, size_t column) const { return expected_[row * width_ + column]; }
  bool is_sorted_by(size_t c) const {
    for (size_t i = 1; i < rows(); ++i)
      if (!(at(i, c) <= at(i - 1, c))) return false;
    return rows() > 1 && at(0, c) > at(rows() - 1, c);
  }
  bool tie(size_t i, size_t j) const {
    return i == j || std::ranges::any_of(columns_, [&](size_t c) {
             return std::abs(double{at(i, c)} - double{at(j, c)}) <= kSteps * std::abs(double{at(i, c)});
           });
  }
  bool equal(std::span<const float> got, size_t i, size_t j, double allowed) const {
    for (size_t c = 0; c < width_; ++c)
      if (difference(got[i * width_ + c], at(j, c)) > allowed) return false;
    return true;
  }

  std::span<const float> expected_;
  size_t width_;
  std::vector<size_t> columns_;
};

/// The number of moved rows of an output that is a list of one item; -1 where it is none, or not the expected one.
int64_t moved_rows(const Emulator& emulator, const FloatTensor& expected, const Shape& shape, double allowed) {
  if (shape.size() < 2 || shape.back() < 2 || shape.back() * shape[shape.size() - 2] != std::ssize(expected.values))
    return -1;
  std::vector<float> got;
  emulator.output(expected.name, [&](std::span<const float> part) { got.insert(got.end(), part.begin(), part.end()); });
  return SortedRows(expected.values, static_cast<size_t>(shape.back())).moved(got, allowed);
}

Verdict judge(const Emulator& emulator, const FloatTensor& expected, double tolerance) {
  const std::string& name = expected.name;
  const std::vector<int64_t> shape = emulator.output_shape(name);
  const int64_t count = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  Verdict v{name, shape, expected.shape, count == std::ssize(expected.values), false, 0, 0, 0, count, 0, {}, 0, 0};
  if (!v.same_count) return v;
  double magnitude = 0;
  for (const float e : expected.values)
    if (std::isfinite(e)) magnitude = std::max(magnitude, std::abs(double{e}));
  const double allowed = tolerance * magnitude;
  int64_t i = 0;
  emulator.output(name, [&](std::span<const float> part) {
    for (const float got : part) {
      const float wanted = expected.values[static_cast<size_t>(i)];
      const double d = difference(got, wanted);
      v.differing += d > allowed;
      if (d > v.largest_difference) {
        v.largest_difference = d;
        v.at = position(i, shape);
        v.got = got;
        v.expected = wanted;
      }
      ++i;
    }
  });
  v.relative_difference = v.largest_difference == 0 ? 0 : v.largest_difference / magnitude;
  v.good = v.differing == 0 || (is_of_labels(emulator, name) &&
                                static_cast<double>(v.differing) <= kLabelsOff * static_cast<double>(count));
  if (!v.good && (v.moved = std::max<int64_t>(0, moved_rows(emulator, expected, shape, allowed))) > 0) v.good = true;
  return v;
}

std::string list(const std::vector<int64_t>& numbers) {
  std::string s;
  for (int64_t n : numbers) s += (s.empty() ? "" : ",") + std::to_string(n);
  return "[" + s + "]";
}

/// What one --expect names: an array for each of some outputs, whose name it has.
std::vector<FloatTensor> expected_arrays(const Emulator& emulator, const std::string& argument) {
  std::string path = argument, output;
  for (const TensorInfo& t : emulator.outputs())
    if (argument.starts_with(t.name + "=")) {
      output = t.name;
      path = argument.substr(t.name.size() + 1);
    }
  std::vector<FloatTensor> arrays = load_arrays(path);
  if (arrays.size() == 1 && arrays[0].name.empty()) {
    if (output.empty() && emulator.outputs().size() > 1)
      throw Error(ErrorCode::BadInputName, "--expect: the blob has several outputs")
          .in_file(path)
          .hint("write OUTPUT=FILE.npy, or give a .npz of all");
    arrays[0].name = output.empty() ? emulator.outputs().at(0).name : output;
    return arrays;
  }
  std::erase_if(arrays, [&](const FloatTensor& a) {
    const bool is_output = std::ranges::find(emulator.outputs(), a.name, &TensorInfo::name) != emulator.outputs().end();
    return !is_output || (!output.empty() && a.name != output);
  });
  if (arrays.empty())
    throw Error(ErrorCode::BadInputName, "--expect: the archive holds none of the blob's outputs").in_file(path);
  return arrays;
}

}  // namespace

std::vector<Verdict> check_expected(const Emulator& emulator, const RunArguments& o) {
  std::vector<Verdict> verdicts;
  for (const std::string& argument : o.expect)
    for (const FloatTensor& array : expected_arrays(emulator, argument))
      verdicts.push_back(judge(emulator, array, o.tolerance));
  return verdicts;
}

std::string verdict_text(const Verdict& v) {
  if (!v.same_count) return v.output + ": shape " + shape_text(v.shape) + ", expected " + shape_text(v.expected_shape);
  if (v.largest_difference == 0) return v.output + ": exactly as expected";
  if (v.moved > 0)
    return format("%s: as expected, but for the order of %lld of %lld rows, whose scores tie in FP16", v.output.c_str(),
                  static_cast<long long>(v.moved), static_cast<long long>(v.count / v.shape.back()));
  return format(
      "%s: %s, %lld of %lld values differ by more than allowed, most at %s: %.7g for %.7g (%.3g of the largest value)",
      v.output.c_str(), v.good ? "as expected" : "NOT as expected", static_cast<long long>(v.differing),
      static_cast<long long>(v.count), list(v.at).c_str(), double{v.got}, double{v.expected}, v.relative_difference);
}

}  // namespace blobsmith::cli
