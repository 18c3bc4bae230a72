#include "importers/tflite/file.hpp"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>

#include "importers/common/tensor_bytes.hpp"
#include "importers/tflite/operator_names.hpp"
#include "importers/tflite/sparsity.hpp"

namespace blobsmith::tflite_file {
namespace {

using flatbuffers::Table;
using flatbuffers::Vector;

constexpr const char* kIdentifier = "TFL3";
constexpr int kCompressedRows = 1;  // of the types of a sparse level; 0: all places

Error damaged(const std::string& what) {
  return Error(ErrorCode::FileCorrupt, "the TensorFlow Lite model is damaged: " + what);
}

constexpr flatbuffers::voffset_t slot(int field) { return static_cast<flatbuffers::voffset_t>(4 + 2 * field); }

/// A table whose fields are checked when they are asked for.
class View {
 public:
  View(const Bytes& file, flatbuffers::Verifier& verifier, const Table* table)
      : file_(file), verifier_(verifier), table_(table) {
    if (!table_ || !table_->VerifyTableStart(verifier_)) throw damaged("a table goes past the end of the file");
    verifier_.EndTable();
  }

  template <class T>
  T number(int field, T fallback) const {
    if (!table_->VerifyField<T>(verifier_, slot(field), sizeof(T)))
      throw damaged("a number goes past the end of the file");
    return table_->GetField<T>(slot(field), fallback);
  }
  std::string text(int field) const {
    const auto* s = pointer<flatbuffers::String>(field);
    if (!verifier_.VerifyString(s)) throw damaged("a text goes past the end of the file");
    return s ? s->str() : std::string();
  }
  template <class T>
  const Vector<T>* list(int field) const {
    const auto* v = pointer<Vector<T>>(field);
    if (!verifier_.VerifyVector(v)) throw damaged("a list goes past the end of the file");
    return v;
  }
  template <class T, class To>
  std::vector<To> numbers(int field) const {
    const auto* v = list<T>(field);
    std::vector<To> r;
    if (v)
      for (flatbuffers::uoffset_t i = 0; i < v->size(); ++i) r.push_back(static_cast<To>(v->Get(i)));
    return r;
  }
  /// The bytes of a list of bytes, without copying.
  Bytes bytes(int field) const {
    const auto* v = list<uint8_t>(field);
    return v ? file_.slice(static_cast<size_t>(v->Data() - file_.data()), v->size()) : Bytes();
  }
  const Table* table(int field) const { return pointer<Table>(field); }
  View view(const Table* t) const { return View(file_, verifier_, t); }

  template <class F>
  void each(int field, F f) const {
    const auto* v = list<flatbuffers::Offset<Table>>(field);
    for (flatbuffers::uoffset_t i = 0; v && i < v->size(); ++i) {
      const uint8_t* at = v->Data() + i * sizeof(flatbuffers::uoffset_t);
      if (!verifier_.VerifyOffset(static_cast<size_t>(at - file_.data())))
        throw damaged("an entry of a list lies outside of the file");
      f(view(reinterpret_cast<const Table*>(at + flatbuffers::ReadScalar<flatbuffers::uoffset_t>(at))));
    }
  }

 private:
  template <class P>
  const P* pointer(int field) const {
    if (!table_->VerifyOffset(verifier_, slot(field))) throw damaged("a reference leads out of the file");
    return table_->GetPointer<const P*>(slot(field));
  }

  const Bytes& file_;
  flatbuffers::Verifier& verifier_;
  const Table* table_;
};

constexpr std::pair<int, ElementType> kTypes[] = {
    {0, ElementType::f32},  {1, ElementType::f16},  {2, ElementType::i32},     {3, ElementType::u8},
    {4, ElementType::i64},  {7, ElementType::i16},  {6, ElementType::boolean}, {9, ElementType::i8},
    {10, ElementType::f64}, {12, ElementType::u64}, {15, ElementType::u32},    {16, ElementType::u16},
};

std::optional<ElementType> element_type(int number) {
  for (const auto& [n, type] : kTypes)
    if (n == number) return type;
  return std::nullopt;
}

struct Code {
  int number = 0;
  std::string name;
};

class Reader {
 public:
  Reader(const Bytes& file, flatbuffers::Verifier& verifier) : file_(file), verifier_(verifier) {}

