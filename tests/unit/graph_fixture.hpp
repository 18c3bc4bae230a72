// Short ways to write graphs in tests.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith {

class GraphTest : public ::testing::Test {
 protected:
  using List = std::vector<int64_t>;

  Value input(Shape shape, ElementType type = ElementType::f32) {
    return g.parameter(type, std::move(shape), "in" + std::to_string(g.next_id))->value();
  }
  Value integers(List values) { return g.constant(Tensor::i64(std::move(values)))->value(); }
  Value scalar(int64_t v) { return g.constant(Tensor::scalar_i64(v))->value(); }
  Value reals(Shape shape, std::vector<float> values) {
    return g.constant(Tensor::of(ElementType::f32, std::move(shape), std::move(values)))->value();
  }

  static Attributes attributes(std::initializer_list<std::pair<const char*, Attributes::Value>> list) {
    Attributes a;
    for (const auto& [name, value] : list) std::visit([&, key = name](auto v) { a.set(key, v); }, value);
    return a;
  }

  Node* make(std::string type, std::vector<Value> inputs, Attributes attrs = {}, int version = 0) {
    return g.make(std::move(type), std::move(inputs), std::move(attrs), version, "layer");
  }
  Shape shape(std::string type, std::vector<Value> inputs, Attributes attrs = {}, int version = 0) {
    return make(std::move(type), std::move(inputs), std::move(attrs), version)->shape();
  }

  /// The node's first output, folded from its constant inputs.
  Tensor fold(Node* n, size_t output = 0) {
    std::vector<const Tensor*> inputs;
    for (const Value& v : n->inputs()) inputs.push_back(&v.node->constant);
    const std::vector<Tensor> outputs = evaluate(*n, inputs);
    if (outputs.size() <= output) {
      ADD_FAILURE() << n->type << " was not folded";
      return {};
    }
    EXPECT_EQ(outputs[output].shape, n->shape(static_cast<int>(output)));
    EXPECT_EQ(outputs[output].type, n->element_type(static_cast<int>(output)));
    return outputs[output];
  }
  Tensor fold(std::string type, std::vector<Value> inputs, Attributes attrs = {}, int version = 0) {
    return fold(make(std::move(type), std::move(inputs), std::move(attrs), version));
  }

  Graph g;
};

/// Expects an Error with this code whose text contains `text` and which names the node called "layer".
template <class F>
void expect_layer_error(ErrorCode code, const std::string& text, F f) {
  try {
    f();
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
    EXPECT_EQ(e.layer(), "layer");
  }
}

}  // namespace blobsmith
