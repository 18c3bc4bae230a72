// nnet1 and nnet2 are chains; nnet3 says in lines of text which component reads which, and when.
#include "importers/kaldi/network.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace blobsmith::kaldi {
namespace {

constexpr int kDeepestDescriptor = 64;
constexpr int64_t kFarthest = 10'000;  // frames

Error bad_config(const std::string& what) { return Error(ErrorCode::FileCorrupt, what); }

/// Names of layers as Model Optimizer counts them: the second of a name gets the number of layers so far.
class Names {
 public:
  void count() { ++count_; }  ///< something that has no name here
  std::string unnumbered(const std::string& name) {
    const size_t before = count_;
    std::string s = unique(name);
    count_ = before;
    return s;
  }
  std::string unique(const std::string& name) {
    ++count_;
    if (names_.insert(name).second) return name;
    for (size_t n = count_;; ++n)
      if (std::string s = name + std::to_string(n); names_.insert(s).second) return s;
  }

 private:
  std::set<std::string> names_;
  size_t count_ = 0;
};

// ---- chains ----

bool has_nested(const Component& c) { return c.type == "parallelcomponent"; }

void append_chain(Network& net, const std::vector<Component>& components, Names& names, std::string& last) {
  for (const Component& c : components) {
    if (!has_nested(c)) {
      Layer layer{.kind = Kind::Component, .name = names.unique(c.type), .type = c.type, .component = &c};
      layer.inputs = {last};
      last = layer.name;
      net.layers.push_back(std::move(layer));
      continue;
    }
    if (c.nested.empty()) throw bad_config("a ParallelComponent holds no networks");
    Layer split{.kind = Kind::Split, .name = names.unnumbered("NestedNets/VariadicSplit"), .type = "ParallelComponent"};
    split.inputs = {last};
    for (const auto& inner : c.nested) {
      if (inner.empty()) throw bad_config("a network of a ParallelComponent is empty");
      split.lengths.push_back(inner.front().columns);
    }
    Layer concat{.kind = Kind::Append, .name = names.unnumbered("Concat"), .type = "ParallelComponent"};
    const std::string split_name = split.name;
    net.layers.push_back(std::move(split));
    for (size_t i = 0; i < c.nested.size(); ++i) {
      std::string end = split_name + ":" + std::to_string(i);
      append_chain(net, c.nested[i], names, end);
      names.count();  // the nested network's end
      concat.inputs.push_back(end);
    }
    for (int i = 0; i < 3; ++i) names.count();  // the split, its operation, and the joint
    last = concat.name;
    net.layers.push_back(std::move(concat));
  }
}

/// Of the first component of nnet2, which says it, or has weights for so many.
int64_t columns_read_by(const Component& c) {
  const int64_t stated = c.integer("InputDim", c.integer("Dim", 0));
  if (stated != 0 || !c.has("LinearParams")) return stated;
  const Shape& weights = c.reals("LinearParams").shape;
  return weights.size() == 2 ? weights[1] : 0;
}

Network chain_network(const File& file) {
  if (file.components.empty()) throw bad_config("the model has no components");
  const bool first_generation = file.generation == Generation::Nnet1;
  const Component& first = file.components.front();
  Network net;
  Names names;
  std::string last = names.unique(first_generation ? "Parameter" : "Input");
  net.inputs.push_back({last, first_generation ? first.columns : columns_read_by(first)});
  append_chain(net, file.components, names, last);
  net.outputs.push_back(last);
  return net;
}

// ---- nnet3 ----

class ConfigReader {
 public:
  explicit ConfigReader(const File& file) : file_(file) {}

  Network read() {
    for (const Component& c : file_.components) components_.emplace(c.name, &c);
    for (const std::string& line : file_.config) read_line(line);
    for (const Layer& l : net_.layers)
      for (const std::string& i : l.inputs)
        if (!known_.contains(i)) throw bad_config("layer '" + l.name + "' reads '" + i + "', which there is not");
    for (const std::string& o : net_.outputs)
      if (!known_.contains(o)) throw bad_config("'" + o + "' is an output, which there is not");
    return std::move(net_);
  }

