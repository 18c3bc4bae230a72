// Reading IR files: structure, attributes, messages (front-end spec §1, §12.1).
#include <gtest/gtest.h>

#include <set>

#include "importers/openvino_ir/reader.hpp"
#include "transforms/pipeline.hpp"

namespace blobsmith {
namespace {

std::string layer(int id, const std::string& name, const std::string& type, const std::string& opset,
                  const std::string& data, int inputs, int outputs, const std::string& more = "") {
  std::string s = "<layer id=\"" + std::to_string(id) + "\" name=\"" + name + "\" type=\"" + type + "\" version=\"" +
                  opset + "\">" + (data.empty() ? "" : "<data " + data + "/>") + "<input>";
  for (int i = 0; i < inputs; ++i) s += "<port id=\"" + std::to_string(i) + "\"/>";
  s += "</input><output>";
  for (int i = 0; i < outputs; ++i)
    s += "<port id=\"" + std::to_string(inputs + i) + "\" names=\"" + name + "\\,x,y\"/>";
  return s + "</output>" + more + "</layer>";
}
std::string edge(int from, int from_port, int to, int to_port) {
  return "<edge from-layer=\"" + std::to_string(from) + "\" from-port=\"" + std::to_string(from_port) +
         "\" to-layer=\"" + std::to_string(to) + "\" to-port=\"" + std::to_string(to_port) + "\"/>";
}
std::string net(const std::string& layers, const std::string& edges, const std::string& version = "10") {
  return "<?xml version=\"1.0\"?><net name=\"n\" version=\"" + version + "\"><layers>" + layers + "</layers><edges>" +
         edges + "</edges></net>";
}
std::string parameter(int id, const std::string& name, const std::string& shape = "1,3,8,8") {
  return layer(id, name, "Parameter", "opset1", "element_type=\"f32\" shape=\"" + shape + "\"", 0, 1);
}
std::string result(int id, const std::string& name = "r") { return layer(id, name, "Result", "opset1", "", 1, 0); }

/// Parameter -> one layer -> Result.
std::string one_layer(const std::string& type, const std::string& opset, const std::string& data,
                      const std::string& version = "10") {
  return net(parameter(0, "x") + layer(1, "op", type, opset, data, 1, 1) + result(2),
             edge(0, 0, 1, 0) + edge(1, 1, 2, 0), version);
}

Bytes weights(size_t size) { return Bytes::adopt(std::vector<uint8_t>(size, 1)); }

Graph parse(const std::string& xml, Bytes bin = {}) { return parse_openvino_ir(xml, std::move(bin), "dir/model.xml"); }

void expect_error(ErrorCode code, const std::string& text, const std::string& xml, Bytes bin = {}) {
  try {
    parse(xml, std::move(bin));
    FAIL() << "no error: " << text;
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
    EXPECT_EQ(e.file(), "dir/model.xml");
  }
}

TEST(IrReader, MakesNodesInTheOrderOfTheWalkFromTheResults) {
  const Graph g = parse(net(result(7, "r1") + parameter(1, "unused") + layer(2, "add", "add", "opset1", "", 2, 1) +
                                parameter(3, "b") + parameter(9, "a") + result(4, "r0"),
                            edge(3, 0, 2, 1) + edge(9, 0, 2, 0) + edge(2, 2, 7, 0) + edge(9, 0, 4, 0)));
  std::vector<std::string> names;
  for (const Node* n : g.all()) names.push_back(n->name);
  EXPECT_EQ(names, (std::vector<std::string>{"b", "a", "add", "r1", "r0"}));
  EXPECT_EQ(g.name, "n");
  EXPECT_EQ(g.parameters()[0]->name, "b");
  EXPECT_EQ(g.results()[0]->name, "r1");
  EXPECT_EQ(g.all()[2]->type, "Add");
  EXPECT_EQ(g.all()[2]->input(0).node->name, "a");
  EXPECT_EQ(g.all()[2]->output().tensor_names, (std::vector<std::string>{"add,x", "y"}));
}

TEST(IrReader, CountsTheReferencesInstances) {
  EXPECT_EQ(parse(one_layer("ReLU", "opset1", "")).next_id, 709 + 3 * 3);
  EXPECT_EQ(parse(one_layer("GRN", "opset1", "bias=\"1\"")).next_id, 709 + 3 * 3 + 36);
}

std::set<std::string> names_of_legacy_layers(Graph g) {
  convert_to_legacy(g);
  std::set<std::string> names;
  for (const Node* n : g.all()) names.insert(n->name);
  return names;
}

TEST(IrReader, NamesOfTheLegacyConversionHoldTheReferencesNumbers) {
  const std::set<std::string> names = names_of_legacy_layers(parse(one_layer("LogSoftmax", "opset5", "axis=\"1\"")));
  EXPECT_TRUE(names.contains("ReduceMax_720") && names.contains("Multiply_928") && names.contains("Multiply_931"));
}

TEST(IrReader, ASqueezeThatStaysTakesTheNumbersOfTheReshapeThatItDoesNotBecome) {
  const std::string squeeze =
      parameter(3, "a", "1,8,1") +
      layer(4, "c", "Const", "opset1", "element_type=\"i64\" shape=\"1\" offset=\"0\" size=\"8\"", 0, 1) +
      layer(5, "s", "Squeeze", "opset1", "", 2, 1) + result(6, "t");
  const std::string xml =
      net(parameter(0, "x") + layer(1, "op", "LogSoftmax", "opset5", "axis=\"1\"", 1, 1) + result(2) + squeeze,
          edge(0, 0, 1, 0) + edge(1, 1, 2, 0) + edge(3, 0, 5, 0) + edge(4, 0, 5, 1) + edge(5, 2, 6, 0));
  const std::set<std::string> names = names_of_legacy_layers(parse(xml, Bytes::adopt(std::vector<uint8_t>(8))));
  EXPECT_TRUE(names.contains("Subtract_737") && names.contains("Multiply_945"));
}

TEST(IrReader, ASliceWithoutStridesGetsOnesUnderTheNumberThatTheReferenceTakes) {
  const auto bounds = [](int id, const char* name) {
    return layer(id, name, "Const", "opset1", "element_type=\"i64\" shape=\"4\" offset=\"0\" size=\"32\"", 0, 1);
  };
  const std::string slice =
      layer(3, "slice", "StridedSlice", "opset1",
            R"(begin_mask="1,1,1,1" end_mask="1,1,1,1" new_axis_mask="0,0,0,0" shrink_axis_mask="0,0,0,0" )"
            R"(ellipsis_mask="0,0,0,0")",
            3, 1);
  const Graph g = parse(net(parameter(0, "x") + bounds(1, "b") + bounds(2, "e") + slice + result(4),
                            edge(0, 0, 3, 0) + edge(1, 0, 3, 1) + edge(2, 0, 3, 2) + edge(3, 3, 4, 0)),
                        weights(32));
  const Node* n = g.results()[0]->input(0).node;
  ASSERT_EQ(n->input_count(), 4);
  EXPECT_EQ(n->input(3).node->name, "Constant_7");
  EXPECT_EQ(n->input(3).node->constant.to_i64(), (std::vector<int64_t>{1, 1, 1, 1}));
}

TEST(IrReader, ReadsAttributesByTheirType) {
  const Graph g =
      parse(one_layer("MaxPool", "opset1",
                      "kernel=\"2, 2\" strides=\"2,2\" rounding_type=\"CEIL\" auto_pad=\"same_upper\" nonsense=\"1\""));
  const Node& n = *g.all()[1];
  EXPECT_EQ(n.attrs.integers("kernel"), (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(n.attrs.text("rounding_type"), "ceil");
  EXPECT_EQ(n.attrs.integers("pads_end"), (std::vector<int64_t>{0, 0}));
  EXPECT_FALSE(n.attrs.has("nonsense"));
}

TEST(IrReader, PicksTheVersionOfTheOpset) {
  const auto version_of = [](const Graph& g) { return g.all()[1]->version; };
  EXPECT_EQ(version_of(parse(one_layer("MVN", "opset1", ""))), 0);
  EXPECT_EQ(version_of(parse(one_layer("ShapeOf", "opset1", ""))), 0);
  EXPECT_EQ(version_of(parse(one_layer("ShapeOf", "opset5", ""))), 3);
  EXPECT_EQ(version_of(parse(one_layer("Gelu", "opset7", ""))), 7);
}

TEST(IrReader, ConstantsAreSlicesOfTheWeights) {
  const auto model = [](const std::string& data) {
    return net(layer(0, "c", "Const", "opset1", data, 0, 1) + result(1), edge(0, 0, 1, 0));
  };
  const Bytes bin = weights(64);
  const Graph g = parse(model("element_type=\"f16\" shape=\"2, 3\" offset=\"16\" size=\"12\""), bin);
  EXPECT_EQ(g.all()[0]->type, "Constant");
  EXPECT_EQ(g.all()[0]->constant.bytes.data(), bin.data() + 16);
  EXPECT_EQ(g.all()[0]->constant.bytes.size(), 12U);
  EXPECT_EQ(parse(model("element_type=\"f32\" shape=\"\" offset=\"1\" size=\"4\""), bin)
                .all()[0]
                ->constant.as<float>()
                .size(),
            1U)
      << "misaligned constants are copied";
  expect_error(ErrorCode::MissingWeights, "Empty weights data in bin file or bin file cannot be found!",
               model("element_type=\"f16\" shape=\"1\" offset=\"0\" size=\"2\""));
  expect_error(ErrorCode::FileTruncated, "Incorrect weights in bin file!",
               model("element_type=\"f16\" shape=\"1\" offset=\"63\" size=\"2\""), bin);
  expect_error(ErrorCode::FileTruncated, "Incorrect weights in bin file!",
               model("element_type=\"f16\" shape=\"1\" offset=\"18446744073709551615\" size=\"2\""), bin);
  expect_error(ErrorCode::ShapeMismatch, "Attribute and shape size are inconsistent for Const op!",
               model("element_type=\"f16\" shape=\"2\" offset=\"0\" size=\"2\""), bin);
  expect_error(ErrorCode::ShapeMismatch, "no element count",
               model("element_type=\"f16\" shape=\"9223372036854775807,4\" offset=\"0\" size=\"2\""), bin);
}

TEST(IrReader, OtherVersionsAreNamed) {
  expect_error(ErrorCode::UnknownFormat, "The support of IR v7 has been removed", one_layer("ReLU", "opset1", "", "7"));
  expect_error(ErrorCode::UnknownFormat, "Unknown model format!", one_layer("ReLU", "opset1", "", "12"));
  expect_error(ErrorCode::UnknownFormat, "model format: xml and read the model: dir/model.xml", "<html/>");
  expect_error(ErrorCode::UnknownFormat, "Unknown model format!", "");
}

TEST(IrReader, BrokenXmlNamesTheOffset) {
  const std::string whole = one_layer("ReLU", "opset1", "");
  expect_error(ErrorCode::BadXml, "at offset", whole.substr(0, whole.size() / 2));
  expect_error(ErrorCode::BadXml, "node <layer> is missing mandatory attribute: name",
               net("<layer id=\"0\" type=\"Result\" version=\"opset1\"/>", ""));
  expect_error(ErrorCode::BadXml, "has attribute \"id\" = \"x\" which is not an unsigned integer",
               net("<layer id=\"x\" type=\"Result\" version=\"opset1\" name=\"r\"/>", ""));
  expect_error(ErrorCode::BadXml, "dimension (-1) in node dim must be a non-negative integer",
               net("<layer id=\"0\" name=\"r\" type=\"Result\" version=\"opset1\"><input><port "
                   "id=\"0\"><dim>-1</dim></port></input></layer>",
                   ""));
}

TEST(IrReader, BrokenGraphsAreErrors) {
  expect_error(ErrorCode::BadGraph, "Invalid IR! x name is not unique!",
               net(parameter(0, "x") + parameter(1, "x"), ""));
  expect_error(ErrorCode::BadGraph, "id 0 is not unique", net(parameter(0, "x") + parameter(0, "y"), ""));
  expect_error(ErrorCode::BadGraph, "Attempt to access node 5 that not in graph.", net(result(0), edge(5, 0, 0, 0)));
  expect_error(ErrorCode::BadGraph, "Can not find output port with id 3 in layer x",
               net(parameter(0, "x") + result(1), edge(0, 3, 1, 0)));
  expect_error(ErrorCode::BadGraph, "Can not find input port with id 3 in layer r",
               net(parameter(0, "x") + result(1), edge(0, 0, 1, 3)));
  expect_error(ErrorCode::BadGraph, "Add layer a with id: 1 has incorrect input with index 1!",
               net(parameter(0, "x") + layer(1, "a", "Add", "opset1", "", 2, 1) + result(2),
                   edge(0, 0, 1, 0) + edge(1, 2, 2, 0)));
  expect_error(ErrorCode::BadGraph, "ReLU layer a with id: 1 is inconsistent!",
               net(parameter(0, "x") + layer(1, "a", "ReLU", "opset1", "", 1, 2) + result(2),
                   edge(0, 0, 1, 0) + edge(1, 2, 2, 0)));
  expect_error(ErrorCode::BadGraph, "cycle",
               net(layer(1, "a", "ReLU", "opset1", "", 1, 1) + layer(2, "b", "ReLU", "opset1", "", 1, 1) + result(3),
                   edge(1, 1, 2, 0) + edge(2, 1, 1, 0) + edge(2, 1, 3, 0)));
  expect_error(ErrorCode::BadGraph, "Cannot find layer with name: r",
               net(parameter(0, "x") + layer(1, "r", "Result", "opset1", "", 1, 1) +
                       layer(2, "a", "ReLU", "opset1", "", 1, 1) + result(3),
                   edge(0, 0, 1, 0) + edge(1, 1, 2, 0) + edge(2, 1, 3, 0)));
  expect_error(ErrorCode::BadGraph, "no outputs", net(parameter(0, "x"), ""));
  expect_error(ErrorCode::ShapeMismatch, "x has zero dimension which is not allowed",
               net(parameter(0, "x", "1,0") + result(1), edge(0, 0, 1, 0)));
  expect_error(ErrorCode::ShapeMismatch, "input 'x' has the open shape [?,3]",
               net(parameter(0, "x", "?,3") + result(1), edge(0, 0, 1, 0)));
}

TEST(IrReader, UnknownOperationsAreNamed) {
  expect_error(ErrorCode::UnknownOperation, "Cannot create Softmax layer op id:1 from unsupported opset: opset8",
               one_layer("Softmax", "opset8", ""));
  expect_error(ErrorCode::UnknownOperation, "Cannot create Result layer r id:1 from unsupported opset: opset0",
               net(parameter(0, "x") + layer(1, "r", "Result", "opset0", "", 1, 0), edge(0, 0, 1, 0)));
  expect_error(ErrorCode::UnknownOperation, "Opset opset1 doesn't contain the operation with type: Mish",
               one_layer("Mish", "opset1", ""));
  expect_error(ErrorCode::BadAttribute, "Cannot get vector of parameters! \"2,,2\" is incorrect",
               one_layer("MaxPool", "opset1", "kernel=\"2,,2\""));
  expect_error(ErrorCode::BadAttribute, "missing mandatory attribute 'kernel'", one_layer("MaxPool", "opset1", ""));
}

TEST(IrReader, InconsistentShapesNameTheLayer) {
  try {
    parse(one_layer("MaxPool", "opset1", "kernel=\"9,9\""));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::ShapeMismatch);
    EXPECT_EQ(e.layer(), "op");
    EXPECT_NE(std::string(e.what()).find("with friendly_name 'op'"), std::string::npos);
  }
}

TEST(IrReader, Version11MapsOpset8) {
  const Graph g = parse(one_layer("MaxPool", "opset8", "kernel=\"2,2\" strides=\"2,2\" dilations=\"1,1\"", "11"));
  EXPECT_EQ(g.all()[1]->shape(), (Shape{1, 3, 4, 4}));
  EXPECT_EQ(parse(one_layer("SoftMax", "opset8", "axis=\"-1\"", "11")).all()[1]->attrs.integer("axis"), 3);
  const Graph gaps =
      parse(one_layer("MaxPool", "opset8",
                      "kernel=\"2,2\" strides=\"1,1\" dilations=\"2,3\" pads_begin=\"0,0\" pads_end=\"0,0\"", "11"));
  EXPECT_EQ(gaps.results()[0]->input(0).shape(), (Shape{1, 3, 6, 5}));
}

TEST(IrReader, Version11GivesInputsTheirOldLayout) {
  const std::string info = "<rt_info><attribute name=\"old_api_map_order\" version=\"0\" value=\"0,2,3,1\"/></rt_info>";
  const Graph g =
      parse(net(layer(0, "x", "Parameter", "opset1", "element_type=\"f32\" shape=\"1,8,9,3\"", 0, 1, info) + result(1),
                edge(0, 0, 1, 0), "11"));
  EXPECT_EQ(g.parameters()[0]->shape(), (Shape{1, 3, 8, 9}));
  EXPECT_EQ(g.results()[0]->input(0).node->type, "Transpose");
  EXPECT_EQ(g.results()[0]->shape(), (Shape{1, 8, 9, 3}));
}

// ---- bodies ----

const std::string kBody = "<body><layers>" + parameter(0, "p", "1,4") + parameter(1, "state", "1,4") +
                          layer(2, "sum", "Add", "opset1", "", 2, 1) + result(3, "out") + result(4, "next") +
                          "</layers><edges>" + edge(0, 0, 2, 0) + edge(1, 0, 2, 1) + edge(2, 2, 3, 0) +
                          edge(2, 2, 4, 0) + "</edges></body>";
const std::string kPorts =
    "<port_map><input external_port_id=\"0\" internal_layer_id=\"0\" axis=\"0\"/><input external_port_id=\"1\" "
    "internal_layer_id=\"1\"/>"
    "<output external_port_id=\"2\" internal_layer_id=\"3\" axis=\"0\"/><output external_port_id=\"3\" "
    "internal_layer_id=\"4\"/></port_map>"
    "<back_edges><edge from-layer=\"4\" to-layer=\"1\"/></back_edges>";

std::string iterator(const std::string& inside) {
  return net(parameter(0, "x", "5,4") + parameter(1, "s", "1,4") +
                 layer(2, "ti", "TensorIterator", "opset1", "", 2, 2, inside) + result(3, "r0") + result(4, "r1"),
             edge(0, 0, 2, 0) + edge(1, 0, 2, 1) + edge(2, 2, 3, 0) + edge(2, 3, 4, 0));
}

TEST(IrReader, ReadsTensorIterators) {
  const Graph g = parse(iterator(kPorts + kBody));
  const Node* ti = g.results()[0]->input(0).node;
  EXPECT_EQ(ti->shape(0), (Shape{5, 4}));
  EXPECT_EQ(ti->shape(1), (Shape{1, 4}));
  ASSERT_EQ(ti->port_map.inputs.size(), 2U);
  EXPECT_TRUE(ti->port_map.inputs[0].sliced);
  EXPECT_EQ(ti->body->parameters()[static_cast<size_t>(ti->port_map.inputs[0].body_parameter)]->name, "p");
  ASSERT_EQ(ti->port_map.back_edges.size(), 1U);
  EXPECT_EQ(ti->body->results()[static_cast<size_t>(ti->port_map.back_edges[0].body_result)]->name, "next");
  EXPECT_EQ(ti->body->parameters()[static_cast<size_t>(ti->port_map.back_edges[0].body_parameter)]->name, "state");
}

TEST(IrReader, BrokenBodiesAreErrors) {
  expect_error(ErrorCode::BadGraph, "TensorIterator has no body.", iterator(kPorts));
  expect_error(ErrorCode::BadGraph, "No parameters or results found in body Function.",
               iterator(kPorts + "<body><layers/></body>"));
  expect_error(ErrorCode::BadGraph, "is not a Parameter",
               iterator("<port_map><input external_port_id=\"0\" internal_layer_id=\"2\"/></port_map>" + kBody));
  std::string ports = kPorts;  // without what output 0 is
  ports.replace(ports.find("<output"), 7, "<nothing");
  expect_error(ErrorCode::ShapeMismatch, "node output index is out of range", iterator(ports + kBody));
  std::string deep = kBody;
  for (int i = 0; i < 40; ++i)
    deep = "<body><layers>" + parameter(0, "p", "1,4") +
           layer(2, "ti", "TensorIterator", "opset1", "", 1, 1, kPorts + deep) + result(3, "out") + "</layers><edges>" +
           edge(0, 0, 2, 0) + edge(2, 1, 3, 0) + "</edges></body>";
  expect_error(ErrorCode::BadGraph, "nested too deep", iterator(kPorts + deep));
}

TEST(IrReader, VariablesComeInPairs) {
  const std::string read = layer(1, "read", "ReadValue", "opset6", "variable_id=\"v\"", 1, 1);
  expect_error(ErrorCode::BadGraph, "Assign and ReadValue operations must be in pairs",
               net(parameter(0, "x") + read + result(2), edge(0, 0, 1, 0) + edge(1, 1, 2, 0)));
  EXPECT_NO_THROW(
      parse(net(parameter(0, "x") + read + layer(3, "write", "Assign", "opset6", "variable_id=\"v\"", 1, 1) + result(2),
                edge(0, 0, 1, 0) + edge(1, 1, 2, 0) + edge(1, 1, 3, 0))));
}

TEST(IrReader, LongChainsDontExhaustTheStack) {
  std::string layers = parameter(0, "x"), edges;
  constexpr int kLength = 20000;
  for (int i = 1; i <= kLength; ++i) {
    layers += layer(i, "l" + std::to_string(i), "ReLU", "opset1", "", 1, 1);
    edges += edge(i - 1, i == 1 ? 0 : 1, i, 0);
  }
  const Graph g = parse(net(layers + result(kLength + 1), edges + edge(kLength, 1, kLength + 1, 0)));
  EXPECT_EQ(g.size(), static_cast<size_t>(kLength + 2));
  EXPECT_EQ(g.ordered().size(), g.size());
}

TEST(IrReader, MissingFilesAreNamed) {
  try {
    read_openvino_ir("/nonexistent/m.xml");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::FileNotFound);
    EXPECT_STREQ(e.what(), "Model file /nonexistent/m.xml cannot be opened!");
  }
}

}  // namespace
}  // namespace blobsmith
