"""Matrix products, reductions, normalisations, recurrent layers."""
import numpy as np

from .random_net import RandomNet
from .windows import activation_after


def fully_connected(n):
    x = n.pick(rank=(2, 3), limit=20000)
    if x is None:
        return None
    *lead, k = n.shape[x]
    m = n.one_of(1, 5, 10, 16, 33, 64, 100)
    if k * m > 60000:
        return None
    flip = n.chance(0.7)
    y = n.emit('MatMul', [x, n.weights(m, k) if flip else n.weights(k, m)], (*lead, m), transpose_a=False, transpose_b=flip)
    if n.chance(0.7):
        y = n.emit('Add', [y, n.weights(*(n.one_of([1] * len(lead), []) if len(lead) > 1 else [1]), m, scale=0.1)], (*lead, m), auto_broadcast='numpy')
    return activation_after(n, y) if len(lead) == 1 and n.chance(0.5) else y


def classifier(n):
    """Flatten and a fully connected layer."""
    x = n.pick(rank=4, limit=6000)
    if x is None:
        return None
    s = n.shape[x]
    k = int(np.prod(s[1:]))
    y = n.emit('Reshape', [x, n.ints(0, -1)], (s[0], k), special_zero=True)
    m = n.one_of(2, 10, 21, 64)
    return n.emit('MatMul', [y, n.weights(m, k)], (s[0], m), transpose_a=False, transpose_b=True) if k * m < 60000 else y


def matmul(n):
    a = n.pick(rank=(2, 3, 4), limit=8000)
    if a is None:
        return None
    *lead, r, c = n.shape[a]
    transpose_a, transpose_b = n.chance(0.2), n.chance(0.4)
    rows, inner = (c, r) if transpose_a else (r, c)
    k = n.integer(1, 20)
    b_shape = (*lead, *((k, inner) if transpose_b else (inner, k)))
    b = n.pick(where=lambda s: len(s) == len(lead) + 2 and s[:-2] == tuple(lead) and s[-1 if transpose_b else -2] == inner)
    if b is None:
        b = n.weights(*b_shape) if n.chance(0.3) else n.parameter(b_shape)
    k = n.shape[b][-2 if transpose_b else -1]
    if inner * k > 40000 or np.prod(lead) * rows * k > 40000:
        return None
    return n.emit('MatMul', [a, b], (*lead, rows, k), transpose_a=transpose_a, transpose_b=transpose_b)


def reduce(n):
    x = n.pick(limit=60000)
    if x is None:
        return None
    shape, rank = n.shape[x], len(n.shape[x])
    axes = [2, 3] if rank == 4 and n.chance(0.5) else n.subset(range(1, rank) if rank > 1 and n.chance(0.8) else range(rank))
    keep = n.chance(0.6)
    kind = n.one_of('ReduceMean', 'ReduceMean', 'ReduceMax', 'ReduceSum', 'ReduceMin', 'ReduceL2')
    out = [1 if i in axes else d for i, d in enumerate(shape) if keep or i not in axes]
    if not out:
        return None
    return n.emit(kind, [x, n.ints(*(n.axis(a, rank) for a in axes))], out, version='opset4' if kind == 'ReduceL2' else 'opset1', keep_dims=keep)


def softmax(n):
    x = n.pick(limit=40000)
    if x is None:
        return None
    axis = n.integer(0, len(n.shape[x]) - 1) if n.chance(0.5) else min(1, len(n.shape[x]) - 1)
    if n.chance(0.1):
        return n.emit('LogSoftmax', [x], n.shape[x], version='opset5', axis=n.axis(axis, len(n.shape[x])))
    return n.emit('SoftMax', [x], n.shape[x], axis=axis)


def mvn(n):
    x = n.pick(rank=(3, 4), limit=40000)
    if x is None:
        return None
    axes = n.one_of([2, 3], [1, 2, 3], [3]) if len(n.shape[x]) == 4 else n.one_of([2], [1, 2])
    return n.emit('MVN', [x, n.ints(*axes)], n.shape[x], version='opset6', eps=n.one_of(1e-5, 1e-9), eps_mode=n.one_of('INSIDE_SQRT', 'OUTSIDE_SQRT'), normalize_variance=n.chance(0.8))


