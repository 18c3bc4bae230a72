// --transformations_config of Model Optimizer: layers that stand for what a graph does not hold (model-optimizer spec
// §7).
#pragma once
#include <string>

#include "importers/tensorflow/source.hpp"

namespace blobsmith::tensorflow_file {

struct TransformationOptions {
  std::string config;               ///< a JSON file, or the name of one that OpenVINO ships ("yolo_v3.json")
  std::string pipeline{};           ///< pipeline.config of the Object Detection API
  bool has_stated_shape = false;    ///< the user says how large the model's inputs are
  bool has_stated_outputs = false;  ///< the user says where the network ends
};

/// TFYOLO and TFYOLOV3: layers that turn the last maps of a YOLO network into boxes. ObjectDetectionAPI...: parts of
/// detectors as object_detection.hpp has them. Throws FileNotFound, BadOptionValue; NotYetSupported for other built-in
/// transformations. Ids that nothing knows are ignored, as Model Optimizer does.
void apply_transformations(Source& source, const TransformationOptions& options);

}  // namespace blobsmith::tensorflow_file
