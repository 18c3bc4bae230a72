// Writing IR files: what is written reads back as the same network (model-optimizer spec §8).
#include <random>
#include <set>

#include "graph/ops/attribute_text.hpp"
#include "graph_fixture.hpp"
#include "importers/openvino_ir/reader.hpp"
#include "importers/openvino_ir/writer.hpp"

namespace blobsmith {
namespace {

Graph read_back(const WrittenIr& ir) { return parse_openvino_ir(ir.xml, Bytes::adopt(ir.weights.joined())); }

/// Every node with what it is, reads and gives; a file states no order of results that a reader keeps.
std::multiset<std::string> nodes_of(const Graph& g) {
  std::multiset<std::string> nodes;
  for (const Node* n : g.ordered()) {
    std::string text = ops::describe(*n);
    for (int i = 0; i < n->output_count() && !n->is("Result"); ++i)
      for (const std::string& t : n->output(i).tensor_names) text += " " + t;
    const ops::OpRow* op = ops::find_op(n->type, n->version);
    for (const ops::AttributeSpec& spec : op->attributes)
      if (const auto* v = n->attrs.find(spec.name)) text += " " + ops::print_attribute(spec, *v);
    const auto bytes = n->constant.bytes.span();
    nodes.insert(text + std::string(bytes.begin(), bytes.end()));
  }
  return nodes;
}

class IrWriter : public GraphTest {
 protected:
  WrittenIr round_trip(int version = 10) {
    WrittenIr ir = write_openvino_ir(g, {.version = version, .producer = {}, .parameters = {}});
    EXPECT_EQ(nodes_of(read_back(ir)), nodes_of(g));
    return ir;
  }
};

TEST_F(IrWriter, WritesLayersAsModelOptimizerDoes) {
  g.name = "n";
  Node* x = g.parameter(ElementType::f16, {1, 2}, "x<&\">");
  x->output().tensor_names = {"a", "b,c"};
  Node* c = g.constant(Tensor::reals(ElementType::f16, {}, std::vector<double>{2}), "c");
  Node* m = g.make("Multiply", {x->value(), c->value()}, {}, 0, "m");
  g.result(m->value(), "r");
  EXPECT_EQ(round_trip().xml, R"(<?xml version="1.0" ?>
<net name="n" version="10">
	<layers>
		<layer id="0" name="x&lt;&amp;&quot;&gt;" type="Parameter" version="opset1">
			<data shape="1, 2" element_type="f16"/>
			<output>
				<port id="0" precision="FP16" names="a,b\,c">
					<dim>1</dim>
					<dim>2</dim>
				</port>
			</output>
		</layer>
		<layer id="1" name="c" type="Const" version="opset1">
			<data element_type="f16" shape="" offset="0" size="2"/>
			<output>
				<port id="0" precision="FP16"/>
			</output>
		</layer>
		<layer id="2" name="m" type="Multiply" version="opset1">
			<data auto_broadcast="numpy"/>
			<input>
				<port id="0" precision="FP16">
					<dim>1</dim>
					<dim>2</dim>
				</port>
				<port id="1" precision="FP16"/>
			</input>
			<output>
				<port id="2" precision="FP16">
					<dim>1</dim>
					<dim>2</dim>
				</port>
			</output>
		</layer>
		<layer id="3" name="r" type="Result" version="opset1">
			<input>
				<port id="0" precision="FP16">
					<dim>1</dim>
					<dim>2</dim>
				</port>
			</input>
		</layer>
	</layers>
	<edges>
		<edge from-layer="0" from-port="0" to-layer="2" to-port="0"/>
		<edge from-layer="1" from-port="0" to-layer="2" to-port="1"/>
		<edge from-layer="2" from-port="2" to-layer="3" to-port="0"/>
	</edges>
</net>
)");
}

TEST_F(IrWriter, EqualConstantsShareTheirBytes) {
  Value x = input({1, 4});
  for (int i = 0; i < 3; ++i) x = g.make("Add", {x, reals({1, 4}, {1, 2, 3, i == 2 ? 5.f : 4.f})})->value();
  g.result(x, "r");
  EXPECT_EQ(round_trip().weights.size(), 32u);
}

TEST_F(IrWriter, RandomNetworksReadBackAsTheyWere) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    g = Graph();
    g.name = "seed " + std::to_string(seed);
    std::mt19937 random(seed);
    const auto pick = [&](size_t n) { return static_cast<size_t>(random() % n); };
    std::vector<Value> values{input({1, 8, 6, 6}), input({1, 8, 6, 6}, ElementType::f32)};
    for (int i = 0; i < 12; ++i) {
      const Value a = values[pick(values.size())], b = values[pick(values.size())];
      const double slope = static_cast<double>(random()) / 1e9;
      Node* n = nullptr;
      switch (pick(6)) {
        case 0: n = g.make("Add", {a, b}); break;
        case 1: n = g.make("Clamp", {a}, attributes({{"min", -slope}, {"max", slope}})); break;
        case 2: n = g.make("Concat", {a, b}, attributes({{"axis", int64_t{1}}})); break;
        case 3: n = g.make("Elu", {a}, attributes({{"alpha", slope}})); break;
        case 4:
          n = g.make("MaxPool", {a},
                     attributes({{"kernel", List{3, 3}},
                                 {"strides", List{1, 1}},
                                 {"pads_begin", List{1, 1}},
                                 {"pads_end", List{1, 1}}}));
          break;
        default: n = g.make("Split", {a, scalar(1)}, attributes({{"num_splits", int64_t{2}}})); break;
      }
      for (int o = 0; o < n->output_count(); ++o)
        if (n->shape(o) == values[0].shape()) values.push_back(n->value(o));
    }
    g.result(g.make("Add", {values[0], values[1]})->value(), "of both");  // what nothing reads is not read back
    g.result(values.back(), "first");
    g.result(values[pick(values.size())], "second");
    round_trip(seed % 2 ? 11 : 10);
  }
}

// Every default of every operation is printed as it is read.
TEST(IrAttributes, PrintAndParseAgree) {
  int count = 0;
  for (const ops::OpRow* op : ops::all_ops())
    for (const ops::AttributeSpec& spec : op->attributes) {
      if (spec.fallback == ops::kMandatory || spec.fallback == ops::kOptional) continue;
      const auto value = ops::parse_attribute(spec, spec.fallback);
      ASSERT_TRUE(value) << op->type << " " << spec.name;
      EXPECT_EQ(ops::parse_attribute(spec, ops::print_attribute(spec, *value)), value) << op->type << " " << spec.name;
      ++count;
    }
  EXPECT_GT(count, 150);
}

TEST_F(IrWriter, RefusesWhatNoOpsetHas) {
  g.result(g.make("PriorBoxIE", {input({1, 2, 4, 4}), input({1, 3, 32, 32})}, attributes({}))->value(), "r");
  try {
    write_openvino_ir(g);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::NotYetSupported);
    EXPECT_FALSE(e.layer().empty());
  }
  EXPECT_THROW(write_openvino_ir(g, {.version = 7, .producer = {}, .parameters = {}}), Error);
}

}  // namespace
}  // namespace blobsmith
