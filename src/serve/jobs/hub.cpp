#include "serve/jobs/hub.hpp"

#include <algorithm>

namespace blobsmith::serve {

void Hub::watch(const std::string& id, Watcher w) {
  auto entry = std::make_shared<Entry>();
  entry->watcher = std::move(w);
  const std::lock_guard lock(mutex_);
  watchers_[id].push_back(std::move(entry));
}

void Hub::tell(const Job& j) {
  std::vector<std::shared_ptr<Entry>> entries;
  {
    const std::lock_guard lock(mutex_);
    const auto it = watchers_.find(j.id);
    if (it == watchers_.end()) return;
    entries = it->second;
  }
  bool some_over = false;
  for (const auto& e : entries) {
    const std::lock_guard lock(e->mutex);
    if (!e->over) e->over = !e->watcher(j) || is_end(j.state);
    some_over |= e->over;
  }
  if (!some_over) return;
  const std::lock_guard lock(mutex_);
  const auto it = watchers_.find(j.id);
  if (it == watchers_.end()) return;
  std::erase_if(it->second, [&](const auto& e) { return std::ranges::find(entries, e) != entries.end() && e->over; });
  if (it->second.empty()) watchers_.erase(it);
}

std::vector<std::string> Hub::watched() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, list] : watchers_) ids.push_back(id);
  return ids;
}

}  // namespace blobsmith::serve
