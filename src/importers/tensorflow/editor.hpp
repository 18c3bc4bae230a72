// Parts of a TensorFlow graph replaced by others: what transformations of whole networks work with.
#pragma once
#include <set>

#include "importers/tensorflow/builder.hpp"

namespace blobsmith::tensorflow_file {

/// What is wrong with --transformations_config, or with the graph that it is for.
Error bad_transformation(const std::string& what);
inline constexpr const char* kOtherNetwork =
    "the file is for networks of another kind, or for another version of what wrote this one";

/// Operators and tensors by name: "BoxPredictor_0/Conv2D" and its first output "BoxPredictor_0/Conv2D:0".
class Editor {
 public:
  explicit Editor(Source& s);

  Source& source() { return s_; }
  const Source& source() const { return s_; }
  const importers::SourceOperator* find(const std::string& name) const;     ///< null: there is none
  const importers::SourceOperator* producer(const std::string& key) const;  ///< null: an input or a constant
  const importers::SourceOperator& at(const std::string& name) const;       ///< throws BadOptionValue
  const Node& node(const importers::SourceOperator& op) const { return s_.nodes.at(op.index); }
  /// The first output of an operator, or what an Identity passes on that nothing reads; nothing: there is none.
  std::optional<std::string> output_named(const std::string& name) const;
  importers::SourceInput* input(const std::string& name);  ///< null: there is none
  /// What stands in front of operators of these types and of Identities, by their first inputs.
  std::string in_front_of(std::string key, const std::set<std::string_view>& types = {}) const;
  /// The tensor that Identities pass on; null: it is computed.
  const Tensor* constant(const std::string& key) const;
  /// Operators that read the tensor, through Identities and operators of these types.
  std::vector<std::string> readers(const std::string& key, const std::set<std::string_view>& types = {}) const;
  /// The operators of these types that are nearest to the tensor, on every way back from it.
  std::vector<std::string> nearest_before(const std::string& key, const std::set<std::string_view>& types) const;

  std::string add(const std::string& type, const std::string& name, std::vector<std::string> inputs,
                  NamedAttributes attributes = {}, size_t outputs = 1);
  std::string add_constant(const std::string& name, Tensor t);  ///< its key; the name is free or gets a number
  void set_constant(const std::string& key, Tensor t);          ///< which is there already
  std::string add_input(const std::string& name, ElementType type, Shape shape);
  void remove(const std::string& name);  ///< if there is one: the name is free, and nothing computes its outputs
  void set_attribute(const std::string& name, const std::string& attribute, Attribute value);
  void set_input(const std::string& name, size_t i, const std::string& key);
  /// Whoever reads `from` reads `to`; outputs too. `but`: an operator that goes on reading it.
  void redirect(const std::string& from, const std::string& to, const std::string& but = {});
  /// Outputs that come from one of these operators are outputs no longer.
  void remove_outputs_behind(const std::set<std::string>& operators);
  void set_outputs(std::vector<importers::SourceOutput> outputs);
  void replace_output(const std::string& from, const std::string& to);
  void add_output(const std::string& key) { s_.model.outputs.push_back({key, {}}); }

  /// Sorts the operators anew; what no output needs goes.
  void finish();

 private:
  Source& s_;
  std::map<std::string, size_t> by_name_, by_key_;  ///< places in the model's list of operators
  std::map<std::string, size_t> constants_;         ///< by key: places in the model's list
};

}  // namespace blobsmith::tensorflow_file
