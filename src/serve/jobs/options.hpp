// What a job may be told, as the API names it, and what that is on a command line.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/jobs/job.hpp"

namespace blobsmith::serve {

/// File: the name of a sent file. KeyValues: KEY=VALUE each, a list or one text.
enum class OptionType { String, Integer, Number, Boolean, Choice, Shapes, File, KeyValues };

struct OptionRow {
  const char* name;
  OptionType type;
  const char* kinds;  ///< of jobs: letters of convert, check (k), compare (m), estimate, inspect: "ckmei"
  const char* group;
  const char* flag;
  const char* text;
  const char* fallback = nullptr;  ///< default, as JSON; null: the model decides
  std::vector<std::string> choices = {};
  double minimum = 1, maximum = 0;  ///< none where the first is larger
  bool inverted = false;            ///< the flag says false
};
std::span<const OptionRow> option_rows();

struct FormatRow {
  const char *name, *framework;
  std::vector<std::string> endings, files;  ///< of the model; of what belongs to it
};
std::span<const FormatRow> format_rows();
/// By the ending of a file's name; null for what is no model.
const FormatRow* format_of(std::string_view file_name);
/// The name without the ending that tells the format.
std::string stem_of(std::string_view file_name);

std::span<const char* const> job_kinds();
std::span<const char* const> target_versions();  ///< OpenVINO's, oldest first
Json options_info();
/// The options of a kind of jobs as properties of a JSON schema.
Json options_schema(const std::string& kind);
/// What a field of a form says: a number or a flag where the option is one.
Json value_of_field(const std::string& name, const std::string& text);
Json formats_info();

/// The words that `options` stand for in a job of this kind. Throws HttpError (400) for what is unknown, of the wrong
/// type or out of range, with the nearest name that there is. Members that are not options of the program (`kind`,
/// `model` ...) are passed over.
std::vector<std::string> option_words(const std::string& kind, const Json& options);

/// A name that a file can have in a job's folder: the last part of a path, nothing hidden, no control characters.
std::string safe_file_name(const std::string& name);

}  // namespace blobsmith::serve
