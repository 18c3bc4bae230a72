// Tables of rows: short lists inside of a row, and the look-up by name.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <ranges>
#include <string_view>

namespace blobsmith {

/// Up to N values in place, as a column of a constexpr table; more don't compile there.
template <class T, size_t N>
class Few {
 public:
  constexpr Few() = default;
  constexpr Few(std::initializer_list<T> values) : count_(values.size()) { std::ranges::copy(values, values_.begin()); }
  constexpr auto begin() const { return values_.begin(); }
  constexpr auto end() const { return values_.begin() + static_cast<std::ptrdiff_t>(count_); }
  constexpr bool contains(const T& value) const { return std::ranges::find(*this, value) != end(); }

 private:
  std::array<T, N> values_{};
  size_t count_ = 0;
};

/// The first row whose column `key` is `name`; nullptr where there is none.
template <std::ranges::range Rows, class Row = std::ranges::range_value_t<Rows>>
const Row* find_row(const Rows& rows, std::string_view name, std::string_view Row::* key) {
  const auto it = std::ranges::find(rows, name, key);
  return it == std::ranges::end(rows) ? nullptr : &*it;
}

}  // namespace blobsmith
