#include "compare/advice.hpp"

#include <algorithm>
#include <cmath>

#include "core/text.hpp"

namespace blobsmith::comparison {
namespace {

void advise_inputs(const std::vector<InputLoss>& losses, std::vector<std::string>& list) {
  for (const InputLoss& l : losses)
    list.push_back("input \"" + l.name + "\" is " + l.type + " in the blob: " + std::to_string(l.changed) + " of " +
                   std::to_string(l.count) + " values were changed by up to " + number_text(l.largest, 3) +
                   " before both sides saw them; compile with --ip FP16, or put mean and scale into the model "
                   "(--mean-values, --scale-values)");
}

void advise_overflow(const Comparison& c, std::vector<std::string>& list) {
  const auto first = std::ranges::find_if(c.layers, [](const LayerResult& l) { return l.overflows > 0; });
  if (first == c.layers.end()) return;
  std::string s = "layer \"" + first->name + "\": ";
  if (first->largest > kLargestHalf) {
    const int exponent = static_cast<int>(std::ceil(std::log2(first->largest / kLargestHalf)));
    constexpr int kSensible = 12;  // beyond, nothing would be left of usual values
    const std::string power = std::to_string(exponent);
    s += "the value " + number_text(first->largest, 3) + " exceeds the largest of FP16, 65504: ";
    s += exponent <= kSensible
             ? "scale its weights, or the input, by 2^-" + power + " and the next layer by 2^" + power
             : "so large that it stands for infinity, or comes of inputs that the network is not meant for";
  } else {
    s += "a value became infinite on the way, though the result fits FP16: look at what is summed up in this layer";
  }
  list.push_back(std::move(s));
}

/// All of a layer's error may come from values that became zero.
bool is_flush_alone(const LayerResult& l) {
  return static_cast<double>(l.flushed) * kSmallestNormalHalf >= 0.5 * l.mean_error * static_cast<double>(l.count);
}

void advise_flushed(const Comparison& c, std::vector<std::string>& list) {
  const auto worst = std::ranges::max_element(c.layers, {}, [](const LayerResult& l) {
    return l.count ? static_cast<double>(l.flushed) / static_cast<double>(l.count) : 0.0;
  });
  if (worst == c.layers.end() || worst->flushed * 20 < worst->count || worst->within || !is_flush_alone(*worst)) return;
  list.push_back(
      "layer \"" + worst->name + "\": " +
      std::to_string(std::lround(100.0 * static_cast<double>(worst->flushed) / static_cast<double>(worst->count))) +
      " % of its values are too small for FP16 and became 0: scale its weights up, and the next layer down");
}

void advise_nan(const Comparison& c, std::vector<std::string>& list) {
  const auto first = std::ranges::find_if(c.layers, [](const LayerResult& l) { return l.nans > 0; });
  if (first != c.layers.end())
    list.push_back("layer \"" + first->name +
                   "\" is the first with values that are not a number: infinities cancel each other, or a logarithm, "
                   "root or division got what FP16 made of a small value");
}

void advise_first(const Comparison& c, const std::vector<Remark>& faults, std::vector<std::string>& list) {
  const LayerResult* first = c.first_outside();
  if (!first) return;
  const auto fault = std::ranges::find(faults, first->name, &Remark::layer);
  if (fault != faults.end()) {
    list.push_back("layer \"" + first->name +
                   "\" is one of which Intel's compiler computes something else than the model says: " + fault->what +
                   (fault->avoidable ? "; blobsmith convert avoids that" : ""));
  } else if (first->overflows == 0 && first->nans == 0) {
    list.push_back("look at layer \"" + first->name + "\" first: those before it agree" +
                   (c.outputs_within() ? ", and the outputs agree all the same" : ""));
  }
}

}  // namespace

std::vector<std::string> advice(const Comparison& c, const std::vector<Remark>& faults,
                                const std::vector<InputLoss>& losses) {
  std::vector<std::string> list;
  for (const Skipped& k : c.skipped)
    if (k.is_output && faults.empty())
      list.push_back("output \"" + k.name + "\" can't be compared: the blob seems to be of another model");
  advise_inputs(losses, list);
  advise_overflow(c, list);
  advise_nan(c, list);
  advise_flushed(c, list);
  advise_first(c, faults, list);
  return list;
}

}  // namespace blobsmith::comparison
