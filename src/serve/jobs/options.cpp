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
     "ckme",
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
     "Concats of Concats become one.", "false"},
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
    {"mean_file", String, "ckm", "framework", "--mean-file",
     "Caffe: the sent file with a picture that is subtracted (.binaryproto)."},
    {"mean_file_offsets", String, "ckm", "framework", "--mean-file-offsets",
     "Caffe: (x,y) of the part of it that is used."},
    {"nd_prefix_name", String, "ckm", "framework", "--nd-prefix-name", "MXNet: prefix of .nd files with parameters."},
    {"pretrained_model_name", String, "ckm", "framework", "--pretrained-model-name",
     "MXNet: NAME-0000 of the pretrained model."},
    {"counts", String, "ckm", "framework", "--counts", "Kaldi: the sent file with the counts of the classes."},
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
    {"heads", String, "c", "result", "--heads",
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
    {"config", String, "ckme", "device", "--config", "Configuration keys of Intel's compiler, one KEY=VALUE a line."},
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
    {"input_files", String, "m", "input", "--input",
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
};

/// What a job may be told beside the program's options.
constexpr const char* kOfTheJob[] = {"kind", "model", "blob", "zoo", "job", "no_cache"};

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
  double n = 0;
  if (v.is_number()) {
    n = v.get<double>();
  } else if (v.is_string()) {  // a field of a form
    const std::string text = v;
    char* end = nullptr;
    n = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != 0) wrong(o, "a number");
  } else {
    wrong(o, "a number");
  }
  if (!std::isfinite(n) || (o.type == Integer && n != std::floor(n)))
    wrong(o, o.type == Integer ? "a whole number" : "a number");
  if (o.minimum <= o.maximum && (n < o.minimum || n > o.maximum))
    wrong(
        o,
        "from " +
            Json(o.minimum == std::floor(o.minimum) ? Json(static_cast<int64_t>(o.minimum)) : Json(o.minimum)).dump() +
            " to " + Json(static_cast<int64_t>(o.maximum)).dump());
  return n;
}

bool flag_of(const OptionRow& o, const Json& v) {
  if (v.is_boolean()) return v.get<bool>();
  if (v == "true" || v == "1") return true;
  if (v == "false" || v == "0" || v == "") return false;
  wrong(o, "true or false");
}

std::string text_of(const OptionRow& o, const Json& v) {
  if (v.is_number()) return v.dump();
  if (!v.is_string()) wrong(o, "a text");
  const std::string text = v;
  if (text.size() > 100000 ||
      std::ranges::any_of(text, [](unsigned char c) { return c < 32 && c != '\n' && c != '\t' && c != '\r'; }))
    wrong(o, "a text without control characters");
  return text;
}

std::vector<std::string> lines_of(const OptionRow& o, const Json& v) {
  std::vector<std::string> lines;
  if (v.is_array()) {
    for (const Json& one : v) lines.push_back(text_of(o, one));
    return lines;
  }
  std::string line;
  for (const char c : text_of(o, v) + "\n") {
    if (c != '\n' && c != '\r') {
      line += c;
    } else if (!line.empty()) {
      lines.push_back(std::exchange(line, {}));
    }
  }
  return lines;
}

void add_shapes(const OptionRow& o, Json v, std::vector<std::string>& words) {
  if (v.is_string()) {
    const std::string text = v;
    if (!text.starts_with("{")) {
      words.insert(words.end(), {o.flag, text_of(o, v)});
      return;
    }
    v = Json::parse(text, nullptr, false);
  }
  if (!v.is_object()) wrong(o, "an object of shapes by input");
  for (const auto& [name, shape] : v.items()) {
    if (!shape.is_array() || shape.empty() || shape.size() > 8) wrong(o, "an object of shapes by input");
    std::string dims;
    for (const Json& d : shape) {
      if (!d.is_number_integer() || d.get<int64_t>() <= 0) wrong(o, "an object of shapes of positive numbers");
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
      if (name == "ir") words.emplace_back(".");
      return;
    case Integer: words.insert(words.end(), {o.flag, std::to_string(static_cast<int64_t>(number_of(o, v)))}); return;
    case Number: words.insert(words.end(), {o.flag, Json(number_of(o, v)).dump()}); return;
    case Choice: {
      const std::string text = text_of(o, v);
      if (std::ranges::find(o.choices, text) == o.choices.end()) {
        std::string all;
        for (const std::string& c : o.choices) all += (all.empty() ? "" : ", ") + c;
        wrong(o, "one of " + all);
      }
      words.insert(words.end(), {o.flag, text});
      return;
    }
    case Shapes: add_shapes(o, v, words); return;
    case String:
      if (name == "config" || name == "input_files") {
        for (const std::string& line : lines_of(o, v)) {
          if (line.find('=') == std::string::npos) wrong(o, "KEY=VALUE in each line");
          words.insert(words.end(), {o.flag, name == "input_files" ? line.substr(0, line.find('=') + 1) +
                                                                         safe_file_name(line.substr(line.find('=') + 1))
                                                                   : line});
        }
        return;
      }
      std::string text = text_of(o, v);
      if (name == "mean_file" || name == "counts" || name == "heads") text = safe_file_name(text);
      // With "=", so that a value that begins with a dash stays a value.
      if (!text.empty()) words.push_back(std::string(o.flag) + "=" + text);
  }
}

const char* type_name(OptionType t) {
  constexpr const char* kNames[] = {"string", "integer", "number", "boolean", "choice", "shapes"};
  return kNames[static_cast<size_t>(t)];
}

}  // namespace

std::span<const OptionRow> option_rows() { return kOptions; }
std::span<const FormatRow> format_rows() { return kFormats; }
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
    for (const char* kind : {"convert", "check", "compare", "estimate"})
      if (std::strchr(o.kinds, letter_of(kind))) row["kinds"].push_back(kind);
    row["flag"] = o.flag;
    list.push_back(row);
  }
  return list;
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
    if (const auto it = options.find(o.name); it != options.end() && !it->is_null()) add_words(o, *it, words);
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
