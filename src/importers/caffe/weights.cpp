// .caffemodel and .binaryproto: blobs of floats out of the wire form of protocol buffers, where they lie in the mapped
// file. Of layers no more is read than name, type and blobs.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <climits>
#include <map>

#include "core/float16.hpp"
#include "importers/caffe/net.hpp"
#include "importers/common/tensor_bytes.hpp"

namespace blobsmith::caffe {
namespace {

using google::protobuf::internal::WireFormatLite;

constexpr size_t kLargestRank = 16;

/// The fields of one message, one after another.
class Fields {
 public:
  explicit Fields(const Bytes& bytes) : bytes_(bytes), in_(bytes.data(), checked_size(bytes)) {}

  bool next() {
    tag_ = in_.ReadTag();
    if (tag_ == 0 && !in_.ConsumedEntireMessage()) fail();
    return tag_ != 0;
  }
  int number() const { return WireFormatLite::GetTagFieldNumber(tag_); }
  bool is_bytes() const { return WireFormatLite::GetTagWireType(tag_) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED; }
  bool is_fixed32() const { return WireFormatLite::GetTagWireType(tag_) == WireFormatLite::WIRETYPE_FIXED32; }
  bool is_fixed64() const { return WireFormatLite::GetTagWireType(tag_) == WireFormatLite::WIRETYPE_FIXED64; }
  bool is_number() const { return WireFormatLite::GetTagWireType(tag_) == WireFormatLite::WIRETYPE_VARINT; }

  Bytes bytes() {
    uint32_t size = 0;
    if (!in_.ReadVarint32(&size)) fail();
    const auto at = static_cast<size_t>(in_.CurrentPosition());
    const auto part = importers::part_of(bytes_, at, size);
    if (!part || !in_.Skip(static_cast<int>(size))) fail();
    return *part;
  }
  std::string text() {
    const Bytes b = bytes();
    return {reinterpret_cast<const char*>(b.data()), b.size()};
  }
  int64_t integer() {
    uint64_t v = 0;
    if (!in_.ReadVarint64(&v)) fail();
    return static_cast<int64_t>(v);
  }
  float float32() {
    uint32_t v = 0;
    if (!in_.ReadLittleEndian32(&v)) fail();
    return WireFormatLite::DecodeFloat(v);
  }
  double float64() {
    uint64_t v = 0;
    if (!in_.ReadLittleEndian64(&v)) fail();
    return WireFormatLite::DecodeDouble(v);
  }
  void skip() {
    if (!WireFormatLite::SkipField(&in_, tag_)) fail();
  }

 private:
  static int checked_size(const Bytes& bytes) {
    if (bytes.size() > INT_MAX) throw Error(ErrorCode::FileTooLarge, "a message of more than 2 GiB can't be read");
    return static_cast<int>(bytes.size());
  }
  [[noreturn]] void fail() const {
    throw Error(ErrorCode::FileTruncated, "the file breaks off, or is no protocol buffer: byte " +
                                              std::to_string(in_.CurrentPosition()) + " of a message of " +
                                              std::to_string(bytes_.size()));
  }

