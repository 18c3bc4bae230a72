#include "blobsmith/check.hpp"

#include <algorithm>

#include "api/model.hpp"
#include "compare/known_faults.hpp"
#include "vpu/check.hpp"

namespace blobsmith {

CheckResult check(const ModelFile& model, const CheckOptions& o) {
  Diagnostics read;
  Graph graph = api::read_graph(model,
                                {.input_shapes = o.input_shapes,
                                 .conversion = o.conversion,
                                 .quirks = !o.fix,
                                 .control = part_of(o.control, 0, 0.2)},
                                read, true);
  std::vector<Remark> faults = comparison::remaining_faults(graph, !o.fix);
  const vpu::CompileOptions options = api::camera_options(o.camera, graph, !o.fix);
  const Control rest = part_of(o.control, 0.2, 1);
  CheckResult result =
      api::in_file(model.path(), [&] { return vpu::check(std::move(graph), read, options, o.fix, rest); });
  result.remarks = std::move(faults);
  return result;
}

int CheckResult::count(CheckedLayer::Status s) const {
  return static_cast<int>(std::ranges::count(layers, s, &CheckedLayer::status));
}

const char* to_string(CheckedLayer::Status s) {
  switch (s) {
    case CheckedLayer::Status::Supported: return "supported";
    case CheckedLayer::Status::Fixed: return "fixed";
    case CheckedLayer::Status::Unsupported: return "unsupported";
    case CheckedLayer::Status::NotChecked: return "not checked";
  }
  return "?";
}

}  // namespace blobsmith
