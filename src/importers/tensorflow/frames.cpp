// A loop of TensorFlow 1 is a circle of nodes, its frame:
//
//   x → Enter → Merge → Switch ┬ 1 → body ... → NextIteration → back to Merge
//                  └ condition → LoopCond → Switch
//                              └ 0 → Exit → what comes after
//
// It becomes a While with two functions. Both have as arguments the variables of the loop, one for each Merge, and what
// enters the frame as it is (Enter alone):
//
//   condition: from Merge to LoopCond      body: from output 1 of Switch to NextIteration
//
// Frames within frames are done first, so that a frame never holds another's nodes.
#include "importers/tensorflow/frames.hpp"

#include <algorithm>

namespace blobsmith::tensorflow_file {
namespace {

std::string node_name(const std::string& key) { return key.substr(0, key.rfind(':')); }
bool is_enter(const Node& n) { return n.op == "Enter" || n.op == "RefEnter"; }
bool is_exit(const Node& n) { return n.op == "Exit" || n.op == "RefExit"; }
bool is_merge(const Node& n) { return n.op == "Merge" || n.op == "RefMerge"; }
bool is_switch(const Node& n) { return n.op == "Switch" || n.op == "RefSwitch"; }
bool is_next(const Node& n) { return n.op == "NextIteration" || n.op == "RefNextIteration"; }

class Frames {
 public:
  explicit Frames(FlatModel& m) : m_(m) {}

  void run() {
    while (true) {
      std::map<std::string, std::vector<size_t>> enters;
      for (size_t i = 0; i < m_.nodes.size(); ++i)
        if (is_enter(m_.nodes[i])) enters[m_.nodes[i].text("frame_name", "")].push_back(i);
      if (enters.empty()) return;
      index();
      const auto innermost =
          std::ranges::find_if(enters, [&](const auto& f) { return find_members(f.first, f.second); });
      if (innermost == enters.end()) throw bad(enters.begin()->first, "it holds itself");
      replace(innermost->first, innermost->second);
    }
  }

 private:
  static Error bad(const std::string& frame, const std::string& what) {
    return Error(ErrorCode::FileCorrupt, "the loop \"" + frame + "\" can't be followed: " + what);
  }

  void index() {
    by_name_.clear();
    readers_.clear();
    for (size_t i = 0; i < m_.nodes.size(); ++i) by_name_[m_.nodes[i].name] = i;
    for (size_t i = 0; i < m_.nodes.size(); ++i)
      for (const std::string& input : m_.nodes[i].inputs)
        if (const auto it = by_name_.find(node_name(input)); it != by_name_.end()) readers_[it->second].push_back(i);
  }

  /// What the frame's entries lead to, up to its exits; false: another frame is within.
  bool find_members(const std::string& frame, const std::vector<size_t>& enters) {
    members_ = {enters.begin(), enters.end()};
    std::vector<size_t> stack = enters;
    while (!stack.empty()) {
      const size_t i = stack.back();
      stack.pop_back();
      if (is_exit(m_.nodes[i])) continue;
      for (const size_t reader : readers_[i]) {
        if (is_enter(m_.nodes[reader]) && m_.nodes[reader].text("frame_name", "") != frame) return false;
        if (members_.insert(reader).second) stack.push_back(reader);
      }
    }
    return true;
  }

  const Node* producer(const std::string& key) const {
    const auto it = by_name_.find(node_name(key));
    return it == by_name_.end() ? nullptr : &m_.nodes[it->second];
  }

  /// The only reader of a node that `is_wanted`; null: none.
  const Node* reader_of(size_t i, bool (*is_wanted)(const Node&)) {
    for (const size_t reader : readers_[i])
      if (members_.contains(reader) && is_wanted(m_.nodes[reader])) return &m_.nodes[reader];
    return nullptr;
  }

