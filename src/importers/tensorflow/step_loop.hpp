// Recurrent layers as a loop over the steps of a sequence (TensorIterator), whose body is written operation by
// operation.
#pragma once
#include <memory>

#include "importers/tensorflow/context.hpp"

namespace blobsmith::tensorflow_import {

/// Its first parameter is a step of the sequence, the others are states.
class StepBody {
 public:
  /// Steps are [batch, width], states [batch, hidden]; `axis` of the sequence counts the steps, 0 or 1.
  StepBody(const std::string& name, int64_t axis, int64_t batch, int64_t width, int64_t hidden, size_t states);

  Value x() const { return x_; }
  Value state(size_t i) const { return states_.at(i); }
  Value make(const char* type, std::vector<Value> inputs, Attributes a = {}, int version = 0);
  Value integers(std::vector<int64_t> v) { return graph_->constant(Tensor::i64(std::move(v)))->value(); }
  Value constant(Tensor t) { return graph_->constant(std::move(t))->value(); }
  Value product(Value v, const Tensor& matrix);
  std::vector<Value> parts(Value v, int64_t count);
  /// Outputs h and c of a cell that reads x: w [4H, I], r [4H, H], b [4H], gates forget, input, cell, output.
  Value lstm_cell(Value x, int64_t hidden, Tensor w, Tensor r, Tensor b);
  /// States in their order; the output is the first of them where it is not stated.
  std::unique_ptr<Graph> finish(const std::vector<Value>& states, Value output = {});

 private:
  std::string name_;
  int64_t axis_;
  std::unique_ptr<Graph> graph_;
  Value x_;
  std::vector<Value> states_;
  int count_ = 0;
};

struct StepOrder {
  bool reverse = false;   ///< the last step first
  bool in_place = false;  ///< results stand where their inputs do; else in the order in which they were computed
  std::string suffix{};
};

/// All results and the last states.
std::vector<Value> loop_over_steps(Context& c, Value x, int64_t axis, std::vector<Value> states,
                                   std::unique_ptr<Graph> body, const StepOrder& order);

}  // namespace blobsmith::tensorflow_import