  Model read(const Table* root) {
    const View model(file_, verifier_, root);
    model.each(1, [&](const View& v) {
      const int code = std::max(v.number<int8_t>(0, 0) + 0, v.number<int32_t>(3, 0) + 0);
      const std::string custom = v.text(1);
      codes_.push_back({code, code == kCustom && !custom.empty() ? custom : operator_name(code)});
    });
    model.each(4, [&](const View& v) { buffers_.push_back(buffer(v)); });
    Model m;
    model.each(2, [&](const View& v) { m.subgraphs.push_back(subgraph(v)); });
    if (m.subgraphs.empty()) throw damaged("it has no graph");
    return m;
  }

 private:
  /// Large ones lie behind the FlatBuffer.
  Bytes buffer(const View& v) const {
    const auto offset = v.number<uint64_t>(1, 0), size = v.number<uint64_t>(2, 0);
    if (offset <= 1) return v.bytes(0);
    const auto part = importers::part_of(file_, offset, size);
    if (!part) throw Error(ErrorCode::FileTruncated, "the values of a tensor go past the end of the file");
    return *part;
  }

  Tensor tensor(const View& v) {
    constexpr size_t kLargestRank = 32;
    Tensor t;
    t.name = v.text(3);
    t.type_number = v.number<int8_t>(1, 0);
    t.type = element_type(t.type_number);
    t.shape = v.numbers<int32_t, int64_t>(0);
    if (t.shape.size() > kLargestRank || std::ranges::any_of(t.shape, [](int64_t d) { return d < 0; }))
      throw damaged("tensor '" + t.name + "' has the shape " + to_string(t.shape));
    t.signature = v.numbers<int32_t, int64_t>(7);
    if (t.signature.size() != t.shape.size()) t.signature = t.shape;
    for (int64_t& d : t.signature)
      if (d < 0) d = kDynamic;
    const auto number = v.number<uint32_t>(2, 0);
    if (number >= buffers_.size() && number != 0) throw damaged("tensor '" + t.name + "' has no buffer");
    if (number < buffers_.size()) t.data = buffers_[number];
    t.is_variable = v.number<uint8_t>(5, 0) != 0;
    if (const Table* q = v.table(4)) {
      const View quantization = v.view(q);
      t.quantization.scales = quantization.numbers<float, float>(2);
      t.quantization.zero_points = quantization.numbers<int64_t, int64_t>(3);
      t.quantization.axis = quantization.number<int32_t>(6, 0);
    }
    const Table* sparse = v.table(6);
    if (t.type && (!t.data.empty() || (sparse && number != 0))) {
      const uint64_t expected = importers::bytes_of(*t.type, t.shape, "tensor '" + t.name + "'");
      if (sparse) t.data = expanded(t, v.view(sparse), expected);
      if (t.data.size() < expected)
        throw damaged("tensor '" + t.name + "' of shape " + to_string(t.shape) + " has " +
                      std::to_string(t.data.size()) + " bytes, " + std::to_string(expected) + " expected");
      t.data = t.data.slice(0, expected);
    }
    return t;
  }

  /// All values of a tensor whose zeros are not in the file.
  Bytes expanded(const Tensor& t, const View& v, uint64_t bytes) {
    // Some bytes can stand for any number of zeros. The device has half of this memory.
    constexpr uint64_t kMostExpanded = uint64_t{1} << 30;
    if (expanded_ > kMostExpanded || bytes > kMostExpanded - expanded_)
      throw Error(ErrorCode::FileTooLarge, "the sparse constants of the TensorFlow Lite model are too large: tensor '" +
                                               t.name + "' of shape " + to_string(t.shape));
    expanded_ += bytes;
    Sparsity s{v.numbers<int32_t, int64_t>(0), v.numbers<int32_t, int64_t>(1), {}};
    v.each(2, [&](const View& level) {
      s.levels.push_back({level.number<int8_t>(0, 0) == kCompressedRows, level.number<int32_t>(1, 0), places(level, 2),
                          places(level, 4)});
    });
    // Tensors may share a list.
    for (const SparseLevel& l : s.levels) expanded_ += (l.segments.size() + l.indices.size()) * sizeof(int64_t);
    try {
      return Bytes::adopt(with_zeros(s, t.shape, byte_width(*t.type), bytes, t.data));
    } catch (const Error& e) {
      throw damaged("tensor '" + t.name + "' of shape " + to_string(t.shape) + ": " + e.what());
    }
  }

