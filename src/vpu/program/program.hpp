// Program: VPU stages and data objects as a bipartite graph, in execution order, then with layout and placement.
// The rules of order (data list, consumer lists, stage ids) decide bytes: middle-end spec §1, memory spec §0.1.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "blobsmith/remark.hpp"
#include "core/bytes.hpp"
#include "vpu/format/data_desc.hpp"
#include "vpu/format/location.hpp"
#include "vpu/format/params.hpp"
#include "vpu/format/stage_type.hpp"
#include "vpu/options/options.hpp"
#include "vpu/program/shared_contents.hpp"

namespace blobsmith::vpu {

class Stage;
class Program;

struct Use {
  Stage* stage = nullptr;
  int port = 0;
  bool operator==(const Use&) const = default;
};

enum class DataUsage { Input, Output, Const, Intermediate, Temp, Fake };
const char* to_string(DataUsage u);
enum class MemoryType { DDR, CMX };
struct Placement {
  Location location = Location::None;
  int64_t offset = 0;
};

class Data;

/// "The child lies inside the parent's buffer" (middle-end §1.4). Stored in the child.
struct Sharing {
  enum class Mode { ROI, Reshape };
  enum class Direction { ChildWritesToParent, ParentWritesToChild };
  enum class Connection { SingleStage, Subgraph };
  Data* parent = nullptr;
  Mode mode = Mode::ROI;
  Direction direction = Direction::ChildWritesToParent;
  DimValues offset;        ///< elements, ROI only
  Stage* stage = nullptr;  ///< the special stage that connects them; null for Subgraph
  Connection connection = Connection::SingleStage;
};

/// What passes note about data for later ones. Duplicates keep it. Other data are named by their ids (-1: none), as
/// they may disappear: resolve them with Program::find_data.
struct DataMarks {
  int fp16_copy = -1;               ///< of a network input: its conversion to FP16
  int relaid_weights = -1;          ///< the copy that SHAVE kernels read
  int start_shared = -1;            ///< of what enters a loop: its partner inside, which lies in the same place
  int end_shared = -1;              ///< the same of what leaves it
  bool activated = false;           ///< it holds another layer's values, by upliftActivationStages
  bool converted_notation = false;  ///< a shape with the innermost dimension first
  bool unbatched = false;           ///< an output that does not depend on the batch
  bool packing_candidate = false;   ///< it may lie in CMX if there is room
  int64_t io_offset = 0;            ///< of an input or output: bytes of those before it
  int64_t batch = 1;                ///< of an input or output
};

class Data {
 public:
  std::string name;
  DataUsage usage = DataUsage::Intermediate;
  DataDesc desc;
  StridesRequirement required_strides;
  Bytes content;  ///< Const only: compact, in desc's order
  DataMarks marks;
  MemoryType memory_type = MemoryType::DDR;
  Placement placement;
  Placement dims_placement, strides_placement;  ///< of the shape words; set by allocateResources
  int64_t io_dims_upper_bound_offset = -1;

  int id() const { return id_; }
  Use producer() const { return producer_; }
  Stage* producer_stage() const { return producer_.stage; }
  const std::vector<Use>& consumers() const { return consumers_; }
  Stage* temp_owner() const { return temp_owner_; }
  Stage* single_consumer() const { return consumers_.size() == 1 ? consumers_[0].stage : nullptr; }

  const Sharing* sharing() const { return sharing_ ? &*sharing_ : nullptr; }
  Data* parent() const { return sharing_ ? sharing_->parent : nullptr; }
  const std::vector<Data*>& children() const { return children_; }
  Data* top_parent();
  const Data* top_parent() const { return const_cast<Data*>(this)->top_parent(); }
  Data* shape_parent() const { return shape_parent_; }
  const std::vector<Data*>& shape_children() const { return shape_children_; }

  DimValues strides() const;  ///< bytes; the parent's for a region
  int64_t total_bytes() const { return byte_size(desc, strides()); }
  bool satisfies(const StridesRequirement& r) const { return strides_satisfy(desc, strides(), r); }
  /// Merges a further requirement (memory spec §1.2 updateRequiredStrides).
  void update_required_strides(const StridesRequirement& r);
  void set_memory_type_of_tree(MemoryType m);  ///< of the top parent and all below it

