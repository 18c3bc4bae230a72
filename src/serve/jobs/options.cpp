#include "serve/jobs/options.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "serve/http/message.hpp"

namespace blobsmith::serve {
namespace {

using enum OptionType;

constexpr const char* kTargets[] = {"2020.4", "2021.1", "2021.2", "2021.3", "2021.4", "2022.1"};
const std::vector<std::string> kPrecisions{"U8", "FP16", "FP32", "I32", "I8"};

const std::vector<OptionRow> kOptions = {
    {"shaves",
     Integer,
     "ckmei",
     "device",
     "--shaves",
     "SHAVE processors; the other half of the 16 is for the camera's own work.",
     "6",
     {},
     1,
     16},
    {"slices",
     Integer,
     "ckme",
     "device",
     "--slices",
     "Slices of on-chip memory; as many as SHAVEs unless stated.",
     nullptr,
     {},
     1,
     19},
    {"target",
     Choice,
     "c",
     "device",
     "--target",
     "OpenVINO version that the blob states, which has to be that of the program that loads it.",
     "\"2022.1\"",
     {std::begin(kTargets), std::end(kTargets)}},
    {"input_precision", Choice, "ckme", "input", "--ip",
     "Precision of all inputs of real numbers; U8, what a camera delivers, for pictures, FP16 for others unless "
     "stated.",
     nullptr, kPrecisions},
    {"output_precision", Choice, "ckme", "device", "--op", "Precision of all outputs.", "\"FP16\"", kPrecisions},
    {"io_precision", String, "ckme", "input", "--iop", "Precisions by name: input:U8,output:FP16."},
    {"preset",
     Choice,
     "ckme",
     "input",
     "--preset",
     "Mean, scale and order of channels of a camera's pictures: imagenet (torchvision, timm), yolo (Ultralytics), unit "
     "(0 to 1), signed (-1 to 1), caffe.",
     nullptr,
     {"imagenet", "yolo", "unit", "signed", "caffe"}},
    {"mean_values", String, "ckme", "input", "--mean-values",
     "Subtracted from the inputs, by channel: 104,117,123 or NAME[104,117,123],..."},
    {"scale_values", String, "ckme", "input", "--scale-values",
     "What the inputs are divided by after the mean: 127.5 for each channel, or NAME[...],..."},
    {"scale", Number, "ckme", "input", "--scale", "What all inputs are divided by.", nullptr, {}, 1e-30, 1e30},
    {"layout", String, "ckme", "input", "--layout",
     "Of the model and of its user: nhwc->nchw of the only input, or NAME(nhwc->nchw),..."},
    {"reverse_input_channels", Boolean, "ckme", "input", "--reverse-input-channels",
     "Pictures come in the other order of channels (RGB, BGR) than the model's.", "false"},
    {"input_shapes", Shapes, "ckme", "network", "--input-shape",
     "Shapes of inputs: {\"images\": [1, 3, 640, 640]}; needed where the model leaves a dimension open."},
    {"batch", Integer, "ckme", "network", "--batch", "First dimension of all inputs.", nullptr, {}, 1, 4096},
    {"inputs", String, "cke", "network", "--input",
     "Where the network begins: names of inputs, layers or tensors, each with its [1 3 224 224] or ->value."},
    {"outputs", String, "cke", "network", "--output",
     "Where the network ends: names of layers or tensors, joined by commas."},
    {"freeze_placeholder_with_value", String, "c", "network", "--freeze-placeholder-with-value",
     "Inputs that become constants: NAME->VALUE,..."},
    {"static_shape", Boolean, "c", "network", "--static-shape",
     "Shapes are numbers, not computed while the network runs.", "false"},
    {"disable_fusing", Boolean, "c", "network", "--disable-fusing", "Factors and summands stay layers of their own.",
     "false"},
    {"disable_gfusing", Boolean, "c", "network", "--disable-gfusing", "Groups of convolutions stay apart.", "false"},
    {"disable_resnet_optimization", Boolean, "c", "network", "--disable-resnet-optimization",
     "Strides stay where they are.", "false"},
    {"enable_concat_optimization", Boolean, "c", "network", "--enable-concat-optimization",
     "A Concat whose inputs another one has too is read by that one.", "false"},
    {"finegrain_fusing", String, "c", "network", "--finegrain-fusing",
     "Regular expressions of names of layers that stay as they are."},
    {"framework",
     Choice,
     "ckm",
     "framework",
     "--framework",
     "What the model was made with, where its file name doesn't tell.",
     nullptr,
     {"tf", "caffe", "mxnet", "kaldi", "onnx"}},
    {"mean_file", File, "ckm", "framework", "--mean-file",
     "Caffe: the sent file with a picture that is subtracted (.binaryproto)."},
    {"mean_file_offsets", String, "ckm", "framework", "--mean-file-offsets",
     "Caffe: (x,y) of the part of it that is used."},
    {"nd_prefix_name", String, "ckm", "framework", "--nd-prefix-name", "MXNet: prefix of .nd files with parameters."},
    {"pretrained_model_name", String, "ckm", "framework", "--pretrained-model-name",
     "MXNet: NAME-0000 of the pretrained model."},
    {"counts", File, "ckm", "framework", "--counts", "Kaldi: the sent file with the counts of the classes."},
    {"input_checkpoint", File, "ckm", "framework", "--input-checkpoint",
     "TensorFlow: the sent file with the values of the variables (.ckpt, .index)."},
    {"saved_model_tags", String, "ckm", "framework", "--saved-model-tags",
     "TensorFlow: which of a SavedModel's graphs; serve unless stated."},
    {"transformations_config", File, "ckm", "framework", "--transformations-config",
     "TensorFlow: the sent JSON file of layers that stand for sub-graphs, or the name of one that OpenVINO ships."},
    {"object_detection_config", File, "ckm", "framework", "--tensorflow-object-detection-api-pipeline-config",
     "TensorFlow: the sent pipeline.config of the Object Detection API."},
    {"input_model_is_text", Boolean, "ckm", "framework", "--input-model-is-text",
     "TensorFlow: the model is a text, whatever its file is called.", "false"},
    {"disable_nhwc_to_nchw", Boolean, "ckm", "framework", "--disable-nhwc-to-nchw",
     "TensorFlow: inputs and outputs keep their layout, channels last.", "false"},
    {"remove_output_softmax", Boolean, "ckm", "framework", "--remove-output-softmax",
     "Kaldi: without the SoftMax at the end.", "false"},
    {"remove_memory", Boolean, "ckm", "framework", "--remove-memory", "Kaldi: memories become inputs and outputs.",
     "false"},
    {"strip_quant", Boolean, "ckme", "network", "--strip-quant",
     "Leave the rounding of a quantized network's activations out.", "false"},
    {"yolo_head", Boolean, "ckme", "network", "--yolo-head",
     "The outputs by stride that the camera's YOLO decoder takes, in place of an exported list of boxes.", "false"},
    {"superblob", Boolean, "c", "result", "--superblob",
     "For every number of SHAVEs in one file, as depthai 3 reads it.", "false"},
    {"nn_archive", Boolean, "c", "result", "--nn-archive",
     "An NN archive of depthai 3: a superblob (a blob where shaves are stated) and config.json.", "false"},
    {"dai_type",
     Choice,
     "c",
     "result",
     "--dai-type",
     "Of an NN archive: the frames for pictures.",
     nullptr,
     {"BGR888p", "RGB888p", "BGR888i", "RGB888i", "GRAY8"}},
    {"json_config", Boolean, "c", "result", "--json-config",
     "Also what depthai's detection nodes must know: classes, anchors, thresholds, labels.", "false"},
    {"cut_unsupported", Boolean, "cm", "result", "--cut-unsupported",
     "Where layers can't be compiled: a blob of the largest part without them, and models of what comes before and "
     "after it: ONNX of an ONNX model, OpenVINO IR of others.",
     "false"},
    {"heads", File, "c", "result", "--heads",
     "Of an NN archive: the sent JSON file with the heads for depthai's decoders."},
    {"ir", Boolean, "c", "result", "--ir", "Also the model as OpenVINO IR, as it was read.", "false"},
    {"ir_version",
     Choice,
     "c",
     "result",
     "--ir-version",
     "Of that IR: 10 (OpenVINO 2020 to 2022) or 11.",
     "\"10\"",
     {"10", "11"}},
    {"quirks", Boolean, "cm", "device", "--quirks", "Reproduce the known wrong results of Intel's tools.", "false"},
    {"config", KeyValues, "ckme", "device", "--config",
     "Configuration keys of Intel's compiler, one KEY=VALUE a line."},
    {"fix",
     Boolean,
     "k",
     "network",
     "--no-fix",
     "Count what convert rewrites by itself as supported.",
     "true",
     {},
     1,
     0,
     true},
    {"tolerance", Number, "m", "result", "--tolerance", "Largest relative error of a layer.", "0.02", {}, 0, 1e9},
    {"seed", Integer, "m", "input", "--seed", "Of the random inputs.", "0", {}, 0, 4294967295.0},
    {"input_files", KeyValues, "m", "input", "--input",
     "Inputs from sent files, one NAME=FILE a line: a .npy array or a picture (PNG, JPEG)."},
    {"letterbox", Boolean, "m", "input", "--letterbox", "Keep a picture's proportions and fill the rest.", "false"},
    {"rgb", Boolean, "m", "input", "--rgb", "Pictures in RGB order, not in BGR.", "false"},
    {"html", Boolean, "me", "result", "--html", "Also a page with plots.", "false"},
};

const std::vector<FormatRow> kFormats = {
    {"OpenVINO IR", "", {".xml"}, {".bin"}},
    {"ONNX", "onnx", {".onnx"}, {".data", ".weight", ".weights"}},
    {"TensorFlow Lite", "", {".tflite"}, {}},
    {"TensorFlow", "tf", {".pb", ".pbtxt", ".meta"}, {".index", ".data-00000-of-00001"}},
    {"Keras", "", {".h5", ".hdf5", ".keras"}, {}},
    {"Caffe", "caffe", {".caffemodel"}, {".prototxt", ".binaryproto"}},
    {"MXNet", "mxnet", {".params"}, {"-symbol.json", ".nd"}},
    {"Kaldi", "kaldi", {".nnet", ".mdl", ".raw"}, {".counts"}},
    {"archive", "", {".zip", ".tar", ".tar.gz", ".tgz"}, {}},
};

/// What a job may be told beside the program's options.
constexpr const char* kOfTheJob[] = {"kind", "model", "blob", "zoo", "job", "no_cache"};

constexpr int64_t kMostLetters = 10000, kLargestDimension = 2147483647;
constexpr const char* kKinds[] = {"convert", "check", "inspect", "compare", "estimate"};

char letter_of(const std::string& kind) { return kind == "check" ? 'k' : kind == "compare" ? 'm' : kind[0]; }

size_t edits_between(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t k = 0; k <= b.size(); ++k) row[k] = k;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t k = 1; k <= b.size(); ++k)
      diagonal = std::exchange(row[k], std::min({diagonal + (a[i - 1] != b[k - 1]), row[k] + 1, row[k - 1] + 1}));
  }
  return row.back();
}

