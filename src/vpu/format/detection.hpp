// Parameters of detection heads: SSD, NMS, YOLO, CTC (stages spec §10). CTCDecoder has none.
#pragma once
#include "vpu/format/stage_format.hpp"

namespace blobsmith::vpu {

struct DetectionOutputParams : StageParams {
  int32_t num_classes = 0, share_location = 1, background_label_id = 0;
  float nms_threshold = 0;
  int32_t top_k = -1;
  int32_t code_type = 1;  ///< 1 CORNER, 2 CENTER_SIZE, 3 CORNER_SIZE
  int32_t keep_top_k = -1;
  float confidence_threshold = -1;
  int32_t variance_encoded_in_target = 0, num_priors = 0, clip_before_nms = 0, clip_after_nms = 0,
          decrease_label_id = 0;
  int32_t image_width = 1, image_height = 1, normalized = 1, num = 1;
  float objectness_score = -1;
  int32_t has_arm_inputs = 0;
  void fields(FieldArchive& a) override {
    a.word("num_classes", num_classes);
    a.word("share_location", share_location);
    a.word("background_label_id", background_label_id);
    a.word("nms_threshold", nms_threshold);
    a.word("top_k", top_k);
    a.word("code_type", code_type);
    a.word("keep_top_k", keep_top_k);
    a.word("confidence_threshold", confidence_threshold);
    a.word("variance_encoded_in_target", variance_encoded_in_target);
    a.word("num_priors", num_priors);
    a.word("clip_before_nms", clip_before_nms);
    a.word("clip_after_nms", clip_after_nms);
    a.word("decrease_label_id", decrease_label_id);
    a.word("image_width", image_width);
    a.word("image_height", image_height);
    a.word("normalized", normalized);
    a.word("num", num);
    a.word("objectness_score", objectness_score);
    a.word("has_arm_inputs", has_arm_inputs);
  }
};

struct StaticShapeNmsParams : StageParams {
  int32_t center_point_box = 0, use_ddr_buffer = 0;
  void fields(FieldArchive& a) override {
    a.word("center_point_box", center_point_box);
    a.word("use_ddr_buffer", use_ddr_buffer);
  }
};

struct RegionYoloParams : StageParams {
  int32_t classes = 0, coords = 0, num = 0, mask_size = 0, do_softmax = 0;
  void fields(FieldArchive& a) override {
    a.word("classes", classes);
    a.word("coords", coords);
    a.word("num", num);
    a.word("maskSize", mask_size);
    a.word("doSoftMax", do_softmax);
  }
};

struct ReorgYoloParams : StageParams {
  int32_t stride = 1;
  void fields(FieldArchive& a) override { a.word("stride", stride); }
};

struct CtcGreedyDecoderSeqLenParams : StageParams {
  uint32_t merge_repeated = 0, blank_index = 0;
  void fields(FieldArchive& a) override {
    a.word("mergeRepeated", merge_repeated);
    a.word("blankIndex", blank_index);
  }
};

/// The face detector cascade; only decoded, no network format leads to it.
struct MtcnnParams : StageParams {
  struct Level {
    int32_t width = 0, height = 0;
    void fields(FieldArchive& a) {
      a.word("width", width);
      a.word("height", height);
    }
  };
  std::vector<Level> pyramid;
  int32_t debug_pnet_post_nms = 0, debug_rnet_post_nms = 0;
  int32_t mode = 0;  ///< 0 AVA face detector, 1 public
  int32_t stage2_zdir_batch_size = 0;
  void fields(FieldArchive& a) override {
    list_field(a, "count", "pyramid", pyramid);
    a.word("debug_pnet_post_nms", debug_pnet_post_nms);
    a.word("debug_rnet_post_nms", debug_rnet_post_nms);
    a.word("mode", mode);
    a.word("stage2_zdir_batch_size", stage2_zdir_batch_size);
  }
};

/// Scratch memory of DetectionOutput.
int64_t detection_output_temp_bytes(int64_t images, int64_t classes, int64_t priors, int64_t shaves);

/// How StaticShapeNMS keeps its lists of boxes: in one CMX slice, in a slice per SHAVE, or in DDR.
struct NmsMemory {
  bool one_slice = false;
  bool in_ddr = false;
  int64_t ddr_elements = 0;  ///< FP16, when in_ddr
};
NmsMemory nms_memory(int64_t boxes, int64_t shaves);

inline constexpr StageFormat kDetectionFormats[] = {
    {.type = StageType::DetectionOutput,
     .make_params = make_params_of<DetectionOutputParams>,
     .buffer_order = "in* out0 temp0"},
    {.type = StageType::StaticShapeNMS,
     .make_params = make_params_of<StaticShapeNmsParams>,
     .buffer_order = "in0 in1 in2 in3 in4 out0 out1 temp*"},
    {.type = StageType::RegionYolo, .make_params = make_params_of<RegionYoloParams>},
    {.type = StageType::ReorgYolo, .make_params = make_params_of<ReorgYoloParams>},
    {.type = StageType::CTCDecoder, .buffer_order = "in0 in1 out0"},
    {.type = StageType::CTCGreedyDecoderSeqLen,
     .make_params = make_params_of<CtcGreedyDecoderSeqLenParams>,
     .buffer_order = "in0 in1 out0 out1"},
    {.type = StageType::MTCNN, .make_params = make_params_of<MtcnnParams>, .buffer_order = "in0 out0 in1"},
};

}  // namespace blobsmith::vpu
