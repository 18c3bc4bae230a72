// Models of Keras 1, in the words of Keras 2.
#pragma once
#include "importers/keras/model.hpp"

namespace blobsmith::keras_file {

/// Classes, arguments and weights of all layers. `flips`: convolutions turn their kernels round, as those of Theano do.
/// Throws ErrorList with what has no counterpart.
void bring_up_to_date(Model& model, bool flips);

}  // namespace blobsmith::keras_file
