// LSTM, GRU and RNN as sequences; what the model leaves out is made of the shapes of what it gives. Loops.
#include <algorithm>
#include <cmath>

#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

enum Input : size_t { kX, kW, kR, kB, kLengths, kHidden, kCell };

/// [1] tensors of the sizes, computed when the network runs.
struct Sizes {
  Value batch, steps, directions, hidden;
};

Sizes sizes(Recipe& r, Value x, Value recurrence) {
  const Value shape = r.shape_of(x), axis = r.list_i32({0});
  const auto pick = [&](Value from, int32_t index) {
    const Value i = r.list_i32({index});
    return r.gather(from, i, axis);
  };
  Sizes s;
  s.batch = pick(shape, 0);
  s.steps = pick(shape, 1);
  const Value weights = r.shape_of(recurrence);
  s.directions = pick(weights, 0);
  s.hidden = pick(weights, 2);
  return s;
}

Value zeros(Recipe& r, ElementType type, Value shape) {
  const Value zero = r.filled(type, {}, 0);
  return r.make("Broadcast", {zero, shape}, attributes({{"mode", std::string("numpy")}}), 3);
}

/// Gates from ONNX's order input, output, forget, cell to forget, input, cell, output.
Value reordered(Recipe& r, Value weights) {
  const std::vector<Value> gates = r.split(weights, 4, 1);
  return r.concat({gates.at(2), gates.at(0), gates.at(3), gates.at(1)}, 1);
}

Value sum_of_halves(Recipe& r) {
  const std::vector<Value> halves = r.split(r.input(kB), 2, 1);
  return r.binary("Add", halves.at(0), halves.at(1));
}

Value no_bias(Recipe& r, const Sizes& s, int64_t gates, ElementType type) {
  const Value count = r.list_i64({gates});
  const Value rows = r.binary("Multiply", count, s.hidden);
  return zeros(r, type, r.concat({s.directions, rows}, 0));
}

Value lengths(Recipe& r, const Sizes& s) {
  if (r.has_input(kLengths)) return r.input(kLengths);
  return r.make("Broadcast", {s.steps, s.batch}, attributes({{"mode", std::string("numpy")}}), 3);
}

Value initial_state(Recipe& r, size_t input, const Sizes& s, ElementType type) {
  if (r.has_input(input)) return r.transpose(r.input(input), {1, 0, 2});
  return zeros(r, type, r.concat({s.batch, s.directions, s.hidden}, 0));
}

std::string lower(std::string s) {
  std::ranges::transform(s, s.begin(),
                         [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return s;
}

Attributes sequence_attributes(Recipe& r, std::vector<std::string> activations) {
  if (const onnx_file::Attribute* a = r.node().find("activations")) activations = a->texts;
  std::ranges::transform(activations, activations.begin(), lower);
  const auto reals = [&](const char* name) {
    const onnx_file::Attribute* a = r.node().find(name);
    return a ? std::vector<double>(a->reals.begin(), a->reals.end()) : std::vector<double>{};
  };
  const std::string direction = lower(r.text("direction", "forward"));
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
    r.refuse("unknown direction '" + direction + "'");
  return attributes({{"hidden_size", r.mandatory_integer("hidden_size")},
                     {"direction", direction},
                     {"activations", activations},
                     {"activations_alpha", reals("activation_alpha")},
                     {"activations_beta", reals("activation_beta")},
                     {"clip", static_cast<double>(std::abs(r.real("clip", 0)))}});
}

std::vector<Value> outputs(Recipe& r, Value sequence) {
  std::vector<Value> values;
  values.push_back(r.transpose(sequence, {2, 1, 0, 3}));
  for (int i = 1; i < sequence.node->output_count(); ++i) values.push_back(r.transpose({sequence.node, i}, {1, 0, 2}));
  return values;
}

void check_rank(Recipe& r) {
  for (size_t i : {kX, kW, kR})
    if (r.rank(r.input(i)) != 3) r.refuse("input " + std::to_string(i) + " must have 3 dimensions");
}

std::vector<Value> lstm(Recipe& r) {
  check_rank(r);
  const Value x = r.transpose(r.input(kX), {1, 0, 2});
  const Value w = reordered(r, r.input(kW)), recurrence = reordered(r, r.input(kR));
  const Sizes s = sizes(r, x, recurrence);
  const Value bias = r.has_input(kB) ? reordered(r, sum_of_halves(r)) : no_bias(r, s, 4, x.type());
  const Value steps = lengths(r, s);
  const Value hidden = initial_state(r, kHidden, s, x.type()), cell = initial_state(r, kCell, s, x.type());
  return outputs(r, r.make("LSTMSequence", {x, hidden, cell, steps, w, recurrence, bias},
                           sequence_attributes(r, {"sigmoid", "tanh", "tanh"}), 5));
}

/// The last gate keeps its two biases apart where the recurrence is applied before the reset gate.
Value gru_bias(Recipe& r) {
  if (r.integer("linear_before_reset", 0) == 0) return sum_of_halves(r);
  const std::vector<Value> parts = r.split(r.input(kB), 6, 1);
  const Value update = r.binary("Add", parts.at(0), parts.at(3)), reset = r.binary("Add", parts.at(1), parts.at(4));
  return r.concat({update, reset, parts.at(2), parts.at(5)}, 1);
}

std::vector<Value> gru(Recipe& r) {
  check_rank(r);
  const Value x = r.transpose(r.input(kX), {1, 0, 2}), w = r.input(kW), recurrence = r.input(kR);
  const Sizes s = sizes(r, x, recurrence);
  const bool linear = r.integer("linear_before_reset", 0) != 0;
  const Value bias = r.has_input(kB) ? gru_bias(r) : no_bias(r, s, linear ? 4 : 3, x.type());
  const Value steps = lengths(r, s);
  const Value hidden = initial_state(r, kHidden, s, x.type());
  Attributes a = sequence_attributes(r, {"sigmoid", "tanh"});
  a.set("linear_before_reset", linear);
  return outputs(r, r.make("GRUSequence", {x, hidden, steps, w, recurrence, bias}, std::move(a)));
}

std::vector<Value> rnn(Recipe& r) {
  check_rank(r);
  const Value x = r.transpose(r.input(kX), {1, 0, 2}), w = r.input(kW), recurrence = r.input(kR);
  const Sizes s = sizes(r, x, recurrence);
  const Value bias = r.has_input(kB) ? sum_of_halves(r) : no_bias(r, s, 1, x.type());
  const Value steps = lengths(r, s);
  const Value hidden = initial_state(r, kHidden, s, x.type());
  return outputs(r, r.make("RNNSequence", {x, hidden, steps, w, recurrence, bias}, sequence_attributes(r, {"tanh"})));
}

/// The reference takes loops that neither stop by a condition nor carry values: they only repeat constants.
std::vector<Value> loop(Recipe& r) {
  if (r.has_input(1) || r.input_count() > 2)
    r.refuse(
        "a loop with a condition or with values that are carried from one turn to the next can't be compiled: "
        "Encountered unknown input type of a loop");
  throw not_yet_supported(r.node().outputs.empty() ? r.node().name : r.node().outputs[0], "Loop",
                          "loops that carry no values");
}

constexpr Row kRows[] = {{"LSTM", 1, lstm}, {"GRU", 1, gru}, {"RNN", 1, rnn}, {"Loop", 1, loop}};

}  // namespace

std::span<const Row> recurrent_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
