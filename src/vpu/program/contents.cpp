#include "vpu/program/contents.hpp"

#include <algorithm>

#include "core/scaled_halves.hpp"

namespace blobsmith::vpu::contents {
namespace {

/// FP16 content that is properly aligned for reading.
class Elements {
 public:
  explicit Elements(const Bytes& content) : bytes_(content.aligned(alignof(Half))), values_(bytes_.as<Half>()) {}
  Half operator[](size_t i) const { return values_[i]; }
  size_t size() const { return values_.size(); }
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }

 private:
  Bytes bytes_;
  std::span<const Half> values_;
};

}  // namespace

Bytes replicated(float v, int64_t n) {
  return Bytes::adopt(std::vector<Half>(static_cast<size_t>(n), quirks::float_to_half(v)));
}

Bytes repeated(const Bytes& content, int64_t n) {
  std::vector<uint8_t> r;
  r.reserve(content.size() * static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) r.insert(r.end(), content.span().begin(), content.span().end());
  return Bytes::adopt(std::move(r));
}

Bytes scaled(const Bytes& content, float factor) {
  Buffer r(content.size() / sizeof(Half));
  quirks::scaled_halves(content.data(), factor, r.span());
  return std::move(r).bytes();
}

Bytes halves(std::span<const float> values) {
  Buffer r(values.size());
  quirks::floats_to_halves(values, r.span());
  return std::move(r).bytes();
}

Bytes blob_halves(std::span<const float> values) {
  Buffer r(values.size());
  quirks::float_to_half_blob(values, r.span());
  return std::move(r).bytes();
}

Bytes int32s(std::vector<int32_t> values) { return Bytes::adopt(std::move(values)); }

Bytes slice(const Bytes& content, int64_t start, int64_t count) {
  return content.slice(static_cast<size_t>(start) * sizeof(Half), static_cast<size_t>(count) * sizeof(Half));
}

Bytes joined(std::span<const Bytes> parts) {
  std::vector<uint8_t> r;
  for (const Bytes& p : parts) r.insert(r.end(), p.span().begin(), p.span().end());
  return Bytes::adopt(std::move(r));
}

Bytes permuted(const Bytes& content, const std::vector<int64_t>& dims, const std::vector<int>& axes) {
  const Elements in(content);
  const size_t n = dims.size();
  ensure(axes.size() == n && n > 0, "axes of a transposition");
  std::vector<size_t> strides(n, 1);  // of the input
  for (size_t i = n - 1; i > 0; --i) strides[i - 1] = strides[i] * static_cast<size_t>(dims[i]);
  ensure(strides[0] * static_cast<size_t>(dims[0]) == in.size(), "transposed content does not match its shape");
  std::vector<size_t> size(n), step(n), at(n, 0);
  for (size_t k = 0; k < n; ++k) {
    size[k] = static_cast<size_t>(dims[static_cast<size_t>(axes[k])]);
    step[k] = strides[static_cast<size_t>(axes[k])];
  }
  Buffer r(in.size());
  for (size_t out = 0, from = 0; out < r.count;) {
    for (size_t i = 0, p = from; i < size[n - 1]; ++i, p += step[n - 1]) r.data[out++] = in[p];
    for (size_t k = n - 1; k-- > 0;) {  // next row
      from += step[k];
      if (++at[k] < size[k]) break;
      from -= step[k] * size[k];
      at[k] = 0;
    }
  }
  return std::move(r).bytes();
}

Bytes reversed_rows(const Bytes& content, int64_t length) {
  const Elements in(content);
  const auto n = static_cast<size_t>(length);
  ensure(n > 0 && in.size() % n == 0, "reversed content does not match its shape");
  std::vector<Half> r(in.begin(), in.end());
  for (size_t i = 0; i < r.size(); i += n)
    std::reverse(r.begin() + static_cast<ptrdiff_t>(i), r.begin() + static_cast<ptrdiff_t>(i + n));
  return Bytes::adopt(std::move(r));
}

Bytes position_in_out(const Bytes& weights, int64_t out, int64_t in, int64_t positions) {
  return permuted(weights, {out, in, positions}, {2, 1, 0});
}
Bytes out_position_in(const Bytes& weights, int64_t out, int64_t in, int64_t positions) {
  return permuted(weights, {out, in, positions}, {0, 2, 1});
}
Bytes position_out_in(const Bytes& weights, int64_t out, int64_t in, int64_t positions) {
  return permuted(weights, {out, in, positions}, {2, 0, 1});
}

Bytes deconv_as_conv(const Bytes& weights, int64_t in, int64_t out, int64_t positions) {
  return reversed_rows(permuted(weights, {in, out, positions}, {1, 0, 2}), positions);
}

}  // namespace blobsmith::vpu::contents