[[noreturn]] void unknown(const std::string& name, const std::string& kind) {
  const char letter = letter_of(kind);
  for (const OptionRow& o : kOptions)
    if (name == o.name)
      throw HttpError(400, "the option \"" + name + "\" has no meaning for the kind \"" + kind + "\"", "BS4001");
  std::string nearest;
  for (const OptionRow& o : kOptions)
    if (std::strchr(o.kinds, letter) &&
        (nearest.empty() || edits_between(name.substr(0, 64), o.name) < edits_between(name.substr(0, 64), nearest)))
      nearest = o.name;
  throw HttpError(400, "there is no option \"" + name.substr(0, 100) + "\"", "BS4001",
                  nearest.empty() ? "" : "did you mean \"" + nearest + "\"?");
}

[[noreturn]] void wrong(const OptionRow& o, const std::string& expected) {
  throw HttpError(400, std::string("option \"") + o.name + "\" is not " + expected, "BS4002");
}

double number_of(const OptionRow& o, const Json& v) {
  if (!v.is_number()) wrong(o, "a number");
  const double n = v.get<double>();
  if (!std::isfinite(n) || (o.type == Integer && n != std::floor(n)))
    wrong(o, o.type == Integer ? "a whole number" : "a number");
  const auto text = [](double bound) {
    return bound == std::floor(bound) && std::abs(bound) < 1e15 ? Json(static_cast<int64_t>(bound)).dump()
                                                                : Json(bound).dump();
  };
  if (o.minimum <= o.maximum && (n < o.minimum || n > o.maximum))
    wrong(o, "from " + text(o.minimum) + " to " + text(o.maximum));
  return n;
}

