#include "cli/model_input.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <iterator>

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

void add_model_options(CLI::App& app, ModelInput& m) {
  app.add_option("model", m.file, "the model: " + readable_formats())->required();
  app.add_option(
      "--input-shape,--input_shape", m.shapes,
      "NAME=1,3,224,224: shape of an input that the model leaves open (repeatable); or [1,3,224,224],... of the "
      "inputs that --input names, or of the only one");
}

void add_conversion_options(CLI::App& app, ModelInput& m) {
  app.add_option("--input", m.inputs,
                 "where the network begins: inputs, layers or tensors, NAME, PORT:NAME or NAME:PORT, each with its "
                 "[1 3 224 224], {type} or ->value (which freezes it)");
  app.add_option("--output", m.outputs, "where the network ends: layers or tensors, NAME, PORT:NAME or NAME:PORT");
  app.add_option("-b,--batch", m.batch, "first dimension of all inputs")->check(CLI::PositiveNumber);
  app.add_option("--mean-values,--mean_values", m.mean,
                 "[104,117,123] or NAME[104,117,123],...: subtracted from the inputs, by channel of the model");
  app.add_option("--scale-values,--scale_values", m.scale, "the same: what the inputs are divided by, after the mean");
  app.add_flag("--reverse-input-channels,--reverse_input_channels", m.reverse_channels,
               "pictures come in the other order of channels (RGB, BGR) than the model's");
}

namespace {

ImportOptions import_options(const ModelInput& m) {
  using namespace model_optimizer;
  ImportOptions o{.half_precision = m.half_precision, .quirks = m.quirks};
  for (const std::string& s : m.shapes) {
    if (s.find('=') != std::string::npos)
      o.input_shapes.insert(parse_input_shape(s));
    else
      std::ranges::move(parse_shapes(s), std::back_inserter(o.cut.shapes));
  }
  if (!m.inputs.empty()) o.cut.inputs = parse_inputs(m.inputs);
  if (!m.outputs.empty()) o.cut.outputs = parse_places(m.outputs);
  if (m.batch) o.cut.batch = m.batch;
  if (!m.mean.empty()) o.preprocess.mean = parse_channel_values(m.mean);
  if (!m.scale.empty()) o.preprocess.scale = parse_channel_values(m.scale);
  o.preprocess.reverse_input_channels = m.reverse_channels;
  return o;
}

}  // namespace

Graph read_model(const ModelInput& m, std::vector<ImportNote>* notes, ImportProblems* problems) {
  ImportOptions options = import_options(m);
  options.problems = problems;
  Imported imported = import_model(m.file, options);
  if (notes) *notes = std::move(imported.notes);
  return std::move(imported.graph);
}

void add_camera_options(CLI::App& app, CameraOptions& o) {
  app.add_option("--shaves", o.shaves, "SHAVE processors (default 6)");
  app.add_option("--slices", o.slices, "slices of on-chip memory (default: as many as SHAVEs)");
  app.add_option("--ip,--input-precision", o.ip,
                 "precision of all image-like inputs (default U8, what a camera delivers)");
  app.add_option("--op,--output-precision", o.op, "precision of all outputs (default FP16)");
  app.add_option("--iop,--io-precision", o.iop, "precisions by name: name:FP16,other:U8");
  app.add_option("-c,--config", o.config, "configuration: a file of KEY VALUE lines, or KEY=VALUE (repeatable)");
}

vpu::CompileOptions camera_options(const CameraOptions& o, const Graph& g, bool quirks) {
  vpu::CompileOptions c;
  c.shaves = o.shaves;
  c.slices = o.slices ? o.slices : o.shaves;
  if (c.slices > 8) c.streams = 1;  // two streams would need more than there is
  c.quirks = quirks;
  for (const std::string& s : o.config) apply_config(c, s);
  // A camera delivers bytes; inputs of indices keep their type.
  for (const Node* p : g.parameters())
    if (is_float(p->element_type())) c.io_precision[p->name] = parse_precision(o.ip);
  if (!o.op.empty()) c.output_precision = parse_precision(o.op);
  apply_io_precision(c, o.iop);
  return c;
}

}  // namespace blobsmith::cli
