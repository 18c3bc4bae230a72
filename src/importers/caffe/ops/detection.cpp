// Heads of detectors: boxes, proposals, pools over regions, YOLO's regions.
#include <algorithm>

#include "importers/caffe/operators.hpp"
#include "importers/common/plane_shapes.hpp"

namespace blobsmith::caffe {
namespace {

std::vector<double> reals(const Message& p, const char* name, std::vector<double> fallback = {}) {
  std::vector<double> list = p.reals(name);
  return list.empty() ? fallback : list;
}

/// One step for both axes: neither the operation nor Caffe's own deploy files have two.
double step_of(const Context& c, const Message& p) {
  const double step = p.real("step", 0), h = p.real("step_h", 0), w = p.real("step_w", 0);
  if (step != 0 || (h == 0 && w == 0)) return step;
  if (h != w) c.refuse("its step_h and step_w differ");
  return h;
}

/// What the picture's size is instead of that of the second input. quirk: Model Optimizer takes that of the input.
std::vector<int64_t> picture_size(const Context& c, const Message& p) {
  const int64_t both = p.integer("img_size", 0), h = p.integer("img_h", both), w = p.integer("img_w", both);
  return c.quirks() || h == 0 || w == 0 ? std::vector<int64_t>{} : std::vector{h, w};
}

std::vector<Value> prior_box(Context& c) {
  const Message& p = c.parameters("prior_box_param");
  Attributes a = attributes({{"min_size", reals(p, "min_size")},
                             {"max_size", reals(p, "max_size")},
                             {"aspect_ratio", reals(p, "aspect_ratio")},
                             {"density", reals(p, "density")},
                             {"fixed_ratio", reals(p, "fixed_ratio")},
                             {"fixed_size", reals(p, "fixed_size")},
                             {"clip", p.flag("clip", false)},
                             {"flip", p.flag("flip", true)},
                             {"step", step_of(c, p)},
                             {"offset", p.real("offset", 0.5f)},
                             {"variance", reals(p, "variance", {static_cast<double>(0.1f)})},
                             {"scale_all_sizes", true}});
  return {importers::prior_boxes(c, "PriorBox", c.input(0), c.input(1), std::move(a), picture_size(c, p))};
}

std::vector<Value> clustered_prior_box(Context& c) {
  const Message& p = c.parameters("prior_box_param");
  const double step = p.real("step", 0);
  p.mark_read("flip");
  Attributes a = attributes({{"width", reals(p, "width")},
                             {"height", reals(p, "height")},
                             {"clip", p.flag("clip", false)},
                             {"step_w", p.real("step_w", static_cast<float>(step))},
                             {"step_h", p.real("step_h", static_cast<float>(step))},
                             {"offset", p.real("offset", 0.5f)},
                             {"variance", reals(p, "variance", {static_cast<double>(0.1f)})}});
  return {importers::prior_boxes(c, "PriorBoxClustered", c.input(0), c.input(1), std::move(a), picture_size(c, p))};
}

std::string code_type(const Context& c, const Message& p) {
  static constexpr const char* kTypes[] = {"", "CORNER", "CENTER_SIZE", "CORNER_SIZE"};
  const std::string type = p.text("code_type", "CORNER");
  for (int i = 1; i < 4; ++i)
    if (type == kTypes[i] || type == std::to_string(i)) return std::string("caffe.PriorBoxParameter.") + kTypes[i];
  c.refuse("its code_type is " + type);
}

std::vector<Value> detection_output(Context& c) {
  const Message& p = c.parameters("detection_output_param");
  static const Message kNone;
  const Message* given = p.message("nms_param");
  const Message& nms = given ? *given : kNone;
  if (nms.real("eta", 1) != 1) c.refuse("its eta is not 1: an adaptive threshold can't be computed");
  const bool normalized = p.flag("normalized", true);
  const Shape &conf = c.shape(1), &priors = c.shape(2);
  if (conf.size() != 2 || priors.size() != 3 || priors[2] < 1) c.refuse("its inputs do not have 2, 2, 3 dimensions");
  const int64_t count = std::max<int64_t>(priors[2] / (normalized ? 4 : 5), 1), top_k = nms.integer("top_k", 0),
                keep = p.integer("keep_top_k", -1);
  if (p.has("num_classes") && p.integer("num_classes", 0) * count != conf[1])
    c.refuse("its " + std::to_string(conf[1]) + " confidences are not num_classes for each of " +
             std::to_string(count) + " boxes");
  return {c.make("DetectionOutput", c.inputs(),
                 attributes({{"num_classes", conf[1] / count},
                             {"background_label_id", p.integer("background_label_id", 0)},
                             {"top_k", top_k == 0 ? int64_t{-1} : top_k},
                             {"variance_encoded_in_target", p.flag("variance_encoded_in_target", false)},
                             {"keep_top_k", std::vector<int64_t>{keep == -1 ? count : keep}},
                             {"code_type", code_type(c, p)},
                             {"share_location", p.flag("share_location", true)},
                             {"nms_threshold", nms.real("nms_threshold", 0.3f)},
                             {"confidence_threshold", p.real("confidence_threshold", 0)},
                             {"clip_after_nms", false},
                             {"clip_before_nms", false},
                             {"decrease_label_id", false},
                             {"normalized", normalized},
                             {"input_height", std::max<int64_t>(p.integer("input_height", 1), 1)},
                             {"input_width", std::max<int64_t>(p.integer("input_width", 1), 1)},
                             {"objectness_score", c.input_count() > 3 ? p.real("objectness_score", 0.01f) : 0.0}}))};
}

// ---- proposals ----

struct Proposals {
  int64_t feat_stride = 16, base_size = 16, min_size = 16, pre_nms_topn = 6000, post_nms_topn = 300;
  double nms_thresh = static_cast<double>(0.7f);
  std::vector<double> ratio, scale;
};

std::vector<Value> proposals(Context& c, const Proposals& p) {
  if (c.output_count() > 1 && c.quirks()) c.refuse("its second output, the scores, can't be computed");
  Value size = c.input(2);
  if (size.shape().size() == 2 && size.shape()[1] == 6) {
    const std::vector<int64_t> both{1, 1}, none{0, 0};
    size = c.make(
        "StridedSlice",
        {size, c.integers_constant({0, 0}, "/cropped_im_info/begin"),
         c.integers_constant({1, 3}, "/cropped_im_info/end"), c.integers_constant({1, 1}, "/cropped_im_info/stride")},
        attributes({{"begin_mask", none},
                    {"end_mask", none},
                    {"new_axis_mask", none},
                    {"shrink_axis_mask", none},
                    {"ellipsis_mask", none}}),
        Context::kNewest, "/cropped_im_info");
  }
  // The operation takes one row of numbers.
  const Value row = size.shape().size() == 1 ? size : c.reshape(size, {-1}, "/im_info_1d");
  Node* n = c.make("Proposal", {c.input(0), c.input(1), row},
                   attributes({{"base_size", p.base_size},
                               {"pre_nms_topn", p.pre_nms_topn},
                               {"post_nms_topn", p.post_nms_topn},
                               {"nms_thresh", p.nms_thresh},
                               {"feat_stride", p.feat_stride},
                               {"min_size", p.min_size},
                               {"ratio", p.ratio},
                               {"scale", p.scale},
                               {"clip_before_nms", true},
                               {"clip_after_nms", false},
                               {"normalize", false},
                               {"box_size_scale", 1.0},
                               {"box_coordinate_scale", 1.0},
                               {"framework", std::string()}}),
                   4)
                .node;
  std::vector<Value> outputs;
  for (int i = 0; i < n->output_count(); ++i) outputs.push_back(n->value(i));
  return outputs;
}

std::vector<Value> proposal(Context& c) {
  const Message& m = c.parameters("proposal_param");
  Proposals p;
  p.feat_stride = m.integer("feat_stride", p.feat_stride);
  p.base_size = m.integer("base_size", p.base_size);
  p.min_size = m.integer("min_size", p.min_size);
  p.pre_nms_topn = m.integer("pre_nms_topn", p.pre_nms_topn);
  p.post_nms_topn = m.integer("post_nms_topn", p.post_nms_topn);
  p.nms_thresh = m.real("nms_thresh", 0.7f);
  p.ratio = reals(m, "ratio");
  p.scale = reals(m, "scale");
  return proposals(c, p);
}

/// "'feat_stride': 16, 'scales': !!python/tuple [8, 16]": the numbers behind a key.
std::vector<double> numbers_behind(const std::string& text, const std::string& key) {
  std::vector<double> list;
  for (size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
    size_t p = at + key.size();
    const bool begins = at == 0 || !(std::isalnum(static_cast<unsigned char>(text[at - 1])) || text[at - 1] == '_');
    while (p < text.size() && (text[p] == '\'' || text[p] == '"' || text[p] == ' ')) ++p;
    if (!begins || p >= text.size() || text[p] != ':') continue;
    const size_t open = text.find_first_not_of(" ", p + 1);
    if (open == std::string::npos) return list;
    const size_t bracket = text.find_first_of("[(", open), comma = text.find_first_of(",\n}", open);
    const bool many = bracket != std::string::npos && bracket < comma;
    const size_t begin = many ? bracket + 1 : open, end = many ? text.find_first_of("])", begin) : comma;
    std::string part = text.substr(begin, end == std::string::npos ? end : end - begin);
    std::ranges::replace(part, ',', ' ');
    const char* s = part.c_str();
    for (char* after = nullptr;; s = after) {
      const double v = std::strtod(s, &after);
      if (after == s) break;
      list.push_back(v);
    }
    return list;
  }
  return list;
}

/// The layer of py-faster-rcnn in Python, whose parameters are YAML.
std::vector<Value> python_proposal(Context& c) {
  const Message& python = c.parameters("python_param");
  const std::string text = python.text("param_str");
  for (const char* read : {"module", "layer", "share_in_parallel"}) python.mark_read(read);
  Proposals p;
  p.ratio = {0.5, 1, 2};
  p.scale = {8, 16, 32};
  p.nms_thresh = 0.7;
  if (c.type().find("SSH.") != std::string::npos) p.pre_nms_topn = p.post_nms_topn = 1000, p.nms_thresh = 1;
  const auto integer = [&](const char* key, int64_t& v) {
    if (const auto list = numbers_behind(text, key); !list.empty()) v = static_cast<int64_t>(list[0]);
  };
  const auto list = [&](const char* key, std::vector<double>& v) {
    if (auto given = numbers_behind(text, key); !given.empty()) v = std::move(given);
  };
  integer("feat_stride", p.feat_stride);
  integer("base_size", p.base_size);
  integer("min_size", p.min_size);
  integer("pre_nms_topn", p.pre_nms_topn);
  integer("post_nms_topn", p.post_nms_topn);
  list("ratio", p.ratio);
  list("ratios", p.ratio);
  list("scale", p.scale);
  list("scales", p.scale);
  if (const auto v = numbers_behind(text, "nms_thresh"); !v.empty()) p.nms_thresh = v[0];
  return proposals(c, p);
}

std::vector<Value> roi_pooling(Context& c) {
  const Message& p = c.parameters("roi_pooling_param");
  const int64_t h = p.integer("pooled_h", 0), w = p.integer("pooled_w", 0);
  return {c.make("ROIPooling", c.inputs(),
                 attributes({{"pooled_h", h},
                             {"pooled_w", w},
                             {"spatial_scale", p.real("spatial_scale", 1)},
                             {"method", std::string("max")}}))};
}

std::vector<Value> psroi_pooling(Context& c) {
  const Message& p = c.parameters("psroi_pooling_param");
  return {c.make("PSROIPooling", c.inputs(),
                 attributes({{"output_dim", p.integer("output_dim", 0)},
                             {"group_size", p.integer("group_size", 1)},
                             {"spatial_scale", p.real("spatial_scale", 0)},
                             {"mode", std::string("average")}}))};
}

std::vector<Value> region_yolo(Context& c) {
  const Message &p = c.parameters("region_yolo_param"), &flat = c.parameters("flatten_param");
  return {c.make("RegionYolo", {c.input(0)},
                 attributes({{"anchors", p.reals("anchors")},
                             {"axis", static_cast<int64_t>(c.axis(flat.integer("axis", 1)))},
                             {"coords", p.integer("coords", 4)},
                             {"classes", p.integer("classes", 20)},
                             {"end_axis", static_cast<int64_t>(c.axis(flat.integer("end_axis", -1)))},
                             {"num", p.integer("num", 1)},
                             {"do_softmax", p.flag("do_softmax", true)},
                             {"mask", p.integers("mask")}}))};
}

std::vector<Value> ctc_decoder(Context& c) {
  const Message& p = c.parameters("ctc_decoder_param");
  p.mark_read("blank_index");
  return {
      c.make("CTCGreedyDecoder", c.inputs(), attributes({{"ctc_merge_repeated", p.flag("ctc_merge_repeated", true)}}))};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"CTCGreedyDecoder", "CTCGreedyDecoder", ctc_decoder},
    {"DetectionOutput", "DetectionOutput", detection_output, "eta 1"},
    {"PriorBox", "PriorBox", prior_box, "one step for both axes"},
    {"PriorBoxClustered", "PriorBoxClustered", clustered_prior_box},
    {"Proposal", "Proposal", proposal},
    {"PSROIPooling", "PSROIPooling", psroi_pooling},
    {"Python rpn.proposal_layer.ProposalLayer", "Proposal", python_proposal},
    {"Python SSH.layers.proposal_layer.ProposalLayer", "Proposal", python_proposal},
    {"RegionYolo", "RegionYolo", region_yolo},
    {"ROIPooling", "ROIPooling", roi_pooling},
};

}  // namespace

std::span<const OperatorRow> detection_operators() { return kOperators; }

}  // namespace blobsmith::caffe
