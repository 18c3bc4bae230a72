#include "core/attributes.hpp"

#include "core/error.hpp"

namespace blobsmith {

void Attributes::erase(std::string_view name) {
  std::erase_if(items_, [&](const auto& i) { return i.first == name; });
}

int64_t Attributes::integer(std::string_view name) const { return get<int64_t>(name); }
int64_t Attributes::integer(std::string_view name, int64_t fallback) const { return get_or<int64_t>(name, fallback); }
double Attributes::real(std::string_view name) const { return get<double>(name); }
double Attributes::real(std::string_view name, double fallback) const { return get_or<double>(name, fallback); }
bool Attributes::flag(std::string_view name, bool fallback) const { return get_or<bool>(name, fallback); }
const std::string& Attributes::text(std::string_view name) const { return get<std::string>(name); }
std::string Attributes::text(std::string_view name, std::string fallback) const {
  return get_or<std::string>(name, std::move(fallback));
}
const std::vector<int64_t>& Attributes::integers(std::string_view name) const {
  return get<std::vector<int64_t>>(name);
}

const Attributes::Value* Attributes::find(std::string_view name) const {
  for (const auto& [k, v] : items_)
    if (k == name) return &v;
  return nullptr;
}

void Attributes::throw_missing(std::string_view name) {
  throw internal_error("missing attribute '" + std::string(name) + "'");
}

void Attributes::throw_another_type(std::string_view name) {
  throw internal_error("attribute '" + std::string(name) + "' has another type");
}

void Attributes::put(std::string_view name, bool value) { put(name, Value(value)); }
void Attributes::put(std::string_view name, int64_t value) { put(name, Value(value)); }
void Attributes::put(std::string_view name, double value) { put(name, Value(value)); }
void Attributes::put(std::string_view name, std::string value) { put(name, Value(std::move(value))); }

void Attributes::put(std::string_view name, Value value) {
  for (auto& [k, v] : items_)
    if (k == name) {
      v = std::move(value);
      return;
    }
  items_.emplace_back(std::string(name), std::move(value));
}

}  // namespace blobsmith
