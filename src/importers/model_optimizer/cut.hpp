// Cutting a model at named places before it is converted, fixing the shapes of inputs, and giving them values
// (model-optimizer spec §2.4).
#pragma once
#include "importers/common/source.hpp"
#include "importers/import.hpp"

namespace blobsmith::model_optimizer {

/// Applies options.cut and options.input_shapes. What neither outputs nor shapes need leaves the model, so that it does
/// not matter whether it can be converted. Throws BadInputName, BadOptionValue, ShapeMismatch.
void cut(importers::SourceModel& model, const ImportOptions& options);

}  // namespace blobsmith::model_optimizer
