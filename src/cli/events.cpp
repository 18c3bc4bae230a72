#include "cli/events.hpp"

#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

namespace blobsmith::cli {
namespace {

int events_descriptor = -1;

}  // namespace

void send_events_to(int descriptor) { events_descriptor = descriptor; }
bool sends_events() { return events_descriptor >= 0; }

void send_event(const nlohmann::ordered_json& event) {
  if (!sends_events()) return;
  const std::string line = event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  for (size_t done = 0; done < line.size();) {
    const ssize_t n = write(events_descriptor, line.data() + done, line.size() - done);
    if (n <= 0) return;  // nobody listens any more: the work goes on
    done += static_cast<size_t>(n);
  }
}

void send_progress(std::string_view phase, double fraction) {
  static std::chrono::steady_clock::time_point next;
  static std::string last;
  const auto now = std::chrono::steady_clock::now();
  if (phase == last && now < next) return;
  next = now + std::chrono::milliseconds(100);
  last = phase;
  send_event({{"phase", last}, {"fraction", fraction}});
}

}  // namespace blobsmith::cli
