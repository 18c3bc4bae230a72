#include "importers/onnx/ops/spelled_recurrent.hpp"

#include <algorithm>
#include <cmath>

#include "importers/onnx/mo_steps.hpp"

namespace blobsmith::onnx_import::mo {
namespace {

constexpr int64_t kMostSteps = 512;

int64_t gates_of(Cell kind) { return kind == Cell::Lstm ? 4 : kind == Cell::Gru ? 3 : 1; }

std::vector<std::string> usual_functions(Cell kind) {
  if (kind == Cell::Lstm) return {"Sigmoid", "Tanh", "Tanh"};
  return kind == Cell::Gru ? std::vector<std::string>{"Sigmoid", "Tanh"} : std::vector<std::string>{"Tanh"};
}

std::vector<std::string> functions_of(Context& c, Cell kind, size_t directions) {
  const std::vector<std::string> usual = usual_functions(kind);
  const onnx_file::Attribute* a = c.node().find("activations");
  std::vector<std::string> names;
  for (size_t d = 0; d < directions; ++d) names.insert(names.end(), usual.begin(), usual.end());
  if (!a) return names;
  if (a->kind != onnx_file::Attribute::Kind::Texts || a->texts.size() != names.size())
    c.refuse("attribute 'activations' does not name " + std::to_string(names.size()) + " functions");
  return a->texts;
}

class Recurrence {
 public:
  Recurrence(Context& c, Cell kind) : c_(c), s_(c), kind_(kind), gates_(gates_of(kind)) {
    batch_first_ = c.integer("layout", 0) != 0;
    x_ = batch_first_ ? s_.transpose(c.input(0), {1, 0, 2}) : c.input(0);
    const Shape &x = x_.shape(), &w = c.input(1).shape(), &r = c.input(2).shape();
    if (x.size() != 3 || !is_static(x) || w.size() != 3 || r.size() != 3 || !is_static(w))
      c.refuse("its input has the shape " + to_string(x));
    steps_ = x[0];
    batch_ = x[1];
    hidden_ = r[2];
    const std::string direction = c.text("direction", "forward");
    directions_ = direction == "bidirectional" ? 2 : 1;
    if (w != Shape{directions_, gates_ * hidden_, x[2]} || r != Shape{directions_, gates_ * hidden_, hidden_})
      c.refuse("its weights have the shapes " + to_string(w) + " and " + to_string(r));
    if (steps_ < 1 || steps_ > kMostSteps)
      c.refuse("sequences of more than " + std::to_string(kMostSteps) + " steps in this form are not supported");
    functions_ = functions_of(c, kind, static_cast<size_t>(directions_));
    alphas_ = c.reals("activation_alpha");
    betas_ = c.reals("activation_beta");
    reverse_ = direction == "reverse";
  }

  std::vector<Value> run() {
    std::vector<std::vector<Value>> all;
    for (int64_t d = 0; d < directions_; ++d) all.push_back(direction(d, d == 1 || reverse_));
    std::vector<Value> outputs;
    for (size_t i = 0; i < all[0].size(); ++i) {
      std::vector<Value> parts;
      for (const auto& of_direction : all) parts.push_back(of_direction[i]);
      Value v = s_.concat(parts, i == 0 ? 1 : 0);
      if (batch_first_) v = s_.transpose(v, i == 0 ? std::vector<int64_t>{2, 0, 1, 3} : std::vector<int64_t>{1, 0, 2});
      outputs.push_back(v);
    }
    return outputs;
  }

