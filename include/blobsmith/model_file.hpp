// Where a model comes from: a file, or memory.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace blobsmith {

/// A model's file and those that belong to it, in the same folder. Copies share the bytes.
class ModelFile {
 public:
  using Contents = std::vector<uint8_t>;

  /// On disk, where it is read when it is needed.
  ModelFile(std::string path) : path_(std::move(path)) {}
  ModelFile(const char* path) : path_(path) {}
  ModelFile(const std::filesystem::path& path) : path_(path.string()) {}
  /// In memory. `name`: as its file would be called; its ending, else the first bytes, picks the reader, and errors
  /// name it. `beside`: the other files by name: the .bin of an OpenVINO IR, external data of an ONNX model.
  ModelFile(std::string name, Contents contents, std::map<std::string, Contents> beside = {})
      : path_(std::move(name)),
        memory_(std::make_shared<const Memory>(Memory{std::move(contents), std::move(beside)})) {}

  const std::string& path() const { return path_; }

  struct Memory {
    Contents contents;
    std::map<std::string, Contents> beside;
  };
  const std::shared_ptr<const Memory>& memory() const { return memory_; }  ///< null: on disk

 private:
  std::string path_;
  std::shared_ptr<const Memory> memory_;
};

}  // namespace blobsmith
