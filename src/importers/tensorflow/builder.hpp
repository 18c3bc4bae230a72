// Models written in TensorFlow's operators: what formats with the same operators and layout are turned into (TFLite,
// Keras files), so that there is one translation of each.
#pragma once
#include "importers/tensorflow/source.hpp"

namespace blobsmith::tensorflow_file {

Attribute integer_attribute(int64_t v);
Attribute real_attribute(double v);
Attribute flag_attribute(bool v);
Attribute text_attribute(std::string v);
Attribute integers_attribute(std::vector<int64_t> v);
Attribute reals_attribute(std::vector<double> v);
Attribute type_attribute(ElementType type);

using NamedAttributes = std::map<std::string, Attribute>;

/// Tensors are named by keys, as in importers/common/source.
class SourceBuilder {
 public:
  /// Where the nodes from now on stand in the user's file, and what they are called there, for messages.
  void set_origin(std::string where) { where_ = std::move(where); }

  std::string input(const std::string& name, ElementType type, std::optional<Shape> shape);
  std::string constant(const std::string& name, Tensor t);
  std::string integers(const std::string& name, const std::vector<int64_t>& v);  ///< 1-D, i32
  std::string integer(const std::string& name, int64_t v);                       ///< scalar, i32
  /// The key of output 0; the others are output(key, 1) and so on. Names that are taken get a number behind them.
  std::string add(const std::string& op, const std::string& name, std::vector<std::string> inputs,
                  NamedAttributes attributes = {}, size_t outputs = 1);
  static std::string output(const std::string& key, size_t port);
  void set_output(const std::string& key) { s_.model.outputs.push_back({key, {}}); }
  bool is_constant(const std::string& key) const;
  const Tensor* find_constant(const std::string& key) const;

  Source take(std::string model_name);

 private:
  std::string unused(const std::string& name);

  Source s_;
  std::string where_;
  std::map<std::string, size_t> constants_;  ///< by key: place in the model's list
  std::map<std::string, size_t> names_;      ///< and the number that the next node of this name gets
};

}  // namespace blobsmith::tensorflow_file
