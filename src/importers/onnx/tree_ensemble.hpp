// Decision trees as products of matrices: all conditions are evaluated, then every leaf counts those on its way that
// hold. With rows of x, for the tree
//
//     x0 <= 3 ─ true: leaf A          conditions d = [x0 <= 3, x1 <= 5]
//             └ false: x1 <= 5 ─ true: leaf B, false: leaf C
//
// leaf B is reached where d0 is 0 and d1 is 1: relu(-1 d0 + 1 d1 + (1 - 1)) is 1, for all others it is 0.
#pragma once
#include <string>
#include <vector>

#include "importers/onnx/mo_steps.hpp"

namespace blobsmith::onnx_import::mo {

struct TreeCondition {
  int64_t column;
  std::string mode;  ///< BRANCH_LEQ ...
  float value;
};
/// What decides of a leaf: a condition by its number within the block, and whether it must hold.
struct TreeTurn {
  size_t condition;
  bool holds;
};
struct TreeLeaf {
  std::vector<TreeTurn> way;
  std::vector<float> weights;  ///< one for each result
};
/// Some trees: their conditions and leaves are one matrix.
struct TreeBlock {
  std::vector<TreeCondition> conditions;
  std::vector<TreeLeaf> leaves;
};
struct TreeEnsemble {
  std::vector<TreeBlock> blocks;
  std::vector<float> base;  ///< of each result
  int64_t results = 1;
  int64_t used = 0, first_used = 0;  ///< how many results leaves have weights for, and the first of them
  bool weights_are_positive = true;  ///< none is below 0
};

/// Of a TreeEnsembleRegressor or TreeEnsembleClassifier; `prefix`: of the attributes that say what leaves weigh. An
/// error where ways don't end, names lead nowhere or there is too much for a chip.
TreeEnsemble read_trees(Context& c, const std::string& prefix, int64_t columns, int64_t results);

/// [rows, results]
Value scores_of(Steps& s, Value x, const TreeEnsemble& trees);

}  // namespace blobsmith::onnx_import::mo
