// Gathering and scattering by indices, sequences that run backwards or add up.
#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

std::vector<Value> gather(Recipe& r) {
  const Value x = r.input(0), indices = r.input(1);
  const Value axis = r.scalar_i64(r.axis(r.integer("axis", 0), r.rank(x)));
  return {r.gather(x, indices, axis)};
}

std::vector<Value> gather_elements(Recipe& r) {
  const Value x = r.input(0), indices = r.input(1);
  return {r.make("GatherElements", {x, indices}, attributes({{"axis", r.integer("axis", 0)}}))};
}

std::vector<Value> gather_nd(Recipe& r) {
  const Value x = r.input(0), indices = r.input(1);
  return {r.make("GatherND", {x, indices}, attributes({{"batch_dims", r.integer("batch_dims", 0)}}))};
}

std::vector<Value> scatter_elements(Recipe& r) {
  const Value x = r.input(0), indices = r.input(1), updates = r.input(2);
  const Value axis = r.scalar_i64(r.integer("axis", 0));
  return {r.make("ScatterElementsUpdate", {x, indices, updates, axis})};
}

std::vector<Value> scatter_nd(Recipe& r) {
  const Value x = r.input(0), indices = r.input(1), updates = r.input(2);
  return {r.make("ScatterNDUpdate", {x, indices, updates})};
}

/// The positions where a condition holds, along an axis or of the flattened tensor.
std::vector<Value> compress(Recipe& r) {
  Value x = r.input(0);
  const Value condition = r.input(1);
  if (!r.has("axis")) {
    x = r.make("Squeeze", {flatten(r, x, 0)});
    r.skip_ids(1);
  }
  const Value axis = r.scalar_i64(r.integer("axis", 0)), first = r.scalar_i64(0);
  const Value places = r.make("NonZero", {condition}, attributes({{"output_type", std::string("i64")}}));
  const Value list = r.make("Squeeze", {places, first});
  return {r.gather(x, list, axis)};
}

std::vector<Value> reverse_sequence(Recipe& r) {
  const Value x = r.input(0);
  const Value lengths = r.convert(r.input(1), ElementType::i32);
  const int64_t batch = r.axis(r.integer("batch_axis", 1), r.rank(x)),
                time = r.axis(r.integer("time_axis", 0), r.rank(x));
  if ((batch != 0 && batch != 1) || (time != 0 && time != 1) || batch == time)
    r.refuse("Allowed values of the 'batch_axis' and 'time_axis' attributes for ReverseSequence operator are 0 and 1");
  return {r.make("ReverseSequence", {x, lengths}, attributes({{"batch_axis", batch}, {"seq_axis", time}}))};
}

std::vector<Value> cumulative_sum(Recipe& r) {
  const Value x = r.input(0);
  const Value axis = r.has_input(1) ? r.input(1) : r.scalar_i64(0);
  return {
      r.make("CumSum", {x, axis},
             attributes({{"exclusive", r.integer("exclusive", 0) != 0}, {"reverse", r.integer("reverse", 0) != 0}}))};
}

constexpr Row kRows[] = {
    {"Gather", 1, gather},
    {"GatherElements", 1, gather_elements},
    {"GatherND", 1, gather_nd},
    {"Scatter", 1, scatter_elements},
    {"ScatterElements", 1, scatter_elements},
    {"ScatterND", 1, scatter_nd},
    {"Compress", 1, compress},
    {"ReverseSequence", 1, reverse_sequence},
    {"CumSum", 1, cumulative_sum},
};

}  // namespace

std::span<const Row> indexing_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