def normalize_l2(n):
    x = n.image(40000)
    return x and n.emit('NormalizeL2', [x, n.ints(*n.one_of([1], [1, 2, 3]))], n.shape[x], eps=n.one_of(1e-6, 1e-10), eps_mode=n.one_of('add', 'max'))


def grn(n):
    x = n.image(40000)
    return x and n.emit('GRN', [x], n.shape[x], bias=n.one_of(1.0, 0.5))


def lrn(n):
    x = n.image(40000)
    return x and n.emit('LRN', [x, n.ints(*n.one_of([1], [1], [2, 3]))], n.shape[x], alpha=n.one_of(0.0001, 0.00005, 1.5), beta=0.75, bias=n.one_of(1.0, 2.0), size=n.one_of(3, 5))


def lstm_weights(n, inputs, hidden, *lead):
    return n.weights(*lead, 4 * hidden, inputs, scale=0.2), n.weights(*lead, 4 * hidden, hidden, scale=0.2), n.weights(*lead, 4 * hidden, scale=0.1)


def lstm_cell(n):
    x = n.pick(rank=2, limit=1000, where=lambda s: s[0] == 1 and s[1] <= 64)
    if x is None:
        return None
    batch, size = n.shape[x]
    hidden = n.one_of(4, 8, 16, 20)
    h, c = (n.weights(batch, hidden, scale=0.5) if n.chance(0.5) else n.parameter([batch, hidden]) for _ in range(2))
    return n.emit('LSTMCell', [x, h, c, *lstm_weights(n, size, hidden)], (batch, hidden), (batch, hidden), version='opset4', hidden_size=hidden)


def lstm_sequence(n):
    x = n.pick(rank=3, limit=1500, where=lambda s: s[0] == 1 and s[1] <= 16 and s[2] <= 64)
    if x is None:
        return None
    batch, steps, size = n.shape[x]
    hidden, direction = n.one_of(4, 8, 16), n.one_of('forward', 'forward', 'reverse', 'bidirectional')
    d = 2 if direction == 'bidirectional' else 1
    h, c = n.weights(batch, d, hidden, scale=0.5), n.weights(batch, d, hidden, scale=0.5)
    return n.emit('LSTMSequence', [x, h, c, n.const([steps] * batch, 'i32'), *lstm_weights(n, size, hidden, d)], (batch, d, steps, hidden), (batch, d, hidden), (batch, d, hidden), version='opset5', hidden_size=hidden,
                  direction=direction)


def tensor_iterator(n):
    """A loop with one state over the steps of a sequence."""
    x = n.pick(rank=3, limit=1500, where=lambda s: s[0] == 1 and 1 < s[1] <= 8)
    if x is None:
        return None
    batch, steps, size = n.shape[x]
    body = RandomNet('body', n.integer(0, 1 << 30))
    body.float_type = n.float_type
    part, state = body.parameter([batch, 1, size]), body.parameter([batch, 1, size])
    new = body.emit('Add', [part, body.emit('Multiply', [state, body.const([[[0.5]]])], (batch, 1, size), auto_broadcast='numpy')], (batch, 1, size), auto_broadcast='numpy')
    new = body.emit('Tanh', [new], (batch, 1, size))
    last, each = body.emit_result(new), body.emit_result(new)
    start = n.parameter([batch, 1, size]) if n.chance(0.5) else n.weights(batch, 1, size, scale=0.5)
    y = n.emit('TensorIterator', [x, start], (batch, steps, size))
    layer = n.layers[y[0]]
    layer.body = body
    layer.inner = (f'<port_map><input axis="1" external_port_id="0" internal_layer_id="{part[0]}" start="0" end="-1" stride="1" part_size="1"/><input external_port_id="1" internal_layer_id="{state[0]}"/>'
                   f'<output axis="1" external_port_id="2" internal_layer_id="{each}" start="0" end="-1" stride="1" part_size="1"/></port_map><back_edges><edge from-layer="{last}" to-layer="{state[0]}"/></back_edges>')
    return y


