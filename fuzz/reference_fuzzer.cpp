// Any bytes as an OpenVINO IR, computed by the reference executor when its tensors are small: up to a zero byte the
// XML, behind it the weights.
#include "fuzz/survive.hpp"
#include "importers/openvino_ir/reader.hpp"
#include "reference/executor.hpp"

namespace {

using namespace blobsmith;

bool is_small(const Graph& graph) {
  constexpr int64_t kMost = 1 << 14;
  for (const Node* n : graph.ordered()) {
    if (n->body && !is_small(*n->body)) return false;
    for (int i = 0; i < n->output_count(); ++i)
      if (is_static(n->shape(i)) && element_count(n->shape(i)) > kMost) return false;
  }
  return true;
}

/// Small numbers of either sign, of which many are the same.
Tensor values_for(const Node& parameter) {
  std::vector<float> values(static_cast<size_t>(element_count(parameter.shape())));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 7 % 5) - 1;
  return reference::input_tensor(parameter, values);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest = fuzz::text_of(data, size);
  const std::string_view xml = fuzz::take_text(rest);
  fuzz::survive([&] {
    reference::Executor executor(parse_openvino_ir(xml, fuzz::bytes_of(rest)), 1);
    if (!is_small(executor.graph())) return;
    std::vector<Tensor> inputs;
    for (const Node* p : executor.graph().parameters()) {
      if (!is_static(p->shape())) return;
      inputs.push_back(values_for(*p));
    }
    executor.run(std::move(inputs));
  });
  return 0;
}
