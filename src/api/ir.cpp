#include "blobsmith/ir.hpp"

#include <filesystem>

#include "api/model.hpp"
#include "blobsmith/version.hpp"
#include "compare/known_faults.hpp"
#include "core/file.hpp"
#include "importers/openvino_ir/writer.hpp"

namespace blobsmith {

IrResult write_ir(const std::string& path, const IrOptions& o) {
  Diagnostics diagnostics;
  Graph graph = api::read_graph(path,
                                {.input_shapes = o.input_shapes,
                                 .conversion = o.conversion,
                                 .half_precision = o.half_precision,
                                 .quirks = o.quirks,
                                 .target = o.target,
                                 .control = o.control},
                                diagnostics)
                    .graph;
  const std::filesystem::path model(path);
  const std::string name = o.name.empty() ? model.stem().string() : o.name;
  const std::string stem = (std::filesystem::path(o.folder.empty() ? "." : o.folder) / name).string();
  for (Remark& r : comparison::find_faults(graph)) diagnostics.remarks.push_back(std::move(r));
  api::in_file(path, [&] {
    save_openvino_ir(graph, stem, {o.version, "blobsmith " + std::string(version()), o.parameters});
    write_file(stem + ".mapping", mapping_of(graph));
  });
  return {stem + ".xml", stem + ".bin", stem + ".mapping", std::move(diagnostics.remarks)};
}

}  // namespace blobsmith
