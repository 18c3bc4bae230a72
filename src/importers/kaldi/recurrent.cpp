// LSTM cells with peepholes, one frame at a time. What they remember comes in as further inputs (time.cpp).
#include <algorithm>
#include <bit>

#include "importers/kaldi/operators.hpp"

namespace blobsmith::kaldi {
namespace {

std::vector<float> row(const Tensor& t, int64_t i) {
  const auto v = t.as<float>();
  const auto n = static_cast<size_t>(t.shape.back());
  return {v.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(i) * n),
          v.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(i + 1) * n)};
}

/// Makes nodes with Model Optimizer's names, by which constants lie in a blob: those of nnet3 begin with the layer's
/// name, those of nnet1 end with its number where it isn't the first.
class Cell {
 public:
  /// `before`: nodes of the layers of this kind before this one.
  explicit Cell(Context& c, int64_t before = 0)
      : c_(c), before_(before), end_(before == 0 ? "" : std::to_string(before + 8)) {}

  Value unary(const char* type, Value x, const std::string& name) {
    return c_.make(type, {x}, {}, Context::kNewest, name + end_);
  }
  Value binary(const char* type, Value a, Value b, const std::string& name) {
    return c_.make(type, {a, b}, {}, Context::kNewest, name + end_);
  }
  Value affine(Value x, const Tensor& weights, const Tensor* bias, const std::string& name) {
    return c_.affine(x, weights, bias, name + end_);
  }
  /// sigmoid(x + weights · state)
  /// `number`: of the constant in Model Optimizer's first layer
  Value gate(Value x, Value state, std::vector<float> weights, const std::string& name, int64_t number,
             const std::string& sum_name, const std::string& sigmoid) {
    Value seen = state;
    if (std::ranges::any_of(weights, [](float w) { return w != 1; })) {
      const auto n = static_cast<int64_t>(weights.size());
      if (state.shape().size() != 2 || state.shape()[1] != n) c_.refuse("its peepholes do not fit its state");
      const std::string scale = name + "_scaleshift" + end_;
      // Beyond 100 the number stands in front of smaller ones, in the blob as well.
      const Value w = c_.constant(Tensor::of(ElementType::f32, {1, n}, std::move(weights)),
                                  name + "_scaleshift" + std::to_string(before_ + number));
      seen = c_.make("Multiply", {state, w}, {}, Context::kNewest, scale + "/Mul_");
    }
    return unary("Sigmoid", binary("Add", x, seen, sum_name), sigmoid);
  }
  std::vector<Value> parts(Value x, int64_t n, const std::string& name) {
    Node* split = c_.make("Split", {x, c_.integer_constant(1, name + end_ + "/axis")}, attributes({{"num_splits", n}}),
                          Context::kNewest, name + end_)
                      .node;
    std::vector<Value> list;
    for (int i = 0; i < split->output_count(); ++i) list.push_back(split->value(i));
    return list;
  }

 private:
  Context& c_;
  int64_t before_;
  std::string end_;
};

/// Inputs i, f, c, o and the state before in one row; the state and the output in one row.
std::vector<Value> nonlinearity(Context& c) {
  const Tensor& weights = c.component().reals("Params");
  if (weights.shape.size() != 2 || weights.shape[0] != 3 || c.columns() != 5 * weights.shape[1])
    c.refuse("Unexpected shape of weights in LSTMNonLinearityComponent");
  Cell cell(c);
  const std::vector<Value> x = cell.parts(c.input(0), 5, "/split_lstm_input");
  const Value before = x[4];
  const Value i = cell.gate(x[0], before, row(weights, 0), "/i", 21, "/sum_i_c_", "/i_sigmoid"),
              f = cell.gate(x[1], before, row(weights, 1), "/f", 25, "/sum_f_c_", "/f_sigmoid");
  const Value candidate = cell.unary("Tanh", x[2], "/c_tanh");
  const Value taken = cell.binary("Multiply", i, candidate, "/prod_i_c_tanh_"),
              kept = cell.binary("Multiply", f, before, "/prod_f_ct_1_");
  const Value state = cell.binary("Add", kept, taken, "/sum_f_i_");
  const Value o = cell.gate(x[3], state, row(weights, 2), "/o", 33, "/sum_o_c_", "/o_sigmoid");
  const Value out = cell.binary("Multiply", o, cell.unary("Tanh", state, "/c_t_tanh"), "/prod_o_c_t_tanh_");
  return {c.make("Concat", {state, out}, attributes({{"axis", int64_t{1}}}), Context::kNewest, "/concat_c_m")};
}