bool flag_of(const OptionRow& o, const Json& v) {
  if (!v.is_boolean()) wrong(o, "true or false");
  return v.get<bool>();
}

std::string text_of(const OptionRow& o, const Json& v) {
  if (!v.is_string()) wrong(o, "a text");
  const std::string text = v;
  const auto letters = std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
  if (letters > kMostLetters) wrong(o, "a text of at most " + std::to_string(kMostLetters) + " letters");
  if (std::ranges::any_of(text, [](unsigned char c) { return c < 32 && c != '\n' && c != '\t' && c != '\r'; }))
    wrong(o, "a text without control characters");
  return text;
}

std::vector<std::string> lines_of(const OptionRow& o, const Json& v) {
  std::string text;
  if (v.is_array())
    for (const Json& one : v) text += text_of(o, one) + "\n";
  else
    text = text_of(o, v) + "\n";
  std::vector<std::string> lines;
  std::string line;
  for (const char c : text) {
    if (c != '\n' && c != '\r') {
      line += c;
    } else if (!line.empty()) {
      lines.push_back(std::exchange(line, {}));
    }
  }
  return lines;
}

void add_shapes(const OptionRow& o, const Json& v, std::vector<std::string>& words) {
  if (v.is_string()) {
    words.insert(words.end(), {o.flag, text_of(o, v)});
    return;
  }
  if (!v.is_object()) wrong(o, "an object of shapes by input");
  for (const auto& [name, shape] : v.items()) {
    if (!shape.is_array() || shape.empty() || shape.size() > 8) wrong(o, "an object of shapes by input");
    std::string dims;
    for (const Json& d : shape) {
      if (!d.is_number_integer() || d < 1 || d > kLargestDimension) wrong(o, "an object of shapes of positive numbers");
      dims += (dims.empty() ? "" : ",") + d.dump();
    }
    words.insert(words.end(), {o.flag, name + "=" + dims});
  }
}

