// Programs as text, so that tests of passes read as what they mean:
//
//   in = input {8,8,4,1}                     ; FP16 in the default order, sizes innermost first: W, H, C, N
//   image = input U8 NHWC {8,8,3,1}          ; type and order, where they are others
//   c: a = StubConv(in, kernel=3, pads=1)    ; the stage "c" writes "a", which is like the first input ...
//   r: b = Relu(a, slope=0.1)
//   m: out = StubMaxPool(b, kernel=2, strides=2) -> output {4,4,4,1}  ; ... unless stated; "-> output" makes an output
//   n: v, count = NonZero(b) -> {4,4}, S32 {2}
//   sum = Sum(a, {8,8,4,1} of 1)             ; a stage without a name is called as what it writes
//
// Constants: `{2,3} of 0.5`, `{2,3} from 0` (0, 1, 2, ...), `{3} [1,2,4]`. StubConv, StubDeconv and StubFullyConnected
// read weights, biases and scales behind their input; those left out are made up: weights and biases that count from 0,
// no scales. `none` is a Fake. Attributes of windows are one number, or a list: X first; of pads left, right, top,
// bottom.
#pragma once
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "text_reader.hpp"
#include "vpu/program/builders.hpp"
#include "vpu/program/contents.hpp"

namespace blobsmith::vpu {

/// FP16: `first` and what follows; exact up to 2048.
inline Data* add_counted(Program& p, const std::string& name, const DataDesc& desc, float first = 0) {
  std::vector<float> v(static_cast<size_t>(desc.element_count()));
  for (float& f : v) f = first++;
  return p.add_const(name, desc, contents::halves(v));
}

/// One stage of a text: what it reads (null: `none`) and writes, and its attributes. Asking for an attribute takes it.
class StageText {
 public:
  std::string name, type;
  std::vector<Data*> inputs, outputs;
  std::map<std::string, std::string> attributes;

  std::string text(const std::string& key, std::string fallback) {
    const auto node = attributes.extract(key);
    return node ? node.mapped() : std::move(fallback);
  }
  bool flag(const std::string& key, bool fallback) { return text(key, fallback ? "yes" : "no") == "yes"; }
  /// Nothing where it is not stated.
  template <class T>
  std::vector<T> list(const std::string& key) {
    return numbers<T>(text(key, {}));
  }
  template <class T>
  T number(const std::string& key, T fallback) {
    const std::vector<T> v = list<T>(key);
    return v.empty() ? fallback : v.at(0);
  }
  template <class T>
  std::vector<T> per_axis(const std::string& key, T fallback, size_t axes) {
    std::vector<T> v = list<T>(key);
    if (v.empty()) v.push_back(fallback);
    if (v.size() == 1) v.resize(axes, v[0]);
    return v;
  }
  Dim axis() {
    static constexpr std::string_view kNames = "WHCND";
    return static_cast<Dim>(kNames.find(text("axis", "C")));
  }
  Window window() {
    const auto kernel = per_axis<int64_t>("kernel", 1, 2), strides = per_axis<int64_t>("strides", 1, 2),
               pads = per_axis<int64_t>("pads", 0, 4), dilations = per_axis<int64_t>("dilations", 1, 2);
    return {.kernel_x = kernel[0],
            .kernel_y = kernel[1],
            .stride_x = strides[0],
            .stride_y = strides[1],
            .pad_left = pads[0],
            .pad_right = pads[1],
            .pad_top = pads[2],
            .pad_bottom = pads[3],
            .dilation_x = dilations[0],
            .dilation_y = dilations[1]};
  }
  StubSpec stub() {
    StubSpec spec;
    spec.window = window();
    spec.groups = number<int64_t>("groups", 1);
    spec.try_hw = flag("hw", true);
    return spec;
  }
  LayerPtr layer(std::string layer_type) const {
    return std::make_shared<const Layer>(Layer{name, std::move(layer_type), {}, {}, 0});
  }
  Data* in(size_t i = 0) const { return inputs.at(i); }
  Data* out() const { return outputs.at(0); }

