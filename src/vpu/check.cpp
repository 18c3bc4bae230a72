#include "vpu/check.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "graph/cut.hpp"
#include "graph/ops/known_value.hpp"
#include "transforms/legalise/legalise.hpp"
#include "vpu/compile.hpp"
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

using Status = CheckedLayer::Status;
constexpr int kMostRounds = 64;

/// Of the caller's making, whatever the network: no problem of a layer.
bool concerns_options(ErrorCode code) {
  return code == ErrorCode::Internal || code == ErrorCode::Cancelled || code == ErrorCode::UnknownOption ||
         code == ErrorCode::BadOptionValue || code == ErrorCode::BadInputName;
}

class Checker {
 public:
  Checker(Graph graph, const Diagnostics& read, const CompileOptions& options, const Control& control)
      : graph_(std::move(graph)), read_(read), options_(options), control_(control) {}

  CheckResult run(bool rewrites) {
    if (read_.problems.empty()) check_names(graph_, options_);
    list_layers();
    if (rewrites) fix();
    for (int round = 0; round < kMostRounds; ++round) {
      if (!take(compile_errors(round), round)) break;
      cut_failed();
      if (graph_.results().empty() || graph_.parameters().empty()) break;
    }
    std::ranges::stable_sort(report_.problems, {},
                             [](const CheckProblem& p) { return static_cast<unsigned>(p.layer); });
    return std::move(report_);
  }

 private:
  // ---- the layers ---------------------------------------------------------------------------------------------------
  void list_layers() {
    std::map<std::string, size_t> position;
    for (const std::string& source : read_.order) position.emplace(source, position.size());
    struct Found {
      size_t at;
      CheckedLayer layer;
      Node* node;
    };
    std::vector<Found> found;
    size_t last = 0;
    const auto add = [&](CheckedLayer l, Node* n = nullptr) {
      if (const auto it = position.find(l.source); it != position.end()) last = it->second;
      found.push_back({last, std::move(l), n});
    };
    for (Node* n : graph_.ordered()) {
      if (!is_layer(*n)) continue;
      add({{n->name, n->type, n->source, input_shapes(*n), output_shapes(*n)}, Status::Supported, {}}, n);
    }
    for (const auto& [kind, status] : {std::pair(Remark::Kind::Unreadable, Status::Unsupported),
                                       std::pair(Remark::Kind::NotChecked, Status::NotChecked)})
      for (const Remark& r : read_.remarks)
        if (r.kind == kind) add({{r.layer, r.type, r.source, {}, {}}, status, {}});
    std::ranges::stable_sort(found, {}, &Found::at);
    for (Found& f : found) {
      reads_.push_back(f.node ? read_by(*f.node) : std::vector<std::string>());
      if (const auto it = read_.reads.find(f.layer.source); !f.node && it != read_.reads.end())
        reads_.back() = it->second;
      report_.layers.push_back(std::move(f.layer));
      nodes_.push_back(f.node);
    }
    for (const Error& e : read_.problems) add_problem(e, layer_of(e).value_or(-1));
    note_readers_of_placeholders();
  }

