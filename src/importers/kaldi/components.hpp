// Kaldi's files, in binary and in text: a network is a list of components, a component a list of tokens and values
// (model-optimizer spec §4.5).
//
//   <AffineComponent> <LearningRate> 0.01 <LinearParams> [ 1 2 ] <BiasParams> [ 0 ] </AffineComponent>
//
// Values are told apart by what they look like, so that fields nobody needs are passed over without being known.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::kaldi {

struct Item {
  enum class Kind { Number, Flag, Reals, Integers };
  Kind kind = Kind::Number;
  std::string field;    ///< the token before it, "LinearParams"; empty: there is none
  double real = 0;      ///< of a number, read as a float
  int64_t integer = 0;  ///< of a number, read as an integer; of a flag 0 or 1
  Tensor reals{};       ///< a vector or a matrix, f32
  std::vector<int64_t> integers{};
};

struct Component {
  std::string type;               ///< in small letters: "affinecomponent"
  std::string name;               ///< of nnet3
  int64_t rows = 0, columns = 0;  ///< of nnet1: sizes of its output and input
  std::vector<Item> items;
  std::vector<std::vector<Component>> nested;  ///< of a ParallelComponent: networks side by side

  const Item* find(std::string_view field) const;
  bool has(std::string_view field) const { return find(field) != nullptr; }
  // Throw FileCorrupt naming the component where a field is missing or of another kind.
  int64_t integer(std::string_view field) const;
  int64_t integer(std::string_view field, int64_t fallback) const;
  double real(std::string_view field, double fallback) const;
  bool flag(std::string_view field, bool fallback) const;
  const Tensor& reals(std::string_view field) const;
  const std::vector<int64_t>& integers(std::string_view field) const;
  /// The n-th vector or matrix, whatever is in front of it: nnet1 has no names for them.
  const Tensor& nth_reals(size_t n) const;
};

enum class Generation { Nnet1, Nnet2, Nnet3 };

struct File {
  Generation generation = Generation::Nnet1;
  std::vector<std::string> config;  ///< of nnet3: its lines
  std::vector<Component> components;
};

/// Throws FileCorrupt, FileTruncated, with the place.
File read_file_of_components(const Bytes& bytes);

}  // namespace blobsmith::kaldi