void add_words(const OptionRow& o, const Json& v, std::vector<std::string>& words) {
  const std::string name = o.name;
  switch (o.type) {
    case Boolean:
      if (flag_of(o, v) == o.inverted) return;
      words.emplace_back(o.flag);
      if (name == "ir" || name == "json_config") words.emplace_back(".");  // where to, says the plan
      return;
    case Integer: words.insert(words.end(), {o.flag, std::to_string(static_cast<int64_t>(number_of(o, v)))}); return;
    case Number: words.insert(words.end(), {o.flag, Json(number_of(o, v)).dump()}); return;
    case Choice: {
      const std::string text = v.is_number() ? v.dump() : text_of(o, v);
      if (std::ranges::find(o.choices, text) == o.choices.end()) {
        std::string all;
        for (const std::string& c : o.choices) all += (all.empty() ? "" : ", ") + c;
        wrong(o, "one of " + all);
      }
      words.insert(words.end(), {o.flag, text});
      return;
    }
    case Shapes: add_shapes(o, v, words); return;
    case KeyValues:
      for (const std::string& line : lines_of(o, v)) {
        const size_t eq = line.find('=');
        if (eq == std::string::npos) wrong(o, "KEY=VALUE in each line");
        words.insert(words.end(),
                     {o.flag, name == "config" ? line : line.substr(0, eq + 1) + safe_file_name(line.substr(eq + 1))});
      }
      return;
    case File:
    case String:
      const std::string text = o.type == File ? safe_file_name(text_of(o, v)) : text_of(o, v);
      // With "=", so that a value that begins with a dash stays a value.
      if (!text.empty()) words.push_back(std::string(o.flag) + "=" + text);
  }
}

const char* type_name(OptionType t) {
  // What files and lines are for, the sentence of the option says.
  constexpr const char* kNames[] = {"string", "integer", "number", "boolean", "choice", "shapes", "string", "string"};
  return kNames[static_cast<size_t>(t)];
}

}  // namespace

std::span<const OptionRow> option_rows() { return kOptions; }
std::span<const FormatRow> format_rows() { return kFormats; }
std::span<const char* const> job_kinds() { return kKinds; }
std::span<const char* const> target_versions() { return kTargets; }

const FormatRow* format_of(std::string_view file_name) {
  for (const FormatRow& f : kFormats)
    for (const std::string& e : f.endings)
      if (file_name.size() > e.size() && file_name.ends_with(e)) return &f;
  return nullptr;
}

std::string stem_of(std::string_view file_name) {
  for (const FormatRow& f : kFormats)
    for (const auto* endings : {&f.endings, &f.files})
      for (const std::string& e : *endings)
        if (file_name.size() > e.size() && file_name.ends_with(e))
          return std::string(file_name.substr(0, file_name.size() - e.size()));
  return std::string(file_name.substr(0, file_name.find_last_of('.')));
}

