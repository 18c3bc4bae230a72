// The order of Model Optimizer's rewrites (model-optimizer spec Appendix C, §6).
#include "importers/model_optimizer/rewrites.hpp"
#include "transforms/conversion/shared_fusions.hpp"

namespace blobsmith::model_optimizer {
namespace {

using transforms::apply_rewrites;

/// Patterns of the network as its author wrote it.
void front_phase(Graph& g) {
  apply_rewrites(g, {{{"Multiply"}, transforms::fuse_swish_sigmoid}});
  apply_rewrites(g, {{{"Log"}, transforms::fuse_softplus}});
  apply_rewrites(g, {{{"Multiply"}, transforms::fuse_mish}});
  apply_rewrites(g, {{{"Divide"}, fuse_layer_norm}});
  apply_rewrites(g, {{{"Multiply"}, transforms::fuse_gelu}});
  apply_rewrites(g, {{{"Multiply"}, fuse_hswish}});
  apply_rewrites(g, {{{"Multiply"}, fuse_hsigmoid}});
  apply_rewrites(g, {{{"Subtract"}, subtract_to_add}, {{"Divide"}, divide_to_multiply}});
}

void fuse_linear_operations(Graph& g, bool quirks) {
  apply_rewrites(g, {{{"Multiply"}, quirks ? multiply_into_weights_before : multiply_into_matrix_before}});
  apply_rewrites(g, {{{"Multiply"}, multiply_into_weights_behind}});
}

void middle_phase(Graph& g, bool quirks) {
  apply_rewrites(g, {{{"Multiply", "Add"}, fuse_linear_sequence}});
  fuse_linear_operations(g, quirks);
  apply_rewrites(g, {{{"Concat"}, fuse_grouped_convolution}});
  fuse_linear_operations(g, quirks);
  apply_rewrites(g, {{{"Pad"}, quirks ? fold_pad : fold_pad_exactly}});
  move_strides_up(g);
}

void back_phase(Graph& g) {
  apply_rewrites(g, {{{"Add"}, add_to_subtract}});
  apply_rewrites(g, {{{"MatMul"}, transpose_matmul_constant}});
  apply_rewrites(g, {{{"Transpose"}, merge_transposes}});
  apply_rewrites(g, {{{"Reshape"}, transforms::fuse_shuffle_channels}});
  apply_rewrites(g, {{{"Reshape"}, transforms::fuse_depth_to_space}});
}

}  // namespace

void optimize(Graph& graph, bool quirks) {
  graph.remove_unreachable();
  front_phase(graph);
  middle_phase(graph, quirks);
  back_phase(graph);
  graph.remove_unreachable();
}

}  // namespace blobsmith::model_optimizer
