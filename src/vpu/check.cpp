#include "vpu/check.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "graph/cut.hpp"
#include "transforms/faults/avoid_faults.hpp"
#include "transforms/legalise/legalise.hpp"
#include "transforms/pipeline.hpp"
#include "vpu/lowering/lower.hpp"
#include "vpu/pipeline.hpp"

namespace blobsmith::vpu {
namespace {

using Status = CheckedLayer::Status;
constexpr int kMostRounds = 64;

bool is_layer(const Node& n) { return !n.is("Parameter") && !n.is("Result") && !n.is_constant(); }

std::vector<Shape> shapes_of(const std::vector<Value>& values) {
  std::vector<Shape> r;
  for (const Value& v : values)
    if (v && !v.node->is_constant()) r.push_back(v.shape());
  return r;
}

class Checker {
 public:
  Checker(const std::function<Graph(ImportProblems&)>& read, const CheckSettings& settings)
      : read_(read), settings_(settings) {}

  CheckReport run() {
    for (int round = 0; round < kMostRounds; ++round) {
      ImportProblems imported;
      Graph graph = read_(imported);
      if (round == 0) {
        list_layers(graph, imported);
        options_ = settings_.options_for(graph);
      }
      cut_failed(graph);
      if (settings_.fix) fix(graph, round == 0);
      if (round > 0 && (graph.results().empty() || graph.parameters().empty())) break;
      if (!take(compile_errors(std::move(graph)), round)) break;
    }
    std::ranges::stable_sort(report_.problems, {},
                             [](const CheckProblem& p) { return static_cast<unsigned>(p.layer); });
    return std::move(report_);
  }

 private:
  // ---- the layers
  // -----------------------------------------------------------------------------------------------------
  void list_layers(const Graph& graph, const ImportProblems& imported) {
    std::map<std::string, size_t> position;
    for (const std::string& source : imported.order) position.emplace(source, position.size());
    std::vector<std::pair<size_t, CheckedLayer>> found;
    size_t last = 0;
    const auto add = [&](CheckedLayer l) {
      if (const auto it = position.find(l.source); it != position.end()) last = it->second;
      found.emplace_back(last, std::move(l));
    };
    for (Node* n : graph.ordered()) {
      if (!is_layer(*n)) continue;
      CheckedLayer l{n->name, n->type, n->source, shapes_of(n->inputs()), {}, Status::Supported, {}};
      for (int i = 0; i < n->output_count(); ++i) l.outputs.push_back(n->shape(i));
      add(std::move(l));
    }
    for (const auto& f : imported.failed) add({f.name, f.type, f.source, {}, {}, Status::Unsupported, {}});
    for (const auto& u : imported.unchecked) add({u.name, u.type, u.source, {}, {}, Status::NotChecked, {}});
    std::ranges::stable_sort(found, {}, [](const auto& f) { return f.first; });
    for (auto& [at, l] : found) report_.layers.push_back(std::move(l));
    for (const auto& f : imported.failed) report_.problems.push_back({f.error, find_by_source(f.source).value_or(-1)});
    for (const Node* p : graph.parameters())
      if (std::ranges::any_of(imported.failed,
                              [&](const auto& f) { return p->name == f.name || p->name.starts_with(f.name + "."); }))
        for (const NodeUse& u : p->output().uses) behind_cut_.insert(u.node->name);
    for (Node* n : graph.ordered())
      if (n->body) name_bodies(*n->body, n->source);
  }

  /// Layers inside a loop count as the loop.
  void name_bodies(const Graph& body, const std::string& source) {
    for (const Node* n : body.all()) {
      sources_.emplace(n->name, source);
      if (n->body) name_bodies(*n->body, source);
    }
  }

  std::optional<int> find_by_source(const std::string& source) const {
    const auto it = std::ranges::find_if(report_.layers,
                                         [&](const CheckedLayer& l) { return !source.empty() && l.source == source; });
    if (it == report_.layers.end()) return std::nullopt;
    return static_cast<int>(it - report_.layers.begin());
  }

  std::optional<int> find_by_name(const std::string& name) const {
    const auto it = std::ranges::find(report_.layers, name, &CheckedLayer::name);
    if (it == report_.layers.end()) return std::nullopt;
    return static_cast<int>(it - report_.layers.begin());
  }