Json options_info() {
  Json list = Json::array();
  for (const OptionRow& o : kOptions) {
    Json row{{"name", o.name}, {"type", type_name(o.type)}};
    if (!o.choices.empty()) row["choices"] = o.choices;
    if (o.fallback) row["default"] = Json::parse(o.fallback);
    if (o.minimum <= o.maximum) {
      row["minimum"] = o.minimum;
      row["maximum"] = o.maximum;
    }
    row["text"] = o.text;
    row["group"] = o.group;
    row["kinds"] = Json::array();
    for (const char* kind : kKinds)
      if (std::strchr(o.kinds, letter_of(kind))) row["kinds"].push_back(kind);
    row["flag"] = o.flag;
    list.push_back(row);
  }
  return list;
}

Json options_schema(const std::string& kind) {
  constexpr const char* kText = "^[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]*$";
  const std::string line = "([^\\x00-\\x08\\x0a-\\x1f=]*=[^\\x00-\\x08\\x0a-\\x1f]*)?";
  const Json lines{
      {"type", "string"}, {"maxLength", kMostLetters}, {"pattern", "^" + line + "([\\n\\r]+" + line + ")*$"}};
  const Json text{{"type", "string"}, {"maxLength", kMostLetters}, {"pattern", kText}};
  Json properties = Json::object();
  for (const OptionRow& o : kOptions) {
    if (!std::strchr(o.kinds, letter_of(kind))) continue;
    Json p;
    switch (o.type) {
      case String:
      case File: p = text; break;
      case Integer: p = {{"type", "integer"}}; break;
      case Number: p = {{"type", "number"}}; break;
      case Boolean: p = {{"type", "boolean"}}; break;
      case Choice: p = {{"type", "string"}, {"enum", o.choices}}; break;
      case Shapes:
        p = {{"anyOf",
              {{{"type", "object"},
                {"additionalProperties",
                 {{"type", "array"},
                  {"minItems", 1},
                  {"maxItems", 8},
                  {"items", {{"type", "integer"}, {"minimum", 1}, {"maximum", kLargestDimension}}}}}},
               text}}};
        break;
      case KeyValues: p = {{"anyOf", {lines, {{"type", "array"}, {"items", lines}}}}}; break;
    }
    if (o.minimum <= o.maximum) {
      p["minimum"] = o.minimum;
      p["maximum"] = o.maximum;
    }
    if (o.fallback) p["default"] = Json::parse(o.fallback);
    p["description"] = std::string(o.text) + " `" + o.flag + "`";
    properties[o.name] = p;
  }
  return properties;
}

Json value_of_field(const std::string& name, const std::string& text) {
  const auto row = std::ranges::find_if(kOptions, [&](const OptionRow& o) { return name == o.name; });
  const OptionType type = row != kOptions.end() ? row->type : name == "no_cache" ? Boolean : String;
  if (type == Boolean && (text == "true" || text == "1")) return true;
  if (type == Boolean && (text == "false" || text == "0")) return false;
  if (type == Integer || type == Number) {
    const Json number = Json::parse(text, nullptr, false);
    if (number.is_number()) return number;
  }
  if ((type == Shapes || name == "zoo") && text.starts_with('{')) {
    Json object = Json::parse(text, nullptr, false);
    if (object.is_object()) return object;
  }
  return text;
}

Json formats_info() {
  Json list = Json::array();
  for (const FormatRow& f : kFormats) {
    Json row{{"name", f.name}};
    if (*f.framework) row["framework"] = f.framework;
    row["endings"] = f.endings;
    row["files"] = f.files;
    list.push_back(row);
  }
  return list;
}

std::vector<std::string> option_words(const std::string& kind, const Json& options) {
  std::vector<std::string> words;
  for (const auto& [name, unused] : options.items()) {
    const bool known = std::ranges::any_of(
        kOptions, [&, n = name](const OptionRow& o) { return n == o.name && std::strchr(o.kinds, letter_of(kind)); });
    if (!known &&
        std::ranges::find_if(kOfTheJob, [&, n = name](const char* k) { return n == k; }) == std::end(kOfTheJob))
      unknown(name, kind);
  }
  for (const OptionRow& o : kOptions)
    if (const auto it = options.find(o.name); it != options.end()) add_words(o, *it, words);
  return words;
}

std::string safe_file_name(const std::string& name) {
  std::string s = name.substr(name.find_last_of("/\\") + 1);  // npos + 1 is 0
  for (char& c : s)
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = '_';
  while (!s.empty() && (s.front() == '.' || s.front() == '-' || s.front() == '~')) s.erase(0, 1);
  if (s.size() > 200) s.erase(0, s.size() - 200);
  return s;
}

}  // namespace blobsmith::serve
