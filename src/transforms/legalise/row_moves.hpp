// What moves the rows of a tensor as wholes: windows of a picture, rolls, tokens that are joined. Whatever is done to
// all columns alike may be done before or behind it.
#pragma once
#include <map>
#include <optional>

#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {

/// A Pad of nothing, or of rows of zeros where zeros stay zeros.
bool pads_rows(const Node& n, bool zeros_stay);

/// Whether `n` moves rows of `columns` values as wholes.
bool moves_rows(const Node& n, int64_t columns, bool zeros_stay);

/// The products by constant matrices that read what `n` gives, through such moves; none where anything else reads it.
/// `moves`: those between.
std::vector<Node*> products_behind(const Node* n, int64_t columns, bool zeros_stay,
                                   std::vector<Node*>* moves = nullptr);

/// The moves again, of rows of another length.
class MovedRows {
 public:
  /// `to` takes the place of `from`: the same rows, with other columns.
  MovedRows(Rewriter& rw, Value from, Value to) : rw_(rw), from_(from), to_(to) {}
  /// What stands for `v`, which moves make of `from`; none where something else does.
  std::optional<Value> of(Value v);

 private:
  int64_t before() const { return from_.shape().back(); }
  int64_t behind() const { return to_.shape().back(); }
  std::optional<Value> made(const Node& n);

  Rewriter& rw_;
  Value from_, to_;
  std::map<const Node*, Value> known_;
};

/// Whether FP16 keeps the digits of weights that are multiplied by this.
bool keeps_digits(double factor);
bool is_read_once(Value v);  ///< by one operation, and no output of the network
/// Whether rows of all items may be moved and multiplied together. Several items are run one by one otherwise, which
/// suits convolutions; a product of many rows would read its matrix again and again.
bool may_mix_items(const Graph& graph);
/// A tensor of the type of `like`.
Tensor floats_as(const Tensor& like, Shape shape, std::vector<float> values);

}  // namespace blobsmith::legalise_rows
