// What the table of TensorFlow Lite's operators works with: an operator, and the TensorFlow model that it becomes.
#pragma once
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "importers/tensorflow/builder.hpp"
#include "importers/tflite/file.hpp"

namespace blobsmith::tflite_import {

using tensorflow_file::NamedAttributes;
using tensorflow_file::SourceBuilder;

class Translator {
 public:
  explicit Translator(const tflite_file::Model& model, std::set<int64_t> running = {0})
      : model_(model), running_(std::move(running)) {}

  tensorflow_file::Source translate();
  const std::vector<Remark>& notes() const { return notes_; }

  /// A function for a loop or a branch; its name. Throws FileCorrupt where there is none, or functions run each other.
  std::string function(int64_t subgraph);

  // ---- what rows see of the operator at hand ----
  const tflite_file::Operator& op() const { return *op_; }
  const tflite_file::Options& options() const { return op_->options; }
  const std::string& name() const { return name_; }
  SourceBuilder& builder() { return builder_; }

  size_t input_count() const { return op_->inputs.size(); }
  bool has_input(size_t i) const { return i < op_->inputs.size() && op_->inputs[i] >= 0; }
  /// The key of an input: real numbers where the file has quantised ones.
  std::string input(size_t i);
  std::vector<std::string> inputs();
  const tflite_file::Tensor& input_tensor(size_t i) const;
  const tflite_file::Tensor& output_tensor(size_t i = 0) const;
  /// Constant input i; an error otherwise.
  const Tensor& constant(size_t i, const char* what);

  std::string add(const std::string& tensorflow_op, std::vector<std::string> inputs, NamedAttributes attributes = {},
                  const std::string& suffix = {}, size_t outputs = 1);
  void set_output(const std::string& key, size_t i = 0);
  void set_outputs(const std::string& first, size_t count);
  /// One tensor holds what the operator's outputs do; `how`: for the user.
  void set_joined_output(const std::string& key, const std::string& how);
  /// The result of the operator, with the activation that is part of it: the number of a field of its options.
  void set_activated(const std::string& tensorflow_op, std::vector<std::string> inputs, NamedAttributes attributes,
                     int64_t activation);
  /// `key`, not below `low` and not above `high`.
  void set_limited(const std::string& key, float low, float high);
  /// Of a result of 8 bits that are never negative: converters leave an activation out that its range implies.
  int64_t activation_of_range() const;
  /// Of QUANTIZE: within what its 8 bits can hold where nothing but their real numbers is computed with.
  void set_quantised();
  static constexpr int64_t kNone = 0, kRelu = 1, kReluN1To1 = 2, kRelu6 = 3;

  // Variables keep their values from run to run: they become inputs and outputs of the network.
  void declare_variable(const std::string& variable);
  void read_variable();
  void assign_variable();
  [[noreturn]] void refuse(const std::string& why) const;

 private:
  tensorflow_file::Body body(const tflite_file::Subgraph& g);
  void graph(const tflite_file::Subgraph& g);
  void operation(size_t number, const tflite_file::Operator& op);
  std::string key_of(int64_t tensor);
  const std::string& variable_of(size_t input) const;
  void note_quantisation();

  const tflite_file::Model& model_;
  std::set<int64_t> running_;  ///< numbers of the subgraphs that this one is within
  tensorflow_file::Bodies bodies_;
  const tflite_file::Subgraph* graph_ = nullptr;
  const tflite_file::Operator* op_ = nullptr;
  SourceBuilder builder_;
  std::string name_, where_;
  std::map<int64_t, std::string> keys_;           ///< by number of a tensor
  std::set<int64_t> joined_;                      ///< numbers of tensors that others hold
  std::map<int64_t, std::string> handles_;        ///< variables, by number of the tensor that refers to one
  std::map<std::string, std::string> variables_;  ///< their values so far: keys
  std::vector<Remark> notes_;
};

struct OperatorRow {
  int code;  ///< tflite_file::kCustom: told by its name
  std::string_view name, becomes;
  void (*translate)(Translator&);
};
std::span<const OperatorRow> operator_rows();
void detection_postprocess(Translator& t);  // postprocess.cpp

}  // namespace blobsmith::tflite_import