def recurrent_loop(n):
    """A cell between two Reshapes, Squeezes or the like, in a TensorIterator or a Loop: what may become a sequence."""
    kind, axis = n.one_of('LSTM', 'LSTM', 'GRU', 'RNN'), n.one_of(1, 1, 0)
    x = n.pick(rank=3, limit=1500, where=lambda s: s[1 - axis] == 1 and 1 < s[axis] <= 8 and s[2] <= 64)
    if x is None:
        return None
    steps, size, hidden = n.shape[x][axis], n.shape[x][2], n.one_of(4, 8, 16)
    gates, states = {'LSTM': (4, 2), 'GRU': (3, 1), 'RNN': (1, 1)}[kind]
    body = RandomNet('body', n.integer(0, 1 << 30))
    body.float_type = n.float_type
    part, carried = body.parameter([1, 1, size]), [body.parameter([1, hidden]) for _ in range(states)]
    by_reshape = n.chance(0.3)
    flat = body.emit('Reshape', [part, body.ints(1, size)], (1, size), special_zero=True) if by_reshape else body.emit('Squeeze', [part, body.ints(axis)], (1, size))
    if n.chance(0.2):
        flat = body.emit('Tanh', [flat], (1, size))
    more = dict(linear_before_reset=True) if kind == 'GRU' and n.chance(0.3) else {}
    biases = (gates + 1 if more else gates) * hidden
    cell = body.emit(kind + 'Cell', [flat, *carried, body.weights(gates * hidden, size, scale=0.2), body.weights(gates * hidden, hidden, scale=0.2), body.weights(biases, scale=0.1)], *[(1, hidden)] * states,
                     version={'LSTM': 'opset4', 'GRU': 'opset3', 'RNN': 'opset1'}[kind], hidden_size=hidden, **more)
    cell = cell if states > 1 else [cell]
    each = body.emit('Reshape', [cell[0], body.ints(1, 1, hidden)], (1, 1, hidden), special_zero=True) if by_reshape else body.emit('Unsqueeze', [cell[0], body.ints(axis)], (1, 1, hidden))
    last = [body.emit_result(v) for v in cell]
    each = body.emit_result(each)
    forward = n.chance(0.7)
    rule = f'axis="{axis}" ' + ('start="0" end="-1" stride="1"' if forward else 'start="-1" end="0" stride="-1"') + ' part_size="1"'
    is_loop = n.chance(0.3)
    inputs = [n.const(steps, 'i64'), n.const(True, 'boolean')] if is_loop else []
    first = len(inputs)
    inputs += [x, *(n.parameter([1, hidden]) if n.chance(0.3) else n.weights(1, hidden, scale=0.5) for _ in carried)]
    given = [k for k in range(states) if n.chance(0.4)]
    whole = (1, steps, hidden) if axis else (steps, 1, hidden)
    y = n.emit('Loop' if is_loop else 'TensorIterator', inputs, whole, *[(1, hidden)] * len(given), version='opset5' if is_loop else 'opset1')
    ports = f'<input external_port_id="{first}" internal_layer_id="{part[0]}" {rule}/>' + ''.join(f'<input external_port_id="{first + 1 + k}" internal_layer_id="{c[0]}"/>' for k, c in enumerate(carried))
    if is_loop:
        ports += f'<output external_port_id="-1" internal_layer_id="{body.emit_result(body.const(True, "boolean"))}" purpose="execution_condition"/>'
    ports += f'<output axis="{axis}" external_port_id="{len(inputs)}" internal_layer_id="{each}" {rule.split(" ", 1)[1]}/>'
    ports += ''.join(f'<output external_port_id="{len(inputs) + 1 + i}" internal_layer_id="{last[k]}"/>' for i, k in enumerate(given))
    layer = n.layers[(y[0] if given else y)[0]]
    layer.body = body
    layer.inner = f'<port_map>{ports}</port_map><back_edges>' + ''.join(f'<edge from-layer="{r}" to-layer="{c[0]}"/>' for r, c in zip(last, carried)) + '</back_edges>'
    return y


LAYERS = {fully_connected: 3, classifier: 1, matmul: 2, reduce: 3, softmax: 2, mvn: 0.8, normalize_l2: 0.5, grn: 0.4, lrn: 0.6, lstm_cell: 0.4, lstm_sequence: 0.4, tensor_iterator: 0.3, recurrent_loop: 0.4}
