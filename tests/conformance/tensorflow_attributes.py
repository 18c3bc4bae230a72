#!/usr/bin/env python3
"""Single operators of TensorFlow with drawn attributes and shapes, as frozen graphs: TOOL's outputs, in FP32 and of the blob, against TensorFlow.

    tensorflow_attributes.py TOOL [--count N] [--seed FIRST] [-k REGEX] [--folder DIR] [-v]

Case N is operator N modulo their number, drawn by a random generator of the seed N. Needs TensorFlow 2; not part of `make test`. Exit code 1 when an
output is wrong or a command crashes.
"""
import os
import random

import drawn
import numpy as np

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import tensorflow as tf

V1 = tf.compat.v1
COARSE = {'ResizeBicubic': 2e-3, 'fake_quant': 3e-2}  # largest error: TensorFlow takes weights from a table; one level of 255


class Case(random.Random):
    def __init__(self, seed):
        super().__init__(seed)
        self.numbers, self.values = np.random.RandomState(seed % 2**32), None

    def shape(self, least=1, most=4, largest=7):
        return [self.randint(2, largest) for _ in range(self.randint(least, most))]

    def plane(self, channels=None, least=6, most=11):
        return [1, self.randint(least, most), self.randint(least, most), channels or self.choice([1, 3, 4])]

    def x(self, shape, kind='normal'):
        n = int(np.prod(shape))
        self.values = {'normal': lambda: self.numbers.randn(*shape), 'positive': lambda: self.numbers.rand(*shape) + 0.3,
                       'apart': lambda: self.numbers.permutation(n).reshape(shape) / 8 - n / 16}[kind]().astype('f4')
        return V1.placeholder(tf.float32, shape, 'x')

    def constant(self, *shape):
        return tf.constant((self.numbers.randn(*shape) / max(1, np.sqrt(np.prod(shape[:-1])))).astype('f4'))

    def axis(self, rank):
        return self.randrange(-rank, rank)

    def axes(self, rank):
        return sorted(self.sample(range(rank), self.randint(1, rank)))

    def windows(self, axes=2):
        return [1] + [self.randint(1, 4) for _ in range(axes)] + [1], [1] + [self.randint(1, 3)] * axes + [1] if axes == 2 else [1] + [self.randint(1, 3) for _ in range(axes)] + [1]


def conv2d(c):
    x = c.x(c.plane())
    channels = x.shape[3]
    (_, kh, kw, _), strides = c.windows()
    dilations = [1, c.randint(1, 2), c.randint(1, 2), 1] if max(strides) == 1 else [1] * 4
    padding = c.choice(['SAME', 'VALID', [[0, 0], [c.randint(0, 2), c.randint(0, 2)], [c.randint(0, 2), c.randint(0, 2)], [0, 0]]])
    return tf.nn.conv2d(x, c.constant(kh, kw, channels, c.choice([1, 2, 5])), strides, padding, dilations=dilations)


def depthwise(c):
    x = c.x(c.plane())
    (_, kh, kw, _), strides = c.windows()
    rate = [c.randint(1, 2)] * 2 if max(strides) == 1 else None
    return tf.nn.depthwise_conv2d(x, c.constant(kh, kw, x.shape[3], c.randint(1, 2)), strides, c.choice(['SAME', 'VALID']), dilations=rate)


def conv2d_transpose(c):
    x = c.x(c.plane(None, 4, 6))
    (_, kh, kw, _), strides = c.windows()
    padding, out = c.choice(['SAME', 'VALID']), c.choice([2, 3])
    grow = [x.shape[i] * strides[i] if padding == 'SAME' else (x.shape[i] - 1) * strides[i] + k for i, k in ((1, kh), (2, kw))]
    less = [c.randint(0, strides[i] - 1) if padding == 'SAME' else -c.randint(0, strides[i] - 1) for i in (1, 2)]
    return tf.nn.conv2d_transpose(x, c.constant(kh, kw, out, x.shape[3]), [1, grow[0] - less[0], grow[1] - less[1], out], strides, padding)


def conv3d(c):
    x = c.x([1, c.randint(4, 7), c.randint(4, 7), c.randint(4, 7), c.choice([1, 3])])
    kernel, strides = c.windows(3)
    return tf.nn.conv3d(x, c.constant(*kernel[1:4], x.shape[4], c.choice([1, 4])), strides, c.choice(['SAME', 'VALID']))