  template <class T>
  static std::vector<T> numbers(std::string text) {
    std::ranges::replace(text, ',', ' ');
    std::istringstream stream(text);
    std::vector<T> r;
    for (double v = 0; stream >> v;) r.push_back(static_cast<T>(v));
    return r;
  }
};

namespace stage_texts {

inline Stage* plain(Program& p, StageText& s, StageType type, LayerPtr layer = nullptr) {
  for (Data*& d : s.inputs)
    if (!d) d = p.add_fake();
  return p.add_stage(s.name, type, std::move(layer), s.inputs, s.outputs);
}
inline Stage* weighted(Program& p, StageText& s, StageType type, const char* layer_type) {
  const StubSpec spec = s.stub();
  const int64_t oc = s.out()->desc.dim(Dim::C);
  if (s.inputs.size() < 2) {
    const DataDesc& in = s.in()->desc;
    const bool spatial = type != StageType::StubFullyConnected;
    const std::vector<int64_t> window{spec.window.kernel_x, spec.window.kernel_y, in.dim(Dim::C) / spec.groups, oc};
    const std::vector<int64_t> matrix{1, in.element_count() / in.dim(Dim::N, 1), oc};
    s.inputs.push_back(add_counted(p, s.name + "@weights", DataDesc(spatial ? window : matrix)));
  }
  if (s.inputs.size() < 3) s.inputs.push_back(add_counted(p, s.name + "@biases", DataDesc({oc})));
  s.inputs.resize(4);
  return plain(p, s, type, s.layer(layer_type))->set(spec);
}
inline Stage* conv_nd(Program& p, StageText& s) {
  const size_t axes = static_cast<size_t>(s.in()->desc.rank()) - 2;
  ConvNDSpec spec;
  spec.pads_begin = spec.pads_end = s.per_axis<int32_t>("pads", 0, axes);
  spec.strides = s.per_axis<int32_t>("strides", 1, axes);
  spec.dilations = s.per_axis<int32_t>("dilations", 1, axes);
  spec.try_hw = s.flag("hw", true);
  return plain(p, s, StageType::ConvND, s.layer("Convolution"))->set(spec);
}
inline Stage* pool_nd(Program& p, StageText& s) {
  const size_t axes = static_cast<size_t>(s.in()->desc.rank()) - 2;
  PoolNDSpec spec;
  spec.pads_begin = spec.pads_end = s.per_axis<int32_t>("pads", 0, axes);
  spec.strides = s.per_axis<int32_t>("strides", 1, axes);
  spec.kernel = s.per_axis<int32_t>("kernel", 1, axes);
  spec.method = s.text("method", "max") == "max" ? 1 : 2;
  spec.exclude_pad = s.flag("exclude_pad", false);
  spec.try_hw = s.flag("hw", true);
  return plain(p, s, StageType::PoolND, s.layer("Pooling"))->set(spec);
}
inline Stage* prior_box(Program& p, StageText& s) {
  PriorBoxSpec spec;
  spec.min_sizes = s.list<float>("min_sizes");
  spec.variances = s.list<float>("variances");
  return plain(p, s, StageType::StubPriorBox, s.layer("PriorBox"))->set(spec);
}
inline Stage* permute(Program& p, StageText& s) {
  DimValues permutation;
  const std::vector<int64_t> order = s.list<int64_t>("order");
  for (size_t i = 0; i < order.size(); ++i) permutation.set(s.out()->desc.order.at(static_cast<int>(i)), order[i]);
  return add_permute(p, s.name, nullptr, s.in(), s.out(), permutation);
}

struct Row {
  std::string_view type;
  Stage* (*make)(Program& p, StageText& s);
};
/// Other types have no parameters.
inline const Row kRows[] = {
    {"StubConv", [](Program& p, StageText& s) { return weighted(p, s, StageType::StubConv, "Convolution"); }},
    {"StubDeconv", [](Program& p, StageText& s) { return weighted(p, s, StageType::StubDeconv, "Deconvolution"); }},
    {"StubFullyConnected",
     [](Program& p, StageText& s) { return weighted(p, s, StageType::StubFullyConnected, "FullyConnected"); }},
    {"StubMaxPool",
     [](Program& p, StageText& s) { return plain(p, s, StageType::StubMaxPool, s.layer("Pooling"))->set(s.stub()); }},
    {"StubAvgPool",
     [](Program& p, StageText& s) { return plain(p, s, StageType::StubAvgPool, s.layer("Pooling"))->set(s.stub()); }},
    {"ConvND", conv_nd},
    {"PoolND", pool_nd},
    {"StubPriorBox", prior_box},
    {"Relu",
     [](Program& p, StageText& s) {
       return add_relu(p, s.name, s.layer("ReLU"), s.number("slope", 0.0), s.in(), s.out());
     }},
    {"Clamp",
     [](Program& p, StageText& s) {
       const double min = s.number("min", 0.0), max = s.number("max", 1.0);
       return add_clamp(p, s.name, nullptr, min, max, s.in(), s.out());
     }},
    {"Power",
     [](Program& p, StageText& s) {
       const double scale = s.number("scale", 1.0), power = s.number("power", 1.0), bias = s.number("bias", 0.0);
       return add_power(p, s.name, nullptr, scale, power, bias, s.in(), s.out());
     }},
    {"Sum", [](Program& p, StageText& s) { return add_sum(p, s.name, nullptr, s.in(0), s.in(1), s.out()); }},
    {"Bias", [](Program& p, StageText& s) { return add_bias(p, s.name, nullptr, s.in(0), s.in(1), s.out()); }},
    {"GEMM",
     [](Program& p, StageText& s) {
       const bool a = s.flag("transpose_a", false), b = s.flag("transpose_b", false);
       return add_gemm(p, s.name, nullptr, 1.0, 1.0, a, b, s.inputs, s.out());
     }},
    {"Convert", [](Program& p, StageText& s) { return add_convert(p, s.name, nullptr, s.in(), s.out()); }},
    {"Reshape", [](Program& p, StageText& s) { return add_reshape(p, s.name, nullptr, s.in(), s.out()); }},
    {"Permute", permute},
    {"StubConcat",
     [](Program& p, StageText& s) { return add_concat(p, s.name, nullptr, s.axis(), s.inputs, s.out()); }},
};

}  // namespace stage_texts

class ProgramText : TextReader {
 public:
  explicit ProgramText(Program& program) : TextReader("program"), program_(program) {}