  /// What the results need of the frame and of the constants beside it.
  FlatFunction function(const std::string& frame, std::vector<std::string> arguments,
                        std::vector<std::string> results) {
    FlatFunction f{std::move(arguments), std::move(results), {}};
    const std::set<std::string> given(f.arguments.begin(), f.arguments.end());
    std::set<size_t> needed;
    std::vector<std::string> keys = f.results;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (given.contains(keys[i])) continue;
      const auto it = by_name_.find(node_name(keys[i]));
      if (it == by_name_.end()) throw bad(frame, "nothing computes '" + keys[i] + "'");
      const Node& n = m_.nodes[it->second];
      if (is_enter(n) || is_next(n)) throw bad(frame, "node \"" + n.name + "\" is read within it");
      if (!needed.insert(it->second).second) continue;
      keys.insert(keys.end(), n.inputs.begin(), n.inputs.end());
    }
    for (const size_t i : needed) f.flat.nodes.push_back(m_.nodes[i]);
    f.flat.variable_keys = m_.variable_keys;
    for (const std::string& r : f.results) f.flat.outputs.push_back({r, {}});
    return f;
  }

  void replace(const std::string& frame, const std::vector<size_t>& enters) {
    Node loop{loop_name(frame), "While", {}, {}};
    std::vector<std::string> before, within, next;  // what a variable of the loop is called where
    std::map<std::string, std::string> exits;
    std::string condition;
    for (const size_t i : members_)
      if (m_.nodes[i].op == "LoopCond" && !m_.nodes[i].inputs.empty()) condition = m_.nodes[i].inputs[0];
    if (condition.empty()) throw bad(frame, "it has no condition");
    for (const size_t i : enters) {
      const Node& enter = m_.nodes[i];
      if (enter.inputs.empty()) throw bad(frame, "node \"" + enter.name + "\" reads nothing");
      const Node* merge = reader_of(i, is_merge);
      if (!merge) {  // the same in every iteration
        before.push_back(enter.name + ":0");
        within.push_back(enter.name + ":0");
        next.push_back(enter.name + ":0");
      } else {
        const Node* again = nullptr;
        for (const std::string& input : merge->inputs)
          if (const Node* p = producer(input); p && is_next(*p) && !p->inputs.empty()) again = p;
        if (!again) throw bad(frame, "node \"" + merge->name + "\" has no next iteration");
        const Node* passed = reader_of(by_name_.at(merge->name), is_switch);
        before.push_back(merge->name + ":0");
        within.push_back((passed ? passed : merge)->name + ":1");
        next.push_back(again->inputs[0]);
        const Node* exit = passed ? reader_of(by_name_.at(passed->name), is_exit) : nullptr;
        if (exit) exits[exit->name + ":0"] = loop.name + ":" + std::to_string(loop.inputs.size());
      }
      loop.inputs.push_back(enter.inputs[0]);
    }
    for (const auto& [role, f] :
         {std::pair{"cond", function(frame, before, {condition})}, std::pair{"body", function(frame, within, next)}}) {
      const std::string name = loop.name + "/" + role;
      loop.attributes[role].text = name;
      if (!m_.bodies.emplace(name, f).second) throw bad(frame, "there is a function '" + name + "'");
    }
    std::vector<Node> kept;
    for (size_t i = 0; i < m_.nodes.size(); ++i)
      if (!members_.contains(i)) kept.push_back(std::move(m_.nodes[i]));
    kept.push_back(std::move(loop));
    m_.nodes = std::move(kept);
    const auto rename = [&](std::string& key) {
      if (const auto it = exits.find(key); it != exits.end()) key = it->second;
    };
    for (Node& n : m_.nodes) std::ranges::for_each(n.inputs, rename);
    for (FlatModel::Output& o : m_.outputs) rename(o.key);
  }

  /// "rnn/while" of the frame "rnn/while/while_context".
  std::string loop_name(const std::string& frame) const {
    std::string name = frame.substr(0, frame.rfind('/'));
    if (name.empty()) name = "while";
    while (by_name_.contains(name)) name += "_loop";
    return name;
  }

  FlatModel& m_;
  std::map<std::string, size_t> by_name_;
  std::map<size_t, std::vector<size_t>> readers_;
  std::set<size_t> members_;
};

}  // namespace

void make_loops(FlatModel& model) { Frames(model).run(); }

}  // namespace blobsmith::tensorflow_file
