// Time: offsets of layers become memories. A layer that reads frames of another at several times reads parts of one
// shift register, and where frames are needed that lie ahead, what does not wait for them is held back:
//
//   Append(Offset(x,-1), x, Offset(x,1))  ->  Concat(the two frames of x before, x), a frame late
#include <algorithm>
#include <functional>
#include <set>

#include "importers/kaldi/network.hpp"

namespace blobsmith::kaldi {
namespace {

constexpr int64_t kLongest = 10'000;  // frames

std::string base_of(const std::string& input) { return input.substr(0, input.rfind(':')); }

class Lowering {
 public:
  explicit Lowering(Network& net) : net_(net) {}

  void run() {
    expand_components();
    for (const Layer& l : net_.layers)
      if (l.kind == Kind::Offset && std::abs(l.time) > kLongest)
        throw Error(ErrorCode::FileCorrupt, "layer '" + l.name + "' reads " + std::to_string(l.time) + " frames away");
    align();
    find_columns();
    remember();
    split_registers();
    net_.layers = in_order();
  }

 private:
  Layer* find(const std::string& name) {
    const auto it = std::ranges::find(net_.layers, name, &Layer::name);
    return it == net_.layers.end() ? nullptr : &*it;
  }

  void rename_readers(const std::string& from, const std::string& to, const std::string& except) {
    for (Layer& l : net_.layers)
      if (l.name != except) std::ranges::replace(l.inputs, from, to);
    std::ranges::replace(net_.outputs, from, to);
  }

  // ---- components that look around ----

  void expand_components() {
    std::vector<Layer> made;
    for (Layer& l : net_.layers) {
      if (l.kind != Kind::Component) continue;
      if (l.type == "tdnncomponent") expand_tdnn(l, made);
      if (l.type == "timeheightconvolutioncomponent") expand_convolution(l, made);
      if (l.type == "splicecomponent" || l.type == "splice") expand_splice(l, made);
      if (l.type.starts_with("lstmprojected")) expand_lstm(l, made);
    }
    std::ranges::move(made, std::back_inserter(net_.layers));
    for (const auto& [from, to, except] : renamed_) rename_readers(from, to, except);
  }

  /// The input at a time, by a new layer where that is not now.
  static std::string at_time(const std::string& input, int64_t t, const std::string& name, bool has_default,
                             std::vector<Layer>& made) {
    if (t == 0) return input;
    if (std::ranges::find(made, name, &Layer::name) == made.end()) {
      Layer offset{.kind = Kind::Offset, .name = name, .type = "Offset"};
      offset.inputs = {input};
      offset.time = t;
      offset.has_default = has_default;
      made.push_back(std::move(offset));
    }
    return name;
  }

  /// Its output and its state of the frame before; the state is read in three places.
  void expand_lstm(Layer& l, std::vector<Layer>& made) {
    const std::string output = variable(), state = variable();
    const auto memory = [&](const char* name, const std::string& id, int64_t length) {
      Layer read{.kind = Kind::MemoryRead, .name = name + id, .type = l.type};
      read.length = length;
      read.variable = id;
      made.push_back(read);
      return read.name;
    };
    const auto write = [&](const char* name, const std::string& id, const std::string& value) {
      Layer w{.kind = Kind::MemoryWrite, .name = name + id, .type = l.type};
      w.inputs = {value};
      w.variable = id;
      made.push_back(std::move(w));
    };
    const std::string before = memory("prev_memory_output_", output, l.component->nth_reals(1).shape.back()),
                      cell = memory("prev_memory_state_", state, element_count(l.component->nth_reals(3).shape));
    l.inputs = {l.inputs[0], before, cell, cell, cell};  // of the state: what is kept, then the two gates
    write("next_lstm_state_", state, l.name + ":1");
    write("next_lstm_output_", output, l.name);
  }

  void expand_tdnn(Layer& l, std::vector<Layer>& made) {
    Layer concat{.kind = Kind::Append, .name = l.name, .type = l.type};
    for (const int64_t t : l.component->integers("TimeOffsets"))
      concat.inputs.push_back(at_time(l.inputs[0], t,
                                      l.name + "/MemoryOffset/" + std::to_string(std::abs(t)) + (t > 0 ? "_ahead" : ""),
                                      false, made));
    l.name += "/FC";
    l.inputs = {concat.name};
    renamed_.push_back({concat.name, l.name, l.name});
    made.push_back(std::move(concat));
  }

