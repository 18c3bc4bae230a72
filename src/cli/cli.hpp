// The verbs of the command line. Each parses its arguments, calls the library, prints; nothing else happens here.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "vpu/options/options.hpp"

namespace CLI {
class App;
}

namespace blobsmith::cli {

/// Exit codes (docs: README).
enum ExitCode { kDone = 0, kModelError = 1, kUsageError = 2, kFileError = 3, kWrongResult = 4, kInternalError = 70 };

using Arguments = std::vector<std::string>;  ///< after the verb

int compile_command(const Arguments& args);
int convert_command(const Arguments& args);
int check_command(const Arguments& args);
int layers_command(const Arguments& args);
int explain_command(const Arguments& args);
int inspect_command(const Arguments& args);
int run_command(const Arguments& args);
int compare_command(const Arguments& args);
int estimate_command(const Arguments& args);
int fps_command(const Arguments& args);

// ---- shared (common.cpp)
// ----------------------------------------------------------------------------------------------

/// Prints errors as text on stderr ("error[BS2003]: ...") and returns the exit code that fits.
int report(const Error& e);
int report(const ErrorList& e);
int exit_code(ErrorCode code);

/// Parses with CLI11, where long options may also be written with one dash, as Intel's tools take them.
/// Returns -1 to go on, else the exit code (help or usage error, printed).
int parse(CLI::App& app, const Arguments& args);

/// One entry of -c: a file of "KEY VALUE" lines, or KEY=VALUE itself.
void apply_config(vpu::CompileOptions& options, const std::string& file_or_pair);
ElementType parse_precision(const std::string& s);
std::string upper_case(std::string s);
/// "name:FP16,other:U8" -> by name. Throws BadOptionValue with compile_tool's text.
std::map<std::string, std::string> named_values(std::string list);
void apply_io_precision(vpu::CompileOptions& options, const std::string& list);

}  // namespace blobsmith::cli
