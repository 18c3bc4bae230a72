#include "vpu/stages/types_check.hpp"

namespace blobsmith::vpu::types_check {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> r;
  while (!text.empty()) {
    const size_t n = std::min(text.find(separator), text.size());
    if (n > 0) r.push_back(text.substr(0, n));
    text.remove_prefix(std::min(n + 1, text.size()));
  }
  return r;
}

Error failure(const Stage& s, const std::string& what) {
  Error e(ErrorCode::TypeMismatch, "Stage node " + s.name + " (" + to_string(s.type) + ") types check error: " + what);
  if (s.layer)
    e.at_layer(s.layer->name, s.layer->type).from(s.layer->source);
  else
    e.at_layer(s.name, to_string(s.type));
  return e;
}

void side(const Stage& s, std::string_view kind, const std::vector<Data*>& datas, std::string_view rule) {
  const std::vector<std::string_view> words = split(rule, ' ');
  const bool open = !words.empty() && words.back().ends_with('*');
  const size_t needed = open ? words.size() - 1 : words.size();
  if (datas.size() < needed || (!open && datas.size() > needed))
    throw failure(s, "the Stage has " + std::to_string(datas.size()) + " of " + std::string(kind) + " edges, but " +
                         std::to_string(needed) + " is expected");
  for (size_t i = 0; i < datas.size(); ++i) {
    std::string_view allowed = words[std::min(i, words.size() - 1)];
    if (allowed.ends_with('*')) allowed.remove_suffix(1);
    port(s, kind, static_cast<int>(i), datas[i], allowed);
  }
}

}  // namespace

void port(const Stage& s, std::string_view kind, int index, const Data* d, std::string_view allowed) {
  if (d->usage == DataUsage::Fake) return;
  const std::string_view actual = to_string(d->desc.type);
  std::string list;
  for (std::string_view word : split(allowed, '|')) {
    if (word == "T") word = to_string(s.input(0)->desc.type);
    if (word == actual) return;
    list += (list.empty() ? "" : ", ") + std::string(word);
  }
  throw failure(s, std::string(kind) + " #" + std::to_string(index) + " has type " + std::string(actual) +
                       ", but one of [" + list + "] is expected");
}

void ports(const Stage& s, std::string_view rule) {
  const size_t arrow = rule.find("->");
  ensure(arrow != std::string_view::npos, "type rule without an arrow");
  side(s, "input", s.inputs(), rule.substr(0, arrow));
  side(s, "output", s.outputs(), rule.substr(arrow + 2));
}

}  // namespace blobsmith::vpu::types_check