 private:
  /// What stands behind "key=", up to the next " key=".
  static std::string value(const std::string& line, const std::string& key) {
    size_t at = 0;
    do at = line.find(key + "=", at == 0 ? 0 : at + 1);
    while (at != std::string::npos && at > 0 && line[at - 1] != ' ');
    if (at == std::string::npos) throw bad_config("'" + line + "' has no " + key);
    const size_t begin = at + key.size() + 1;
    size_t end = line.find('=', begin);
    if (end != std::string::npos) end = line.rfind(' ', end);
    std::string v = line.substr(begin, end == std::string::npos || end < begin ? end : end - begin);
    v.erase(v.find_last_not_of(" \r\t") + 1);
    return v;
  }
  static int64_t number(const std::string& s) {
    int64_t v = 0;
    const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), v);
    if (s.empty() || ec != std::errc{} || end != s.data() + s.size()) throw bad_config("'" + s + "' is not a number");
    return v;
  }

  void read_line(const std::string& line) {
    const std::string kind = line.substr(0, line.find(' '));
    if (kind == "input-node") {
      net_.inputs.push_back({value(line, "name"), number(value(line, "dim"))});
      known_.insert(net_.inputs.back().name);
    } else if (kind == "component-node") {
      const std::string component = value(line, "component");
      const auto it = components_.find(component);
      if (it == components_.end()) throw bad_config("Something wrong with layer " + component);
      Layer l{.kind = Kind::Component, .name = value(line, "name"), .type = it->second->type, .component = it->second};
      l.inputs = {descriptor(value(line, "input"), 0)};
      add(std::move(l));
    } else if (kind == "dim-range-node") {
      Layer l{.kind = Kind::Crop, .name = value(line, "name"), .type = "dim-range-node"};
      l.begin = number(value(line, "dim-offset"));
      l.length = number(value(line, "dim"));
      l.inputs = {value(line, "input-node")};
      add(std::move(l));
    } else if (kind == "output-node") {
      net_.outputs.push_back(descriptor(value(line, "input"), 0));
    } else {
      throw bad_config("Unsupported node specifier " + kind);
    }
  }

  void add(Layer l) {
    if (known_.insert(l.name).second) net_.layers.push_back(std::move(l));
  }

  /// "Append(a, Offset(b, -1))" -> {"a", "Offset(b, -1)"}
  static std::vector<std::string> arguments(const std::string& text, size_t open) {
    std::vector<std::string> list(1);
    int depth = 0;
    for (size_t i = open + 1; i < text.size(); ++i) {
      const char c = text[i];
      if (c == ')' && depth-- == 0) break;
      if (c == '(') ++depth;
      if (c == ',' && depth == 0)
        list.emplace_back();
      else if (c != ' ' || !list.back().empty())
        list.back() += c;
    }
    for (std::string& s : list) s.erase(s.find_last_not_of(' ') + 1);
    return list;
  }

  /// The layer that computes what a descriptor says.
  std::string descriptor(const std::string& text, int depth) {
    if (depth > kDeepestDescriptor) throw bad_config("descriptors are nested too deep");
    const size_t open = text.find('(');
    if (open == std::string::npos) return text;
    const std::string what = text.substr(0, open);
    const std::vector<std::string> args = arguments(text, open);
    const auto inner = [&](size_t i) {
      if (i >= args.size()) throw bad_config("'" + text + "' lacks an argument");
      return descriptor(args[i], depth + 1);
    };
    if (what == "Append" || what == "Sum") {
      Layer l{.kind = what == "Append" ? Kind::Append : Kind::Sum, .name = what + "_", .type = what};
      for (size_t i = 0; i < args.size(); ++i) l.inputs.push_back(inner(i));
      for (const std::string& i : l.inputs) l.name += i + "_";
      const std::string name = l.name;
      add(std::move(l));
      return name;
    }
    if (what == "Offset") {
      if (args.size() > 2) throw bad_config("Offset with more than two arguments: " + text);
      std::string from = inner(0);
      if (args.size() < 2) throw bad_config("'" + text + "' lacks an argument");
      int64_t t = number(args[1]);
      if (t < -kFarthest || t > kFarthest) throw bad_config("'" + text + "' lies too far away");
      if (const auto it = std::ranges::find(net_.layers, from, &Layer::name);
          it != net_.layers.end() && it->kind == Kind::Offset)
        t += it->time, from = std::string(it->inputs[0]);
      if (t == 0) return from;
      Layer l{.kind = Kind::Offset, .name = "Offset_" + from + "_", .type = what};
      l.name += t < 0 ? "_" + std::to_string(-t) : std::to_string(t);
      l.time = t;
      l.inputs = {from};
      const std::string name = l.name;
      add(std::move(l));
      return name;
    }
    if (what == "IfDefined") {
      const std::string name = inner(0);
      for (Layer& l : net_.layers)
        if (l.name == name && l.kind == Kind::Offset) l.has_default = true;
      return name;
    }
    if (what == "ReplaceIndex") return inner(0);
    if (what == "Scale") {
      const std::string from = inner(1);
      Layer l{.kind = Kind::Scale, .name = from + "/Mul/" + args[0], .type = what};
      char* end = nullptr;
      l.scale = std::strtod(args[0].c_str(), &end);
      if (end == args[0].c_str()) throw bad_config("'" + text + "' scales by no number");
      l.inputs = {from};
      const std::string name = l.name;
      add(std::move(l));
      return name;
    }
    throw Error(ErrorCode::NotYetSupported, "not yet supported: descriptor " + what + " in '" + text + "'")
        .at_layer(what, "descriptor");
  }

  const File& file_;
  Network net_;
  std::map<std::string, const Component*> components_;
  std::set<std::string> known_;
};

}  // namespace

Network network_of(const File& file) {
  return file.generation == Generation::Nnet3 ? ConfigReader(file).read() : chain_network(file);
}

int64_t columns_of(const Component& c, int64_t in) {
  if (c.rows > 0) return c.rows;
  for (const char* weights : {"LinearParams", "Params"})
    if (c.has(weights) && c.reals(weights).shape.size() == 2 && c.type != "lstmnonlinearitycomponent" &&
        c.type.find("convolution") == std::string::npos)
      return c.reals(weights).shape[0];
  if (c.type == "lstmnonlinearitycomponent") return 2 * c.reals("Params").shape.back();
  if (c.type == "timeheightconvolutioncomponent") return c.integer("NumFiltersOut") * c.integer("HeightOut");
  if (c.type == "sumgroupcomponent") return std::ssize(c.integers("Sizes"));
  if (c.has("OutputDim")) return c.integer("OutputDim");
  if (c.has("Dim")) return c.integer("Dim");
  return in;
}

}  // namespace blobsmith::kaldi