  /// Adds the data and stages to the program. Throws with the line at fault.
  void read(std::string_view text) {
    open(text);
    while (more()) statement();
  }
  Data* data(const std::string& name) const { return datas_.at(name); }
  Stage* stage(const std::string& name) const { return stages_.at(name); }

 private:
  void statement() {
    std::vector<std::string> names{word()};
    StageText s{.name = names[0], .type = {}, .inputs = {}, .outputs = {}, .attributes = {}};
    if (take(':')) names[0] = word();
    while (take(',')) names.push_back(word());
    expect('=');
    if (peek() == '{') return define(names[0], constant(names[0]));
    s.type = word();
    if (s.type == "input") return define(names[0], program_.add_input(names[0], desc()));
    if (s.type == "data") return define(names[0], program_.add_data(names[0], desc()));
    read_arguments(s);
    read_results(s, names);
    stages_[s.name] = make(s);
  }

  void define(const std::string& name, Data* data) {
    if (!datas_.emplace(name, data).second) fail(name + " is there twice");
  }

  void read_arguments(StageText& s) {
    expect('(');
    while (!take(')')) {
      if (names_attribute()) {
        const std::string key = word();
        expect('=');
        s.attributes[key] = attribute_text();
      } else {
        s.inputs.push_back(argument(s.name + "@" + std::to_string(s.inputs.size())));
      }
      take(',');
    }
  }

  Data* argument(const std::string& name_of_constant) {
    if (peek() == '{') return constant(name_of_constant);
    const std::string name = word();
    if (name == "none") return nullptr;
    const auto known = datas_.find(name);
    if (known == datas_.end()) fail("nothing is called " + name);
    return known->second;
  }

  Data* constant(const std::string& name) {
    const DataDesc d = desc();
    skip();
    if (peek() == '[')
      return program_.add_const(name, d, contents::halves(StageText::numbers<float>(inside('[', ']'))));
    const std::string kind = word();
    const float number = std::stof(digits());
    if (kind == "from") return add_counted(program_, name, d, number);
    if (kind != "of") fail("a constant is `of` or `from` a number, or a list");
    return program_.add_const(name, d, contents::replicated(number, d.element_count()));
  }

  void read_results(StageText& s, const std::vector<std::string>& names) {
    const bool stated = take('-');
    if (stated) expect('>');
    for (const std::string& name : names) {
      if (stated && &name != &names[0]) expect(',');
      const bool output = stated && take_word("output");
      const DataDesc d = stated ? desc(s.in()->desc) : s.in()->desc;
      s.outputs.push_back(output ? program_.add_output(name, d) : program_.add_data(name, d));
      define(name, s.outputs.back());
    }
  }

  Stage* make(StageText& s) {
    const auto row = std::ranges::find(stage_texts::kRows, s.type, &stage_texts::Row::type);
    Stage* made = row != std::end(stage_texts::kRows) ? row->make(program_, s)
                                                      : stage_texts::plain(program_, s, type_called(s.type));
    if (!s.attributes.empty()) fail(s.type + " has no attribute " + s.attributes.begin()->first);
    return made;
  }

  StageType type_called(const std::string& name) const {
#define X(type, id) \
  if (name == #type) return StageType::type;
    BLOBSMITH_STAGE_TYPES(X)
#undef X
    fail("no stage type is called " + name);
  }

  /// Type, order and sizes; what isn't stated is as in `d`.
  DataDesc desc(DataDesc d = {}) {
    for (const DataType type : {DataType::FP16, DataType::U8, DataType::S32, DataType::FP32, DataType::I8})
      if (take_word(to_string(type))) d.type = type;
    std::optional<DimsOrder> order;
    for (const DimsOrder o : {orders::CHW, orders::HWC, orders::HCW, orders::NCHW, orders::NHWC, orders::NHCW})
      if (take_word(o.name())) order = o;
    skip();
    if (peek() == '{') d = DataDesc(d.type, StageText::numbers<int64_t>(inside('{', '}')));
    return order ? d.reordered(*order) : d;
  }

  Program& program_;
  std::map<std::string, Data*> datas_;
  std::map<std::string, Stage*> stages_;
};

}  // namespace blobsmith::vpu
