#include "importers/common/input_shapes.hpp"

#include <algorithm>

namespace blobsmith::importers {
namespace {

/// "[1,?,80]"
std::string shape_text(const Shape& shape) {
  std::string s;
  for (const int64_t d : shape) s += (s.empty() ? "" : ",") + (d < 0 ? std::string("?") : std::to_string(d));
  return "[" + s + "]";
}

}  // namespace

std::string shape_option(const std::string& input, const std::optional<Shape>& shape) {
  if (!shape || shape->empty()) return "--input-shape " + input + "=1,3,224,224";
  std::string dims;
  for (const int64_t d : *shape)
    dims += (dims.empty() ? "" : ",") + (d > 0 ? std::to_string(d) : dims.empty() ? "1" : "?");
  return "--input-shape " + input + "=" + dims;
}

Shape completed(const std::string& input, Shape stated, const std::optional<Shape>& own) {
  if (is_static(stated)) return stated;
  if (!own || own->size() != stated.size())
    throw Error(ErrorCode::ShapeMismatch, "input '" + input + "' has " +
                                              (own ? std::to_string(own->size()) + " axes in the model, not "
                                                   : "no stated shape in the model to complete ") +
                                              (own ? std::to_string(stated.size()) : shape_text(stated)))
        .hint("state it: " + shape_option(input, own));
  for (size_t i = 0; i < stated.size(); ++i)
    if (stated[i] == kDynamic) stated[i] = (*own)[i];
  if (!stated.empty() && stated[0] == kDynamic) stated[0] = 1;
  return stated;
}

bool close_batch(Shape& shape) {
  if (shape.size() < 2 || shape[0] != kDynamic) return false;
  if (!std::all_of(shape.begin() + 1, shape.end(), [](int64_t d) { return d > 0; })) return false;
  shape[0] = 1;
  return true;
}

Remark batch_remark(const std::string& input) {
  return {Remark::Kind::NotAsIntel, input, "Parameter", {}, "its batch, which the model leaves open, is 1"};
}

Error open_shapes(const std::vector<std::pair<std::string, std::optional<Shape>>>& open) {
  const auto& [input, shape] = open.at(0);
  std::string options;
  for (const auto& [name, own] : open) options += (options.empty() ? "" : " ") + shape_option(name, own);
  return Error(ErrorCode::ShapeMismatch,
               "input '" + input + "' has the open shape " + (shape ? shape_text(*shape) : "[...]"))
      .hint("state it: " + options);
}

}  // namespace blobsmith::importers
