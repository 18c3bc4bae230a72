#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <sstream>

#include "cli/cli.hpp"
#include "core/file.hpp"
#include "vpu/options/config_file.hpp"

namespace blobsmith::cli {

int exit_code(ErrorCode code) {
  switch (static_cast<int>(code) / 1000) {
    case 1: return kFileError;
    case 4: return kUsageError;
    case 9: return kInternalError;
    default: return kModelError;
  }
}

int report(const Error& e) {
  std::fprintf(stderr, "error[BS%d]: %s\n", static_cast<int>(e.code()), e.what());
  if (!e.file().empty()) std::fprintf(stderr, "  --> %s\n", e.file().c_str());
  if (!e.why().empty()) std::fprintf(stderr, "  why:  %s\n", e.why().c_str());
  if (!e.hint().empty()) std::fprintf(stderr, "  hint: %s\n", e.hint().c_str());
  if (e.code() == ErrorCode::Internal)
    std::fprintf(stderr, "  this is a bug in blobsmith %s: please report it with the model and this command line\n",
                 BLOBSMITH_VERSION);
  return exit_code(e.code());
}

int report(const ErrorList& list) {
  int code = kModelError;
  for (const Error& e : list.errors()) code = std::max(code, report(e));
  return code;
}

int parse(CLI::App& app, const Arguments& args) {
  // CLI11 reads -ip as -i p; Intel's tools mean --ip.
  std::vector<std::string> reversed;
  for (auto it = args.rbegin(); it != args.rend(); ++it) {
    const bool one_dash =
        it->size() > 2 && (*it)[0] == '-' && (*it)[1] != '-' && std::isalpha(static_cast<unsigned char>((*it)[1]));
    reversed.push_back(one_dash ? "-" + *it : *it);
  }
  try {
    app.parse(reversed);
    return -1;
  } catch (const CLI::CallForHelp& e) {
    app.exit(e);
    return kDone;
  } catch (const CLI::ParseError& e) {
    std::fprintf(stderr, "error[BS%d]: %s\n  hint: %s --help lists the options\n",
                 static_cast<int>(ErrorCode::UnknownOption), e.what(), app.get_name().c_str());
    return kUsageError;
  }
}

void apply_config(vpu::CompileOptions& options, const std::string& file_or_pair) {
  if (const size_t eq = file_or_pair.find('='); eq != std::string::npos && !file_exists(file_or_pair)) {
    options.set(file_or_pair.substr(0, eq), file_or_pair.substr(eq + 1));
    return;
  }
  const Bytes text = read_file(file_or_pair, 1 << 20);
  vpu::apply_config_text(options, {reinterpret_cast<const char*>(text.data()), text.size()});
}

ElementType parse_precision(const std::string& s) {
  if (const auto t = parse_element_type(s)) return *t;
  Error e(ErrorCode::BadOptionValue, "\"" + s + "\" is not a valid precision");
  throw e.hint("one of FP32, FP16, U8, I8, I32");
}

std::string upper_case(std::string s) {
  std::ranges::transform(s, s.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return s;
}

std::map<std::string, std::string> named_values(std::string list) {
  std::erase(list, ' ');
  std::map<std::string, std::string> values;
  std::istringstream in(list);
  for (std::string pair; std::getline(in, pair, ',');) {
    const size_t colon = pair.rfind(':');
    if (colon == std::string::npos || colon == 0)
      throw Error(ErrorCode::BadOptionValue, "Invalid key/value pair " + pair + ". Expected <layer_name>:<value>");
    values[pair.substr(0, colon)] = pair.substr(colon + 1);
  }
  return values;
}

void apply_io_precision(vpu::CompileOptions& options, const std::string& list) {
  for (const auto& [name, precision] : named_values(list)) options.io_precision[name] = parse_precision(precision);
}

}  // namespace blobsmith::cli
