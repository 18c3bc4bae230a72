// The public functions: results, errors that can be caught, progress, cancellation, and what check tells.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "blobsmith/check.hpp"
#include "blobsmith/compare.hpp"
#include "blobsmith/estimate.hpp"
#include "blobsmith/files.hpp"
#include "blobsmith/inspect.hpp"
#include "blobsmith/run.hpp"
#include "blobsmith/version.hpp"
#include "onnx_fixture.hpp"

namespace blobsmith {
namespace {

/// An IR of layers with one input and one output each, in a row: "type;attributes of <data>".
std::string ir(const std::vector<std::pair<std::string, std::string>>& layers, const std::string& precision = "FP32") {
  const std::string dims = "<dim>1</dim><dim>8</dim><dim>6</dim><dim>6</dim>";
  const auto port = [&](int id) {
    return "<port id=\"" + std::to_string(id) + "\" precision=\"" + precision + "\">" + dims + "</port>";
  };
  std::string s = "<net name=\"row\" version=\"10\"><layers>", edges;
  for (size_t i = 0; i < layers.size(); ++i) {
    const auto& [type, data] = layers[i];
    s += "<layer id=\"" + std::to_string(i) + "\" name=\"n" + std::to_string(i) + "\" type=\"" + type +
         "\" version=\"opset1\"><data " + data + "/>";
    if (i > 0) s += "<input>" + port(0) + "</input>";
    if (i + 1 < layers.size()) s += "<output>" + port(1) + "</output>";
    s += "</layer>";
    if (i > 0)
      edges += "<edge from-layer=\"" + std::to_string(i - 1) + "\" from-port=\"1\" to-layer=\"" + std::to_string(i) +
               "\" to-port=\"0\"/>";
  }
  return s + "</layers><edges>" + edges + "</edges></net>";
}

class Api : public testing::Test {
 protected:
  Api() : folder_(testing::TempDir() + "api_" + testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::create_directories(folder_);
  }
  ~Api() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  std::string model(const std::vector<std::string>& between) const {
    std::vector<std::pair<std::string, std::string>> layers{{"Parameter", "shape=\"1,8,6,6\" element_type=\"f32\""}};
    for (const std::string& type : between) layers.emplace_back(type, "");
    layers.emplace_back("Result", "");
    std::ofstream(file("m.xml")) << ir(layers);
    return file("m.xml");
  }

