// What a verb that takes long shows on a terminal, and Ctrl-C.
#pragma once
#include <chrono>
#include <string>

#include "blobsmith/progress.hpp"

namespace blobsmith::cli {

/// From now on SIGINT and SIGTERM ask the call going on to stop; a second one ends the program at once. To be called
/// before there is another thread.
void catch_interrupts();
/// Undoes it for a program that this process becomes.
void release_interrupts();

/// One line on stderr that overwrites itself, from the second second on; nothing where stderr is not a terminal.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// For one call of the library, or several in a row that each take a part of the whole. Must not outlive the bar.
  Control control(double begin = 0, double end = 1);

 private:
  void show(std::string_view phase, double fraction);

  bool active_;
  size_t width_ = 0;  ///< of what stands on the line
  std::chrono::steady_clock::time_point next_;
};

}  // namespace blobsmith::cli
