// RNN: layers of LSTM, GRU or plain cells, packed parameters. Each layer is converted as ONNX's operator of that name,
// whose order of gates is another.
//
//   packed: W and R of each layer and direction, then the biases of W and R of each
#include <algorithm>
#include <functional>

#include "importers/mxnet/operators.hpp"
#include "importers/onnx/operators.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::mxnet {
namespace {

struct Mode {
  const char* name;
  const char* onnx;
  std::vector<int64_t> order;  ///< for each gate of ONNX the place where MXNet has it
  const char* activation;
};

const Mode& mode_of(const Context& c) {
  static const Mode kModes[] = {{"lstm", "LSTM", {0, 3, 1, 2}, ""},
                                {"gru", "GRU", {1, 0, 2}, ""},
                                {"rnn_tanh", "RNN", {0}, "Tanh"},
                                {"rnn_relu", "RNN", {0}, "Relu"}};
  const std::string mode = c.text("mode", "");
  for (const Mode& m : kModes)
    if (mode == m.name) return m;
  c.refuse("Operation RNN with mode '" + mode + "' not supported.");
}

struct Sizes {
  int64_t layers, directions, hidden, gates;
};

/// The packed parameters, part after part.
class Packed {
 public:
  Packed(Context& c, const Sizes& s, const Mode& mode) : c_(c), s_(s), mode_(mode), all_(c.parameter_values(1)) {}

  /// `rows` per gate and `width` values per row, gates in ONNX's order.
  std::vector<float> take(int64_t width) {
    const int64_t gate = s_.hidden * width;
    if (width < 1 || s_.gates * gate > std::ssize(all_) - at_) c_.refuse("its parameters are too few");
    std::vector<float> r;
    for (const int64_t g : mode_.order)
      r.insert(r.end(), all_.begin() + at_ + g * gate, all_.begin() + at_ + (g + 1) * gate);
    at_ += s_.gates * gate;
    return r;
  }
  bool at_end() const { return at_ == std::ssize(all_); }

