// ONNX models for tests, written operator by operator.
#pragma once
#define ONNX_ML 1
#define ONNX_NAMESPACE onnx
#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "importers/onnx/as_inference_engine.hpp"
#include "importers/onnx/as_model_optimizer.hpp"

namespace blobsmith {

/// A model that is written operator by operator.
class ModelText {
 public:
  explicit ModelText(int64_t opset = 11) {
    model_.set_ir_version(7);
    model_.add_opset_import()->set_version(opset);
  }
  ModelText& input(const std::string& name, const std::vector<int64_t>& shape) {
    return value(*model_.mutable_graph()->add_input(), name, shape);
  }
  ModelText& output(const std::string& name) { return value(*model_.mutable_graph()->add_output(), name, {}); }
  ModelText& constant(const std::string& name, const std::vector<int64_t>& shape, const std::vector<float>& values) {
    onnx::TensorProto& t = *model_.mutable_graph()->add_initializer();
    t.set_name(name);
    t.set_data_type(onnx::TensorProto::FLOAT);
    for (int64_t d : shape) t.add_dims(d);
    for (float v : values) t.add_float_data(v);
    return *this;
  }
  ModelText& node(const std::string& op, const std::string& name, const std::vector<std::string>& inputs,
                  const std::string& output) {
    onnx::NodeProto& n = *model_.mutable_graph()->add_node();
    n.set_op_type(op);
    n.set_name(name);
    for (const std::string& i : inputs) n.add_input(i);
    n.add_output(output);
    return *this;
  }
  ModelText& integers(const std::string& name, const std::vector<int64_t>& values) {
    onnx::TensorProto& t = *model_.mutable_graph()->add_initializer();
    t.set_name(name);
    t.set_data_type(onnx::TensorProto::INT64);
    t.add_dims(static_cast<int64_t>(values.size()));
    for (int64_t v : values) t.add_int64_data(v);
    return *this;
  }
  /// A further output of the last node.
  ModelText& also(const std::string& output) {
    last().add_output(output);
    return *this;
  }
  ModelText& with(const std::string& attribute, int64_t v) {
    onnx::AttributeProto& a = add_attribute(attribute, onnx::AttributeProto::INT);
    a.set_i(v);
    return *this;
  }
  ModelText& with(const std::string& attribute, const std::vector<int64_t>& v) {
    onnx::AttributeProto& a = add_attribute(attribute, onnx::AttributeProto::INTS);
    for (int64_t x : v) a.add_ints(x);
    return *this;
  }
  ModelText& with_real(const std::string& attribute, float v) {
    add_attribute(attribute, onnx::AttributeProto::FLOAT).set_f(v);
    return *this;
  }
  ModelText& with_text(const std::string& attribute, const std::string& v) {
    add_attribute(attribute, onnx::AttributeProto::STRING).set_s(v);
    return *this;
  }
  /// A constant of FP32 numbers whose values are in a file of their own.
  ModelText& external(const std::string& name, const std::vector<int64_t>& shape, const std::string& file) {
    onnx::TensorProto& t = *model_.mutable_graph()->add_initializer();
    t.set_name(name);
    t.set_data_type(onnx::TensorProto::FLOAT);
    for (int64_t d : shape) t.add_dims(d);
    t.set_data_location(onnx::TensorProto::EXTERNAL);
    onnx::StringStringEntryProto& location = *t.add_external_data();
    location.set_key("location");
    location.set_value(file);
    return *this;
  }
  Bytes bytes() const {
    const std::string s = model_.SerializeAsString();
    return Bytes::copy_of(std::span(reinterpret_cast<const uint8_t*>(s.data()), s.size()));
  }
  /// As Model Optimizer converts it.
  Graph import(const ImportOptions& options = {}) const {
    return import_onnx_as_model_optimizer(bytes(), {}, options).graph;
  }
  /// As Intel's own importer reads it.
  Graph read() const { return import_onnx_as_inference_engine(bytes(), {}); }

 private:
  onnx::NodeProto& last() { return *model_.mutable_graph()->mutable_node(model_.graph().node_size() - 1); }
  onnx::AttributeProto& add_attribute(const std::string& name, onnx::AttributeProto::AttributeType type) {
    onnx::AttributeProto& a = *last().add_attribute();
    a.set_name(name);
    a.set_type(type);
    return a;
  }
  ModelText& value(onnx::ValueInfoProto& v, const std::string& name, const std::vector<int64_t>& shape) {
    v.set_name(name);
    v.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
    for (int64_t d : shape) {
      auto* dim = v.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim();
      if (d > 0)
        dim->set_dim_value(d);
      else
        dim->set_dim_param("n");
    }
    return *this;
  }
  onnx::ModelProto model_;
};

template <class F>
Error error_of(F call) {
  try {
    call();
  } catch (const Error& e) {
    return e;
  }
  return Error(ErrorCode::Internal, "no error");
}
inline Error import_error(const ModelText& m) {
  return error_of([&] { m.import(); });
}
inline Error read_error(const ModelText& m) {
  return error_of([&] { m.read(); });
}

inline const Node* layer(const Graph& g, const std::string& name) {
  for (const Node* n : g.all())
    if (n->name == name) return n;
  return nullptr;
}

}  // namespace blobsmith
