// The names of a tensor as the reference of releases with Release::tensor_names_follow keeps them: in a hash table,
// which lists them in an order that the blob shows (quirk; releases spec §4).
//
// An example: a tensor called "a" takes the names "b" and "c" of what is eliminated behind it. The table has 2 buckets
// for one name; a new name comes first, so it lists "b", "a". The third name makes it grow to 5 buckets, for which the
// entries are entered anew in the order in which they were listed: "a", "b"; then "c" comes first: "c", "a", "b".
#pragma once
#include <string>

#include "graph/graph.hpp"

namespace blobsmith {

/// The tensor has this one name.
void set_tensor_name(OutputPort& port, std::string name);
/// Enters a further name, unless the tensor has it already.
void add_tensor_name(OutputPort& port, const std::string& name);
/// Enters all names of `from`, as they are listed.
void hand_over_tensor_names(const OutputPort& from, OutputPort& to);
/// Another node takes the place of the tensor's: its names are entered into a new table.
void renew_tensor_names(OutputPort& port);

}  // namespace blobsmith
