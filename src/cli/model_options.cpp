#include <CLI/CLI.hpp>
#include <charconv>

#include "blobsmith/files.hpp"
#include "cli/cli.hpp"
#include "cli/help.hpp"

namespace blobsmith::cli {
namespace {

// What --input-shape takes: NAME=1,3,48,192, NAME[1,3,48,192], [1,3,48,192] or 1,3,48,192, several one behind the other
// where they have brackets; "?", "*" or -1 for what the model has.
struct StatedShape {
  std::string name;  ///< empty: of the inputs in order
  Shape shape;
};

[[noreturn]] void refuse_shape(const std::string& text) {
  throw Error(ErrorCode::BadOptionValue, "'" + text + "' is not NAME=1,3,224,224")
      .hint(
          "or NAME[1,3,224,224], [1,3,224,224]; several with brackets, with commas between them; ? for what the "
          "model has");
}

Shape parse_dimensions(const std::string& list, const std::string& whole) {
  constexpr int64_t kOfModel = -1;
  Shape shape;
  size_t at = 0;
  while (at <= list.size()) {
    const size_t end = std::min(list.find_first_of(", ", at), list.size());
    const std::string word = list.substr(at, end - at);
    at = end + 1;
    if (word.empty() && end < list.size() && list[end] == ' ') continue;
    int64_t d = kOfModel;
    const auto [last, ec] = std::from_chars(word.data(), word.data() + word.size(), d);
    const bool is_number = ec == std::errc{} && last == word.data() + word.size();
    if (word != "?" && word != "*" && (!is_number || (d < 1 && d != kOfModel))) refuse_shape(whole);
    shape.push_back(d);
  }
  return shape;
}

std::vector<StatedShape> parse_input_shapes(const std::string& text) {
  if (text.find_first_of("[(") == std::string::npos) {
    const size_t eq = text.rfind('=');
    if (eq == std::string::npos) return {{{}, parse_dimensions(text, text)}};
    return {{text.substr(0, eq), parse_dimensions(text.substr(eq + 1), text)}};
  }
  std::vector<StatedShape> list;
  size_t at = 0;
  while (at < text.size()) {
    const size_t open = text.find_first_of("[(", at), close = text.find_first_of("])", open);
    if (open == std::string::npos || close == std::string::npos) refuse_shape(text);
    std::string name = text.substr(at, open - at);
    while (!name.empty() && (name.front() == ' ' || (name.front() == ',' && !list.empty()))) name.erase(0, 1);
    while (!name.empty() && (name.back() == '=' || name.back() == ' ')) name.pop_back();
    list.push_back({name, parse_dimensions(text.substr(open + 1, close - open - 1), text)});
    at = close + 1;
  }
  return list;
}

/// Title in --help.
constexpr const char* kPictures = "Pictures, as the network wants them";

/// What networks of common origin want of a camera's picture, which is BGR, 0 to 255.
struct Preset {
  const char *name, *mean, *scale;
  bool reverse;
  const char* what;
};
constexpr Preset kPresets[] = {
    {"imagenet", "[123.675,116.28,103.53]", "[58.395,57.12,57.375]", true,
     "torchvision, timm: RGB, by mean and deviation"},
    {"yolo", "", "[255]", true, "Ultralytics: RGB, 0 to 1"},
    {"unit", "", "[255]", false, "BGR, 0 to 1"},
    {"signed", "[127.5]", "[127.5]", true, "RGB, -1 to 1: TensorFlow, MobileNet-SSD"},
    {"caffe", "[103.939,116.779,123.68]", "", false, "BGR, less the mean: Caffe"},
};

const Preset& find_preset(const std::string& name) {
  std::string all;
  for (const Preset& p : kPresets) {
    if (name == p.name) return p;
    all += std::string(all.empty() ? "" : ", ") + p.name;
  }
  throw Error(ErrorCode::BadOptionValue, "there is no preset '" + name + "'").hint("presets are: " + all);
}

std::string preset_help() {
  std::string s = "mean, scale and order of channels for a camera's pictures: ";
  for (const Preset& p : kPresets) s += std::string(&p == kPresets ? "" : "; ") + p.name + " (" + p.what + ")";
  return s;
}

/// Model Optimizer wants brackets; a list alone is as clear.
std::string bracketed(const std::string& values) {
  return values.empty() || values.find('[') != std::string::npos ? values : "[" + values + "]";
}

/// Options of single frameworks, as Model Optimizer spells them; dashes may stand for the underscores.
struct FrameworkText {
  std::string_view names;
  std::string FrameworkOptions::* member;
  const char* help;
};
constexpr FrameworkText kFrameworkTexts[] = {
    {"--input_proto,-d", &FrameworkOptions::input_proto, "Caffe: the .prototxt (default: beside the model)"},
    {"--mean_file,--mf", &FrameworkOptions::mean_file, "Caffe: a picture that is subtracted (.binaryproto)"},
    {"--mean_file_offsets,--mo", &FrameworkOptions::mean_file_offsets, "Caffe: (x,y) of its part that is used"},
    {"--input_symbol", &FrameworkOptions::input_symbol, "MXNet: the -symbol.json (default: beside the model)"},
    {"--nd_prefix_name", &FrameworkOptions::nd_prefix_name, "MXNet: prefix of .nd files with parameters"},
    {"--pretrained_model_name", &FrameworkOptions::pretrained_model_name, "MXNet: NAME-0000 of the pretrained model"},
    {"--counts", &FrameworkOptions::counts, "Kaldi: a file with the counts of the classes"},
    {"--input_checkpoint", &FrameworkOptions::input_checkpoint,
     "TensorFlow: the checkpoint with the values of the variables"},
    {"--saved_model_tags", &FrameworkOptions::saved_model_tags,
     "TensorFlow: which of a SavedModel's graphs (default: serve)"},
    {"--transformations_config,--tensorflow_use_custom_operations_config", &FrameworkOptions::transformations_config,
     "TensorFlow: a JSON file of layers that stand for sub-graphs (YOLO), or the name of one that OpenVINO ships"},
    {"--tensorflow_object_detection_api_pipeline_config", &FrameworkOptions::object_detection_pipeline,
     "TensorFlow: pipeline.config of the Object Detection API"},
};
struct FrameworkSwitch {
  std::string_view names;
  bool FrameworkOptions::* member;
  const char* help;
};
constexpr FrameworkSwitch kFrameworkSwitches[] = {
    {"--remove_output_softmax", &FrameworkOptions::remove_output_softmax, "Kaldi: without the SoftMax at the end"},
    {"--remove_memory", &FrameworkOptions::remove_memory, "Kaldi: memories become inputs and outputs"},
    {"--input_model_is_text", &FrameworkOptions::input_model_is_text, "TensorFlow: the model is a text (.pbtxt)"},
    {"--disable_nhwc_to_nchw", &FrameworkOptions::disable_nhwc_to_nchw,
     "TensorFlow: inputs and outputs keep their layout, channels last"},
};

/// "--mean_file,--mf" -> "--mean_file,--mean-file,--mf"
std::string spellings(std::string_view names) {
  std::string all, dashed;
  for (const char c : names) dashed += c == '_' ? '-' : c;
  for (size_t at = 0; at < names.size();) {
    const size_t end = std::min(names.find(',', at), names.size());
    const std::string own(names.substr(at, end - at)), other = dashed.substr(at, end - at);
    all += (all.empty() ? "" : ",") + own + (other == own ? "" : "," + other);
    at = end + 1;
  }
  return all;
}

}  // namespace

std::string ModelOptions::preset_text() const {
  if (preset.empty()) return "";
  const ConversionOptions c = for_conversion();
  return "preset " + preset + ": " + (c.mean_values.empty() ? "" : "--mean-values " + c.mean_values + " ") +
         (c.scale_values.empty() ? "" : "--scale-values " + c.scale_values + " ") +
         (c.reverse_input_channels ? "--reverse-input-channels" : "");
}

std::map<std::string, Shape> ModelOptions::input_shapes() const {
  std::map<std::string, Shape> r;
  for (const std::string& s : shapes)
    for (StatedShape& stated : parse_input_shapes(s))
      if (!stated.name.empty()) r[stated.name] = std::move(stated.shape);
  return r;
}

ConversionOptions ModelOptions::for_conversion() const {
  ConversionOptions c = conversion;
  c.single_precision = CLI::detail::to_lower(data_type) == "fp32" || CLI::detail::to_lower(data_type) == "float";
  if (!scale.empty()) {
    if (!c.scale_values.empty())
      throw Error(ErrorCode::BadOptionValue, "--scale and --scale-values can't be stated both");
    const auto [last, ec] = std::from_chars(scale.data(), scale.data() + scale.size(), c.scale);
    if (ec != std::errc{} || last != scale.data() + scale.size()) {
      c.scale = 0;
      c.scale_values = scale;
    }
  }
  c.mean_values = bracketed(c.mean_values);
  c.scale_values = bracketed(c.scale_values);
  if (!preset.empty()) {
    const Preset& p = find_preset(preset);
    if (!c.mean_values.empty() || !c.scale_values.empty() || c.scale != 0)
      throw Error(ErrorCode::BadOptionValue, "--preset sets mean and scale: state either it or them");
    c.mean_values = p.mean;
    c.scale_values = p.scale;
    c.reverse_input_channels |= p.reverse;
  }
  for (const std::string& s : shapes)
    for (const StatedShape& stated : parse_input_shapes(s)) {
      if (!stated.name.empty()) continue;
      std::string dims;
      for (const int64_t d : stated.shape) dims += (dims.empty() ? "" : ",") + std::to_string(d);
      c.shapes += (c.shapes.empty() ? "[" : ",[") + dims + "]";
    }
  return c;
}

CameraOptions ModelOptions::for_camera() const {
  CameraOptions c = camera;
  if (!ip.empty()) c.input_precision = parse_precision(ip);
  if (!op.empty()) c.output_precision = parse_precision(op);
  c.io_precision = named_precisions(iop);
  c.config = read_config(config);
  return c;
}

void add_model_options(CLI::App& app, ModelOptions& o) {
  begin_group(app, "Model");
  app.add_option("model,-m,-w,--input-model,--input_model,--saved_model_dir,--saved-model-dir,--input_meta_graph",
                 o.file, "the model: " + readable_formats())
      ->required();
  app.add_option("--input-shape,--input_shape", o.shapes,
                 "NAME=1,3,224,224 or NAME[1,3,224,224]: shape of an input (repeatable); [1,3,224,224],... of the "
                 "inputs in order; "
                 "? for what the model has");
  begin_group(app, kOwnOptions);
}

void add_conversion_options(CLI::App& app, ModelOptions& o) {
  begin_group(app, "Model");
  app.add_option("--input", o.conversion.inputs,
                 "where the network begins: inputs, layers or tensors, NAME, PORT:NAME or NAME:PORT, each with its "
                 "[1 3 224 224], {type} or ->value (which freezes it)");
  app.add_option("--output", o.conversion.outputs,
                 "where the network ends: layers or tensors, NAME, PORT:NAME or NAME:PORT");
  add_preprocessing_options(app, o);
  begin_group(app, kPictures);
  // Not beside add_input_options(), where they are of pictures.
  app.add_option("--mean", o.conversion.mean_values, "the same as --mean-values");
  app.add_option("-s,--scale", o.scale, "one number: what all inputs are divided by; or as --scale-values");
  begin_group(app, kOwnOptions);
}

void add_preprocessing_options(CLI::App& app, ModelOptions& o) {
  begin_group(app, "Model");
  app.add_option("-b,--batch", o.conversion.batch, "first dimension of all inputs")->check(refuse_unless_positive);
  begin_group(app, kPictures);
  app.add_option("--mean-values,--mean_values,--ms", o.conversion.mean_values,
                 "104,117,123 or NAME[104,117,123],...: subtracted from the inputs, by channel of the model");
  app.add_option("--scale-values,--scale_values", o.conversion.scale_values,
                 "the same: what the inputs are divided by, after the mean");
  app.add_option(
      "--layout", o.conversion.layout,
      "of inputs and outputs, nhwc->nchw or NAME(nhwc->nchw),...: how the model has the dimensions, then how "
      "pictures come and results go");
  app.add_flag("--reverse-input-channels,--reverse_input_channels", o.conversion.reverse_input_channels,
               "pictures come in the other order of channels (RGB, BGR) than the model's");
  app.add_option("--preset", o.preset, preset_help());
  begin_group(app, "Network");
  app.add_flag("--strip-quant,--strip_quant", o.conversion.strip_quant,
               "a quantized network without the rounding of its activations; its weights stay as they were quantized");
  app.add_flag("--yolo-head,--yolo_head", o.conversion.yolo_head,
               "a YOLO gives what the camera's decoder reads, one output for each stride, not its list of boxes");
  app.add_option(
         "--data-type,--data_type", o.data_type,
         "of the network; the chip computes in FP16 in any case, with --quirks constants are rounded once or twice")
      ->check(CLI::IsMember({"FP16", "FP32", "half", "float"}, CLI::ignore_case));
  begin_group(app, kOwnOptions);
}

std::string refuse_unless_positive(const std::string& text) {
  int64_t v = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
  return ec == std::errc{} && end == text.data() + text.size() && v > 0 ? "" : "expected a positive integer value";
}

void add_rewrite_options(CLI::App& app, ConversionOptions& c) {
  begin_group(app, "Network");
  app.add_option("--freeze-placeholder-with-value,--freeze_placeholder_with_value", c.freeze_placeholder_with_value,
                 "NAME->VALUE,...: inputs that become constants");
  app.add_flag("--disable-fusing,--disable_fusing", c.disable_fusing, "factors and summands stay layers of their own");
  app.add_flag("--disable-gfusing,--disable_gfusing", c.disable_gfusing, "groups of convolutions stay apart");
  app.add_flag("--disable-resnet-optimization,--disable_resnet_optimization", c.disable_resnet_optimization,
               "strides stay where they are");
  app.add_flag("--enable-concat-optimization,--enable_concat_optimization", c.enable_concat_optimization,
               "a Concat whose inputs another one has too is read by that one");
  app.add_flag("--static-shape,--static_shape", c.static_shape,
               "shapes are numbers, not computed while the network runs");
  app.add_option("--finegrain-fusing,--finegrain_fusing", c.finegrain_fusing,
                 "regular expressions of names of layers that stay as they are");
  begin_group(app, kOwnOptions);
}

void add_ignored_options(CLI::App& app, bool& ignored) {
  begin_group(app, kHiddenOptions);
  for (const char* name : {"--move_to_preprocess", "--progress", "--stream_output", "--generate_deprecated_IR_V7",
                           "--keep_shape_ops", "--disable_omitting_optional,--enable_flattening_nested_params"})
    app.add_flag(name, ignored, "without effect");
  begin_group(app, kOwnOptions);
}

void add_framework_options(CLI::App& app, FrameworkOptions& f) {
  begin_group(app, kFrameworks);
  app.add_option("--framework", f.framework, "tf, caffe, mxnet, kaldi or onnx (default: told by the file)");
  for (const FrameworkText& row : kFrameworkTexts) app.add_option(spellings(row.names), f.*row.member, row.help);
  for (const FrameworkSwitch& row : kFrameworkSwitches) app.add_flag(spellings(row.names), f.*row.member, row.help);
  begin_group(app, kOwnOptions);
}

void add_camera_options(CLI::App& app, ModelOptions& o) {
  begin_group(app, "Chip");
  app.add_option("--shaves,--sh", o.camera.shaves, "SHAVE processors (default 6)");
  app.add_option("--slices", o.camera.slices, "slices of on-chip memory (default: as many as SHAVEs)");
  app.add_option(
      "--ip,--input-precision", o.ip,
      "precision of all inputs of real numbers (default: U8, what a camera delivers, for pictures of 1, 3 or 4 "
      "channels, FP16 for others)");
  app.add_option("--op,--output-precision", o.op, "precision of all outputs (default FP16)");
  app.add_option("--iop,--io-precision", o.iop, "precisions by name: name:FP16,other:U8");
  app.add_option("-c,--config", o.config, "configuration: a file of KEY VALUE lines, or KEY=VALUE (repeatable)");
  begin_group(app, kOwnOptions);
}

std::map<std::string, Shape> shapes_of_arrays(const InputOptions& o) {
  std::map<std::string, Shape> shapes;
  for (const std::string& argument : o.files) {
    const size_t eq = argument.find('=');
    const std::string name = argument.substr(0, eq == std::string::npos ? 0 : eq);
    const std::string path = eq == std::string::npos ? argument : argument.substr(eq + 1);
    if (!path.ends_with(".npy") && !path.ends_with(".npz")) continue;
    for (const FloatTensor& t : load_arrays(path))
      if (!t.name.empty() || !name.empty()) shapes[t.name.empty() ? name : t.name] = t.shape;
  }
  return shapes;
}

void add_input_options(CLI::App& app, InputOptions& o) {
  begin_group(app, "Inputs");
  app.add_option("--input", o.files,
                 "NAME=FILE: a .npy or .npz array, a picture (PNG, JPEG), resized to the input, or the bytes "
                 "themselves (repeatable); FILE.npz: all inputs")
      ->allow_extra_args(false);
  app.add_option("--seed", o.seed, "of random numbers (default 0)");
  app.add_flag("--rgb,!--bgr", o.rgb, "pictures in RGB order, or in BGR (default, as cameras deliver)");
  app.add_flag("--letterbox", o.letterbox, "keep a picture's proportions and fill the rest");
  app.add_option("--mean", o.mean,
                 "of pictures, in the order of the input's channels, subtracted from 0..255: one number, or a,b,c")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("-s,--scale", o.scale, "of pictures: what they are divided by after --mean")
      ->delimiter(',')
      ->allow_extra_args(false);
  begin_group(app, kOwnOptions);
}

std::string all_targets() {
  std::string s;
  for (const std::string& t : target_names()) s += (s.empty() ? "" : ", ") + t;
  return s;
}

}  // namespace blobsmith::cli
