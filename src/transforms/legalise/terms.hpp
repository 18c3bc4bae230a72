// What the rewrites of this room share: a row for each, and short words for the arithmetic that they are made of.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "transforms/conversion/passes.hpp"
#include "transforms/legalise/legalise.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::legalise_rows {

using transforms::kStaysReduction;
using transforms::Rewriter;

/// One rewrite of an operation that the VPU lacks, in this form.
struct SpelledRow {
  transforms::Roots roots;
  bool (*applies)(const Node&);
  Value (*build)(Rewriter&, const Node&);  ///< what stands for the only output
  std::string_view says;                   ///< what it becomes, for users
  double max_error = 0;                    ///< of one operation, computed in FP16; 0: exact
};

std::span<const SpelledRow> integer_rows();
std::span<const SpelledRow> logic_rows();
std::span<const SpelledRow> movement_rows();
std::span<const SpelledRow> sum_rows();
std::span<const SpelledRow> function_rows();
std::span<const SpelledRow> index_rows();
std::span<const SpelledRow> convolution_rows();
std::span<const SpelledRow> volume_rows();
std::span<const SpelledRow> quantization_rows();
std::span<const SpelledRow> rank_rows();

/// Integers of 8 and 16 bits, which the VPU lacks, become 32-bit ones that wrap around alike (narrow_integers.cpp).
std::vector<Remark> widen_integers(Graph& graph);
/// Real numbers that only hold integers, between two conversions, are computed as integers (whole_numbers.cpp).
std::vector<Remark> keep_whole_numbers(Graph& graph);
/// The sorting and choosing of integers (integer_top_k.cpp).
std::vector<Remark> sort_integers(Graph& graph);
/// Sequences of GRU and RNN cells (recurrent.cpp).
std::vector<Remark> sequences_to_loops(Graph& graph);

/// Parts of a split that have no elements and that nothing reads (movement.cpp).
void drop_empty_parts(Graph& graph);

/// Normalisations and GELUs that are written as several operations become one (restored_layers.cpp).
std::vector<Remark> restore_layers(Graph& graph);
/// Ellipses of Einsums become letters (ranks.cpp).
void name_ellipses(Graph& graph);
/// Gathers of each element of an outermost axis (queries, keys and values of an attention) become its parts, which lie
/// where they are (transposes.cpp).
void split_instead_of_gathers(Graph& graph);
/// Factors and summands of columns become part of the products that read them (column_factors.cpp).
std::vector<Remark> fold_column_factors(Graph& graph);
/// Columns that a normalisation has beside a row are read by products, and not cut off (spare_columns.cpp).
void keep_spare_columns(Graph& graph);
/// Factors of what products and convolutions give, or of parts of it, become factors of weights (part_factors.cpp).
void fold_part_factors(Graph& graph);
/// Rolls, windows and the like in one stage (row_gathers.cpp).
void gather_moved_rows(Graph& graph);
/// The mean of rows in two columns beside them, where normalisations want it (carried_means.cpp).
void carry_means(Graph& graph);
/// Two constants that are added to scores become one (joined_summands.cpp).
void join_summands(Graph& graph);
/// The constant operand of a product comes second, and the other one's rows are rows (products.cpp).
void put_constants_second(Graph& graph);
/// Transposes of operands and factors of both become part of products (products.cpp).
void simplify_products(Graph& graph);
/// Two Transposes with a Reshape between them become one (transposes.cpp).
void join_transposes(Graph& graph);

/// Set on what a rewrite made in a form that the same rewrite would take again.
inline constexpr std::string_view kSpelledOut = "spelled_out";

/// v, and no rewrite looks at it.
inline Value spelled_out(Value v) {
  v.node->attrs.set(kSpelledOut, true);
  return v;
}

/// Writes operations on values of one type. Compilers differ in which argument of a call they evaluate first: where two
/// arguments write operations, one has a name, so that the order of the network does not depend on the compiler.
class Terms {
 public:
  explicit Terms(Rewriter& rw) : rw_(rw) {}

  Value make(std::string type, std::vector<Value> inputs, Attributes attrs = {}) {
    return rw_.make(std::move(type), std::move(inputs), std::move(attrs))->value();
  }
  /// A number of x's type.
  Value number(Value x, double v) { return filled(x.type(), {}, v); }
  Value filled(ElementType type, Shape shape, double v);
  Value integers(ElementType type, Shape shape, const std::vector<int64_t>& v);
  Value convert(Value v, ElementType type);

  Value add(Value a, Value b) { return make("Add", {a, b}); }
  Value add(Value a, double b) { return add(a, number(a, b)); }
  Value subtract(Value a, Value b) { return make("Subtract", {a, b}); }
  Value multiply(Value a, Value b) { return make("Multiply", {a, b}); }
  Value multiply(Value a, double b) { return multiply(a, number(a, b)); }
  Value maximum(Value a, Value b) { return make("Maximum", {a, b}); }
  Value maximum(Value a, double b) { return maximum(a, number(a, b)); }
  Value minimum(Value a, Value b) { return make("Minimum", {a, b}); }
  Value minimum(Value a, double b) { return minimum(a, number(a, b)); }
  /// Of integers not by a factor: 2022.1 makes a LeakyReLU of that, whose stage computes reals alone.
  Value magnitude(Value a) { return maximum(a, is_float(a.type()) ? multiply(a, -1) : subtract(number(a, 0), a)); }
  Value negated(Value condition) { return make("LogicalNot", {condition}); }
  Value equal(Value a, Value b) { return make("Equal", {a, b}); }
  Value choose(Value condition, Value a, Value b) { return make("Select", {condition, a, b}); }

  // Of integers only.
  Value quotient(Value a, Value b);  ///< truncated
  Value at_least(Value a, Value b) { return make("GreaterEqual", {a, b}); }
  Value less(Value a, Value b) { return negated(at_least(a, b)); }
  Value floor_remainder(Value a, Value b);
  /// A condition as 0 or 1.
  Value as_integer(Value condition, ElementType type) { return convert(condition, type); }

  Value reduce(const char* type, Value x, std::vector<int64_t> axes, bool keep_dims);
  Value slice(Value x, int64_t axis, int64_t from, int64_t to);
  /// Of all axes, with steps.
  Value slice(Value x, const std::vector<int64_t>& from, const std::vector<int64_t>& to,
              const std::vector<int64_t>& step);
  Value concat(std::vector<Value> parts, int64_t axis);
  Value gather(Value x, const std::vector<int64_t>& indices, int64_t axis);
  Value reshape(Value x, Shape shape);  ///< constants stay constants
  Value transpose(Value x, std::vector<int64_t> order);
  /// Zeros before and behind, for every axis.
  Value zeros_around(Value x, std::vector<int64_t> begin, std::vector<int64_t> end);
  Rewriter& rewriter() { return rw_; }

 private:
  Rewriter& rw_;
};

/// All axes but `axis`, then it; nothing where it is the last one already.
std::vector<int64_t> order_with_last(size_t rank, int64_t axis);
std::vector<int64_t> inverse_order(const std::vector<int64_t>& order);
bool is_whole(ElementType t);  ///< an integer or boolean type

}  // namespace blobsmith::legalise_rows
