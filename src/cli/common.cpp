#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "blobsmith/files.hpp"
#include "blobsmith/version.hpp"
#include "cli/cli.hpp"
#include "cli/events.hpp"
#include "cli/help.hpp"
#include "reports/json.hpp"
#include "reports/nearest.hpp"

namespace blobsmith::cli {
namespace {

/// An argument as CLI11 is to see it: it reads -ip as -i p, where Intel's tools mean --ip.
std::string with_two_dashes(const std::string& argument) {
  const bool one_dash = argument.size() > 2 && argument[0] == '-' && argument[1] != '-' &&
                        std::isalpha(static_cast<unsigned char>(argument[1]));
  return one_dash ? "-" + argument : argument;
}

std::string option_name(const std::string& argument) {
  const std::string option = with_two_dashes(argument);
  return option.substr(0, option.find('='));
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* o : app.get_options()) {
    for (const std::string& n : o->get_snames()) names.push_back("-" + n);
    for (const std::string& n : o->get_lnames()) names.push_back("--" + n);
  }
  return names;
}

/// What is wrong with the arguments: first of all options that there are not, and which were meant.
Error usage_error(const CLI::App& app, const Arguments& args, const CLI::ParseError& e) {
  const std::string help = app.get_name() + " --help lists the options";
  std::vector<std::string> left;
  for (const std::string& a : app.remaining()) left.push_back(option_name(a));
  for (const std::string& a : args) {
    if (!a.starts_with('-') || std::ranges::find(left, option_name(a)) == left.end()) continue;
    const std::string name = a.substr(0, a.find('=')), meant = reports::nearest(name, option_names(app));
    return Error(ErrorCode::UnknownOption, "there is no option '" + name + "'")
        .hint(meant.empty() ? help : "did you mean " + meant + "? " + help);
  }
  return Error(ErrorCode::UnknownOption, e.what()).hint(help);
}

}  // namespace

int exit_code(ErrorCode code) {
  switch (static_cast<int>(code) / 1000) {
    case 1: return kFileError;
    case 4: return kUsageError;
    case 6: return kStopped;
    case 9: return kInternalError;
    default: return kModelError;
  }
}

int report(const Error& e) {
  send_event({{"error", reports::of_error(e)}});
  std::fprintf(stderr, "error[BS%d]: %s\n", static_cast<int>(e.code()), e.what());
  if (!e.file().empty() || !e.source().empty())
    std::fprintf(stderr, "  --> %s%s%s\n", e.file().c_str(), e.file().empty() || e.source().empty() ? "" : ", ",
                 e.source().c_str());
  if (!e.why().empty()) std::fprintf(stderr, "  why:  %s\n", e.why().c_str());
  if (!e.hint().empty()) std::fprintf(stderr, "  hint: %s\n", e.hint().c_str());
  if (e.code() == ErrorCode::Internal)
    std::fprintf(stderr, "  this is a bug in blobsmith %s: please report it with the model and this command line\n",
                 std::string(version()).c_str());
  return exit_code(e.code());
}

int report(const ErrorList& list) {
  int code = kModelError;
  for (const Error& e : list.errors()) code = std::max(code, report(e));
  return code;
}

int parse(CLI::App& app, const Arguments& args) {
  app.formatter(std::make_shared<HelpFormatter>());
  std::vector<std::string> reversed;
  for (auto it = args.rbegin(); it != args.rend(); ++it) {
    std::string argument = with_two_dashes(*it);
    // Of "[1,3,8,8]" it would make four values; a blank in front keeps shapes whole.
    const size_t value = argument.starts_with('-') ? argument.find('=') + 1 : 0;
    if (argument.ends_with(']') && argument[value] == '[') argument.insert(value, " ");
    reversed.push_back(std::move(argument));
  }
  try {
    app.parse(reversed);
    return -1;
  } catch (const CLI::CallForHelp& e) {
    app.exit(e);
    return kDone;
  } catch (const CLI::ParseError& e) {
    report(usage_error(app, args, e));
    return kUsageError;
  }
}

Config read_config(const std::vector<std::string>& files_or_pairs) {
  Config config;
  for (const std::string& s : files_or_pairs) {
    if (const size_t eq = s.find('='); eq != std::string::npos && !std::filesystem::is_regular_file(s)) {
      config.emplace_back(s.substr(0, eq), s.substr(eq + 1));
      continue;
    }
    const std::vector<uint8_t> text = load_file(s, 1 << 20);
    for (auto& pair : parse_config({reinterpret_cast<const char*>(text.data()), text.size()}))
      config.push_back(std::move(pair));
  }
  return config;
}

TensorType parse_precision(const std::string& s) {
  if (const auto t = parse_tensor_type(s)) return *t;
  Error e(ErrorCode::BadOptionValue, "\"" + s + "\" is not a valid precision");
  throw e.hint("one of FP32, FP16, U8, I8, I32");
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

std::map<std::string, TensorType> named_precisions(const std::string& list) {
  std::map<std::string, TensorType> r;
  for (const auto& [name, precision] : named_values(list)) r[name] = parse_precision(precision);
  return r;
}

}  // namespace blobsmith::cli
