// Builds small blobs by hand, so that a test can say exactly what a stage gets and check what it gives.
#pragma once
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "blobsmith/emulator.hpp"
#include "core/bytes.hpp"
#include "core/float16.hpp"
#include "vpu/format/container.hpp"
#include "vpu/format/params.hpp"
#include "vpu/format/reader.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::testing {

using vpu::DataType;
using vpu::DimsOrder;
using vpu::Location;
using vpu::StageType;

/// Parameters -> their bytes.
class ParamBytes final : public vpu::FieldArchive {
 public:
  std::vector<uint8_t> bytes;
  void word(std::string_view, int32_t& v) override { put(v); }
  void word(std::string_view, uint32_t& v) override { put(v); }
  void word(std::string_view, float& v) override { put(v); }
  void half(std::string_view, Half& v) override { put(v); }
  void words(std::string_view, std::vector<int32_t>& v) override { list(v); }
  void words(std::string_view, std::vector<float>& v) override { list(v); }
  void begin_item(std::string_view, int) override {}
  void end_item() override {}
  bool reading() const override { return false; }
  template <class T>
  void put(T v) {
    uint8_t raw[sizeof v];
    std::memcpy(raw, &v, sizeof v);
    bytes.insert(bytes.end(), raw, raw + sizeof v);
  }

 private:
  template <class T>
  void list(std::vector<T>& v) {
    put(static_cast<uint32_t>(v.size()));
    for (T e : v) put(e);
  }
};

struct TensorLayout {
  DataType type = DataType::FP16;
  DimsOrder order{};  ///< default: that of the rank
  std::vector<int64_t> strides{};
};

/// Tensors are named by the numbers that input(), output(), constant() and scratch() return. Shapes are given outermost
/// first in memory order, compact unless strides (bytes, outermost first) are given.
class BlobBuilder {
 public:
  using Layout = TensorLayout;
  static constexpr int kFake = -1;
  uint32_t batch = 1, version_major = 6, version_minor = 0;

  int input(const std::string& name, std::vector<int64_t> shape, Layout l = {}) {
    return add(Location::Input, name, std::move(shape), std::move(l));
  }
  int output(const std::string& name, std::vector<int64_t> shape, Layout l = {}) {
    return add(Location::Output, name, std::move(shape), std::move(l));
  }
  int scratch(std::vector<int64_t> shape, Layout l = {}) {
    return add(Location::BSS, "", std::move(shape), std::move(l));
  }
  int constant(std::vector<int64_t> shape, const std::vector<float>& values, Layout l = {}) {
    const int k = add(Location::Blob, "", std::move(shape), std::move(l));
    for (float v : values) append_value(tensors_[static_cast<size_t>(k)], v);
    return k;
  }
  /// Another view of a tensor's memory, from a byte offset on.
  int view(int of, std::vector<int64_t> shape, int64_t offset, Layout l = {}) {
    const int k = add(tensors_[static_cast<size_t>(of)].location, "", std::move(shape), std::move(l));
    tensors_.back().root = of;
    tensors_.back().shift = offset;
    return k;
  }
  /// The tensor's sizes are read at run time from an S32 tensor.
  void set_dims_from(int tensor, int shape) { tensors_[static_cast<size_t>(tensor)].dims_from = shape; }

  template <class P>
  BlobBuilder& stage(StageType type, P params, std::vector<int> buffers) {
    stages_.push_back({type, encode(params), std::move(buffers), nullptr});
    return *this;
  }
  BlobBuilder& stage(StageType type, std::vector<int> buffers) {
    return stage(type, vpu::StageParams(), std::move(buffers));
  }
  /// Puts a stage into the hardware stage last added.
  template <class P>
  BlobBuilder& inject(StageType type, P params, std::vector<int> buffers) {
    stages_.back().injected =
        std::make_shared<StageRecord>(StageRecord{type, encode(params), std::move(buffers), nullptr});
    return *this;
  }

