#include <gtest/gtest.h>

#include "vpu/memory/fixed_data.hpp"
#include "vpu/memory/shape_records.hpp"

namespace blobsmith::vpu {
namespace {

const DataDesc kImage({21, 19, 13, 1});  // W H C N, FP16

StridesRequirement hw_rows() { return StridesRequirement::standard().set(1, StrideRule::Aligned); }

TEST(MemoryStrides, HardwareRowsBeginAtMultiplesOf16Bytes) {
  const DimValues s = compute_strides(kImage, hw_rows());
  EXPECT_EQ(s, (DimValues{{Dim::W, 2}, {Dim::H, 48}, {Dim::C, 912}, {Dim::N, 11856}}));
  EXPECT_EQ(byte_size(kImage, s), 11856);
}

TEST(MemoryStrides, DemandsAreCheckedPerMemoryPosition) {
  const DimValues aligned = compute_strides(kImage, hw_rows());
  EXPECT_TRUE(strides_satisfy(kImage, aligned, StridesRequirement::standard().set(2, StrideRule::Compact)));
  EXPECT_FALSE(strides_satisfy(kImage, aligned, StridesRequirement::compact()));  // rows are padded
  const DimValues compact = compute_strides(kImage, StridesRequirement::compact());
  EXPECT_FALSE(strides_satisfy(kImage, compact, hw_rows()));
  EXPECT_TRUE(strides_satisfy(kImage, compact, StridesRequirement::any()));
}

TEST(MemoryStrides, AnEarlierDemandStaysAndOpenPositionsAreFilled) {
  Program p;
  Data* d = p.add_data("d", DataDesc({8, 4, 2}));
  d->update_required_strides(hw_rows());
  d->update_required_strides(StridesRequirement::compact().remove(1));
  EXPECT_EQ(d->required_strides.at(1), StrideRule::Aligned);
  EXPECT_EQ(d->required_strides.at(2), StrideRule::Compact);
}

TEST(MemoryStrides, ARegionHasItsParentsStridesAndAReshapeItsOwn) {
  Program p;
  Data* whole = p.add_data("whole", kImage);
  whole->required_strides = hw_rows();
  Data* part = p.add_data("part", kImage.with_dim(Dim::C, 5));
  Data* flat = p.add_data("flat", DataDesc({13 * 19 * 21}));
  p.connect(whole, part, Sharing::Mode::ROI, Sharing::Direction::ChildWritesToParent, {{Dim::C, 8}}, nullptr);
  p.connect(whole, flat, Sharing::Mode::Reshape, Sharing::Direction::ParentWritesToChild, {}, nullptr);
  EXPECT_EQ(part->strides(), whole->strides());
  EXPECT_EQ(flat->strides()[Dim::C], 2);
  whole->placement = {Location::BSS, 640};
  place_children(whole);
  EXPECT_EQ(part->placement.offset, 640 + 8 * 912);
  EXPECT_EQ(flat->placement.offset, 640);
}

TEST(FixedData, InputsOutputsAndConstantsHaveCountersOfTheirOwn) {
  Program p;
  p.batch_size = 3;
  const auto bytes = [](size_t n) { return Bytes::adopt(std::vector<uint8_t>(n)); };
  Data* in = p.add_input("in", DataDesc(DataType::U8, {5, 1}));
  Data* in2 = p.add_input("in2", DataDesc(DataType::U8, {7, 1}));
  Data* out = p.add_output("out", DataDesc({10, 1}));
  Data* once = p.add_output("once", DataDesc({10, 1}));
  once->marks.unbatched = true;
  Data* c1 = p.add_const("c1", DataDesc({3}), bytes(6));
  Data* c2 = p.add_const("c2", DataDesc({3}), bytes(6));
  const Program::MemorySizes sizes = place_fixed_data(p);
  EXPECT_EQ(in->marks.io_offset, 0);
  EXPECT_EQ(in2->marks.io_offset, 64);
  EXPECT_EQ(sizes.inputs, 64 + 3 * 7);
  EXPECT_EQ(out->marks.batch, 3);
  EXPECT_EQ(once->marks.io_offset, 64);
  EXPECT_EQ(sizes.outputs, 64 + 20);
  EXPECT_EQ(c1->placement.offset, 0);
  EXPECT_EQ(c2->placement.offset, 64);
  EXPECT_EQ(sizes.blob, 128);
}

TEST(FixedData, WhatABlobCannotAddressIsAnError) {
  Program p;
  p.add_input("in", DataDesc({1 << 20, 1 << 20}));
  EXPECT_THROW(place_fixed_data(p), Error);
}

TEST(ShapeRecords, EqualSizesShareTheirDimsAndNeverTheirStrides) {
  Program p;
  Data* a = p.add_input("a", kImage);
  Data* b = p.add_data("b", kImage);
  Data* c = p.add_output("c", kImage.reordered(orders::NHWC));
  Data* unread = p.add_input("unread", DataDesc({4}));
  p.add_stage("s1", StageType::Relu, nullptr, {a}, {b});
  p.add_stage("s2", StageType::Permute, nullptr, {b}, {c});
  EXPECT_EQ(place_shape_records(p, 100), 100 + 5 * 16 + 2 * 4);
  EXPECT_EQ(a->dims_placement.offset, 100);
  EXPECT_EQ(a->strides_placement.offset, 116);
  EXPECT_EQ(b->dims_placement.offset, 100);
  EXPECT_EQ(b->strides_placement.offset, 132);
  EXPECT_EQ(c->dims_placement.offset, 148);  // another order: another record
  EXPECT_EQ(unread->dims_placement.offset, 180);
}

}  // namespace
}  // namespace blobsmith::vpu
