// blobsmith mo: the command line of Intel's Model Optimizer 2021.4 (model-optimizer spec §2, Appendix D).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "blobsmith/ir.hpp"
#include "blobsmith/version.hpp"
#include "cli/cli.hpp"
#include "cli/help.hpp"
#include "cli/mo_messages.hpp"

namespace blobsmith::cli {
namespace {

struct MoArguments {
  IrOptions ir;
  std::string model, saved_model_dir, input_meta_graph, data_type = "float", log_level = "ERROR", extensions, transform;
  std::string ignored_text, tensorboard_logdir, custom_layer_libraries, config_update, custom_layers_mapping;
  std::string mean_values = "()", scale_values = "()";
  bool silent = false, version = false, legacy_ir = false, ignored = false, keep_quantised = false, corrected = false;
  bool enable_ssd_gluoncv = false, legacy_mxnet_model = false, save_params_from_nd = false;
};

// ---- options ----

void declare_for_all(CLI::App& app, MoArguments& o) {
  ConversionOptions& c = o.ir.conversion;
  app.add_option("--input_model,-w,-m", o.model, "the model")->check(CLI::ExistingPath);
  app.add_option("--model_name,-n", o.ir.name, "name of the IR's files (default: the model's)");
  app.add_option("--output_dir,-o", o.ir.folder, "folder for the IR (default: this one)");
  app.add_option("--input_shape", c.shapes, "[1,3,227,227],...: of the inputs that --input names, or of the only one");
  app.add_option("--scale,-s", c.scale, "what all inputs are divided by");
  app.add_option("--layout", c.layout,
                 "nhwc->nchw of the only input, or NAME(nhwc->nchw),...: of the model, of its user");
  app.add_flag("--reverse_input_channels", c.reverse_input_channels,
               "pictures come in the other order of channels than the model's");
  app.add_option("--log_level", o.log_level, "CRITICAL, ERROR, WARN, WARNING, INFO, DEBUG or NOTSET")
      ->check(CLI::IsMember({"CRITICAL", "ERROR", "WARN", "WARNING", "INFO", "DEBUG", "NOTSET"}));
  app.add_option("--input", c.inputs,
                 "where the network begins: NAME, PORT:NAME or NAME:PORT, each with its [1 3 224 224], {type} or "
                 "->value (which freezes it)");
  app.add_option("--output", c.outputs, "where the network ends: NAME, PORT:NAME or NAME:PORT");
  app.add_option("--mean_values,--ms", o.mean_values, "[104,117,123] or NAME[104,117,123],...: subtracted from inputs");
  app.add_option("--scale_values", o.scale_values, "the same: what inputs are divided by, after the mean");
  app.add_option("--data_type", o.data_type, "FP32 (also float; default) or FP16 (also half)")
      ->check(CLI::IsMember({"FP16", "FP32", "half", "float"}));
  app.add_option("--batch,-b", c.batch, "first dimension of all inputs")->check(refuse_unless_positive);
  add_rewrite_options(app, c);
  app.add_flag("--disable_weights_compression", o.keep_quantised, "quantised weights stay floating");
  app.add_option(
      "--transform", o.transform,
      "LowLatency2: memories in place of the states of loops: for networks without loops, which it leaves as they are");
  app.add_option("--extensions", o.extensions, "folders of passes of your own in Python: none can be run");
  app.add_flag("--silent", o.silent, "print nothing but errors");
  app.add_flag("--version", o.version, "print the version");
  app.add_option("--ir_version", o.ir.version, "10 (OpenVINO 2020 to 2022; default) or 11")
      ->check(CLI::IsMember({10, 11}));
  app.add_option("--target", o.ir.target, "OpenVINO version whose converter decides: 2021.4 (default) or 2022.1");
  app.add_flag("--right", o.corrected, "compute what the model does where Intel's tool is known not to");
  add_ignored_options(app, o.ignored);
  app.add_flag("--legacy_ir_generation", o.legacy_ir, "without effect")->group(kHiddenOptions);
}

void declare_for_frameworks(CLI::App& app, MoArguments& o) {
  add_framework_options(app, o.ir.conversion.framework);
  begin_group(app, kFrameworks);
  app.add_option("--caffe_parser_path", o.ignored_text, "Caffe: without effect");
  app.add_option("-k", o.custom_layers_mapping, "Caffe: CustomLayersMapping.xml: without effect");
  app.add_flag("--save_params_from_nd", o.save_params_from_nd, "MXNet: without effect");
  app.add_flag("--legacy_mxnet_model", o.legacy_mxnet_model, "MXNet: without effect: old files are read anyway");
  app.add_flag("--enable_ssd_gluoncv", o.enable_ssd_gluoncv, "MXNet: without effect: such networks are recognised");
  app.add_option("--input_meta_graph", o.input_meta_graph, "TensorFlow: a .meta file");
  app.add_option("--saved_model_dir", o.saved_model_dir, "TensorFlow: folder of a SavedModel");
  app.add_option("--tensorflow_custom_operations_config_update", o.config_update,
                 "TensorFlow: not supported: write the JSON file by hand");
  app.add_option("--tensorboard_logdir", o.tensorboard_logdir, "TensorFlow: not supported");
  app.add_option("--tensorflow_custom_layer_libraries", o.custom_layer_libraries, "TensorFlow: not supported");
}

/// "LowLatency2", with or without its argument.
bool is_low_latency(const std::string& transform) { return transform.substr(0, transform.find('[')) == "LowLatency2"; }

void refuse_missing_files(const MoArguments& o) {
  const FrameworkOptions& f = o.ir.conversion.framework;
  const std::pair<const char*, const std::string&> files[] = {
      {"counts", f.counts}, {"k", o.custom_layers_mapping}, {"mean_file", f.mean_file}};
  for (const auto& [option, file] : files)
    if (!file.empty() && !std::filesystem::exists(file))
      throw Error(ErrorCode::FileNotFound, "The value for command line parameter \"" + std::string(option) +
                                               "\" must be existing file/directory,  but \"" +
                                               std::filesystem::absolute(file).lexically_normal().string() +
                                               "\" does not exist.");
}

void refuse_what_can_not_be(const MoArguments& o) {
  const auto refuse = [](const std::string& option, const char* hint) {
    throw Error(ErrorCode::BadOptionValue, "not supported: " + option).hint(hint);
  };
  if (!o.transform.empty() && !is_low_latency(o.transform))
    throw Error(ErrorCode::BadOptionValue,
                "Following transformations (" + o.transform.substr(0, o.transform.find('[')) +
                    ") are not available. List with available transformations (LowLatency2)");
  if (!o.extensions.empty()) refuse("--extensions", "passes in Python can't be run");
  if (!o.config_update.empty())
    refuse("--tensorflow_custom_operations_config_update", "write the file of --transformations_config by hand");
  if (!o.tensorboard_logdir.empty()) refuse("--tensorboard_logdir", "nothing is dumped for TensorBoard");
  if (!o.custom_layer_libraries.empty())
    refuse("--tensorflow_custom_layer_libraries", "operations of libraries can't be loaded");
}

// ---- the model ----

std::string model_path(const MoArguments& o) {
  const FrameworkOptions& f = o.ir.conversion.framework;
  const auto given = [](const std::string& s) { return !s.empty(); };
  if (given(o.model) && given(o.saved_model_dir))
    throw Error(ErrorCode::BadOptionValue,
                "Both --input_model and --saved_model_dir are defined. Specify either input model or saved model "
                "directory.");
  for (const std::string* path : {&o.model, &o.saved_model_dir, &o.input_meta_graph, &f.input_symbol, &f.input_proto})
    if (given(*path)) return *path;
  throw Error(ErrorCode::BadOptionValue,
              "Path to input model or saved model dir is required: use --input_model, --saved_model_dir or "
              "--input_meta_graph");
}

/// As Model Optimizer tells it (model-optimizer spec §2.1).
std::string framework_of(const MoArguments& o) {
  const FrameworkOptions& f = o.ir.conversion.framework;
  static constexpr const char* kNames[] = {"caffe", "tf", "mxnet", "kaldi", "onnx"};
  if (!f.framework.empty()) {
    if (std::ranges::find(kNames, f.framework) != std::end(kNames)) return f.framework;
    throw Error(ErrorCode::BadOptionValue, "Framework " + f.framework +
                                               " is not a valid target. Please use --framework with one from the list: "
                                               "caffe, tf, mxnet, kaldi, onnx.");
  }
  if (!o.saved_model_dir.empty() || !o.input_meta_graph.empty()) return "tf";
  if (!f.input_symbol.empty() || !f.pretrained_model_name.empty()) return "mxnet";
  if (!f.input_proto.empty()) return "caffe";
  static constexpr std::pair<const char*, const char*> kEndings[] = {{".caffemodel", "caffe"}, {".pb", "tf"},
                                                                     {".pbtxt", "tf"},         {".params", "mxnet"},
                                                                     {".nnet", "kaldi"},       {".onnx", "onnx"}};
  for (const auto& [ending, framework] : kEndings)
    if (o.model.ends_with(ending)) return framework;
  if (o.model.find(".mdl") != std::string::npos) return "kaldi";
  if (is_model_file(o.model)) return {};  // formats that Model Optimizer does not know
  throw Error(ErrorCode::BadOptionValue,
              "Framework name can not be deduced from the given options: input_model=" + o.model +
                  ". Use --framework to choose one of caffe, tf, mxnet, kaldi, onnx");
}

std::string model_name(const MoArguments& o) {
  if (!o.ir.name.empty()) return o.ir.name;
  if (o.model.empty() && !o.saved_model_dir.empty()) return "saved_model";
  const std::string name = std::filesystem::path(model_path(o)).stem().string();
  return name.empty() || name[0] == '.' ? "model" : name;
}

// ---- what is printed and stated ----

std::string or_default(const std::string& value, const char* fallback) { return value.empty() ? fallback : value; }

void print_arguments(const MoArguments& o, const std::string& path, const std::string& framework) {
  const ConversionOptions& c = o.ir.conversion;
  const char* inherited = "Not specified, inherited from the model";
  const auto line = [](const char* what, const std::string& value) {
    std::printf("\t- %s: \t%s\n", what, value.c_str());
  };
  const auto flag = [](bool b) { return std::string(b ? "True" : "False"); };
  std::printf("Model Optimizer arguments:\nCommon parameters:\n");
  line("Path to the Input Model", std::filesystem::absolute(path).lexically_normal().string());
  line("Path for generated IR", std::filesystem::absolute(o.ir.folder).lexically_normal().string());
  line("IR output name", model_name(o));
  line("Log level", o.log_level);
  line("Batch", c.batch ? std::to_string(c.batch) : inherited);
  line("Input layers", or_default(c.inputs, inherited));
  line("Output layers", or_default(c.outputs, inherited));
  line("Input shapes", or_default(c.shapes, inherited));
  line("Mean values", or_default(c.mean_values, "Not specified"));
  line("Scale values", or_default(c.scale_values, "Not specified"));
  line("Scale factor", c.scale != 0 ? std::to_string(c.scale) : "Not specified");
  line("Precision of IR", o.ir.half_precision ? "FP16" : "FP32");
  line("Enable fusing", flag(!c.disable_fusing));
  line("Enable grouped convolutions fusing", flag(!c.disable_gfusing));
  line("Move mean values to preprocess section", "None");
  line("Reverse input channels", flag(c.reverse_input_channels));
  if (!framework.empty()) std::printf("Framework: \t%s\n", framework.c_str());
  std::printf("Model Optimizer version: \tblobsmith %s\n", std::string(version()).c_str());
}

/// Settings that were made, as an IR states them; folders are not told.
std::vector<std::pair<std::string, std::string>> stated(const MoArguments& o, const std::string& path,
                                                        const std::string& framework) {
  const ConversionOptions& c = o.ir.conversion;
  std::vector<std::pair<std::string, std::string>> list{
      {"data_type", o.data_type},
      {"input_model", "DIR/" + std::filesystem::path(path).filename().string()},
      {"model_name", model_name(o)},
      {"output_dir", "DIR"}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) list.emplace_back(name, value);
  };
  const auto flag = [&](const char* name, bool value) { list.emplace_back(name, value ? "True" : "False"); };
  add("framework", framework);
  add("input", c.inputs);
  add("output", c.outputs);
  add("input_shape", c.shapes);
  add("batch", c.batch ? std::to_string(c.batch) : "");
  add("mean_values", c.mean_values);
  add("scale_values", c.scale_values);
  add("scale", c.scale != 0 ? std::to_string(c.scale) : "");
  add("freeze_placeholder_with_value", c.freeze_placeholder_with_value);
  add("finegrain_fusing", c.finegrain_fusing);
  flag("disable_fusing", c.disable_fusing);
  flag("disable_gfusing", c.disable_gfusing);
  flag("disable_resnet_optimization", c.disable_resnet_optimization);
  flag("enable_concat_optimization", c.enable_concat_optimization);
  flag("reverse_input_channels", c.reverse_input_channels);
  flag("static_shape", c.static_shape);
  flag("remove_memory", c.framework.remove_memory);
  flag("remove_output_softmax", c.framework.remove_output_softmax);
  return list;
}

void complete(MoArguments& o) {
  ConversionOptions& c = o.ir.conversion;
  if (o.mean_values != "()") c.mean_values = o.mean_values;
  if (o.scale_values != "()") c.scale_values = o.scale_values;
  if (c.scale != 0 && !c.scale_values.empty())
    throw Error(ErrorCode::BadOptionValue,
                "Both --scale and --scale_values are defined. Specify either scale factor or scale values per input "
                "channels.");
  if (c.batch && !c.shapes.empty())
    throw Error(ErrorCode::BadOptionValue,
                "Both --input_shape and --batch were provided. Please provide only one of them.");
  if (o.legacy_ir && !o.transform.empty())
    throw Error(ErrorCode::BadOptionValue,
                "--legacy_ir_generation and --transform keys can not be used at the same time.");
  c.low_latency = is_low_latency(o.transform);
  o.ir.half_precision = o.data_type == "FP16" || o.data_type == "half";
  o.ir.quirks = !o.corrected;
}

int run_model_optimizer(MoArguments& o) {
  const auto start = std::chrono::steady_clock::now();
  complete(o);
  const std::string framework = framework_of(o), path = model_path(o);
  o.ir.conversion.framework.framework = framework;
  o.ir.name = model_name(o);
  o.ir.parameters = stated(o, path, framework);
  if (!o.silent) print_arguments(o, path, framework);
  refuse_missing_files(o);
  refuse_what_can_not_be(o);
  if (o.ir.conversion.scale != 0 && o.ir.conversion.scale < 1)
    mo_warning(
        "The scale value is less than 1.0. This is most probably an issue because the scale value specifies "
        "floating point value which all input values will be *divided*.");
  const IrResult r = write_ir(path, o.ir);
  for (const Remark& m : r.remarks)
    if (m.kind == Remark::Kind::WrongResult || m.kind == Remark::Kind::NotAsIntel) mo_warning(m.text());
  if (o.silent) return kDone;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("[ SUCCESS ] Generated IR version %d model.\n[ SUCCESS ] XML file: %s\n[ SUCCESS ] BIN file: %s\n",
              o.ir.version, std::filesystem::absolute(r.xml).lexically_normal().c_str(),
              std::filesystem::absolute(r.bin).lexically_normal().c_str());
  std::printf("[ SUCCESS ] Total execution time: %.2f seconds. \n", seconds.count());
  return kDone;
}

}  // namespace

int mo_command(const Arguments& args) {
  CLI::App app("Example: blobsmith mo --input_model model.onnx --data_type FP16 --output_dir ir", "blobsmith mo");
  MoArguments o;
  declare_for_all(app, o);
  declare_for_frameworks(app, o);
  if (const int code = parse(app, args); code >= 0) return code;
  if (o.version) {
    std::printf("Version of Model Optimizer is: blobsmith %s (2021.4)\n", std::string(version()).c_str());
    return kDone;
  }
  try {
    return run_model_optimizer(o);
  } catch (const ErrorList& e) {
    return mo_report(e);
  } catch (const Error& e) {
    return mo_report(e);
  }
}

}  // namespace blobsmith::cli
