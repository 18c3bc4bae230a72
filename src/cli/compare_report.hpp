// What `blobsmith compare` prints.
#pragma once
#include <string>
#include <vector>

#include "blobsmith/compare.hpp"

namespace blobsmith::cli {

struct CompareReport {
  std::string model, blob;  ///< files; no blob: compiled from the model
  double tolerance = 0;
  CompareResult result;
};

/// The worst `rows` layers, or all in order with rows = 0.
std::string compare_text(const CompareReport& r, size_t rows);
std::string compare_json(const CompareReport& r);
/// "2 above FP16, 3 flushed": what is remarkable of a layer, empty when nothing is.
std::string remarks(const LayerResult& l);

/// "40 of the 52 layers ... compared".
std::string coverage(const Comparison& c);

/// One page with plots that needs nothing else.
std::string compare_html(const CompareReport& r);

}  // namespace blobsmith::cli
