#include "vpu/lowering/parsers/layer.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "vpu/lowering/attribute_text.hpp"

namespace blobsmith::vpu {

namespace {
/// The constants of a loop's body are made where a layer first reads them, those of the network have been made before.
Data* input_data(Lowering& l, const NetworkLayer& n, Value v) {
  if (!l.bound(v) && v.node->is_constant()) add_constant(l, v);
  Data* d = l.bound(v);
  ensure(d != nullptr, "layer '" + n.name + "' reads a value that nothing made");
  return d;
}
}  // namespace

LayerContext::LayerContext(Lowering& l, const NetworkLayer& n)
    : lowering(l), program(l.program), options(l.options), layer(n) {
  auto o = std::make_shared<Layer>();
  o->name = n.name;
  o->type = n.type;
  o->source = n.node->source;
  o->alt_width = n.node->attrs.text("alt_width", "");
  origin = std::move(o);
  for (const Value& v : n.inputs) {
    inputs.push_back(input_data(l, n, v));
  }
  for (const Value& v : n.outputs) {
    Data* d = l.bound(v);
    if (!d && !l.network.consumers(v).empty()) {
      d = program.add_data(l.network.data_name(v), internal_desc_of(v.type(), v.shape()));
      l.bind(v, d);
    }
    outputs.push_back(d);
  }
}

std::vector<Data*> LayerContext::used_outputs() const {
  std::vector<Data*> r = outputs;
  std::erase(r, nullptr);
  return r;
}

void LayerContext::expect_ports(size_t input_count, size_t output_count) const {
  check(inputs.size() == input_count, "inputs.size() == " + std::to_string(input_count));
  check(outputs.size() == output_count, "outputs.size() == " + std::to_string(output_count));
  check(std::ranges::find(outputs, nullptr) == outputs.end(), "!expired()");
}

double LayerContext::real(std::string_view attribute, double fallback) const {
  if (const auto* v = attrs().find(attribute)) {
    if (const auto* d = std::get_if<double>(v)) return quirks::attribute_float(*d);
    if (const auto* i = std::get_if<int64_t>(v)) return static_cast<float>(*i);
  }
  return fallback;
}

double LayerContext::real(std::string_view attribute) const {
  if (!attrs().has(attribute))
    throw Error(ErrorCode::BadAttribute, "No such parameter name '" + std::string(attribute) + "' for layer " + name());
  return real(attribute, 0);
}

std::string LayerContext::text(std::string_view attribute, std::string_view fallback) const {
  return lower_case(attrs().text(attribute, std::string(fallback)));
}

const Tensor& LayerContext::constant(int port, std::string_view what) const {
  if (!has_constant(port)) fail(what);
  return node().input(port).node->constant;
}

int64_t LayerContext::integer(int port, std::string_view what) const {
  const std::vector<int64_t> v = integers(port, what);
  require(v.size() == 1, what);
  return v[0];
}

void LayerContext::require_rank(const Data* d, int min, int max) const {
  const int rank = d->desc.rank();
  require(rank >= min && rank <= max, "'" + d->name + "' has " + std::to_string(rank) + " dimensions, but " +
                                          std::to_string(min) + (max > min ? " to " + std::to_string(max) : "") +
                                          " are supported");
}

Data* LayerContext::add_weights(std::string_view postfix, const std::vector<int64_t>& innermost_first,
                                const Tensor& t) {
  if (t.type != ElementType::f32 && t.type != ElementType::f16)
    fail("weights of type " + std::string(precision_name(t.type)) + " are not supported");
  const DataDesc desc(innermost_first);
  Bytes content = constant_content(t);
  if (static_cast<int64_t>(content.size()) < desc.compact_bytes())
    fail("too few actual weights: actual size=" + std::to_string(content.size() / 2) +
         ", expected size=" + std::to_string(desc.element_count()));
  return program.add_const(name() + std::string(postfix), desc,
                           content.slice(0, static_cast<size_t>(desc.compact_bytes())));
}

Dim LayerContext::axis_dim(const Data* d, int64_t axis) const {
  const int64_t rank = d->desc.rank();
  require(axis >= -rank && axis < rank,
          "axis " + std::to_string(axis) + " is out of range for a tensor of rank " + std::to_string(rank));
  return d->desc.axis_dim(axis);
}

}  // namespace blobsmith::vpu
