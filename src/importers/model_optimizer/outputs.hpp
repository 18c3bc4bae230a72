// The outputs of a network as Model Optimizer makes them, for every framework (model-optimizer spec §8.4).
#pragma once
#include "importers/common/session.hpp"

namespace blobsmith::model_optimizer {

using importers::Session;

/// Results in the order of "<producer>_<tensor>"; what nothing reads is one too.
void add_results(Session& s);
/// A network output that is one of several outputs of its layer gets a layer of its own: Add 0.
void separate_outputs(Session& s);

// names.cpp
/// The layer that computes a network output has the output's name.
void name_outputs(Session& s);
void make_names_unique(Session& s);

}  // namespace blobsmith::model_optimizer
