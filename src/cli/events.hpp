// What a program that started this one is told while a verb runs: lines of JSON on a file descriptor.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "blobsmith/error.hpp"

namespace blobsmith::cli {

/// From now on events go there: {"phase", "fraction"} a few times a second, {"error": reports::of_error()} for every
/// error that is printed, and what `job` says.
void send_events_to(int descriptor);
bool sends_events();
void send_event(const nlohmann::ordered_json& event);
void send_progress(std::string_view phase, double fraction);

}  // namespace blobsmith::cli
