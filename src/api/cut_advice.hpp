// What to do about a model with layers that can't be compiled.
#pragma once
#include <exception>
#include <utility>

#include "blobsmith/convert.hpp"
#include "blobsmith/error.hpp"

namespace blobsmith::api {

/// Adds to the last of the errors that the model can be cut, where it can. Anything else stays as it is.
Error advise_cut(const ModelFile& model, const ConvertOptions& o, Error e);

/// Calls `convert`; its errors say what can be done.
template <typename Convert>
auto with_cut_advice(const ModelFile& model, const ConvertOptions& o, Convert convert) {
  try {
    return convert();
  } catch (const Error& e) {
    throw advise_cut(model, o, e);
  } catch (const ErrorList& list) {
    std::vector<Error> errors = list.errors();
    if (!errors.empty()) errors.back() = advise_cut(model, o, std::move(errors.back()));
    throw ErrorList(std::move(errors));
  }
}

}  // namespace blobsmith::api
