// LSTMCell and LSTMSequence (front-end spec §9, stages spec §11).
#include "vpu/format/recurrent.hpp"

#include "core/float16.hpp"
#include "core/release.hpp"
#include "vpu/lowering/parsers/layer.hpp"
#include "vpu/options/faults.hpp"

namespace blobsmith::vpu {
namespace {

struct LstmSizes {
  int64_t input = 0, state = 0;
};

/// Rows of [W | R] side by side become all rows of W, then all rows of R.
Bytes separated(const Bytes& rows, const LstmSizes& z) {
  const auto width = static_cast<size_t>(z.input + z.state);
  const std::span<const Half> in = rows.as<Half>();
  const size_t count = in.size() / width;
  std::vector<Half> out;
  out.reserve(in.size());
  for (size_t r = 0; r < count; ++r)
    out.insert(out.end(), in.begin() + static_cast<ptrdiff_t>(r * width),
               in.begin() + static_cast<ptrdiff_t>(r * width) + z.input);
  for (size_t r = 0; r < count; ++r)
    out.insert(out.end(), in.begin() + static_cast<ptrdiff_t>(r * width) + z.input,
               in.begin() + static_cast<ptrdiff_t>((r + 1) * width));
  return Bytes::adopt(std::move(out));
}

LstmSizes sizes_of(const LayerContext& c, const Tensor& weights, const Tensor& biases) {
  LstmSizes z{c.layer.inputs[0].shape().back(), c.layer.inputs[1].shape().back()};
  c.require(element_count(weights.shape) == 4 * z.state * (z.input + z.state),
            "the weights of layer " + c.name() + " have a wrong size");
  c.require(element_count(biases.shape) == 4 * z.state, "the biases of layer " + c.name() + " have a wrong size");
  return z;
}

void check_ports(const LayerContext& c) {
  c.require(c.inputs.size() == 3,
            std::to_string(c.inputs.size()) + " inputs provided to " + c.name() + " layer, but 3 expected.");
  for (const Value& v : c.layer.inputs) c.require(!v.shape().empty(), "an input of layer " + c.name() + " is a scalar");
}

const Tensor& cell_weights(const LayerContext& c) {
  return c.constant(c.node().input_count() - 2, "Missing weights for " + c.name() + " layer");
}
const Tensor& cell_biases(const LayerContext& c) {
  return c.constant(c.node().input_count() - 1, "Missing biases for " + c.name() + " layer");
}

Data* add_lstm_weights(LayerContext& c, const Tensor& t, const LstmSizes& z) {
  Bytes content = separated(constant_content(t), z);
  const auto count = static_cast<int64_t>(content.size() / 2);
  return c.program.add_const(c.name() + "@weights", DataDesc({count}), std::move(content));
}

Data* add_lstm_biases(LayerContext& c, const Tensor& t) {
  return c.add_weights("@biases", {element_count(t.shape)}, t);
}

void set_params(Stage* s, bool forward, int64_t cells, int64_t batches) {
  LstmCellParams p;
  p.forward = forward;
  p.n_cells = cells;
  p.n_batches = batches;
  p.use_cell_state = s->output_count() >= 2;
  p.outputs = s->output_count();
  s->set(p);
}

void add_unread_outputs(LayerContext& c) {
  for (size_t i = 0; i < c.outputs.size(); ++i) {
    if (c.outputs[i]) continue;
    const Value v = c.layer.outputs[i];
    c.outputs[i] = c.program.add_data(c.lowering.network.data_name(v), internal_desc_of(v.type(), v.shape()));
  }
}

// quirk: activations, clip and the lengths of a sequence are not looked at.
void parse_lstm_cell(LayerContext& c) {
  check_ports(c);
  const Tensor &weights = cell_weights(c), &biases = cell_biases(c);
  const LstmSizes z = sizes_of(c, weights, biases);
  auto [it, is_new] = c.lowering.lstm_weights.try_emplace({weights.bytes.data(), biases.bytes.data()});
  if (is_new) {
    it->second.weights = add_lstm_weights(c, weights, z);
    it->second.biases = add_lstm_biases(c, biases);
  }
  Stage* s =
      c.add_stage(StageType::LSTMCell, {c.inputs[0], c.inputs[1], c.inputs[2], it->second.weights, it->second.biases},
                  c.used_outputs());
  set_params(s, true, 1, c.in()->desc.dim(Dim::N, 1));
}

void parse_lstm_sequence(LayerContext& c) {
  check_ports(c);
  if (!reproduces(c.options, Fault::UnreadOutputs)) add_unread_outputs(c);
  if (!c.lowering.release.lstm_unread_outputs) c.expect_ports(3, c.outputs.size());
  const Tensor &weights = cell_weights(c), &biases = cell_biases(c);
  const LstmSizes z = sizes_of(c, weights, biases);
  const SequenceRule rule =
      c.layer.sequence ? *c.layer.sequence
                       : SequenceRule{c.attrs().integer("axis", 1), c.text("direction", "forward") == "forward"};
  const DataDesc& in = c.in()->desc;
  c.require(in.rank() == 3 && (rule.axis == 0 || rule.axis == 1),
            "layer " + c.name() + " runs over an axis that is not supported");
  const int64_t cells = in.dim(rule.axis == 1 ? Dim::H : Dim::C), batches = in.dim(rule.axis == 1 ? Dim::C : Dim::H);

  std::vector<Data*> outs = c.used_outputs();
  if (outs.size() == 1) outs.push_back(c.program.add_fake());
  Data* biases_data = add_lstm_biases(c, biases);
  Data* weights_data = add_lstm_weights(c, weights, z);
  Stage* s = c.add_stage(StageType::LSTMCell, {c.inputs[0], c.inputs[1], c.inputs[2], weights_data, biases_data},
                         std::move(outs));
  set_params(s, rule.forward, cells, batches);
  if (cells > 1) c.program.add_temp(s, 2 * z.state);
}

constexpr ParserRow kRows[] = {
    {"LSTMCell", parse_lstm_cell},
    {"LSTMSequence", parse_lstm_sequence},
};

}  // namespace

std::span<const ParserRow> recurrent_parsers() { return kRows; }

}  // namespace blobsmith::vpu
