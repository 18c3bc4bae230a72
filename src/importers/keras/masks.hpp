// Steps of sequences that don't count: masks come from Embedding(mask_zero) and Masking, pass through layers that treat
// each step by itself, and change what recurrent layers and averages compute.
#pragma once
#include <map>

#include "importers/keras/layer.hpp"

namespace blobsmith::keras_import {

/// Of a Masking layer: [N, steps] of 0 and 1.
Value steps_that_count(Layer& l);

class Masks {
 public:
  /// The mask of the first input; a note where the layer should heed it and does not.
  void before(Layer& l, const keras_file::Call& call);
  /// Masks of what the layer gives. `outputs`: keys of tensors.
  void after(Layer& l, const keras_file::Call& call, const std::vector<std::string>& outputs,
             const std::vector<Value>& values);

 private:
  Value of_all(Layer& l, const keras_file::Call& call) const;

  std::map<std::string, Value> of_;  ///< by keys of tensors
};

}  // namespace blobsmith::keras_import
