// What the rules for outputs of unknown shape share (front-end spec §5.7). The graph made of constants and resolvers'
// second inputs computes the real shapes on the device, in the order in which the reference makes its nodes: it decides
// their names.
#pragma once
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms::dynamic {

/// Attribute of a Transpose or Concat of which the real shape is to be computed right, not as the reference does.
inline constexpr const char* kExactShape = "exact_shape";

/// The tensor with the real shape of v, which a resolver makes; empty where v is static.
Value shape_of(Value v);
/// The same, or v's static shape as a constant of this type.
Value shape_or_constant(Rewriter& rw, const Node& user, Value v, ElementType type);
/// The integer type of the shapes that resolvers at these inputs of n tell; fails where there is no resolver or the
/// types differ.
ElementType shape_type(const Node& n, std::initializer_list<int> inputs);
/// A vector of integers of this type.
Value integers(Rewriter& rw, ElementType type, const std::vector<int64_t>& values);
/// Elements [first, first + count) of a shape.
Value part(Rewriter& rw, Value shape, int64_t first, int64_t count);
/// Chosen elements of a shape, the axis made before or after the indices.
Value pick(Rewriter& rw, Value shape, ElementType type, const std::vector<int64_t>& which);
Value joined(Rewriter& rw, std::vector<Value> parts);
/// The integers of a constant input, or an error.
std::vector<int64_t> constant_integers(const Node& n, int input);

/// `data` with the real shape `shape` takes the place of an output.
void resolve(Rewriter& rw, Value old, Value data, Value shape, const std::string& name);
/// A copy of n whose only output has this real shape.
void resolve_copy(Rewriter& rw, Node* n, Value shape);

[[noreturn]] void refuse(const Node& n, const std::string& why);
/// The real shape of the first input, which must have one.
Value shape_of_data(const Node& n);

using Rule = void (*)(Rewriter&, Node*);

void elementwise(Rewriter& rw, Node* n);  // elementwise.cpp
void binary(Rewriter& rw, Node* n);
void select(Rewriter& rw, Node* n);
void reduce(Rewriter& rw, Node* n);
void mat_mul(Rewriter& rw, Node* n);
void gather(Rewriter& rw, Node* n);  // movement.cpp
void gather_elements(Rewriter& rw, Node* n);
void gather_nd(Rewriter& rw, Node* n);
void roi_align(Rewriter& rw, Node* n);
void concat(Rewriter& rw, Node* n);
void split(Rewriter& rw, Node* n);
void variadic_split(Rewriter& rw, Node* n);
void top_k(Rewriter& rw, Node* n);
void transpose(Rewriter& rw, Node* n);  // reshape.cpp
void squeeze(Rewriter& rw, Node* n);
void unsqueeze(Rewriter& rw, Node* n);
void reshape(Rewriter& rw, Node* n);
void broadcast(Rewriter& rw, Node* n);
void strided_slice(Rewriter& rw, Node* n);  // slice.cpp

}  // namespace blobsmith::transforms::dynamic
