// Shape inference of the operations (front-end spec §15.1).
#include "graph/ops/prior_box.hpp"
#include "graph_fixture.hpp"

namespace blobsmith {
namespace {

using Infer = GraphTest;

TEST_F(Infer, ConvolutionRoundsDown) {
  EXPECT_EQ(shape("Convolution", {input({1, 3, 32, 33}), input({8, 3, 3, 3})},
                  attributes({{"strides", List{2, 2}}, {"pads_begin", List{1, 1}}, {"pads_end", List{1, 1}}})),
            (Shape{1, 8, 16, 17}));
}

TEST_F(Infer, ConvolutionKernelReachesOverDilation) {
  EXPECT_EQ(shape("Convolution", {input({1, 3, 10, 10}), input({8, 3, 3, 3})}, attributes({{"dilations", List{2, 3}}})),
            (Shape{1, 8, 6, 4}));
}

TEST_F(Infer, SameUpperPutsTheOddPadAtTheEnd) {
  const Node* n = make("Convolution", {input({1, 3, 7, 8}), input({8, 3, 2, 3})},
                       attributes({{"auto_pad", std::string("same_upper")}, {"strides", List{1, 2}}}));
  EXPECT_EQ(n->shape(), (Shape{1, 8, 7, 4}));
  EXPECT_EQ(n->attrs.integers("pads_begin"), (List{0, 0}));
  EXPECT_EQ(n->attrs.integers("pads_end"), (List{1, 1}));
}

TEST_F(Infer, SameLowerPutsTheOddPadInFront) {
  const Node* n = make("MaxPool", {input({1, 3, 7, 7})},
                       attributes({{"auto_pad", std::string("same_lower")}, {"kernel", List{2, 2}}}));
  EXPECT_EQ(n->shape(), (Shape{1, 3, 7, 7}));
  EXPECT_EQ(n->attrs.integers("pads_begin"), (List{1, 1}));
  EXPECT_EQ(n->attrs.integers("pads_end"), (List{0, 0}));
}

TEST_F(Infer, ValidDropsPads) {
  EXPECT_EQ(shape("AvgPool", {input({1, 3, 7, 7})},
                  attributes({{"auto_pad", std::string("valid")},
                              {"kernel", List{3, 3}},
                              {"pads_begin", List{1, 1}},
                              {"pads_end", List{1, 1}}})),
            (Shape{1, 3, 5, 5}));
}

TEST_F(Infer, PoolingRoundsAsTold) {
  const auto pool = [&](const char* rounding) {
    return shape(
        "MaxPool", {input({1, 3, 8, 8})},
        attributes({{"kernel", List{3, 3}}, {"strides", List{2, 2}}, {"rounding_type", std::string(rounding)}}));
  };
  EXPECT_EQ(pool("floor"), (Shape{1, 3, 3, 3}));
  EXPECT_EQ(pool("ceil"), (Shape{1, 3, 4, 4}));
}

TEST_F(Infer, GroupConvolutionCountsChannelsPerGroup) {
  EXPECT_EQ(shape("GroupConvolution", {input({1, 6, 5, 5}), input({3, 4, 2, 3, 3})}), (Shape{1, 12, 3, 3}));
  expect_layer_error(ErrorCode::ShapeMismatch, "channel count",
                     [&] { make("GroupConvolution", {input({1, 7, 5, 5}), input({3, 4, 2, 3, 3})}); });
}

TEST_F(Infer, BackpropOutputFollowsFromAttributes) {
  EXPECT_EQ(shape("ConvolutionBackpropData", {input({1, 4, 5, 5}), input({4, 6, 3, 3})},
                  attributes({{"strides", List{2, 2}},
                              {"pads_begin", List{1, 1}},
                              {"pads_end", List{1, 1}},
                              {"output_padding", List{1, 1}}})),
            (Shape{1, 6, 10, 10}));
  EXPECT_EQ(shape("GroupConvolutionBackpropData", {input({1, 4, 5, 5}), input({2, 2, 3, 2, 2})},
                  attributes({{"strides", List{2, 2}}})),
            (Shape{1, 6, 10, 10}));
}

TEST_F(Infer, BackpropKeepsExplicitPadsBesideAnOutputShape) {
  const Node* n = make("ConvolutionBackpropData", {input({1, 4, 6, 6}), input({4, 5, 4, 4}), integers({12, 13})},
                       attributes({{"strides", List{2, 2}}, {"pads_begin", List{1, 1}}, {"pads_end", List{1, 1}}}));
  EXPECT_EQ(n->shape(), (Shape{1, 5, 12, 13}));
  EXPECT_EQ(n->attrs.integers("pads_begin"), (List{1, 1}));
  EXPECT_EQ(n->attrs.integers("pads_end"), (List{1, 1}));
}

TEST_F(Infer, InterpolateAddsAMillionthToScales) {
  const Attributes a =
      attributes({{"mode", std::string("nearest")}, {"shape_calculation_mode", std::string("scales")}});
  EXPECT_EQ(shape("Interpolate", {input({1000}), integers({1}), reals({1}, {1.9999995F}), integers({0})}, a, 4),
            (Shape{2000}));
  EXPECT_EQ(shape("Interpolate", {input({1000}), integers({1}), reals({1}, {1.99999F}), integers({0})}, a, 4),
            (Shape{1999}));
}

TEST_F(Infer, BackpropPadsFollowFromTheOutputShapeForSame) {
  const Node* n = make("ConvolutionBackpropData", {input({1, 4, 5, 5}), input({4, 6, 4, 4}), integers({10, 9})},
                       attributes({{"strides", List{2, 2}}, {"auto_pad", std::string("same_upper")}}));
  EXPECT_EQ(n->shape(), (Shape{1, 6, 10, 9}));
  EXPECT_EQ(n->attrs.integers("pads_begin"), (List{1, 2}));
  EXPECT_EQ(n->attrs.integers("pads_end"), (List{1, 1}));
}

TEST_F(Infer, ElementwiseBroadcastsFromTheRight) {
  EXPECT_EQ(shape("Add", {input({4, 1, 3}), input({5, 1})}), (Shape{4, 5, 3}));
  EXPECT_EQ(shape("Multiply", {input({}), input({2, 2})}), (Shape{2, 2}));
  expect_layer_error(ErrorCode::ShapeMismatch, "inconsistent", [&] { make("Add", {input({4, 2}), input({3})}); });
  expect_layer_error(ErrorCode::TypeMismatch, "element types",
                     [&] { make("Add", {input({3}), input({3}, ElementType::f16)}); });
}

TEST_F(Infer, ComparisonsAreBooleanUntilBooleansAreReplaced) {
  Node* n = make("Less", {input({3}), input({3})});
  EXPECT_EQ(n->element_type(), ElementType::boolean);
  g.set_outputs(n, {{ElementType::i32, n->shape()}});
  infer(g, n);
  EXPECT_EQ(n->element_type(), ElementType::i32);
}

TEST_F(Infer, ReshapeFillsInZerosAndOneOpenDimension) {
  EXPECT_EQ(shape("Reshape", {input({2, 3, 4}), integers({0, -1})}), (Shape{2, 12}));
  EXPECT_EQ(shape("Reshape", {input({2, 3, 4}), integers({4, 0, -1})}), (Shape{4, 3, 2}));
  EXPECT_EQ(shape("Reshape", {input({1}), integers({})}), (Shape{}));
  expect_layer_error(ErrorCode::ShapeMismatch, "incompatible",
                     [&] { make("Reshape", {input({2, 3}), integers({7})}); });
  expect_layer_error(ErrorCode::ShapeMismatch, "-1", [&] { make("Reshape", {input({2, 3}), integers({-1, -1})}); });
}

TEST_F(Infer, ShapesComputedFromShapesAreKnown) {
  const Value x = input({1, 16, 4, 5});
  const Value dims = make("ShapeOf", {x}, {}, 3)->value();
  const Value batch = make("Gather", {dims, integers({0}), scalar(0)}, {}, 7)->value();
  const Value pattern = make("Concat", {batch, integers({-1})}, attributes({{"axis", int64_t{0}}}))->value();
  EXPECT_EQ(shape("Reshape", {x, pattern}), (Shape{1, 320}));
}

TEST_F(Infer, SqueezeAndUnsqueeze) {
  EXPECT_EQ(shape("Squeeze", {input({1, 3, 1, 2})}), (Shape{3, 2}));
  EXPECT_EQ(shape("Squeeze", {input({1, 3, 1, 2}), integers({-2})}), (Shape{1, 3, 2}));
  EXPECT_EQ(shape("Unsqueeze", {input({3, 2}), integers({0, -1})}), (Shape{1, 3, 2, 1}));
  expect_layer_error(ErrorCode::ShapeMismatch, "size 1", [&] { make("Squeeze", {input({2}), integers({0})}); });
}

TEST_F(Infer, TransposeReversesWithoutAnOrder) {
  EXPECT_EQ(shape("Transpose", {input({2, 3, 4}), integers({})}), (Shape{4, 3, 2}));
  EXPECT_EQ(shape("Transpose", {input({2, 3, 4}), integers({0, 2, 1})}), (Shape{2, 4, 3}));
  expect_layer_error(ErrorCode::ShapeMismatch, "not valid",
                     [&] { make("Transpose", {input({2, 3}), integers({0, 0})}); });
}

TEST_F(Infer, ConcatAndSplit) {
  EXPECT_EQ(shape("Concat", {input({1, 2, 3}), input({1, 5, 3})}, attributes({{"axis", int64_t{-2}}})),
            (Shape{1, 7, 3}));
  const Node* split = make("VariadicSplit", {input({1, 7}), scalar(1), integers({2, -1, 1})});
  EXPECT_EQ(split->shape(1), (Shape{1, 4}));
  expect_layer_error(ErrorCode::ShapeMismatch, "evenly divisible",
                     [&] { make("Split", {input({1, 7}), scalar(1)}, attributes({{"num_splits", int64_t{2}}})); });
}

TEST_F(Infer, StridedSliceUnderstandsMasks) {
  const auto slice = [&](List begin, List end, List strides, Attributes masks = {}) {
    return shape("StridedSlice",
                 {input({2, 5, 8}), integers(std::move(begin)), integers(std::move(end)), integers(std::move(strides))},
                 std::move(masks));
  };
  EXPECT_EQ(slice({0, 1, 0}, {2, 4, 8}, {1, 1, 3}), (Shape{2, 3, 3}));
  EXPECT_EQ(slice({0, -1}, {2, -6}, {1, -2}), (Shape{2, 3, 8}));
  EXPECT_EQ(slice({0, 0}, {0, INT64_MAX}, {1, 2}, attributes({{"begin_mask", List{1, 1}}, {"end_mask", List{1, 0}}})),
            (Shape{2, 3, 8}));
  EXPECT_EQ(slice({1}, {2}, {1}, attributes({{"shrink_axis_mask", List{1}}})), (Shape{5, 8}));
  EXPECT_EQ(slice({0, 0}, {1, 4}, {1, 1}, attributes({{"ellipsis_mask", List{1, 0}}})), (Shape{2, 5, 4}));
  EXPECT_EQ(slice({0, 0}, {0, 1}, {1, 1}, attributes({{"new_axis_mask", List{1, 0}}})), (Shape{1, 1, 5, 8}));
  expect_layer_error(ErrorCode::ShapeMismatch, "All masks", [&] {
    slice({0, 0}, {1, 1}, {1, 1}, attributes({{"begin_mask", List{1}}, {"end_mask", List{1, 1}}}));
  });
  expect_layer_error(ErrorCode::ShapeMismatch, "fit",
                     [&] { slice({5}, {6}, {1}, attributes({{"shrink_axis_mask", List{1}}})); });
  expect_layer_error(ErrorCode::ShapeMismatch, "fit", [&] { slice({0}, {6}, {0}); });
}

TEST_F(Infer, GatherKeepsBatchDimensionsOnce) {
  EXPECT_EQ(shape("Gather", {input({5, 6, 7}), integers({0, 2}), scalar(-2)}, {}, 1), (Shape{5, 2, 7}));
  EXPECT_EQ(shape("Gather", {input({5, 6, 7}), input({5, 3}, ElementType::i64), scalar(1)},
                  attributes({{"batch_dims", int64_t{1}}}), 7),
            (Shape{5, 3, 7}));
}

TEST_F(Infer, BroadcastModes) {
  EXPECT_EQ(shape("Broadcast", {input({3, 1}), integers({2, 3, 4})}, {}, 3), (Shape{2, 3, 4}));
  EXPECT_EQ(
      shape("Broadcast", {input({3, 1}), integers({1, 4})}, attributes({{"mode", std::string("bidirectional")}}), 3),
      (Shape{3, 4}));
  EXPECT_EQ(shape("Broadcast", {input({3}), integers({2, 3, 4}), integers({1})},
                  attributes({{"mode", std::string("explicit")}}), 1),
            (Shape{2, 3, 4}));
  expect_layer_error(ErrorCode::ShapeMismatch, "broadcast",
                     [&] { make("Broadcast", {input({3}), integers({2})}, {}, 3); });
}

TEST_F(Infer, MatMulTreatsVectorsAsRowsAndColumns) {
  EXPECT_EQ(shape("MatMul", {input({2, 3, 4}), input({4, 5})}), (Shape{2, 3, 5}));
  EXPECT_EQ(shape("MatMul", {input({4}), input({2, 5, 4})}, attributes({{"transpose_b", true}})), (Shape{2, 5}));
  EXPECT_EQ(shape("MatMul", {input({3, 4}), input({4})}), (Shape{3}));
  EXPECT_EQ(shape("MatMul", {input({4}), input({4})}), (Shape{}));
  expect_layer_error(ErrorCode::ShapeMismatch, "Incompatible", [&] { make("MatMul", {input({3, 4}), input({3, 4})}); });
}

TEST_F(Infer, InterpolateBySizesOrScales) {
  const auto attrs = [](const char* mode) {
    return attributes({{"mode", std::string("nearest")}, {"shape_calculation_mode", std::string(mode)}});
  };
  EXPECT_EQ(shape("Interpolate", {input({1, 3, 5, 5}), integers({7, 9}), reals({2}, {1, 1}), integers({2, 3})},
                  attrs("sizes"), 4),
            (Shape{1, 3, 7, 9}));
  EXPECT_EQ(shape("Interpolate", {input({1, 3, 5, 5}), integers({1, 1}), reals({2}, {2, 1.7F}), integers({2, 3})},
                  attrs("scales"), 4),
            (Shape{1, 3, 10, 8}));
}

TEST_F(Infer, ReductionsDropOrKeepAxes) {
  EXPECT_EQ(shape("ReduceMean", {input({2, 3, 4}), integers({-1, 0})}), (Shape{3}));
  EXPECT_EQ(shape("ReduceMax", {input({2, 3, 4}), integers({1})}, attributes({{"keep_dims", true}})), (Shape{2, 1, 4}));
}

TEST_F(Infer, DynamicOperationsLeaveDimensionsOpen) {
  const Node* nms = make("NonMaxSuppression", {input({1, 10, 4}), input({1, 2, 10}), scalar(3)}, {}, 5);
  EXPECT_EQ(nms->shape(0), (Shape{kDynamic, 3}));
  EXPECT_EQ(shape("NonZero", {input({4, 4})}), (Shape{2, kDynamic}));
  EXPECT_EQ(
      shape("Gather",
            {nms->inputs()[0].node->value(), make("Squeeze", {nms->inputs()[2].node->value()})->value(), scalar(1)}, {},
            7),
      (Shape{1, 4}));
}

TEST_F(Infer, PriorBoxesAreCounted) {
  const Attributes a = attributes({{"min_size", std::vector<double>{16}},
                                   {"max_size", std::vector<double>{32}},
                                   {"aspect_ratio", std::vector<double>{2, 3}},
                                   {"flip", true}});
  EXPECT_EQ(prior_count(a), 6);
  EXPECT_EQ(shape("PriorBox", {integers({4, 5}), integers({64, 80})}, a), (Shape{2, 4 * 6 * 20}));
  EXPECT_EQ(shape("PriorBoxIE", {input({1, 8, 4, 5}), input({1, 3, 64, 80})}, a), (Shape{1, 2, 4 * 6 * 20}));
}

TEST_F(Infer, LegacyFullyConnectedReadsUnflattenedInput) {
  EXPECT_EQ(shape("FullyConnected", {input({2, 3, 4, 5}), input({7, 60})}), (Shape{2, 7}));
  EXPECT_EQ(shape("FullyConnected", {input({2, 3, 5}), input({7, 5})}), (Shape{2, 3, 7}));
}

TEST_F(Infer, DefaultsAreMaterialised) {
  const Node* n =
      make("TopK", {input({1, 9}), scalar(3)},
           attributes({{"axis", int64_t{1}}, {"mode", std::string("max")}, {"sort", std::string("value")}}), 3);
  EXPECT_EQ(n->attrs.text("index_element_type"), "i32");
  EXPECT_EQ(n->shape(1), (Shape{1, 3}));
  expect_layer_error(ErrorCode::BadAttribute, "missing mandatory attribute 'axis'",
                     [&] { make("Concat", {input({1})}); });
}

TEST_F(Infer, VersionsTellRevisionsApart) {
  EXPECT_TRUE(is_known_operation("MVN", 0));
  EXPECT_TRUE(is_known_operation("MVN", 6));
  EXPECT_FALSE(is_known_operation("MVN", 3));
  EXPECT_TRUE(is_known_operation("Convolution", 1)) << "the only revision goes by any number";
  EXPECT_FALSE(is_known_operation("Unheard", 0));
  expect_layer_error(ErrorCode::UnknownOperation, "Unheard", [&] { make("Unheard", {}); });
}

TEST_F(Infer, OverflowingShapesAreErrors) {
  const Value big = input({1 << 30, 1 << 30, 1 << 30});
  expect_layer_error(ErrorCode::ShapeMismatch, "", [&] { make("Reshape", {big, integers({-1})}); });
  expect_layer_error(ErrorCode::ShapeMismatch, "",
                     [&] { make("Tile", {input({1 << 20}), integers({int64_t{1} << 60})}); });
  expect_layer_error(ErrorCode::BadAttribute, "out of range",
                     [&] { make("Softmax", {input({2, 2})}, attributes({{"axis", INT64_MAX}})); });
}

}  // namespace
}  // namespace blobsmith
