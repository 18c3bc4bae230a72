// Einsum (opset 7): operand by operand as products of matrices.
#include "graph/ops/einsum.hpp"

#include <algorithm>

#include "compute/matrix_product.hpp"
#include "graph/ops/shape_math.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

using Labels = std::vector<std::string>;

struct Term {
  Tensor values;
  Labels labels;
};

bool contains(const Labels& list, const std::string& label) { return std::ranges::find(list, label) != list.end(); }

class Contraction {
 public:
  Contraction(const Call& c, const ops::EinsumLabels& labels) : c_(c), sizes_(labels.sizes) {}

  /// A copy whose axes are those of `order`: repeated labels are read along the diagonal, absent ones and those of size
  /// 1 again and again.
  Term arranged(const Term& o, const Labels& order) const {
    const std::vector<int64_t> dense = ops::dense_strides(o.values.shape);
    std::vector<int64_t> strides(order.size(), 0);
    for (size_t axis = 0; axis < o.labels.size(); ++axis) {
      const auto at = std::ranges::find(order, o.labels[axis]) - order.begin();
      if (o.values.shape[axis] != 1) strides[static_cast<size_t>(at)] += dense[axis];
    }
    return {ops::gather_strided(o.values, sizes(order), 0, strides), order};
  }

  /// Sums up what neither `later` operands nor the output mention.
  Term product(const Term& a, const Term& b, const Labels& later) const {
    Labels common, rows, columns, summed;
    for (const std::string& l : a.labels)
      if (!contains(common, l) && !contains(rows, l) && !contains(summed, l))
        (!contains(later, l) ? summed : contains(b.labels, l) ? common : rows).push_back(l);
    for (const std::string& l : b.labels)
      if (!contains(a.labels, l) && !contains(columns, l) && !contains(summed, l))
        (contains(later, l) ? columns : summed).push_back(l);
    const Term left = arranged(a, joined({&common, &rows, &summed})),
               right = arranged(b, joined({&common, &summed, &columns}));
    const int64_t items = count(common), height = count(rows), inner = count(summed), width = count(columns);
    c_.require(inner * width < INT32_MAX, "its matrices are too large");
    const Labels result = joined({&common, &rows, &columns});
    std::vector<float> y(static_cast<size_t>(items * height * width)), matrix;
    for (int64_t i = 0; i < items; ++i) {
      const float* from = right.values.as<float>().data() + i * inner * width;
      matrix.assign(from, from + inner * width);
      matrix.resize(matrix.size() + compute::kSlack);
      compute::matrix_product(c_.pool(), left.values.as<float>().data() + i * height * inner, matrix.data(),
                              y.data() + i * height * width, height, inner, width);
    }
    return {float_tensor(sizes(result), std::move(y)), result};
  }

 private:
  static Labels joined(std::initializer_list<const Labels*> lists) {
    Labels all;
    for (const Labels* l : lists) all.insert(all.end(), l->begin(), l->end());
    return all;
  }
  Shape sizes(const Labels& labels) const {
    Shape s;
    for (const std::string& l : labels) s.push_back(sizes_.at(l));
    return s;
  }
  int64_t count(const Labels& labels) const { return element_count(sizes(labels)); }

  const Call& c_;
  const std::map<std::string, int64_t>& sizes_;
};

Outputs run_einsum(const Call& c) {
  std::vector<Shape> shapes;
  for (int i = 0; i < c.input_count(); ++i) {
    c.require(c.input(i).type == ElementType::f32, "not yet supported: Einsum of integers");
    shapes.push_back(c.shape(i));
  }
  const ops::EinsumLabels labels = ops::read_einsum(c.attrs().text("equation"), shapes);
  const Contraction contraction(c, labels);
  Term result{float_tensor({}, {1}), {}};
  for (int i = 0; i < c.input_count(); ++i) {
    Labels later = labels.output;
    for (size_t k = static_cast<size_t>(i) + 1; k < labels.inputs.size(); ++k)
      later.insert(later.end(), labels.inputs[k].begin(), labels.inputs[k].end());
    result = contraction.product(result, {c.input(i), labels.inputs[static_cast<size_t>(i)]}, later);
  }
  return {contraction.arranged(result, labels.output).values};
}

constexpr OperationRow kOperations[] = {
    {"Einsum", kAnyVersion, run_einsum},
};

}  // namespace

std::span<const OperationRow> einsum_operations() { return kOperations; }

}  // namespace blobsmith::reference