 private:
  /// Of one direction: [steps, 1, batch, hidden], [1, batch, hidden] for each state.
  std::vector<Value> direction(int64_t d, bool reverse) {
    function_ = static_cast<size_t>(d) * usual_functions(kind_).size();
    const int64_t rows = gates_ * hidden_;
    const Value w = s_.reshape(part(c_.input(1), d), {rows, x_.shape()[2]}),
                r = s_.reshape(part(c_.input(2), d), {rows, hidden_});
    Value bias, recurrent_bias;
    if (c_.has_input(3)) {
      const Value both = s_.reshape(part(c_.input(3), d), {1, 2 * rows});
      bias = s_.slice(both, 1, 0, rows);
      recurrent_bias = s_.slice(both, 1, rows, 2 * rows);
    }
    Value shares = s_.product(s_.reshape(x_, {steps_ * batch_, x_.shape()[2]}), w, true);
    if (bias) shares = s_.add(shares, bias);
    shares = s_.reshape(shares, {steps_, batch_, rows});
    Value h = state(5, d), cell = kind_ == Cell::Lstm ? state(6, d) : Value{};
    peepholes_ = kind_ == Cell::Lstm && c_.has_input(7) ? s_.reshape(part(c_.input(7), d), {1, 3 * hidden_}) : Value{};
    std::vector<Value> outputs(static_cast<size_t>(steps_));
    for (int64_t i = 0; i < steps_; ++i) {
      const int64_t t = reverse ? steps_ - 1 - i : i;
      const Value share = s_.reshape(s_.slice(shares, 0, t, t + 1), {batch_, rows});
      Value next_cell = cell;
      const Value next = kind_ == Cell::Lstm  ? lstm(share, r, recurrent_bias, h, next_cell)
                         : kind_ == Cell::Gru ? gru(share, r, recurrent_bias, h)
                                              : rnn(share, r, recurrent_bias, h);
      const Value runs = mask(t);
      h = runs ? s_.make("Select", {runs, next, h}) : next;
      if (cell) cell = runs ? s_.make("Select", {runs, next_cell, cell}) : next_cell;
      const Value shown = runs ? s_.make("Select", {runs, next, s_.number(next, 0)}) : next;
      outputs[static_cast<size_t>(t)] = s_.reshape(shown, {1, 1, batch_, hidden_});
    }
    std::vector<Value> result{s_.concat(outputs, 0), s_.reshape(h, {1, batch_, hidden_})};
    if (cell) result.push_back(s_.reshape(cell, {1, batch_, hidden_}));
    return result;
  }

  Value part(Value v, int64_t d) { return s_.slice(v, 0, d, d + 1); }

  Value state(size_t input, int64_t d) {
    if (!c_.has_input(input)) return s_.zeros(x_.type(), {batch_, hidden_});
    const Value v = batch_first_ ? s_.transpose(c_.input(input), {1, 0, 2}) : c_.input(input);
    return s_.reshape(part(v, d), {batch_, hidden_});
  }

  /// Which items still run at step t; null where all do.
  Value mask(int64_t t) {
    if (!c_.has_input(4)) return {};
    const Value lengths = s_.reshape(c_.input(4), {batch_, 1});
    if (const Tensor* known = c_.constant(4)) {
      const std::vector<int64_t> n = known->to_i64();
      if (std::ranges::all_of(n, [&](int64_t v) { return v > t; })) return {};
    }
    return s_.make("Greater", {lengths, s_.number(lengths, static_cast<double>(t))});
  }

  Value gate(Value v, int64_t g) { return gates_ == 1 ? v : s_.slice(v, 1, g * hidden_, (g + 1) * hidden_); }
  Value peephole(int64_t g) { return s_.slice(peepholes_, 1, g * hidden_, (g + 1) * hidden_); }

  /// Function number i of this direction, of the clipped values of a gate.
  Value f(size_t i, Value v) {
    const double clip = c_.real("clip", 0);
    return function(i, clip > 0 ? s_.clamp(v, -clip, clip) : v);
  }

  Value function(size_t i, Value v) {
    const size_t at = function_ + i;
    std::string name = functions_.at(at);
    const auto number = [&](const std::vector<float>& list, double fallback) {
      return at < list.size() ? static_cast<double>(list[at]) : fallback;
    };
    if (name == "Sigmoid" || name == "Tanh" || name == "Relu") return s_.make(name, {v});
    if (name == "HardSigmoid") return s_.clamp(s_.add(s_.multiply(v, number(alphas_, 0.2)), number(betas_, 0.5)), 0, 1);
    if (name == "Affine") return s_.add(s_.multiply(v, number(alphas_, 1)), number(betas_, 0));
    if (name == "ScaledTanh")
      return s_.multiply(s_.make("Tanh", {s_.multiply(v, number(betas_, 1))}), number(alphas_, 1));
    if (name == "LeakyRelu") return s_.make("PRelu", {v, c_.number_constant(v.type(), {1}, number(alphas_, 0.01))});
    if (name == "Elu") return s_.make("Elu", {v}, attributes({{"alpha", number(alphas_, 1)}}));
    if (name == "Softplus") return s_.make("SoftPlus", {v});
    if (name == "Softsign") return s_.divide(v, s_.add(s_.make("Abs", {v}), 1));
    if (name == "ThresholdedRelu") {
      const Value above = s_.make("Greater", {v, s_.number(v, number(alphas_, 1))});
      return s_.make("Select", {above, v, s_.number(v, 0)});
    }
    c_.refuse("activation '" + name + "' is not supported");
  }

