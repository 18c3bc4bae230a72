// The way from a file to a checked Graph (front-end spec §1, messages §12.1).
#include "importers/openvino_ir/reader.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "graph/numbering.hpp"
#include "importers/common/model_files.hpp"
#include "importers/openvino_ir/builder.hpp"
#include "importers/openvino_ir/instance_ids.hpp"
#include "importers/openvino_ir/xml.hpp"
#include "transforms/pre_post_process.hpp"

namespace blobsmith {
namespace ir {
namespace {

Error no_reader(const std::string& file) {
  const size_t dot = file.rfind('.');
  const std::string extension = dot == std::string::npos ? "" : file.substr(dot + 1);
  return Error(ErrorCode::UnknownFormat, "Unknown model format! Cannot find reader for model format: " + extension +
                                             " and read the model: " + file +
                                             ". Please check that reader library exists in your PATH.");
}

int check_version(const pugi::xml_node& net, const std::string& file) {
  const int version = net.attribute("version").as_int();
  if (version >= 2 && version <= 7) {
    throw Error(ErrorCode::UnknownFormat,
                "The support of IR v" + std::to_string(version) +
                    " has been removed from the product. Please, convert the original model using the Model Optimizer "
                    "which comes with this version of the OpenVINO to generate supported IR version.");
  }
  if (version != 10 && version != 11) throw no_reader(file);
  return version;
}

void check_variables(const Graph& g) {
  std::multiset<std::string> read, assigned;
  for (const Node* n : g.all()) {
    if (n->is("ReadValue")) read.insert(n->attrs.text("variable_id"));
    if (n->is("Assign")) assigned.insert(n->attrs.text("variable_id"));
  }
  if (read != assigned)
    throw graph_error("Function is incorrect. Assign and ReadValue operations must be in pairs on the network.");
}

void check_interface(const Graph& g) {
  if (g.results().empty()) throw graph_error("the network has no outputs (no Result layers)");
  const auto check = [](const std::string& name, const Shape& shape) {
    if (std::ranges::find(shape, 0) != shape.end())
      throw Error(ErrorCode::ShapeMismatch, name + " has zero dimension which is not allowed");
  };
  for (const Node* p : g.parameters()) check(p->name, p->shape());
  for (const Node* r : g.results()) check(r->input(0).node->name, r->shape());
}

/// The inputs of a file and the names of their tensors.
struct IrInput {
  std::string name;
  std::vector<std::string> tensors;
  size_t rank = 0;
};

std::vector<IrInput> inputs_of(const pugi::xml_node& net) {
  std::vector<IrInput> list;
  for (const Layer& layer : read_layers(net).list) {
    if (layer.type != "Parameter") continue;
    IrInput input{layer.name, layer.outputs.empty() ? std::vector<std::string>() : layer.outputs[0].tensor_names};
    const std::string_view shape = layer.data().attribute("shape").value();
    input.rank = shape.empty() ? 0 : static_cast<size_t>(std::ranges::count(shape, ',')) + 1;
    list.push_back(std::move(input));
  }
  return list;
}

std::string names_of(const std::vector<IrInput>& inputs) {
  std::string names;
  for (const IrInput& i : inputs) names += (names.empty() ? "" : ", ") + i.name;
  return "its inputs are: " + names;
}

StatedShapes stated_shapes(const pugi::xml_node& net, const IrInputs& told) {
  StatedShapes s{{}, told.close_batch, {}};
  if (told.by_name.empty() && told.in_order.empty() && !told.batch) return s;
  const std::vector<IrInput> inputs = inputs_of(net);
  for (const auto& [name, shape] : told.by_name) {
    auto it = std::ranges::find(inputs, name, &IrInput::name);
    if (it == inputs.end())
      it = std::ranges::find_if(
          inputs, [&name = name](const IrInput& i) { return std::ranges::find(i.tensors, name) != i.tensors.end(); });
    if (it == inputs.end())
      throw Error(ErrorCode::BadInputName, "the model has no input named '" + name + "'").hint(names_of(inputs));
    s.by_layer[it->name] = shape;
  }
  if (!told.in_order.empty() && told.in_order.size() != inputs.size())
    throw Error(ErrorCode::BadOptionValue, "the model has " + std::to_string(inputs.size()) + " inputs, and " +
                                               std::to_string(told.in_order.size()) + " shapes are given without names")
        .hint(names_of(inputs));
  for (size_t i = 0; i < told.in_order.size(); ++i) s.by_layer[inputs[i].name] = told.in_order[i];
  for (const IrInput& input : inputs) {
    if (!told.batch || input.rank == 0) continue;
    Shape& shape = s.by_layer.emplace(input.name, Shape(input.rank, kDynamic)).first->second;
    shape.at(0) = *told.batch;
  }
  return s;
}

Graph read_document(const pugi::xml_document& document, const pugi::xml_parse_result& parsed, Bytes weights,
                    const std::string& file, const IrReadOptions& options) {
  const pugi::xml_node net = document.document_element();
  const std::string_view root = net.name();
  const bool is_net = root.size() == 3 && (root[0] | 0x20) == 'n' && (root[1] | 0x20) == 'e' && (root[2] | 0x20) == 't';
  if (!is_net) throw no_reader(file).hint(parsed ? "the file is XML, but not an OpenVINO IR" : "the file is not XML");
  const int version = check_version(net, file);
  if (!parsed)
    throw Error(ErrorCode::BadXml, parsed.description() + std::string("at offset ") + std::to_string(parsed.offset));
  StatedShapes shapes = stated_shapes(net, options.inputs);
  const File parts{version, std::move(weights), options, 0, &shapes};
  Built built = build_graph(net, parts);
  Graph graph = std::move(built.graph);
  graph.release = options.release;
  graph.name = net.attribute("name").value();
  read_mean_image(graph, net, parts);
  check_interface(graph);
  check_variables(graph);
  const bool first_of_two = !built.old_inputs.empty();  // the first of two interfaces, which know version 11
  number_instances(graph, !options.runtime_2_0 && !first_of_two);
  if (options.runtime_2_0 && version < 11) show_first_interface_types(graph);
  if (first_of_two) {
    pre_post_process(graph, built.old_inputs, built.old_outputs);
    numbering::copied(graph);
  }
  if (options.inputs.notes) std::ranges::move(shapes.notes, std::back_inserter(*options.inputs.notes));
  return graph;
}

}  // namespace
}  // namespace ir

Graph parse_openvino_ir(std::string_view xml, Bytes weights, const std::string& file_name,
                        const IrReadOptions& options) {
  try {
    pugi::xml_document document;
    const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
    return ir::read_document(document, parsed, std::move(weights), file_name, options);
  } catch (Error& e) {
    if (e.file().empty()) e.in_file(file_name);
    throw;
  }
}

Graph read_openvino_ir(const ModelFile& file, const IrReadOptions& options) {
  const Bytes xml = importers::contents_of(file);
  const auto weights = importers::contents_beside(file, importers::name_with_ending(file, ".bin"));
  return parse_openvino_ir({reinterpret_cast<const char*>(xml.data()), xml.size()}, weights.value_or(Bytes()),
                           file.path(), options);
}

}  // namespace blobsmith
