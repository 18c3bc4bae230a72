// Channels behind the planes, as TensorFlow has them, to channels in front, as OpenVINO has them (model-optimizer spec
// §6.9).
#pragma once
#include "importers/common/session.hpp"

namespace blobsmith::model_optimizer {

/// A Transpose that an importer puts around an operation with windows has this attribute, a flag.
inline constexpr const char* kLayoutTranspose = "between_layouts";

/// A flag of an operation whose results are no maps: the order of their axes stays, whatever their rank.
inline constexpr const char* kKeepsOrder = "keeps_order";

/// Tensors of four dimensions and more get their channels in front; inputs too. Operations that reinterpret shapes see
/// the model's own order by Transposes around them.
void channels_first(importers::Session& s);

}  // namespace blobsmith::model_optimizer
