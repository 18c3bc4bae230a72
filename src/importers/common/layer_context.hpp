// A layer on its way to nodes, as every front end sees it that keeps the layers' attributes itself: its inputs, and a
// builder that names nodes as Model Optimizer does.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "importers/common/layer_builder.hpp"
#include "importers/common/session.hpp"

namespace blobsmith::importers {

class LayerContext : public LayerBuilder {
 public:
  LayerContext(Session& session, const SourceOperator& op)
      : LayerBuilder(session.graph, op.name, op.type, op.where), session_(session), op_(op) {}

  const SourceOperator& op() const { return op_; }
  Session& session() { return session_; }
  bool quirks() const { return session_.options.quirks; }
  const model_optimizer::FrameworkOptions& framework_options() const { return session_.options.framework; }

  size_t input_count() const { return op_.inputs.size(); }
  bool has_input(size_t i) const { return i < op_.inputs.size() && !op_.inputs[i].empty(); }
  Value input(size_t i) const;          ///< an error when it is absent
  std::vector<Value> inputs() const;    ///< all of them
  const Tensor* known(size_t i) const;  ///< null when input i is absent or computed at run time
  const Shape& shape(size_t i = 0) const { return input(i).shape(); }
  int64_t rank(size_t i = 0) const { return static_cast<int64_t>(shape(i).size()); }
  size_t axis(int64_t a, int64_t rank) const;  ///< counted from the front, or an error
  size_t axis(int64_t a) const { return axis(a, rank()); }

  /// "Multiply" or "Add" of x and constants in double precision, which are rounded once in the end (model-optimizer
  /// spec §6.2): one, or one for each place along an axis.
  Value linear(const char* type, Value x, std::vector<double> by, size_t along, const std::string& suffix = {});
  /// The same with single precision.
  Value linear(const char* type, Value x, std::vector<float> by, size_t along, const std::string& suffix = {});
  /// A number as Model Optimizer names those that are part of an operator: by its place among all that is made.
  Value numbered_constant(Tensor t, const std::string& suffix = {});
  /// By a constant that is there already.
  Value linear(const char* type, Value x, Value by, const std::string& suffix);
  Value constant(Tensor t, const std::string& suffix) {
    return graph().constant(std::move(t), name() + suffix)->value();
  }
  /// A normalized tensor times its factors: one layer of Model Optimizer until all is fused, so that nothing is fused
  /// with it.
  Value factor_of_norm(Value normal, Tensor factors);
  /// The bias of each channel, an Add that has the layer's name.
  Value add_bias(Value x, const Tensor& bias);

  /// The layer is converted differently from Model Optimizer.
  void note(std::string what) {
    session_.notes.push_back({Remark::Kind::NotAsIntel, name(), type(), source(), std::move(what)});
  }

 private:
  Shape along(Value x, size_t count, size_t axis) const;

  Session& session_;
  const SourceOperator& op_;
};

}  // namespace blobsmith::importers
