"""Small TensorFlow graphs, written without TensorFlow: structures of networks that are trained with it.

Each function of MODELS returns the bytes of a frozen GraphDef. `write(folder)` writes them all.
"""
import os
import struct

import numpy as np

TYPES = {'float32': 1, 'int32': 3, 'uint8': 4, 'bool': 10}


def varint(n):
    n &= (1 << 64) - 1
    out = b''
    while True:
        out += bytes([n & 127 | (128 if n > 127 else 0)])
        n >>= 7
        if not n:
            return out


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack('<f', value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def shape_proto(shape):
    return b''.join(field(2, field(1, d)) for d in shape)


def tensor_proto(a):
    return field(1, TYPES[a.dtype.name]) + field(2, shape_proto(a.shape)) + field(4, np.ascontiguousarray(a).tobytes())


class Type(int):
    """A number of TensorFlow's DataType."""


def attribute(value):
    if isinstance(value, Type):
        return field(6, int(value))
    if isinstance(value, bool):
        return field(5, int(value))
    if isinstance(value, int):
        return field(3, value)
    if isinstance(value, float):
        return field(4, value)
    if isinstance(value, str):
        return field(2, value)
    if isinstance(value, tuple):
        return field(7, shape_proto(value))
    if isinstance(value, np.ndarray):
        return field(8, tensor_proto(value))
    return field(1, b''.join(field(3, v) for v in value))


class Graph:
    """Nodes in the order in which they are added; a node is called by its name."""

    def __init__(self, seed=0):
        self.bytes, self.count, self.random = b'', 0, np.random.RandomState(seed)

    def node(self, op, inputs=(), name=None, **attributes):
        self.count += 1
        name = name or f'{op}_{self.count}'
        attributes.setdefault('T', Type(1))
        body = field(1, name) + field(2, op) + b''.join(field(3, i) for i in inputs)
        body += b''.join(field(5, field(1, k) + field(2, attribute(v))) for k, v in attributes.items())
        self.bytes += field(1, body)
        return name

    def input(self, *shape, name='input'):
        return self.node('Placeholder', name=name, dtype=Type(1), shape=shape)

    def constant(self, value, dtype='float32', name=None):
        a = np.asarray(value, dtype)
        return self.node('Const', name=name, dtype=Type(TYPES[a.dtype.name]), value=a)

    def ints(self, *values):
        return self.constant(values, 'int32')

    def weights(self, *shape):
        return self.constant(self.random.randn(*shape) / np.sqrt(np.prod(shape[:-1])))

    def conv(self, x, i, o, k=3, s=1, padding='SAME', bias=True, dilation=1, data_format='NHWC'):
        axes = (lambda v: [1, v, v, 1]) if data_format == 'NHWC' else (lambda v: [1, 1, v, v])
        x = self.node('Conv2D', [x, self.weights(k, k, i, o)], strides=axes(s), dilations=axes(dilation), padding=padding, data_format=data_format)
        return self.node('BiasAdd', [x, self.weights(o)], data_format=data_format) if bias else x

    def batch_norm(self, x, c):
        parameters = [self.constant(self.random.rand(c) + 0.5) for _ in range(4)]
        return self.node('FusedBatchNormV3', [x, *parameters], U=Type(1), epsilon=0.001, is_training=False, data_format='NHWC')

    def pool(self, x, k=2, s=2, op='MaxPool', padding='VALID'):
        return self.node(op, [x], ksize=[1, k, k, 1], strides=[1, s, s, 1], padding=padding, data_format='NHWC')

    def relu(self, x):
        return self.node('Relu', [x])

    def reshape(self, x, *shape):
        return self.node('Reshape', [x, self.ints(*shape)], Tshape=Type(3))

    def transpose(self, x, *order):
        return self.node('Transpose', [x, self.ints(*order)], Tperm=Type(3))

    def reduce(self, x, op, *axes, keep=False):
        return self.node(op, [x, self.ints(*axes)], keep_dims=keep, Tidx=Type(3))

    def concat(self, *parts, axis=-1):
        return self.node('ConcatV2', [*parts, self.constant(axis, 'int32')], N=len(parts), Tidx=Type(3))

    def dense(self, x, i, o):
        x = self.node('MatMul', [x, self.weights(i, o)], transpose_a=False, transpose_b=False)
        return self.node('BiasAdd', [x, self.weights(o)], data_format='NHWC')


def inception():
    g = Graph()
    x = g.relu(g.conv(g.input(1, 16, 16, 3), 3, 16))
    parts = [g.conv(x, 16, 8, 1), g.conv(g.relu(g.conv(x, 16, 8, 1)), 8, 8, 3), g.conv(g.relu(g.conv(x, 16, 4, 1)), 4, 8, 5)]
    g.relu(g.concat(*parts, g.conv(g.pool(x, 3, 1, padding='SAME'), 16, 8, 1)))
    return g.bytes


def residual():
    g = Graph()
    x = g.relu(g.batch_norm(g.conv(g.input(1, 32, 32, 3), 3, 16, s=2, bias=False), 16))
    y = g.batch_norm(g.conv(g.relu(g.batch_norm(g.conv(x, 16, 16, bias=False), 16)), 16, 16, bias=False), 16)
    x = g.relu(g.node('AddV2', [x, y]))
    y = g.batch_norm(g.conv(g.node('Relu6', [g.batch_norm(g.conv(x, 16, 32, s=2, bias=False), 32)]), 32, 32, bias=False), 32)
    x = g.relu(g.node('AddV2', [g.batch_norm(g.conv(x, 16, 32, 1, s=2, bias=False), 32), y]))
    g.node('Softmax', [g.dense(g.reduce(x, 'Mean', 1, 2), 32, 10)])
    return g.bytes


def squeeze_excite():
    g = Graph()
    x = g.conv(g.input(1, 16, 16, 8), 8, 16)
    x = g.node('Mul', [x, g.node('Sigmoid', [x])])
    s = g.relu(g.conv(g.reduce(x, 'Mean', 1, 2, keep=True), 16, 4, 1))
    x = g.node('Mul', [x, g.node('Sigmoid', [g.conv(s, 4, 16, 1)])])
    g.conv(x, 16, 8, 1)
    return g.bytes


def separable():
    g = Graph()
    x = g.input(1, 17, 17, 8)
    x = g.node('DepthwiseConv2dNative', [x, g.weights(3, 3, 8, 2)], strides=[1, 2, 2, 1], dilations=[1, 1, 1, 1], padding='SAME', data_format='NHWC')
    x = g.node('Relu6', [g.batch_norm(x, 16)])
    x = g.node('LeakyRelu', [g.conv(x, 16, 12, 1)], alpha=0.25)
    g.pool(x, 3, 2, 'AvgPool', 'SAME')
    return g.bytes


def upsampling():
    g = Graph()
    x = g.relu(g.conv(g.input(1, 16, 16, 3), 3, 8))
    y = g.relu(g.conv(g.pool(x), 8, 16))
    y = g.node('ResizeNearestNeighbor', [y, g.ints(16, 16)], align_corners=False, half_pixel_centers=True)
    y = g.relu(g.conv(g.concat(x, y), 24, 8))
    g.node('ResizeBilinear', [y, g.ints(32, 32)], align_corners=False, half_pixel_centers=True)
    return g.bytes


def attention():
    g = Graph()
    x = g.reshape(g.conv(g.input(1, 4, 4, 8), 8, 16, 1), 16, 16)
    heads = [g.transpose(g.reshape(g.dense(x, 16, 16), 1, 16, 2, 8), 0, 2, 1, 3) for _ in range(3)]
    scores = g.node('BatchMatMulV2', heads[:2], adj_x=False, adj_y=True)
    scores = g.node('Softmax', [g.node('Mul', [scores, g.constant(0.25)])])
    y = g.node('BatchMatMulV2', [scores, heads[2]], adj_x=False, adj_y=False)
    g.dense(g.reshape(g.transpose(y, 0, 2, 1, 3), 16, 16), 16, 8)
    return g.bytes


def shuffle():
    g = Graph()
    x = g.relu(g.conv(g.input(1, 8, 8, 4), 4, 8, 1))
    x = g.reshape(g.transpose(g.reshape(x, 1, 8, 8, 2, 4), 0, 1, 2, 4, 3), 1, 8, 8, 8)
    g.conv(x, 8, 8)
    return g.bytes


def slices():
    g = Graph()
    x = g.relu(g.input(1, 8, 8, 6))
    masks = dict(ellipsis_mask=0, new_axis_mask=0, Index=Type(3))
    a = g.node('StridedSlice', [x, g.ints(0, 1, 0, 0), g.ints(0, 7, 0, 3), g.ints(1, 2, 1, 1)], begin_mask=5, end_mask=5, shrink_axis_mask=0, **masks)
    b = g.node('Slice', [x, g.ints(0, 0, 0, 3), g.ints(-1, 3, 8, 3)], Index=Type(3))
    g.node('Tanh', [g.concat(a, b)])
    return g.bytes


def focus():
    g = Graph()
    x = g.node('SpaceToDepth', [g.input(1, 16, 16, 3)], block_size=2, data_format='NHWC')
    x = g.node('Elu', [g.conv(x, 12, 16)])
    g.node('DepthToSpace', [x], block_size=2, data_format='NHWC')
    return g.bytes


def embedding():
    g = Graph()
    x = g.reshape(g.pool(g.relu(g.conv(g.input(1, 8, 8, 3), 3, 8))), 1, 128)
    x = g.dense(x, 128, 16)
    norm = g.node('Maximum', [g.reduce(g.node('Square', [x]), 'Sum', 1, keep=True), g.constant(1e-10)])
    g.node('Mul', [x, g.node('Rsqrt', [norm])], name='embedding')
    g.node('Sigmoid', [g.dense(x, 16, 2)], name='gender')
    return g.bytes


def padded():
    g = Graph()
    x = g.node('PadV2', [g.input(1, 15, 15, 4), g.constant([[0, 0], [1, 1], [1, 1], [0, 0]], 'int32'), g.constant(0)], Tpaddings=Type(3))
    x = g.relu(g.conv(x, 4, 8, 3, 2, 'VALID'))
    x = g.node('MirrorPad', [x, g.constant([[0, 0], [2, 1], [1, 2], [0, 0]], 'int32')], mode='REFLECT', Tpaddings=Type(3))
    g.conv(x, 8, 8, 3, 1, 'VALID', dilation=2)
    return g.bytes


def arithmetic():
    g = Graph()
    x = g.input(1, 8, 8, 4)
    y = g.node('Sub', [x, g.constant([0.1, 0.2, 0.3, 0.4])])
    y = g.node('RealDiv', [y, g.constant(2.0)])
    z = g.node('Maximum', [g.node('Mul', [x, y]), g.node('Neg', [y])])
    z = g.node('Sub', [z, g.node('Square', [y])])
    g.conv(g.node('Minimum', [z, g.constant(1.5)]), 4, 8, 1)
    return g.bytes


def two_inputs():
    g = Graph()
    a = g.conv(g.input(1, 8, 8, 3, name='left'), 3, 8)
    b = g.conv(g.input(1, 8, 8, 3, name='right'), 3, 8)
    d = g.node('SquaredDifference', [a, b])
    g.reduce(d, 'Mean', 3)
    g.reduce(d, 'Max', 1, 2)
    return g.bytes


def branches():
    """Constants decide on the order of branches by their names: parts, reductions, two Reshapes of one map, an axis turned round."""
    g = Graph(5)
    x = g.conv(g.input(1, 12, 10, 4), 4, 8)
    y = g.node('RealDiv', [g.constant(0.7), g.node('Exp', [x])])
    g.reshape(y, -1, 960)
    z = g.reshape(y, 1, -1, 8)
    g.node('Tanh', [g.node('GatherV2', [z, g.ints(3, 1, 2), g.constant(2, 'int32')], Tparams=Type(1), Tindices=Type(3), Taxis=Type(3), batch_dims=0)])
    g.reduce(z, 'Max', 1)
    g.node('Sigmoid', [g.node('Slice', [z, g.ints(0, 4, 0), g.ints(-1, 50, -1)], Index=Type(3))])
    g.node('StridedSlice', [z, g.ints(0, 0, 2), g.ints(0, 0, 7), g.ints(1, 2, 1)], begin_mask=3, end_mask=3, ellipsis_mask=0, new_axis_mask=0, shrink_axis_mask=0, Index=Type(3))
    g.node('ResizeBilinear', [x, g.ints(9, 15)], align_corners=False, half_pixel_centers=False)
    g.node('ReverseV2', [z, g.ints(1)], Tidx=Type(3))
    g.node('Slice', [x, g.ints(0, 1, 0, 0), g.ints(-1, 9, -1, 5)], Index=Type(3))
    g.reduce(x, 'Mean', 1, 2)
    g.node('Mul', [x, g.constant(-1.0)])
    return g.bytes


def vector_norms():
    """Vectors of length 1: along channels of a map and along rows they are one layer, along the last of three axes they are not."""
    g = Graph(6)
    x = g.conv(g.input(1, 6, 5, 3), 3, 8)
    for v, axis in ((x, -1), (g.reshape(x, 1, 30, 8), -1), (g.reduce(x, 'Mean', 1, 2), 1)):
        length = g.node('Maximum', [g.reduce(g.node('Square', [v]), 'Sum', axis, keep=True), g.constant(1e-12)])
        g.node('Mul', [v, g.node('Rsqrt', [length])])
    return g.bytes


def saved_model(graph):
    """saved_model.pb with this graph: one without variables."""
    meta_info = field(4, b'serve')
    return field(1, 1) + field(2, field(1, meta_info) + field(2, graph))


MODELS = [inception, residual, squeeze_excite, separable, upsampling, attention, shuffle, slices, focus, embedding, padded, arithmetic, two_inputs, branches, vector_norms]


def write(folder):
    """name -> path"""
    paths = {}
    for model in MODELS:
        name = 'tensorflow_' + model.__name__
        paths[name] = os.path.join(folder, name + '.pb')
        with open(paths[name], 'wb') as f:
            f.write(model())
    return paths
