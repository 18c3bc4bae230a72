// adjustDataLayout (memory spec §3): every data object gets its final order of dimensions and its requirements on
// strides. Stages are asked in execution order, first for orders (OrderRequirements), then for strides
// (StrideRequirements); where a stage wants its input differently, a Permute (order) or a Copy (strides) is put in
// front of it, and further readers with the same requirement share the result.
//
// A convolution on the engine writes NCHW, a SHAVE kernel behind it wants its channels innermost, and so does
// another:
//
//   conv -> a (NCHW)             conv -> a (NCHW) -> Permute -> a@order=NHWC (NHWC)
//   a -> kernel 1        =>      a@order=NHWC -> kernel 1
//   a -> kernel 2                a@order=NHWC -> kernel 2
//
// In the end each stage may replace its constants for the layout that it has now (finalize_layout), and everything
// is compared with what the stages asked for.
#include "vpu/memory/passes.hpp"
#include "vpu/program/builders.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu {
namespace {

/// The re-laid versions of each data object, so that a second reader with the same requirement finds the first one's.
class Conversions {
 public:
  std::vector<Data*>& of(const Data* d) {
    const auto id = static_cast<size_t>(d->id());
    if (id >= lists_.size()) lists_.resize(id + 1);
    return lists_[id];
  }
  /// A duplicate knows the conversions that existed when it was made.
  void inherit(const Data* from, const Data* to) {
    const std::vector<Data*> known = of(from);
    of(to) = known;
  }

