#include "graph/numbering.hpp"

#include "graph_fixture.hpp"

namespace blobsmith {
namespace {

class Numbering : public GraphTest {
 protected:
  /// 0 as a vector, which shape inference knows although it is not a constant.
  Value known_zero() {
    const Value sizes = g.make("ShapeOf", {input({4, 8})})->value();
    const Value first = g.make("Gather", {sizes, integers({0}), scalar(0)}, {}, 1)->value();
    return g.make("Multiply", {first, integers({0})})->value();
  }
  Value padded(Value end) {
    return g.make("Pad", {integers({32, 1}), integers({0}), end}, attributes({{"pad_mode", "constant"}}), 1)->value();
  }
};

TEST_F(Numbering, KnownPadsAndBlocksAreMadeConstantsByInference) {
  EXPECT_EQ(numbering::of_inference(*padded(integers({0})).node), 0);
  EXPECT_EQ(numbering::of_inference(*padded(known_zero()).node), 1);
  const Value x = input({1, 8}), block = integers({1, 2}),
              pads = g.make("Concat", {known_zero(), integers({0})}, attributes({{"axis", 0}}))->value();
  EXPECT_EQ(numbering::of_inference(*make("SpaceToBatch", {x, block, pads, pads})), 2);
}

TEST_F(Numbering, AValueIsEvaluatedOnce) {
  const Value pattern = padded(known_zero());
  const Node* first = g.make("Reshape", {input({4, 8}), pattern});
  const Node* second = g.make("Reshape", {input({4, 8}), pattern});
  std::set<numbering::Port> bounded;
  EXPECT_EQ(numbering::of_new_evaluations(*first, bounded), 1) << "the end of the Pad, as a constant";
  EXPECT_EQ(numbering::of_new_evaluations(*second, bounded), 0);
}

TEST_F(Numbering, SizesThatAreComputedAreMadeAConstantAndEachConvertCounts) {
  const auto resized = [&](Value sizes, const char* by) {
    return make("Interpolate", {input({1, 3, 4, 8}), sizes, reals({2}, {1, 1}), integers({2, 3})},
                attributes({{"mode", "nearest"}, {"shape_calculation_mode", by}}), 4);
  };
  const Value real = g.make("Convert", {integers({4, 8})}, attributes({{"destination_type", "f32"}}))->value();
  const Value sizes = g.make("Convert", {real}, attributes({{"destination_type", "i64"}}))->value();
  std::set<numbering::Port> bounded;
  const Node* n = resized(sizes, "sizes");
  EXPECT_EQ(numbering::of_inference(*n), 1);
  EXPECT_EQ(numbering::of_new_evaluations(*n, bounded), 8);
  EXPECT_EQ(numbering::of_inference(*resized(sizes, "scales")), 0);
  EXPECT_EQ(numbering::of_inference(*resized(integers({4, 8}), "sizes")), 0);
}

TEST_F(Numbering, ACropOfOneIsNoUnknownSize) {
  EXPECT_EQ(shape("BatchToSpace", {input({2, 8, 3}), integers({1, 2, 1}), integers({0, 1, 0}), integers({0, 0, 0})}),
            (Shape{1, 15, 3}));
}

}  // namespace
}  // namespace blobsmith
