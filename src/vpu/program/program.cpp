// The bipartite graph and its edits. Order of lists matters: see the header.
#include "vpu/program/program.hpp"

#include <algorithm>

namespace blobsmith::vpu {
namespace {

template <class T>
void erase_one(std::vector<T>& v, const T& x) {
  if (auto it = std::ranges::find(v, x); it != v.end()) v.erase(it);
}
template <class T>
bool contains(const std::vector<T>& v, const T& x) {
  return std::ranges::find(v, x) != v.end();
}

void sort_by_id(std::vector<Stage*>& v) {
  std::ranges::sort(v, {}, &Stage::id);
  v.erase(std::unique(v.begin(), v.end()), v.end());
}

}  // namespace

const char* to_string(DataUsage u) {
  constexpr const char* kNames[] = {"Input", "Output", "Const", "Intermediate", "Temp", "Fake"};
  return kNames[static_cast<size_t>(u)];
}

Error Stage::wrong_params() const { return internal_error("stage '" + name + "' has parameters of another type"); }

// ---- Data -----------------------------------------------------------------------------------------------------------

Data* Data::top_parent() {
  Data* d = this;
  while (d->sharing_) d = d->sharing_->parent;
  return d;
}

DimValues Data::strides() const {
  if (sharing_ && sharing_->mode == Sharing::Mode::ROI) return sharing_->parent->strides();
  return compute_strides(desc, required_strides);
}

void Data::update_required_strides(const StridesRequirement& r) {
  ensure(!sharing_ && children_.empty(), "new strides for data '" + name + "', which shares its buffer");
  if (required_strides.is_fixed()) return;
  if (r.is_fixed()) {
    required_strides = r;
    return;
  }
  for (int i = 0, n = desc.rank(); i < n; ++i)
    if (required_strides.at(i) == StrideRule::Any) required_strides.set(i, r.at(i));
  ensure(satisfies(r), "the requirements on the strides of data '" + name + "' exclude each other");
}

namespace {
void set_memory_type_below(Data* d, MemoryType m) {
  d->memory_type = m;
  for (Data* c : d->children()) set_memory_type_below(c, m);
}
}  // namespace

void Data::set_memory_type_of_tree(MemoryType m) { set_memory_type_below(top_parent(), m); }

// ---- Stage ----------------------------------------------------------------------------------------------------------

std::vector<Stage*> Stage::next() const {
  std::vector<Stage*> r = dependency_children_;
  for (const Data* d : outputs_)
    for (const Use& u : d->consumers()) r.push_back(u.stage);
  sort_by_id(r);
  return r;
}

std::vector<Stage*> Stage::previous() const {
  std::vector<Stage*> r = dependency_parents_;
  for (const Data* d : inputs_)
    if (Stage* s = d->producer_stage()) r.push_back(s);
  sort_by_id(r);
  return r;
}

// ---- Program: data --------------------------------------------------------------------------------------------------

Data* Program::new_data(std::string data_name, DataUsage usage, DataDesc desc) {
  auto owned = std::make_unique<Data>();
  Data* d = owned.get();
  d->id_ = static_cast<int>(datas_.size());
  d->name = std::move(data_name);
  d->usage = usage;
  d->desc = desc;
  datas_.push_back(std::move(owned));
  return d;
}

Data* Program::add_input(std::string n, DataDesc desc) { return new_data(std::move(n), DataUsage::Input, desc); }
Data* Program::add_output(std::string n, DataDesc desc) { return new_data(std::move(n), DataUsage::Output, desc); }
Data* Program::add_data(std::string n, DataDesc desc) { return new_data(std::move(n), DataUsage::Intermediate, desc); }
Data* Program::add_fake() { return new_data("<fake>", DataUsage::Fake, DataDesc({1})); }

Data* Program::add_const(std::string n, DataDesc desc, Bytes content) {
  ensure(static_cast<int64_t>(content.size()) == desc.compact_bytes(),
         "constant '" + n + "': content size does not match its shape");
  Data* d = new_data(std::move(n), DataUsage::Const, desc);
  d->content = std::move(content);
  return d;
}

void Program::remark_not_as_intel(const Layer* layer, std::string what) {
  const Layer l = layer ? *layer : Layer{};
  remarks.push_back(
      {.kind = Remark::Kind::NotAsIntel, .layer = l.name, .type = l.type, .source = l.source, .what = std::move(what)});
}

Data* Program::duplicate(const Data* d, const std::string& postfix, std::optional<DataDesc> desc,
                         std::optional<Bytes> content) {
  const bool io = d->usage == DataUsage::Input || d->usage == DataUsage::Output;
  Data* r = new_data(d->name + postfix, io ? DataUsage::Intermediate : d->usage, desc ? *desc : d->desc);
  r->marks = d->marks;
  if (r->usage == DataUsage::Const) {
    r->content = content ? std::move(*content) : d->content;
    const auto size = static_cast<int64_t>(r->content.size()), wanted = r->desc.compact_bytes();
    if (size != wanted)
      throw blobsmith::cannot_compile(d->name, "Const",
                                      "duplicateData error: while duplicating " + r->name +
                                          " Const data got different desc and content byte sizes (" +
                                          std::to_string(wanted) + " and " + std::to_string(size) + " respectively)");
  }
  if (d->shape_parent_) connect_shape(d->shape_parent_, r);
  return r;
}

void Program::remove(Data* d) {
  ensure(d->consumers_.empty(), "removing data '" + d->name + "' that is in use");
  if (d->sharing_) disconnect_sharing(d);
  while (!d->children_.empty()) disconnect_sharing(d->children_.back());
  if (d->shape_parent_) erase_one(d->shape_parent_->shape_children_, d);
  for (Data* c : d->shape_children_) c->shape_parent_ = nullptr;
  if (Stage* p = d->producer_.stage) {
    erase_one(p->outputs_, d);
    changed(p);
  }
  if (Stage* owner = d->temp_owner_) erase_one(owner->temps_, d);
  datas_[static_cast<size_t>(d->id_)].reset();
}

Data* Program::find_data(int64_t id) const {
  return id >= 0 && id < static_cast<int64_t>(datas_.size()) ? datas_[static_cast<size_t>(id)].get() : nullptr;
}

std::vector<Data*> Program::datas() const {
  std::vector<Data*> r;
  r.reserve(datas_.size());
  for (const auto& d : datas_)
    if (d) r.push_back(d.get());
  return r;
}

// ---- Program: stages ------------------------------------------------------------------------------------------------

void Program::attach_ports(Stage* s, std::vector<Data*> inputs, std::vector<Data*> outputs) {
  s->inputs_ = std::move(inputs);
  s->outputs_ = std::move(outputs);
  for (size_t i = 0; i < s->inputs_.size(); ++i) add_use(s->inputs_[i], {s, static_cast<int>(i)});
  for (size_t i = 0; i < s->outputs_.size(); ++i) {
    Data* d = s->outputs_[i];
    ensure(d->usage == DataUsage::Fake || !d->producer_.stage, "data '" + d->name + "' has two producers");
    d->producer_ = {s, static_cast<int>(i)};
  }
  changed(s);
}

Stage* Program::add_stage(std::string stage_name, StageType type, std::shared_ptr<const Layer> layer,
                          std::vector<Data*> inputs, std::vector<Data*> outputs) {
  auto owned = std::make_unique<Stage>();
  Stage* s = owned.get();
  s->id_ = static_cast<int>(stages_.size());
  s->name = std::move(stage_name);
  s->type = type;
  s->layer = std::move(layer);
  stages_.push_back(std::move(owned));
  attach_ports(s, std::move(inputs), std::move(outputs));
  return s;
}

Stage* Program::duplicate(const Stage* s, const std::string& postfix, std::vector<Data*> inputs,
                          std::vector<Data*> outputs) {
  Stage* r = add_stage(s->name + postfix, s->type, s->layer, std::move(inputs), std::move(outputs));
  r->params = s->params;
  for (const Data* t : s->temps_) add_temp(r, t->desc.element_count());
  return r;
}

void Program::add_stage_input(Stage* s, Data* d) {
  s->inputs_.push_back(d);
  add_use(d, {s, s->input_count() - 1});
}

void Program::add_use(Data* d, Use u) {
  d->consumers_.push_back(u);
  changed(d->producer_.stage);
}

void Program::remove_use(Data* d, Use u) {
  erase_one(d->consumers_, u);
  changed(d->producer_.stage);
}

void Program::replace_input(Stage* s, int port, Data* d) {
  Data*& slot = s->inputs_.at(static_cast<size_t>(port));
  remove_use(slot, {s, port});
  slot = d;
  add_use(d, {s, port});
}

void Program::replace_output(Stage* s, int port, Data* d) {
  Data*& slot = s->outputs_.at(static_cast<size_t>(port));
  slot->producer_ = {};
  ensure(!d->producer_.stage, "data '" + d->name + "' has two producers");
  slot = d;
  d->producer_ = {s, port};
  changed(s);
}

void Program::redirect_consumers(Data* from, Data* to) {
  const std::vector<Use> uses = from->consumers_;
  for (const Use& u : uses) replace_input(u.stage, u.port, to);
}

Data* Program::add_temp(Stage* s, int64_t bytes) {
  Data* d = new_data(s->name + "@temp@" + std::to_string(s->temps_.size() + 1), DataUsage::Temp,
                     DataDesc(DataType::U8, {bytes}));
  d->temp_owner_ = s;
  s->temps_.push_back(d);
  return d;
}

void Program::add_dependency(Stage* before, Stage* after) {
  if (contains(before->dependency_children_, after)) return;
  before->dependency_children_.push_back(after);
  after->dependency_parents_.push_back(before);
  changed(before);
}

void Program::remove_dependency(Stage* before, Stage* after) {
  erase_one(before->dependency_children_, after);
  erase_one(after->dependency_parents_, before);
  changed(before);
}

void Program::disconnect(Stage* s) {
  ensure(!s->injected_, "disconnecting a stage that carries an injected one");
  for (int i = 0; i < s->input_count(); ++i) remove_use(s->input(i), {s, i});
  for (Data* d : s->outputs_) d->producer_ = {};
  for (Data* d : s->temps_) d->temp_owner_ = nullptr;
  s->inputs_.clear();
  s->outputs_.clear();
  s->temps_.clear();
  while (!s->dependency_parents_.empty()) remove_dependency(s->dependency_parents_.back(), s);
  while (!s->dependency_children_.empty()) remove_dependency(s, s->dependency_children_.back());
  changed(s);
}

void Program::remove(Stage* s) {
  disconnect(s);
  stages_[static_cast<size_t>(s->id_)].reset();
}

void Program::inject(Stage* hw, Stage* sw) {
  ensure(!hw->injected_ && !sw->injected_into_, "a stage is injected twice");
  hw->injected_ = sw;
  sw->injected_into_ = hw;
  hw->own_inputs_ = hw->input_count();
  hw->own_outputs_ = hw->output_count();
  hw->own_temps_ = static_cast<int>(hw->temps_.size());
  for (int i = 0; i < sw->input_count(); ++i) {
    remove_use(sw->input(i), {sw, i});
    add_stage_input(hw, sw->input(i));
  }
  for (Data* d : sw->outputs_) {
    hw->outputs_.push_back(d);
    d->producer_ = {hw, hw->output_count() - 1};
  }
  for (Data* d : sw->temps_) {
    hw->temps_.push_back(d);
    d->temp_owner_ = hw;
  }
  // The child's dependencies move to its carrier; the child keeps its own lists for revert_injection.
  sw->moved_dependencies_.clear();
  for (Stage* p : sw->dependency_parents_) {
    erase_one(p->dependency_children_, sw);
    changed(p);
    if (p != hw && !contains(hw->dependency_parents_, p)) {
      add_dependency(p, hw);
      sw->moved_dependencies_.push_back(p);
    }
  }
  for (Stage* c : sw->dependency_children_) {
    erase_one(c->dependency_parents_, sw);
    if (c != hw && !contains(hw->dependency_children_, c)) {
      add_dependency(hw, c);
      sw->moved_dependencies_.push_back(c);
    }
  }
  changed(hw);
}

void Program::revert_injection(Stage* hw) {
  Stage* sw = hw->injected_;
  ensure(sw != nullptr, "no injection to revert");
  for (int i = hw->own_inputs_; i < hw->input_count(); ++i) remove_use(hw->input(i), {hw, i});
  hw->inputs_.resize(static_cast<size_t>(hw->own_inputs_));
  hw->outputs_.resize(static_cast<size_t>(hw->own_outputs_));
  hw->temps_.resize(static_cast<size_t>(hw->own_temps_));
  for (int i = 0; i < sw->input_count(); ++i) add_use(sw->input(i), {sw, i});
  for (int i = 0; i < sw->output_count(); ++i) sw->output(i)->producer_ = {sw, i};
  for (Data* d : sw->temps_) d->temp_owner_ = sw;
  for (Stage* s : sw->moved_dependencies_) {
    if (contains(sw->dependency_parents_, s))
      remove_dependency(s, hw);
    else
      remove_dependency(hw, s);
  }
  for (Stage* p : sw->dependency_parents_) {
    p->dependency_children_.push_back(sw);
    changed(p);
  }
  for (Stage* c : sw->dependency_children_) c->dependency_parents_.push_back(sw);
  sw->moved_dependencies_.clear();
  hw->injected_ = nullptr;
  sw->injected_into_ = nullptr;
  changed(hw);
  changed(sw);
}

Stage* Program::find_stage(int id) const {
  return id >= 0 && id < static_cast<int>(stages_.size()) ? stages_[static_cast<size_t>(id)].get() : nullptr;
}

const std::vector<Stage*>& Program::stages() {
  if (!order_valid_) rebuild_order();
  return order_;
}

void Program::set_successor_order(std::function<bool(const Stage*, const Stage*)> less) {
  successor_less_ = std::move(less);
  for (const auto& s : stages_) changed(s.get());
}

void Program::find_successors(Stage* s) const {
  std::vector<Stage*>& r = s->successors_;
  r = s->dependency_children_;
  for (const Data* d : s->outputs_)
    for (const Use& u : d->consumers_) r.push_back(u.stage);  // one with two edges is met twice, harmlessly
  const auto by_id = [](const Stage* a, const Stage* b) { return a->id_ < b->id_; };
  if (r.size() > 1 && successor_less_)
    std::ranges::sort(r, [this](const Stage* a, const Stage* b) { return successor_less_(a, b); });
  else if (r.size() > 1)
    std::ranges::sort(r, by_id);
  s->successors_known_ = true;
}

// Reverse post-order of a depth-first walk; initial stages and successors from the last to the first. Trial loops
// rebuild the order hundreds of times, so stages remember their successors.
void Program::rebuild_order() {
  enum State : char { Unseen, Open, Done };
  struct Frame {
    Stage* stage;
    size_t unvisited;  // of its successors
  };
  std::vector<char> state(stages_.size(), Unseen);
  std::vector<Frame> frames;
  const auto open = [&](Stage* s) {
    state[static_cast<size_t>(s->id_)] = Open;
    if (!s->successors_known_) find_successors(s);
    frames.push_back({s, s->successors_.size()});
  };
  const auto is_initial = [](const Stage* s) {
    return s->dependency_parents_.empty() &&
           std::ranges::none_of(s->inputs_, [](const Data* d) { return d->producer_stage() != nullptr; });
  };
  order_.clear();
  for (auto it = stages_.rbegin(); it != stages_.rend(); ++it) {
    Stage* root = it->get();
    if (!root || root->injected_into_ || state[static_cast<size_t>(root->id_)] != Unseen || !is_initial(root)) continue;
    open(root);
    while (!frames.empty()) {
      Frame& f = frames.back();
      if (f.unvisited == 0) {
        state[static_cast<size_t>(f.stage->id_)] = Done;
        order_.push_back(f.stage);
        frames.pop_back();
        continue;
      }
      Stage* t = f.stage->successors_[--f.unvisited];
      if (state[static_cast<size_t>(t->id_)] == Open) throw Error(ErrorCode::BadGraph, "Graph has cycle");
      if (state[static_cast<size_t>(t->id_)] == Unseen) open(t);
    }
  }
  std::ranges::reverse(order_);
  for (size_t i = 0; i < order_.size(); ++i) order_[i]->index_ = static_cast<int>(i);
  order_valid_ = true;
}

// ---- Program: edges between data ------------------------------------------------------------------------------------

void Program::connect(Data* parent, Data* child, Sharing::Mode mode, Sharing::Direction direction, DimValues offset,
                      Stage* stage, Sharing::Connection connection) {
  ensure(child->usage == DataUsage::Intermediate && !child->sharing_,
         "data '" + child->name + "' can't lie inside another");
  ensure(parent->usage != DataUsage::Temp && parent->usage != DataUsage::Fake,
         "data '" + parent->name + "' can't hold another");
  child->sharing_ = Sharing{parent, mode, direction, offset, stage, connection};
  parent->children_.push_back(child);
  set_memory_type_below(child, parent->memory_type);
}

void Program::disconnect_sharing(Data* child) {
  erase_one(child->sharing_->parent->children_, child);
  child->sharing_.reset();
}

void Program::replace_parent(Data* child, Data* new_parent) {
  erase_one(child->sharing_->parent->children_, child);
  child->sharing_->parent = new_parent;
  new_parent->children_.push_back(child);
  set_memory_type_below(child, new_parent->memory_type);
}

void Program::connect_shape(Data* shape, Data* data) {
  ensure(!data->shape_parent_, "data '" + data->name + "' has a shape already");
  data->shape_parent_ = shape;
  shape->shape_children_.push_back(data);
  Stage* d = data->producer_.stage;
  Stage* p = shape->producer_.stage;
  if (!d || !p || d == p) return;
  if (contains(p->previous(), d) || contains(d->previous(), p)) return;
  add_dependency(p, d);
}

void Program::replace_shape(Data* data, Data* new_shape) {
  Data* old = data->shape_parent_;
  Stage* d = data->producer_.stage;
  Stage* p = old->producer_.stage;
  if (d && p) remove_dependency(p, d);
  erase_one(old->shape_children_, data);
  data->shape_parent_ = nullptr;
  connect_shape(new_shape, data);
}

bool Program::is_dynamic() const {
  return std::ranges::any_of(datas_, [](const auto& d) { return d && d->shape_parent_; });
}

void Program::clean_up() {
  for (size_t i = 0; i < datas_.size(); ++i) {
    Data* d = datas_[i].get();
    if (!d || d->usage == DataUsage::Input) continue;
    if (d->usage == DataUsage::Output) {
      ensure(d->producer_.stage != nullptr, "network output '" + d->name + "' has no producer");
    } else if (d->usage == DataUsage::Temp ? !d->temp_owner_ : (d->consumers_.empty() && !d->producer_.stage)) {
      remove(d);
    }
  }
}

}  // namespace blobsmith::vpu
