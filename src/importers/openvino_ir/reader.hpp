// OpenVINO IR (v10 and v11) -> Graph (front-end spec §1).
#pragma once
#include <string>

#include "core/diagnostics.hpp"
#include "graph/graph.hpp"

namespace blobsmith {

/// Reads model.xml and its weights (`bin_path` empty: the same name with .bin). Throws Error naming the file.
/// Afterwards Graph::next_id is what the reference's instance counter would be (front-end §2.2).
/// With `problems`, layers that can't be read are noted there and cut out of the network (graph/cut.hpp).
Graph read_openvino_ir(const std::string& xml_path, const std::string& bin_path = {}, Diagnostics* problems = nullptr);
/// The same from memory (fuzzing, tests).
Graph parse_openvino_ir(std::string_view xml, Bytes weights, const std::string& file_name = "model.xml",
                        Diagnostics* problems = nullptr);

}  // namespace blobsmith
