// What convert --cut-unsupported writes and prints.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "blobsmith/cut.hpp"

namespace blobsmith::cli {

struct CutFiles {
  std::string before, after;  ///< empty: there is none
};

/// The blob, and the host's models beside it: NAME.before.onnx, NAME.after.xml.
CutFiles write_cut(const CutResult& r, const std::string& blob);
void print_cut(const CutResult& r, const CutFiles& files);
nlohmann::ordered_json json_of_cut(const CutResult& r, const CutFiles& files);

}  // namespace blobsmith::cli
