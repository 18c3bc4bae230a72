// The configuration keys of the MYRIAD plugin, one row each, with the reference's own texts for bad values.
#include "vpu/options/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.hpp"
#include "core/nearest.hpp"
#include "core/release.hpp"
#include "core/table.hpp"
#include "core/text.hpp"
#include "vpu/options/tensor_strides.hpp"

namespace blobsmith::vpu {
namespace {

using Options = CompileOptions;

/// Which releases know a key: bits of Release::tables.
constexpr unsigned k2021 = 1, k2022 = 2, kAnyRelease = k2021 | k2022;

struct BoolKeyRow {
  std::string_view key;
  bool Options::* member;
  unsigned releases = kAnyRelease;
};
constexpr std::array kBoolKeys{
    BoolKeyRow{"MYRIAD_ENABLE_HW_ACCELERATION", &Options::hw_acceleration},
    BoolKeyRow{"VPU_HW_STAGES_OPTIMIZATION", &Options::hw_acceleration, k2021},
    BoolKeyRow{"MYRIAD_HW_EXTRA_SPLIT", &Options::hw_extra_split},
    BoolKeyRow{"MYRIAD_HW_DILATION", &Options::hw_dilation},
    BoolKeyRow{"MYRIAD_HW_POOL_CONV_MERGE", &Options::hw_pool_conv_merge},
    BoolKeyRow{"MYRIAD_DETECT_NETWORK_BATCH", &Options::detect_network_batch},
    BoolKeyRow{"VPU_DETECT_NETWORK_BATCH", &Options::detect_network_batch, k2021},
    BoolKeyRow{"MYRIAD_DISABLE_REORDER", &Options::disable_reorder},
    BoolKeyRow{"MYRIAD_DISABLE_CONVERT_STAGES", &Options::disable_convert_stages},
    BoolKeyRow{"MYRIAD_ENABLE_PERMUTE_MERGING", &Options::enable_permute_merging},
    BoolKeyRow{"MYRIAD_ENABLE_REPL_WITH_SCRELU", &Options::enable_repl_with_screlu},
    BoolKeyRow{"MYRIAD_ENABLE_REPLACE_WITH_REDUCE_MEAN", &Options::enable_replace_with_reduce_mean, k2021},
    BoolKeyRow{"MYRIAD_ENABLE_EARLY_ELTWISE_RELU_FUSION", &Options::enable_early_eltwise_relu_fusion},
    BoolKeyRow{"MYRIAD_ENABLE_CUSTOM_RESHAPE_PARAM", &Options::enable_custom_reshape_param},
    BoolKeyRow{"MYRIAD_ENABLE_WEIGHTS_ANALYSIS", &Options::enable_weights_analysis},
    BoolKeyRow{"MYRIAD_CHECK_PREPROCESSING_INSIDE_MODEL", &Options::check_preprocessing_inside_model},
    BoolKeyRow{"MYRIAD_ENABLE_TENSOR_ITERATOR_UNROLLING", &Options::enable_tensor_iterator_unrolling},
    BoolKeyRow{"MYRIAD_FORCE_PURE_TENSOR_ITERATOR", &Options::force_pure_tensor_iterator},
    BoolKeyRow{"MYRIAD_FORCE_DEPRECATED_CNN_CONVERSION", &Options::force_deprecated_cnn_conversion, k2021},
    BoolKeyRow{"MYRIAD_IGNORE_UNKNOWN_LAYERS", &Options::ignore_unknown_layers}};

struct TristateKeyRow {
  std::string_view key;
  Tristate Options::* member;
  unsigned releases = kAnyRelease;
};
constexpr std::array kTristateKeys{TristateKeyRow{"MYRIAD_COPY_OPTIMIZATION", &Options::copy_optimization},
                                   TristateKeyRow{"MYRIAD_HW_INJECT_STAGES", &Options::hw_inject_stages},
                                   TristateKeyRow{"MYRIAD_PACK_DATA_IN_CMX", &Options::pack_data_in_cmx}};

struct IntKeyRow {
  std::string_view key;
  int Options::* member;
  unsigned releases = kAnyRelease;
};
constexpr std::array kIntKeys{IntKeyRow{"MYRIAD_NUMBER_OF_SHAVES", &Options::shaves},
                              IntKeyRow{"MYRIAD_NUMBER_OF_CMX_SLICES", &Options::slices},
                              IntKeyRow{"MYRIAD_THROUGHPUT_STREAMS", &Options::streams},
                              IntKeyRow{"NUM_STREAMS", &Options::streams, k2022},
                              IntKeyRow{"MYRIAD_TILING_CMX_LIMIT_KB", &Options::tiling_cmx_limit_kb},
                              IntKeyRow{"VPU_NUMBER_OF_SHAVES", &Options::shaves},
                              IntKeyRow{"VPU_NUMBER_OF_CMX_SLICES", &Options::slices}};

struct ListKeyRow {
  std::string_view key;
  std::vector<std::string> Options::* member;
  unsigned releases = kAnyRelease;
};
constexpr std::array kListKeys{ListKeyRow{"MYRIAD_HW_WHITE_LIST", &Options::hw_white_list, k2021},
                               ListKeyRow{"MYRIAD_HW_BLACK_LIST", &Options::hw_black_list},
                               ListKeyRow{"MYRIAD_NONE_LAYERS", &Options::none_layers}};

struct TextKeyRow {
  std::string_view key;
  std::string Options::* member;
  unsigned releases = kAnyRelease;
};
constexpr std::array kTextKeys{TextKeyRow{"MYRIAD_CUSTOM_LAYERS", &Options::custom_layers},
                               TextKeyRow{"CONFIG_FILE", &Options::custom_layers},
                               TextKeyRow{"VPU_CUSTOM_LAYERS", &Options::custom_layers, k2021},
                               TextKeyRow{"MYRIAD_TENSOR_STRIDES", &Options::tensor_strides},
                               TextKeyRow{"PERFORMANCE_HINT", &Options::performance_hint, k2022},
                               TextKeyRow{"MYRIAD_DUMP_INTERNAL_GRAPH_DIRECTORY", &Options::dump_passes, k2021}};

// Accepted, without effect on the blob: logging, and what only matters when a device runs it. The values are checked
// all the same: "A|B" in the order in which 2022.1 lists them, "YES|NO", or anything.
constexpr std::string_view kAnything = "*", kSwitch = "YES|NO", kSeconds = "seconds";
constexpr std::string_view kLevels = "LOG_TRACE|LOG_DEBUG|LOG_INFO|LOG_ERROR|LOG_WARNING|LOG_NONE";
struct RunTimeKeyRow {
  std::string_view key, values;
  unsigned releases = kAnyRelease;
};
constexpr std::array kRunTimeKeys{
    RunTimeKeyRow{"PERF_COUNT", kSwitch},
    RunTimeKeyRow{"MYRIAD_PERF_REPORT_MODE", "MYRIAD_PER_STAGE|MYRIAD_PER_LAYER"},
    RunTimeKeyRow{"MYRIAD_ENABLE_RECEIVING_TENSOR_TIME", kSwitch},
    RunTimeKeyRow{"VPU_PRINT_RECEIVE_TENSOR_TIME", kSwitch, k2021},
    RunTimeKeyRow{"EXCLUSIVE_ASYNC_REQUESTS", kSwitch},
    RunTimeKeyRow{"DEVICE_ID", kAnything},
    RunTimeKeyRow{"MYRIAD_ENABLE_FORCE_RESET", kSwitch},
    RunTimeKeyRow{"VPU_MYRIAD_FORCE_RESET", kSwitch, k2021},
    RunTimeKeyRow{"MYRIAD_PROTOCOL", "|MYRIAD_PCIE|MYRIAD_USB"},
    RunTimeKeyRow{"VPU_MYRIAD_PROTOCOL", "VPU_MYRIAD_USB|VPU_MYRIAD_PCIE|", k2021},
    RunTimeKeyRow{"MYRIAD_WATCHDOG", kSwitch},
    RunTimeKeyRow{
        "MYRIAD_POWER_MANAGEMENT",
        "MYRIAD_POWER_STAGE_NCES|MYRIAD_POWER_STAGE_SHAVES|MYRIAD_POWER_STAGE|MYRIAD_POWER_INFER|MYRIAD_POWER_FULL"},
    RunTimeKeyRow{"MYRIAD_DEVICE_CONNECT_TIMEOUT", kSeconds},
    RunTimeKeyRow{
        "MYRIAD_DDR_TYPE",
        "MYRIAD_DDR_MICRON_1GB|MYRIAD_DDR_SAMSUNG_2GB|MYRIAD_DDR_MICRON_2GB|MYRIAD_DDR_HYNIX_2GB|MYRIAD_DDR_AUTO"},
    RunTimeKeyRow{
        "VPU_MYRIAD_MOVIDIUS_DDR_TYPE",
        "VPU_MYRIAD_DDR_AUTO|VPU_MYRIAD_DDR_MICRON_2GB|VPU_MYRIAD_DDR_SAMSUNG_2GB|VPU_MYRIAD_DDR_HYNIX_2GB|VPU_"
        "MYRIAD_DDR_MICRON_1GB",
        k2021},
    RunTimeKeyRow{"VPU_MYRIAD_PLATFORM", "VPU_MYRIAD_2480|VPU_MYRIAD_2450|", k2021},
    RunTimeKeyRow{"LOG_LEVEL", kLevels},
    RunTimeKeyRow{"VPU_LOG_LEVEL", kLevels, k2021},
    RunTimeKeyRow{"MYRIAD_DUMP_ALL_PASSES", kSwitch},
    RunTimeKeyRow{"MYRIAD_DUMP_INTERNAL_GRAPH_FILE_NAME", kAnything},
    RunTimeKeyRow{"MYRIAD_COMPILER_LOG_FILE_PATH", kAnything, k2021},
    RunTimeKeyRow{"MYRIAD_PLUGIN_LOG_FILE_PATH", kAnything, k2021},
    RunTimeKeyRow{"MYRIAD_SCALES_PATTERN", kAnything},
    RunTimeKeyRow{"MYRIAD_ENABLE_MX_BOOT", kSwitch, k2022},
    RunTimeKeyRow{"MYRIAD_ENABLE_ASYNC_DMA", kSwitch, k2022},
    RunTimeKeyRow{"MYRIAD_ENABLE_MEMORY_TYPES_ANNOTATION", kSwitch, k2022},
    RunTimeKeyRow{"MYRIAD_DUMP_ALL_PASSES_DIRECTORY", kAnything, k2022},
    RunTimeKeyRow{"PERFORMANCE_HINT_NUM_REQUESTS", kAnything, k2022}};

/// What a key does not take, in the words of the release that is asked for.
struct Setting {
  std::string_view key, value;
  bool by_option;  ///< Release::refuses_by_option

