// Names of tiles, and their lists, which end in one Split before and one Concat behind (hw-tiling spec §8).
#pragma once
#include <string>
#include <vector>

#include "vpu/nce/plane_tiling.hpp"
#include "vpu/program/builders.hpp"

namespace blobsmith::vpu::nce {

/// "@<kind>=02/10" for the second (index 1) of ten; empty when there is only one.
std::string tile_suffix(const char* kind, size_t index, size_t count);
/// "02/10", also for the only one.
std::string two_digit_part(size_t index, size_t count);
/// "@tile=2/10"
std::string plain_tile_suffix(size_t index, size_t count);

/// Parts of a data object and where they lie in it.
class TileList {
 public:
  Data* add(Data* tile, DimValues offset) {
    datas_.push_back(tile);
    offsets_.push_back(offset);
    return tile;
  }
  bool empty() const { return datas_.empty(); }
  void split(Program& p, const std::string& name, const LayerPtr& layer, Data* whole) {
    add_split(p, name + "@split-input", layer, std::move(offsets_), whole, std::move(datas_));
  }
  void concat(Program& p, const std::string& name, const LayerPtr& layer, Data* whole) {
    add_concat(p, name + "@concat-output", layer, std::move(offsets_), std::move(datas_), whole);
  }

 private:
  std::vector<Data*> datas_;
  std::vector<DimValues> offsets_;
};

/// A descriptor with other sizes.
DataDesc resized(DataDesc desc, DimValues sizes);

/// When the tile begins at a column that the engine can't address, a copy to an aligned buffer, else the tile itself.
Data* aligned_input(Program& p, const std::string& stage, const LayerPtr& layer, Data* tile, const AxisTile& column,
                    std::string_view origin);
Data* aligned_output(Program& p, const std::string& stage, const LayerPtr& layer, Data* tile, const AxisTile& column,
                     std::string_view origin);
/// The buffer that the engine writes: larger than the tile when junk must be cropped.
Data* output_with_junk(Program& p, const std::string& stage, const LayerPtr& layer, Data* tile, const AxisTile& row,
                       const AxisTile& column);

}  // namespace blobsmith::vpu::nce
