#include "vpu/nce/tiles.hpp"

#include "core/text.hpp"
#include "vpu/nce/constants.hpp"

namespace blobsmith::vpu::nce {

std::string two_digit_part(size_t index, size_t count) { return padded(index + 1, 2) + "/" + padded(count, 2); }

std::string tile_suffix(const char* kind, size_t index, size_t count) {
  return count > 1 ? "@" + std::string(kind) + "=" + two_digit_part(index, count) : std::string();
}

std::string plain_tile_suffix(size_t index, size_t count) {
  return "@tile=" + std::to_string(index + 1) + "/" + std::to_string(count);
}

DataDesc resized(DataDesc desc, DimValues sizes) {
  sizes.for_each([&](Dim d, int64_t v) { desc.dims.set(d, v); });
  return desc;
}

Data* aligned_input(Program& p, const std::string& stage, const LayerPtr& layer, Data* tile, const AxisTile& column,
                    std::string_view origin) {
  if (!is_misaligned(column.input_start)) return tile;
  Data* aligned = p.duplicate(tile, "@aligned");
  add_copy(p, stage + "@align-input-ptr", layer, tile, aligned, origin);
  return aligned;
}

Data* aligned_output(Program& p, const std::string& stage, const LayerPtr& layer, Data* tile, const AxisTile& column,
                     std::string_view origin) {
  if (!is_misaligned(column.output_start)) return tile;
  Data* aligned = p.duplicate(tile, "@aligned");
  add_copy(p, stage + "@align-output-ptr", layer, aligned, tile, origin);
  return aligned;
}

Data* output_with_junk(Program& p, const std::string& stage, const LayerPtr& layer, Data* tile, const AxisTile& row,
                       const AxisTile& column) {
  if (!row.has_junk() && !column.has_junk()) return tile;
  Data* junk = p.duplicate(tile, "@with-junk",
                           resized(tile->desc, {{Dim::W, column.output_with_junk}, {Dim::H, row.output_with_junk}}));
  add_crop(p, stage + "@remove-junk", layer, junk, tile, {{Dim::W, column.junk_before}, {Dim::H, row.junk_before}});
  return junk;
}

}  // namespace blobsmith::vpu::nce