 private:
  friend class Program;
  int id_ = 0;
  Use producer_;
  std::vector<Use> consumers_;
  std::optional<Sharing> sharing_;
  std::vector<Data*> children_;
  Data* shape_parent_ = nullptr;
  std::vector<Data*> shape_children_;
  Stage* temp_owner_ = nullptr;
};

/// The layer of the network that a stage comes from.
struct Layer {
  std::string name{}, type{}, source{};  ///< source: as in Node::source
  std::string alt_width{};               ///< digits or empty
  float vpu_scale = 0.0f;
};

class Stage {
 public:
  std::string name;
  StageType type = StageType::None;
  std::shared_ptr<const Layer> layer;  ///< null for stages without an origin
  /// Of the struct that the stage's type has (vpu/format, or vpu/program/specs.hpp where passes or the final layout
  /// have a say); null for a type without parameters. Shared by duplicates, hence replaced as a whole.
  std::shared_ptr<const StageParams> params;
  int num_shaves = 0;

  /// The parameters as a P; an internal error when the stage has others.
  template <class P>
  const P& get() const {
    const P* p = find<P>();
    if (!p) throw wrong_params();
    return *p;
  }
  template <class P>
  const P* find() const {
    return dynamic_cast<const P*>(params.get());
  }
  template <class P>
  Stage* set(P p) {
    params = std::make_shared<const P>(std::move(p));
    return this;
  }
  /// Applies f to the parameters, which must be a P and nothing derived from it.
  template <class P, class F>
  Stage* change(F f) {
    P p = get<P>();
    f(p);
    return set(std::move(p));
  }

  int id() const { return id_; }
  int index() const { return index_; }  ///< position in the order last built
  const std::vector<Data*>& inputs() const { return inputs_; }
  const std::vector<Data*>& outputs() const { return outputs_; }
  const std::vector<Data*>& temps() const { return temps_; }
  Data* input(int i) const { return inputs_.at(static_cast<size_t>(i)); }
  Data* output(int i = 0) const { return outputs_.at(static_cast<size_t>(i)); }
  int input_count() const { return static_cast<int>(inputs_.size()); }
  int output_count() const { return static_cast<int>(outputs_.size()); }
  StageCategory category() const { return vpu::category(type); }
  bool is(StageType t) const { return type == t; }
  template <class... T>
  bool is_any(T... t) const {
    return ((type == t) || ...);
  }

  Stage* injected() const { return injected_; }  ///< the SHAVE/DMA stage that rides on this HW stage
  Stage* injected_into() const { return injected_into_; }
  int own_input_count() const {
    return injected_ ? own_inputs_ : input_count();
  }  ///< ports that are not the injected stage's
  int own_output_count() const { return injected_ ? own_outputs_ : output_count(); }
  const std::vector<Stage*>& dependency_parents() const { return dependency_parents_; }
  const std::vector<Stage*>& dependency_children() const { return dependency_children_; }

  std::vector<Stage*> next() const;  ///< direct successors, ascending id, each once
  std::vector<Stage*> previous() const;

 private:
  friend class Program;
  Error wrong_params() const;

  int id_ = 0, index_ = -1;
  std::vector<Data*> inputs_, outputs_, temps_;
  Stage* injected_ = nullptr;
  Stage* injected_into_ = nullptr;
  int own_inputs_ = 0, own_outputs_ = 0, own_temps_ = 0;
  std::vector<Stage*> dependency_parents_, dependency_children_, moved_dependencies_;
  std::vector<Stage*> successors_;  ///< in the order of the walk; only while successors_known_
  bool successors_known_ = false;
};

class Program {
 public:
  std::string name;
  PassOptions options;
  Resources resources;
  int64_t batch_size = 1;
  bool with_detection_output = false;
  /// With other compilations of the same network; null where this is the only one.
  std::shared_ptr<SharedContents> shared;

  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // ---- data -----------------------------------------------------------------------------------------------------
  Data* add_input(std::string name, DataDesc desc);
  Data* add_output(std::string name, DataDesc desc);
  Data* add_const(std::string name, DataDesc desc, Bytes content);  ///< content size must be desc.compact_bytes()
  Data* add_data(std::string name, DataDesc desc);
  Data* add_fake();
  /// middle-end §1.3: Input/Output become Intermediate; attributes copied; required strides and memory type not.
  Data* duplicate(const Data* d, const std::string& postfix, std::optional<DataDesc> desc = {},
                  std::optional<Bytes> content = {});
  void remove(Data* d);  ///< must have no consumers
  /// Content for a constant: what `make` makes of `source` and the numbers; `what` names the computation, a literal.
  Bytes computed(std::string_view what, const Bytes& source, std::initializer_list<int64_t> numbers,
                 const std::function<Bytes()>& make) const {
    return shared ? shared->get(what, source, numbers, make) : make();
  }
  /// The program needs the content no more.
  void leave_memory(const Bytes& content) const {
    if (!shared) content.leave_memory();
  }
  Data* find_data(int64_t id) const;  ///< null when it is gone

