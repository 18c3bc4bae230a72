#include "transforms/faults/common.hpp"

#include <algorithm>

namespace blobsmith::transforms {

Value slice(Rewriter& rw, Value v, size_t axis, int64_t from, int64_t to) {
  const size_t rank = v.shape().size();
  std::vector<int64_t> begin(rank, 0), end(rank, 0), strides(rank, 1), open(rank, 1), none(rank, 0);
  if (from == 0 && to == v.shape()[axis]) return v;
  begin[axis] = from;
  end[axis] = to;
  open[axis] = 0;
  const Value at = rw.indices(begin), until = rw.indices(end), by = rw.indices(strides);
  return rw
      .make("StridedSlice", {v, at, until, by},
            attributes({{"begin_mask", open},
                        {"end_mask", open},
                        {"new_axis_mask", none},
                        {"shrink_axis_mask", none},
                        {"ellipsis_mask", none}}))
      ->value();
}

bool replace_turned(Rewriter& rw, Node* n, const std::vector<int64_t>& order, const std::function<Value(Value)>& make) {
  const bool turns = !std::ranges::is_sorted(order);
  const Value x = turns ? rw.transpose(n->input(0), order)->value() : n->input(0);
  Node* y = rw.reshape(make(x), x.shape());
  if (!turns) return rw.replace(n, y);
  std::vector<int64_t> back(order.size());
  for (size_t i = 0; i < order.size(); ++i) back[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  return rw.replace(n, rw.transpose(y->value(), back));
}

}  // namespace blobsmith::transforms