/// A number in single precision, or an integer.
/// quirk: Model Optimizer reads four bytes from the one on that says how many there are.
double cell_clip(const Context& c) {
  constexpr double kUsual = 50;
  if (!c.component().has("CellClip")) return kUsual;
  const auto bits = static_cast<uint32_t>(c.component().integer("CellClip"));
  if (c.quirks()) return static_cast<float>(bits << 8 | 4);
  constexpr uint32_t kLargestInteger = 1 << 23;  // what is less would be a number next to 0
  return bits < kLargestInteger ? bits : std::bit_cast<float>(bits);
}

/// nnet1: gates g, i, f, o of the input and of the output before, which is projected; inputs: x, the output before, and
/// the state before once for each that reads it.
std::vector<Value> projected(Context& of_layer) {
  importers::SourceOperator nameless = of_layer.op();
  nameless.name.clear();
  Context c(of_layer.session(), nameless, of_layer.layer());
  const Component& k = c.component();
  const Tensor &of_input = k.nth_reals(0), &of_output = k.nth_reals(1), &bias = k.nth_reals(2),
               &projection = k.nth_reals(6);
  // Its memories' variables count them: "prev_memory_output_id", "..._id_2".
  constexpr int64_t kNodes = 51;
  const std::string& memory = of_layer.layer().inputs.at(1);
  const std::string digits = memory.substr(memory.find_last_not_of("0123456789") + 1);
  Cell cell(c, digits.empty() ? 0 : std::stoll(digits.substr(0, 6)) / 2 * kNodes);
  const Value from_input = cell.affine(c.input(0), of_input, &bias, "input_fullyconnected"),
              from_output = cell.affine(c.input(1), of_output, nullptr, "prev_memory_output_fullyconnected");
  const Value sum = cell.binary("Add", from_output, from_input, "join_input_eltwise");
  const std::vector<Value> x = cell.parts(sum, 4, "join_input_split");
  const std::string join = "join_prev_lstm_input_joined_";
  const Value i = cell.gate(x[1], c.input(3), row(k.nth_reals(3), 0), "input", 33, join + "input_eltwise",
                            "remember_sigmoid"),
              f = cell.gate(x[2], c.input(4), row(k.nth_reals(4), 0), "forget", 35, join + "forget_sum",
                            "forget_sigmoid");
  const Value candidate = cell.unary("Tanh", x[0], "remember_tahnv");
  const Value kept = cell.binary("Multiply", f, c.input(2), "join_forget_prev_state_mul"),
              taken = cell.binary("Multiply", candidate, i, "join_remember_candidates_mul");
  const Value unclipped = cell.binary("Add", kept, taken, "join_forget_remember_sum");
  const double clip = cell_clip(c);
  const Value state =
      c.make("Clamp", {unclipped}, attributes({{"min", -clip}, {"max", clip}}), Context::kNewest, "join_forget_clamp");
  const Value o = cell.gate(x[3], state, row(k.nth_reals(5), 0), "clamp", 51, "join_next_lstm_input_joined_input_sum",
                            "output_sigmoid");
  const Value out = cell.binary("Multiply", cell.unary("Tanh", state, "state_filtered_tahn"), o, "joined_output_mul");
  return {cell.affine(out, projection, nullptr, "FullyConnected"), state};
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