 private:
  std::string folder_;
};

TEST_F(Api, AModelBecomesABlobThatRuns) {
  const std::string path = model({"ReLU", "Sign"});
  const Model read = read_model(path);
  EXPECT_EQ(read.inputs().at(0).shape, (Shape{1, 8, 6, 6}));
  EXPECT_EQ(read.layers().size(), 2U);
  const CompileResult made = convert(path);
  ASSERT_EQ(made.remarks.size(), 1U);
  EXPECT_EQ(made.remarks[0].kind, Remark::Kind::Rewritten);
  EXPECT_EQ(made.remarks[0].layer, "n2");
  EXPECT_EQ(made.inputs.at(0).type, TensorType::FP16) << "8 channels are no picture";
  made.blob.save(file("m.blob"));
  const BlobInfo info = inspect(file("m.blob"));
  EXPECT_EQ(info.version, "2022.1");
  EXPECT_EQ(static_cast<int>(info.stages.size()), made.stages);
  EXPECT_TRUE(info.complete);
  const InputOptions threes{.values = {{"n0", std::vector<float>(288, 3)}}};
  EXPECT_EQ(run_blob(file("m.blob"), {.inputs = threes}).outputs.at(0).values.at(7), 1);
  EXPECT_EQ(run_model(read_model(path), {.inputs = threes}).outputs.at(0).values.at(7), 1);
  EXPECT_TRUE(compare(path).comparison.outputs_within());
  EXPECT_FALSE(version().empty());
}

template <class T>
std::vector<uint8_t> bytes_of(const T& values) {
  const auto* p = reinterpret_cast<const uint8_t*>(values.data());
  return {p, p + values.size() * sizeof(values[0])};
}

void save(const std::string& path, const std::vector<uint8_t>& bytes) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
}

TEST_F(Api, AModelFromMemoryIsThatOfItsFiles) {
  const std::vector<float> three(8, 3);
  const Bytes onnx = ModelText()
                         .input("x", {1, 8, 6, 6})
                         .external("k", {1, 8, 1, 1}, "k.bin")
                         .node("Mul", "scaled", {"x", "k"}, "y")
                         .node("Relu", "relu", {"y"}, "z")
                         .output("z")
                         .bytes();
  const std::vector<uint8_t> model(onnx.span().begin(), onnx.span().end());
  save(file("m.onnx"), model);
  save(file("k.bin"), bytes_of(three));
  const std::vector<uint8_t> wanted = convert(file("m.onnx")).blob.bytes();
  const ModelFile memory("m.onnx", model, {{"k.bin", bytes_of(three)}});
  EXPECT_EQ(convert(memory).blob.bytes(), wanted);
  EXPECT_TRUE(check(memory).compiles());
  EXPECT_TRUE(compare(memory).comparison.outputs_within());
  // An IR of it: the .bin is found by its name.
  convert(memory, {.ir_folder = file("ir")});
  const std::vector<uint8_t> xml = load_file(file("ir/m.xml")), bin = load_file(file("ir/m.bin"));
  const ReadOptions as_compiler{.as = ReadAs::InferenceEngine};
  EXPECT_EQ(compile(read_model({"m.xml", xml, {{"m.bin", bin}}}, as_compiler), {.quirks = false}).blob.bytes(),
            compile(read_model(file("ir/m.xml"), as_compiler), {.quirks = false}).blob.bytes());
}

TEST_F(Api, PreprocessingIsOfBothSidesOfAComparison) {
  const Bytes onnx = ModelText()
                         .input("x", {1, 3, 6, 6})
                         .constant("k", {3, 3, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9})
                         .node("Conv", "conv", {"x", "k"}, "y")
                         .output("y")
                         .bytes();
  const ModelFile memory("m.onnx", {onnx.span().begin(), onnx.span().end()});
  const ConversionOptions conversion{
      .mean_values = "[10,100,200]", .scale_values = "[2,4,8]", .reverse_input_channels = true};
  const CompareResult r = compare(memory, {.conversion = conversion});
  EXPECT_TRUE(r.comparison.outputs_within());
  // It is not the model without them.
  convert(memory, {.conversion = conversion}).blob.save(file("m.blob"));
  EXPECT_TRUE(compare(memory, {.blob = file("m.blob"), .conversion = conversion}).traced);
  EXPECT_FALSE(compare(memory, {.blob = file("m.blob")}).comparison.outputs_within());
}

TEST_F(Api, WhatIsMissingInMemoryIsNamed) {
  const Bytes onnx = ModelText()
                         .input("x", {1, 8})
                         .external("k", {1, 8}, "k.bin")
                         .node("Mul", "m", {"x", "k"}, "y")
                         .output("y")
                         .bytes();
  const std::vector<uint8_t> model(onnx.span().begin(), onnx.span().end());
  const auto expect_error = [](const ModelFile& memory, ErrorCode code, const std::string& words) {
    try {
      read_model(memory);
      FAIL() << words;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), code);
      EXPECT_EQ(e.file(), memory.path());
      EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
    }
  };
  expect_error({"m.onnx", model}, ErrorCode::FileNotFound, "k.bin");
  expect_error({"m.bin2", {'?', '?'}}, ErrorCode::UnknownFormat, "m.bin2");
  expect_error({"m.xml", {}}, ErrorCode::UnknownFormat, "m.xml");
  expect_error({"m", {'<', 'n', 'e', 't', '>'}}, ErrorCode::UnknownFormat, "m");  // told by its first bytes
}

TEST_F(Api, AnEstimateIsTheSameOfModelAndBlob) {
  const std::string path = model({"ReLU", "Exp"});
  convert(path).blob.save(file("m.blob"));
  const EstimateResult of_model = estimate_model(path);
  const Estimate of_blob = estimate_blob(file("m.blob"));
  EXPECT_EQ(of_model.by_shaves.size(), 16U);
  EXPECT_EQ(of_model.estimate.fps, of_blob.fps);
  ASSERT_EQ(of_model.estimate.stages.size(), of_blob.stages.size());
  double sum = 0;
  for (const StageEstimate& s : of_blob.stages) sum += s.total;
  EXPECT_LT(sum, of_blob.sum) << "an inference has a start";
  EXPECT_GT(estimate_blob(file("m.blob"), {{"base", 1.0}}).fps, of_blob.fps);
  EXPECT_THROW(estimate_blob(file("m.blob"), {{"bass", 1.0}}), Error);
  EXPECT_GT(measured_speeds().size(), 50U);
  std::stop_source stop;
  const Control control{[&](const Progress& p) {
                          if (p.fraction > 0.2) stop.request_stop();
                        },
                        stop.get_token()};
  EXPECT_THROW(estimate_model(path, {.control = control}), Error);
  EXPECT_THROW(estimate_model(path, {.control = {[](const Progress& p) {
                                                   if (p.fraction > 0.2) throw std::out_of_range("of the caller");
                                                 },
                                                 {}}}),
               std::out_of_range);
}