  void expand_convolution(Layer& l, std::vector<Layer>& made) {
    const std::vector<int64_t>&pairs = l.component->integers("Offsets"),
          &required = l.component->integers("RequiredTimeOffsets");
    std::set<int64_t> times;
    for (size_t i = 0; i < pairs.size(); i += 2) times.insert(pairs[i]);
    Layer concat{.kind = Kind::Append, .name = l.name + "/Concat", .type = l.type};
    size_t i = 0;
    for (const int64_t t : times)
      concat.inputs.push_back(at_time(l.inputs[0], t, l.name + "/MemoryOffset_" + std::to_string(i++),
                                      std::ranges::find(required, t) == required.end(), made));
    l.inputs = {concat.name};
    made.push_back(std::move(concat));
  }

  /// Frames side by side; the last columns of a frame, which are the same in all, once.
  void expand_splice(Layer& l, std::vector<Layer>& made) {
    const Component& c = *l.component;
    std::vector<int64_t> context;
    if (c.has("LeftContext"))
      for (int64_t t = -std::min(c.integer("LeftContext"), kLongest);
           t <= std::min(c.integer("RightContext"), kLongest); ++t)
        context.push_back(t);
    else if (c.has("Context"))
      context = c.integers("Context");
    else
      for (const Item& i : c.items)
        if (i.kind == Item::Kind::Integers || !i.integers.empty()) context = i.integers;
    if (context.empty()) throw Error(ErrorCode::FileCorrupt, "layer '" + l.name + "' has no context");
    const int64_t constant = c.integer("ConstComponentDim", 0), dim = c.integer("InputDim", c.columns);
    const int64_t last = *std::ranges::max_element(context);
    std::string changing = l.inputs[0], oldest_constant;
    if (constant > 0) {
      if (constant >= dim) throw Error(ErrorCode::FileCorrupt, "layer '" + l.name + "' has no columns that change");
      Layer split{.kind = Kind::Split, .name = l.name + "_split_const", .type = l.type};
      split.inputs = {l.inputs[0]};
      split.lengths = {dim - constant, constant};
      changing = split.name + ":0";
      oldest_constant = remember_constant(split.name + ":1", constant, std::ssize(context), made);
      made.push_back(std::move(split));
    }
    l.kind = Kind::Append;
    l.component = nullptr;
    std::vector<std::string> frames;
    // The newest frame is the last of the context: nothing is waited for.
    for (const int64_t t : context)
      frames.push_back(at_time(changing, t - last, l.name + "/Offset_" + std::to_string(last - t), false, made));
    if (constant > 0) frames.push_back(oldest_constant);
    l.inputs = std::move(frames);
  }

  /// The columns as they were in the oldest of some frames, out of a memory of their own.
  std::string remember_constant(const std::string& input, int64_t columns, int64_t frames, std::vector<Layer>& made) {
    const std::string again = constants_ == 0 ? "" : "_" + std::to_string(constants_);
    ++constants_;
    const auto layer = [&](Kind kind, const char* name, std::vector<std::string> inputs, int64_t begin,
                           int64_t length) {
      Layer l{.kind = kind, .name = name + again, .type = "Offset"};
      l.inputs = std::move(inputs);
      l.begin = begin;
      l.length = length;
      if (kind == Kind::MemoryRead || kind == Kind::MemoryWrite) l.variable = std::string(kConstantMemory) + again;
      made.push_back(l);
      return l.name;
    };
    const std::string memory = layer(Kind::MemoryRead, "const_dim_in_memory", {}, 0, columns * frames);
    const std::string rest = layer(Kind::Crop, "const_dim_crop", {memory}, columns, columns * (frames - 1));
    const std::string all = layer(Kind::Append, "const_dim_concat", {rest, input}, 0, 0);
    layer(Kind::MemoryWrite, "const_dim_out_memory", {all}, 0, columns * frames);
    return layer(Kind::Crop, "const_dim_crop_first", {all}, 0, columns);
  }

  // ---- frames that lie ahead ----

