// Recurrent cells and sequences (opset 1..5). Gates as OpenVINO orders them: LSTM forget, input, candidate, output; GRU
// update, reset, candidate. Sums are FP64.
#include <algorithm>
#include <cmath>

#include "core/text.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

using Real = double;
using Function = Real (*)(Real, Real alpha, Real beta);

struct FunctionRow {
  std::string_view name;
  Function function;
  Real alpha, beta;  ///< where the layer states none
};
constexpr FunctionRow kFunctions[] = {
    {"sigmoid", [](Real x, Real, Real) { return 1 / (1 + std::exp(-x)); }, 0, 0},
    {"tanh", [](Real x, Real, Real) { return std::tanh(x); }, 0, 0},
    {"relu", [](Real x, Real, Real) { return std::max(x, 0.0); }, 0, 0},
    {"hardsigmoid", [](Real x, Real a, Real b) { return std::clamp(a * x + b, 0.0, 1.0); }, 0.2, 0.5},
    {"affine", [](Real x, Real a, Real b) { return a * x + b; }, 1, 0},
    {"softsign", [](Real x, Real, Real) { return x / (1 + std::fabs(x)); }, 0, 0},
    {"softplus", [](Real x, Real, Real) { return std::log1p(std::exp(x)); }, 0, 0},
    {"elu", [](Real x, Real a, Real) { return x < 0 ? a * std::expm1(x) : x; }, 1, 0},
    {"leakyrelu", [](Real x, Real a, Real) { return x < 0 ? a * x : x; }, 0.01, 0},
    {"thresholdedrelu", [](Real x, Real a, Real) { return x > a ? x : 0; }, 1, 0},
    {"scaledtanh", [](Real x, Real a, Real b) { return a * std::tanh(b * x); }, 1, 1},
};

struct Activation {
  Function function;
  Real alpha, beta;
  Real operator()(Real x) const { return function(x, alpha, beta); }
};

enum class Kind { Lstm, Gru, Rnn };

/// A cell's settings and the weights of one direction.
struct Cell {
  Kind kind;
  int64_t input, hidden;
  std::vector<Activation> functions;
  Real clip = 0;
  bool linear_before_reset = false, input_forget = false;
  const float *w = nullptr, *r = nullptr,
              *b = nullptr;  ///< [gates*hidden][input], [gates*hidden][hidden], [gates*hidden]; b may be null

  Real clipped(Real x) const { return clip > 0 ? std::clamp(x, -clip, clip) : x; }
  Real product(const float* matrix, int64_t row, const std::vector<Real>& v) const {
    Real sum = 0;
    const float* at = matrix + row * static_cast<int64_t>(v.size());
    for (size_t i = 0; i < v.size(); ++i) sum += static_cast<Real>(at[i]) * v[i];
    return sum;
  }
  Real bias(int64_t row) const { return b ? static_cast<Real>(b[row]) : 0; }
  Real gate(int64_t row, const std::vector<Real>& x, const std::vector<Real>& h) const {
    return clipped(product(w, row, x) + product(r, row, h) + bias(row));
  }

  void step(const std::vector<Real>& x, std::vector<Real>& h, std::vector<Real>& c) const {
    switch (kind) {
      case Kind::Lstm: return lstm(x, h, c);
      case Kind::Gru: return gru(x, h);
      case Kind::Rnn: return rnn(x, h);
    }
  }

  void lstm(const std::vector<Real>& x, std::vector<Real>& h, std::vector<Real>& c) const {
    std::vector<Real> next(h.size());
    for (int64_t k = 0; k < hidden; ++k) {
      const Real f = functions[0](gate(k, x, h)), i = input_forget ? 1 - f : functions[0](gate(hidden + k, x, h));
      const Real candidate = functions[1](gate(2 * hidden + k, x, h)), o = functions[0](gate(3 * hidden + k, x, h));
      Real& cell = c[static_cast<size_t>(k)];
      cell = f * cell + i * candidate;
      next[static_cast<size_t>(k)] = o * functions[2](cell);
    }
    h = std::move(next);
  }