  std::vector<uint8_t> build() {
    place();
    const std::vector<uint8_t> shapes = shape_words();
    std::vector<uint8_t> in = io_section(Location::Input), out = io_section(Location::Output), stages;
    for (const StageRecord& s : stages_) append(stages, stage_record(s));
    pad(in), pad(out), pad(stages);
    std::vector<uint8_t> constants = constants_;
    append(constants, shapes);
    pad(constants);
    constexpr size_t kHeaders = 192;
    const size_t out_at = kHeaders + in.size(), stages_at = out_at + out.size(), const_at = stages_at + stages.size();
    std::vector<uint8_t> file(vpu::kElfHeaderBytes);
    file[0] = 0x7f, file[1] = 'e', file[2] = 'l', file[3] = 'f';
    ParamBytes header;
    for (size_t v : {size_t{vpu::kBlobMagic},
                     const_at + constants.size(),
                     size_t{version_major},
                     size_t{version_minor},
                     count(Location::Input),
                     count(Location::Output),
                     stages_.size(),
                     sizes_[1],
                     sizes_[2],
                     size_t{batch},
                     sizes_[4],
                     size_t{1},
                     size_t{1},
                     has(StageType::MyriadXHwOp),
                     size_t{1},
                     size_t{0},
                     kHeaders,
                     out_at,
                     stages_at,
                     const_at})
      header.put(static_cast<uint32_t>(v));
    append(file, header.bytes);
    file.resize(kHeaders);
    for (const auto* part : {&in, &out, &stages, &constants}) append(file, *part);
    return file;
  }

 private:
  struct Tensor {
    Location location;
    std::string name;
    std::vector<int64_t> shape, strides;  // outermost first
    Layout layout;
    std::vector<uint8_t> content{};
    int root = -1;
    int64_t shift = 0;
    int dims_from = -1;
    uint32_t index = 0;  // among the inputs or outputs
    size_t offset = 0, dims_at = 0, strides_at = 0;
    size_t bytes() const { return shape.empty() ? 0 : static_cast<size_t>(shape[0] * strides[0]); }
  };
  struct StageRecord {
    StageType type;
    std::vector<uint8_t> params;
    std::vector<int> buffers;
    std::shared_ptr<StageRecord> injected;
  };

  template <class P>
  static std::vector<uint8_t> encode(P& params) {
    ParamBytes w;
    params.fields(w);
    return w.bytes;
  }

  int add(Location where, const std::string& name, std::vector<int64_t> shape, Layout l) {
    if (l.order.code() == 0) l.order = DimsOrder::of_rank(static_cast<int>(shape.size()));
    std::vector<int64_t> strides = l.strides;
    if (strides.empty()) {
      int64_t s = vpu::element_size(l.type);
      for (size_t k = shape.size(); k-- > 0; s *= shape[k]) strides.insert(strides.begin(), s);
    }
    tensors_.push_back({where, name, std::move(shape), std::move(strides), std::move(l)});
    return static_cast<int>(tensors_.size()) - 1;
  }

  static void append_value(Tensor& t, float v) {
    ParamBytes w;
    if (t.layout.type == DataType::FP16)
      w.put(float_to_half(v));
    else if (t.layout.type == DataType::S32)
      w.put(static_cast<int32_t>(v));
    else
      w.put(v);
    t.content.insert(t.content.end(), w.bytes.begin(), w.bytes.end());
  }

  static void append(std::vector<uint8_t>& to, const std::vector<uint8_t>& from) {
    to.insert(to.end(), from.begin(), from.end());
  }
  static size_t aligned(size_t v) { return (v + vpu::kBlobAlignment - 1) / vpu::kBlobAlignment * vpu::kBlobAlignment; }
  static void pad(std::vector<uint8_t>& v) { v.resize(aligned(v.size())); }
  size_t count(Location where) const {
    size_t n = 0;
    for (const Tensor& t : tensors_) n += t.location == where && t.root < 0;
    return n;
  }
  size_t has(StageType type) const {
    for (const StageRecord& s : stages_)
      if (s.type == type) return 1;
    return 0;
  }