  /// When a layer's value is ready, in frames after that of its own time.
  void align() {
    const bool ahead =
        std::ranges::any_of(net_.layers, [](const Layer& l) { return l.kind == Kind::Offset && l.time > 0; });
    if (!ahead) return;
    std::map<std::string, int64_t> ready;
    std::vector<Layer> made;
    for (const std::string& name : order_of_names(true)) {
      Layer* l = find(name);
      if (!l) {
        ready[name] = 0;  // an input
        continue;
      }
      const std::string source = l->inputs.empty() ? "" : base_of(l->inputs[0]);
      if (l->kind == Kind::Offset) {
        ready[name] = ready[source] + l->time;
        continue;
      }
      int64_t latest = 0;
      bool first = true;
      for (const std::string& i : l->inputs) {
        const Layer* offset = find(base_of(i));
        int64_t t = ready[base_of(i)];
        // What only lies behind is not waited for, but is there as early as its source.
        if (offset && offset->kind == Kind::Offset && offset->time < 0 && l->inputs.size() == 1)
          t = ready[base_of(offset->inputs[0])];
        latest = first ? t : std::max(latest, t);
        first = false;
      }
      ready[name] = latest;
      for (std::string& i : l->inputs) hold_back(i, latest, ready, made, name);
    }
    std::ranges::move(made, std::back_inserter(net_.layers));
  }

  void hold_back(std::string& input, int64_t latest, const std::map<std::string, int64_t>& ready,
                 std::vector<Layer>& made, const std::string& reader) {
    const Layer* offset = find(base_of(input));
    const bool is_offset = offset && offset->kind == Kind::Offset;
    const int64_t delay = latest - ready.at(base_of(input));
    const std::string source = is_offset ? offset->inputs[0] : input;
    if (delay < 0 || (is_offset && offset->has_default && offset->time < 0)) return;
    if (delay == 0 && !is_offset) return;
    const std::string name =
        (is_offset ? offset->name : "align_" + reader + "/" + base_of(input)) + "/" + std::to_string(delay);
    input = at_time(source, -delay, name, is_offset && offset->has_default, made);
  }

  // ---- memories ----

  void find_columns() {
    for (const NetworkInput& i : net_.inputs) columns_[i.name] = i.columns;
    for (int round = 0; round < 64; ++round) {
      bool changed = false;
      for (const Layer& l : net_.layers)
        if (!columns_.contains(l.name))
          if (const auto n = known_columns(l)) columns_[l.name] = *n, changed = true;
      if (!changed) return;
    }
  }

  std::optional<int64_t> columns(const std::string& input) const {
    const size_t colon = input.rfind(':');
    if (colon != std::string::npos)
      for (const Layer& l : net_.layers)
        if (l.kind == Kind::Split && l.name == input.substr(0, colon))
          return l.lengths.at(static_cast<size_t>(std::stoi(input.substr(colon + 1))));
    const auto it = columns_.find(input.substr(0, colon));
    return it == columns_.end() ? std::nullopt : std::optional(it->second);
  }

  std::optional<int64_t> known_columns(const Layer& l) const {
    if (l.kind == Kind::Crop) return l.length;
    std::optional<int64_t> first;
    int64_t sum = 0;
    bool all = true;
    for (const std::string& i : l.inputs) {
      const auto n = columns(i);
      all = all && n;
      if (n && !first) first = n;
      sum += n.value_or(0);
    }
    if (l.kind == Kind::Component) {
      const int64_t n = columns_of(*l.component, first.value_or(0));
      return n > 0 ? std::optional(n) : std::nullopt;
    }
    if (l.kind == Kind::Append) return all ? std::optional(sum) : std::nullopt;
    return first;
  }

  int64_t columns_or_fail(const std::string& input, const Layer& l) const {
    if (const auto n = columns(input)) return *n;
    throw Error(ErrorCode::NotYetSupported,
                "not yet supported: the size of what '" + l.name + "' remembers is not known");
  }

  std::string variable() {
    const size_t n = variables_++;
    return n == 0 ? "id" : "id_" + std::to_string(n);
  }

  void add(Kind kind, std::string name, std::vector<std::string> inputs, int64_t begin, int64_t length,
           std::string variable_name = {}) {
    Layer l{.kind = kind, .name = std::move(name), .type = "Offset"};
    l.inputs = std::move(inputs);
    l.begin = begin;
    l.length = length;
    l.variable = std::move(variable_name);
    net_.layers.push_back(std::move(l));
  }

