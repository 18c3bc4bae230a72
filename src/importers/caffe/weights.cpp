// .caffemodel and .binaryproto: blobs of floats out of the wire form of protocol buffers, where they lie in the mapped
// file. Of layers no more is read than name, type and blobs.
#include <algorithm>
#include <map>

#include "core/float16.hpp"
#include "importers/caffe/net.hpp"
#include "importers/common/message_fields.hpp"
#include "importers/common/tensor_bytes.hpp"

namespace blobsmith::caffe {
namespace {

using importers::MessageFields;
using Kind = MessageFields::Kind;

constexpr size_t kLargestRank = 16;

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
  for (MessageFields f(message); f.next();) {
    if (f.number() == 1) f.integers(shape);
    if (shape.size() > kLargestRank) throw Error(ErrorCode::FileCorrupt, "a blob has too many dimensions");
  }
  return shape;
}

BlobFields blob_fields(const Bytes& message) {
  BlobFields b;
  for (MessageFields f(message); f.next();) {
    const int n = f.number();
    if (n >= 1 && n <= 4 && f.kind() == Kind::Integer)
      b.legacy[static_cast<size_t>(n - 1)] = f.integer(), b.has_legacy = true;
    else if (f.is(5, Kind::Bytes))
      b.packed_floats = f.bytes();
    else if (f.is(5, Kind::Fixed32))
      b.floats.push_back(f.float32());
    else if (f.is(7, Kind::Bytes))
      b.shape = shape_of(f.bytes());
    else if (f.is(8, Kind::Bytes))
      b.packed_doubles = f.bytes();
    else if (f.is(8, Kind::Fixed64))
      b.doubles.push_back(f.float64());
    else if (f.is(10, Kind::Integer))
      b.raw_type = f.integer();
    else if (f.is(12, Kind::Bytes))
      b.raw = f.bytes();
  }
  return b;
}

/// Many values are converted when they are read.
Bytes from_doubles(const Bytes& packed) {
  return Bytes::deferred_if_many(packed.size() / 2, [packed] {
    const Bytes b = packed.aligned(sizeof(double));
    std::vector<float> v;
    v.reserve(b.size() / sizeof(double));
    for (const double d : b.as<double>()) v.push_back(static_cast<float>(d));
    packed.leave_memory();
    return Bytes::adopt(std::move(v));
  });
}

Bytes from_halves(const Bytes& packed) {
  return Bytes::deferred_if_many(packed.size() * 2, [packed] {
    const Bytes b = packed.aligned(sizeof(Half));
    std::vector<float> v(b.size() / sizeof(Half));
    halves_to_floats(b.as<Half>().data(), v.data(), v.size());
    packed.leave_memory();
    return Bytes::adopt(std::move(v));
  });
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
    case 1: check_whole(b.raw, 4); return importers::placed(b.raw, sizeof(float));
    case 2: check_whole(b.raw, 2); return from_halves(b.raw);
    default: throw Error(ErrorCode::TypeMismatch, "a blob holds values of type " + std::to_string(b.raw_type));
  }
}

Bytes values_of(const BlobFields& b) {
  if (!b.packed_floats.empty())
    return check_whole(b.packed_floats, 4), importers::placed(b.packed_floats, sizeof(float));
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
  for (MessageFields f(message); f.next();) {
    if (f.is(numbers.name, Kind::Bytes))
      layer.name = f.text();
    else if (f.is(numbers.type, Kind::Bytes))
      layer.type = plain_type(f.text());
    else if (f.is(numbers.type, Kind::Integer))
      layer.type = std::to_string(f.integer());
    else if (f.is(numbers.blobs, Kind::Bytes))
      layer.blobs.push_back(f.bytes());
    else if (numbers.name == kV1.name && f.is(kV0InV1, Kind::Bytes))
      read_stored(f.bytes(), kV0, layer);
  }
}

std::vector<StoredLayer> stored_layers(const Bytes& file) {
  constexpr int kLayers = 2, kLayer = 100;
  std::vector<StoredLayer> old, now;
  for (MessageFields f(file); f.next();) {
    if (f.is(kLayer, Kind::Bytes))
      read_stored(f.bytes(), kV2, now.emplace_back());
    else if (f.is(kLayers, Kind::Bytes))
      read_stored(f.bytes(), kV1, old.emplace_back());
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
