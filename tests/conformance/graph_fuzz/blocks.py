"""Chains of layers as Model Optimizer leaves them of real networks: residuals, inceptions, squeeze and excitation, attention."""
import numpy as np

from .windows import activation_after, biased


def conv(n, x, c_out, k=1, s=1, bias=True, relu='ReLU', groups=1):
    batch, c, h, w = n.shape[x]
    p = k // 2
    out = (batch, c_out, (h + 2 * p - k) // s + 1, (w + 2 * p - k) // s + 1)
    weights = n.weights(c_out, c, k, k) if groups == 1 else n.weights(groups, c_out // groups, c // groups, k, k)
    y = n.emit('Convolution' if groups == 1 else 'GroupConvolution', [x, weights], out, strides=[s, s], dilations=[1, 1], pads_begin=[p, p], pads_end=[p, p], auto_pad='explicit', live=False)
    if bias:
        y = n.emit('Add', [y, n.weights(1, c_out, 1, 1, scale=0.1)], out, auto_broadcast='numpy', live=False)
    if relu == 'Clamp':
        return n.emit('Clamp', [y], out, min=0, max=6, live=False)
    if relu == 'Leaky':
        return n.emit('PReLU', [y, n.const([0.1])], out, live=False)
    if relu:
        return n.emit(relu, [y], out, version='opset4' if relu in ('HSwish', 'Swish') else 'opset1', live=False)
    return y


def two(n, kind, a, b):
    return n.emit(kind, [a, b], np.broadcast_shapes(n.shape[a], n.shape[b]), auto_broadcast='numpy', live=False)


def done(n, *values):
    n.live += values
    return values[0]


def draw(n, limit=30000, most=130):
    return n.pick(rank=4, limit=limit, where=lambda s: s[1] <= most)


def relu_kind(n):
    return n.one_of('ReLU', 'ReLU', 'ReLU', 'Clamp', 'Leaky', 'HSwish', 'Swish')


def residual(n):
    x = draw(n)
    if x is None:
        return None
    c, relu, s = n.shape[x][1], relu_kind(n), n.one_of(1, 1, 2)
    middle, c_out = n.one_of(4, 8, 16, 32), c if s == 1 and n.chance(0.7) else n.one_of(8, 16, 32)
    y = conv(n, x, middle, n.one_of(1, 3), s, relu=relu)
    y = conv(n, y, c_out, 3, relu='')
    skip = x if s == 1 and c_out == c else conv(n, x, c_out, 1, s, relu='')
    if n.shape[skip] != n.shape[y]:
        return done(n, y)
    y = two(n, 'Add', y, skip) if n.chance(0.5) else two(n, 'Add', skip, y)
    return done(n, n.emit('ReLU', [y], n.shape[y], live=False) if n.chance(0.7) else y)


def inception(n):
    x = draw(n)
    if x is None:
        return None
    s, relu = n.shape[x], relu_kind(n)
    branches = [conv(n, x, n.one_of(4, 8, 16, 24), 1, relu=relu)]
    branches.append(conv(n, conv(n, x, n.one_of(4, 8, 16), 1, relu=relu), n.one_of(8, 16, 20), n.one_of(3, 5), relu=relu))
    if n.chance(0.6):
        kind = n.one_of('MaxPool', 'AvgPool')
        y = n.emit(kind, [x], s, kernel=[3, 3], strides=[1, 1], pads_begin=[1, 1], pads_end=[1, 1], rounding_type=n.one_of('floor', 'ceil'), auto_pad='explicit', live=False, **({'exclude_pad': n.chance(0.5)} if kind == 'AvgPool' else {}))
        branches.append(conv(n, y, n.one_of(4, 8, 16), 1, relu=relu) if n.chance(0.7) else y)
    if n.chance(0.3):
        branches.append(x)
    order = n.random.permutation(len(branches))
    values = [branches[i] for i in order]
    return done(n, n.emit('Concat', values, (s[0], sum(n.shape[v][1] for v in values), *s[2:]), axis=1, live=False))


def inverted_residual(n):
    x = draw(n, 20000, 64)
    if x is None:
        return None
    c, relu, s = n.shape[x][1], relu_kind(n), n.one_of(1, 1, 2)
    wide = c * n.one_of(1, 2, 4)
    y = conv(n, x, wide, 1, relu=relu)
    y = conv(n, y, wide, n.one_of(3, 3, 5), s, relu=relu, groups=wide) if wide > 1 else y
    if n.chance(0.4):
        y = excite(n, y)
    y = conv(n, y, c if n.chance(0.7) else n.one_of(8, 16, 24), 1, relu='')
    return done(n, two(n, 'Add', x, y) if n.shape[x] == n.shape[y] else y)


def excite(n, x):
    batch, c, h, w = n.shape[x]
    y = n.emit('ReduceMean', [x, n.ints(2, 3)], (batch, c, 1, 1), keep_dims=True, live=False)
    y = conv(n, conv(n, y, max(c // 4, 1), 1), c, 1, relu='')
    gate = n.one_of('Sigmoid', 'Sigmoid', 'HSigmoid', 'SoftMax')
    y = n.emit(gate, [y], n.shape[y], version='opset5' if gate == 'HSigmoid' else 'opset1', live=False, **({'axis': 1} if gate == 'SoftMax' else {}))
    return two(n, 'Multiply', x, y) if n.chance(0.7) else two(n, 'Multiply', y, x)


def squeeze_excite(n):
    x = draw(n, most=64)
    return x and done(n, excite(n, x))


def fire(n):
    x = draw(n)
    if x is None:
        return None
    y = conv(n, x, n.one_of(4, 8, 16), 1)
    a, b = conv(n, y, n.one_of(8, 16, 24), 1), conv(n, y, n.one_of(8, 16, 24), 3)
    return done(n, n.emit('Concat', [a, b], (n.shape[a][0], n.shape[a][1] + n.shape[b][1], *n.shape[a][2:]), axis=1, live=False))


def dense_block(n):
    """Batch normalisation, activation and convolution; the input is carried on."""
    x = draw(n, 20000)
    if x is None:
        return None
    for _ in range(n.integer(1, 3)):
        s = n.shape[x]
        y = n.emit('Multiply', [x, n.weights(1, s[1], 1, 1, scale=1.0)], s, auto_broadcast='numpy', live=False)
        y = n.emit('Add', [y, n.weights(1, s[1], 1, 1, scale=1.0)], s, auto_broadcast='numpy', live=False)
        y = conv(n, n.emit('ReLU', [y], s, live=False), n.one_of(4, 8, 12), 3, bias=n.chance(0.3), relu='')
        x = n.emit('Concat', [x, y], (s[0], s[1] + n.shape[y][1], *s[2:]), axis=1, live=False)
    return done(n, x)


def attention(n):
    """Multi-head attention over a sequence, as exporters of transformers write it."""
    x = n.pick(rank=3, limit=4000, where=lambda s: 1 < s[1] <= 64 and s[2] % 4 == 0 and s[2] <= 256)
    if x is None:
        image = n.pick(rank=4, limit=4000, where=lambda s: s[1] % 4 == 0 and s[1] <= 256 and 1 < s[2] * s[3] <= 64)
        if image is None:
            return None
        b, c, h, w = n.shape[image]
        x = n.emit('Reshape', [image, n.ints(b, c, -1)], (b, c, h * w), special_zero=True, live=False)
        x = n.emit('Transpose', [x, n.ints(0, 2, 1)], (b, h * w, c), live=False)
    b, t, c = n.shape[x]
    heads = n.one_of(1, 2, 4)

    def project(v):
        y = n.emit('MatMul', [v, n.weights(c, c)], (b, t, c), transpose_a=False, transpose_b=True, live=False)
        return n.emit('Add', [y, n.weights(1, 1, c, scale=0.1)], (b, t, c), auto_broadcast='numpy', live=False) if bias else y

    def by_head(v, *order):
        y = n.emit('Reshape', [v, n.ints(0, 0, heads, c // heads)], (b, t, heads, c // heads), special_zero=True, live=False)
        return n.emit('Transpose', [y, n.ints(*order)], [n.shape[y][i] for i in order], live=False)
    bias = n.chance(0.7)
    if n.chance(0.5):
        mean = n.emit('ReduceMean', [x, n.ints(-1)], (b, t, 1), keep_dims=True, live=False)
        x = two(n, 'Subtract', x, mean)
        power = n.emit('Power', [x, n.const(2.0)], (b, t, c), auto_broadcast='numpy', live=False)
        variance = n.emit('ReduceMean', [power, n.ints(-1)], (b, t, 1), keep_dims=True, live=False)
        root = n.emit('Sqrt', [n.emit('Add', [variance, n.const(1e-5)], (b, t, 1), auto_broadcast='numpy', live=False)], (b, t, 1), live=False)
        x = two(n, 'Divide', x, root)
        x = two(n, 'Add', two(n, 'Multiply', x, n.weights(c, scale=1.0)), n.weights(c, scale=0.1))
    q, k, v = by_head(project(x), 0, 2, 1, 3), by_head(project(x), 0, 2, 3, 1), by_head(project(x), 0, 2, 1, 3)
    scores = n.emit('MatMul', [q, k], (b, heads, t, t), transpose_a=False, transpose_b=False, live=False)
    scores = two(n, n.one_of('Divide', 'Multiply'), scores, n.const(float((c // heads) ** 0.5)))
    scores = n.emit('SoftMax', [scores], (b, heads, t, t), axis=3, live=False)
    y = n.emit('MatMul', [scores, v], (b, heads, t, c // heads), transpose_a=False, transpose_b=False, live=False)
    y = n.emit('Transpose', [y, n.ints(0, 2, 1, 3)], (b, t, heads, c // heads), live=False)
    y = project(n.emit('Reshape', [y, n.ints(0, 0, c)], (b, t, c), special_zero=True, live=False))
    return done(n, two(n, 'Add', x, y))


def pyramid(n):
    """A map resized to the size of another and joined with it."""
    x = draw(n, 3000, 64)
    if x is None:
        return None
    b, c, h, w = n.shape[x]
    y = conv(n, n.emit('MaxPool', [x], (b, c, -(-h // 2), -(-w // 2)), kernel=[2, 2], strides=[2, 2], pads_begin=[0, 0], pads_end=[0, 0], rounding_type='ceil', auto_pad='explicit', live=False), n.one_of(8, 16), 3)
    s = n.shape[y]
    y = n.emit('Interpolate', [y, n.ints(h, w), n.const([h / s[2], w / s[3]], 'f32'), n.ints(2, 3)], (b, s[1], h, w), version='opset4', live=False, mode=n.one_of('nearest', 'linear', 'linear_onnx'), shape_calculation_mode='sizes',
               coordinate_transformation_mode=n.one_of('asymmetric', 'half_pixel', 'align_corners'), nearest_mode='floor', antialias=False, pads_begin=[0], pads_end=[0], cube_coeff=-0.75)
    if n.chance(0.6):
        return done(n, n.emit('Concat', [y, x] if n.chance(0.5) else [x, y], (b, s[1] + c, h, w), axis=1, live=False))
    return done(n, two(n, 'Add', conv(n, y, c, 1, relu=''), x))


def two_convolutions(n):
    """Convolutions of one tensor with kernels of different shapes, 1xN after Nx1 too."""
    x = draw(n, 20000, 64)
    if x is None:
        return None
    b, c, h, w = n.shape[x]
    y, k = x, n.one_of(3, 5, 7)
    for kernel, pad in (((k, 1), (k // 2, 0)), ((1, k), (0, k // 2))):
        out = n.one_of(4, 8, 16)
        y = n.emit('Convolution', [y, n.weights(out, n.shape[y][1], *kernel)], (b, out, h, w), strides=[1, 1], dilations=[1, 1], pads_begin=list(pad), pads_end=list(pad), auto_pad='explicit', live=False)
    return activation_after(n, biased(n, y))


def yolo_grid(n):
    """The reshape, transpose and slices after a YOLO v5 convolution."""
    x = draw(n, 8000, 64)
    if x is None:
        return None
    b, _, h, w = n.shape[x]
    anchors, attributes = n.one_of(1, 3), n.integer(5, 9)
    y = conv(n, x, anchors * attributes, 1, relu='')
    shape = (b, anchors, attributes, h, w)
    y = n.emit('Reshape', [y, n.ints(*shape)], shape, special_zero=True, live=False)
    y = n.emit('Transpose', [y, n.ints(0, 1, 3, 4, 2)], (b, anchors, h, w, attributes), live=False)
    y = n.emit('Sigmoid', [y], n.shape[y], live=False)
    if n.chance(0.5):
        return done(n, y)
    lengths = [2, 2, attributes - 4]
    centre, size, rest = n.emit('VariadicSplit', [y, n.const(4, 'i64'), n.ints(*lengths)], *[(b, anchors, h, w, d) for d in lengths], live=False)
    centre = two(n, 'Multiply', two(n, 'Add', two(n, 'Multiply', centre, n.const(2.0)), n.weights(1, 1, h, w, 2, scale=4.0)), n.const(8.0))
    size = two(n, 'Multiply', n.emit('Power', [two(n, 'Multiply', size, n.const(2.0)), n.const(2.0)], n.shape[size], auto_broadcast='numpy', live=False), n.weights(1, anchors, 1, 1, 2, scale=8.0))
    y = n.emit('Concat', [centre, size, rest], (b, anchors, h, w, attributes), axis=4, live=False)
    return done(n, n.emit('Reshape', [y, n.ints(b, -1, attributes)], (b, anchors * h * w, attributes), special_zero=True, live=False))


LAYERS = {residual: 3, inception: 3, inverted_residual: 2, squeeze_excite: 1.5, fire: 1, dense_block: 1, attention: 1, pyramid: 1, two_convolutions: 0.7, yolo_grid: 0.7}
