// blobsmith layers: which operations can be converted.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "blobsmith/layers.hpp"
#include "cli/cli.hpp"
#include "cli/text.hpp"

namespace blobsmith::cli {
namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<SupportedLayer>;

struct Table {
  const char* key;
  const char* title;
  const char* versions;  ///< heading; null: no such column
  const char* becomes;
  bool limits;
  Rows (*rows)();
  const char* text;
};
constexpr Table kTables[] = {
    {"onnx", "ONNX operators", nullptr, "main operation", true, supported_onnx,
     "What `convert` makes of the operators that it knows, and why it refuses others. An operator that is not listed "
     "is refused by name."},
    {"tf", "TensorFlow operators", nullptr, "main operation", true, supported_tensorflow,
     "What `convert` makes of the operators of TensorFlow graphs."},
    {"tflite", "TensorFlow Lite operators", nullptr, "main operation", true, supported_tflite,
     "What `convert` makes of the operators of .tflite files."},
    {"keras", "Keras layers", nullptr, "main operation", true, supported_keras,
     "What `convert` makes of the layers of .h5 and .keras files; those of a SavedModel are operators of TensorFlow."},
    {"caffe", "Caffe layers", nullptr, "main operation", true, supported_caffe,
     "What `convert` and `mo` make of the layers that they know, in any letter case, with or without underscores."},
    {"kaldi", "Kaldi components", nullptr, "main operation", true, supported_kaldi,
     "What `convert` and `mo` make of the components of nnet1, nnet2 and nnet3."},
    {"mxnet", "MXNet operators", nullptr, "main operation", true, supported_mxnet,
     "What `convert` and `mo` make of the operators that they know."},
    {"openvino", "OpenVINO operations", "opsets", "layers", true, supported_openvino,
     "Operations of an IR, and the layers that they are lowered as."},
    {"vpu", "Layer types", nullptr, nullptr, false, supported_vpu,
     "What messages call a layer type: these have a parser."},
    {"stages", "Stage types", "number", "runs on", false, stage_types,
     "What `inspect` shows. The compiler makes those that its passes and parsers need; the reader knows all."},
};

Rows chosen_rows(const Table& t, const std::string& op) {
  Rows rows = t.rows();
  if (!op.empty()) std::erase_if(rows, [&](const SupportedLayer& l) { return upper_case(l.name) != upper_case(op); });
  return rows;
}

Json row_json(const Table& t, const SupportedLayer& l) {
  Json j{{"framework", t.key}, {"name", l.name}, {"support", to_string(l.support)}};
  if (t.versions) j[t.versions] = l.versions;
  if (t.becomes) j["becomes"] = l.becomes;
  if (!l.limits.empty()) j["limits"] = l.limits;
  return j;
}

std::vector<std::string> cells(const Table& t, const SupportedLayer& l) {
  std::vector<std::string> c{l.name};
  if (t.versions) c.push_back(l.versions);
  c.push_back(to_string(l.support));
  if (t.becomes) c.push_back(l.becomes);
  if (t.limits) c.push_back(l.limits);
  return c;
}

std::vector<std::string> headings(const Table& t) {
  std::vector<std::string> c{"name"};
  if (t.versions) c.emplace_back(t.versions);
  c.emplace_back("supported");
  if (t.becomes) c.emplace_back(t.becomes);
  if (t.limits) c.emplace_back("limits");
  return c;
}

std::string markdown_row(const std::vector<std::string>& c) {
  std::string s = "|";
  for (const std::string& cell : c) s += " " + cell + (cell.empty() ? "|" : " |");
  return s + "\n";
}

void print_markdown(const Table& t, const Rows& rows) {
  std::printf("\n## %s\n\n%s\n\n", t.title, t.text);
  const std::vector<std::string> head = headings(t);
  std::printf("%s%s", markdown_row(head).c_str(), markdown_row(std::vector<std::string>(head.size(), "---")).c_str());
  for (const SupportedLayer& l : rows) std::printf("%s", markdown_row(cells(t, l)).c_str());
}

void print_text(const Table& t, const Rows& rows) {
  std::vector<std::vector<std::string>> lines{headings(t)};
  for (const SupportedLayer& l : rows) lines.push_back(cells(t, l));
  std::vector<size_t> widths(lines[0].size());
  for (const auto& line : lines)
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::printf("%s\n", t.title);
  for (const auto& line : lines) {
    std::string s = " ";
    for (size_t i = 0; i < line.size(); ++i) s += " " + line[i] + std::string(widths[i] - line[i].size() + 1, ' ');
    s.erase(s.find_last_not_of(' ') + 1);
    std::printf("%s\n", s.c_str());
  }
}

}  // namespace

int layers_command(const Arguments& args) {
  CLI::App app("Example: blobsmith layers --framework onnx --op Resize", "blobsmith layers");
  std::string framework, op;
  bool json = false, markdown = false;
  app.add_option("--framework", framework,
                 "onnx, tf, tflite, keras, caffe, kaldi, mxnet, openvino, vpu (layer types) or stages; otherwise all")
      ->check(CLI::IsMember({"onnx", "tf", "tflite", "keras", "caffe", "kaldi", "mxnet", "openvino", "vpu", "stages"}));
  app.add_option("--op", op, "only this operation, in any letter case");
  app.add_flag("--json", json, "as JSON");
  app.add_flag("--markdown", markdown, "as docs/supported-layers.md has it");
  if (const int code = parse(app, args); code >= 0) return code;
  Json list = Json::array();
  size_t found = 0;
  if (markdown)
    std::printf(
        "# Supported layers\n\nWritten by `blobsmith layers --markdown` from the tables that the program works with. "
        "\"by convert\": `convert` spells the\noperation out, exactly or within the error that `--explain` "
        "states; `compile` refuses it as Intel's compiler does.\n`blobsmith check MODEL` tells for one model.\n");
  for (const Table& t : kTables) {
    if (!framework.empty() && framework != t.key) continue;
    const Rows rows = chosen_rows(t, op);
    found += rows.size();
    if (rows.empty()) continue;
    if (json)
      for (const SupportedLayer& l : rows) list.push_back(row_json(t, l));
    else if (markdown)
      print_markdown(t, rows);
    else
      print_text(t, rows);
  }
  if (json) std::printf("%s\n", list.dump(1).c_str());
  if (found) return kDone;
  if (!json) std::fprintf(stderr, "no operation is called '%s'\n", op.c_str());
  return kModelError;
}

}  // namespace blobsmith::cli