  /// A list in the width that its values need; `field` holds which.
  std::vector<int64_t> places(const View& v, int field) const {
    constexpr uint8_t kNone = 0, kInt32 = 1, kUint16 = 2, kUint8 = 3;
    const auto kind = v.number<uint8_t>(field, kNone);
    const Table* list = v.table(field + 1);
    if (kind == kNone || !list) return {};
    const View values = v.view(list);
    if (kind == kInt32) return values.numbers<int32_t, int64_t>(0);
    if (kind == kUint16) return values.numbers<uint16_t, int64_t>(0);
    if (kind == kUint8) return values.numbers<uint8_t, int64_t>(0);
    throw damaged("the places of sparse values have the unknown type " + std::to_string(kind));
  }

  Operator operation(const View& v, size_t tensors) const {
    const auto index = v.number<uint32_t>(0, 0);
    if (index >= codes_.size()) throw damaged("an operator has no code");
    Operator op{codes_[index].number,
                codes_[index].name,
                v.numbers<int32_t, int64_t>(1),
                v.numbers<int32_t, int64_t>(2),
                {},
                v.bytes(5)};
    for (const auto* list : {&op.inputs, &op.outputs})
      for (const int64_t t : *list)
        if (t < -1 || t >= static_cast<int64_t>(tensors)) throw damaged("an operator reads a tensor that is not there");
    if (const Table* options = v.table(4)) {
      v.view(options);
      op.options = Options(file_, options);
    }
    return op;
  }

  Subgraph subgraph(const View& v) {
    Subgraph g;
    v.each(0, [&](const View& t) { g.tensors.push_back(tensor(t)); });
    g.inputs = v.numbers<int32_t, int64_t>(1);
    g.outputs = v.numbers<int32_t, int64_t>(2);
    for (const auto* list : {&g.inputs, &g.outputs})
      for (const int64_t t : *list)
        if (t < 0 || t >= std::ssize(g.tensors)) throw damaged("an input or output is not there");
    v.each(3, [&](const View& o) { g.operators.push_back(operation(o, g.tensors.size())); });
    return g;
  }

  const Bytes& file_;
  flatbuffers::Verifier& verifier_;
  std::vector<Code> codes_;
  std::vector<Bytes> buffers_;
  uint64_t expanded_ = 0;  ///< bytes that sparse constants have taken so far
};

flatbuffers::Verifier verifier_of(const Bytes& file) {
  constexpr flatbuffers::uoffset_t kDeepest = 64, kMostTables = 4'000'000;
  return flatbuffers::Verifier(file.data(), file.size(), kDeepest, kMostTables);
}

template <class F>
auto option(const Bytes& file, const void* table, decltype(std::declval<F>()(std::declval<View>())) fallback, F f) {
  if (!table) return fallback;
  flatbuffers::Verifier verifier = verifier_of(file);
  return f(View(file, verifier, static_cast<const Table*>(table)));
}

}  // namespace

int64_t Options::byte(int field, int64_t fallback) const {
  return option(file_, table_, fallback,
                [&](const View& v) -> int64_t { return v.number<uint8_t>(field, static_cast<uint8_t>(fallback)); });
}
int64_t Options::integer(int field, int64_t fallback) const {
  return option(file_, table_, fallback,
                [&](const View& v) -> int64_t { return v.number<int32_t>(field, static_cast<int32_t>(fallback)); });
}
double Options::real(int field, double fallback) const {
  return option(file_, table_, fallback, [&](const View& v) -> double {
    return static_cast<double>(v.number<float>(field, static_cast<float>(fallback)));
  });
}
std::string Options::text(int field) const {
  return option(file_, table_, std::string(), [&](const View& v) { return v.text(field); });
}
std::vector<int64_t> Options::integers(int field) const {
  return option(file_, table_, std::vector<int64_t>(),
                [&](const View& v) { return v.numbers<int32_t, int64_t>(field); });
}

Model read_model(const Bytes& file) {
  constexpr size_t kSmallest = 8, kLargest = size_t{1} << 31;
  if (file.size() < kSmallest || file.size() >= kLargest || !flatbuffers::BufferHasIdentifier(file.data(), kIdentifier))
    throw Error(ErrorCode::FileCorrupt, "the file is not a TensorFlow Lite model, or it is cut off");
  flatbuffers::Verifier verifier = verifier_of(file);
  if (!verifier.VerifyOffset(size_t{0})) throw damaged("it has no beginning");
  return Reader(file, verifier).read(flatbuffers::GetRoot<Table>(file.data()));
}

}  // namespace blobsmith::tflite_file
