// Pre-processing that becomes part of the network (model-optimizer spec §3).
#pragma once
#include "importers/common/session.hpp"

namespace blobsmith::model_optimizer {

/// (x - mean) / scale behind the inputs: an Add and a Multiply by f64 constants.
void add_mean_and_scale(importers::Session& s);
/// Remarks on inputs of pictures whose values the first layers with weights read as they come: a network is seldom
/// trained on 0 to 255, and that its blob finds nothing has often no other reason.
void note_raw_pictures(importers::Session& s);
/// Inputs of three channels in reverse order: turned round in the weights of the first convolution where only
/// element-wise layers and pads lie between, else by a Split and a Concat behind the input.
void reverse_input_channels(importers::Session& s);

}  // namespace blobsmith::model_optimizer
