// The order of execution (middle-end spec §1.2): it decides life times, and so every address.
#include <gtest/gtest.h>

#include "vpu/program/program.hpp"

namespace blobsmith::vpu {
namespace {

struct Net {
  Program p;
  Data* data(const std::string& name) { return p.add_data(name, DataDesc({8})); }
  Stage* stage(const std::string& name, std::vector<Data*> in, std::vector<Data*> out) {
    return p.add_stage(name, StageType::Relu, nullptr, std::move(in), std::move(out));
  }
  std::string order() {
    std::string r;
    for (const Stage* s : p.stages()) r += s->name;
    return r;
  }
};

/// a feeds the branches b-c and d; e joins them.
struct Diamond : Net {
  Data *in = p.add_input("in", DataDesc({8})), *x = data("x"), *y = data("y"), *z = data("z"), *w = data("w"),
       *out = p.add_output("out", DataDesc({8}));
  Stage *a = stage("a", {in}, {x}), *b = stage("b", {x}, {y}), *d = stage("d", {x}, {w}), *c = stage("c", {y}, {z}),
        *e = stage("e", {z, w}, {out});
};

TEST(StageOrder, RunsTheBranchWithTheLowestIdFirstAndCompletely) {
  Diamond n;
  EXPECT_EQ(n.order(), "abcde");
}

TEST(StageOrder, ASuccessorOrderChangesBranchesButNotDependencies) {
  Diamond n;
  n.p.set_successor_order([](const Stage* a, const Stage* b) { return a->id() > b->id(); });
  EXPECT_EQ(n.order(), "adbce");
}

TEST(StageOrder, StartsWithTheLowestInitialStage) {
  Net n;
  Data* in = n.p.add_input("in", DataDesc({8}));
  Data *x = n.data("x"), *y = n.data("y");
  Data *o1 = n.p.add_output("o1", DataDesc({8})), *o2 = n.p.add_output("o2", DataDesc({8}));
  n.stage("a", {in}, {x});
  n.stage("b", {in}, {y});
  n.stage("c", {y}, {o1});
  n.stage("d", {x}, {o2});
  EXPECT_EQ(n.order(), "adbc");
}

TEST(StageOrder, DependenciesWithoutDataCount) {
  Diamond n;
  n.p.add_dependency(n.d, n.b);
  EXPECT_EQ(n.order(), "adbce");
}

TEST(StageOrder, ACycleIsAnError) {
  Diamond n;
  n.p.add_dependency(n.e, n.b);
  EXPECT_THROW(n.p.stages(), Error);
}

TEST(StageOrder, AnInjectedStageRidesOnItsCarrierAndComesBackWithItsId) {
  Diamond n;
  n.b->type = StageType::MyriadXHwOp;
  n.p.inject(n.b, n.d);
  EXPECT_EQ(n.order(), "abce");
  EXPECT_EQ(n.b->output_count(), 2);
  EXPECT_EQ(n.w->producer_stage(), n.b);
  n.p.revert_injection(n.b);
  EXPECT_EQ(n.order(), "abcde");
  EXPECT_EQ(n.w->producer_stage(), n.d);
  EXPECT_EQ(n.x->consumers().back().stage, n.d);
}

}  // namespace
}  // namespace blobsmith::vpu
