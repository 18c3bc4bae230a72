// blobsmith check: every problem of a model in one run, without making a blob.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "blobsmith/check.hpp"
#include "cli/cli.hpp"
#include "cli/progress.hpp"
#include "reports/json.hpp"

namespace blobsmith::cli {
namespace {

using Status = CheckedLayer::Status;

struct CheckArguments {
  ModelOptions model;
  bool no_fix = false, json = false, quiet = false, verbose = false;
};

void declare(CLI::App& app, CheckArguments& o) {
  add_model_options(app, o.model);
  add_camera_options(app, o.model);
  add_conversion_options(app, o.model);
  add_framework_options(app, o.model.conversion.framework);
  app.add_flag("--no-fix", o.no_fix, "judge as compile does: no rewrites, Intel's known wrong results");
  app.add_flag("--json", o.json, "as JSON");
  app.add_flag("-v,--verbose", o.verbose, "every layer; the place of each problem, its reason and a hint");
  app.add_flag("-q,--quiet", o.quiet, "print nothing: the exit code tells");
}

std::string comma_list(const Shape& shape) {
  std::string s;
  for (int64_t d : shape) s += (s.empty() ? "" : ",") + (d < 0 ? std::string("?") : std::to_string(d));
  return s;
}

std::string shapes_text(const std::vector<Shape>& shapes) {
  std::string s;
  for (const Shape& shape : shapes) s += (s.empty() ? "[" : " [") + comma_list(shape) + "]";
  return s.empty() ? "?" : s;
}

std::string one_line(std::string s) {
  std::ranges::replace(s, '\n', ' ');
  return s;
}

std::string joined(const std::vector<std::string>& names) {
  std::string s;
  for (const std::string& n : names) s += (s.empty() ? "" : ",") + n;
  return s;
}

void print_problem(const CheckArguments& o, const CheckResult& r, size_t k) {
  const CheckProblem& p = r.problems[k];
  const std::string text = p.error.what();
  std::printf("%zu. error[BS%d]: %s\n", k + 1, static_cast<int>(p.error.code()),
              (o.verbose ? text : one_line(text)).c_str());
  if (!o.verbose) return;
  std::printf("  --> %s", o.model.file.c_str());
  if (p.layer >= 0) {
    const CheckedLayer& l = r.layers[static_cast<size_t>(p.layer)];
    std::printf(", %s", l.source.empty() ? ("layer \"" + l.name + "\"").c_str() : l.source.c_str());
    if (!l.outputs.empty())
      std::printf(", shapes %s -> %s", shapes_text(l.inputs).c_str(), shapes_text(l.outputs).c_str());
  }
  std::printf("\n");
  if (!p.error.why().empty()) std::printf("  why:  %s\n", p.error.why().c_str());
  if (!p.error.hint().empty()) std::printf("  hint: %s\n", p.error.hint().c_str());
  if (!p.nearest.empty() && p.nearest != p.error.hint()) std::printf("  supported: %s\n", p.nearest.c_str());
  if (!p.cut_at.empty()) std::printf("  cut before it: --output \"%s\"\n", joined(p.cut_at).c_str());
}

void print_layers(const CheckResult& r) {
  for (const CheckedLayer& l : r.layers)
    std::printf("  %-11s  %s \"%s\"  %s -> %s\n", to_string(l.status), l.type.c_str(), l.name.c_str(),
                shapes_text(l.inputs).c_str(), shapes_text(l.outputs).c_str());
}

void print_text(const CheckArguments& o, const CheckResult& r) {
  for (const CheckedLayer& l : r.layers)
    if (l.status == Status::Fixed)
      std::printf("fixed: %s \"%s\" becomes %s\n", l.type.c_str(), l.name.c_str(), l.fix.c_str());
  for (const Remark& f : r.remarks)
    std::printf("warning: a blob computes something else than the model: %s\n", f.text().c_str());
  for (size_t k = 0; k < r.problems.size(); ++k) print_problem(o, r, k);
  if (o.verbose) print_layers(r);
  if (!r.compiles())
    std::printf("convert --cut-unsupported makes a blob of the largest part without these, and models of the rest\n");
  const int not_checked = r.count(Status::NotChecked);
  std::printf("%s: %s: %zu layers, %d supported, %d fixed, %d unsupported%s%s\n", o.model.file.c_str(),
              r.compiles() ? "can be converted" : "can't be converted", r.layers.size(), r.count(Status::Supported),
              r.count(Status::Fixed), r.count(Status::Unsupported),
              not_checked ? (", " + std::to_string(not_checked) + " behind them not checked").c_str() : "",
              r.compiles() || o.verbose ? "" : " (-v shows where, and what to do)");
}

CheckResult check_model(const CheckArguments& o) {
  ProgressBar bar;
  return check(o.model.file, {.input_shapes = o.model.input_shapes(),
                              .conversion = o.model.for_conversion(),
                              .camera = o.model.for_camera(),
                              .fix = !o.no_fix,
                              .control = bar.control()});
}

}  // namespace

int check_command(const Arguments& args) {
  CLI::App app("Example: blobsmith check model.onnx -v", "blobsmith check");
  CheckArguments o;
  declare(app, o);
  if (const int code = parse(app, args); code >= 0) return code;
  const CheckResult r = check_model(o);
  if (o.json)
    std::printf("%s\n", reports::text(reports::of_check(o.model.file, r)).c_str());
  else if (!o.quiet)
    print_text(o, r);
  return r.compiles() ? kDone : kModelError;
}

}  // namespace blobsmith::cli
