// Gathering and scattering by indices, sequences that run backwards or add up.
#include <algorithm>
#include <iterator>
#include <map>

#include "importers/onnx/mo_steps.hpp"
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

/// Where each update goes in the data, as rows of one axis.
std::vector<int64_t> element_places(Context& c) {
  const Shape& data = c.input(0).shape();
  const Shape& at = c.input(1).shape();
  const auto axis = static_cast<size_t>(c.axis(c.integer("axis", 0), c.rank()));
  const std::vector<int64_t> indices = c.constant_integers(1, "list of indices, which a reduction needs,");
  std::vector<int64_t> places;
  for (size_t i = 0; i < indices.size(); ++i) {
    auto rest = static_cast<int64_t>(i);
    int64_t place = 0, step = 1;
    for (size_t a = data.size(); a-- > 0;) {
      int64_t k = rest % at[a];
      rest /= at[a];
      if (a == axis) k = indices[i] < 0 ? indices[i] + data[a] : indices[i];
      place += k * step;
      step *= data[a];
    }
    places.push_back(place);
  }
  return places;
}

std::vector<int64_t> slice_places(Context& c) {
  const Shape& data = c.input(0).shape();
  const auto depth = static_cast<size_t>(c.input(1).shape().back());
  const std::vector<int64_t> indices = c.constant_integers(1, "list of indices, which a reduction needs,");
  const int64_t each = element_count(Shape(data.begin() + static_cast<std::ptrdiff_t>(depth), data.end()));
  std::vector<int64_t> places;
  for (size_t i = 0; i < indices.size(); i += depth) {
    int64_t first = 0;
    for (size_t a = 0; a < depth; ++a)
      first = first * data[a] + (indices[i + a] < 0 ? indices[i + a] + data[a] : indices[i + a]);
    for (int64_t k = 0; k < each; ++k) places.push_back(first * each + k);
  }
  return places;
}

/// The n-th update of any place is in round n: within a round no place comes twice.
std::vector<std::vector<size_t>> rounds_of(const std::vector<int64_t>& places) {
  std::map<int64_t, size_t> seen;
  std::vector<std::vector<size_t>> rounds;
  for (size_t i = 0; i < places.size(); ++i) {
    const size_t round = seen[places[i]]++;
    if (round >= rounds.size()) rounds.emplace_back();
    rounds[round].push_back(i);
  }
  return rounds;
}

/// No operators of Model Optimizer: what is there is gathered, joined with the updates, and put back.
std::vector<Value> scatter_reduced(Context& c, const std::vector<int64_t>& places) {
  Steps s(c);
  const std::string reduction = c.text("reduction", "none");
  const char* type = reduction == "add"   ? "Add"
                     : reduction == "mul" ? "Multiply"
                     : reduction == "max" ? "Maximum"
                     : reduction == "min" ? "Minimum"
                                          : nullptr;
  if (!type) c.refuse("reduction is '" + reduction + "'");
  const Shape shape = c.input(0).shape();
  const int64_t all = element_count(shape);
  if (places.size() != static_cast<size_t>(element_count(c.input(2).shape())) ||
      std::ranges::any_of(places, [&](int64_t p) { return p < 0 || p >= all; }))
    c.refuse("its indices don't fit its data");
  const Value updates = s.reshape(c.input(2), {static_cast<int64_t>(places.size())});
  Value y = s.reshape(c.input(0), {all});
  for (const std::vector<size_t>& round : rounds_of(places)) {
    std::vector<int64_t> at, which;
    for (const size_t i : round) {
      at.push_back(places[i]);
      which.push_back(static_cast<int64_t>(i));
    }
    const Value there = s.indices(at);
    const Value joined = s.make(type, {s.gather(y, there, 0), s.gather(updates, s.indices(which), 0)});
    y = s.make("ScatterElementsUpdate", {y, there, joined, s.constant(Tensor::scalar_i64(0))});
  }
  return {s.done(s.reshape(y, shape))};
}

bool is_reduced(Context& c) { return c.text("reduction", "none") != "none"; }

std::vector<Value> scatter_elements(Context& c) {
  if (is_reduced(c)) return scatter_reduced(c, element_places(c));
  const Value axis = c.integer_constant(c.axis(c.integer("axis", 0), c.rank()));
  return {c.make("ScatterElementsUpdate", {c.input(0), c.input(1), c.input(2), axis})};
}

std::vector<Value> scatter_nd(Context& c) {
  if (is_reduced(c)) return scatter_reduced(c, slice_places(c));
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
  return {c.make("GatherND", {x, indices}, attributes({{"batch_dims", c.integer("batch_dims", 0)}}), c.newest())};
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
