// blobsmith compare: a blob, layer by layer, against the model that it was made of.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "blobsmith/cut.hpp"
#include "blobsmith/files.hpp"
#include "cli/cli.hpp"
#include "cli/compare_report.hpp"
#include "cli/progress.hpp"

namespace blobsmith::cli {
namespace {

struct CompareArguments {
  ModelOptions model;
  CompareOptions compare;
  std::string html;
  size_t worst = 10;
  bool verbose = false, json = false, cut = false;
};

void declare(CLI::App& app, CompareArguments& o) {
  add_model_options(app, o.model);
  app.add_option("blob", o.compare.blob,
                 "a blob made of the model, of blobsmith or of Intel (default: the model is compiled as convert does)");
  add_input_options(app, o.compare.inputs);
  add_camera_options(app, o.model);
  add_preprocessing_options(app, o.model);
  add_framework_options(app, o.model.conversion.framework);
  app.add_flag("--cut-unsupported,--cut_unsupported", o.cut,
               "of a model that convert cuts so: the blob's part, and all parts together beside the whole model");
  app.add_flag("--quirks", o.compare.quirks, "compile with the known wrong results of Intel's tools (docs/quirks.md)");
  app.add_option("--tolerance", o.compare.tolerance, "largest relative error of a layer (default 0.02)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--worst", o.worst, "how many layers to show, the worst first (default 10)")
      ->check(CLI::Range(1, 1000000));
  app.add_flag("-v,--verbose", o.verbose, "show all layers, in order");
  app.add_option("--html", o.html, "write the result as a page with plots");
  app.add_option("--threads", o.compare.threads, "processors to use (default: all)");
  app.add_flag("--json", o.json, "print the result as JSON");
}

CompareResult compare_model(CompareArguments& o) {
  ProgressBar bar;
  o.compare.conversion = o.model.for_conversion();
  o.compare.camera = o.model.for_camera();
  o.compare.control = bar.control();
  return with_open_shapes(o.model.input_shapes(), o.compare.inputs, [&](const auto& shapes) {
    o.compare.input_shapes = shapes;
    return o.cut ? compare_cut(o.model.file, o.compare) : compare(o.model.file, o.compare);
  });
}

}  // namespace

int compare_command(const Arguments& args) {
  CLI::App app("Example: blobsmith compare model.onnx --input images=photo.png --html report.html",
               "blobsmith compare");
  CompareArguments o;
  declare(app, o);
  if (const int code = parse(app, args); code >= 0) return code;
  const CompareReport r{o.model.file, o.compare.blob, o.compare.tolerance, compare_model(o)};
  if (!o.html.empty()) save_file(o.html, compare_html(r));
  std::printf("%s", (o.json ? compare_json(r) : compare_text(r, o.verbose ? 0 : o.worst)).c_str());
  return r.result.comparison.outputs_within() ? kDone : kWrongResult;
}

}  // namespace blobsmith::cli
