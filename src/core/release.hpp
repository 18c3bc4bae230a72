// What the releases of OpenVINO do differently, where it decides the bytes of a blob. A rule that differs is a switch
// here; the code asks for the switch, never for the release.
#pragma once
#include <cstdint>

namespace blobsmith {

struct Release {
  // ---- what is written ----
  bool network_info;       ///< names, shapes and types of inputs and outputs follow the end that the header states
  bool runtime_2_0;        ///< IRs are read and compiled by way of the second runtime interface, unless told otherwise
  bool outputs_by_tensor;  ///< outputs of an ONNX operator with several have the names of its tensors

  // ---- how ONNX is read ----
  int64_t onnx_opset;              ///< the newest opset that is known
  bool compares_bounds;            ///< bounds of shape arithmetic are compared by nodes, which count
  bool newer_onnx_operators;       ///< Einsum, HardSwish, CastLike, integer convolutions and MatMul ... are known
  bool functions_in_place;         ///< the bodies of expanded functions, a newer one for some, stand where the call was
  bool identity_is_its_input;      ///< an Identity is no operation: what it reads takes its name
  bool leaky_slope_is_list;        ///< the slope of a LeakyRelu is a constant of one dimension, and any number
  bool finite_clip_bounds;         ///< a bound that a Clip leaves out is the end of the type's range, not infinity
  bool norms_by_power;             ///< squares of an LpNormalization are powers, and the axis is kept
  bool plane_axes_at_run_time;     ///< the axes of a global pooling follow from the rank by arithmetic
  bool max_pool_with_places;       ///< a MaxPool says where the maxima are
  bool absent_bias_is_node;        ///< a Conv without bias makes a node that stands for it, which counts
  bool slices_by_axes;             ///< a Slice names its axes (Slice-8); constants do not decide which form it has
  bool softmax_of_lists_flattens;  ///< before opset 11 a Softmax of one dimension is flattened like others
  bool old_resize_floors;          ///< Resize of opset 10 takes the pixel below, from asymmetric coordinates
  bool lstm_peepholes;             ///< an LSTM has weights of peepholes, zeros where there are none
  bool eye_by_arithmetic;          ///< EyeLike reads the shape of its input by arithmetic

  // ---- how an IR is read ----
  int64_t ir_opset;           ///< the newest operation set that is known
  bool reads_all_parameters;  ///< also those that nothing reads, in the order of the file, before the walk from the
                              ///< outputs

  // ---- the conversion ----
  int64_t nodes_before;                   ///< nodes that exist before a network is converted; automatic names show it
  int64_t legacy_patterns;                ///< numbers that the patterns of the conversion to legacy layers take
  bool infers_between_opsets;             ///< shapes are inferred again after each step down to opset 1
  bool copies_reshaped_constants;         ///< a constant that is folded into another shape is a new one, which counts
  bool halves_compressed_models;          ///< a network whose constants are stored in FP16 is computed in FP16
  bool sinks_transposes_behind_converts;  ///< a Transpose moves behind a Convert
  bool model_optimizations;      ///< the common optimizations begin with those that Model Optimizer does as well
  bool clamps_in_hard_sigmoids;  ///< HSwish and HSigmoid are found in every form with a Clamp
  bool clamps_from_below;        ///< Maximum(Minimum(x)) is a Clamp too
  bool l2_guard_under_root;      ///< of an L2 norm, the eps that is fused stands under the root
  bool pads_into_max_pools;      ///< a Pad with zeros goes into a MaxPool, whose padding is minus infinity
  bool sinks_shared_transposes;  ///< a Transpose moves behind a reduction though others read it
  bool group_weights_in_place;  ///< a GroupConvolution whose weights are multiplied stays, and takes the product's name
  bool drops_shared_broadcasts;   ///< a Broadcast before an elementwise operation is dropped though others read it
  bool tensor_names_follow;       ///< what takes a value's place has the names of its tensor, too
  bool shared_values_take_names;  ///< a value that others read takes the name of a network output that it becomes

  bool refuses_by_option;   ///< what a key does not take is refused in the words of its own option
  bool nothing_is_default;  ///< no streams, or empty strides, are as if they were not told, no error
  unsigned tables;          ///< its bit in rows that say which releases they are for (FaultRow::releases, keys)

  // ---- the layers ----
  bool needs_inputs;         ///< a network without inputs is refused
  bool halves_all_reals;     ///< inputs of FP64 and BF16 are FP16 as well, if nothing else is told
  bool unsigned_outputs;     ///< outputs of U32 and U64 are S32, as those of I32 and I64, not FP16
  bool abs_stage;            ///< Abs is a stage
  bool lstm_unread_outputs;  ///< outputs of an LSTM over a sequence may be unread
};

extern const Release kRelease2021;  ///< 2021.4.2
extern const Release kRelease2022;  ///< 2022.1

}  // namespace blobsmith
