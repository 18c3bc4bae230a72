#include "cli/progress.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "cli/cli.hpp"
#include "cli/events.hpp"
#include "cli/text.hpp"

namespace blobsmith::cli {
namespace {

std::stop_source& interrupts() {
  static std::stop_source source;
  return source;
}

}  // namespace

void catch_interrupts() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // threads made later inherit it: the signals wait for the one below
  std::thread([signals, source = interrupts()]() mutable {
    for (int signal = 0; sigwait(&signals, &signal) == 0;)
      if (!source.request_stop()) _exit(kStopped);
  }).detach();
}

void release_interrupts() {
  sigset_t signals;
  sigemptyset(&signals);
  pthread_sigmask(SIG_SETMASK, &signals, nullptr);
}

ProgressBar::ProgressBar()
    : active_(isatty(STDERR_FILENO)), next_(std::chrono::steady_clock::now() + std::chrono::seconds(1)) {}

ProgressBar::~ProgressBar() {
  if (width_ > 0) std::fprintf(stderr, "\r%*s\r", static_cast<int>(width_), "");
}

Control ProgressBar::control(double begin, double end) {
  Control c{{}, interrupts().get_token()};
  if (sends_events())
    c.on_progress = [begin, end](const Progress& p) { send_progress(p.phase, begin + (end - begin) * p.fraction); };
  else if (active_)
    c.on_progress = [this, begin, end](const Progress& p) { show(p.phase, begin + (end - begin) * p.fraction); };
  return c;
}

void ProgressBar::show(std::string_view phase, double fraction) {
  constexpr int kWidth = 30;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  const int done = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kWidth);
  const std::string line = format("[%.*s%*s] %3d %% %.*s", done, "##############################", kWidth - done, "",
                                  static_cast<int>(fraction * 100), static_cast<int>(phase.size()), phase.data());
  std::fprintf(stderr, "\r%-*s", static_cast<int>(width_), line.c_str());
  std::fflush(stderr);
  width_ = std::max(width_, line.size());
}

}  // namespace blobsmith::cli
