// What decodes the outputs of a detector, as far as the network shows it: for depthai's decoders on the camera.
//
// Threads: calls are independent of each other.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace blobsmith {

/// How a detector hands over its boxes.
enum class HeadForm {
  Anchors,    ///< per stride [1, anchors * (5 + classes), H, W]: what depthai decodes as YOLO v3 to v7
  Distances,  ///< per stride [1, 5 + classes, H, W]: sides of the box from the middle of the cell, the largest class
              ///< score, all class scores; what depthai decodes as YOLO v6 (release 2) to v12
  Offsets,  ///< per stride [1, 5 + classes, H, W]: the middle of the box from the corner of the cell, logarithms of its
            ///< sides, score, class scores; what depthai decodes as YOLO v6 (release 1): YOLOX
  Boxes,    ///< one list of boxes with all class scores, for a host that chooses among them
  Chosen,   ///< one list of the boxes that are left, with score and class (YOLO v10, 26)
  Ssd,      ///< DetectionOutput: seven numbers a box, which MobileNetDetectionNetwork reads
  Queries,  ///< boxes and class scores of a fixed number of queries (DETR)
};

struct DetectionHead {
  HeadForm form = HeadForm::Boxes;
  std::string family{};   ///< for people: "YOLOv8"
  std::string subtype{};  ///< of depthai's decoder: "yolov3", "yolov5", "yolov6r2" ...; "" where it has none
  int classes = 0, coordinates = 4;
  std::vector<std::string> labels{};  ///< of the classes, where the model holds them
  std::string input{};                ///< the picture
  int64_t width = 0, height = 0;      ///< of the picture
  std::vector<int64_t> strides{};     ///< pixels of a cell, in the order of `outputs` where there is one for each
  std::vector<std::vector<double>> anchors{};  ///< of each stride: widths and heights in pixels, alternating
  bool usual_anchors = false;                  ///< the model does not hold them: those of COCO are stated
  std::vector<std::string> outputs{};          ///< of the network: the boxes
  std::vector<std::string> score_outputs{};    ///< class scores that lie apart from the boxes
  std::string box_values{};                    ///< of a list of boxes, for people: "corners in pixels"; "" = unknown
  int boxes_of_cell = 1;                       ///< rows of such a list for a cell of a stride
  bool background = false;                  ///< one of the classes is that there is nothing: all scores are 1 together
  std::vector<std::string> mask_outputs{};  ///< coefficients of masks, by stride
  std::string prototype_output{};           ///< masks that those combine; "" = none
  int keypoints = 0;                        ///< of each box
  /// By stride [1, 3 * keypoints, H * W]: x, y in pixels, logit of the score.
  std::vector<std::string> keypoint_outputs{};
  std::string angle_output{};    ///< [1, 1, boxes]: radians by which the boxes of all strides are turned; "" = none
  bool can_be_reshaped = false;  ///< ReadOptions' yolo_head gives outputs that the camera decodes

  /// A decoder of depthai takes the outputs as they are.
  bool camera_decodes() const {
    return form == HeadForm::Anchors || form == HeadForm::Distances || form == HeadForm::Offsets ||
           form == HeadForm::Ssd;
  }
};

/// One line: what it is, and who decodes it.
std::string describe(const DetectionHead& head);
/// The JSON file that depthai's DetectionNetwork nodes and demos read ("nn_config", "mappings").
std::string camera_config(const DetectionHead& head);
/// The heads of an NN archive (NnArchiveOptions::heads); "" where depthai has no parser for it.
std::string archive_heads(const DetectionHead& head);

}  // namespace blobsmith
