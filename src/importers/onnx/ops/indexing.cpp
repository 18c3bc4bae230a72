// Gathering and scattering by indices, sequences that run backwards or add up.
#include <algorithm>
#include <iterator>

#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

/// No operator of Model Optimizer: the slices that a constant condition chooses.
std::vector<Value> compress(Context& c) {
  const bool flat = !c.has("axis");
  const Value x = flat ? c.reshape(c.input(0), {-1}, "/flat") : c.input(0);
  const int64_t axis = flat ? 0 : c.axis(c.integer("axis", 0), c.rank());
  const std::vector<int64_t> chosen = c.constant_integers(1, "condition");
  if (static_cast<int64_t>(chosen.size()) > x.shape().at(static_cast<size_t>(axis)))
    c.refuse("its condition is longer than the axis");
  std::vector<int64_t> positions;
  for (size_t i = 0; i < chosen.size(); ++i)
    if (chosen[i]) positions.push_back(static_cast<int64_t>(i));
  if (positions.empty()) c.refuse("its condition chooses nothing");
  return {c.make("Gather", {x, c.integers_constant(positions), c.integer_constant(axis)},
                 attributes({{"batch_dims", int64_t{0}}}), 7)};
}

std::vector<Value> gather(Context& c) {
  return {c.make("Gather", {c.input(0), c.input(1), c.integer_constant(c.axis(c.integer("axis", 0), c.rank()))},
                 attributes({{"batch_dims", int64_t{0}}}), 7)};
}
std::vector<Value> gather_nd(Context& c) {
  return {c.make("GatherND", {c.input(0), c.input(1)}, attributes({{"batch_dims", c.integer("batch_dims", 0)}}))};
}
std::vector<Value> gather_elements(Context& c) {
  return {c.make("GatherElements", {c.input(0), c.input(1)},
                 attributes({{"axis", c.axis(c.integer("axis", 0), c.rank())}}))};
}

void refuse_reduction(Context& c) {
  if (c.text("reduction", "none") != "none") c.refuse("reduction is '" + c.text("reduction", "none") + "'");
}

std::vector<Value> scatter_elements(Context& c) {
  refuse_reduction(c);
  const Value axis = c.integer_constant(c.axis(c.integer("axis", 0), c.rank()));
  return {c.make("ScatterElementsUpdate", {c.input(0), c.input(1), c.input(2), axis})};
}

std::vector<Value> scatter_nd(Context& c) {
  refuse_reduction(c);
  return {c.make("ScatterNDUpdate", {c.input(0), c.input(1), c.input(2)})};
}

std::vector<Value> cumulative_sum(Context& c) {
  return {
      c.make("CumSum", {c.input(0), c.scalar(c.input(1))},
             attributes({{"exclusive", c.integer("exclusive", 0) != 0}, {"reverse", c.integer("reverse", 0) != 0}}))};
}

std::vector<Value> reverse_sequence(Context& c) {
  return {c.make("ReverseSequence", {c.input(0), c.input(1)},
                 attributes({{"batch_axis", c.integer("batch_axis", 1)}, {"seq_axis", c.integer("time_axis", 0)}}))};
}

}  // namespace
}  // namespace mo

namespace ie {
namespace {

std::vector<Value> gather(Context& c) {
  const Value x = c.input(0), indices = c.input(1);
  const Value axis = c.scalar_i64(c.axis(c.integer("axis", 0), c.rank(x)));
  return {c.gather(x, indices, axis)};
}

std::vector<Value> gather_elements(Context& c) {
  const Value x = c.input(0), indices = c.input(1);
  return {c.make("GatherElements", {x, indices}, attributes({{"axis", c.integer("axis", 0)}}))};
}

std::vector<Value> gather_nd(Context& c) {
  const Value x = c.input(0), indices = c.input(1);
  return {c.make("GatherND", {x, indices}, attributes({{"batch_dims", c.integer("batch_dims", 0)}}))};
}

std::vector<Value> scatter_elements(Context& c) {
  const Value x = c.input(0), indices = c.input(1), updates = c.input(2);
  const Value axis = c.scalar_i64(c.integer("axis", 0));
  return {c.make("ScatterElementsUpdate", {x, indices, updates, axis})};
}

std::vector<Value> scatter_nd(Context& c) {
  const Value x = c.input(0), indices = c.input(1), updates = c.input(2);
  return {c.make("ScatterNDUpdate", {x, indices, updates})};
}

/// The positions where a condition holds, along an axis or of the flattened tensor.
std::vector<Value> compress(Context& c) {
  Value x = c.input(0);
  const Value condition = c.input(1);
  if (!c.has("axis")) {
    x = c.make("Squeeze", {flatten(c, x, 0)});
    c.skip_ids(1);
  }
  const Value axis = c.scalar_i64(c.integer("axis", 0)), first = c.scalar_i64(0);
  const Value places = c.make("NonZero", {condition}, attributes({{"output_type", std::string("i64")}}));
  const Value list = c.make("Squeeze", {places, first});
  return {c.gather(x, list, axis)};
}

std::vector<Value> reverse_sequence(Context& c) {
  const Value x = c.input(0);
  const Value lengths = c.convert(c.input(1), ElementType::i32);
  const int64_t batch = c.axis(c.integer("batch_axis", 1), c.rank(x)),
                time = c.axis(c.integer("time_axis", 0), c.rank(x));
  if ((batch != 0 && batch != 1) || (time != 0 && time != 1) || batch == time)
    c.refuse("Allowed values of the 'batch_axis' and 'time_axis' attributes for ReverseSequence operator are 0 and 1");
  return {c.make("ReverseSequence", {x, lengths}, attributes({{"batch_axis", batch}, {"seq_axis", time}}))};
}

std::vector<Value> cumulative_sum(Context& c) {
  const Value x = c.input(0);
  const Value axis = c.has_input(1) ? c.input(1) : c.scalar_i64(0);
  return {
      c.make("CumSum", {x, axis},
             attributes({{"exclusive", c.integer("exclusive", 0) != 0}, {"reverse", c.integer("reverse", 0) != 0}}))};
}

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"Gather", 1, "Gather", mo::gather, ie::gather},
    {"GatherElements", 1, "GatherElements", mo::gather_elements, ie::gather_elements},
    {"GatherND", 1, "GatherND", mo::gather_nd, ie::gather_nd},
    {"Scatter", 1, "ScatterElementsUpdate", mo::scatter_elements, ie::scatter_elements},
    {"ScatterElements", 1, "ScatterElementsUpdate", mo::scatter_elements, ie::scatter_elements},
    {"ScatterND", 1, "ScatterNDUpdate", mo::scatter_nd, ie::scatter_nd},
    {"Compress", 1, "Gather", mo::compress, ie::compress},
    {"ReverseSequence", 1, "ReverseSequence", mo::reverse_sequence, ie::reverse_sequence},
    {"CumSum", 1, "CumSum", mo::cumulative_sum, ie::cumulative_sum},
};

}  // namespace

std::span<const OperatorRow> indexing_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
