// model.yml: what a model of a zoo consists of and how it is converted.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace blobsmith::serve {

struct ConfigFile {
  std::string name;         ///< "FP16/m.xml"
  std::string source_type;  ///< "http", "google_drive", "zip_member"; empty: none was stated
  std::string url;     ///< of "http"; of "google_drive": its id; of "zip_member": of the archive, a wheel for example
  std::string member;  ///< of the archive
  std::optional<uint64_t> size;
  std::string sha256, sha384;  ///< small hexadecimal letters; empty: not stated
  bool plain_source = false;   ///< the source is a text alone, whose checksums nobody asks for
};

struct ModelConfig {
  std::string description, license, task, framework;
  std::vector<ConfigFile> files;
  std::vector<std::string> optimizer_arguments;
  std::vector<std::string> input_names, input_shapes, input_layouts;  ///< of input_info
  bool has_files = false;

  std::vector<std::string> precisions() const;  ///< first folders of the files' names
};

/// Throws std::runtime_error for what is no such file, too deep, or has more aliases than any model needs.
ModelConfig parse_model_config(const std::string& text);

/// A YAML document as JSON, for the description of the API. The same limits.
nlohmann::ordered_json yaml_to_json(const std::string& text);

}  // namespace blobsmith::serve