  /// Tensors, by the names that a model may be cut at: without constants and the network's own inputs.
  static std::vector<std::string> read_by(const Node& n) {
    std::vector<std::string> names;
    for (const Value& v : n.inputs()) {
      if (v.node->is("Parameter") || known_value(v)) continue;
      const std::vector<std::string>& tensors = v.node->output(v.port).tensor_names;
      std::string name = tensors.empty() ? v.node->name : tensors.front();
      if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
    return names;
  }

  void add_problem(const Error& e, int i) {
    report_.problems.push_back({e, i, {}, i < 0 ? std::vector<std::string>() : reads_[static_cast<size_t>(i)]});
  }

  /// What a layer that could not be read would have given comes from Parameters of its name.
  void note_readers_of_placeholders() {
    for (const Node* p : graph_.parameters())
      for (const Remark& r : read_.remarks)
        if (r.kind == Remark::Kind::Unreadable && (p->name == r.layer || p->name.starts_with(r.layer + ".")))
          note_readers(*p);
  }

  void note_readers(const Node& n) {
    for (int i = 0; i < n.output_count(); ++i)
      for (const NodeUse& u : n.output(i).uses)
        if (const auto it = std::ranges::find(nodes_, u.node); it != nodes_.end())
          behind_cut_.insert(static_cast<int>(it - nodes_.begin()));
  }

  /// The layer of the model that an error is about: of its source, and of its name where the source became several.
  std::optional<int> layer_of(const Error& e) const {
    std::optional<int> found;
    for (size_t i = 0; i < report_.layers.size(); ++i) {
      const CheckedLayer& l = report_.layers[i];
      const bool same_source = !e.source().empty() && l.source == e.source();
      if (!same_source && (!e.source().empty() || e.layer() != l.name)) continue;
      if (l.name == e.layer()) return static_cast<int>(i);
      if (!found) found = static_cast<int>(i);
    }
    return found;
  }

  CheckedLayer& layer(int i) { return report_.layers[static_cast<size_t>(i)]; }
  Node*& node(int i) { return nodes_[static_cast<size_t>(i)]; }

  void fix() {
    for (const Remark& r : legalise(graph_, options_.quirks)) {
      if (r.kind != Remark::Kind::Rewritten) continue;
      for (size_t i = 0; i < nodes_.size(); ++i)
        if (CheckedLayer& l = report_.layers[i]; nodes_[i] && l.name == r.layer && l.source == r.source) {
          l.status = Status::Fixed;
          l.fix = r.what;
        }
    }
    find_nodes_again();
  }

  /// After rewrites: the nodes that are still there, or took over a layer's name.
  void find_nodes_again() {
    const std::vector<Node*> all = graph_.all();
    const std::set<const Node*> left(all.begin(), all.end());
    for (size_t i = 0; i < nodes_.size(); ++i) {
      const std::string& name = report_.layers[i].name;
      if (!nodes_[i] || (left.contains(nodes_[i]) && nodes_[i]->name == name)) continue;
      const auto by = std::ranges::find(all, name, &Node::name);
      nodes_[i] = by == all.end() ? nullptr : *by;
    }
  }

  // ---- one round ----------------------------------------------------------------------------------------------------
  std::vector<Error> compile_errors(int round) {
    const Control part = part_of(control_, 1 - 1.0 / (round + 1), 1 - 1.0 / (round + 2));
    try {
      Diagnostics ignored;
      build(prepare(graph_.clone(), options_, ignored, part_of(part, 0, 0.25)), options_, ignored,
            part_of(part, 0.25, 1));
    } catch (const ErrorList& e) {
      return e.errors();
    } catch (const Error& e) {
      if (concerns_options(e.code())) throw;
      return {e};
    }
    return {};
  }

  /// A layer that reads what was cut away may be refused for that alone, but not for a type that has no stage. Where
  /// the memory of a network with cuts does not suffice, that is not a problem of the model.
  bool is_certain(const Error& e, int i, int round) const {
    if (round == 0) return true;
    if (e.code() == ErrorCode::AllocationFailed) return false;
    return !behind_cut_.contains(i) || !find_parser(e.layer_type(), *graph_.release);
  }

  /// Notes the errors; true when there may be more behind them.
  bool take(const std::vector<Error>& errors, int round) {
    to_cut_.clear();
    for (const Error& e : errors) {
      const std::optional<int> i = layer_of(e);
      if (!i) {
        if (round == 0) report_.problems.push_back({e, -1});  // later it may be of the cuts' making
        continue;
      }
      const bool is_new = node(*i) && to_cut_.insert(*i).second;
      if (!is_new && round > 0) continue;
      if (!is_certain(e, *i, round)) {
        if (layer(*i).status == Status::Supported) layer(*i).status = Status::NotChecked;
        continue;
      }
      layer(*i).status = Status::Unsupported;
      add_problem(e, *i);
    }
    return !to_cut_.empty();
  }

  void cut_failed() {
    for (const int i : to_cut_) {
      note_readers(*node(i));
      cut(graph_, node(i));
      node(i) = nullptr;
    }
    graph_.remove_unreachable();
    find_nodes_again();
  }

  Graph graph_;  ///< what is left of it
  const Diagnostics& read_;
  const CompileOptions& options_;
  const Control& control_;
  CheckResult report_;
  std::vector<std::vector<std::string>> reads_;  ///< by report_.layers: tensors that they read
  std::vector<Node*> nodes_;                     ///< of report_.layers; null where a layer is not in the graph
  std::set<int> to_cut_;                         ///< layers that failed in this round
  std::set<int> behind_cut_;                     ///< layers that read what those computed that are gone
};

}  // namespace

CheckResult check(Graph graph, const Diagnostics& read, const CompileOptions& options, bool fix,
                  const Control& control) {
  return Checker(std::move(graph), read, options, control).run(fix);
}

}  // namespace blobsmith::vpu
