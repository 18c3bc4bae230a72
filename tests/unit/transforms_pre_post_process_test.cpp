// Types and layouts that the second runtime interface puts into a network; names and numbers as OpenVINO 2022.1 gives
// them (measured).
#include <gtest/gtest.h>

#include "core/release.hpp"
#include "importers/openvino_ir/reader.hpp"
#include "transforms/pre_post_process.hpp"

namespace blobsmith {
namespace {

/// Parameter "input" -> ReLU "relu" -> Result, as Model Optimizer writes it.
std::string relu_ir(const std::string& type, const std::string& version, const std::string& shape = "1,16,20,24") {
  const auto port = [&](const std::string& kind, const std::string& name) {
    return "<" + kind + "><port id=\"0\" names=\"" + name + "\"/></" + kind + ">";
  };
  return "<net name=\"n\" version=\"" + version + "\"><layers>" +
         "<layer id=\"0\" name=\"input\" type=\"Parameter\" version=\"opset1\"><data element_type=\"" + type +
         "\" shape=\"" + shape + "\"/>" + port("output", "x") + "</layer>" +
         "<layer id=\"1\" name=\"relu\" type=\"ReLU\" version=\"opset1\"><input><port id=\"1\"/></input>" +
         port("output", "y") + "</layer>" +
         "<layer id=\"2\" name=\"relu/sink_port_0\" type=\"Result\" version=\"opset1\"><input><port id=\"0\"/></input>"
         "</layer></layers><edges><edge from-layer=\"0\" from-port=\"0\" to-layer=\"1\" to-port=\"1\"/>"
         "<edge from-layer=\"1\" from-port=\"0\" to-layer=\"2\" to-port=\"0\"/></edges></net>";
}

Graph read_by_2_0(const std::string& xml) { return parse_openvino_ir(xml, {}, "m.xml", {&kRelease2022, true}); }

/// "Parameter:input:u8 Convert:Convert_11:f32 ...": the chain from the input to the output.
std::string chain_of(const Graph& g) {
  std::string r;
  for (const Node* n : g.ordered())
    if (!n->is_constant())
      r += (r.empty() ? "" : " ") + n->type + ":" + n->name +
           (n->output_count() ? ":" + std::string(to_string(n->element_type())) : "");
  return r;
}

TEST(PrePostProcess, Version10ShowsTheTypesOfTheFirstInterface) {
  EXPECT_EQ(chain_of(read_by_2_0(relu_ir("f16", "10"))),
            "Parameter:input:f32 Convert:Convert_7:f16 Relu:Relu_3:f16 Convert:relu:f32 Result:relu/sink_port_0:f32");
  EXPECT_EQ(chain_of(read_by_2_0(relu_ir("f32", "10"))),
            "Parameter:input:f32 Relu:relu:f32 Result:relu/sink_port_0:f32");
}

TEST(PrePostProcess, Version11StaysAsItIs) {
  EXPECT_EQ(chain_of(read_by_2_0(relu_ir("f16", "11"))),
            "Parameter:input:f16 Relu:relu:f16 Result:relu/sink_port_0:f16");
}

TEST(PrePostProcess, TypesBecomeOperationsThatTakeTheNameOfTheOutput) {
  Graph g = read_by_2_0(relu_ir("f16", "10"));
  pre_post_process(g, {{ElementType::u8, {}, {}}}, {{ElementType::f16, {}, {}}});
  EXPECT_EQ(chain_of(g),
            "Parameter:input:u8 Convert:Convert_11:f32 Convert:Convert_7:f16 Relu:Relu_3:f16 Convert:Convert_8:f32 "
            "Convert:relu:f16 Result:relu/sink_port_0:f16");
  EXPECT_EQ(g.results()[0]->input(0).node->output().tensor_names, (std::vector<std::string>{"y", "relu"}));
  EXPECT_EQ(g.parameters()[0]->output().tensor_names, (std::vector<std::string>{"x", "input"}));
}

TEST(PrePostProcess, TheFirstInterfaceGivesVersion11TheOldForms) {
  std::string xml = relu_ir("f32", "11");
  xml.insert(xml.find("<output>"),
             "<rt_info><attribute name=\"old_api_map_element_type\" value=\"f16\"/>"
             "<attribute name=\"old_api_map_order\" value=\"0,2,3,1\"/></rt_info>");
  const Graph g = parse_openvino_ir(xml, {}, "m.xml", {&kRelease2022, false});
  EXPECT_EQ(chain_of(g),
            "Parameter:input:f16 Transpose:Transpose_8:f16 Convert:Convert_9:f32 Relu:relu:f32 "
            "Result:relu/sink_port_0:f32");
  EXPECT_EQ(g.parameters()[0]->shape(), (Shape{1, 24, 16, 20}));
  EXPECT_EQ(chain_of(read_by_2_0(xml)), "Parameter:input:f32 Relu:relu:f32 Result:relu/sink_port_0:f32");
}

/// Split "parts" of three -> as many Results, of which the named ones are turned.
std::string split_ir(std::string_view turned) {
  std::string xml =
      "<net name=\"n\" version=\"11\"><layers><layer id=\"0\" name=\"x\" type=\"Parameter\" version=\"opset1\"><data "
      "element_type=\"f32\" shape=\"3,4\"/><output><port id=\"0\"/></output></layer><layer id=\"1\" name=\"axis\" "
      "type=\"Const\" version=\"opset1\"><data element_type=\"i64\" shape=\"\" offset=\"0\" size=\"8\"/><output><port "
      "id=\"0\"/></output></layer><layer id=\"2\" name=\"parts\" type=\"Split\" version=\"opset1\"><data "
      "num_splits=\"3\"/><input><port id=\"0\"/><port id=\"1\"/></input><output><port id=\"2\"/><port id=\"3\"/><port "
      "id=\"4\"/></output></layer>";
  std::string edges =
      "<edge from-layer=\"0\" from-port=\"0\" to-layer=\"2\" to-port=\"0\"/><edge from-layer=\"1\" "
      "from-port=\"0\" to-layer=\"2\" to-port=\"1\"/>";
  for (const char r : {'3', '4', '5'}) {
    xml += std::string("<layer id=\"") + r + "\" name=\"r" + r +
           "\" type=\"Result\" version=\"opset1\"><input><port id=\"0\"/></input>";
    if (turned.find(r) != std::string_view::npos)
      xml += "<rt_info><attribute name=\"old_api_map_order\" version=\"0\" value=\"1,0\"/></rt_info>";
    xml += "</layer>";
    edges += std::string("<edge from-layer=\"2\" from-port=\"") + static_cast<char>(r - 1) + "\" to-layer=\"" + r +
             "\" to-port=\"0\"/>";
  }
  return xml + "</layers><edges>" + edges + "</edges></net>";
}

TEST(PrePostProcess, TheFirstOutputThatIsTurnedTakesTheNameOfALayerOfSeveral) {
  const int64_t axis = 0;
  const auto names = [&](std::string_view turned) {
    const Bytes weights = Bytes::adopt(std::vector<int64_t>{axis});
    const Graph g = parse_openvino_ir(split_ir(turned), weights, "m.xml", {&kRelease2022, false});
    std::vector<std::string> all;
    for (const Node* r : g.results()) all.push_back(output_name(*r));
    return all;
  };
  EXPECT_EQ(names("5").back(), "parts");
  EXPECT_EQ(names("3").front(), "parts");
}

TEST(PrePostProcess, InputsThatNothingReadsStay) {
  std::string xml = relu_ir("f32", "11");
  xml.insert(xml.find("<layer id=\"2\""),
             "<layer id=\"7\" name=\"unread\" type=\"Parameter\" version=\"opset1\"><data element_type=\"f32\" "
             "shape=\"1\"/><output><port id=\"0\"/></output></layer>");
  EXPECT_EQ(read_by_2_0(xml).parameters().size(), 2U);
  EXPECT_EQ(parse_openvino_ir(xml, {}, "m.xml").parameters().size(), 1U);
}

TEST(PrePostProcess, NothingIsAddedWhereTheNetworkHasTheForm) {
  Graph g = read_by_2_0(relu_ir("f16", "11"));
  pre_post_process(g, {{ElementType::f16, "NCHW", "NCHW"}}, {{std::nullopt, {}, "NHWC"}});
  EXPECT_EQ(chain_of(g), "Parameter:input:f16 Relu:relu:f16 Result:relu/sink_port_0:f16");
}

TEST(PrePostProcess, AnOutputWithAStatedLayoutAloneLosesItsName) {
  Graph g = read_by_2_0(relu_ir("f16", "11"));
  pre_post_process(g, {{}}, {{std::nullopt, "NHWC", {}}});
  EXPECT_EQ(chain_of(g), "Parameter:input:f16 Relu:Relu_3:f16 Result:relu/sink_port_0:f16");
}

TEST(PrePostProcess, TwoLayoutsMoveDimensions) {
  Graph g = read_by_2_0(relu_ir("f32", "11"));
  pre_post_process(g, {{std::nullopt, "NHWC", "nchw"}}, {{std::nullopt, "[N,H,W,C]", "NCHW"}});
  EXPECT_EQ(g.parameters()[0]->shape(), (Shape{1, 20, 24, 16}));
  EXPECT_EQ(g.results()[0]->shape(), (Shape{1, 20, 24, 16}));
  const Node* relu = g.results()[0]->input(0).node->input(0).node;
  EXPECT_EQ(relu->shape(), (Shape{1, 16, 20, 24}));
  EXPECT_EQ(relu->input(0).node->input(1).node->constant.to_i64(), (std::vector<int64_t>{0, 3, 1, 2}));
}

TEST(PrePostProcess, RefusesLayoutsThatDoNotFit) {
  for (const auto& [layout, model] : {std::pair{"NHW", "NCHW"}, {"NHWC", "NCDW"}, {"NHHC", "NCHW"}, {"N1WC", "NCHW"}}) {
    Graph g = read_by_2_0(relu_ir("f32", "11"));
    try {
      pre_post_process(g, {{std::nullopt, layout, model}}, {{}});
      ADD_FAILURE() << layout;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::BadOptionValue);
    }
  }
}

}  // namespace
}  // namespace blobsmith
