// MXNet's files: the graph (-symbol.json) and the parameters (.params, .nd); model-optimizer spec §4.4.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::mxnet {

struct Input {
  size_t node = 0;
  int port = 0;
};

struct SymbolNode {
  std::string op;  ///< "null": a variable
  std::string name;
  std::map<std::string, std::string> attributes{};
  std::vector<Input> inputs{};
};

struct Symbol {
  std::vector<SymbolNode> nodes;  ///< in an order in which they can be computed
  std::vector<Input> heads;       ///< outputs of the network
};

/// Throws FileCorrupt.
Symbol read_symbol(std::string_view json);

/// Arrays by name, without "arg:" and "aux:". Throws FileCorrupt, FileTruncated, TypeMismatch.
std::map<std::string, Tensor> read_parameters(const Bytes& file);

/// "(3, 3)", "[3,3]" or "3": numbers of a tuple; None for "None" among them is `none`. Nothing where it is none of
/// that.
std::optional<std::vector<double>> numbers_of(std::string_view text, double none = 0);

}  // namespace blobsmith::mxnet
