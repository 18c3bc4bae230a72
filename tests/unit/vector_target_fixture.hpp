// Tests that run once for each kind of vector instructions that this processor has (Highway).
#pragma once
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cstdint>
#include <string>
#include <vector>

namespace blobsmith::testing {

class VectorTarget : public ::testing::TestWithParam<int64_t> {
 public:
  static std::vector<int64_t> all() {
    std::vector<int64_t> list;
    for (int64_t rest = hwy::SupportedTargets(); rest != 0; rest &= rest - 1) list.push_back(rest & -rest);
    return list;
  }
  static std::string name(const ::testing::TestParamInfo<int64_t>& target) { return hwy::TargetName(target.param); }

 protected:
  void SetUp() override { hwy::GetChosenTarget().Update(GetParam()); }
  void TearDown() override { hwy::GetChosenTarget().DeInit(); }
};

}  // namespace blobsmith::testing
