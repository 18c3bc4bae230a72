// The variables of a TensorFlow checkpoint: a table of names beside files of raw values (version 2, "tensor bundle"),
// or a table that holds the values too (version 1). Facts: model-optimizer spec §4.2.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "graph/graph.hpp"
#include "importers/common/model_files.hpp"

namespace blobsmith::tensorflow_file {

class Checkpoint {
 public:
  /// `prefix`: "m.ckpt" of m.ckpt.index and m.ckpt.data-00000-of-00001, beside the model. Throws FileNotFound,
  /// FileCorrupt.
  static Checkpoint bundle(const importers::FilesBeside& files, const std::string& prefix);
  /// A file of version 1.
  static Checkpoint single_file(const Bytes& file);

  /// The value of a variable, by its name or by its key. Throws FileTruncated, TypeMismatch.
  std::optional<Tensor> find(const std::string& variable) const;

 private:
  void read_bundle_entry(const std::string& key, const std::string& value);
  void read_description(const std::string& value);
  void read_slice(const std::string& value);

  struct Entry {
    int type = 0;
    std::optional<Shape> shape;
    int shard = 0;
    int64_t offset = 0, size = 0;
  };
  importers::FilesBeside files_;
  std::string prefix_;
  int shards_ = 0;
  std::map<std::string, Entry> entries_;     ///< of version 1: types and shapes only
  std::map<std::string, std::string> keys_;  ///< by the full name of a variable, of object-based checkpoints
  std::map<std::string, Tensor> tensors_;    ///< of version 1
};

}  // namespace blobsmith::tensorflow_file
