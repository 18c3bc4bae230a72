// The loop over the layers (front-end spec §8.5): data for their outputs, then the parser of their type. Problems of
// all layers are collected.
#include <algorithm>
#include <map>
#include <set>

#include "core/text.hpp"
#include "vpu/lowering/advice.hpp"
#include "vpu/lowering/custom_layers.hpp"
#include "vpu/lowering/layer_types.hpp"
#include "vpu/lowering/parsers/layer.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu {
namespace {

bool is_none_layer(const CompileOptions& o, const std::string& type) {
  return std::ranges::any_of(o.none_layers, [&](const std::string& n) { return n == "*" || n == lower_case(type); });
}

void add_none(LayerContext& c) { c.add_stage(StageType::None, c.inputs, c.used_outputs()); }

/// An error of a parser names the layer and its type, whatever threw it.
Error with_address(const Error& e, const LayerContext& c) {
  Error r = e.has_address() || e.code() == ErrorCode::Internal ? Error(e).at_layer(c.name(), c.layer.type)
                                                               : cannot_compile(c.name(), c.layer.type, e.what());
  return std::move(r.from(c.node().source));
}

void parse_layer(LayerContext& c, const std::set<std::string>& custom_types) {
  if (is_none_layer(c.options, c.layer.type)) return add_none(c);
  if (custom_types.contains(lower_case(c.layer.type)))
    throw unsupported_custom_layer(c.name(), c.layer.type, c.options.custom_layers);
  if (const std::string_view wanted = wanted_conversion(c.node()); !wanted.empty())
    c.fail(c.node().type + " operation has a form that is not supported. " + c.name() + " should be converted to " +
           std::string(wanted) + " operation.");
  const LayerParser parser = find_parser(c.layer.type, c.lowering.release);
  if (!parser) throw unsupported_layer(c.name(), c.layer.type).hint(std::string(advice_for(c.layer.type)));
  parser(c);
}

/// Where some layers failed, the others are looked at all the same: one run tells everything.
void add_type_errors(Program& program, std::vector<Error>& errors) {
  const std::vector<Error> before = errors;
  for (const Stage* s : program.stages()) {
    if (s->layer && std::ranges::any_of(before, [&](const Error& e) { return e.layer() == s->layer->name; })) continue;
    try {
      check_types(*s);
    } catch (const Error& e) {
      errors.push_back(e);
    }
  }
}

void sort_by_layer(const Network& network, std::vector<Error>& errors) {
  std::map<std::string, size_t> position;
  for (const NetworkLayer* l : network.sorted()) position.emplace(l->name, position.size());
  std::ranges::stable_sort(errors, {}, [&](const Error& e) {
    const auto it = position.find(e.layer());
    return it == position.end() ? position.size() : it->second;
  });
}

}  // namespace

void parse_layers(Lowering& l) {
  const std::set<std::string> custom_types =
      l.options.custom_layers.empty() ? std::set<std::string>() : custom_layer_types(l.options.custom_layers);
  std::vector<Error> errors;
  for (const NetworkLayer* layer : l.network.sorted()) {
    if (layer->is_input() || layer->is_const()) continue;
    bool has_data = false;
    try {
      LayerContext c(l, *layer);
      has_data = true;
      try {
        parse_layer(c, custom_types);
      } catch (const Error& e) {
        if (!l.options.ignore_unknown_layers) throw with_address(e, c);
        add_none(c);
      }
    } catch (const Error& e) {
      if (e.code() == ErrorCode::Internal) throw;
      errors.push_back(e.has_address() || !has_data ? e : cannot_compile(layer->name, layer->type, e.what()));
      if (e.source().empty()) errors.back().from(layer->node->source);
      if (!has_data) break;         // later layers would read what was not made
    } catch (const ErrorList& e) {  // of a loop's body
      errors.insert(errors.end(), e.errors().begin(), e.errors().end());
    }
  }
  if (errors.empty()) return;
  add_type_errors(l.program, errors);
  sort_by_layer(l.network, errors);
  throw ErrorList(std::move(errors));
}

}  // namespace blobsmith::vpu
