#include "api/layouts.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "transforms/pipeline.hpp"
#include "transforms/pre_post_process.hpp"

namespace blobsmith::api {
namespace {

Error bad_layout_option(std::string_view entry, const std::string& why) {
  return Error(ErrorCode::BadOptionValue, "--layout \"" + std::string(entry) + "\": " + why)
      .hint("\"nhwc->nchw\", or \"NAME(nhwc->nchw),NAME(nc)\": one letter per dimension");
}

/// Between commas that are in no brackets.
std::vector<std::string_view> layout_entries(std::string_view text) {
  std::vector<std::string_view> list;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && (text[i] == '(' || text[i] == '[')) ++depth;
    if (i < text.size() && (text[i] == ')' || text[i] == ']')) --depth;
    if (i < text.size() && (text[i] != ',' || depth > 0)) continue;
    list.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  if (depth != 0) throw bad_layout_option(text, "a bracket is open");
  return list;
}

/// "nhwc->nchw", "nchw".
TensorForm layout_form(std::string_view entry, std::string_view text) {
  const size_t arrow = text.find("->");
  TensorForm form;
  form.model_layout = text.substr(0, arrow);
  if (arrow != std::string_view::npos) form.layout = text.substr(arrow + 2);
  if (form.model_layout.empty() || (arrow != std::string_view::npos && form.layout.empty()))
    throw bad_layout_option(entry, "a layout is empty");
  return form;
}

}  // namespace

void apply_layouts(Graph& graph, std::string_view text) {
  const std::vector<Node*> parameters = graph.parameters();
  const std::vector<Node*> results = graph.results();
  std::vector<TensorForm> inputs(parameters.size()), outputs(results.size());
  for (const std::string_view entry : layout_entries(text)) {
    if (!entry.ends_with(')')) {
      if (inputs.size() != 1) throw bad_layout_option(entry, "which of several inputs?");
      inputs[0] = layout_form(entry, entry);
      continue;
    }
    const std::string_view name = entry.substr(0, entry.find('('));
    const TensorForm form = layout_form(entry, entry.substr(name.size() + 1, entry.size() - name.size() - 2));
    bool found = false;
    const auto take = [&](TensorForm& of, std::string_view own) {
      if (own == name) of = form, found = true;
    };
    for (size_t i = 0; i < inputs.size(); ++i) take(inputs[i], parameters[i]->name);
    for (size_t i = 0; i < outputs.size(); ++i) take(outputs[i], output_name(*results[i]));
    if (!found)
      throw Error(ErrorCode::BadInputName, "--layout: the model has no input or output \"" + std::string(name) + "\"");
  }
  pre_post_process(graph, inputs, outputs);
}

}  // namespace blobsmith::api