  /// Calls f for every live data object in list order; objects appended meanwhile are visited too.
  template <class F>
  void for_each_data(F f) {
    for (size_t i = 0; i < datas_.size(); ++i)
      if (Data* d = datas_[i].get()) f(d);
  }
  std::vector<Data*> datas() const;                     ///< a snapshot of the list
  size_t data_id_end() const { return datas_.size(); }  ///< above every id, for tables by id

  // ---- stages ---------------------------------------------------------------------------------------------------
  Stage* add_stage(std::string name, StageType type, std::shared_ptr<const Layer> layer, std::vector<Data*> inputs,
                   std::vector<Data*> outputs);
  Stage* duplicate(const Stage* s, const std::string& postfix, std::vector<Data*> inputs, std::vector<Data*> outputs);
  void add_stage_input(Stage* s, Data* d);
  void replace_input(Stage* s, int port, Data* d);  ///< the edge moves to the end of d's consumers
  void replace_output(Stage* s, int port, Data* d);
  void redirect_consumers(Data* from, Data* to);
  Data* add_temp(Stage* s, int64_t bytes);
  void add_dependency(Stage* before, Stage* after);
  void remove_dependency(Stage* before, Stage* after);
  void disconnect(Stage* s);  ///< removes all its edges; the stage stays
  void remove(Stage* s);
  void inject(Stage* hw, Stage* sw);
  void revert_injection(Stage* hw);
  Stage* find_stage(int id) const;
  size_t stage_id_end() const { return stages_.size(); }  ///< above every id, for tables by id

  /// Execution order (middle-end §1.2), as a snapshot: stages made meanwhile are not in it. A loop that removes stages
  /// must use for_each_stage, which skips those that are gone.
  const std::vector<Stage*>& stages();
  template <class F>
  void for_each_stage(F f) {
    std::vector<int> ids;
    for (const Stage* s : stages()) ids.push_back(s->id());
    for (int id : ids)
      if (Stage* s = find_stage(id); s && !s->injected_into()) {
        const std::shared_ptr<const Layer> layer = s->layer;  // f may remove the stage
        try {
          f(s);
        } catch (Error& e) {  // every error about a stage says which layer of the model it comes from
          if (layer && e.source().empty()) e.from(layer->source);
          throw;
        }
      }
  }
  /// Orders successors of one stage: `less` is strict. Installed once by adjustDataLocation.
  void set_successor_order(std::function<bool(const Stage*, const Stage*)> less);

  // ---- edges between data ---------------------------------------------------------------------------------------
  void connect(Data* parent, Data* child, Sharing::Mode mode, Sharing::Direction direction, DimValues offset,
               Stage* stage, Sharing::Connection connection = Sharing::Connection::SingleStage);
  void disconnect_sharing(Data* child);
  void replace_parent(Data* child, Data* new_parent);
  void connect_shape(Data* shape, Data* data);  ///< also makes the stage dependency of middle-end §1.4
  void replace_shape(Data* data, Data* new_shape);
  bool is_dynamic() const;

  /// Before every pass: drops data that nothing uses. Throws when an Output has no producer.
  void clean_up();

  /// What is done otherwise than in the reference compiler, whose result is wrong (options.quirks is off).
  std::vector<Remark> remarks;
  void remark_not_as_intel(const Layer* layer, std::string what);

  // ---- results of the allocator (allocateResources) -----------------------------------------------------------------
  struct MemorySizes {
    int64_t inputs = 0, outputs = 0, bss = 0, cmx = 0, blob = 0;
  };
  MemorySizes memory;

 private:
  Data* new_data(std::string name, DataUsage usage, DataDesc desc);
  void add_use(Data* d, Use u);
  void remove_use(Data* d, Use u);
  void attach_ports(Stage* s, std::vector<Data*> inputs, std::vector<Data*> outputs);
  void rebuild_order();
  void find_successors(Stage* s) const;
  void changed(Stage* s) {  ///< after every edit of the successors of `s`, which may be null
    if (s) s->successors_known_ = false;
    order_valid_ = false;
  }

  std::vector<std::unique_ptr<Data>> datas_;    // list order; null where removed
  std::vector<std::unique_ptr<Stage>> stages_;  // by id; null where removed
  std::vector<Stage*> order_;
  bool order_valid_ = false;
  std::function<bool(const Stage*, const Stage*)> successor_less_;
  std::vector<std::unique_ptr<Data>>::size_type index_of(const Data* d) const;
};

// ---- dump (dump.cpp) ------------------------------------------------------------------------------------------------
std::string to_json(Program& program);
std::string to_dot(Program& program);

}  // namespace blobsmith::vpu
