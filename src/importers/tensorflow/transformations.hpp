// --transformations_config of Model Optimizer: layers that stand for what a graph does not hold (model-optimizer spec
// §7).
#pragma once
#include <string>

#include "importers/tensorflow/source.hpp"

namespace blobsmith::tensorflow_file {

/// `config`: a JSON file, or the name of one that OpenVINO ships ("yolo_v3.json"). TFYOLO and TFYOLOV3: layers that
/// turn the last maps of a YOLO network into boxes. Throws FileNotFound, BadOptionValue; NotYetSupported for other
/// built-in transformations. Ids that nothing knows are ignored, as Model Optimizer does.
void apply_transformations(Source& source, const std::string& config);

}  // namespace blobsmith::tensorflow_file