 private:
  Context& c_;
  const Sizes& s_;
  const Mode& mode_;
  std::vector<float> all_;
  int64_t at_ = 0;
};

struct LayerParameters {
  std::vector<float> w, r, b;
  int64_t input = 0;
};

std::vector<LayerParameters> unpacked(Context& c, const Sizes& s, const Mode& mode) {
  Packed packed(c, s, mode);
  std::vector<LayerParameters> layers(static_cast<size_t>(s.layers));
  int64_t input = c.shape()[2];
  for (LayerParameters& l : layers) {
    l.input = input;
    for (int64_t d = 0; d < s.directions; ++d) {
      const std::vector<float> w = packed.take(input), r = packed.take(s.hidden);
      l.w.insert(l.w.end(), w.begin(), w.end());
      l.r.insert(l.r.end(), r.begin(), r.end());
    }
    input = s.hidden * s.directions;
  }
  for (LayerParameters& l : layers)
    for (int64_t d = 0; d < 2 * s.directions; ++d) {
      const std::vector<float> b = packed.take(1);
      l.b.insert(l.b.end(), b.begin(), b.end());
    }
  if (!packed.at_end()) c.refuse("its parameters are too many");
  return layers;
}

bool is_zero(Value v) {
  const Tensor* t = transforms::constant_of(v);
  return t && std::ranges::all_of(t->to_f32(), [](float f) { return f == 0; });
}

/// What a layer begins with: its part of a state of all layers; nothing where that is 0.
Value state_of(Context& c, size_t i, const Sizes& s, int64_t layer, const std::string& suffix) {
  if (!c.has_input(i) || is_zero(c.input(i))) return {};
  const Value all = c.input(i);
  if (s.layers == 1) return all;
  if (const Tensor* t = transforms::constant_of(all)) {
    const std::vector<float> v = t->to_f32();
    if (t->shape.size() != 3 || t->shape[0] != s.layers * s.directions) c.refuse("its states do not fit its layers");
    const int64_t count = std::ssize(v) / s.layers;
    Tensor part = Tensor::of(ElementType::f32, {s.directions, t->shape[1], t->shape[2]},
                             std::vector<float>(v.begin() + layer * count, v.begin() + (layer + 1) * count));
    return c.constant(std::move(part), suffix);
  }
  Node* split = c.make("Split", {all, c.integer_constant(0, suffix + "/axis")}, attributes({{"num_splits", s.layers}}),
                       Context::kNewest, suffix)
                    .node;
  return split->value(static_cast<int>(layer));
}

/// One layer, by the table of ONNX.
std::vector<Value> onnx_layer(Context& c, const Mode& mode, const Sizes& s, const LayerParameters& l, Value x,
                              const std::vector<Value>& states, const std::string& name) {
  importers::Session& session = c.session();
  onnx_file::Node node{name, mode.onnx, {}, {}, {}, {}, {}};
  std::vector<std::string> keys;
  const auto input = [&](const char* part, Value v) {
    node.inputs.push_back(v ? name + "\n" + part : std::string());
    if (v) session.values[node.inputs.back()] = v, keys.push_back(node.inputs.back());
  };
  const int64_t rows = s.gates * s.hidden;
  const auto constant = [&](const char* part, Shape shape, std::vector<float> v) {
    return c.graph().constant(Tensor::of(ElementType::f32, std::move(shape), std::move(v)), name + "/" + part)->value();
  };
  input("x", x);
  input("w", constant("w", {s.directions, rows, l.input}, l.w));
  input("r", constant("r", {s.directions, rows, s.hidden}, l.r));
  input("b", constant("b", {s.directions, 2 * rows}, l.b));
  input("lengths", {});
  for (size_t i = 0; i < states.size(); ++i) input(i == 0 ? "h" : "c", states[i]);
  node.outputs = {name + "\ny", name + "\nh"};
  if (states.size() > 1) node.outputs.push_back(name + "\nc");
  const auto set_integer = [&](const char* attribute, int64_t v) {
    onnx_file::Attribute a;
    a.kind = onnx_file::Attribute::Kind::Integer;
    a.integer = v;
    node.attributes[attribute] = a;
  };
  set_integer("hidden_size", s.hidden);
  if (mode.onnx == std::string("GRU")) set_integer("linear_before_reset", 1);
  if (s.directions == 2) {
    onnx_file::Attribute a;
    a.kind = onnx_file::Attribute::Kind::Text;
    a.text = "bidirectional";
    node.attributes["direction"] = a;
  }
  if (mode.activation[0]) {
    onnx_file::Attribute a;
    a.kind = onnx_file::Attribute::Kind::Texts;
    a.texts.assign(static_cast<size_t>(s.directions), mode.activation);
    node.attributes["activations"] = a;
  }
  constexpr int64_t kOpset = 14;
  const onnx_import::OperatorRow* row =
      onnx_import::find_operator({}, mode.onnx, kOpset, onnx_import::Column::ModelOptimizer);
  ensure(row != nullptr, "ONNX's table has no recurrent layers");
  onnx_import::mo::Context context(session, node, kOpset, row->becomes);
  std::vector<Value> values = row->as_model_optimizer(context);
  for (const std::string& key : keys) session.values.erase(key);
  return values;
}

/// [steps, directions, batch, hidden] -> [steps, batch, directions · hidden]
Value without_directions(Context& c, Value y, const Sizes& s, const std::string& suffix) {
  const auto inner = [](Value v) {
    const Node* n = transforms::producer(v, "Unsqueeze");
    return n ? n->input(0) : Value{};
  };
  if (s.directions == 1) {
    if (const Value v = inner(y)) return v;
    return c.make("Squeeze", {y, c.integers_constant({1}, suffix + "/axis")}, {}, Context::kNewest, suffix);
  }
  const Value turned = c.transpose(y, {0, 2, 1, 3}, suffix + "/Transpose_mxnet/");
  return c.reshape(turned, {0, 0, s.directions * s.hidden}, suffix + "/Reshape_mxnet/");
}

bool is_read(Context& c, const std::string& key) {
  const importers::SourceModel& source = c.session().source;
  for (const importers::SourceOperator& op : source.operators)
    if (std::ranges::find(op.inputs, key) != op.inputs.end()) return true;
  return std::ranges::any_of(source.outputs, [&](const importers::SourceOutput& o) { return o.key == key; });
}

std::vector<Value> rnn(Context& c) {
  const Mode& mode = mode_of(c);
  const Sizes s{c.integer("num_layers", 1), c.flag("bidirectional", false) ? 2 : 1, c.integer("state_size", 0),
                std::ssize(mode.order)};
  if (c.rank() != 3 || s.hidden < 1 || s.layers < 1 || s.layers > 1000) c.refuse("its sizes do not fit");
  if (c.has("projection_size")) c.refuse("it projects its output");
  if (c.flag("use_sequence_length", false)) c.refuse("its sequences have lengths of their own");
  for (const char* clip : {"lstm_state_clip_min", "lstm_state_clip_max"})
    if (c.has(clip)) c.refuse("it clips its state");
  const bool has_cell = mode.onnx == std::string("LSTM");
  const std::vector<LayerParameters> parameters = unpacked(c, s, mode);
  Value x = c.input(0);
  std::vector<std::vector<Value>> last(has_cell ? 2 : 1);
  for (int64_t layer = 0; layer < s.layers; ++layer) {
    const std::string suffix =
        s.layers == 1 ? "" : std::string("/LayerSplitted") + mode.onnx + "/" + std::to_string(layer);
    std::vector<Value> states;
    for (size_t i = 0; i < last.size(); ++i)
      states.push_back(state_of(c, 2 + i, s, layer, suffix + "/state_" + std::to_string(i)));
    const std::vector<Value> y =
        onnx_layer(c, mode, s, parameters[static_cast<size_t>(layer)], x, states, c.name() + suffix);
    for (size_t i = 0; i < last.size() && i + 1 < y.size(); ++i) last[i].push_back(y[i + 1]);
    const bool ends = layer + 1 == s.layers;
    x = without_directions(c, y[0], s, s.directions == 1 ? suffix + "/output" : ends ? "" : suffix);
  }
  std::vector<Value> outputs{x};
  for (size_t i = 0; i < last.size() && i + 1 < c.op().outputs.size(); ++i) {
    const bool read = is_read(c, c.op().outputs[i + 1]);
    if (!read && s.directions == 1) {
      // quirk: what nothing reads becomes an output as the loop has it, that of several layers side by side.
      for (Value& v : last[i])
        if (const Node* unsqueeze = transforms::producer(v, "Unsqueeze")) v = unsqueeze->input(0);
      const std::string name = std::string("/FinalLayerSplitConcat/") + (i == 0 ? "HiddenState" : "CellState");
      const auto joined = [&] {
        return c.make("Concat", last[i], attributes({{"axis", int64_t{1}}}), Context::kNewest, name);
      };
      outputs.push_back(s.layers == 1 ? last[i][0] : joined());
    } else if (last[i].size() == 1) {
      outputs.push_back(last[i][0]);
    } else {
      outputs.push_back(c.make("Concat", last[i], attributes({{"axis", int64_t{0}}}), Context::kNewest,
                               "/states_" + std::to_string(i)));
    }
  }
  return outputs;
}

std::vector<Value> parameter_concat(Context& c) {
  return {c.make("Concat", c.inputs(), attributes({{"axis", static_cast<int64_t>(c.axis(c.integer("dim", 0)))}}))};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"RNN", "TensorIterator", rnn, "lstm, gru, rnn_tanh, rnn_relu; without projection and lengths"},
    {"_rnn_param_concat", "Concat", parameter_concat},
    {"rnn_param_concat", "Concat", parameter_concat},
};

}  // namespace

std::span<const OperatorRow> recurrent_operators() { return kOperators; }

}  // namespace blobsmith::mxnet
