// Faults of the reference compiler that later rooms than the graph's reproduce, unless told otherwise. Each is the `id`
// of one row of the table of faults (transforms/faults/fault_table.cpp), which says what is computed.
#pragma once

namespace blobsmith {

enum class Fault {
  None,
  AveragesAtBorders,  ///< lowering: average pools at the borders
  DoubledBias,        ///< lowering: 16x1 convolutions
  MissingBiases,      ///< lowering: 3-D convolutions without biases
  UnreadOutputs,      ///< lowering: an LSTM over a sequence with unread outputs
  MixedGroups,        ///< passes: kernels of grouped deconvolutions
  LostRelu,           ///< passes: a ReLU behind a deconvolution in software
  BatchedPool,        ///< passes: a merged pool and a batch
  BatchCycle,         ///< passes: what is read inside and outside of the loop over a batch
  MissingBuffer,      ///< stages: the second im2col convolution with the same weights
  UnreadData,         ///< memory: what is written, but never read
  MergedExpands,      ///< memory: Expands of one tensor
};

}  // namespace blobsmith