  Value recurrence(Value h, Value r, Value bias) {
    const Value y = s_.product(h, r, true);
    return bias ? s_.add(y, bias) : y;
  }

  Value rnn(Value share, Value r, Value bias, Value h) { return f(0, s_.add(share, recurrence(h, r, bias))); }

  /// Gates input, output, forget, new.
  Value lstm(Value share, Value r, Value bias, Value h, Value& cell) {
    const Value z = s_.add(share, recurrence(h, r, bias));
    const auto seen = [&](int64_t g, Value state, int64_t p) {
      if (!peepholes_) return gate(z, g);
      const Value seen_state = s_.multiply(peephole(p), state);
      return s_.add(gate(z, g), seen_state);
    };
    const Value input = f(0, seen(0, cell, 0));
    const Value forget =
        c_.integer("input_forget", 0) != 0 ? s_.add(s_.multiply(input, -1), 1) : f(0, seen(2, cell, 2));
    const Value fresh = s_.multiply(input, f(1, gate(z, 3)));
    cell = s_.add(s_.multiply(forget, cell), fresh);
    const Value shown = function(2, cell);  // ONNX Runtime, as OpenVINO, clips the gates alone
    return s_.multiply(f(0, seen(1, cell, 1)), shown);
  }

  /// Gates update, reset, new: new + update (h - new).
  Value gru(Value share, Value r, Value bias, Value h) {
    const Value all = recurrence(h, r, bias);
    const auto switched = [&](int64_t g) {
      const Value second = gate(all, g);
      return f(0, s_.add(gate(share, g), second));
    };
    const Value update = switched(0), reset = switched(1);
    Value memory;
    if (c_.integer("linear_before_reset", 0) != 0) {
      memory = s_.multiply(reset, gate(all, 2));
    } else {
      const Value rows = s_.slice(r, 0, 2 * hidden_, 3 * hidden_);
      memory = recurrence(s_.multiply(reset, h), rows, bias ? gate(bias, 2) : Value{});
    }
    const Value fresh = f(1, s_.add(gate(share, 2), memory));
    return s_.add(fresh, s_.multiply(update, s_.subtract(h, fresh)));
  }

  Context& c_;
  Steps s_;
  Cell kind_;
  int64_t gates_, steps_ = 0, batch_ = 0, hidden_ = 0, directions_ = 1;
  bool batch_first_ = false, reverse_ = false;
  Value x_, peepholes_;
  std::vector<std::string> functions_;
  std::vector<float> alphas_, betas_;
  size_t function_ = 0;  ///< the first one of the direction at hand
};

}  // namespace

bool needs_spelled_recurrent(Context& c, Cell kind) {
  if (c.quirks()) return false;
  for (const char* a : {"input_forget", "layout"})
    if (c.integer(a, 0) != 0) return true;
  if (c.real("clip", 0) > 0 || (kind == Cell::Lstm && c.has_input(7))) return true;
  for (size_t i = 1; i < 4; ++i)
    if (c.has_input(i) && !c.constant(i)) return true;
  if (c.has_input(4)) {
    const Tensor* lengths = c.constant(4);
    const Shape& x = c.input(0).shape();
    if (!lengths || x.empty() || std::ranges::any_of(lengths->to_i64(), [&](int64_t n) { return n != x[0]; }))
      return true;
  }
  const size_t directions = c.text("direction", "forward") == "bidirectional" ? 2 : 1;
  for (const std::string& f : functions_of(c, kind, directions)) {
    const bool known = f == "Sigmoid" || f == "Tanh" || (kind != Cell::Lstm && f == "Relu");
    if (!known) return true;
  }
  const std::vector<std::string> given = functions_of(c, kind, directions), usual = usual_functions(kind);
  for (size_t i = 0; i < given.size(); ++i)
    if (kind == Cell::Lstm && given[i] != usual[i % usual.size()]) return true;
  return false;
}

std::vector<Value> spelled_recurrent(Context& c, Cell kind) { return Recurrence(c, kind).run(); }

}  // namespace blobsmith::onnx_import::mo
