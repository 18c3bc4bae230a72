// What Model Optimizer does to any network once its operators are known: pipeline.cpp is the table.
#pragma once
#include "importers/common/session.hpp"

namespace blobsmith::model_optimizer {

/// All rows that are for the session's framework; the graph as it is when the IR is read.
Imported finish(importers::Session session);

}  // namespace blobsmith::model_optimizer
