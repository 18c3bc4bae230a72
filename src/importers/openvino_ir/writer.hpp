// Graph -> OpenVINO IR, in the form of Model Optimizer (model-optimizer spec §8).
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/chunked_bytes.hpp"
#include "graph/graph.hpp"

namespace blobsmith {

struct IrWriterOptions {
  int version = 10;  ///< 10: as Model Optimizer 2021.4 writes it; 11: what OpenVINO 2022.1 and later read as their own
  std::string producer;  ///< <meta_data>: what made the file; empty: no such section
  std::vector<std::pair<std::string, std::string>> parameters;  ///< <meta_data>: settings, sorted by name when written
};

struct WrittenIr {
  std::string xml;
  ChunkedBytes weights;  ///< the .bin file: constants in the order of their layers, equal ones once, no padding
};

/// Nodes must be operations of an opset (not of the legacy conversion), with known shapes. Throws NotYetSupported for
/// a node that has no form in an IR, naming it; BadOptionValue for another version.
WrittenIr write_openvino_ir(const Graph& graph, const IrWriterOptions& options = {});

/// The .mapping file: layers of the IR and the tensors of the model that they compute.
std::string mapping_of(const Graph& graph);

/// Writes `stem`.xml and `stem`.bin, and the folder they are in. Errors as above; FileNotWritable.
void save_openvino_ir(const Graph& graph, const std::string& stem, const IrWriterOptions& options = {});

}  // namespace blobsmith
