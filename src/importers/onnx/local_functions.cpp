// A call becomes the function's nodes, with the call's values in place of the function's inputs and outputs; all other
// names get the call's name in front, so that two calls don't meet:
//
//   f(a) -> b: t = Exp(a), b = Add(t, a)        y = f(x) called "block"  ->  block/t = Exp(x), y = Add(block/t, x)
#include "importers/onnx/local_functions.hpp"

#include <iterator>
#include <set>
#include <tuple>

namespace blobsmith::onnx_file {
namespace {

constexpr int kDeepestCalls = 32;  ///< calls within calls
constexpr size_t kMostNodes = size_t{1} << 18;

/// The names of a function's values where it is called.
class Scope {
 public:
  Scope(const Function& f, const Node& call, std::string prefix) : prefix_(std::move(prefix)) {
    for (size_t i = 0; i < f.inputs.size(); ++i) given_[f.inputs[i]] = i < call.inputs.size() ? call.inputs[i] : "";
    for (size_t i = 0; i < f.outputs.size() && i < call.outputs.size(); ++i)
      if (!call.outputs[i].empty()) given_[f.outputs[i]] = call.outputs[i];
  }
  std::string operator()(const std::string& name) const {
    if (name.empty()) return name;
    const auto it = given_.find(name);
    return it == given_.end() ? prefix_ + name : it->second;
  }

 private:
  std::map<std::string, std::string> given_;
  std::string prefix_;
};

class Inliner {
 public:
  Inliner(Model& model, const std::vector<Function>& functions) : model_(model) {
    for (const Function& f : functions) functions_[{f.domain, f.name, f.overload}] = &f;
  }

  void expand(Model& graph, int depth) {
    std::vector<Node> nodes;
    for (Node& n : graph.nodes) add(std::move(n), nodes, depth);
    graph.nodes = std::move(nodes);
  }

 private:
  void add(Node n, std::vector<Node>& nodes, int depth) {
    const auto it = functions_.find({n.domain, n.op_type, n.overload});
    if (it != functions_.end()) return call(*it->second, n, nodes, depth);
    if (++count_ > kMostNodes) throw Error(ErrorCode::BadOnnx, "its functions expand to too many nodes");
    for (auto& [name, a] : n.attributes)
      if (a.graph) {
        auto body = std::make_shared<Model>(*a.graph);
        expand(*body, depth);
        a.graph = std::move(body);
      }
    nodes.push_back(std::move(n));
  }

  void call(const Function& f, const Node& n, std::vector<Node>& nodes, int depth) {
    const std::string who = "function '" + f.domain + "." + f.name + "'";
    if (depth >= kDeepestCalls) throw Error(ErrorCode::BadOnnx, who + " calls itself, or is nested too deeply");
    if (model_.opset == 0) model_.opset = f.opset;
    if (f.opset != 0 && f.opset != model_.opset)
      throw Error(ErrorCode::BadOnnx, who + " is written for opset " + std::to_string(f.opset) + ", the model for " +
                                          std::to_string(model_.opset))
          .hint("onnx.inliner.inline_local_functions(model, convert_version=True) writes a model without functions");
    const Scope scope(f, n, prefix_of(n));
    for (const Node& inner : f.nodes) add(renamed(inner, scope, f, n), nodes, depth + 1);
  }

  std::string prefix_of(const Node& call) {
    const std::string output = call.outputs.empty() ? "" : call.outputs.front();
    for (std::string prefix = (call.name.empty() ? output : call.name) + "/";; prefix = output + "/" + prefix)
      if (prefixes_.insert(prefix).second) return prefix;
  }

  static Node renamed(Node n, const Scope& scope, const Function& f, const Node& call) {
    n.name = n.name.empty() ? n.name : scope(n.name);
    for (std::string& i : n.inputs) i = scope(i);
    for (std::string& o : n.outputs) o = scope(o);
    std::map<std::string, Attribute> attributes;
    for (auto& [name, a] : n.attributes) {
      const Attribute* value = &a;
      if (!a.stands_for.empty()) {
        value = call.find(a.stands_for);
        if (const auto d = f.defaults.find(a.stands_for); !value && d != f.defaults.end()) value = &d->second;
      }
      if (!value) continue;
      Attribute& own = attributes[name] = *value;
      if (value == &a && own.graph) own.graph = renamed(*own.graph, scope, f, call);
    }
    n.attributes = std::move(attributes);
    return n;
  }

  static std::shared_ptr<const Model> renamed(const Model& graph, const Scope& scope, const Function& f,
                                              const Node& call) {
    auto r = std::make_shared<Model>(graph);
    for (auto& [name, tensor] : r->initializers) name = scope(name);
    for (ValueInfo& i : r->inputs) i.name = scope(i.name);
    for (ValueInfo& o : r->outputs) o.name = scope(o.name);
    for (Node& n : r->nodes) n = renamed(n, scope, f, call);
    return r;
  }

  Model& model_;
  std::map<std::tuple<std::string, std::string, std::string>, const Function*> functions_;
  std::set<std::string> prefixes_;
  size_t count_ = 0;
};

}  // namespace

void inline_functions(Model& model, const std::vector<Function>& functions) {
  if (!functions.empty()) Inliner(model, functions).expand(model, 0);
}

}  // namespace blobsmith::onnx_file
