#include "cli/run_expect.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <numeric>

#include "cli/cli.hpp"
#include "cli/text.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "files/npz.hpp"

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

Verdict judge(const Emulator& emulator, const std::string& name, const NpyArray& expected, double tolerance) {
  const std::vector<int64_t> shape = emulator.output_shape(name);
  const int64_t count = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  Verdict v{name, shape, expected.shape, count == expected.count(), false, 0, 0, 0, count, {}, 0, 0};
  if (!v.same_count) return v;
  double magnitude = 0;
  for (int64_t i = 0; i < count; ++i)
    if (const float e = expected.number(i); std::isfinite(e)) magnitude = std::max(magnitude, std::abs(double{e}));
  const double allowed = tolerance * magnitude;
  int64_t i = 0;
  emulator.output(name, [&](std::span<const float> part) {
    for (const float got : part) {
      const float wanted = expected.number(i);
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
  v.good = v.differing == 0;
  return v;
}

std::string list(const std::vector<int64_t>& numbers) {
  std::string s;
  for (int64_t n : numbers) s += (s.empty() ? "" : ",") + std::to_string(n);
  return "[" + s + "]";
}

/// What one --expect names: (output, array) pairs.
std::vector<std::pair<std::string, NpyArray>> expected_arrays(const Emulator& emulator, const std::string& argument) {
  std::string path = argument, output;
  for (const TensorInfo& t : emulator.outputs())
    if (argument.starts_with(t.name + "=")) {
      output = t.name;
      path = argument.substr(t.name.size() + 1);
    }
  try {
    const Bytes file = read_file(path);
    if (!looks_like_npz(file)) {
      if (output.empty() && emulator.outputs().size() > 1)
        throw Error(ErrorCode::BadInputName, "--expect: the blob has several outputs")
            .hint("write OUTPUT=FILE.npy, or give a .npz of all");
      return {{output.empty() ? emulator.outputs().at(0).name : output, read_npy(file)}};
    }
    std::vector<std::pair<std::string, NpyArray>> found;
    for (auto& [name, array] : read_npz(file)) {
      const bool is_output =
          std::ranges::any_of(emulator.outputs(), [&n = name](const TensorInfo& t) { return t.name == n; });
      if (is_output && (output.empty() || name == output)) found.emplace_back(name, std::move(array));
    }
    if (found.empty()) throw Error(ErrorCode::BadInputName, "--expect: the archive holds none of the blob's outputs");
    return found;
  } catch (Error& e) {
    if (e.file().empty()) e.in_file(path);
    throw;
  }
}

}  // namespace

std::vector<Verdict> check_expected(const Emulator& emulator, const RunArguments& o) {
  std::vector<Verdict> verdicts;
  for (const std::string& argument : o.expect)
    for (const auto& [name, array] : expected_arrays(emulator, argument))
      verdicts.push_back(judge(emulator, name, array, o.tolerance));
  return verdicts;
}

std::string verdict_text(const Verdict& v) {
  if (!v.same_count) return v.output + ": shape " + shape_text(v.shape) + ", expected " + shape_text(v.expected_shape);
  if (v.largest_difference == 0) return v.output + ": exactly as expected";
  return format(
      "%s: %s, %lld of %lld values differ by more than allowed, most at %s: %.7g for %.7g (%.3g of the largest value)",
      v.output.c_str(), v.good ? "as expected" : "NOT as expected", static_cast<long long>(v.differing),
      static_cast<long long>(v.count), list(v.at).c_str(), double{v.got}, double{v.expected}, v.relative_difference);
}

}  // namespace blobsmith::cli