  std::string unique(const std::string& name) const {
    std::string s = name;
    for (int i = 1; std::ranges::find(net_.layers, s, &Layer::name) != net_.layers.end(); ++i)
      s = name + "_" + std::to_string(i);
    return s;
  }

  /// Memories of their own for what may lie in a circle.
  void remember() {
    const std::vector<Layer> before = net_.layers;
    for (const Layer& l : before) {
      if (l.kind != Kind::Offset || !l.has_default) continue;
      const int64_t d = -l.time, n = columns_or_fail(l.inputs[0], l);
      if (d <= 0)
        throw Error(ErrorCode::NotYetSupported, "not yet supported: IfDefined of a later frame, '" + l.name + "'");
      const std::string id = l.name + l.name + "_out", memory = l.name + "_out";
      add(Kind::MemoryRead, memory, {}, 0, n * d, id);
      std::string value = memory, written = l.inputs[0];
      if (d > 1) {
        value = unique("Memory_crop_out");
        add(Kind::Crop, value, {memory}, 0, n);
        const std::string rest = unique("Memory_crop");
        add(Kind::Crop, rest, {memory}, n, n * (d - 1));
        const std::string concat = unique("Memory_concat");
        add(Kind::Append, concat, {rest, l.inputs[0]}, 0, 0);
        written = concat;
      }
      add(Kind::MemoryWrite, l.name + "/write", {written}, 0, n * d, id);
      replace_offset(l.name, value);
    }
  }

  void replace_offset(const std::string& name, const std::string& by) {
    std::erase_if(net_.layers, [&](const Layer& l) { return l.name == name && l.kind == Kind::Offset; });
    rename_readers(name, by, {});
  }

  /// One shift register for all times of a layer.
  void split_registers() {
    std::vector<std::string> sources;
    std::map<std::string, std::map<int64_t, std::string>> times;  // by source: delay and layer
    for (const Layer& l : net_.layers) {
      if (l.kind != Kind::Offset) continue;
      const std::string& source = l.inputs[0];
      if (!times.contains(source)) sources.push_back(source);
      times[source][std::max<int64_t>(-l.time, 0)] = l.name;
    }
    for (const std::string& source : sources) split_register(source, times[source].rbegin()->first);
  }

  void split_register(const std::string& source, int64_t longest) {
    const std::vector<Layer> before = net_.layers;
    if (longest == 0) {
      for (const Layer& l : before)
        if (l.kind == Kind::Offset && l.inputs[0] == source) replace_offset(l.name, source);
      return;
    }
    const std::string id = variable();
    const std::string memory = unique("prev_splice_memory"), rest = unique("Splice_Crop"),
                      all = unique("Splice_Concat"), write = unique("out_splice_memory");
    int64_t n = 0;
    for (const Layer& l : before)
      if (l.kind == Kind::Offset && l.inputs[0] == source) n = columns_or_fail(source, l);
    const std::map<int64_t, int64_t> numbers = numbers_of_parts(before, source);
    std::map<int64_t, std::string> parts;
    const auto part = [&](int64_t delay) {
      std::string& name = parts[delay];
      if (name.empty()) {
        name = unique(rest + "/" + std::to_string(numbers.at(delay)));
        add(Kind::Crop, name, {all}, (longest - delay) * n, n);
      }
      return name;
    };
    // Whoever reads the source reads it out of the register, as Model Optimizer has it.
    for (const Layer& old : before) {
      if (old.kind == Kind::Offset || old.kind == Kind::MemoryWrite) continue;
      Layer* l = find(old.name);
      std::vector<std::optional<int64_t>> delays;
      for (const std::string& i : l->inputs) delays.push_back(delay_of(before, i, source));
      if (const auto whole = covers(delays, longest); whole && l->kind == Kind::Append) {
        l->inputs.erase(l->inputs.begin() + static_cast<std::ptrdiff_t>(*whole),
                        l->inputs.begin() + static_cast<std::ptrdiff_t>(*whole) + static_cast<std::ptrdiff_t>(longest));
        l->inputs[*whole] = all;
        continue;
      }
      for (size_t i = 0; i < delays.size(); ++i) {
        if (!delays[i]) continue;
        const std::string name = part(*delays[i]);
        find(old.name)->inputs[i] = name;
      }
    }
    std::erase_if(net_.layers, [&](const Layer& l) { return l.kind == Kind::Offset && l.inputs[0] == source; });
    add(Kind::MemoryRead, memory, {}, 0, n * (longest + 1), id);
    add(Kind::Crop, rest, {memory}, n, n * longest);
    add(Kind::Append, all, {rest, source}, 0, 0);
    add(Kind::MemoryWrite, write, {all}, 0, n * (longest + 1), id);
  }

