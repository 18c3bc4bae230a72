// Layer types that can be lowered, with their parsers.
#include <algorithm>

#include "core/text.hpp"
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

const std::vector<ParserRow>& rows() {
  static const std::vector<ParserRow> all = [] {
    std::vector<ParserRow> r;
    for (auto file : {activation_parsers(), concat_split_parsers(), convolution_parsers(), detection_parsers(),
                      dynamic_parsers(), eltwise_parsers(), fully_connected_parsers(), gather_scatter_parsers(),
                      normalization_parsers(), pooling_parsers(), prior_box_parsers(), recurrent_parsers(),
                      reduce_parsers(), resize_parsers(), roi_parsers(), shape_parsers(), tensor_iterator_parsers()})
      r.insert(r.end(), file.begin(), file.end());
    return r;
  }();
  return all;
}

}  // namespace

std::vector<std::string_view> parsed_layer_types() {
  std::vector<std::string_view> types;
  for (const ParserRow& r : rows()) types.push_back(r.type);
  return types;
}

LayerParser find_parser(std::string_view layer_type, const Release& release) {
  const auto it = std::ranges::find_if(rows(), [&](const ParserRow& r) { return same_caseless(r.type, layer_type); });
  return it == rows().end() || (it->only_with && !(release.*it->only_with)) ? nullptr : it->parser;
}

}  // namespace blobsmith::vpu
