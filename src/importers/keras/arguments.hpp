// Arguments of an operation that a functional model calls: of Keras 3 they stand in its configuration or in the call,
// of TensorFlow's functions in files of Keras 2 in the call.
#pragma once
#include <initializer_list>

#include "importers/keras/layer.hpp"

namespace blobsmith::keras_import {

using Names = std::initializer_list<const char*>;

/// By its names, or by its place in the call; null: it is not stated.
Json argument(Layer& l, Names names, size_t place);
std::vector<int64_t> integers_in(const Json& j);
int64_t integer_argument(Layer& l, Names names, size_t place, int64_t fallback);
double real_argument(Layer& l, Names names, size_t place, double fallback);
/// The axes that `axis` names, from the front; all of them where it names none.
std::vector<int64_t> axes_of(Layer& l);
/// A single axis, from the front.
int64_t axis_of(Layer& l, Names names, size_t place, int64_t fallback);
/// Its operands in order: tensors, and numbers in their place.
std::vector<Value> operands(Layer& l, std::initializer_list<Names> names);

/// A sum, mean ... over axes_of.
Value reduced(Layer& l, const char* op, Value x, bool keep, const std::string& suffix);
bool keeps_axes(Layer& l);
Value transposed(Layer& l, Value x, const std::vector<int64_t>& order, const std::string& suffix = {});

}  // namespace blobsmith::keras_import
