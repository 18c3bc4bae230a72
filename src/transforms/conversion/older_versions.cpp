// Newer versions of operations that the legacy conversion knows in their first version only (front-end spec §5.5).
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

bool shape_of_3_to_1(Rewriter& rw, Node* n) {
  if (n->version != 3) return false;
  Node* shape = rw.make("ShapeOf", n->inputs(), {}, 0);
  if (n->element_type() == ElementType::i64) return rw.replace(n, shape);
  return rw.replace(n, rw.make("Convert", {shape->value()},
                               attributes({{"destination_type", std::string(to_string(n->element_type()))}})));
}

bool top_k_3_to_1(Rewriter& rw, Node* n) {
  if (n->version != 3) return false;
  Attributes attrs = n->attrs;
  attrs.set("index_element_type", "i32");
  Node* top = rw.make("TopK", n->inputs(), attrs, 1);
  // Index types other than i32 are converted back; the legacy TopK has i32 only.
  const bool converts = n->element_type(1) != ElementType::i32 && !n->output(1).uses.empty();
  if (!converts) return rw.replace(n, top);
  Node* index = rw.make("Convert", {top->value(1)},
                        attributes({{"destination_type", std::string(to_string(n->element_type(1)))}}));
  index->name = n->name + ".1";
  if (n->output(0).uses.empty()) return rw.redirect(n->value(1), index->value());
  Node* value = rw.make("Convert", {top->value(0)},
                        attributes({{"destination_type", std::string(to_string(n->element_type(0)))}}));
  value->name = n->name + ".0";
  rw.redirect(n->value(0), value->value());
  return rw.redirect(n->value(1), index->value());
}

// quirk: what opset 8 renewed is brought down to opset 1 by a node of its own, though it is the same here.
bool version_8_to_1(Rewriter& rw, Node* n) {
  return n->version == 8 && rw.replace(n, rw.make(n->type, n->inputs(), n->attrs, 1));
}

bool gather_nd_8_to_5(Rewriter& rw, Node* n) {
  return n->version == 8 && rw.replace(n, rw.make(n->type, n->inputs(), n->attrs, 5));
}

constexpr RewriteRow kGatherNdVersions[] = {
    {{"GatherND"}, gather_nd_8_to_5},
};
constexpr RewriteRow kShapeOfVersions[] = {
    {{"ShapeOf"}, shape_of_3_to_1},
};
constexpr RewriteRow kTopKVersions[] = {
    {{"TopK"}, top_k_3_to_1},
};
constexpr RewriteRow kSoftmaxVersions[] = {
    {{"Softmax"}, version_8_to_1},
};
constexpr RewriteRow kMaxPoolVersions[] = {
    {{"MaxPool"}, version_8_to_1},
};

}  // namespace

std::span<const RewriteRow> gather_nd_versions() { return kGatherNdVersions; }
std::span<const RewriteRow> shape_of_versions() { return kShapeOfVersions; }
std::span<const RewriteRow> top_k_versions() { return kTopKVersions; }
std::span<const RewriteRow> softmax_versions() { return kSoftmaxVersions; }
std::span<const RewriteRow> max_pool_versions() { return kMaxPoolVersions; }

}  // namespace blobsmith::transforms
