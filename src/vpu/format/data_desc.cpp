#include "vpu/format/data_desc.hpp"

namespace blobsmith::vpu {

int64_t element_size(DataType t) {
  switch (t) {
    case DataType::FP16: return 2;
    case DataType::S32:
    case DataType::FP32: return 4;
    default: return 1;
  }
}

const char* to_string(DataType t) {
  constexpr const char* kNames[] = {"FP16", "U8", "S32", "FP32", "I8"};
  return kNames[static_cast<size_t>(t)];
}

std::string to_string(Dim d) {
  constexpr const char* kNames[] = {"W", "H", "C", "N", "D"};
  const auto i = static_cast<size_t>(d);
  return i < 5 ? kNames[i] : std::to_string(i);
}

Error DimValues::no_value(Dim d) { return internal_error("dimension " + to_string(d) + " has no value"); }

DimsOrder DimsOrder::of_rank(int rank) {
  switch (rank) {
    case 0:
    case 1: return orders::C;
    case 2: return orders::NC;
    case 3: return orders::CHW;
    case 4: return orders::NCHW;
    case 5: return orders::NCDHW;
    default: break;
  }
  ensure(rank <= kMaxDims, "tensor of rank " + std::to_string(rank));
  uint64_t code = 0;
  for (int i = rank; i >= 1; --i) code = code << 4 | static_cast<uint64_t>(i);
  return DimsOrder(code);
}

DimsOrder DimsOrder::of(const std::vector<Dim>& innermost_first) {
  uint64_t code = 0;
  for (auto it = innermost_first.rbegin(); it != innermost_first.rend(); ++it)
    code = code << 4 | (static_cast<uint64_t>(*it) + 1);
  return DimsOrder(code);
}

bool DimsOrder::is_valid(uint64_t code) {
  unsigned seen = 0;
  if (!code) return false;
  for (; code; code >>= 4) {
    const unsigned digit = code & 15;
    if (!digit || (seen >> digit & 1)) return false;
    seen |= 1u << digit;
  }
  return true;
}

int DimsOrder::rank() const {
  int n = 0;
  for (uint64_t c = code_; c; c >>= 4) ++n;
  return n;
}

int DimsOrder::position(Dim d) const {
  int i = 0;
  for (uint64_t c = code_; c; c >>= 4, ++i)
    if ((c & 15) == static_cast<uint64_t>(d) + 1) return i;
  return -1;
}

std::vector<Dim> DimsOrder::dims() const {
  std::vector<Dim> r;
  for (int i = 0, n = rank(); i < n; ++i) r.push_back(at(i));
  return r;
}

DimsOrder DimsOrder::with_dim_at(Dim d, int position) const {
  std::vector<Dim> v = dims();
  std::erase(v, d);
  v.insert(v.begin() + position, d);
  return of(v);
}

std::string DimsOrder::name() const {
  std::string s;
  for (int i = rank() - 1; i >= 0; --i)
    s += at(i) <= Dim::D ? to_string(at(i))
                         : std::to_string(static_cast<int>(at(i)) + 1);  // unnamed: the digit of the code
  return s;
}

DataDesc::DataDesc(const std::vector<int64_t>& innermost_first) : DataDesc(DataType::FP16, innermost_first) {}

DataDesc::DataDesc(DataType t, const std::vector<int64_t>& innermost_first)
    : type(t), order(DimsOrder::of_rank(static_cast<int>(innermost_first.size()))) {
  for (size_t i = 0; i < innermost_first.size(); ++i) dims.set(order.at(static_cast<int>(i)), innermost_first[i]);
}

int64_t DataDesc::element_count() const {
  int64_t n = 1;
  for (int i = 0, r = rank(); i < r; ++i)
    if (__builtin_mul_overflow(n, dims[order.at(i)], &n)) throw Error(ErrorCode::ShapeMismatch, "tensor too large");
  return n;
}

DataDesc DataDesc::reordered(DimsOrder o) const {
  DataDesc r = *this;
  r.order = o;
  return r;
}

Dim DataDesc::axis_dim(int64_t axis) const {
  const int n = rank();
  if (axis < 0) axis += n;
  ensure(axis >= 0 && axis < n, "axis out of range");
  return DimsOrder::of_rank(n).at(n - 1 - static_cast<int>(axis));
}

DimValues compute_strides(const DataDesc& desc, const StridesRequirement& requirement) {
  if (requirement.is_fixed()) return requirement.fixed_strides();
  DimValues strides;
  int64_t s = element_size(desc.type);
  for (int i = 0, n = desc.rank(); i < n; ++i) {
    if (i > 0 && __builtin_mul_overflow(s, desc.dim(desc.order.at(i - 1)), &s))
      throw Error(ErrorCode::ShapeMismatch, "tensor too large");
    if (requirement.at(i) == StrideRule::Aligned) s = align_up(s, kStrideAlignment);
    strides.set(desc.order.at(i), s);
  }
  return strides;
}

bool strides_satisfy(const DataDesc& desc, const DimValues& strides, const StridesRequirement& requirement) {
  for (int i = 0, n = desc.rank(); i < n; ++i) {
    const Dim d = desc.order.at(i);
    const int64_t s = strides[d];
    switch (requirement.at(i)) {
      case StrideRule::Any: break;
      case StrideRule::Compact: {
        const int64_t want =
            i == 0 ? element_size(desc.type) : strides[desc.order.at(i - 1)] * desc.dim(desc.order.at(i - 1));
        if (s != want) return false;
        break;
      }
      case StrideRule::Aligned:
        if (s % kStrideAlignment != 0) return false;
        break;
      case StrideRule::Fixed:
        if (s != requirement.fixed_strides()[d]) return false;
        break;
    }
  }
  return true;
}

int64_t byte_size(const DataDesc& desc, const DimValues& strides) {
  const Dim outer = desc.order.at(desc.rank() - 1);
  return strides[outer] * desc.dim(outer);
}

}  // namespace blobsmith::vpu
