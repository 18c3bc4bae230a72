// What the table of Keras layers works with: one call of a layer, its weights as constants, and TensorFlow's operators
// to spell it out with (model-optimizer spec §4.3).
#pragma once
#include <span>

#include "importers/keras/model.hpp"
#include "importers/tensorflow/builder.hpp"
#include "importers/tensorflow/context.hpp"
#include "importers/tensorflow/step_loop.hpp"

namespace blobsmith::keras_import {

using keras_file::Json;
using namespace tensorflow_file;

class Layer {
 public:
  Layer(tensorflow_import::Context& context, const keras_file::Call& call, int keras)
      : c(context), call_(call), config_(call.config), keras_(keras) {}
  /// The same with another configuration: of a layer that a layer wraps.
  Layer(const Layer& outer, const Json& config, std::string part)
      : c(outer.c),
        mask(outer.mask),
        call_(outer.call_),
        config_(config),
        keras_(outer.keras_),
        part_(std::move(part)) {}
  /// One of several cells of it: numbered weights lie in `part` of it, named ones in `scope`.
  Layer(const Layer& outer, const Json& config, const std::string& part, std::string scope)
      : Layer(outer, config, outer.part_ + (outer.part_.empty() || part.empty() ? "" : "/") + part) {
    scope_ = std::move(scope);
  }
  /// And with other inputs.
  Layer(const Layer& outer, const Json& config, tensorflow_import::Context& context)
      : c(context), call_(outer.call_), config_(config), keras_(outer.keras_), part_("layer") {}

  tensorflow_import::Context& c;
  Value mask{};                ///< of the steps of its first input, [N, steps] of 0 and 1; none: all count
  bool zeroes_masked = false;  ///< results of steps that don't count are zeros, else those of the step before

  int keras() const { return keras_; }
  const Json& config() const { return config_; }
  const Json& arguments() const { return call_.arguments; }
  int64_t integer(const char* key, int64_t fallback) const;
  double real(const char* key, double fallback) const;
  bool flag(const char* key, bool fallback) const;
  std::string text(const char* key, const std::string& fallback = {}) const;
  /// `count` numbers; one number stands for all.
  std::vector<int64_t> integers(const char* key, size_t count, int64_t fallback) const;
  bool channels_last() const { return text("data_format", "channels_last") != "channels_first"; }

  /// A weight by its name, or by its number where the file has numbers; null: there is none.
  const Tensor* find_weight(const char* name, size_t number, const std::string& part = {}) const;
  const Tensor* find_exactly(const std::string& key) const;
  const Tensor& weight(const char* name, size_t number, const std::string& part = {}) const;
  Value constant(const Tensor& t, const std::string& suffix);
  Value integers_value(const std::vector<int64_t>& v, const std::string& suffix);
  Value number(double v, const std::string& suffix);

  Value x() { return c.input(0); }
  Value apply(const char* op, std::vector<Value> inputs, NamedAttributes attributes = {},
              const std::string& suffix = {});
  /// The activation that a configuration names: a text, or the description of a layer.
  Value activated(Value v, const Json& activation, const std::string& suffix = {});
  [[noreturn]] void refuse(const std::string& why) const { c.refuse(why); }

 private:
  const keras_file::Call& call_;
  const Json& config_;
  int keras_;
  std::string part_;   ///< of the wrapping layer's weights: "forward"
  std::string scope_;  ///< the name of a cell among several
};

struct LayerRow {
  std::string_view class_name;
  std::string_view becomes;  ///< the main operation; empty: it passes its input on
  std::vector<Value> (*convert)(Layer&);
};
const LayerRow* find_layer(std::string_view class_name);
std::vector<std::span<const LayerRow>> layer_families();
std::span<const LayerRow> attention_layers();  // attention.cpp
std::span<const LayerRow> operation_layers();  // operations.cpp
std::span<const LayerRow> array_layers();      // array_operations.cpp
std::span<const LayerRow> function_layers();   // tensorflow_functions.cpp
std::span<const LayerRow> norm_layers();       // norms.cpp
std::span<const LayerRow> window_layers();     // windows.cpp
std::span<const LayerRow> shape_layers();      // shapes.cpp
std::span<const LayerRow> element_layers();    // elements.cpp
std::span<const LayerRow> recurrent_layers();  // recurrent.cpp
std::span<const LayerRow> made_layers();       // recurrent.cpp: which no file has

// Functions of TensorFlow that no class of Keras is like, by their own names.
std::span<const LayerRow> array_functions();      // array_operations.cpp
std::span<const LayerRow> operation_functions();  // operations.cpp
/// The class of Keras that a function of TensorFlow is like (tensorflow_functions.cpp).
std::string_view class_of_function(std::string_view function, std::string_view otherwise);

/// All results, the last one, and the last state of the cells (conv_lstm.cpp).
std::vector<Value> conv_lstm(Layer& l, Value x, const tensorflow_import::StepOrder& run);

}  // namespace blobsmith::keras_import
