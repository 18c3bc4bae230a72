// Small hand-made Programs for the tests of the passes.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>

#include "vpu/nce/passes.hpp"
#include "vpu/passes/passes.hpp"
#include "vpu/program/builders.hpp"
#include "vpu/program/contents.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {

class PassTest : public ::testing::Test {
 protected:
  Program p;

  static std::shared_ptr<const Layer> layer(std::string name, std::string type) {
    return std::make_shared<const Layer>(Layer{std::move(name), std::move(type), {}, {}, 0});
  }

  Data* halves(const std::string& name, const std::vector<int64_t>& dims, const std::vector<float>& values) {
    std::vector<Half> v;
    for (float f : values) v.push_back(float_to_half(f));
    return p.add_const(name, DataDesc(dims), Bytes::adopt(std::move(v)));
  }
  Data* constant(const std::string& name, const std::vector<int64_t>& dims, float value) {
    const DataDesc desc(dims);
    return p.add_const(name, desc, contents::replicated(value, desc.element_count()));
  }
  /// 0, 1, 2... : exact in FP16 up to 2048.
  Data* counted(const std::string& name, const std::vector<int64_t>& dims) {
    std::vector<float> v(static_cast<size_t>(DataDesc(dims).element_count()));
    for (size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i);
    return halves(name, dims, v);
  }

  static StubSpec stub(const Window& w, int64_t groups = 1, bool hw = true) {
    StubSpec spec;
    spec.window = w;
    spec.groups = groups;
    spec.try_hw = hw;
    return spec;
  }

  /// StubConv with weights counted up; biases when asked for.
  Stage* conv(const std::string& name, Data* in, Data* out, const Window& w, int64_t groups = 1, bool hw = true,
              bool biases = true) {
    const int64_t oc = out->desc.dim(Dim::C);
    Data* weights = counted(name + "@weights", {w.kernel_x, w.kernel_y, in->desc.dim(Dim::C) / groups, oc});
    Data* b = biases ? counted(name + "@biases", {oc}) : p.add_fake();
    Stage* s = add_convolution(p, name, layer(name, "Convolution"), in, weights, b, p.add_fake(), out);
    return s->set(stub(w, groups, hw));
  }
  Stage* pool(const std::string& name, StageType type, Data* in, Data* out, const Window& w, bool hw = true) {
    Stage* s = add_pooling(p, name, layer(name, "Pooling"), type, in, out);
    return s->set(stub(w, 1, hw));
  }
  Stage* relu(const std::string& name, Data* in, Data* out, double slope = 0.0) {
    return add_relu(p, name, layer(name, "ReLU"), slope, in, out);
  }

  std::vector<StageType> types() {
    std::vector<StageType> r;
    for (const Stage* s : p.stages()) r.push_back(s->type);
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
};

using Dims = std::vector<int64_t>;
using Floats = std::vector<float>;
using Types = std::vector<StageType>;

}  // namespace blobsmith::vpu
