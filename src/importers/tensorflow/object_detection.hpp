// Networks of TensorFlow's Object Detection API: the parts that decode, scale and filter are replaced by the layers
// that the chip has for them (model-optimizer spec §7.3). What each does is told by an entry of
// --transformations_config.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "importers/tensorflow/detection_pipeline.hpp"
#include "importers/tensorflow/editor.hpp"

namespace blobsmith::tensorflow_file {

struct Detector {
  Editor& editor;
  const DetectionPipeline& pipeline;
  bool has_stated_shape;  ///< the user says how large pictures are
};

// Each takes an entry of the file: its names of nodes, its "custom_attributes". They throw BadOptionValue where the
// graph or pipeline.config is not as expected.
void remove_preprocessor(Detector& d, const nlohmann::json& entry);       ///< of TensorFlow 1: a scope
void remove_loop_preprocessor(Detector& d, const nlohmann::json& entry);  ///< of TensorFlow 2: between two nodes
void add_ssd_output(Detector& d, const nlohmann::json& entry);
// Two-stage detectors.
void override_constants(Detector& d, const nlohmann::json& entry);  ///< which hold numbers of pipeline.config
void choose_outputs(Editor& e, const nlohmann::json& entry);
void add_proposals(Detector& d, const nlohmann::json& entry);
void add_region_output(Detector& d, const nlohmann::json& entry);
void pool_detected_regions(Detector& d, const nlohmann::json& entry);  ///< of Mask R-CNN
void add_mask_sigmoid(Editor& e, const nlohmann::json& entry);
void add_efficientdet_output(Editor& e, const nlohmann::json& entry);  ///< of the AutoML repository
void add_retinanet_output(Editor& e, const nlohmann::json& entry);     ///< of keras-retinanet
void add_toolbox_output(Editor& e, const nlohmann::json& entry);       ///< of SSD Toolbox

/// "Preprocessor/", a scope of the graph that one of the regular expressions finds.
std::string find_scope(const Editor& e, const nlohmann::json& expressions);

/// The key of the picture where it is made floating numbers.
std::string picture_as_floats(Editor& e);

/// Coordinates come as y, x, height, width, and the layers want x first: weights and summands of the convolutions or
/// products nearest to `boxes` are exchanged in pairs.
void exchange_coordinates(Editor& e, const std::string& boxes);

}  // namespace blobsmith::tensorflow_file
