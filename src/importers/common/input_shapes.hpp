// The shapes of a model's inputs: what the file says, what the user says, and what is left open.
#pragma once
#include <optional>
#include <string>

#include "graph/graph.hpp"

namespace blobsmith::importers {

/// How the user can state a shape: as the model has it, with "?" for what it leaves open.
std::string shape_option(const std::string& input, const std::optional<Shape>& shape);
/// A stated shape, where kDynamic takes what the model has, or 1 for a batch that it leaves open. Throws ShapeMismatch
/// where the model has another number of axes and one is taken.
Shape completed(const std::string& input, Shape stated, const std::optional<Shape>& own);
/// An open batch, when all else is known, becomes 1; tells whether it was so.
bool close_batch(Shape& shape);
/// What is said of that.
Remark batch_remark(const std::string& input);
/// `input 'x' has the open shape [1,?,80]`, with the options that state those of all `open` inputs.
Error open_shapes(const std::vector<std::pair<std::string, std::optional<Shape>>>& open);

}  // namespace blobsmith::importers
