// OpenVINO IR (v10 and v11) -> Graph (front-end spec §1).
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "blobsmith/model_file.hpp"
#include "core/diagnostics.hpp"
#include "graph/graph.hpp"

namespace blobsmith {

/// What is said of an IR beside the file.
struct IrInputs {
  std::map<std::string, Shape> by_name{};  ///< shapes by layer or tensor; kDynamic: as the file has it
  std::vector<Shape> in_order{};           ///< of all inputs
  std::optional<int64_t> batch{};          ///< first dimension of all inputs
  bool close_batch = false;                ///< an open batch is 1
  std::vector<Remark>* notes = nullptr;    ///< where that is said
};

struct IrReadOptions {
  const Release* release = &kRelease2021;  ///< of OpenVINO, whose rules decide
  /// For the second runtime interface, which keeps what version 11 states and shows version 10 with the types that the
  /// first gave it. Without, version 11 is read as what version 10 would have said.
  bool runtime_2_0 = false;
  /// Where layers that can't be read are noted, and cut out of the network (graph/cut.hpp); null: they are thrown.
  Diagnostics* problems = nullptr;
  IrInputs inputs{};
};

/// Reads model.xml and its weights, model.bin beside it. Throws Error naming the file.
/// Afterwards Graph::next_id is what the reference's instance counter would be (front-end §2.2).
Graph read_openvino_ir(const ModelFile& file, const IrReadOptions& options = {});
/// The same from memory (fuzzing, tests).
Graph parse_openvino_ir(std::string_view xml, Bytes weights, const std::string& file_name = "model.xml",
                        const IrReadOptions& options = {});

}  // namespace blobsmith