  void place() {
    uint32_t index[6] = {};
    for (Tensor& t : tensors_) {
      const auto where = static_cast<size_t>(t.location);
      if (t.root >= 0) {
        const Tensor& root = tensors_[static_cast<size_t>(t.root)];
        t.index = root.index;
        t.offset = root.offset + static_cast<size_t>(t.shift);
        continue;
      }
      t.index = index[where]++;
      t.offset = aligned(sizes_[where]);
      const size_t items = t.location == Location::Input || t.location == Location::Output ? batch : 1;
      sizes_[where] = t.offset + t.bytes() * items;
      if (t.location != Location::Blob) continue;
      constants_.resize(t.offset);
      append(constants_, t.content);
      pad(constants_);
    }
  }

  std::vector<uint8_t> shape_words() {
    ParamBytes w;
    for (Tensor& t : tensors_) {
      t.dims_at = constants_.size() + w.bytes.size();
      for (size_t k = t.shape.size(); k-- > 0;) w.put(static_cast<uint32_t>(t.shape[k]));
      t.strides_at = constants_.size() + w.bytes.size();
      for (size_t k = t.shape.size(); k-- > 0;) w.put(static_cast<uint32_t>(t.strides[k]));
    }
    fake_at_ = constants_.size() + w.bytes.size();
    w.put(1u), w.put(2u);
    return w.bytes;
  }

  void put_desc(ParamBytes& w, const Tensor& t, bool may_be_dynamic) const {
    w.put(static_cast<uint32_t>(t.layout.type)), w.put(static_cast<uint32_t>(t.layout.order.code())),
        w.put(static_cast<uint32_t>(t.shape.size()));
    if (version_major == 5) {
      for (const auto* list : {&t.shape, &t.strides})
        for (auto v = list->rbegin(); v != list->rend(); ++v) w.put(static_cast<uint32_t>(*v));
      return;
    }
    const bool dynamic = may_be_dynamic && t.dims_from >= 0;
    const Tensor* shape = dynamic ? &tensors_[static_cast<size_t>(t.dims_from)] : nullptr;
    w.put(static_cast<uint32_t>(dynamic ? shape->location : Location::Blob)),
        w.put(static_cast<uint32_t>(dynamic ? relative_offset(*shape) : t.dims_at));
    w.put(static_cast<uint32_t>(Location::Blob)), w.put(static_cast<uint32_t>(t.strides_at));
  }

  static bool is_io(const Tensor& t) { return t.location == Location::Input || t.location == Location::Output; }
  size_t relative_offset(const Tensor& t) const {
    return !is_io(t) ? t.offset : t.root >= 0 ? static_cast<size_t>(t.shift) : 0;
  }
  void put_io(ParamBytes& w, const Tensor& t) const {
    const Tensor& top = t.root >= 0 ? tensors_[static_cast<size_t>(t.root)] : t;
    w.put(top.index), w.put(static_cast<uint32_t>(top.bytes()));
  }

  std::vector<uint8_t> io_section(Location where) const {
    ParamBytes w;
    for (const Tensor& t : tensors_) {
      if (t.location != where || t.root >= 0) continue;
      const size_t room = (t.name.size() + 1 + vpu::kNameAlignment - 1) / vpu::kNameAlignment * vpu::kNameAlignment;
      w.put(t.index), w.put(static_cast<int32_t>(t.offset)), w.put(static_cast<uint32_t>(room));
      w.bytes.insert(w.bytes.end(), t.name.begin(), t.name.end());
      w.bytes.resize(w.bytes.size() + room - t.name.size());
      put_desc(w, t, false);
    }
    return w.bytes;
  }

