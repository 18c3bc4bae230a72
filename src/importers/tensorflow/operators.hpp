// The table of TensorFlow's operators: what each becomes (model-optimizer spec §5.1). One file per family in ops/ has
// the mappings and their rows; the families are listed in operators.cpp.
#pragma once
#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "importers/tensorflow/context.hpp"

namespace blobsmith::tensorflow_import {

struct OperatorRow {
  std::string_view op;
  std::string_view becomes;                 ///< the main operation; empty: the operator passes its input on
  std::vector<Value> (*convert)(Context&);  ///< the outputs, in order
};

const OperatorRow* find_operator(std::string_view op);
/// All of them, and the main operation that each becomes.
std::map<std::string_view, std::string_view> operators();

// ---- what several families share ----

/// One axis of a slice, as StridedSlice states it; the whole axis where nothing is.
struct SliceAxis {
  int64_t begin = 0, end = 0, step = 1;
  bool from_start = true, to_end = true, one = false;
};
/// A StridedSlice of x by its axes (ops/slice.cpp).
Value sliced(Context& c, Value x, const std::vector<SliceAxis>& axes, const std::string& suffix);
/// `names`: of the constants that state begin, end and step; an empty one gets a number.
Value sliced(Context& c, Value x, const std::vector<SliceAxis>& axes, const std::string& suffix,
             const std::array<std::string, 3>& names);

}  // namespace blobsmith::tensorflow_import