def conv3d_transpose(c):
    x = c.x([1, c.randint(3, 5), c.randint(3, 5), c.randint(3, 5), c.choice([1, 3])])
    kernel, strides = c.windows(3)
    padding = c.choice(['SAME', 'VALID'])
    shape = [1] + [x.shape[i] * strides[i] if padding == 'SAME' else (x.shape[i] - 1) * strides[i] + kernel[i] for i in (1, 2, 3)] + [2]
    return tf.nn.conv3d_transpose(x, c.constant(*kernel[1:4], 2, x.shape[4]), shape, strides, padding)


def pool(function, axes):
    def build(c):
        kernel, strides = c.windows(axes)
        x = c.x(c.plane() if axes == 2 else [1, c.randint(5, 8), c.randint(5, 8), c.randint(5, 8), 3])
        return function(x, kernel, strides, c.choice(['SAME', 'VALID']))
    return build


def batch_norm(c):
    x = c.x(c.plane())
    n = x.shape[3]
    return tf.raw_ops.FusedBatchNormV3(x=x, scale=c.constant(n), offset=c.constant(n), mean=c.constant(n), variance=tf.constant(c.numbers.rand(int(n)).astype('f4') + 0.5),
                                       epsilon=c.choice([1e-3, 0.1]), is_training=False).y


def resize(op):
    def build(c):
        more = c.choice([{}, {'align_corners': True}, {'half_pixel_centers': True}])
        return op(images=c.x(c.plane()), size=[c.randint(3, 18), c.randint(3, 18)], **more)
    return build


def crop_and_resize(c):
    x = c.x(c.plane(3))
    corner = c.numbers.rand(3, 2) * 0.5
    boxes = np.concatenate([corner, corner + 0.2 + 0.3 * c.numbers.rand(3, 2)], 1).astype('f4')
    return tf.image.crop_and_resize(x, boxes, [0, 0, 0], [c.randint(2, 6), c.randint(2, 6)], method=c.choice(['bilinear', 'nearest']))


def blocks(op):
    def build(c):
        b = c.choice([2, 3])
        return op(c.x([1, 2 * b, 3 * b, 3] if op is tf.nn.space_to_depth else [1, 3, 4, 2 * b * b]), b)
    return build


def space_to_batch(c):
    b = [c.choice([1, 2]), c.choice([2, 3])]
    pads = [[c.randint(0, 2), 0], [c.randint(0, 2), 0]]
    size = [c.randint(2, 4) * b[i] for i in (0, 1)]
    shape = [size[i] - pads[i][0] if size[i] > pads[i][0] else size[i] + b[i] - pads[i][0] for i in (0, 1)]
    pads = [[p[0], -(shape[i] + p[0]) % b[i]] for i, p in enumerate(pads)]
    y = tf.space_to_batch(c.x([1, *shape, 3]), b, pads)
    return tf.batch_to_space(tf.nn.relu(y), b, pads)


def patches(c):
    k, s, r = ([1, c.randint(1, 3), c.randint(1, 3), 1] for _ in range(3))
    return tf.image.extract_patches(c.x(c.plane(None, 8, 11)), k, s, r, c.choice(['SAME', 'VALID']))


def strided_slice(c):
    x = c.x(c.shape(2, 4))
    parts = []
    for i, n in enumerate(x.shape[:c.randint(1, len(x.shape))]):
        n = int(n)
        a, b = sorted(c.sample(range(n + 1), 2))
        parts.append(c.choice([slice(a, b), slice(None), slice(a, None), slice(None, b), slice(None, None, 2), slice(None, None, -1), slice(b - 1, a - 1 if a else None, -1), c.randrange(-n, n), slice(a - n if a < n else a, None)]))
    if c.random() < 0.3:
        parts.insert(c.randint(0, len(parts)), tf.newaxis)
    if c.random() < 0.3 and len(parts) - parts.count(None) < len(x.shape):
        parts.append(Ellipsis)
        parts.append(c.choice([slice(1, None), slice(None), 0, -1]))
    return x[tuple(parts)]


def slices(c):
    x = c.x(c.shape())
    begin = [c.randrange(int(n)) for n in x.shape]
    return tf.slice(x, begin, [c.choice([-1, c.randint(1, int(n) - b)]) for n, b in zip(x.shape, begin)])


