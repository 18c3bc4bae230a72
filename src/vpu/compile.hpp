// The compiler as one function.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/chunked_bytes.hpp"
#include "core/control.hpp"
#include "core/diagnostics.hpp"
#include "graph/graph.hpp"
#include "transforms/pipeline.hpp"
#include "vpu/blob/trace.hpp"
#include "vpu/network_info.hpp"
#include "vpu/options/options.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// One input or output of a blob.
struct BlobPort {
  std::string name;
  DataDesc desc;
};

/// Where a stage of a blob comes from.
struct StageOrigin {
  std::string name;
  std::shared_ptr<const Layer> layer;  ///< null for what belongs to no layer
};

struct CompileReport {
  int layers = 0, stages = 0;             ///< stages: those of the blob, without views of data
  std::vector<BlobPort> inputs, outputs;  ///< in the blob's order
  std::vector<TracedTensor> tensors;      ///< where the blob holds the network's tensors
  std::vector<StageOrigin> origins;       ///< of every stage, as numbered in the blob
};

/// Throws BadInputName for a precision or layout of something that is neither an input nor an output.
void check_names(const Graph& graph, const CompileOptions& options);

/// A network as the lowering takes it: legacy layers, one item of the batch.
struct Prepared {
  Graph graph;
  Declared declared;
  BlobNetworkInfo info;
  std::shared_ptr<SharedContents> shared{};  ///< null: it is compiled once
};

/// Everything before there is a Program: batch, faults that are avoided, the layer set of the VPU, loops.
Prepared prepare(Graph graph, const CompileOptions& options, Diagnostics& diagnostics, const Control& control = {});
/// For several compilations of a network, which may go on at the same time: what they compute of its constants is kept
/// for the next.
void share_contents(Prepared& network);
/// Prepared -> a Program with every stage and tensor in its place, ready to be written.
std::unique_ptr<Program> build(const Prepared& network, const CompileOptions& options, Diagnostics& diagnostics,
                               const Control& control = {});
/// A prepared network -> the bytes of a blob. Several calls may use one network at the same time.
ChunkedBytes compile(const Prepared& network, const CompileOptions& options, Diagnostics& diagnostics,
                     CompileReport* report = nullptr, const Control& control = {});
/// A network -> the bytes of a MyriadX blob (container 6.0). Throws Error or ErrorList.
ChunkedBytes compile(Graph graph, const CompileOptions& options, Diagnostics& diagnostics,
                     CompileReport* report = nullptr, const Control& control = {});

}  // namespace blobsmith::vpu
