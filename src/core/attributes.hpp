// A small insertion-ordered map from names to values of a few types: the attributes of graph nodes.
#pragma once
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace blobsmith {

/// Integers are held as int64_t, reals as double; every other type as itself. Asking for a value as another type than
/// it is held as is an internal error.
class Attributes {
 public:
  using Value = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>,
                             std::vector<std::string>>;

  bool has(std::string_view name) const { return find(name) != nullptr; }

  template <class T>
  void set(std::string_view name, T value) {
    if constexpr (std::same_as<T, bool>)
      put(name, value);
    else if constexpr (std::integral<T>)
      put(name, static_cast<int64_t>(value));
    else if constexpr (std::floating_point<T>)
      put(name, static_cast<double>(value));
    else if constexpr (std::convertible_to<T, std::string_view>)
      put(name, std::string(value));
    else
      put(name, Value(std::move(value)));
  }
  void erase(std::string_view name);

  /// The value of a mandatory attribute; an internal error when it is absent.
  template <class T>
  const T& get(std::string_view name) const {
    const Value* v = find(name);
    if (!v) throw_missing(name);
    return as<T>(name, *v);
  }
  template <class T>
  T get_or(std::string_view name, T fallback) const {
    const Value* v = find(name);
    return v ? as<T>(name, *v) : fallback;
  }
  int64_t integer(std::string_view name) const;
  int64_t integer(std::string_view name, int64_t fallback) const;
  double real(std::string_view name) const;
  double real(std::string_view name, double fallback) const;
  bool flag(std::string_view name, bool fallback = false) const;
  const std::string& text(std::string_view name) const;
  std::string text(std::string_view name, std::string fallback) const;
  const std::vector<int64_t>& integers(std::string_view name) const;

  const Value* find(std::string_view name) const;
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  size_t size() const { return items_.size(); }

 private:
  template <class T>
  static const T& as(std::string_view name, const Value& v) {
    const T* t = std::get_if<T>(&v);
    if (!t) throw_another_type(name);
    return *t;
  }
  [[noreturn]] static void throw_missing(std::string_view name);
  [[noreturn]] static void throw_another_type(std::string_view name);
  void put(std::string_view name, bool value);
  void put(std::string_view name, int64_t value);
  void put(std::string_view name, double value);
  void put(std::string_view name, std::string value);
  void put(std::string_view name, Value value);

  std::vector<std::pair<std::string, Value>> items_;
};

}  // namespace blobsmith
