// What the public functions share: a file as a graph, and the graph as it is compiled for a camera.
#pragma once
#include <exception>
#include <functional>
#include <optional>

#include "blobsmith/convert.hpp"
#include "core/chunked_bytes.hpp"
#include "core/control.hpp"
#include "core/diagnostics.hpp"
#include "graph/graph.hpp"
#include "vpu/compile.hpp"
#include "vpu/options/options.hpp"

namespace blobsmith {

struct Model::Impl {
  std::string path;
  Graph graph;
  std::vector<Remark> remarks;
  bool runtime_2_0 = false;  ///< as ReadOptions::runtime_1_0 and the format of the file have it
};

struct BlobBytes::Impl {
  ChunkedBytes bytes;
};

namespace api {

struct ReadGraph {
  Graph graph;
  bool runtime_2_0 = false;                       ///< it is for the second runtime interface
  std::map<std::string, std::string> metadata{};  ///< what the file says of the network beside it
  std::optional<DetectionHead> head{};            ///< with ConversionOptions::yolo_head
};

/// The one way from a file to a graph. Remarks go to `diagnostics`; with `keep_going`, layers that can't be read too,
/// which are left out instead of thrown.
ReadGraph read_graph(const ModelFile& file, const ReadOptions& options, Diagnostics& diagnostics,
                     bool keep_going = false);

/// Runs f; errors that name no file get this one.
template <class F>
auto in_file(const std::string& path, F f) {
  const auto address = [&](Error e) {
    if (e.file().empty() && e.code() != ErrorCode::Cancelled) e.in_file(path);
    return e;
  };
  try {
    return f();
  } catch (const Error& e) {
    throw address(e);
  } catch (const ErrorList& list) {
    std::vector<Error> errors;
    for (const Error& e : list.errors()) errors.push_back(address(e));
    throw ErrorList(std::move(errors));
  }
}

/// As Model::inputs() and outputs() have them.
std::vector<TensorInfo> inputs_of(const Graph& graph);
std::vector<TensorInfo> outputs_of(const Graph& graph);
ElementType element_type(TensorType t);
/// SHAVEs, slices and streams, and the configuration, which is applied last.
void set_shaves(vpu::CompileOptions& options, const CameraOptions& o, int shaves);
/// Options of a compilation for a camera of this network.
vpu::CompileOptions camera_options(const CameraOptions& o, const Graph& graph, bool quirks);
/// The least departures from the options that may let a network fit whose stages find no room in the memory on the chip
/// as they stand; each with what is said of it. Nothing of what the user states is touched.
struct Departure {
  std::string what;
  std::function<void(vpu::CompileOptions&)> apply;
};
std::vector<Departure> departures(const CameraOptions& o);
/// Whether that is why it can't be compiled.
bool lacks_memory(const Error& e);
bool lacks_memory(const ErrorList& list);

/// f(departure) with none, and where memory does not suffice with one after the other until it does; the error is that
/// of the first time. `f` starts anew each time.
template <class F>
auto fitted(const CameraOptions& o, F f) -> decltype(f(nullptr)) {
  std::exception_ptr first;
  const auto attempt = [&](const Departure* departure, auto& result) {
    try {
      result.emplace(f(departure));
    } catch (const Error& e) {
      if (!lacks_memory(e)) throw;
      if (!first) first = std::current_exception();
    } catch (const ErrorList& e) {
      if (!lacks_memory(e)) throw;
      if (!first) first = std::current_exception();
    }
  };
  std::optional<decltype(f(nullptr))> result;
  attempt(nullptr, result);
  if (result) return *std::move(result);
  for (const Departure& d : departures(o)) {
    attempt(&d, result);
    if (result) return *std::move(result);
  }
  std::rethrow_exception(first);
}

/// What doesn't depend on the number of SHAVEs, by the rules of a target ("" = 2021.4).
vpu::Prepared prepare_graph(Graph graph, const vpu::CompileOptions& options, const std::string& target,
                            Diagnostics& diagnostics, const Control& control);
/// The rest: its blob alone, stamped with a target ("" = as the compiler stamps it).
ChunkedBytes compile_blob(const vpu::Prepared& network, const vpu::CompileOptions& options, const std::string& target,
                          Diagnostics& diagnostics, vpu::CompileReport* report, const Control& control);
/// The same with what there is to tell. `target` and `tensors` as for compile_graph.
CompileResult compile_prepared(const vpu::Prepared& network, const vpu::CompileOptions& options,
                               const std::string& target, Diagnostics diagnostics, const Control& control,
                               std::vector<vpu::TracedTensor>* tensors = nullptr);
/// A graph to a result; `target` "" = as the compiler stamps it. `tensors`: where the blob holds those of the network.
CompileResult compile_graph(Graph graph, const vpu::CompileOptions& options, const std::string& target,
                            Diagnostics diagnostics, const Control& control,
                            std::vector<vpu::TracedTensor>* tensors = nullptr);

}  // namespace api
}  // namespace blobsmith
