#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace blobsmith::heads {

/// Names of classes as Ultralytics writes them beside a network: {0: 'person', 1: "dog's"}, in the order of their
/// numbers; also a list ['a', 'b']. Empty where it is neither.
std::vector<std::string> parse_labels(std::string_view text);

}  // namespace blobsmith::heads
