// Elements by their index.
#include "importers/tensorflow/operators.hpp"

namespace blobsmith::tensorflow_import {
namespace {

Value gathered(Context& c, int64_t axis, int64_t batch_dims) {
  const std::string name = c.input_count() > 2 ? c.constant_name(2) : c.name() + "/axis";
  const Value along = c.graph().constant(Tensor::scalar_i64(axis), name)->value();
  return c.make("Gather", {c.input(0), c.input(1), along}, attributes({{"batch_dims", batch_dims}}), 7);
}
std::vector<Value> gather(Context& c) { return {gathered(c, 0, 0)}; }
std::vector<Value> gather_v2(Context& c) {
  const int64_t axis = c.axis(c.integer_of(2, "axis"), c.rank());
  const int64_t batch = c.node().integer("batch_dims", 0);
  return {gathered(c, axis, batch < 0 ? batch + c.rank(1) : batch)};
}
std::vector<Value> resource_gather(Context& c) { return {gathered(c, 0, c.node().integer("batch_dims", 0))}; }

std::vector<Value> gather_nd(Context& c) {
  return {c.make("GatherND", {c.input(0), c.input(1)}, attributes({{"batch_dims", int64_t{0}}}))};
}

std::vector<Value> scatter_nd(Context& c) {
  const Value zero = c.number_constant(c.input(1).type(), {}, 0);
  const Value zeros =
      c.make("Broadcast", {zero, c.input(2)}, attributes({{"mode", std::string("numpy")}}), 3, "/zeros");
  return {c.make("ScatterNDUpdate", {zeros, c.input(0), c.input(1)})};
}

std::vector<Value> one_hot(Context& c) {
  const int64_t axis = c.node().integer("axis", -1);
  return {c.make("OneHot", {c.input(0), c.scalar(c.input(1)), c.input(2), c.input(3)}, attributes({{"axis", axis}}))};
}

std::vector<Value> where(Context& c) {
  const Value indices =
      c.make("NonZero", {c.input(0)}, attributes({{"output_type", std::string("i64")}}), Context::kNewest, "/NonZero_");
  return {c.make("Transpose", {indices, c.integers_constant({1, 0})})};
}
std::vector<Value> where_or_select(Context& c) {
  if (c.input_count() == 1) return where(c);
  return {c.make("Select", {c.input(0), c.input(1), c.input(2)})};
}

std::vector<Value> range(Context& c) {
  return {c.make("Range", {c.input(0), c.input(1), c.input(2)},
                 attributes({{"output_type", std::string(to_string(c.input(0).type()))}}), 4)};
}

std::vector<Value> roll(Context& c) { return {c.make("Roll", {c.input(0), c.input(1), c.input(2)})}; }

constexpr OperatorRow kOperators[] = {
    {"Gather", "Gather", gather},
    {"GatherV2", "Gather", gather_v2},
    {"ResourceGather", "Gather", resource_gather},
    {"GatherNd", "GatherND", gather_nd},
    {"ScatterNd", "ScatterNDUpdate", scatter_nd},
    {"OneHot", "OneHot", one_hot},
    {"Where", "NonZero", where_or_select},
    {"Range", "Range", range},
    {"Roll", "Roll", roll},
};

}  // namespace

std::span<const OperatorRow> indexing_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
