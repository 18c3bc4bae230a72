"""One function for each kind of ONNX layer or chain: reads what fits of a model (onnx_net.OnnxNet), adds nodes, returns a value or None."""
import numpy as np
from onnx import TensorProto

UNARY = ('Relu', 'Relu', 'Sigmoid', 'Tanh', 'Softplus', 'Abs', 'Neg', 'Exp', 'Floor', 'Erf', 'Softsign', 'Ceil', 'Sqrt', 'Log', 'Identity', 'Dropout', 'Reciprocal')


def chain(n, x, *steps):
    """Each step: operator, further inputs, attributes; the value goes through all of them."""
    for op_type, inputs, attributes in steps:
        x = x and n.node(op_type, [x, *inputs], **attributes)
    return x


def conv(n):
    x = n.image(40000)
    if x is None:
        return None
    c, h, w = n.shape[x][1:]
    groups = c if n.chance(0.2) else n.one_of(1, 1, 1, 2)
    k, stride, dilation = n.one_of(1, 1, 3, 3, 3, 5, 7), n.one_of(1, 1, 1, 2), n.one_of(1, 1, 1, 1, 2)
    if c % groups or (k - 1) * dilation >= min(h, w):
        return None
    out = groups * n.one_of(1, 1, 2) if groups > 1 else n.one_of(4, 8, 10, 16, 24, 32, 64)
    wide = n.one_of(k, k, k, 1) if k > 1 else k
    attributes = dict(kernel_shape=[k, wide], strides=[stride, stride], group=groups, dilations=[dilation, dilation])
    if n.chance(0.15):
        attributes['auto_pad'] = n.one_of('SAME_UPPER', 'SAME_LOWER', 'VALID')
        attributes['dilations'] = [1, 1]
    elif k > 1 and n.chance(0.8):
        p, q = (k - 1) * dilation // 2, (wide - 1) * dilation // 2
        attributes['pads'] = [p, q, p, q]
    x = n.node('Conv', [x, n.weights(out, c // groups, k, wide), *([n.weights(out, scale=0.3)] if n.chance(0.6) else [])], **attributes)
    if x and n.chance(0.3):
        x = batch_norm_of(n, x)
    if x and n.chance(0.4):
        return activation_of(n, x)
    return x


def conv_transpose(n):
    x = n.image(6000)
    if x is None:
        return None
    c = n.shape[x][1]
    k, stride = n.one_of((2, 2), (3, 2), (4, 2), (3, 1))
    p = (k - stride + 1) // 2 if n.chance(0.6) else 0
    attributes = dict(output_padding=[1, 1]) if stride == 2 and k == 3 and n.chance(0.5) else {}
    return n.node('ConvTranspose', [x, n.weights(c, n.one_of(4, 8, 16), k, k)], kernel_shape=[k, k], strides=[stride, stride], pads=[p] * 4, **attributes)


def batch_norm_of(n, x):
    c = n.shape[x][1]
    return n.node('BatchNormalization', [x, n.const(1 + 0.2 * n.random.standard_normal(c)), n.const(0.3 * n.random.standard_normal(c)), n.const(0.3 * n.random.standard_normal(c)), n.const(0.5 + n.random.random_sample(c))], epsilon=n.one_of(1e-5, 1e-3))


def batch_norm(n):
    x = n.pick(rank=(2, 3, 4))
    return x and batch_norm_of(n, x)


def activation_of(n, x):
    kind = n.one_of(0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 10)
    if kind == 0:
        return n.node('LeakyRelu', [x], alpha=n.real(0.01, 0.4))
    if kind == 1:
        low, high = n.one_of((0, 6), (-1, 1), (0, 1), (-2.5, 3))
        return n.node('Clip', [x], min=float(low), max=float(high)) if n.opset < 11 else n.node('Clip', [x, n.const(low) if n.chance(0.8) else '', n.const(high)])
    if kind == 3:
        return chain(n, n.node('Sigmoid', [x]), ('Mul', [x], {}))
    if kind == 4 and n.opset >= 11:
        gate = chain(n, x, ('Add', [n.const(3)], {}), ('Clip', [n.const(0), n.const(6)], {}))
        return gate and (chain(n, n.node('Mul', [x, gate]), ('Div', [n.const(6)], {})) if n.chance(0.5) else chain(n, n.node('Div', [gate, n.const(6)]), ('Mul', [x], {})))
    if kind == 5:
        return chain(n, n.node('Softplus', [x]), ('Tanh', [], {}), ('Mul', [x], {}))
    if kind == 6 and len(n.shape[x]) == 4:
        return n.node('PRelu', [x, n.const(n.random.random_sample((n.shape[x][1] if n.chance(0.7) else 1, 1, 1)))])
    if kind == 7 and n.opset >= 14:
        return n.node('HardSwish', [x])
    if kind == 8:
        gate = chain(n, n.node('Div', [x, n.const(2 ** 0.5)]), ('Erf', [], {}), ('Add', [n.const(1)], {}))
        return gate and chain(n, n.node('Mul', [x, gate]), ('Mul', [n.const(0.5)], {}))
    if kind == 9:
        return n.node('Elu', [x], alpha=n.one_of(1.0, 0.5))
    return n.node(n.one_of(*UNARY), [x])


def activation(n):
    x = n.pick(limit=60000)
    return x and activation_of(n, x)


def operand(n, shape):
    """A constant that broadcasts into the shape."""
    rank = len(shape)
    form = n.integer(0, 4)
    if form == 0:
        return n.const(n.real(-2, 3)) if n.chance(0.5) else n.const([n.real(0.2, 3)])
    if form == 1 and rank >= 3:
        return n.const(n.random.standard_normal((shape[1], *[1] * (rank - 2))) + 0.1)
    if form == 2 and rank >= 3:
        return n.const(n.random.standard_normal((1, shape[1], *[1] * (rank - 2))) + 0.1)
    if form == 3:
        return n.const(n.random.standard_normal(shape[-1]) + 0.1)
    return n.const(n.one_of(1.0, 0.0, 2.0, 0.5, 255.0)) if n.chance(0.5) else n.const(n.random.standard_normal(shape))


def with_constant(n):
    x = n.pick(limit=60000)
    if x is None:
        return None
    op_type, c = n.one_of('Add', 'Mul', 'Mul', 'Sub', 'Div', 'Pow', 'Max', 'Min'), operand(n, n.shape[x])
    if op_type == 'Pow':
        return n.node('Pow', [x, n.const(n.one_of(2.0, 0.5, 3.0, -1.0))])
    return n.node(op_type, [c, x] if n.chance(0.2) else [x, c])


def of_two(n):
    x = n.pick(limit=60000)
    y = x and n.pick(where=lambda s: len(s) == len(n.shape[x]) and all(a == b or 1 in (a, b) for a, b in zip(s, n.shape[x])))
    return y and n.node(n.one_of('Add', 'Add', 'Mul', 'Sub', 'Max', 'Min', 'Div'), [x, y])


def pool(n):
    x = n.image()
    if x is None:
        return None
    kind = n.integer(0, 5)
    if kind < 2:
        return n.node(n.one_of('GlobalAveragePool', 'GlobalAveragePool', 'GlobalMaxPool'), [x])
    k, stride = n.one_of((2, 2), (3, 2), (3, 1), (2, 1), (5, 1))
    if k > min(n.shape[x][2:]):
        return None
    p = k // 2 if n.chance(0.5) and k > 2 else 0
    attributes = dict(kernel_shape=[k, k], strides=[stride, stride], pads=[p] * 4)
    if n.chance(0.15) and n.opset >= 10:
        attributes['ceil_mode'] = 1
    if kind < 4:
        return n.node('MaxPool', [x], **attributes)
    return n.node('AveragePool', [x], count_include_pad=n.integer(0, 1), **attributes)


def reduce(n):
    x = n.pick(rank=(2, 3, 4))
    if x is None:
        return None
    rank = len(n.shape[x])
    axes = [2, 3] if rank == 4 and n.chance(0.5) else [n.integer(1, rank - 1)]
    axes = [n.axis(a, rank) for a in axes]
    op_type, keep = n.one_of('ReduceMean', 'ReduceMean', 'ReduceMax', 'ReduceSum', 'ReduceMin', 'ReduceL2'), n.integer(0, 1)
    if op_type == 'ReduceSum' and n.opset >= 13:
        return n.node(op_type, [x, n.const(axes, 'i64')], keepdims=keep)
    return n.node(op_type, [x], axes=axes, keepdims=keep)


def squeeze_excite(n):
    x = n.image(30000)
    if x is None:
        return None
    c = n.shape[x][1]
    y = n.node('GlobalAveragePool', [x]) if n.chance(0.6) else n.node('ReduceMean', [x], axes=[2, 3], keepdims=1)
    return y and chain(n, y, ('Conv', [n.weights(4, c, 1, 1), n.weights(4)], dict(kernel_shape=[1, 1])), ('Relu', [], {}), ('Conv', [n.weights(c, 4, 1, 1)], dict(kernel_shape=[1, 1])), ('Sigmoid', [], {}),
                       ('Mul', [x], {}))


def reshape(n):
    x = n.pick()
    if x is None:
        return None
    shape, kind = n.shape[x], n.integer(0, 5)
    if kind == 0:
        return n.node('Flatten', [x], axis=1)
    if kind == 1:
        order = list(n.random.permutation(len(shape)))
        return n.node('Transpose', [x], perm=[int(i) for i in order])
    if kind == 2 and 1 in shape[1:]:
        axes = [1 + shape[1:].index(1)]
        return n.node('Squeeze', [x, n.const(axes, 'i64')]) if n.opset >= 13 else n.node('Squeeze', [x], axes=axes)
    if kind == 3 and len(shape) < 4:
        axes = [n.integer(1, len(shape))]
        return n.node('Unsqueeze', [x, n.const(axes, 'i64')]) if n.opset >= 13 else n.node('Unsqueeze', [x], axes=axes)
    if kind == 4:
        return by_size(n, x)
    pattern = n.one_of([0, -1], [1, -1], [0, shape[1], -1] if len(shape) > 1 else [-1], [1, -1, shape[-1]], [shape[0], -1, 1, 1])
    return n.node('Reshape', [x, n.const(pattern, 'i64')])


def by_size(n, x):
    """x.view(x.size(0), -1), as it is exported."""
    size = chain(n, n.node('Shape', [x]), ('Gather', [n.const(0, 'i64')], dict(axis=0)))
    if size is None:
        return None
    size = n.node('Unsqueeze', [size, n.const([0], 'i64')]) if n.opset >= 13 else n.node('Unsqueeze', [size], axes=[0])
    pattern = size and n.node('Concat', [size, n.const([-1], 'i64')], axis=0)
    return pattern and n.node('Reshape', [x, pattern])


def shuffle(n):
    x = n.image()
    if x is None or n.shape[x][1] % 2:
        return None
    b, c, h, w = n.shape[x]
    return chain(n, x, ('Reshape', [n.const([b, 2, c // 2, h, w], 'i64')], {}), ('Transpose', [], dict(perm=[0, 2, 1, 3, 4])), ('Reshape', [n.const([b, -1, h, w], 'i64')], {}))


def concat(n):
    x = n.pick(rank=(2, 3, 4), limit=30000)
    if x is None:
        return None
    axis = 1 if n.chance(0.8) else len(n.shape[x]) - 1
    fits = [v for v in n.live if n.kind[v] == 'float' and len(n.shape[v]) == len(n.shape[x]) and all(a == b or i == axis for i, (a, b) in enumerate(zip(n.shape[v], n.shape[x])))]
    parts = [n.one_of(*fits) for _ in range(n.integer(1, 3))] + [x]
    return n.node('Concat', parts, axis=n.axis(axis, len(n.shape[x])) if n.opset >= 11 else axis)


def slices(n):
    x = n.pick(rank=(2, 3, 4))
    if x is None:
        return None
    shape = n.shape[x]
    axis = n.integer(1, len(shape) - 1)
    if shape[axis] < 2:
        return None
    begin = n.integer(0, shape[axis] - 2)
    end, step = n.one_of(n.integer(begin + 1, shape[axis]), 2 ** 31 - 1, shape[axis]), n.one_of(1, 1, 1, 2)
    if n.opset < 10:
        return n.node('Slice', [x], starts=[begin], ends=[end], axes=[axis])
    return n.node('Slice', [x, n.const([begin], 'i64'), n.const([end], 'i64'), n.const([axis], 'i64'), *([n.const([step], 'i64')] if step != 1 or n.chance(0.7) else [])])


def focus(n):
    """Every second pixel four times, joined."""
    x = n.image()
    if x is None or n.opset < 10 or n.shape[x][2] % 2 or n.shape[x][3] % 2:
        return None
    parts = []
    for down, right in ((0, 0), (1, 0), (0, 1), (1, 1)):
        part = x
        for axis, begin in ((2, down), (3, right)):
            part = part and n.node('Slice', [part, n.const([begin], 'i64'), n.const([2 ** 31 - 1], 'i64'), n.const([axis], 'i64'), n.const([2], 'i64')])
        if part is None:
            return None
        parts.append(part)
    return n.node('Concat', parts, axis=1)


def split(n):
    x = n.pick(rank=(2, 3, 4), where=lambda s: s[1] > 1)
    if x is None:
        return None
    c = n.shape[x][1]
    first = n.integer(1, c - 1)
    sizes = [c // 2, c // 2] if c % 2 == 0 and n.chance(0.6) else [first, c - first]
    if n.opset >= 13:
        return n.node('Split', [x, n.const(sizes, 'i64')], outputs=2, axis=1)
    return n.node('Split', [x], outputs=2, axis=1, split=sizes)


def pad(n):
    x = n.image()
    if x is None:
        return None
    p = [0, 0, n.integer(0, 2), n.integer(0, 2)] * 2
    mode = n.one_of('constant', 'constant', 'reflect', 'edge')
    if n.opset < 11:
        return n.node('Pad', [x], mode=mode, pads=p)
    return n.node('Pad', [x, n.const(p, 'i64'), *([n.const(n.one_of(0.0, 0.0, 1.5))] if mode == 'constant' and n.chance(0.7) else [])], mode=mode)


def resize(n):
    x = n.image(8000)
    if x is None:
        return None
    h, w = n.shape[x][2:]
    scale = n.one_of(2.0, 2.0, 3.0, 0.5, 1.5)
    if n.opset == 9:
        return n.node('Upsample', [x, n.const([1, 1, 2, 2])], mode=n.one_of('nearest', 'linear'))
    if n.opset == 10:
        return n.node('Resize', [x, n.const([1, 1, scale, scale])], mode=n.one_of('nearest', 'linear'))
    attributes = n.one_of(dict(mode='nearest', coordinate_transformation_mode='asymmetric', nearest_mode='floor'), dict(mode='linear', coordinate_transformation_mode='align_corners'), dict(mode='linear', coordinate_transformation_mode='half_pixel'),
                          dict(mode='linear', coordinate_transformation_mode='pytorch_half_pixel'), dict(mode='nearest'))
    roi = n.const(np.zeros(0)) if n.opset < 13 else ''
    if n.chance(0.6):
        return n.node('Resize', [x, roi, n.const([1, 1, scale, scale])], **attributes)
    return n.node('Resize', [x, roi, n.const(np.zeros(0)) if n.opset < 13 else '', resized(n, x) if n.chance(0.5) else n.const([*n.shape[x][:2], 2 * h, 2 * w], 'i64')], **attributes)


def resized(n, x):
    """Twice the height and width of a tensor, computed inside of the model; in real numbers now and then."""
    before = list(n.live)
    sizes = n.node('Shape', [x])
    if n.chance(0.5):
        sizes = n.node('Mul', [sizes, n.const([1, 1, 2, 2], 'i64')])
    else:
        for op_type, more, attributes in (('Cast', [], {'to': TensorProto.FLOAT}), ('Mul', [n.const([1, 1, 2, 2])], {}), ('Cast', [], {'to': TensorProto.INT64})):
            sizes = n.node(op_type, [sizes, *more], **attributes)
    n.live = before
    return sizes


def gather(n):
    x = n.pick(rank=(2, 3, 4))
    if x is None:
        return None
    axis = n.integer(1, len(n.shape[x]) - 1)
    length = n.shape[x][axis]
    indices = n.integer(0, length - 1) if n.chance(0.5) else n.subset(range(length))
    return n.node('Gather', [x, n.const(indices, 'i64')], axis=axis)


def matmul(n):
    x = n.pick(rank=(2, 3, 4), limit=8000)
    if x is None:
        return None
    k, out = n.shape[x][-1], n.one_of(4, 10, 16, 32, 64)
    if len(n.shape[x]) == 2 and n.chance(0.6):
        transposed = n.integer(0, 1)
        return n.node('Gemm', [x, n.weights(*((out, k) if transposed else (k, out))), *([n.weights(out)] if n.chance(0.8) else [])], transB=transposed, alpha=n.one_of(1.0, 1.0, 0.5))
    y = n.node('MatMul', [x, n.weights(k, out)])
    return y and (n.node('Add', [y, n.weights(out)]) if n.chance(0.6) else y)


def attention(n):
    x = n.pick(rank=3, limit=3000)
    if x is None:
        return None
    c = n.shape[x][-1]
    q, k, v = (n.node('MatMul', [x, n.weights(c, 16)]) for _ in range(3))
    if None in (q, k, v):
        return None
    turned = n.node('Transpose', [k], perm=[0, 2, 1])
    scores = turned and chain(n, n.node('MatMul', [q, turned]), n.one_of(('Div', [n.const(4.0)], {}), ('Mul', [n.const(0.25)], {})), ('Softmax', [], dict(axis=2)))
    return scores and n.node('MatMul', [scores, v])


def softmax(n):
    x = n.pick(rank=(2, 3, 4), limit=20000)
    return x and n.node(n.one_of('Softmax', 'Softmax', 'LogSoftmax'), [x], axis=n.integer(1, len(n.shape[x]) - 1))


def normalisation(n):
    x = n.pick(rank=(3, 4), limit=20000)
    if x is None:
        return None
    rank, c, kind = len(n.shape[x]), n.shape[x][1], n.integer(0, 3)
    if kind == 0:
        return n.node('InstanceNormalization', [x, n.const(1 + 0.1 * n.random.standard_normal(c)), n.const(0.1 * n.random.standard_normal(c))])
    if kind == 1 and rank == 4:
        return n.node('LRN', [x], size=n.one_of(3, 5), alpha=1e-4)
    if kind == 2:
        return n.node('LpNormalization', [x], axis=n.integer(1, rank - 1), p=2)
    mean = n.node('ReduceMean', [x], axes=[-1])
    centred = mean and n.node('Sub', [x, mean])
    deviation = centred and chain(n, n.node('Pow', [centred, n.const(2.0)]), ('ReduceMean', [], dict(axes=[-1])), ('Add', [n.const(1e-5)], {}), ('Sqrt', [], {}))
    size = n.shape[x][-1]
    return deviation and chain(n, n.node('Div', [centred, deviation]), ('Mul', [n.weights(size, scale=1)], {}), ('Add', [n.weights(size, scale=0.2)], {}))


def blocks(n):
    x = n.image()
    if x is None:
        return None
    b, c, h, w = n.shape[x]
    if c % 4 == 0 and n.chance(0.6):
        return n.node('DepthToSpace', [x], blocksize=2, **(dict(mode=n.one_of('DCR', 'CRD')) if n.opset >= 11 else {}))
    return n.node('SpaceToDepth', [x], blocksize=2) if h % 2 == 0 and w % 2 == 0 else None


def comparison(n):
    x = n.pick(limit=8000)
    mask = x and n.node(n.one_of('Greater', 'Less', 'Equal'), [x, n.const(0.3)])
    if mask is None:
        return None
    return n.node('Where', [mask, x, n.const(0.0)]) if n.chance(0.4) else n.node('Cast', [mask], to=1)


def places(n):
    x = n.pick(rank=(2, 3, 4), limit=8000)
    if x is None:
        return None
    axis = n.integer(1, len(n.shape[x]) - 1)
    if n.chance(0.6) or n.opset < 10:
        return n.node(n.one_of('ArgMax', 'ArgMax', 'ArgMin'), [x], axis=axis, keepdims=n.integer(0, 1))
    return n.node('TopK', [x, n.const([n.integer(1, n.shape[x][axis])], 'i64')], outputs=2, axis=axis)


def recurrent(n):
    x = n.pick(rank=3, limit=2000)
    if x is None:
        return None
    size, hidden, op_type = n.shape[x][-1], n.one_of(8, 16), n.one_of('LSTM', 'GRU', 'RNN')
    gates = {'LSTM': 4, 'GRU': 3, 'RNN': 1}[op_type]
    turned = n.node('Transpose', [x], perm=[1, 0, 2])
    more = dict(linear_before_reset=1) if op_type == 'GRU' else {}
    y = turned and n.node(op_type, [turned, n.weights(1, gates * hidden, size), n.weights(1, gates * hidden, hidden), n.weights(1, 2 * gates * hidden, scale=0.1)], hidden_size=hidden, **more)
    return y and (n.node('Squeeze', [y, n.const([1], 'i64')]) if n.opset >= 13 else n.node('Squeeze', [y], axes=[1]))


# how often each is drawn
LAYERS = {conv: 20, activation: 12, with_constant: 10, of_two: 8, pool: 7, reshape: 7, concat: 5, reduce: 4, slices: 4, matmul: 5, batch_norm: 3, resize: 3, pad: 3, split: 3, softmax: 3, normalisation: 3, squeeze_excite: 2, conv_transpose: 2,
          gather: 2, shuffle: 1, focus: 1, blocks: 2, attention: 1, comparison: 1, places: 1, recurrent: 1}
