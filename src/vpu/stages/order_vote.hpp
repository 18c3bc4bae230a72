// The order that a concatenation asks of all its data (memory spec §2.2).
#pragma once
#include <vector>

#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// The most frequent order. Among equals one with C at position 2, then one with C at 3; else the one that appeared
/// last (quirk: the reference iterates a hash map, which yields the newest key first).
DimsOrder most_frequent_order(const std::vector<Data*>& datas);

}  // namespace blobsmith::vpu
