// Heads of detectors: RegionYolo, ReorgYolo, DetectionOutput, CTC decoders (front-end spec §9, stages spec §10).
#include "vpu/format/detection.hpp"

#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

void parse_region_yolo(LayerContext& c) {
  c.expect_ports(1, 1);
  const std::vector<int64_t> mask = c.attrs().get_or<std::vector<int64_t>>("mask", {});
  Stage* s = c.add_stage(StageType::RegionYolo);
  RegionYoloParams p;
  p.classes = c.attrs().integer("classes", 20);
  p.coords = c.attrs().integer("coords", 4);
  p.num = c.attrs().integer("num", 5);
  p.mask_size = static_cast<int64_t>(mask.size());
  p.do_softmax = c.attrs().flag("do_softmax", true);
  s->set(p);
}

void parse_reorg_yolo(LayerContext& c) {
  c.expect_ports(1, 1);
  ReorgYoloParams p;
  p.stride = c.attrs().integer("stride");
  c.add_stage(StageType::ReorgYolo)->set(p);
}

int code_type(const LayerContext& c) {
  const std::string t = c.text("code_type");
  if (t.find("corner_size") != std::string::npos) return 3;
  if (t.find("center_size") != std::string::npos) return 2;
  if (t.find("corner") != std::string::npos) return 1;
  c.fail("Unknown code type : " + t);
}

struct DetectionSizes {
  int64_t classes = 0, priors = 0, location_classes = 0, keep_top_k = 0;
};

void check_sizes(const LayerContext& c, const DetectionSizes& d) {
  const DataDesc &loc = c.inputs[0]->desc, &conf = c.inputs[1]->desc, &out = c.out()->desc;
  c.require(d.priors * d.location_classes * 4 == loc.dim(Dim::C),
            "Detection Output: Number of priors must match number of location predictions.");
  c.require(d.priors * d.classes == conf.dim(Dim::C),
            "Detection Output: Number of priors must match number of confidence predictions.");
  c.require(out.dim(Dim::H, 1) >= d.keep_top_k && out.dim(Dim::W, 1) == 7,
            "Detection Output: the output holds fewer boxes than keep_top_k");
}

void parse_detection_output(LayerContext& c) {
  c.check(c.inputs.size() == 3 || c.inputs.size() == 5, "inputs.size() == 3 || inputs.size() == 5");
  c.expect_ports(c.inputs.size(), 1);
  const Attributes& a = c.attrs();
  const bool normalized = a.flag("normalized", true), share_location = a.flag("share_location", true);
  const auto keep = a.get_or<std::vector<int64_t>>("keep_top_k", {});
  c.require_rank(c.inputs[2], 3, 4);
  DetectionSizes d;
  d.classes = a.integer("num_classes");
  d.priors = c.inputs[2]->desc.dim(Dim::W) / (normalized ? 4 : 5);
  d.location_classes = share_location ? 1 : d.classes;
  d.keep_top_k = keep.empty() ? -1 : keep[0];
  if (d.keep_top_k < 0) d.keep_top_k = c.out()->desc.dim(Dim::H, 1);
  check_sizes(c, d);

  Stage* s = c.add_stage(StageType::DetectionOutput, c.inputs, {c.out()});
  DetectionOutputParams p;
  p.num_classes = d.classes;
  p.share_location = share_location;
  p.background_label_id = a.integer("background_label_id", 0);
  p.nms_threshold = c.real("nms_threshold");
  p.top_k = a.integer("top_k", -1);
  p.code_type = code_type(c);
  p.keep_top_k = d.keep_top_k;
  p.confidence_threshold = c.real("confidence_threshold", -1.0);
  p.variance_encoded_in_target = a.flag("variance_encoded_in_target");
  p.num_priors = d.priors;
  p.clip_before_nms = a.flag("clip_before_nms") || a.flag("clip");
  p.clip_after_nms = a.flag("clip_after_nms");
  p.decrease_label_id = a.flag("decrease_label_id");
  p.image_width = a.integer("input_width", 1);
  p.image_height = a.integer("input_height", 1);
  p.normalized = normalized;
  p.num = c.inputs[1]->desc.dim(Dim::N, 1);
  p.objectness_score = c.real("objectness_score", -1.0);
  p.has_arm_inputs = c.inputs.size() == 5;
  s->set(p);
  c.program.add_temp(s, detection_output_temp_bytes(c.inputs[1]->desc.dim(Dim::N, 1), d.classes, d.priors,
                                                    c.program.resources.shaves));
}

void parse_ctc_decoder(LayerContext& c) {
  c.expect_ports(2, 1);
  c.require(c.attrs().flag("ctc_merge_repeated", true),
            "Layer " + c.name() + " supports only ctc_merge_repeated = true");
  c.add_stage(StageType::CTCDecoder, c.inputs, {c.out()});
}

void parse_ctc_decoder_seq_len(LayerContext& c) {
  c.check(c.inputs.size() == 2 || c.inputs.size() == 3, "inputs.size() == 2 || inputs.size() == 3");
  c.check(c.outputs.size() == 2 && c.outputs[0], "outputs.size() == 2");
  c.require_rank(c.in(), 3, 3);
  int64_t blank = c.in()->desc.dim(Dim::W) - 1;
  if (c.node().input_count() > 2)
    blank = c.integer(2, "the blank index of layer " + c.name() + " must be one constant number");
  std::vector<Data*> outs = c.outputs;
  if (!outs[1]) outs[1] = c.program.add_fake();
  Stage* s = c.add_stage(StageType::CTCGreedyDecoderSeqLen, c.inputs, outs);
  CtcGreedyDecoderSeqLenParams p;
  p.merge_repeated = c.attrs().flag("merge_repeated", true);
  p.blank_index = blank;
  s->set(p);
}

constexpr ParserRow kRows[] = {
    {"RegionYolo", parse_region_yolo},
    {"ReorgYolo", parse_reorg_yolo},
    {"DetectionOutput", parse_detection_output},
    {"CTCGreedyDecoder", parse_ctc_decoder},
    {"CTCGreedyDecoderSeqLen", parse_ctc_decoder_seq_len},
};

}  // namespace

std::span<const ParserRow> detection_parsers() { return kRows; }

}  // namespace blobsmith::vpu