 private:
  std::vector<std::vector<Data*>> lists_;  // by data id
};

/// A version of `d` for a stage to write; a constant's becomes Intermediate.
Data* make_version(Program& p, Conversions& conversions, const Data* d, const std::string& postfix,
                   const DataDesc& desc) {
  Data* version;
  if (d->usage == DataUsage::Const) {
    version = p.add_data(d->name + postfix, desc);
    version->marks = d->marks;
  } else {
    version = p.duplicate(d, postfix, desc);
  }
  conversions.inherit(d, version);
  return version;
}

// ---- orders ----

void convert_input_orders(Program& p, Conversions& conversions, Stage* s) {
  const OrderRequirements requirements = order_requirements(*s);
  for (int port = 0; port < s->input_count(); ++port) {
    Data* d = s->input(port);
    const auto& required = requirements.inputs[static_cast<size_t>(port)];
    if (!required || *required == d->desc.order) continue;
    Data* version = nullptr;
    for (Data* v : conversions.of(d))
      if (v->desc.order == *required) {
        version = v;
        break;
      }
    if (!version) {
      version = make_version(p, conversions, d, "@order=" + required->name(), d->desc.reordered(*required));
      add_reorder(p, s->name + "@reorder-input-data=" + std::to_string(port), s->layer, d, version);
      conversions.of(d).push_back(version);
    }
    p.replace_input(s, port, version);
  }
}

DimsOrder order_asked_by_consumers(const Data* d) {
  for (const Use& u : d->consumers())
    if (const auto required = order_requirements(*u.stage).inputs[static_cast<size_t>(u.port)]) return *required;
  return d->desc.order;
}

void convert_output_orders(Program& p, Conversions& conversions, Stage* s) {
  const OrderRequirements requirements = order_requirements(*s);
  for (int port = 0; port < s->output_count(); ++port) {
    Data* d = s->output(port);
    if (d->usage == DataUsage::Fake) continue;
    const auto& required = requirements.outputs[static_cast<size_t>(port)];
    const DimsOrder order = required ? *required : order_asked_by_consumers(d);
    if (order == d->desc.order) continue;
    Data* version = make_version(p, conversions, d, "@order=" + order.name(), d->desc.reordered(order));
    p.replace_output(s, port, version);
    if (d->usage == DataUsage::Output)
      add_reorder(p, s->name + "@reorder-output-data=" + std::to_string(port), s->layer, version, d);
    else
      p.redirect_consumers(d, version);
  }
}

// ---- strides ----

void convert_input_strides(Program& p, Conversions& conversions, Stage* s) {
  const StrideRequirements requirements = stride_requirements(*s);
  for (int port = 0; port < s->input_count(); ++port) {
    Data* d = s->input(port);
    const StridesRequirement required =
        requirements.inputs[static_cast<size_t>(port)].value_or(StridesRequirement::standard());
    if (d->satisfies(required)) {
      d->update_required_strides(required);
      continue;
    }
    Data* version = nullptr;
    for (Data* v : conversions.of(d))
      if (v->desc.order == d->desc.order && v->satisfies(required)) {
        version = v;
        break;
      }
    if (!version) {
      version = make_version(p, conversions, d, d->usage == DataUsage::Const ? "" : "@adjust-strides", d->desc);
      version->update_required_strides(required);
      add_copy(p, s->name + "@input=" + std::to_string(port) + "@align-strides", s->layer, d, version,
               "adjustDataLayout::input");
      conversions.of(d).push_back(version);
    }
    p.replace_input(s, port, version);
  }
}

/// What the producer states, completed by what the consumers state.
StridesRequirement output_requirement(const Data* d, const std::optional<StridesRequirement>& stated) {
  StridesRequirement required = stated.value_or(StridesRequirement::standard());
  for (const Use& u : d->consumers()) {
    const auto theirs = stride_requirements(*u.stage).inputs[static_cast<size_t>(u.port)];
    if (!theirs) continue;
    for (int i = 0, n = d->desc.rank(); i < n; ++i)
      if (required.at(i) == StrideRule::Any) required.set(i, theirs->at(i));
  }
  return required;
}

void convert_output_strides(Program& p, Conversions& conversions, Stage* s) {
  const StrideRequirements requirements = stride_requirements(*s);
  for (int port = 0; port < s->output_count(); ++port) {
    Data* d = s->output(port);
    if (d->usage == DataUsage::Fake) continue;
    const StridesRequirement required = output_requirement(d, requirements.outputs[static_cast<size_t>(port)]);
    if (d->satisfies(required)) {
      d->update_required_strides(required);
      continue;
    }
    Data* version = make_version(p, conversions, d, "@adjust-strides", d->desc);
    version->update_required_strides(required);
    p.replace_output(s, port, version);
    if (d->usage == DataUsage::Output) {
      add_copy(p, s->name + "@input=" + std::to_string(port) + "@align-strides", s->layer, version, d,
               "adjustDataLayout::output");
    } else {
      p.redirect_consumers(d, version);
    }
  }
}

// ---- the result ----

void require(bool condition, const Stage& s, const Data* d, const char* what) {
  ensure(condition, "stage '" + s.name + "': " + what + " of data '" + d->name + "' is not as the stage asks");
}

void check_port(const Stage& s, const Data* d, const std::optional<DimsOrder>& order,
                const std::optional<StridesRequirement>& strides) {
  if (d->usage == DataUsage::Fake) return;
  require(!order || d->desc.order == *order, s, d, "the order");
  require(!strides || d->satisfies(*strides), s, d, "the stride");
  require(d->usage != DataUsage::Const || d->satisfies(StridesRequirement::compact()), s, d, "the compact stride");
}

void check_requirements(const Stage& s) {
  const OrderRequirements order = order_requirements(s);
  const StrideRequirements strides = stride_requirements(s);
  for (size_t i = 0; i < s.inputs().size(); ++i) check_port(s, s.inputs()[i], order.inputs[i], strides.inputs[i]);
  for (size_t i = 0; i < s.outputs().size(); ++i) check_port(s, s.outputs()[i], order.outputs[i], strides.outputs[i]);
}

}  // namespace

void adjust_data_layout(Program& p) {
  p.for_each_data([](Data* d) {
    if (d->usage != DataUsage::Intermediate) d->update_required_strides(StridesRequirement::compact());
  });
  Conversions conversions;
  p.for_each_stage([&](Stage* s) {
    convert_input_orders(p, conversions, s);
    convert_output_orders(p, conversions, s);
  });
  p.for_each_stage([&](Stage* s) {
    convert_input_strides(p, conversions, s);
    convert_output_strides(p, conversions, s);
  });
  p.for_each_stage([&](Stage* s) { finalize_layout(p, *s); });
  p.for_each_stage([](Stage* s) { check_requirements(*s); });
}

}  // namespace blobsmith::vpu
