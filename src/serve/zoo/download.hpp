// Files over the network, checked by size and sums. A transfer that broke off is gone on with.
#pragma once
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace blobsmith::serve {

/// An address that a file may come from.
struct Source {
  std::string url;
  std::string member;        ///< of the archive at `url`; empty: the file itself is there
  bool public_only = false;  ///< it comes from somebody who may not see into this network: no address of it is asked
};

/// A file of a model, wherever it comes from.
struct Wanted {
  std::string model, name;  ///< "mobilenet", "FP16/mobilenet.xml": of the model.yml
  std::string place;        ///< below the folder of fetched files
  std::optional<uint64_t> size;
  std::string sha256, sha384;      ///< small hexadecimal letters; empty: not stated
  std::vector<Source> sources;     ///< the first that has it is taken
  std::vector<std::string> files;  ///< of this machine; before the sources
};
nlohmann::ordered_json to_json(const Wanted& w);
Wanted wanted_of(const nlohmann::ordered_json& j);

struct DownloadListener {
  std::function<void(uint64_t done, uint64_t all)> progress;  ///< bytes; `all` is 0 where nobody knows
  std::function<bool()> stop;                                 ///< asked about once a second; true ends it
};
/// DownloadListener::stop said so.
struct DownloadStopped {};

/// Fetches from a source, below `folder`; the path. Throws std::runtime_error that says what was tried,
/// DownloadStopped. Only one thread at a time may do so for files that have the same turn_of().
std::string download(const Wanted& w, const std::string& folder, const DownloadListener& listener);

std::string turn_of(const Wanted& w);

/// Why a file is not what it is said to be; empty where it is.
std::string mismatch(const std::string& path, const Wanted& w);

}  // namespace blobsmith::serve
