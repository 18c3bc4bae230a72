// A model that comes as an archive (.zip, .tar, .tar.gz ...) of its files: a SavedModel's folder, an IR's two files.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "blobsmith/model_file.hpp"

namespace blobsmith::importers {

bool is_archive_name(std::string_view path);

/// What a file of an archive may be, by its name.
struct Candidate {
  int format = -1;                ///< files of one format belong together; -1: it is no model
  int rank = 0;                   ///< the model among them has the smallest
  bool names_the_folder = false;  ///< the others are what belongs to it, whatever they are called
};
using CandidateOf = std::function<Candidate(std::string_view name)>;

/// The model and what lies beside it, in memory. Throws UnknownFormat where there is none, or several; FileCorrupt;
/// FileTooLarge for what unpacks to far more than models do.
ModelFile model_in_archive(const ModelFile& file, const CandidateOf& candidate_of);

}  // namespace blobsmith::importers