TEST_F(Api, ErrorsSayWhichLayerOfTheFile) {
  const std::string path = model({"ReLU", "Exp", "LogicalNot", "LogicalNot"});
  try {
    convert(path);
    FAIL();
  } catch (const ErrorList& list) {
    ASSERT_EQ(list.errors().size(), 1U);
    EXPECT_EQ(list.errors()[0].layer(), "n3");
    EXPECT_EQ(list.errors()[0].source(), "layer \"n3\" (id 3)");
    EXPECT_EQ(list.errors()[0].file(), path);
  }
  const CheckResult r = check(path);
  EXPECT_FALSE(r.compiles());
  ASSERT_EQ(r.problems.size(), 1U);
  EXPECT_EQ(r.layers.at(static_cast<size_t>(r.problems[0].layer)).name, "n3");
  EXPECT_EQ(r.count(CheckedLayer::Status::Supported), 3);
  EXPECT_THROW(read_model(file("none.xml")), Error);
}

// What is left of a network once a refused layer is cut out may lack memory where the whole does not, or the other way
// round: that is told of whole networks alone.
TEST_F(Api, MemoryIsOnlyAProblemOfTheWholeNetwork) {
  for (const bool refused : {false, true}) {
    ModelText m;
    m.input("x", {1, 16, 16, 16}).constant("k", {16, 16, 3, 3}, std::vector<float>(16 * 16 * 9, 0.01f));
    if (refused) m.node("Acos", "acos", {"x"}, "a");
    const std::vector<int64_t> pads(4, 1);
    m.node("Conv", "first", {refused ? "a" : "x", "k"}, "y").with("pads", pads).node("Sigmoid", "sigmoid", {"y"}, "s");
    m.node("Conv", "second", {"s", "k"}, "c").with("pads", pads);
    m.node("ReduceMean", "mean", {"c"}, "r").with("axes", std::vector<int64_t>{2, 3}).output("r");
    m.node("ReduceMax", "max", {"y"}, "q").with("axes", std::vector<int64_t>{1}).output("q");
    const Bytes bytes = m.bytes();
    const CheckResult r = check({"m.onnx", {bytes.span().begin(), bytes.span().end()}},
                                {.camera = {.shaves = 1, .slices = 1}, .fix = false});
    ASSERT_EQ(r.problems.size(), 1U);
    EXPECT_EQ(r.problems[0].error.code(), refused ? ErrorCode::UnsupportedLayer : ErrorCode::AllocationFailed);
    EXPECT_EQ(r.problems[0].error.layer(), refused ? "acos" : "sigmoid");
  }
}

TEST_F(Api, ProgressGoesFromNoneToAll) {
  const std::string path = model({"ReLU", "Exp"});
  double last = 0;
  int calls = 0;
  ConvertOptions options;
  options.control.on_progress = [&](const Progress& p) {
    EXPECT_GE(p.fraction, last) << p.phase;
    EXPECT_LE(p.fraction, 1);
    last = p.fraction;
    ++calls;
  };
  convert(path, options);
  EXPECT_GT(calls, 20);
  EXPECT_GT(last, 0.9);
}

TEST_F(Api, ACallCanBeStoppedAtEveryStep) {
  const std::string path = model({"ReLU", "Exp"});
  for (const double at : {0.0, 0.3, 0.6, 0.9}) {
    std::stop_source stop;
    const Control control{[&](const Progress& p) {
                            if (p.fraction >= at) stop.request_stop();
                          },
                          stop.get_token()};
    try {
      convert(path, {.control = control});
      FAIL() << at;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::Cancelled);
    }
  }
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(convert(path).blob.save(file("part.blob"), {{}, stop.get_token()}), Error);
  for (const auto& f : std::filesystem::directory_iterator(std::filesystem::path(path).parent_path()))
    EXPECT_EQ(f.path().extension(), ".xml") << "a partial file";
}

TEST_F(Api, WrongPrecisionsNameTheOnesThatThereAre) {
  const std::string path = model({"ReLU", "Exp"});
  try {
    check(path, {.camera = {.output_precision = TensorType::U8}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::BadOptionValue);
    EXPECT_NE(e.hint().find("FP16, FP32 or I32"), std::string::npos);
    EXPECT_TRUE(e.layer().empty()) << "no layer is to blame";
  }
  EXPECT_FALSE(parse_tensor_type("U16"));
  EXPECT_EQ(parse_tensor_type("i64"), TensorType::S32);
}

}  // namespace
}  // namespace blobsmith
