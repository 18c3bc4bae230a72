// A file's components as layers that read each other, and what Kaldi's time is: a frame at a time goes in, what lies
// before it comes out of memories, and what lies behind it is waited for (model-optimizer spec §4.5).
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "importers/kaldi/components.hpp"

namespace blobsmith::kaldi {

enum class Kind {
  Component,
  Append,  ///< side by side
  Sum,
  Scale,
  Crop,        ///< `length` columns from `begin` on
  Offset,      ///< its input `time` frames later; gone after lower_time
  Split,       ///< parts of `lengths` columns, of which each reader takes one
  MemoryRead,  ///< what MemoryWrite of the same variable was given for the frame before
  MemoryWrite,
};

struct Layer {
  Kind kind = Kind::Component;
  std::string name;
  std::string type;  ///< in messages, and of components what they become
  const Component* component = nullptr;
  std::vector<std::string> inputs{};  ///< names of layers; "name:1" of a Split
  int64_t begin = 0, length = 0;      ///< of Crop; length of MemoryRead: its columns
  int64_t time = 0;                   ///< of Offset
  bool has_default = false;           ///< of Offset: it may lie in a circle, and is 0 where there is no such frame
  double scale = 1;
  std::vector<int64_t> lengths{};
  std::string variable{};
};

struct NetworkInput {
  std::string name;
  int64_t columns = 0;
};

struct Network {
  std::vector<NetworkInput> inputs;
  std::vector<Layer> layers;
  std::vector<std::string> outputs;  ///< names of layers
};

/// The variable of the columns that are the same in all frames of a splice.
inline constexpr std::string_view kConstantMemory = "memory_for_const_dim";

/// Throws FileCorrupt, NotYetSupported.
Network network_of(const File& file);
/// Offsets in time as memories: the layers in an order in which they can be computed.
void lower_time(Network& network);

/// How many columns a component gives for so many.
int64_t columns_of(const Component& c, int64_t in);

}  // namespace blobsmith::kaldi