def split(c):
    x = c.x([4, 6, 4][:c.randint(1, 3)])
    axis = c.axis(len(x.shape))
    return tf.split(x, 2, axis) if c.random() < 0.5 else tf.split(x, [1, -1, 2], axis)


def concat(c):
    x = c.x(c.shape())
    axis = c.axis(len(x.shape))
    other = [int(n) for n in x.shape]
    other[axis] = c.randint(1, 3)
    return tf.concat(c.choice([[x, c.constant(*other)], [c.constant(*other), x, x]]), axis)


def stack(c):
    x = c.x(c.shape(1, 3))
    return tf.stack([x, tf.nn.relu(x), c.constant(*x.shape)], c.axis(len(x.shape) + 1))


def pad(c):
    x = c.x(c.shape())
    mode = c.choice(['CONSTANT', 'REFLECT', 'SYMMETRIC'])
    most = [min(2, int(n) - 1) for n in x.shape]
    return tf.pad(x, [[c.randint(0, m), c.randint(0, m)] for m in most], mode, **({'constant_values': c.choice([0, 1.5])} if mode == 'CONSTANT' else {}))


def gather(c):
    x = c.x(c.shape(2, 4))
    rank, batch = len(x.shape), c.choice([0, 0, 1])
    axis = c.randint(batch, rank - 1)
    indices = c.numbers.randint(0, int(x.shape[axis]), [int(n) for n in x.shape[:batch]] + c.choice([[], [3], [2, 2]]))
    return tf.gather(x, indices, axis=axis, batch_dims=batch)


def gather_nd(c):
    x = c.x(c.shape(2, 4))
    batch = c.choice([0, 0, 1])
    depth = c.randint(1, len(x.shape) - batch)
    lead = [int(n) for n in x.shape[:batch]] + [3]
    indices = np.stack([c.numbers.randint(0, int(n), lead) for n in x.shape[batch:batch + depth]], -1)
    return tf.gather_nd(x, indices, batch_dims=batch)


def scatter_nd(c):
    x = c.x([3] + c.shape(1, 2))
    return tf.scatter_nd([[0], [4], [2]], x, [5] + [int(n) for n in x.shape[1:]])


def tensor_scatter(c):
    x = c.x([5] + c.shape(1, 2))
    return c.choice([tf.tensor_scatter_nd_update, tf.tensor_scatter_nd_add])(x, [[0], [4]], c.constant(2, *x.shape[1:]))


def one_hot(c):
    x = c.x(c.shape(1, 3), 'apart')
    return tf.one_hot(tf.argmax(x, axis=-1), c.choice([5, 9]), on_value=c.choice([1.0, 2.5]), off_value=c.choice([0.0, -1.0]), axis=c.choice([-1, 0, len(x.shape) - 1]))


def top_k(c):
    x = c.x(c.shape(1, 3), 'apart')
    return tf.nn.top_k(x, c.randint(1, int(x.shape[-1])))


def arg(op):
    def build(c):
        x = c.x(c.shape(1, 4, 5), 'apart')
        return op(x, axis=c.axis(len(x.shape)), output_type=c.choice([tf.int32, tf.int64]))
    return build


def cumsum(c):
    x = c.x(c.shape())
    return tf.cumsum(x, c.axis(len(x.shape)), exclusive=c.random() < 0.5, reverse=c.random() < 0.5)


def reduced(op):
    def build(c):
        x = c.x(c.shape(), 'positive')
        return op(x, axis=c.choice([None, c.axes(len(x.shape)), c.axis(len(x.shape))]), keepdims=c.random() < 0.5)
    return build


def einsum(c):
    equation = c.choice(['ab,bc->ac', 'abc,cd->abd', 'abcd,acde->abce', 'abc,abd->acd', 'abc,dc->abd', 'abcd,cde->abe', 'ab,ab->a', 'abc->cab', 'abc->ac', 'ab,cd->abcd'])
    left, right = (equation.split('->')[0].split(',') + [None])[:2]
    sizes = {k: c.randint(2, 5) for k in 'abcde'}
    x = c.x([sizes[k] for k in left])
    return tf.einsum(equation, x, *([c.constant(*[sizes[k] for k in right])] if right else []))