  const Bytes& bytes_;
  google::protobuf::io::CodedInputStream in_;
  uint32_t tag_ = 0;
};

std::vector<int64_t> packed_integers(const Bytes& bytes) {
  google::protobuf::io::CodedInputStream in(bytes.data(), static_cast<int>(bytes.size()));
  std::vector<int64_t> list;
  for (uint64_t v = 0; in.CurrentPosition() < static_cast<int>(bytes.size());) {
    if (!in.ReadVarint64(&v)) throw Error(ErrorCode::FileTruncated, "a list of numbers breaks off");
    list.push_back(static_cast<int64_t>(v));
  }
  return list;
}

/// What the fields of a BlobProto say of its values; one way of storing them is used.
struct BlobFields {
  Bytes packed_floats, packed_doubles, raw;
  std::vector<float> floats;
  std::vector<double> doubles;
  int64_t raw_type = 1;
  std::optional<Shape> shape;
  Shape legacy = Shape(4, 0);  ///< num, channels, height, width
  bool has_legacy = false;
};

Shape shape_of(const Bytes& message) {
  Shape shape;
  for (Fields f(message); f.next();) {
    if (f.number() != 1) {
      f.skip();
    } else if (f.is_bytes()) {
      const std::vector<int64_t> list = packed_integers(f.bytes());
      shape.insert(shape.end(), list.begin(), list.end());
    } else if (f.is_number()) {
      shape.push_back(f.integer());
    } else {
      f.skip();
    }
    if (shape.size() > kLargestRank) throw Error(ErrorCode::FileCorrupt, "a blob has too many dimensions");
  }
  return shape;
}

BlobFields blob_fields(const Bytes& message) {
  BlobFields b;
  for (Fields f(message); f.next();) {
    const int n = f.number();
    if (n >= 1 && n <= 4 && f.is_number())
      b.legacy[static_cast<size_t>(n - 1)] = f.integer(), b.has_legacy = true;
    else if (n == 5 && f.is_bytes())
      b.packed_floats = f.bytes();
    else if (n == 5 && f.is_fixed32())
      b.floats.push_back(f.float32());
    else if (n == 7 && f.is_bytes())
      b.shape = shape_of(f.bytes());
    else if (n == 8 && f.is_bytes())
      b.packed_doubles = f.bytes();
    else if (n == 8 && f.is_fixed64())
      b.doubles.push_back(f.float64());
    else if (n == 10 && f.is_number())
      b.raw_type = f.integer();
    else if (n == 12 && f.is_bytes())
      b.raw = f.bytes();
    else
      f.skip();
  }
  return b;
}

Bytes from_doubles(const Bytes& packed) {
  const Bytes b = packed.aligned(8);
  std::vector<float> v;
  for (const double d : b.as<double>()) v.push_back(static_cast<float>(d));
  return Bytes::adopt(std::move(v));
}

Bytes from_halves(const Bytes& packed) {
  const Bytes b = packed.aligned(8);
  std::vector<float> v(b.size() / sizeof(Half));
  halves_to_floats(b.as<Half>().data(), v.data(), v.size());
  return Bytes::adopt(std::move(v));
}

void check_whole(const Bytes& b, size_t width) {
  if (b.size() % width != 0)
    throw Error(ErrorCode::FileCorrupt, "a blob has " + std::to_string(b.size()) + " bytes of values of " +
                                            std::to_string(width) + " bytes each");
}

/// Raw values have a type of their own: 0 double, 1 float, 2 half.
Bytes raw_values(const BlobFields& b) {
  switch (b.raw_type) {
    case 0: check_whole(b.raw, 8); return from_doubles(b.raw);
    case 1: check_whole(b.raw, 4); return b.raw.aligned(8);
    case 2: check_whole(b.raw, 2); return from_halves(b.raw);
    default: throw Error(ErrorCode::TypeMismatch, "a blob holds values of type " + std::to_string(b.raw_type));
  }
}

Bytes values_of(const BlobFields& b) {
  if (!b.packed_floats.empty()) return check_whole(b.packed_floats, 4), b.packed_floats.aligned(8);
  if (!b.floats.empty()) return Bytes::copy_of(std::span(b.floats));
  if (!b.packed_doubles.empty()) return check_whole(b.packed_doubles, 8), from_doubles(b.packed_doubles);
  if (!b.doubles.empty()) return from_doubles(Bytes::copy_of(std::span(b.doubles)));
  return raw_values(b);
}

Tensor blob(const Bytes& message) {
  const BlobFields b = blob_fields(message);
  const Bytes values = values_of(b);
  const auto count = static_cast<int64_t>(values.size() / sizeof(float));
  Shape shape{count};
  if (b.shape)
    shape = *b.shape;
  else if (b.has_legacy)
    shape = b.legacy;
  if (!is_static(shape) || element_count(shape) != count)
    throw Error(ErrorCode::FileCorrupt,
                "a blob of shape " + to_string(shape) + " has " + std::to_string(count) + " values");
  return {ElementType::f32, std::move(shape), values};
}

struct StoredLayer {
  std::string name, type;  ///< type: plain; of V1 layers a number
  std::vector<Bytes> blobs;
};

/// Field numbers of the three generations.
struct Numbers {
  int name, type, blobs;
};
constexpr Numbers kV0{1, 2, 50}, kV1{4, 5, 6}, kV2{1, 2, 7};
constexpr int kV0InV1 = 1;

void read_stored(const Bytes& message, const Numbers& numbers, StoredLayer& layer) {
  for (Fields f(message); f.next();) {
    if (f.number() == numbers.name && f.is_bytes())
      layer.name = f.text();
    else if (f.number() == numbers.type && f.is_bytes())
      layer.type = plain_type(f.text());
    else if (f.number() == numbers.type && f.is_number())
      layer.type = std::to_string(f.integer());
    else if (f.number() == numbers.blobs && f.is_bytes())
      layer.blobs.push_back(f.bytes());
    else if (numbers.name == kV1.name && f.number() == kV0InV1 && f.is_bytes())
      read_stored(f.bytes(), kV0, layer);
    else
      f.skip();
  }
}

std::vector<StoredLayer> stored_layers(const Bytes& file) {
  constexpr int kLayers = 2, kLayer = 100;
  std::vector<StoredLayer> old, now;
  for (Fields f(file); f.next();) {
    if (f.number() == kLayer && f.is_bytes())
      read_stored(f.bytes(), kV2, now.emplace_back());
    else if (f.number() == kLayers && f.is_bytes())
      read_stored(f.bytes(), kV1, old.emplace_back());
    else
      f.skip();
  }
  return now.empty() ? old : now;
}

/// What the layers of V1 that learn are called; others never meet by type.
std::string v1_type(const std::string& number) {
  static const std::map<std::string, std::string> kNames{
      {"4", "convolution"}, {"14", "innerproduct"}, {"39", "deconvolution"}};
  const auto it = kNames.find(number);
  return it == kNames.end() ? number : it->second;
}

void give_blobs(Layer& layer, const StoredLayer& stored) {
  try {
    for (const Bytes& b : stored.blobs) layer.blobs.push_back(blob(b));
  } catch (Error& e) {
    throw e.at_layer(layer.name, layer.type);
  }
}

}  // namespace

Tensor read_blob(const Bytes& file) { return blob(file); }

void read_weights(const Bytes& caffemodel, Net& net) {
  const std::vector<StoredLayer> stored = stored_layers(caffemodel);
  std::map<std::string_view, const StoredLayer*> by_name;
  for (const StoredLayer& s : stored) by_name.try_emplace(s.name, &s);
  std::map<std::string, std::vector<Layer*>> nameless;  // by type
  std::map<std::string_view, bool> taken;
  for (Layer& layer : net.layers) {
    const auto it = by_name.find(layer.name);
    if (it == by_name.end()) {
      nameless[plain_type(layer.type)].push_back(&layer);
      continue;
    }
    taken[layer.name] = true;
    give_blobs(layer, *it->second);
  }
  // Layers that were renamed since: as many of one type are left over on both sides.
  std::map<std::string, std::vector<const StoredLayer*>> left;
  for (const StoredLayer& s : stored)
    if (!s.blobs.empty() && !taken.contains(s.name)) left[v1_type(s.type)].push_back(&s);
  for (const auto& [type, layers] : nameless) {
    const auto it = left.find(type);
    if (it == left.end() || it->second.size() != layers.size()) continue;
    for (size_t i = 0; i < layers.size(); ++i) give_blobs(*layers[i], *it->second[i]);
  }
}

}  // namespace blobsmith::caffe
