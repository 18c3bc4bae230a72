// The order of Model Optimizer's work on a network, and for which frameworks each row is (model-optimizer spec
// Appendix C, §6).
#include "importers/model_optimizer/pipeline.hpp"

#include <algorithm>
#include <iterator>
#include <regex>

#include "importers/model_optimizer/layout.hpp"
#include "importers/model_optimizer/outputs.hpp"
#include "importers/model_optimizer/preprocess.hpp"
#include "importers/model_optimizer/rewrites.hpp"
#include "importers/openvino_ir/instance_ids.hpp"
#include "transforms/conversion/shared_fusions.hpp"

namespace blobsmith::model_optimizer {
namespace {

using importers::Framework;
using transforms::apply_rewrites;

constexpr unsigned of(Framework f) { return static_cast<unsigned>(f); }
constexpr unsigned kAll = ~0u;
/// Frameworks whose networks have their channels before their planes.
constexpr unsigned kChannelsFirst = of(Framework::Onnx) | of(Framework::Caffe) | of(Framework::Mxnet);

struct StepRow {
  const char* phase;
  const char* name;
  void (*apply)(Session&);
  unsigned frameworks;
};

bool quirks(const Session& s) { return s.options.quirks; }

/// --transform LowLatency2 makes memories of the states of loops; without loops it changes nothing.
void refuse_loops(Session& s) {
  if (!s.options.rewrites.low_latency) return;
  for (const Node* n : s.graph.all())
    if (n->is("TensorIterator") || n->is("Loop"))
      throw Error(ErrorCode::NotYetSupported, "not supported: --transform LowLatency2 for loops")
          .because("it makes memories of their states, which the chip doesn't have")
          .at_layer(n->name, n->type)
          .from(n->source);
}

void remove_unused(Session& s) { s.graph.remove_unreachable(); }

void input_types(Session& s) { change_input_types(s.graph); }

void precision(Session& s) {
  if (!s.options.half_precision) return to_single_precision(s.graph);
  halve_weights(s.graph);  // which no rewrite looks into
  if (!quirks(s))
    for (const auto make_fit : {keep_guards, split_factors, limit_constants})
      std::ranges::move(make_fit(s.graph), std::back_inserter(s.notes));
  to_half_precision(s.graph);
}

void linear_operands_into_weights(Session& s) {
  if (!s.options.rewrites.fuse) return;
  const auto before = s.framework == Framework::TensorFlow ? multiply_into_tensorflow_weights_before
                      : quirks(s)                          ? multiply_into_weights_before
                                                           : multiply_into_matrix_before;
  apply_rewrites(s.graph, {{{"Multiply"}, before}});
  apply_rewrites(s.graph, {{{"Multiply"}, multiply_into_weights_behind}});
}

/// quirk: Model Optimizer drops inputs that nothing reads.
void reading_order(Session& s) {
  std::set<const Node*> kept;
  if (!quirks(s))
    for (const importers::SourceInput& i : s.source.inputs)
      if (!i.for_shapes && s.computes(i.key) && s.value(i.key).node->is("Parameter")) kept.insert(s.value(i.key).node);
  s.graph = in_reading_order(std::move(s.graph), kept);
}

void number_instances(Session& s) {
  s.graph.name = s.source.name;
  s.graph.release = s.options.release;
  ir::number_instances(s.graph, true);
}

/// One group of rewrites of nodes of some types, without an option.
template <bool (*kRewrite)(transforms::Rewriter&, Node*)>
void on_multiply(Session& s) {
  apply_rewrites(s.graph, {{{"Multiply"}, kRewrite}});
}
template <bool (*kRewrite)(transforms::Rewriter&, Node*)>
void on_reshape(Session& s) {
  apply_rewrites(s.graph, {{{"Reshape"}, kRewrite}});
}

/// Model Optimizer makes outputs of states that nothing reads.
void lstm_cells(Session& s) {
  apply_rewrites(s.graph, {{{"Multiply"}, fuse_lstm_cell}});
  if (!quirks(s)) return;
  for (Node* n : s.graph.all())
    if (n->is("LSTMCell") && n->output(1).uses.empty() && !n->output(0).uses.empty()) s.graph.result(n->value(1));
}

void softmax(Session& s) { apply_rewrites(s.graph, {{{"Divide"}, fuse_spelled_softmax}}); }
void softplus(Session& s) { apply_rewrites(s.graph, {{{"Log"}, transforms::fuse_softplus}}); }
void layer_norm(Session& s) { apply_rewrites(s.graph, {{{"Divide"}, fuse_layer_norm}}); }
void inverse_operations(Session& s) {
  apply_rewrites(s.graph, {{{"Subtract"}, subtract_to_add}, {{"Divide"}, divide_to_multiply}});
}
void linear_sequences(Session& s) {
  if (s.options.rewrites.fuse) apply_rewrites(s.graph, {{{"Multiply", "Add"}, fuse_linear_sequence}});
}
void grouped_convolutions(Session& s) {
  if (s.options.rewrites.group_convolutions) apply_rewrites(s.graph, {{{"Concat"}, fuse_grouped_convolution}});
}
void loops(Session& s) { apply_rewrites(s.graph, {{{"TensorIterator"}, move_transposes_into_loop}}); }
void pads(Session& s) {
  if (s.framework == Framework::TensorFlow) return void(apply_rewrites(s.graph, {{{"Pad"}, fold_stated_pad}}));
  apply_rewrites(s.graph, {{{"Pad"}, quirks(s) ? fold_pad : fold_pad_exactly}});
}
void dilated_convolutions(Session& s) { apply_rewrites(s.graph, {{{"BatchToSpace"}, fuse_dilated_convolution}}); }
void strides(Session& s) {
  if (s.options.rewrites.move_strides) move_strides_up(s.graph);
}
void concats(Session& s) {
  if (s.options.rewrites.reuse_concats) reuse_concats(s.graph);
}
void joined_parts(Session& s) { apply_rewrites(s.graph, {{{"Split"}, drop_join_before_split}}); }
void stated_reshapes(Session& s) {
  apply_rewrites(s.graph, {{{"Reshape"}, merge_stated_reshapes}});
  apply_rewrites(s.graph, {{{"Reshape"}, drop_stated_reshape}});
}
void shapes(Session& s) {
  if (s.options.rewrites.static_shape) fold_shapes(s.graph);
}

void mark_unfused(Session& s) {
  if (s.options.rewrites.unfused.empty()) return;
  std::vector<std::regex> expressions;
  for (const std::string& text : s.options.rewrites.unfused) try {
      expressions.emplace_back(text);
    } catch (const std::regex_error&) {
      throw Error(ErrorCode::BadOptionValue, "--finegrain_fusing: '" + text + "' is no regular expression");
    }
  for (Node* n : s.graph.all())
    if (std::ranges::any_of(expressions, [&](const std::regex& e) { return std::regex_search(n->name, e); }))
      n->attrs.set(kUnfused, true);
}
void subtractions(Session& s) {
  // Where the framework's names are not restored in the end, the name tells of it.
  const bool renamed = s.framework != Framework::Onnx;
  apply_rewrites(s.graph, {{{"Multiply"}, multiply_to_negative}});
  apply_rewrites(s.graph, {{{"Add"}, renamed ? add_to_subtract_by_name : add_to_subtract}});
}
void matrix_constants(Session& s) { apply_rewrites(s.graph, {{{"MatMul"}, transpose_matmul_constant}}); }
void transposes(Session& s) { apply_rewrites(s.graph, {{{"Transpose"}, merge_transposes}}); }

constexpr StepRow kSteps[] = {
    // phase, name, what it does, frameworks
    {"front", "results", add_results, kAll},
    {"front", "unused nodes", remove_unused, kAll},
    {"front", "types of inputs", input_types, of(Framework::TensorFlow)},
    {"front", "LSTM cells", lstm_cells, of(Framework::TensorFlow)},
    {"front", "Swish", on_multiply<transforms::fuse_swish_sigmoid>, kAll},
    {"front", "Softmax", softmax, of(Framework::TensorFlow)},
    {"front", "SoftPlus", softplus, kAll},
    {"front", "Mish", on_multiply<transforms::fuse_mish>, kAll},
    {"front", "LayerNorm", layer_norm, kAll},
    {"front", "Gelu", on_multiply<transforms::fuse_gelu>, kAll},
    {"front", "HSwish", on_multiply<fuse_hswish>, kAll},
    {"front", "HSigmoid", on_multiply<fuse_hsigmoid>, kAll},
    {"front", "Subtract and Divide as Add and Multiply", inverse_operations, kAll},
    {"middle", "NormalizeL2", on_multiply<fuse_normalize_l2>, of(Framework::TensorFlow)},
    {"middle", "dilated convolutions", dilated_convolutions, of(Framework::TensorFlow)},
    {"middle", "Reshapes in sequence", on_reshape<merge_reshapes>, of(Framework::TensorFlow)},
    {"middle", "channels first", channels_first, of(Framework::TensorFlow)},
    {"middle", "Concats that a Split undoes", joined_parts, kAll},
    {"middle", "shapes as numbers", shapes, kAll},
    {"middle", "mean and scale values", add_mean_and_scale, kAll},
    {"middle", "pictures as they come", note_raw_pictures, kAll},
    {"middle", "layers that are not to be fused", mark_unfused, kAll},
    {"middle", "Transposes around loops", loops, of(Framework::Mxnet) | of(Framework::TensorFlow)},
    {"middle", "linear sequences", linear_sequences, kAll},
    {"middle", "factors into weights", linear_operands_into_weights, kAll},
    {"middle", "grouped convolutions", grouped_convolutions, kAll},
    {"middle", "factors into weights of groups", linear_operands_into_weights, kAll},
    {"middle", "pads into windows", pads, kAll},
    {"middle", "strides of 1x1 convolutions", strides, kChannelsFirst},
    {"middle", "Concats of what others join", concats, kAll},
    {"middle", "stated Reshapes in sequence", stated_reshapes, kChannelsFirst | of(Framework::Kaldi)},
    {"back", "Negative and Subtract", subtractions, kAll},
    {"back", "constants of MatMul", matrix_constants, kAll},
    {"back", "Transposes in sequence", transposes, kAll},
    {"back", "ShuffleChannels", on_reshape<transforms::fuse_shuffle_channels>, kAll},
    {"back", "DepthToSpace", on_reshape<transforms::fuse_depth_to_space>, kAll},
    {"back", "reversed input channels", reverse_input_channels, kAll},
    {"back", "unused nodes", remove_unused, kAll},
    {"emission", "no loops for LowLatency2", refuse_loops, kAll},
    {"emission", "single outputs", separate_outputs, kAll},
    {"emission", "precision", precision, kAll},
    {"emission", "outputs that were no more than a Convert", separate_outputs, kAll},
    {"emission", "names of outputs", name_outputs, kAll},
    {"emission", "unique names", make_names_unique, kAll},
    {"emission", "reading order", reading_order, kAll},
    {"emission", "instance numbers", number_instances, kAll},
};

}  // namespace

Imported finish(Session session) {
  for (const StepRow& step : kSteps)
    if (step.frameworks & of(session.framework)) step.apply(session);
  return {std::move(session.graph), std::move(session.notes)};
}

}  // namespace blobsmith::model_optimizer