def matmul(c):
    batch = c.choice([[], [3], [2, 3]])
    a, k, n = (c.randint(2, 6) for _ in range(3))
    ta, tb = c.random() < 0.4, c.random() < 0.4
    other = c.choice([batch, [], [1] * len(batch)]) if batch else []
    return tf.matmul(c.x(batch + ([k, a] if ta else [a, k])), c.constant(*other, *([n, k] if tb else [k, n])), transpose_a=ta, transpose_b=tb)


def element(op, kind='normal'):
    return lambda c: op(c.x(c.shape(), kind))


def binary(op, kind='normal'):
    def build(c):
        x = c.x(c.shape(), kind)
        other = [1 if c.random() < 0.4 else int(n) for n in x.shape][c.randrange(len(x.shape)):]
        y = tf.constant(((c.numbers.rand(*other) + 0.5) if kind == 'positive' else c.numbers.choice([-1.5, 0.75, 2], other) if kind == 'apart' else c.numbers.randn(*other)).astype('f4'))
        return op(x, y) if kind == 'apart' or c.random() < 0.6 else op(y, x)
    return build


def whole(op):
    """Of integers."""
    def build(c):
        x = tf.cast(c.x(c.shape(1, 3), 'apart'), tf.int32)
        return op(x, tf.constant(c.numbers.choice([2, 3, 5], [int(x.shape[-1])]).astype('i4')))
    return build


def where(c):
    x = c.x(c.shape(), 'apart')
    return tf.where(x > c.choice([0.0, 0.7]), x * c.choice([1.0, 2.0]), c.constant(*x.shape[-1:]))


def moved(op):
    def build(c):
        x = c.x(c.shape())
        rank = len(x.shape)
        if op == 'transpose':
            return tf.transpose(x, c.sample(range(rank), rank))
        if op == 'reverse':
            return tf.reverse(x, c.axes(rank))
        if op == 'roll':
            axes = c.axes(rank)
            return tf.roll(x, [c.randint(-2, 2) for _ in axes], axes)
        if op == 'tile':
            return tf.tile(x, [c.randint(1, 3) for _ in range(rank)])
        if op == 'unstack':
            return tf.unstack(x, axis=c.axis(rank))
        return tf.expand_dims(x, c.axis(rank + 1))
    return build