  /// The layer of the model that an error is about. Errors name layers as they are after the rewrites.
  std::optional<int> layer_of(const Error& e) const {
    if (const auto l = find_by_name(e.layer())) return l;
    // A cell of a loop that became a sequence has a longer name.
    const std::string* source = nullptr;
    size_t longest = 0;
    for (const auto& [name, from] : sources_)
      if (name.size() > longest && e.layer().starts_with(name)) {
        longest = name.size();
        source = &from;
      }
    if (source)
      if (const auto l = find_by_source(*source)) return l;
    if (e.why().starts_with("in "))
      if (const auto l = find_by_source(e.why().substr(3))) return l;
    return named_in(e.what());
  }

  /// The longest name of a layer that the text has.
  std::optional<int> named_in(const std::string& text) const {
    std::optional<int> found;
    size_t longest = 0;
    for (size_t i = 0; i < report_.layers.size(); ++i) {
      const std::string& name = report_.layers[i].name;
      if (name.size() <= longest || text.find(name) == std::string::npos) continue;
      longest = name.size();
      found = static_cast<int>(i);
    }
    return found;
  }

  CheckedLayer& layer(int i) { return report_.layers[static_cast<size_t>(i)]; }

  // ---- one round
  // ------------------------------------------------------------------------------------------------------
  void cut_failed(Graph& graph) {
    for (const int i : cut_)
      for (Node* n : graph.ordered())
        if (is_layer(*n) && n->name == layer(i).name) {
          for (int k = 0; k < n->output_count(); ++k)
            for (const NodeUse& u : n->output(k).uses) behind_cut_.insert(u.node->name);
          cut(graph, n);
          break;
        }
    graph.remove_unreachable();
  }

  void fix(Graph& graph, bool first) {
    for (const Legalisation& l : legalise(graph, options_.quirks)) {
      const auto i = find_by_name(l.layer);
      if (!first || !i) continue;
      layer(*i).status = Status::Fixed;
      layer(*i).fix = l.replacement;
    }
  }

  std::vector<Error> compile_errors(Graph graph) {
    try {
      const auto types = output_types(graph);
      BatchInfo batch;
      if (options_.detect_network_batch) batch = detect_batch(graph, options_.quirks);
      if (!options_.quirks) avoid_faults(graph);
      convert_to_legacy(graph);
      for (const Node* n : graph.all()) sources_.insert_or_assign(n->name, n->source);
      run_passes(*lower(graph, options_, batch, types));
    } catch (const ErrorList& e) {
      return e.errors();
    } catch (const Error& e) {
      if (e.code() == ErrorCode::Internal || e.code() == ErrorCode::UnknownOption ||
          e.code() == ErrorCode::BadOptionValue)
        throw;
      return {e};
    }
    return {};
  }

  /// Notes the errors; true when there may be more behind them.
  bool take(const std::vector<Error>& errors, int round) {
    bool more = false;
    for (const Error& e : errors) {
      const std::optional<int> i = layer_of(e);
      if (!i) {
        if (round == 0) report_.problems.push_back({e, -1});  // later it may be of the cuts' making
        continue;
      }
      // A layer that reads what was cut away may be refused for that alone.
      const bool certain =
          round == 0 || !behind_cut_.contains(layer(*i).name) || find_text(e, "unsupported layer type");
      if (std::ranges::find(cut_, *i) == cut_.end()) {
        cut_.push_back(*i);
        more = true;
      } else if (round > 0) {
        continue;
      }
      if (!certain) {
        if (layer(*i).status == Status::Supported) layer(*i).status = Status::NotChecked;
        continue;
      }
      layer(*i).status = Status::Unsupported;
      report_.problems.push_back({e, *i});
    }
    return more;
  }

  static bool find_text(const Error& e, std::string_view text) {
    return std::string_view(e.what()).find(text) != std::string_view::npos;
  }

  const std::function<Graph(ImportProblems&)>& read_;
  const CheckSettings& settings_;
  CompileOptions options_;
  CheckReport report_;
  std::vector<int> cut_;                        // layers taken out so far
  std::set<std::string> behind_cut_;            // layers that read what they computed
  std::map<std::string, std::string> sources_;  // of layers after the rewrites
};

}  // namespace

CheckReport check(const std::function<Graph(ImportProblems&)>& read, const CheckSettings& settings) {
  return Checker(read, settings).run();
}

const char* to_string(CheckedLayer::Status s) {
  switch (s) {
    case Status::Supported: return "supported";
    case Status::Fixed: return "fixed";
    case Status::Unsupported: return "unsupported";
    case Status::NotChecked: return "not checked";
  }
  return "?";
}

}  // namespace blobsmith::vpu
