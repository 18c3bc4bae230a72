#include "importers/tensorflow/checkpoint.hpp"

#include <leveldb/env.h>
#include <leveldb/iterator.h>
#include <leveldb/options.h>
#include <leveldb/table.h>

#include <functional>

#include "core/text.hpp"
#include "importers/common/tensor_bytes.hpp"
#include "importers/tensorflow/proto_tensor.hpp"

namespace blobsmith::tensorflow_file {
namespace {

namespace proto = tensorflow_proto;

constexpr const char* kObjectGraph = "_CHECKPOINTABLE_OBJECT_GRAPH";

/// A mapped file as LevelDB reads one.
class MappedFile final : public leveldb::RandomAccessFile {
 public:
  explicit MappedFile(Bytes bytes) : bytes_(std::move(bytes)) {}
  leveldb::Status Read(uint64_t offset, size_t n, leveldb::Slice* result, char*) const override {
    if (offset > bytes_.size() || n > bytes_.size() - offset)
      return leveldb::Status::Corruption("a block goes past the end of the file");
    *result = leveldb::Slice(reinterpret_cast<const char*>(bytes_.data()) + offset, n);
    return leveldb::Status::OK();
  }

 private:
  Bytes bytes_;
};

void each_entry(const Bytes& bytes, const std::function<void(const std::string& key, const std::string& value)>& f) {
  MappedFile file(bytes);
  leveldb::Options options;
  options.paranoid_checks = true;
  leveldb::Table* opened = nullptr;
  const leveldb::Status status = leveldb::Table::Open(options, &file, bytes.size(), &opened);
  const std::unique_ptr<leveldb::Table> table(opened);
  if (!status.ok())
    throw Error(ErrorCode::FileCorrupt, "the file is not a checkpoint of TensorFlow").because(status.ToString());
  leveldb::ReadOptions read;
  read.verify_checksums = true;
  const std::unique_ptr<leveldb::Iterator> it(table->NewIterator(read));
  for (it->SeekToFirst(); it->Valid(); it->Next()) f(it->key().ToString(), it->value().ToString());
  if (!it->status().ok())
    throw Error(ErrorCode::FileCorrupt, "the checkpoint is damaged").because(it->status().ToString());
}

Error damaged(const std::string& what) { return Error(ErrorCode::FileCorrupt, "the checkpoint is damaged: " + what); }

std::string shard_name(const std::string& prefix, int shard, int shards) {
  if (shard < 0 || shards < 0) throw damaged("the number of a file");
  return prefix + ".data-" + padded(static_cast<uint64_t>(shard), 5) + "-of-" +
         padded(static_cast<uint64_t>(shards), 5);
}

}  // namespace

Checkpoint Checkpoint::bundle(const importers::FilesBeside& files, const std::string& prefix) {
  Checkpoint c;
  c.files_ = files;
  c.prefix_ = prefix;
  each_entry(files(prefix + ".index"),
             [&](const std::string& key, const std::string& value) { c.read_bundle_entry(key, value); });
  const auto graph = c.entries_.find(kObjectGraph);
  if (graph == c.entries_.end()) return c;
  // A text tensor: lengths and a checksum stand before the text, which is parsed from the first byte of a message.
  const Entry& e = graph->second;
  const auto bytes = importers::part_of(files(shard_name(prefix, e.shard, c.shards_)), static_cast<uint64_t>(e.offset),
                                        static_cast<uint64_t>(e.size));
  if (!bytes) throw damaged("it ends within its description");
  size_t at = 0;
  while (at < bytes->size() && bytes->data()[at] & 0x80) ++at;  // the length, a varint
  at += 1 + 4;                                                  // and the checksum of the lengths
  proto::TrackableObjectGraph objects;
  if (at > bytes->size() || !objects.ParseFromArray(bytes->data() + at, static_cast<int>(bytes->size() - at)))
    throw damaged("its description of objects can't be read");
  for (const auto& object : objects.nodes())
    for (const auto& a : object.attributes())
      if (!a.full_name().empty()) c.keys_[a.full_name()] = a.checkpoint_key();
  return c;
}

void Checkpoint::read_bundle_entry(const std::string& key, const std::string& value) {
  if (key.empty()) {
    proto::BundleHeaderProto header;
    if (!header.ParseFromString(value) || header.num_shards() < 1) throw damaged("its header can't be read");
    if (header.endianness() != 0) throw damaged("it is of a big-endian machine");
    shards_ = header.num_shards();
    return;
  }
  proto::BundleEntryProto entry;
  if (!entry.ParseFromString(value)) throw damaged("the entry of '" + key + "' can't be read");
  entries_[key] = {entry.dtype(), read_shape(entry.shape(), "variable '" + key + "'"), entry.shard_id(), entry.offset(),
                   entry.size()};
}

Checkpoint Checkpoint::single_file(const Bytes& file) {
  Checkpoint c;
  each_entry(file, [&](const std::string& key, const std::string& value) {
    if (key.empty())
      c.read_description(value);
    else
      c.read_slice(value);
  });
  return c;
}

/// Of version 1: types and shapes of all variables, which their values may lack.
void Checkpoint::read_description(const std::string& value) {
  proto::SavedTensorSlices slices;
  if (!slices.ParseFromString(value)) throw damaged("its description can't be read");
  for (const auto& t : slices.meta().tensor()) {
    const std::string who = "variable '" + t.name() + "'";
    entries_[t.name()] = {t.type(), read_shape(t.shape(), who)};
  }
}

void Checkpoint::read_slice(const std::string& value) {
  proto::SavedTensorSlices slices;
  if (!slices.ParseFromString(value)) throw damaged("a variable can't be read");
  if (!slices.has_data()) return;
  auto& data = *slices.mutable_data();
  const std::string who = "variable '" + data.name() + "'";
  for (const auto& extent : data.slice().extent())
    if (extent.start() != 0 || extent.has_length_case() != proto::TensorSliceProto::Extent::HAS_LENGTH_NOT_SET)
      throw Error(ErrorCode::NotYetSupported, "not yet supported: " + who + " is saved in parts");
  if (const auto it = entries_.find(data.name()); it != entries_.end() && it->second.shape) {
    proto::TensorProto& tensor = *data.mutable_data();
    if (!tensor.has_dtype()) tensor.set_dtype(static_cast<proto::DataType>(it->second.type));
    if (!tensor.has_tensor_shape())
      for (const int64_t d : *it->second.shape) tensor.mutable_tensor_shape()->add_dim()->set_size(d);
  }
  if (element_type(data.data().dtype())) tensors_[data.name()] = take_tensor(*data.mutable_data(), who);
}

std::optional<Tensor> Checkpoint::find(const std::string& variable) const {
  if (const auto it = tensors_.find(variable); it != tensors_.end()) return it->second;
  const auto key = keys_.find(variable);
  if (shards_ == 0) return std::nullopt;  // of version 1
  const auto it = entries_.find(key == keys_.end() ? variable : key->second);
  if (it == entries_.end()) return std::nullopt;
  const Entry& e = it->second;
  const std::string who = "variable '" + variable + "'";
  const auto type = element_type(e.type);
  if (!type) throw Error(ErrorCode::TypeMismatch, who + " has the type " + type_name(e.type));
  if (!e.shape || !is_static(*e.shape)) throw damaged(who + " has an open shape");
  if (e.shard < 0 || e.shard >= shards_ || e.offset < 0 || e.size < 0) throw damaged("the place of " + who);
  const std::string file = shard_name(prefix_, e.shard, shards_);
  const auto bytes = importers::part_of(files_(file), static_cast<uint64_t>(e.offset), static_cast<uint64_t>(e.size));
  if (!bytes) throw Error(ErrorCode::FileTruncated, who + " goes past the end of " + file);
  if (bytes->size() != importers::bytes_of(*type, *e.shape, who)) throw damaged("the size of " + who);
  return Tensor{*type, *e.shape, importers::placed(*bytes, byte_width(*type))};
}

}  // namespace blobsmith::tensorflow_file