  /// The order in which Model Optimizer makes the parts of a register, by which constants lie in a blob: that of the
  /// first offset, what is read without one, then the other offsets, the ones that hold back last.
  /// It comes to its offsets by the hashes of their names: in this order, or in another with another seed.
  static std::map<int64_t, int64_t> numbers_of_parts(const std::vector<Layer>& layers, const std::string& source) {
    std::vector<int64_t> delays;
    for (const bool aligned : {false, true})
      for (const Layer& l : layers)
        if (l.kind == Kind::Offset && l.inputs[0] == source && l.name.starts_with("align_") == aligned)
          delays.push_back(std::max<int64_t>(-l.time, 0));
    delays.insert(delays.begin() + 1, 0);
    std::map<int64_t, int64_t> numbers;
    for (const int64_t d : delays) numbers.emplace(d, std::ssize(numbers) + 1);
    return numbers;
  }

  static std::optional<int64_t> delay_of(const std::vector<Layer>& layers, const std::string& input,
                                         const std::string& source) {
    if (input == source) return 0;
    const auto it = std::ranges::find(layers, input, &Layer::name);
    if (it == layers.end() || it->kind != Kind::Offset || it->inputs[0] != source) return std::nullopt;
    return std::max<int64_t>(-it->time, 0);
  }

  /// Where a run of all delays, the longest first, begins.
  static std::optional<size_t> covers(const std::vector<std::optional<int64_t>>& delays, int64_t longest) {
    for (size_t i = 0; i < delays.size(); ++i) {
      size_t k = 0;
      while (i + k < delays.size() && delays[i + k] == longest - static_cast<int64_t>(k) && delays[i + k] >= 0) ++k;
      if (static_cast<int64_t>(k) == longest + 1) return i;
    }
    return std::nullopt;
  }

  // ---- order ----

  /// Inputs and layers, each after what it reads.
  std::vector<std::string> order_of_names(bool through_offsets) {
    std::vector<std::string> order;
    std::map<std::string, int> state;  // 1: being visited, 2: done
    for (const NetworkInput& i : net_.inputs) order.push_back(i.name), state[i.name] = 2;
    for (const Layer& root : net_.layers) {
      std::vector<std::pair<std::string, size_t>> stack{{root.name, 0}};
      while (!stack.empty()) {
        const std::string name = stack.back().first;
        const size_t next = stack.back().second++;
        int& s = state[name];
        if (s == 2) {
          stack.pop_back();
          continue;
        }
        s = 1;
        const Layer* l = find(name);
        if (!l) throw Error(ErrorCode::FileCorrupt, "layer '" + name + "' is read, but there is none");
        const bool leaf = l->kind == Kind::Offset && l->has_default && through_offsets;
        if (next < l->inputs.size() && !leaf) {
          const std::string input = base_of(l->inputs[next]);
          if (state[input] == 1)
            throw Error(ErrorCode::BadGraph, "Graph contains a cycle. Can not proceed.")
                .because("layer '" + input + "' reads its own result of the same frame")
                .at_layer(l->name, l->type);
          if (state[input] == 0) stack.emplace_back(input, 0);
          continue;
        }
        state[name] = 2;
        order.push_back(name);
        stack.pop_back();
      }
    }
    return order;
  }

  std::vector<Layer> in_order() {
    std::vector<Layer> layers;
    for (const std::string& name : order_of_names(false))
      if (Layer* l = find(name)) layers.push_back(*l);
    return layers;
  }

  struct Renamed {
    std::string from, to, except;
  };

  Network& net_;
  std::vector<Renamed> renamed_;
  std::map<std::string, int64_t> columns_;
  size_t variables_ = 0, constants_ = 0;
};

}  // namespace

void lower_time(Network& network) { Lowering(network).run(); }

}  // namespace blobsmith::kaldi