  void gru(const std::vector<Real>& x, std::vector<Real>& h) const {
    std::vector<Real> update(h.size()), reset(h.size()), gated(h.size()), next(h.size());
    for (size_t k = 0; k < h.size(); ++k) {
      update[k] = functions[0](gate(static_cast<int64_t>(k), x, h));
      reset[k] = functions[0](gate(hidden + static_cast<int64_t>(k), x, h));
      gated[k] = reset[k] * h[k];
    }
    for (size_t k = 0; k < h.size(); ++k) {
      const int64_t row = 2 * hidden + static_cast<int64_t>(k);
      // With linear_before_reset there is a fourth row of biases, of the recurrent part.
      const Real recurrent = linear_before_reset
                                 ? reset[k] * (product(r, row, h) + bias(3 * hidden + static_cast<int64_t>(k)))
                                 : product(r, row, gated);
      const Real candidate = functions[1](clipped(product(w, row, x) + recurrent + bias(row)));
      next[k] = (1 - update[k]) * candidate + update[k] * h[k];
    }
    h = std::move(next);
  }

  void rnn(const std::vector<Real>& x, std::vector<Real>& h) const {
    std::vector<Real> next(h.size());
    for (size_t k = 0; k < h.size(); ++k) next[k] = functions[0](gate(static_cast<int64_t>(k), x, h));
    h = std::move(next);
  }
};

std::vector<Real> activation_reals(const Attributes& a, std::string_view name) {
  const auto* v = a.find(name);
  const auto* list = v ? std::get_if<std::vector<double>>(v) : nullptr;
  return list ? *list : std::vector<Real>();
}

std::vector<Activation> read_functions(const Call& c) {
  const std::vector<Real> alpha = activation_reals(c.attrs(), "activations_alpha"),
                          beta = activation_reals(c.attrs(), "activations_beta");
  std::vector<Activation> list;
  for (const std::string& text : c.attrs().get<std::vector<std::string>>("activations")) {
    const auto* known = std::ranges::find(kFunctions, lower_case(text), &FunctionRow::name);
    c.require(known != std::end(kFunctions), "not yet supported: the activation \"" + text + "\"");
    const size_t i = list.size();
    list.push_back(
        {known->function, i < alpha.size() ? alpha[i] : known->alpha, i < beta.size() ? beta[i] : known->beta});
  }
  return list;
}

Cell read_cell(const Call& c, Kind kind) {
  Cell cell{kind, c.shape(0).back(), c.attrs().integer("hidden_size"), read_functions(c), c.attrs().real("clip", 0)};
  c.require(cell.functions.size() >= (kind == Kind::Lstm  ? 3U
                                      : kind == Kind::Gru ? 2U
                                                          : 1U),
            "activations are missing");
  cell.linear_before_reset = c.attrs().flag("linear_before_reset");
  cell.input_forget = c.attrs().flag("input_forget");
  c.require(c.attrs().text("weights_format", "fico") == "fico", "not yet supported: another order of gates than fico");
  return cell;
}

/// The biases: one per gate; the candidate of a GRU with linear_before_reset has two.
std::span<const float> biases(const Call& c, int input, const Cell& cell, int64_t directions) {
  const int64_t gates = cell.kind == Kind::Lstm ? 4 : cell.kind == Kind::Rnn ? 1 : cell.linear_before_reset ? 4 : 3;
  const std::span<const float> b = c.floats(input);
  c.require(static_cast<int64_t>(b.size()) == directions * gates * cell.hidden, "the number of its biases");
  return b;
}

std::vector<Real> row(std::span<const float> v, int64_t index, int64_t size) {
  return {v.begin() + index * size, v.begin() + (index + 1) * size};
}
void put(std::vector<float>& v, int64_t index, const std::vector<Real>& values) {
  std::ranges::copy(values, v.begin() + index * static_cast<int64_t>(values.size()));
}

