#include "vpu/memory/shape_records.hpp"

#include <algorithm>
#include <map>

#include "vpu/memory/fixed_data.hpp"

namespace blobsmith::vpu {
namespace {

class ShapeRecords {
 public:
  explicit ShapeRecords(size_t data_count, int64_t cursor) : cursor_(cursor), placed_(data_count, 0) {}
  int64_t end() const { return cursor_; }

  void place(Data* d) {
    char& placed = placed_[static_cast<size_t>(d->id())];
    if (placed) return;
    placed = 1;
    const int64_t bytes = d->desc.rank() * static_cast<int64_t>(sizeof(uint32_t));
    if (const Data* shape = d->shape_parent()) {
      d->dims_placement = shape->placement;  // read at run time
      if (d->usage == DataUsage::Input || d->usage == DataUsage::Output) d->io_dims_upper_bound_offset = take(bytes);
    } else {
      d->dims_placement = {Location::Blob, dims_record(d->desc, bytes)};
    }
    d->strides_placement = {Location::Blob, take(bytes)};
  }

 private:
  int64_t take(int64_t bytes) {
    const int64_t at = cursor_;
    cursor_ += bytes;
    check_addressable(cursor_, "constants and shapes");
    return at;
  }
  /// Equal sizes in an equal order share one record; strides never do.
  int64_t dims_record(const DataDesc& desc, int64_t bytes) {
    std::vector<int64_t> key{static_cast<int64_t>(desc.order.code())};
    for (int i = 0, n = desc.rank(); i < n; ++i) key.push_back(desc.dim(desc.order.at(i)));
    const auto known = dims_.find(key);
    return known != dims_.end() ? known->second : dims_.emplace(std::move(key), take(bytes)).first->second;
  }

  int64_t cursor_;
  std::vector<char> placed_;  // by data id
  std::map<std::vector<int64_t>, int64_t> dims_;
};

}  // namespace

int64_t place_shape_records(Program& p, int64_t const_bytes) {
  ShapeRecords records(p.data_id_end(), const_bytes);
  for (const Stage* s : p.stages()) {
    for (Data* d : s->inputs()) records.place(d);
    for (Data* d : s->outputs()) records.place(d);
    for (Data* d : s->temps()) records.place(d);
  }
  std::vector<Data*> unread;
  p.for_each_data([&](Data* d) {
    if (d->usage == DataUsage::Input && d->consumers().empty() && d->shape_children().empty()) unread.push_back(d);
  });
  std::ranges::sort(unread, {}, &Data::name);
  for (Data* d : unread) records.place(d);
  return records.end();
}

}  // namespace blobsmith::vpu
