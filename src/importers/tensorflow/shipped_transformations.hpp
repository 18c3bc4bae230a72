// The files for --transformations_config that OpenVINO ships, made from what differs between them.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace blobsmith::tensorflow_file {

/// `name`: "ssd_v2_support"; nothing: none is called so.
std::optional<nlohmann::json> shipped_transformations(std::string_view name);
std::string shipped_transformation_names();  ///< for messages

}  // namespace blobsmith::tensorflow_file
