// Loops of TensorFlow 1, which a graph spells out, as the operator and functions that TensorFlow 2 has for them.
#pragma once
#include "importers/tensorflow/functions.hpp"

namespace blobsmith::tensorflow_file {

/// Every frame (Enter, Merge, LoopCond, Switch, NextIteration, Exit) becomes a While. Throws FileCorrupt naming the
/// frame that is none.
void make_loops(FlatModel& model);

}  // namespace blobsmith::tensorflow_file
