// Where a blob holds the tensors of its network, when, and under which name.
#include <gtest/gtest.h>

#include "passes_fixture.hpp"
#include "vpu/blob/trace.hpp"

namespace blobsmith::vpu {
namespace {

class BlobTrace : public PassTest {
 protected:
  Data* placed(const std::string& name, std::vector<int64_t> dims, Location location = Location::BSS,
               int64_t offset = 0) {
    return place(p.add_data(name, DataDesc(std::move(dims))), location, offset);
  }
  static Data* place(Data* d, Location location, int64_t offset) {
    d->placement = {location, offset};
    d->dims_placement = d->strides_placement = {Location::Blob, 0};
    return d;
  }
  Data* input() { return place(p.add_input("in", DataDesc(Dims{8, 8, 4, 1})), Location::Input, 0); }
  void copy(Data* from, Data* to) { add_copy(p, "copy of " + from->name, nullptr, from, to, "test"); }

  std::vector<TracedTensor> traced() { return trace_tensors(p); }
  std::vector<std::string> names() {
    std::vector<std::string> r;
    for (const TracedTensor& t : traced()) r.push_back(t.name);
    return r;
  }
  TracedTensor find(const std::string& name) {
    for (TracedTensor& t : traced())
      if (t.name == name) return t;
    ADD_FAILURE() << name << " is not traced";
    return {};
  }
};
using Names = std::vector<std::string>;

TEST_F(BlobTrace, ATensorIsCompleteBehindTheStageThatWritesIt) {
  Data *a = placed("a", {8, 8, 4, 1}, Location::CMX, 128), *b = placed("b", {8, 8, 4, 1});
  relu("first", input(), a);
  relu("second", a, b);
  const auto list = traced();
  ASSERT_EQ(list.size(), 2U) << "the input is no result";
  EXPECT_EQ(list[0].name, "a");
  EXPECT_EQ(list[0].stage, 0);
  EXPECT_EQ(list[0].record.location, Location::CMX);
  EXPECT_EQ(list[0].record.offset, 128U);
  EXPECT_EQ(list[0].record.desc.dims, (Dims{8, 8, 4, 1}));
  EXPECT_EQ(list[0].record.desc.strides, (Dims{2, 16, 128, 512}));
  EXPECT_EQ(list[1].name, "b");
  EXPECT_EQ(list[1].stage, 1);
}

TEST_F(BlobTrace, AnOutputStatesItsNumberAndSize) {
  Data* out = place(p.add_output("out", DataDesc(Dims{8, 8, 4, 1})), Location::Output, 0);
  relu("layer", input(), out);
  EXPECT_EQ(find("out").record.io.index, 0U);
  EXPECT_EQ(find("out").record.io.bytes, 512U);
}

TEST_F(BlobTrace, AConcatIsCompleteWhenTheLastOfItsInputsIs) {
  Data *x = input(), *a = placed("a", {8, 8, 4, 1}), *b = placed("b", {8, 8, 4, 1}),
       *both = placed("both", {8, 8, 8, 1}), *c = placed("c", {8, 8, 8, 1});
  relu("first", x, a);
  relu("second", x, b);
  add_concat(p, "concat", layer("concat", "Concat"), Dim::C, {a, b}, both);
  relu("third", both, c);
  EXPECT_EQ(find("both").stage, std::max(find("a").stage, find("b").stage));
  EXPECT_EQ(find("both").stage, 1) << "a concat is no stage of the blob";
  EXPECT_EQ(find("c").stage, 2);
}

TEST_F(BlobTrace, WhatHasNoPlaceOrIsAnotherLayersIsLeftOut) {
  Data *x = input(), *nowhere = p.add_data("nowhere", DataDesc(Dims{8, 8, 4, 1})),
       *activated = placed("activated", {8, 8, 4, 1}), *dynamic = placed("dynamic", {8, 8, 4, 1});
  activated->marks.activated = true;
  dynamic->dims_placement.location = Location::BSS;
  relu("1", x, nowhere);
  relu("2", x, activated);
  relu("3", x, dynamic);
  EXPECT_EQ(names(), Names{});
}

TEST_F(BlobTrace, AViewThatNoStageReadsHasItsPlaceAllTheSame) {
  Data *a = placed("a", {8, 8, 4, 1}), *view = placed("view", {64, 4});
  view->dims_placement.location = view->strides_placement.location = Location::None;
  relu("layer", input(), a);
  add_reshape(p, "reshape", layer("reshape", "Reshape"), a, view);
  EXPECT_EQ(find("view").stage, 0);
}

// ---- copies ----

TEST_F(BlobTrace, ACopyStandsForATensorThatIsGone) {
  relu("layer", input(), placed("a@adjust-strides@copy", {8, 8, 4, 1}));
  EXPECT_EQ(names(), Names{"a"});
}

TEST_F(BlobTrace, ACopyKeepsItsNameBesideTheOriginal) {
  Data *a = placed("a", {8, 8, 4, 1}), *moved = placed("a@copy", {8, 8, 4, 1});
  relu("layer", input(), a);
  copy(a, moved);
  EXPECT_EQ(names(), (Names{"a", "a@copy"}));
}

TEST_F(BlobTrace, OfTwoCopiesTheFirstStandsForTheOriginal) {
  Data *a = placed("a@adjust-strides", {8, 8, 4, 1}), *moved = placed("a@adjust-strides@DDR-copy", {8, 8, 4, 1});
  relu("layer", input(), a);
  copy(a, moved);
  EXPECT_EQ(names(), (Names{"a", "a@adjust-strides@DDR-copy"}));
}

TEST_F(BlobTrace, OtherPostfixesMeanOtherValues) {
  relu("layer", input(), placed("a@pre-bias", {8, 8, 4, 1}));
  EXPECT_EQ(names(), Names{"a@pre-bias"});
}

// ---- parts ----

TEST_F(BlobTrace, TilesOfChannelsArePartsOfTheirLayer) {
  Data* x = input();
  relu("1", x, placed("conv@tile=1/2@adjust-strides", {8, 8, 4, 1}));
  relu("2", x, placed("conv@tile=2/2", {8, 8, 4, 1}));
  const auto list = traced();
  ASSERT_EQ(list.size(), 2U);
  for (int i = 0; i < 2; ++i) {
    const TracedTensor& t = list[static_cast<size_t>(i)];
    EXPECT_EQ(t.name, "conv");
    EXPECT_EQ(t.stage, i);
    EXPECT_EQ(t.part.index, i);
    EXPECT_EQ(t.part.count, 2);
    EXPECT_EQ(t.part.axis, 1) << "of N, C, H, W";
  }
}

TEST_F(BlobTrace, ItemsOfTheBatchArePartsAlongTheOutermostAxis) {
  relu("1", input(), placed("conv@batch=3/3", {8, 8, 4, 1}));
  const TracedTensor t = find("conv");
  EXPECT_EQ(t.part.index, 2);
  EXPECT_EQ(t.part.count, 3);
  EXPECT_EQ(t.part.axis, 0);
}

TEST_F(BlobTrace, AnItemInsideALoopIsOneTurnOfItsLayer) {
  relu("1", input(), placed("conv@loop", {8, 8, 4, 1}));
  EXPECT_EQ(find("conv").part.count, 1);
}

TEST_F(BlobTrace, PartsKeepTheirNamesBesideTheWhole) {
  Data *x = input(), *first = placed("conv@tile=1/2", {8, 8, 4, 1}), *second = placed("conv@tile=2/2", {8, 8, 4, 1}),
       *whole = placed("conv@adjust-strides", {8, 8, 8, 1});
  relu("1", x, first);
  relu("2", x, second);
  add_concat(p, "concat", layer("concat", "Concat"), Dim::C, {first, second}, whole);
  EXPECT_EQ(find("conv").part.count, 1);
  EXPECT_EQ(find("conv").record.desc.dims, (Dims{8, 8, 8, 1}));
  EXPECT_EQ(names().size(), 3U);
  find("conv@tile=1/2");
}

TEST_F(BlobTrace, ANameThatOnlyLooksLikeAPartIsNone) {
  Data* x = input();
  for (const char* name : {"a@tile=3/2", "b@tile=0/2", "c@tile=x/2", "d@tile=1", "e@tile=1/2b"})
    relu(name, x, placed(name, {8, 8, 4, 1}));
  EXPECT_EQ(names(), (Names{"a@tile=3/2", "b@tile=0/2", "c@tile=x/2", "d@tile=1", "e@tile=1/2b"}));
}

}  // namespace
}  // namespace blobsmith::vpu