template <Kind K>
Outputs run_cell(const Call& c) {
  constexpr int kStates = K == Kind::Lstm ? 2 : 1;
  Cell cell = read_cell(c, K);
  cell.w = c.floats(kStates + 1).data();
  cell.r = c.floats(kStates + 2).data();
  if (c.input_count() > kStates + 3) cell.b = biases(c, kStates + 3, cell, 1).data();
  const int64_t batch = c.dim(0, 0);
  std::vector<std::vector<float>> states(kStates, std::vector<float>(static_cast<size_t>(batch * cell.hidden)));
  for (int64_t n = 0; n < batch; ++n) {
    std::vector<Real> h = row(c.floats(1), n, cell.hidden),
                      s = kStates > 1 ? row(c.floats(kStates), n, cell.hidden) : std::vector<Real>();
    cell.step(row(c.floats(0), n, cell.input), h, s);
    put(states[0], n, h);
    if (kStates > 1) put(states[1], n, s);
  }
  Outputs out;
  for (auto& s : states) out.push_back(float_tensor({batch, cell.hidden}, std::move(s)));
  return out;
}

/// X [batch][time][input]; Y [batch][direction][time][hidden]. A shorter sequence leaves zeros behind it.
template <Kind K>
Outputs run_sequence(const Call& c) {
  constexpr int kStates = K == Kind::Lstm ? 2 : 1;
  const Cell settings = read_cell(c, K);
  const int64_t batch = c.dim(0, 0), time = c.dim(0, 1), hidden = settings.hidden;
  const std::string direction = c.attrs().text("direction");
  const int64_t directions = direction == "bidirectional" ? 2 : 1;
  const std::vector<int64_t> lengths = c.integers(kStates + 1);
  if (c.input_count() > kStates + 4) biases(c, kStates + 4, settings, directions);
  std::vector<float> y(static_cast<size_t>(batch * directions * time * hidden));
  std::vector<std::vector<float>> states(kStates, std::vector<float>(static_cast<size_t>(batch * directions * hidden)));
  for (int64_t d = 0; d < directions; ++d) {
    Cell cell = settings;
    const auto part = [&](int i) {
      return c.floats(i).data() + static_cast<int64_t>(c.floats(i).size()) / directions * d;
    };
    cell.w = part(kStates + 2);
    cell.r = part(kStates + 3);
    if (c.input_count() > kStates + 4) cell.b = part(kStates + 4);
    const bool backwards = d == 1 || direction == "reverse";
    for (int64_t n = 0; n < batch; ++n) {
      const int64_t at = n * directions + d,
                    length = lengths.empty()
                                 ? time
                                 : std::clamp<int64_t>(lengths[static_cast<size_t>(n) % lengths.size()], 0, time);
      std::vector<Real> h = row(c.floats(1), at, hidden),
                        s = kStates > 1 ? row(c.floats(kStates), at, hidden) : std::vector<Real>();
      for (int64_t k = 0; k < length; ++k) {
        const int64_t t = backwards ? length - 1 - k : k;
        cell.step(row(c.floats(0), n * time + t, cell.input), h, s);
        put(y, at * time + t, h);
      }
      put(states[0], at, h);
      if (kStates > 1) put(states[1], at, s);
    }
  }
  Outputs out{float_tensor({batch, directions, time, hidden}, std::move(y))};
  for (auto& s : states) out.push_back(float_tensor({batch, directions, hidden}, std::move(s)));
  return out;
}

constexpr OperationRow kOperations[] = {
    {"LSTMCell", kAnyVersion, run_cell<Kind::Lstm>},       {"GRUCell", kAnyVersion, run_cell<Kind::Gru>},
    {"RNNCell", kAnyVersion, run_cell<Kind::Rnn>},         {"LSTMSequence", kAnyVersion, run_sequence<Kind::Lstm>},
    {"GRUSequence", kAnyVersion, run_sequence<Kind::Gru>}, {"RNNSequence", kAnyVersion, run_sequence<Kind::Rnn>},
};

}  // namespace

std::span<const OperationRow> recurrent_operations() { return kOperations; }

}  // namespace blobsmith::reference
