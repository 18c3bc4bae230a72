#include "vpu/format/params_json.hpp"

namespace blobsmith::vpu {
namespace {

using Json = nlohmann::ordered_json;

class ParamDumper final : public FieldArchive {
 public:
  void word(std::string_view name, int32_t& v) override { put(name, v); }
  void word(std::string_view name, uint32_t& v) override { put(name, v); }
  void word(std::string_view name, float& v) override { put(name, v); }
  void half(std::string_view name, Half& v) override { put(name, half_to_float(v)); }
  void words(std::string_view name, std::vector<int32_t>& v) override { put(name, v); }
  void words(std::string_view name, std::vector<float>& v) override { put(name, v); }
  void begin_item(std::string_view list, int) override {
    Json& items = stack_.back()[std::string(list)];
    if (items.is_null()) items = Json::array();
    list_ = list;
    stack_.push_back(Json::object());
  }
  void end_item() override {
    Json item = std::move(stack_.back());
    stack_.pop_back();
    stack_.back()[list_].push_back(std::move(item));
  }
  void text(std::string_view name, const std::string& v) override { put(name, v); }
  bool reading() const override { return false; }
  Json take() { return std::move(stack_.front()); }

 private:
  void put(std::string_view name, Json value) {
    Json& object = stack_.back();
    const std::string key(name);
    if (!object.contains(key))
      object[key] = std::move(value);
    else if (!repeated(key))
      object[key] = Json::array({object[key], std::move(value)});
    else
      object[key].push_back(std::move(value));
  }
  bool repeated(const std::string& key) const { return stack_.back()[key].is_array(); }

  std::vector<Json> stack_{Json::object()};
  std::string list_;
};

}  // namespace

nlohmann::ordered_json params_json(const StageParams& params) {
  ParamDumper dumper;
  show_fields(params, dumper);
  return dumper.take();
}

}  // namespace blobsmith::vpu
