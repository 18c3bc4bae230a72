#include "cli/mo_messages.hpp"

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "cli/cli.hpp"
#include "cli/events.hpp"
#include "reports/json.hpp"

namespace blobsmith::cli {
namespace {

/// Words of a message and the question of the FAQ (model-optimizer spec Appendix D).
struct FaqRow {
  std::string_view words;
  int question;
};
constexpr FaqRow kFaq[] = {
    {"is larger than mean image", 4},
    {"Mean file \"", 6},
    {"there is neither \"layer\" nor \"layers\"", 7},
    {"Mean file for topologies with multiple inputs", 9},
    {"Framework ", 15},
    {"Both --mean_file and mean_values", 17},
    {"Negative value specified for --mean_file_offsets", 18},
    {"Both --scale and --scale_values", 19},
    {"Cannot find prototxt file", 20},
    {"--input parameter was provided. Other inputs are needed", 27},
    {"Port index ", 29},
    {"No or multiple placeholders in the model", 32},
    {"Stopped shape/value propagation", 38},
    {"The input layer ", 39},
    {"Model Optimizer does not support layer", 45},
    {"is not in an expected format, cannot extract iteration number", 48},
    {"No node with name", 51},
    {"Both --input_shape and --batch were provided", 56},
    {"Please provide input layer names for input layer shapes", 58},
    {"Please provide each input layers with an input layer shape", 58},
    {"Numbers of inputs and mean/scale values do not match", 61},
    {"The topology contains no \"input\" layers", 79},
    {"Arguments --nd_prefix_name, --pretrained_model_name and --input_symbol should be provided", 81},
    {"Specified input json", 84},
    {"Unsupported Input model file type", 85},
    {"Kaldi model should start with", 89},
    {"Expect counts file to be one-line file", 90},
    {"Model Optimizer is not able to read counts file", 92},
};

std::string with_faq(const std::string& text) {
  for (const FaqRow& row : kFaq) {
    if (text.find(row.words) == std::string::npos) continue;
    const std::string n = std::to_string(row.question);
    return text + " \n For more information please refer to Model Optimizer FAQ, question #" + n +
           ". (https://docs.openvinotoolkit.org/latest/"
           "openvino_docs_MO_DG_prepare_model_Model_Optimizer_FAQ.html?question=" +
           n + "#question-" + n + ")";
  }
  return text;
}

void print_error(const std::string& text) { std::fprintf(stderr, "[ ERROR ]  %s\n", text.c_str()); }

void print_parts(const Error& e) {
  if (!e.file().empty() || !e.source().empty())
    print_error("    in " + e.file() + (e.file().empty() || e.source().empty() ? "" : ", ") + e.source());
  if (!e.why().empty()) std::fprintf(stderr, "[ ANALYSIS INFO ]  %s\n", e.why().c_str());
  if (!e.hint().empty()) print_error("    hint: " + e.hint());
}

}  // namespace

void mo_warning(const std::string& text) { std::fprintf(stderr, "[ WARNING ]  %s\n", text.c_str()); }

int mo_report(const Error& e) {
  send_event({{"error", reports::of_error(e)}});
  print_error(with_faq(e.what()));
  print_parts(e);
  if (e.has_address()) print_error(with_faq("Stopped shape/value propagation at \"" + e.layer() + "\" node."));
  return kModelError;  // whatever it is
}

int mo_report(const ErrorList& list) {
  std::map<std::string, std::vector<std::string>> unsupported;  // by type
  std::vector<const Error*> others;
  for (const Error& e : list.errors())
    if (e.code() == ErrorCode::UnsupportedLayer && !e.layer_type().empty()) {
      unsupported[e.layer_type()].push_back(e.layer());
      send_event({{"error", reports::of_error(e)}});
    } else {
      others.push_back(&e);
    }
  if (!unsupported.empty()) print_error("List of operations that cannot be converted to Inference Engine IR:");
  for (const auto& [type, layers] : unsupported) {
    print_error("    " + type + " (" + std::to_string(layers.size()) + ")");
    for (const std::string& layer : layers) print_error("        " + layer);
  }
  if (!unsupported.empty())
    print_error(
        "Part of the nodes was not converted to IR. Stopped. \n For more information please refer to Model "
        "Optimizer FAQ, question #24.");
  for (const Error* e : others) mo_report(*e);
  return kModelError;
}

}  // namespace blobsmith::cli
