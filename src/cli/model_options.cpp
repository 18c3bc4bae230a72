#include <CLI/CLI.hpp>
#include <charconv>

#include "cli/cli.hpp"

namespace blobsmith::cli {
namespace {

/// "x=1,3,48,192"
std::pair<std::string, Shape> parse_input_shape(const std::string& s) {
  const size_t eq = s.rfind('=');
  Shape shape;
  const char* p = eq == std::string::npos ? nullptr : s.data() + eq + 1;
  while (p) {
    int64_t d = 0;
    const auto [end, ec] = std::from_chars(p, s.data() + s.size(), d);
    if (ec != std::errc{} || d <= 0) break;
    shape.push_back(d);
    if (end == s.data() + s.size()) return {s.substr(0, eq), shape};
    if (*end != ',') break;
    p = end + 1;
  }
  throw Error(ErrorCode::BadOptionValue, "'" + s + "' is not NAME=1,3,224,224");
}

}  // namespace

std::map<std::string, Shape> ModelOptions::input_shapes() const {
  std::map<std::string, Shape> r;
  for (const std::string& s : shapes)
    if (s.find('=') != std::string::npos) r.insert(parse_input_shape(s));
  return r;
}

ConversionOptions ModelOptions::for_conversion() const {
  ConversionOptions c = conversion;
  for (const std::string& s : shapes)
    if (s.find('=') == std::string::npos) c.shapes += (c.shapes.empty() ? "" : ",") + s;
  // CLI11 takes outer brackets for its own.
  if (!c.shapes.empty() && !c.shapes.starts_with('[')) c.shapes = "[" + c.shapes + "]";
  return c;
}

CameraOptions ModelOptions::for_camera() const {
  CameraOptions c = camera;
  c.input_precision = parse_precision(ip);
  if (!op.empty()) c.output_precision = parse_precision(op);
  c.io_precision = named_precisions(iop);
  c.config = read_config(config);
  return c;
}

void add_model_options(CLI::App& app, ModelOptions& o) {
  app.add_option("model", o.file, "the model: " + readable_formats())->required();
  app.add_option(
      "--input-shape,--input_shape", o.shapes,
      "NAME=1,3,224,224: shape of an input that the model leaves open (repeatable); or [1,3,224,224],... of the "
      "inputs that --input names, or of the only one");
}

void add_conversion_options(CLI::App& app, ModelOptions& o) {
  app.add_option("--input", o.conversion.inputs,
                 "where the network begins: inputs, layers or tensors, NAME, PORT:NAME or NAME:PORT, each with its "
                 "[1 3 224 224], {type} or ->value (which freezes it)");
  app.add_option("--output", o.conversion.outputs,
                 "where the network ends: layers or tensors, NAME, PORT:NAME or NAME:PORT");
  add_preprocessing_options(app, o);
}

void add_preprocessing_options(CLI::App& app, ModelOptions& o) {
  app.add_option("-b,--batch", o.conversion.batch, "first dimension of all inputs")->check(CLI::PositiveNumber);
  app.add_option("--mean-values,--mean_values", o.conversion.mean_values,
                 "[104,117,123] or NAME[104,117,123],...: subtracted from the inputs, by channel of the model");
  app.add_option("--scale-values,--scale_values", o.conversion.scale_values,
                 "the same: what the inputs are divided by, after the mean");
  app.add_flag("--reverse-input-channels,--reverse_input_channels", o.conversion.reverse_input_channels,
               "pictures come in the other order of channels (RGB, BGR) than the model's");
}

void add_rewrite_options(CLI::App& app, ModelOptions& o) {
  ConversionOptions& c = o.conversion;
  app.add_option("--scale", c.scale, "what all inputs are divided by");
  app.add_option("--freeze-placeholder-with-value,--freeze_placeholder_with_value", c.freeze_placeholder_with_value,
                 "NAME->VALUE,...: inputs that become constants");
  app.add_flag("--disable-fusing,--disable_fusing", c.disable_fusing, "factors and summands stay layers of their own");
  app.add_flag("--disable-gfusing,--disable_gfusing", c.disable_gfusing, "groups of convolutions stay apart");
  app.add_flag("--disable-resnet-optimization,--disable_resnet_optimization", c.disable_resnet_optimization,
               "strides stay where they are");
  app.add_flag("--enable-concat-optimization,--enable_concat_optimization", c.enable_concat_optimization,
               "Concats of Concats become one");
  app.add_flag("--static-shape,--static_shape", c.static_shape,
               "shapes are numbers, not computed while the network runs");
  app.add_option("--finegrain-fusing,--finegrain_fusing", c.finegrain_fusing,
                 "regular expressions of names of layers that stay as they are");
}

void add_framework_options(CLI::App& app, FrameworkOptions& f) {
  app.add_option("--framework", f.framework, "tf, caffe, mxnet, kaldi or onnx (default: told by the file)");
  app.add_option("--input-proto,--input_proto,-d", f.input_proto, "Caffe: the .prototxt (default: beside the model)");
  app.add_option("--mean-file,--mean_file", f.mean_file, "Caffe: a picture that is subtracted (.binaryproto)");
  app.add_option("--mean-file-offsets,--mean_file_offsets", f.mean_file_offsets,
                 "Caffe: (x,y) of its part that is used");
  app.add_option("--input-symbol,--input_symbol", f.input_symbol,
                 "MXNet: the -symbol.json (default: beside the model)");
  app.add_option("--nd-prefix-name,--nd_prefix_name", f.nd_prefix_name, "MXNet: prefix of .nd files with parameters");
  app.add_option("--pretrained-model-name,--pretrained_model_name", f.pretrained_model_name,
                 "MXNet: NAME-0000 of the pretrained model");
  app.add_option("--counts", f.counts, "Kaldi: a file with the counts of the classes");
  app.add_flag("--remove-output-softmax,--remove_output_softmax", f.remove_output_softmax,
               "Kaldi: without the SoftMax at the end");
  app.add_flag("--remove-memory,--remove_memory", f.remove_memory, "Kaldi: memories become inputs and outputs");
}

void add_camera_options(CLI::App& app, ModelOptions& o) {
  app.add_option("--shaves", o.camera.shaves, "SHAVE processors (default 6)");
  app.add_option("--slices", o.camera.slices, "slices of on-chip memory (default: as many as SHAVEs)");
  app.add_option("--ip,--input-precision", o.ip,
                 "precision of all image-like inputs (default U8, what a camera delivers)");
  app.add_option("--op,--output-precision", o.op, "precision of all outputs (default FP16)");
  app.add_option("--iop,--io-precision", o.iop, "precisions by name: name:FP16,other:U8");
  app.add_option("-c,--config", o.config, "configuration: a file of KEY VALUE lines, or KEY=VALUE (repeatable)");
}

void add_input_options(CLI::App& app, InputOptions& o) {
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
  app.add_option("--scale", o.scale, "of pictures: what they are divided by after --mean")
      ->delimiter(',')
      ->allow_extra_args(false);
}

std::string all_targets() {
  std::string s;
  for (const std::string& t : target_names()) s += (s.empty() ? "" : ", ") + t;
  return s;
}

}  // namespace blobsmith::cli
