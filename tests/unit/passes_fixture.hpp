// Small hand-made Programs for the tests of the passes.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>

#include "program_text.hpp"
#include "vpu/nce/passes.hpp"
#include "vpu/passes/passes.hpp"
#include "vpu/program/builders.hpp"
#include "vpu/program/contents.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {

class PassTest : public ::testing::Test {
 protected:
  Program p;

  /// The stages and data that the text says, see program_text.hpp.
  void read(std::string_view text) { text_.read(text); }
  Data* data(const std::string& name) const { return text_.data(name); }
  Stage* stage(const std::string& name) const { return text_.stage(name); }

  static LayerPtr layer(std::string name, std::string type) {
    return std::make_shared<const Layer>(Layer{std::move(name), std::move(type), {}, {}, 0});
  }
  Stage* relu(const std::string& name, Data* in, Data* out) {
    return add_relu(p, name, layer(name, "ReLU"), 0.0, in, out);
  }

  /// Of the stages, in the order of execution: "StubConv, Relu".
  std::string types() {
    std::string r;
    for (const Stage* s : p.stages()) r += (r.empty() ? "" : ", ") + std::string(to_string(s->type));
    return r;
  }
  std::vector<Stage*> of_type(StageType t) {
    std::vector<Stage*> r;
    for (Stage* s : p.stages())
      if (s->is(t)) r.push_back(s);
    return r;
  }
  static std::vector<float> values(const Data* d) {
    std::vector<float> r;
    for (Half h : d->content.as<Half>()) r.push_back(half_to_float(h));
    return r;
  }
  static std::vector<int64_t> dims(const Data* d) {
    std::vector<int64_t> r;
    for (Dim dim : d->desc.order.dims()) r.push_back(d->desc.dim(dim));
    return r;
  }

 private:
  ProgramText text_{p};
};

using Dims = std::vector<int64_t>;
using Floats = std::vector<float>;

}  // namespace blobsmith::vpu