R = tf.raw_ops
OPERATORS = {
    'Conv2D': conv2d, 'DepthwiseConv2d': depthwise, 'Conv2DTranspose': conv2d_transpose, 'Conv3D': conv3d, 'Conv3DTranspose': conv3d_transpose, 'MaxPool': pool(tf.nn.max_pool2d, 2),
    'AvgPool': pool(tf.nn.avg_pool2d, 2), 'MaxPool3D': pool(tf.nn.max_pool3d, 3), 'AvgPool3D': pool(tf.nn.avg_pool3d, 3), 'FusedBatchNorm': batch_norm, 'ResizeBilinear': resize(R.ResizeBilinear),
    'ResizeNearest': resize(R.ResizeNearestNeighbor), 'ResizeBicubic': resize(R.ResizeBicubic), 'CropAndResize': crop_and_resize, 'SpaceToDepth': blocks(tf.nn.space_to_depth),
    'DepthToSpace': blocks(tf.nn.depth_to_space), 'SpaceToBatch': space_to_batch, 'ExtractPatches': patches, 'StridedSlice': strided_slice, 'Slice': slices, 'Split': split, 'Concat': concat, 'Stack': stack,
    'Pad': pad, 'Gather': gather, 'GatherNd': gather_nd, 'ScatterNd': scatter_nd, 'TensorScatter': tensor_scatter, 'OneHot': one_hot, 'TopK': top_k, 'ArgMax': arg(tf.argmax), 'ArgMin': arg(tf.argmin),
    'Cumsum': cumsum, **{f'reduce_{k}': reduced(getattr(tf, f'reduce_{k}')) for k in ('mean', 'sum', 'max', 'min', 'prod', 'logsumexp')}, 'Einsum': einsum, 'MatMul': matmul, 'Where': where,
    **{k: moved(k) for k in ('transpose', 'reverse', 'roll', 'tile', 'unstack', 'expand_dims')},
    **{k: element(getattr(tf.nn, k)) for k in ('relu', 'relu6', 'elu', 'selu', 'softplus', 'softsign', 'swish', 'leaky_relu', 'gelu', 'crelu', 'l2_loss')},
    **{k: element(getattr(tf.math, k)) for k in ('abs', 'negative', 'exp', 'tanh', 'sigmoid', 'erf', 'square', 'sin', 'cos', 'atan', 'sinh', 'log_sigmoid', 'softplus')},
    **{k: element(getattr(tf.math, k), 'positive') for k in ('sqrt', 'rsqrt', 'log', 'log1p', 'reciprocal', 'expm1')}, **{k: element(getattr(tf.math, k), 'apart') for k in ('floor', 'ceil', 'round', 'sign')},
    **{k: binary(getattr(tf.math, k)) for k in ('add', 'subtract', 'multiply', 'maximum', 'minimum', 'squared_difference')}, **{k: binary(getattr(tf.math, k), 'positive') for k in ('divide', 'pow', 'atan2', 'divide_no_nan')},
    **{k: binary(getattr(tf.math, k), 'apart') for k in ('greater', 'less_equal', 'equal', 'not_equal', 'floormod', 'floordiv')}, **{f'int_{k}': whole(getattr(tf.math, k)) for k in ('add', 'multiply', 'floormod', 'floordiv', 'maximum')},
    'softmax': lambda c: tf.nn.softmax(c.x(c.shape(2, 4)), axis=c.choice([-1, 0, 1])), 'log_softmax': lambda c: tf.nn.log_softmax(c.x(c.shape(2, 4)), axis=c.choice([-1, 0, 1])),
    'l2_normalize': lambda c: tf.nn.l2_normalize(c.x(c.shape(2, 4)), axis=c.choice([-1, 1, [0, 1]])), 'LRN': lambda c: tf.nn.lrn(c.x(c.plane(4)), c.randint(1, 3), 1.0, c.choice([1e-2, 0.5]), 0.75),
    'moments': lambda c: (lambda x: tf.nn.batch_normalization(x, *tf.nn.moments(x, [1, 2], keepdims=True), c.constant(x.shape[3]), c.constant(x.shape[3]), 1e-3))(c.x(c.plane(4))),
    'band_part': lambda c: tf.linalg.band_part(c.x(c.shape(2, 4)), c.randint(-1, 2), c.randint(-1, 2)), 'clip': lambda c: tf.clip_by_value(c.x(c.shape()), -0.5, c.choice([0.3, 6.0])),
    'add_n': lambda c: (lambda x: tf.add_n([x, tf.nn.relu(x), c.constant(*x.shape)]))(c.x(c.shape())), 'fake_quant': lambda c: tf.quantization.fake_quant_with_min_max_args(c.x(c.shape()), -2, 3),
}


def evaluated(name, case, use=lambda session, outputs: None):
    """(graph, what TensorFlow computes, what `use` makes of the session)"""
    graph = tf.Graph()
    with graph.as_default():
        outputs = OPERATORS[name](case)
        outputs = [tf.identity(y, f'y{i}') for i, y in enumerate(outputs if isinstance(outputs, (list, tuple)) else [outputs])]
        with V1.Session() as session:
            return graph, session.run(outputs, {'x:0': case.values}), use(session, outputs)


def judge(tool, folder, number):
    name = list(OPERATORS)[number % len(OPERATORS)]
    case = Case(number)
    try:
        graph, wanted, _ = evaluated(name, case)
    except Exception as e:
        return 'not run', str(e).splitlines()[0][:120]
    if any(w.size == 0 for w in wanted):
        return 'not run', 'no elements'
    path = os.path.join(folder, 'm.pb')
    with open(path, 'wb') as f:
        f.write(graph.as_graph_def().SerializeToString())
    describe = ', '.join(f'{n.op} ' + ' '.join(f'{k}={v}'.replace('\n', ' ') for k, v in n.attr.items() if k not in ('value', 'dtype', 'T', '_output_shapes')) for n in graph.as_graph_def().node if n.op not in ('Const', 'Placeholder', 'Identity'))
    coarse = COARSE.get(name, 0)
    found, said = drawn.verdict(tool, folder, path, case.values, wanted, (max(1e-4, coarse), max(1e-2, coarse)))
    return found, f'of {list(case.values.shape)}: {describe[:150]}: {said}'


if __name__ == '__main__':
    drawn.main(__doc__, OPERATORS, judge)
