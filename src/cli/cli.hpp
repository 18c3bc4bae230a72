// The verbs of the command line. Each parses its arguments, calls the library, prints; nothing else happens here.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "blobsmith/convert.hpp"
#include "blobsmith/error.hpp"
#include "blobsmith/inputs.hpp"

namespace CLI {
class App;
}

namespace blobsmith::cli {

/// Exit codes (docs/commands.md).
enum ExitCode {
  kDone = 0,
  kModelError = 1,
  kUsageError = 2,
  kFileError = 3,
  kWrongResult = 4,
  kInternalError = 70,
  kStopped = 130
};

using Arguments = std::vector<std::string>;  ///< after the verb

int compile_command(const Arguments& args);
int mo_command(const Arguments& args);
int convert_command(const Arguments& args);
int check_command(const Arguments& args);
int layers_command(const Arguments& args);
int explain_command(const Arguments& args);
int inspect_command(const Arguments& args);
int run_command(const Arguments& args);
int compare_command(const Arguments& args);
int estimate_command(const Arguments& args);
int fps_command(const Arguments& args);
int serve_command(const Arguments& args);
int worker_command(const Arguments& args);
int zoo_command(const Arguments& args);
int job_command(const Arguments& args);

/// The verb that the first word names, with the others; errors are printed, the exit code returned (main.cpp).
int run_verb(const Arguments& words);

// ---- shared (common.cpp) --------------------------------------------------------------------------------------------

/// Prints errors as text on stderr ("error[BS2003]: ...") and returns the exit code that fits.
int report(const Error& e);
int report(const ErrorList& e);
int exit_code(ErrorCode code);

/// Parses with CLI11, where long options may also be written with one dash, as Intel's tools take them.
/// Returns -1 to go on, else the exit code (help or usage error, printed).
int parse(CLI::App& app, const Arguments& args);

/// The entries of -c: files of "KEY VALUE" lines, or KEY=VALUE itself.
Config read_config(const std::vector<std::string>& files_or_pairs);
/// Throws BadOptionValue naming the types that there are.
TensorType parse_precision(const std::string& s);
/// "name:FP16,other:U8" -> by name. Throws BadOptionValue with compile_tool's text.
std::map<std::string, std::string> named_values(std::string list);
std::map<std::string, TensorType> named_precisions(const std::string& list);

// ---- models (model_options.cpp) -------------------------------------------------------------------------------------

/// A model on the command line, and what a network for a camera is compiled with.
struct ModelOptions {
  std::string file;
  std::vector<std::string> shapes;  ///< "x=1,3,48,192", or "[1,3,48,192],..."
  ConversionOptions conversion;
  CameraOptions camera;
  std::string ip, op, iop, preset, data_type, scale;
  std::vector<std::string> config;

  std::map<std::string, Shape> input_shapes() const;
  ConversionOptions for_conversion() const;
  std::string preset_text() const;  ///< what --preset stands for, as options; empty without it
  /// The options as the library takes them.
  CameraOptions for_camera() const;
};
/// Declares the model and --input-shape.
void add_model_options(CLI::App& app, ModelOptions& o);
/// Declares what Model Optimizer does on the way: cutting, and the following.
void add_conversion_options(CLI::App& app, ModelOptions& o);
/// Declares the batch, mean and scale values, the order of channels.
void add_preprocessing_options(CLI::App& app, ModelOptions& o);
/// Declares Model Optimizer's options for its rewrites.
void add_rewrite_options(CLI::App& app, ConversionOptions& c);
/// What is no positive integer is refused in Model Optimizer's words.
std::string refuse_unless_positive(const std::string& text);
/// Declares Model Optimizer's options that change nothing here.
void add_ignored_options(CLI::App& app, bool& ignored);
/// Declares what single frameworks have: further files, switches.
void add_framework_options(CLI::App& app, FrameworkOptions& f);
void add_camera_options(CLI::App& app, ModelOptions& o);
/// Declares --input, --seed and how pictures are read.
void add_input_options(CLI::App& app, InputOptions& o);
/// The shapes of the arrays that --input names, by input: for dimensions that a model leaves open.
std::map<std::string, Shape> shapes_of_arrays(const InputOptions& o);
/// `attempt(shapes)`; where the model leaves dimensions open that `stated` doesn't close, with those of the arrays.
template <class Attempt>
auto with_open_shapes(const std::map<std::string, Shape>& stated, const InputOptions& inputs, const Attempt& attempt) {
  try {
    return attempt(stated);
  } catch (const Error& e) {
    if (e.code() != ErrorCode::ShapeMismatch || !stated.empty()) throw;
    const std::map<std::string, Shape> given = shapes_of_arrays(inputs);
    if (given.empty()) throw;
    return attempt(given);
  }
}

/// "2020.4, 2021.1, ...": for help.
std::string all_targets();

}  // namespace blobsmith::cli