  std::string called(std::string_view how) const {
    return std::string(how) + " \"" + std::string(value) + "\" for key " + std::string(key);
  }
  std::string unexpected(const std::string& only) const {
    return "unexpected " + std::string(key == "LOG_LEVEL" ? "log level" : key) + " option value \"" +
           std::string(value) + "\", " + only;
  }
  /// `choices`: "A|B"
  Error bad_choice(std::string_view choices, const std::string& hint) const {
    std::string listed(choices);
    for (size_t at = 0; (at = listed.find('|', at)) != std::string::npos;) listed.replace(at, 1, ", ");
    Error e(ErrorCode::BadOptionValue,
            by_option ? unexpected("only [" + listed + "] are supported") : called("Unsupported value"));
    return e.hint(hint);
  }
  Error no_number(const std::string& otherwise) const {
    return Error(ErrorCode::BadOptionValue,
                 by_option ? unexpected("must be a number") : called("Invalid value") + " : " + otherwise);
  }
  Error negative(const std::string& otherwise) const {
    return Error(ErrorCode::BadOptionValue, by_option ? unexpected("only not negative numbers are supported")
                                                      : called("Invalid value") + " : " + otherwise);
  }
};

bool yes_no(const Setting& s) {
  if (s.value == "YES") return true;
  if (s.value == "NO") return false;
  throw s.bad_choice(kSwitch, "use YES or NO");
}

int whole_number(const Setting& s) {
  int v = 0;
  const auto [end, ec] = std::from_chars(s.value.data(), s.value.data() + s.value.size(), v);
  if (ec != std::errc{} || end == s.value.data()) throw s.no_number("stoi");
  if (v < (s.by_option ? 0 : -1)) throw s.negative("Value must be positive or default(-1).");
  return v;
}

bool is_one_of(std::string_view value, std::string_view choices) {
  for (;;) {
    const size_t n = choices.find('|');
    if (value == choices.substr(0, n)) return true;
    if (n == std::string_view::npos) return false;
    choices.remove_prefix(n + 1);
  }
}

void check_run_time_value(std::string_view values, const Setting& s) {
  if (values == kSeconds) {
    int seconds = 0;
    if (std::from_chars(s.value.data(), s.value.data() + s.value.size(), seconds).ec != std::errc{})
      throw s.no_number("Can not convert string:" + std::string(s.value) + " to seconds. Message : stoi");
    if (seconds < 0 && s.by_option) throw s.negative({});
  } else if (values != kAnything && !is_one_of(s.value, values)) {
    throw s.bad_choice(values, "one of " + std::string(values));
  }
  if (s.value == "VPU_MYRIAD_2450") throw s.bad_choice(values, "that is the Myriad 2; blobs are made for the Myriad X");
  if (s.key == "MYRIAD_SCALES_PATTERN" && !s.value.empty())  // both were built without regular expressions
    throw Error(ErrorCode::BadOptionValue,
                s.by_option ? "Unable to parse string \"" + std::string(s.value) + "\""
                            : "It is not possible to set the MYRIAD_SCALES_PATTERN config because it passes regular "
                              "expression and regex library is not supported by GCC version less than 4.9");
}

std::vector<std::string> comma_list(std::string_view s) {
  std::vector<std::string> r;
  while (!s.empty()) {
    const size_t n = std::min(s.find(','), s.size());
    if (n) r.push_back(lower_case(s.substr(0, n)));
    s.remove_prefix(std::min(n + 1, s.size()));
  }
  return r;
}

std::string checked_text(const TextKeyRow& row, const Setting& s) {
  constexpr std::string_view kHints = "LATENCY|THROUGHPUT|";
  if (row.member == &Options::performance_hint && !is_one_of(s.value, kHints))
    throw s.bad_choice(kHints, "LATENCY (one stream) or THROUGHPUT");
  return std::string(s.value);
}

Error not_supported(std::string_view key, const Release* release) {
  // The first ten keys of a hash table.
  constexpr std::string_view kListed =
      "MYRIAD_DDR_TYPE, CONFIG_FILE, EXCLUSIVE_ASYNC_REQUESTS, PERFORMANCE_HINT, NUM_STREAMS, "
      "MYRIAD_ENABLE_HW_ACCELERATION, MYRIAD_CUSTOM_LAYERS, PERFORMANCE_HINT_NUM_REQUESTS, "
      "MYRIAD_ENABLE_RECEIVING_TENSOR_TIME, MYRIAD_ENABLE_FORCE_RESET, ...";
  return Error(ErrorCode::UnknownOption, release && release->refuses_by_option
                                             ? "Encountered an unsupported key " + std::string(key) +
                                                   ", supported keys are [" + std::string(kListed) + "]"
                                             : "[ NOT_FOUND ] " + std::string(key) + " key is not supported for VPU");
}

Error unknown(std::string_view key, const Release* release) {
  std::vector<std::string> keys;
  const auto add = [&](const auto& rows) {
    for (const auto& row : rows)
      if (!release || row.releases & release->tables) keys.emplace_back(row.key);
  };
  add(kBoolKeys);
  add(kTristateKeys);
  add(kIntKeys);
  add(kListKeys);
  add(kTextKeys);
  add(kRunTimeKeys);
  const std::string meant = nearest(key, keys);
  Error e = not_supported(key, release);
  return meant.empty() ? e : e.hint("did you mean " + meant + "?");
}

Error unknown_to_release(std::string_view key, unsigned releases, const Release* release) {
  Error e = not_supported(key, release);
  return e.hint(releases == k2021 ? "OpenVINO 2021.4 knows it, 2022.1 does not: leave it out, or take --target 2021.4"
                                  : "OpenVINO 2022.1 knows it, 2021.4 does not: leave it out, or take --target 2022.1");
}

/// Releases that know a key, as bits; 0 where none does.
unsigned releases_of(std::string_view key) {
  unsigned releases = 0;
  const auto look = [&](const auto& rows) {
    for (const auto& row : rows)
      if (row.key == key) releases |= row.releases;
  };
  look(kBoolKeys);
  look(kTristateKeys);
  look(kIntKeys);
  look(kListKeys);
  look(kTextKeys);
  look(kRunTimeKeys);
  return releases;
}

}  // namespace

bool knows(const Release& release, std::string_view key) { return (releases_of(key) & release.tables) != 0; }

void CompileOptions::set(std::string_view key, std::string_view value, const Release* release) {
  const bool may_be_nothing = !release || release->nothing_is_default;
  const Setting setting{key, value, release && release->refuses_by_option};
  if (key == "MYRIAD_TENSOR_STRIDES" && !(may_be_nothing && value.empty()))
    parse_tensor_strides(value, setting.by_option);  // throws where it can't be read
  if (const unsigned releases = releases_of(key); releases && release && !(releases & release->tables))
    throw unknown_to_release(key, releases, release);
  const auto* b = find_row(kBoolKeys, key, &BoolKeyRow::key);
  const auto* t = find_row(kTristateKeys, key, &TristateKeyRow::key);
  const auto* i = find_row(kIntKeys, key, &IntKeyRow::key);
  const auto* l = find_row(kListKeys, key, &ListKeyRow::key);
  const auto* s = find_row(kTextKeys, key, &TextKeyRow::key);
  const auto* r = find_row(kRunTimeKeys, key, &RunTimeKeyRow::key);
  if (b)
    this->*b->member = yes_no(setting);
  else if (t)
    this->*t->member = yes_no(setting) ? Tristate::Yes : Tristate::No;
  else if (i)
    this->*i->member = whole_number(setting);
  else if (l)
    this->*l->member = comma_list(value);
  else if (s)
    this->*s->member = checked_text(*s, setting);
  else if (r)
    check_run_time_value(r->values, setting);
  else
    throw unknown(key, release);
  if (may_be_nothing && i && i->member == &Options::streams && streams == 0) streams = -1;
}

bool PassOptions::hw_disabled(std::string_view layer) const {
  const std::string name = lower_case(layer);
  const auto listed = [&](const std::vector<std::string>& v) { return std::ranges::find(v, name) != v.end(); };
  return hw_white_list.empty() ? listed(hw_black_list) : !listed(hw_white_list);
}

namespace {
void check_range(const char* key, int value, int max) {
  if (value >= 1 && value <= max) return;
  throw Error(ErrorCode::BadOptionValue, "Value of configuration option (\"" + std::string(key) +
                                             "\") must be in the range [1, " + std::to_string(max) + "], actual is \"" +
                                             std::to_string(value) + "\"");
}
void check_available(const char* what, int wanted, int available) {
  if (wanted <= available) return;
  Error e(ErrorCode::NotEnoughResources, "Cannot allocate \"" + std::to_string(wanted) + "\" " + what + ": only " +
                                             std::to_string(available) + " is available");
  throw e.hint("two streams are the default; set MYRIAD_THROUGHPUT_STREAMS to 1, or ask for fewer");
}
}  // namespace

Resources resolve_resources(const CompileOptions& o, const Release& release) {
  constexpr int kShaves = 16, kSlices = 19;
  const bool by_option = release.refuses_by_option;
  if ((o.shaves >= 0) != (o.slices >= 0))
    throw Error(
        ErrorCode::BadOptionValue,
        by_option
            ? "should set both options for resource management: MYRIAD_NUMBER_OF_SHAVES and MYRIAD_NUMBER_OF_CMX_SLICES"
            : "You should set both option for resource management: VPU_NUMBER_OF_CMX_SLICES and VPU_NUMBER_OF_SHAVES");
  const auto called = [&](const std::string& key) {
    return by_option ? "option " + key : "configuration option (\"" + key + "\")";
  };
  if (o.shaves > o.slices)
    throw Error(ErrorCode::BadOptionValue,
                "Value of " + called("MYRIAD_NUMBER_OF_SHAVES") + " must be not greater than value of " +
                    called("MYRIAD_NUMBER_OF_CMX_SLICES") + ", but " + std::to_string(o.shaves) + " > " +
                    std::to_string(o.slices) + " are provided");
  Resources r;
  const int usual = o.performance_hint == "LATENCY" || !o.hw_acceleration ? 1 : 2;
  r.streams = o.streams >= 0 ? o.streams : usual;
  check_range("MYRIAD_THROUGHPUT_STREAMS", r.streams, 3);
  r.slices = o.slices >= 0 ? o.slices : kSlices / r.streams;
  check_range("MYRIAD_NUMBER_OF_CMX_SLICES", r.slices, kSlices);
  const int64_t standard_limit = (r.slices / 2) * kCmxSliceBytes + kCmxSliceBytes / 2;
  r.tiling_cmx_limit = o.tiling_cmx_limit_kb < 0
                           ? standard_limit
                           : std::min<int64_t>(int64_t{o.tiling_cmx_limit_kb} * 1024, standard_limit);
  r.shaves =
      o.shaves >= 0 ? o.shaves : (r.streams == 1 ? kShaves : (kShaves - (r.streams * r.slices - kShaves)) / r.streams);
  check_range("MYRIAD_NUMBER_OF_SHAVES", r.shaves, kShaves);
  check_available("shaves", r.shaves * r.streams, kShaves);
  check_available("slices", r.slices * r.streams, kSlices);
  return r;
}

}  // namespace blobsmith::vpu
