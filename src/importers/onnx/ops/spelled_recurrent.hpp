// LSTM, GRU and RNN in forms that the loops of recurrent.cpp don't have.
#pragma once
#include "importers/onnx/mo_context.hpp"

namespace blobsmith::onnx_import::mo {

enum class Cell { Lstm, Gru, Rnn };

/// Weights that the network computes, peepholes, a clip, layout 1, coupled gates, sequences of different lengths, other
/// functions than Sigmoid, Tanh (and Relu of a single state).
bool needs_spelled_recurrent(Context& c, Cell kind);
/// Step by step: Y, Y_h and, of an LSTM, Y_c.
std::vector<Value> spelled_recurrent(Context& c, Cell kind);

}  // namespace blobsmith::onnx_import::mo
