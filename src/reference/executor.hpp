// The reference executor: computes a network as its operations are defined, in single precision, on this processor.
// Operations without a row of their own are evaluated by graph/ops, as in constant folding.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/control.hpp"
#include "graph/graph.hpp"

namespace blobsmith::reference {

/// Called for every node that computes something, in execution order, with its outputs.
using NodeHook = std::function<void(const Node&, std::span<const Tensor>)>;

/// What happens to floating tensors once they are computed.
enum class Rounding { None, Half };

class Executor {
 public:
  /// Takes a graph of opset operations (before the legacy conversion). Floating types become FP32; constants keep their
  /// values. Throws an ErrorList naming every layer whose operation can't be computed.
  explicit Executor(Graph graph, int threads = 0);
  ~Executor();
  Executor(Executor&&) noexcept;
  Executor& operator=(Executor&&) noexcept;

  const Graph& graph() const;
  /// One tensor per parameter of the graph, in its order and of its type and shape; returns one per result.
  /// Throws ShapeMismatch for inputs that don't fit.
  std::vector<Tensor> run(std::vector<Tensor> inputs, const NodeHook& hook = {}, const Control& control = {},
                          Rounding rounding = Rounding::None);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The name of a tensor as a blob gives it: the layer's, of several outputs with their number ("split.1").
std::string value_name(const Node& n, int port);
inline std::string value_name(const Value& v) { return value_name(*v.node, v.port); }
/// Values for a parameter, in its type (floating: FP32). Their count must be the parameter's.
Tensor input_tensor(const Node& parameter, std::span<const float> values);
/// Numbers of another type, as the operation Convert gives them.
Tensor converted(const Tensor& t, ElementType type);

/// FP16, BF16 and FP64 tensors become FP32, in bodies too.
void to_single_precision(Graph& graph);

}  // namespace blobsmith::reference
