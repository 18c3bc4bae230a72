// NN archives: a tar file with a blob or superblob and a config.json that says what goes in and what comes out, as
// depthai 3 and luxonis-ml read and write them (schema version 1.0).
//
// Threads: calls are independent of each other.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "blobsmith/compile.hpp"

namespace blobsmith {

struct NnArchiveOptions {
  std::string name{};      ///< of the network; "" = the archive's file name without endings
  bool superblob = false;  ///< the model is a superblob, else a blob
  /// What frames a camera is to send for inputs that are pictures, of depthai's names ("BGR888p", "RGB888p", "GRAY8",
  /// "BGRF16F16F16p" ...); "" = by channels and type, in the order BGR.
  std::string dai_type{};
  /// Heads: a JSON array of objects with "parser", "metadata", "outputs", as depthai's decoders want them; "" = none,
  /// so that the raw tensors come out.
  std::string heads{};
  /// Shown in buildinfo.json, beside the program's version: names and values of options.
  std::vector<std::pair<std::string, std::string>> build_info{};
};

/// config.json for these inputs and outputs (shapes in network order). An input with 4 dimensions and 1, 3 or 4
/// channels is a picture, any other one "raw". Throws BadOptionValue for heads that are no such JSON.
std::string nn_archive_config(const std::vector<BlobPort>& inputs, const std::vector<BlobPort>& outputs,
                              const std::string& name, const NnArchiveOptions& options);
/// Writes an archive; its ending (.tar.xz, .tar.gz, .tar.bz2, .tar) picks the compression. The same contents give the
/// same bytes. Throws FileNotWritable, BadOptionValue for another ending.
void write_nn_archive(const std::string& path, const std::vector<uint8_t>& model, const std::vector<BlobPort>& inputs,
                      const std::vector<BlobPort>& outputs, const NnArchiveOptions& options = {});

struct NnArchive {
  std::string config;                ///< the text of config.json
  std::string model_name;            ///< as config.json names it: "m.superblob"
  std::vector<uint8_t> model;        ///< the blob or superblob
  std::vector<std::string> members;  ///< names of all files, in order
};
/// Reads tar (plain, gz, bz2, xz) and zip. Throws FileNotFound, BadBlob for what depthai would refuse, FileTooLarge
/// for more than `most` bytes unpacked.
NnArchive read_nn_archive(const std::string& path, uint64_t most = uint64_t{1} << 31);
/// True for file names that end as an archive's do.
bool is_nn_archive_name(std::string_view path);

}  // namespace blobsmith
