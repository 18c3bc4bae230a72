// A model that comes as an archive (.zip, .tar, .tar.gz ...) of its files: a SavedModel's folder, an IR's two files.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "blobsmith/model_file.hpp"

namespace blobsmith::importers {

bool is_archive_name(std::string_view path);

/// Ranks the files of an archive by their names: the model has the smallest; -1: it is none.
struct Candidate {
  int format = -1;  ///< files of one format belong together
  int rank = 0;     ///< among them
};
using CandidateOf = std::function<Candidate(std::string_view name)>;

/// The model and what lies beside it, in memory. Throws UnknownFormat where there is none, or several; FileCorrupt;
/// FileTooLarge for what unpacks to far more than models do.
ModelFile model_in_archive(const ModelFile& file, const CandidateOf& candidate_of);

}  // namespace blobsmith::importers
