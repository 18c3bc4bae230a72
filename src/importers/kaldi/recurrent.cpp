// LSTM cells with peepholes, one frame at a time. What they remember comes in as further inputs (time.cpp).
#include <algorithm>

#include "importers/kaldi/operators.hpp"

namespace blobsmith::kaldi {
namespace {

std::vector<float> row(const Tensor& t, int64_t i) {
  const auto v = t.as<float>();
  const auto n = static_cast<size_t>(t.shape.back());
  return {v.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(i) * n),
          v.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(i + 1) * n)};
}

class Cell {
 public:
  explicit Cell(Context& c) : c_(c) {}

  Value unary(const char* type, Value x, const char* suffix) {
    return c_.make(type, {x}, {}, Context::kNewest, suffix);
  }
  Value binary(const char* type, Value a, Value b, const char* suffix) {
    return c_.make(type, {a, b}, {}, Context::kNewest, suffix);
  }
  Value peephole(Value state, std::vector<float> weights, const char* suffix) {
    return c_.linear("Multiply", state, std::move(weights), 1, suffix);
  }
  /// sigmoid(x + weights · state)
  Value gate(Value x, Value state, std::vector<float> weights, const std::string& name) {
    const Value sum =
        binary("Add", x, peephole(state, std::move(weights), (name + "_scaleshift").c_str()), (name + "_sum").c_str());
    return unary("Sigmoid", sum, (name + "_sigmoid").c_str());
  }
  std::vector<Value> parts(Value x, int64_t n, const char* suffix) {
    Node* split = c_.make("Split", {x, c_.integer_constant(1, std::string(suffix) + "/axis")},
                          attributes({{"num_splits", n}}), Context::kNewest, suffix)
                      .node;
    std::vector<Value> list;
    for (int i = 0; i < split->output_count(); ++i) list.push_back(split->value(i));
    return list;
  }

 private:
  Context& c_;
};

/// Inputs i, f, c, o and the state before in one row; the state and the output in one row.
std::vector<Value> nonlinearity(Context& c) {
  const Tensor& weights = c.component().reals("Params");
  if (weights.shape.size() != 2 || weights.shape[0] != 3 || c.columns() != 5 * weights.shape[1])
    c.refuse("Unexpected shape of weights in LSTMNonLinearityComponent");
  Cell cell(c);
  const std::vector<Value> x = cell.parts(c.input(0), 5, "/split_lstm_input");
  const Value before = x[4];
  const Value i = cell.gate(x[0], before, row(weights, 0), "/i"), f = cell.gate(x[1], before, row(weights, 1), "/f");
  const Value candidate = cell.unary("Tanh", x[2], "/c_tanh");
  const Value taken = cell.binary("Multiply", i, candidate, "/prod_i_c_tanh_"),
              kept = cell.binary("Multiply", f, before, "/prod_f_ct_1_");
  const Value state = cell.binary("Add", kept, taken, "/sum_f_i_");
  const Value o = cell.gate(x[3], state, row(weights, 2), "/o");
  const Value out = cell.binary("Multiply", o, cell.unary("Tanh", state, "/c_t_tanh"), "/prod_o_c_t_tanh_");
  return {c.make("Concat", {state, out}, attributes({{"axis", int64_t{1}}}), Context::kNewest, "/concat_c_m")};
}

/// nnet1: gates g, i, f, o of the input and of the output before, which is projected; inputs: x, the output before, and
/// the state before once for each that reads it.
std::vector<Value> projected(Context& c) {
  const Component& k = c.component();
  const Tensor &of_input = k.nth_reals(0), &of_output = k.nth_reals(1), &bias = k.nth_reals(2),
               &projection = k.nth_reals(6);
  const double clip = k.has("CellClip") ? static_cast<double>(k.integer("CellClip")) : 50;
  Cell cell(c);
  const Value from_input = c.affine(c.input(0), of_input, &bias, "/input_fullyconnected"),
              from_output = c.affine(c.input(1), of_output, nullptr, "/prev_memory_output_fullyconnected");
  const Value sum = cell.binary("Add", from_output, from_input, "/join_input_eltwise");
  const std::vector<Value> x = cell.parts(sum, 4, "/join_input_split");
  const Value i = cell.gate(x[1], c.input(2), row(k.nth_reals(3), 0), "/input"),
              f = cell.gate(x[2], c.input(3), row(k.nth_reals(4), 0), "/forget");
  const Value candidate = cell.unary("Tanh", x[0], "/remember_tahnv");
  const Value kept = cell.binary("Multiply", f, c.input(4), "/join_forget_prev_state_mul"),
              taken = cell.binary("Multiply", candidate, i, "/join_remember_candidates_mul");
  const Value unclipped = cell.binary("Add", kept, taken, "/join_forget_remember_sum");
  const Value state =
      c.make("Clamp", {unclipped}, attributes({{"min", -clip}, {"max", clip}}), Context::kNewest, "/join_forget_clamp");
  const Value o = cell.gate(x[3], state, row(k.nth_reals(5), 0), "/clamp");
  const Value out = cell.binary("Multiply", cell.unary("Tanh", state, "/state_filtered_tahn"), o, "/joined_output_mul");
  return {c.affine(out, projection, nullptr), state};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"lstmnonlinearitycomponent", "Sigmoid", nonlinearity},
    {"lstmprojected", "MatMul", projected},
    {"lstmprojectedstreams", "MatMul", projected},
};

}  // namespace

std::span<const OperatorRow> recurrent_operators() { return kOperators; }

}  // namespace blobsmith::kaldi