  std::vector<uint8_t> stage_record(const StageRecord& s) const {
    std::vector<uint8_t> params = s.params;
    if (s.type == StageType::MyriadXHwOp) {
      ParamBytes injected;
      injected.put(static_cast<uint32_t>(s.injected ? 1 : 0));
      if (s.injected) append(injected.bytes, stage_record(*s.injected));
      append(params, injected.bytes);
    }
    ParamBytes w;
    w.put(0u), w.put(static_cast<uint32_t>(s.type)), w.put(1u), w.put(static_cast<uint32_t>(params.size() + 4));
    append(w.bytes, params);
    if (s.type == StageType::MyriadXHwOp) w.put(static_cast<uint32_t>(s.buffers.size()));
    for (int b : s.buffers) put_buffer(w, b);
    w.put(static_cast<uint32_t>(s.type)), w.put(vpu::kStageBorder);
    const auto length = static_cast<uint32_t>(w.bytes.size());
    std::memcpy(w.bytes.data(), &length, sizeof length);
    return w.bytes;
  }

  void put_buffer(ParamBytes& w, int b) const {
    if (b == kFake) {
      for (size_t v :
           {size_t{0}, size_t{3}, size_t{1}, size_t{3}, fake_at_, size_t{3}, fake_at_ + 4, size_t{0}, size_t{0}})
        w.put(static_cast<uint32_t>(v));
      return;
    }
    const Tensor& t = tensors_[static_cast<size_t>(b)];
    put_desc(w, t, true);
    w.put(static_cast<uint32_t>(t.location));
    if (is_io(t)) put_io(w, t);
    if (t.dims_from >= 0 && is_io(tensors_[static_cast<size_t>(t.dims_from)]))
      put_io(w, tensors_[static_cast<size_t>(t.dims_from)]);
    w.put(static_cast<uint32_t>(relative_offset(t)));
  }

  std::vector<Tensor> tensors_;
  std::vector<StageRecord> stages_;
  std::vector<uint8_t> constants_;
  size_t sizes_[6] = {};
  size_t fake_at_ = 0;
};

/// Numbers 0, 1, 2... or a repeating pattern of small numbers that FP16 holds exactly.
inline std::vector<float> counting(size_t n, float first = 0) {
  std::vector<float> v(n);
  for (size_t i = 0; i < n; ++i) v[i] = first + static_cast<float>(i);
  return v;
}
inline std::vector<float> pattern(size_t n, unsigned seed = 1) {
  std::vector<float> v(n);
  for (float& f : v) {
    seed = seed * 1664525u + 1013904223u;
    f = static_cast<float>(static_cast<int>(seed >> 28) - 8) / 4;
  }
  return v;
}

/// Runs a blob whose inputs are given in order and returns its output "y", with all memory filled with NaN before.
inline FloatTensor run_blob(BlobBuilder& b, const std::vector<std::vector<float>>& inputs, EmulatorOptions options = {},
                            const char* output = "y") {
  options.fill_with_nan = true;
  const std::vector<uint8_t> file = b.build();
  Emulator e(file, options);
  for (size_t i = 0; i < inputs.size(); ++i) e.set_input(e.inputs().at(i).name, std::span<const float>(inputs[i]));
  e.run();
  return e.output(output);
}

using Shape = std::vector<int64_t>;
using Values = std::vector<float>;

/// One stage from an input to an output of equal layout, with constants behind them.
template <class P>
Values run_stage(StageType type, const P& params, const Shape& in, const Values& values, const Shape& out,
                 TensorLayout layout = {}, const std::vector<Values>& constants = {}) {
  BlobBuilder b;
  std::vector<int> buffers{b.input("x", in, layout), b.output("y", out, layout)};
  for (const Values& v : constants) buffers.push_back(b.constant({static_cast<int64_t>(v.size())}, v));
  b.stage(type, params, buffers);
  return run_blob(b, {values}).values;
}

inline float rounded(float v) { return half_to_float(float_to_half(v)); }

}  // namespace blobsmith::testing
