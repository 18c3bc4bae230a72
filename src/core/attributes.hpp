// A small insertion-ordered map from names to values of a few types: attributes of graph nodes and stages.
#pragma once
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.hpp"

namespace blobsmith {

/// Integers are held as int64_t, reals as double; every other type as itself.
template <class... Extra>
class AttributeMap {
 public:
  using Value = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>,
                             std::vector<std::string>, Extra...>;

  bool has(std::string_view name) const { return find(name) != nullptr; }

  template <class T>
  void set(std::string_view name, T value) {
    if constexpr (std::same_as<T, bool>)
      put(name, Value(value));
    else if constexpr (std::integral<T>)
      put(name, Value(static_cast<int64_t>(value)));
    else if constexpr (std::floating_point<T>)
      put(name, Value(static_cast<double>(value)));
    else if constexpr (std::convertible_to<T, std::string_view>)
      put(name, Value(std::string(value)));
    else
      put(name, Value(std::move(value)));
  }
  void erase(std::string_view name) {
    std::erase_if(items_, [&](const auto& i) { return i.first == name; });
  }

  /// The value of a mandatory attribute; an internal error when it is absent or of another type.
  template <class T>
  const T& get(std::string_view name) const {
    const Value* v = find(name);
    if (!v) throw internal_error("missing attribute '" + std::string(name) + "'");
    const T* t = std::get_if<T>(v);
    if (!t) throw internal_error("attribute '" + std::string(name) + "' has another type");
    return *t;
  }
  template <class T>
  T get_or(std::string_view name, T fallback) const {
    const Value* v = find(name);
    if (!v) return fallback;
    const T* t = std::get_if<T>(v);
    return t ? *t : fallback;
  }
  int64_t integer(std::string_view name) const { return get<int64_t>(name); }
  int64_t integer(std::string_view name, int64_t fallback) const { return get_or<int64_t>(name, fallback); }
  double real(std::string_view name) const { return get<double>(name); }
  double real(std::string_view name, double fallback) const { return get_or<double>(name, fallback); }
  bool flag(std::string_view name) const { return get_or<bool>(name, false); }
  bool flag(std::string_view name, bool fallback) const { return get_or<bool>(name, fallback); }
  const std::string& text(std::string_view name) const { return get<std::string>(name); }
  std::string text(std::string_view name, std::string fallback) const {
    return get_or<std::string>(name, std::move(fallback));
  }
  const std::vector<int64_t>& integers(std::string_view name) const { return get<std::vector<int64_t>>(name); }

  const Value* find(std::string_view name) const {
    for (const auto& [k, v] : items_)
      if (k == name) return &v;
    return nullptr;
  }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  size_t size() const { return items_.size(); }

 private:
  void put(std::string_view name, Value value) {
    for (auto& [k, v] : items_)
      if (k == name) {
        v = std::move(value);
        return;
      }
    items_.emplace_back(std::string(name), std::move(value));
  }
  std::vector<std::pair<std::string, Value>> items_;
};

}  // namespace blobsmith
