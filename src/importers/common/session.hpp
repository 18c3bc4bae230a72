// The way of every front end that follows Model Optimizer: inputs, constants, one operator after the other. What comes
// then is model_optimizer/pipeline.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "importers/common/source.hpp"
#include "importers/import.hpp"

namespace blobsmith::importers {

/// Whose rules hold where Model Optimizer treats frameworks differently.
enum class Framework : unsigned { Onnx = 1, TensorFlow = 2, Caffe = 4, Mxnet = 8, Kaldi = 16 };

/// The network as far as it is made.
struct Session {
  Session(SourceModel m, const ImportOptions& o, Framework f) : source(std::move(m)), options(o), framework(f) {}

  SourceModel source;
  const ImportOptions& options;
  Framework framework;
  Graph graph{};
  std::map<std::string, Value> values{};  ///< by the key of the tensor
  std::vector<Remark> notes{};
  std::vector<Value> dangling{};  ///< what layers would have read that were left out

  bool computes(const std::string& key) const { return values.contains(key); }
  Value value(const std::string& key) const;  ///< throws BadGraph where nothing computes it
};

using Convert = std::function<std::vector<Value>(const SourceOperator&)>;

/// Makes parameters, constants and what `convert` makes of each operator (its outputs, in order; those that it does
/// not make are without a node). Throws ErrorList with
/// all operators that are not known, else the first error, with the layer's address; with options.problems, layers
/// that can't be converted are noted there and left out.
void convert_operators(Session& s, const std::function<bool(const SourceOperator&)>& is_known, const Convert& convert);

}  // namespace blobsmith::importers
