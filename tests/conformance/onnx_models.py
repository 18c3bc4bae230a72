#!/usr/bin/env python3
"""ONNX networks of the golden tests: what `compile` makes of a .onnx file. onnx_models.py DIR writes them."""
import os
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper


class Model:
    """A model that is written operator by operator: m('Relu', x) is the name of its output."""

    def __init__(self, name, seed):
        self.name, self.random, self.opset, self.count = name, np.random.RandomState(seed), 13, 0
        self.nodes, self.inputs, self.outputs, self.initializers, self.domains = [], [], [], [], {''}

    def input(self, *shape, kind=onnx.TensorProto.FLOAT, name=None):
        name = name or f'input{len(self.inputs)}'
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def const(self, values, dtype=np.float32):
        self.initializers.append(numpy_helper.from_array(np.array(values, dtype), f'const{len(self.initializers)}'))
        return self.initializers[-1].name

    def ints(self, *values):
        return self.const(values, np.int64)

    def normal(self, *shape, scale=0.2):
        return self.const(self.random.normal(0, scale, shape))

    def __call__(self, op, *inputs, outputs=1, domain='', **attributes):
        self.count += 1
        names = [f'{op.lower()}{self.count}' + (f'_{i}' if outputs > 1 else '') for i in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, domain=domain, **attributes))
        self.domains.add(domain)
        return names[0] if outputs == 1 else names

    def conv(self, x, c_in, c_out, k=3, groups=1, bias=True, **attributes):
        weights = [self.normal(c_out, c_in // groups, k, k)] + ([self.normal(c_out)] if bias else [])
        return self('Conv', x, *weights, group=groups, **{'pads': [k // 2] * 4, **attributes})

    def result(self, *names):
        self.outputs = [helper.make_empty_tensor_value_info(n) for n in names]

    def save(self, path):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.initializers)
        versions = [helper.make_opsetid(d, self.opset if not d else 1) for d in sorted(self.domains)]
        onnx.save(helper.make_model(graph, opset_imports=versions, ir_version=7), path)


def onnx_convolutions(m):
    x = m('Relu', m.conv(m.input(1, 3, 40, 56), 3, 16, strides=[2, 2]))
    y = m('Relu', m.conv(x, 16, 16, groups=16))
    z = m.conv(y, 16, 32, groups=2, bias=False)
    up = m('ConvTranspose', z, m.normal(32, 8, 2, 2), m.normal(8), strides=[2, 2])
    grouped = m('ConvTranspose', z, m.normal(32, 4, 4, 4), m.normal(8), strides=[2, 2], pads=[1, 1, 1, 1], group=2)
    m.result(m('Add', up, grouped), m.conv(z, 32, 24, k=1, auto_pad='SAME_UPPER', pads=[0] * 4), m.conv(y, 16, 8, dilations=[2, 2], pads=[2] * 4))


def onnx_classifier(m):
    x = m.conv(m.input(1, 3, 33, 33), 3, 16, bias=False)
    x = m('BatchNormalization', x, m.normal(16), m.normal(16), m.normal(16), m.const(np.full(16, 1.5)))
    x = m('MaxPool', m('Relu', x), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    x = m('AveragePool', x, kernel_shape=[2, 2], pads=[0, 0, 1, 1], count_include_pad=1)
    x = m('Dropout', m('Flatten', m('GlobalAveragePool', m('Clip', x, m.const(0.0), m.const(6.0)))))
    x = m('Gemm', x, m.normal(20, 16), m.normal(20), transB=1, alpha=0.5)
    m.result(m('Softmax', x, axis=-1))


def onnx_activations(m):
    x = m.conv(m.input(1, 4, 24, 24), 4, 8)
    kinds = [('LeakyRelu', {'alpha': 0.1}), ('Elu', {'alpha': 0.7}), ('Sigmoid', {}), ('Tanh', {}), ('Softplus', {}), ('ThresholdedRelu', {'alpha': 0.25}), ('Shrink', {'lambd': 0.3, 'bias': 0.1}), ('Identity', {})]
    y = [m(kind, m.conv(x, 8, 8, k=1), **attributes) for kind, attributes in kinds]
    y += [m('PRelu', m.conv(x, 8, 8, k=1), m.normal(8, 1, 1)), m('Clip', m.conv(x, 8, 8, k=1), '', m.const(0.5))]
    m.result(m('Concat', *y, axis=1))


def onnx_arithmetic(m):
    a, b = m.input(1, 8, 12, 12, name='a'), m.input(1, 8, 12, 12, name='b')
    total = m('Sum', a, m('Max', a, b, m.const(0.25)), m('Mean', a, b))
    scaled = m('Sub', m('Mul', total, m.normal(8, 1, 1)), m('Div', a, m.const(3.0)))
    root = m('Sqrt', m('Exp', m('Neg', m('Pow', scaled, m.const(2.0)))))
    chosen = m('Where', m('Greater', a, b), root, m('Reciprocal', m('Add', m('Relu', b), m.const(1.0))))
    m.result(chosen, m('Min', total, b))


def onnx_slices(m):
    x = m.conv(m.input(1, 3, 30, 30), 3, 24)
    p, q, r = m('Split', x, outputs=3, axis=1)
    d, e = m('Split', p, m.ints(11, 19), outputs=2, axis=2)
    f = m('Slice', q, m.ints(5, 3), m.ints(25, -1), m.ints(2, 3))
    g = m('Slice', r, m.ints(0, 1), m.ints(99, 99), m.ints(2, 3), m.ints(2, 2))
    h = m('Pad', r, m.ints(0, 0, 1, 2, 0, 0, 3, 0), m.const(0.5))
    m.result(*(m('Relu', v) for v in (d, e, f, g, h)))


def onnx_shapes(m):
    x = m.conv(m.input(1, 3, 16, 24), 3, 16)
    tokens = m('Transpose', m('Reshape', x, m.ints(0, 16, -1)), perm=[0, 2, 1])
    y = m('MatMul', tokens, m.normal(16, 12))
    rows = m('Squeeze', m('Unsqueeze', m('Gather', y, m.const(3, np.int64), axis=1), m.ints(2)), m.ints(2))
    wide = m('Expand', m('Reshape', rows, m.ints(1, 12, 1, 1)), m.ints(1, 12, 4, 4))
    m.result(m('Flatten', y, axis=2), m('Tile', wide, m.ints(1, 1, 2, 1)), m('DepthToSpace', x, blocksize=2, mode='CRD'), m('SpaceToDepth', x, blocksize=2))


def onnx_resizes(m):
    x = m.conv(m.input(1, 3, 14, 18), 3, 8)
    none = m.const([])
    a = m('Resize', x, none, m.const([1, 1, 2, 2]), mode='nearest', coordinate_transformation_mode='asymmetric', nearest_mode='floor')
    b = m('Resize', x, none, m.const([1, 1, 2, 2]), mode='linear', coordinate_transformation_mode='align_corners')
    c = m('Resize', x, '', '', m.ints(1, 8, 21, 27), mode='linear')
    m.result(m.conv(a, 8, 4), m.conv(b, 8, 4), c)


def onnx_reductions(m):
    x = m.conv(m.input(1, 3, 12, 20), 3, 8)
    y = [m('ReduceMean', x, axes=[2, 3]), m('ReduceMax', x, axes=[-1], keepdims=0), m('ReduceSum', x, m.ints(1)), m('ReduceL2', x, axes=[1]), m('ReduceLogSumExp', x, axes=[3]), m('ReduceSumSquare', x, axes=[2]),
         m('GlobalMaxPool', x), m('LogSoftmax', m('ReduceMin', x, axes=[2], keepdims=0), axis=1), m('LpNormalization', x, axis=1, p=2)]
    m.result(*y)


def onnx_normalizations(m):
    x = m.conv(m.input(1, 3, 16, 16), 3, 8)
    a = m('InstanceNormalization', x, m.normal(8), m.normal(8))
    b = m('GroupNorm', x, m.normal(8), m.normal(8), domain='org.openvinotoolkit', num_groups=2, eps=1e-5)
    c = m('LRN', x, size=3, alpha=0.0002)
    d = m('Normalize', x, m.normal(8), domain='org.openvinotoolkit', eps=1e-10)
    m.result(m('Add', a, b), c, d)


def onnx_layer_norm(m):
    x = m.conv(m.input(1, 3, 16, 16), 3, 8)
    centred = m('Sub', x, m('ReduceMean', x, axes=[-1]))
    variance = m('ReduceMean', m('Mul', centred, centred), axes=[-1])
    y = m('Div', centred, m('Sqrt', m('Add', variance, m.const(1e-5))))
    m.result(m('Add', m('Mul', y, m.normal(16)), m.normal(16)))


def onnx_choices(m):
    x = m.conv(m.input(1, 3, 10, 10), 3, 12)
    values, places = m('TopK', m('ReduceMax', x, axes=[2, 3], keepdims=0), m.ints(4), outputs=2)
    m.result(m('ArgMax', x, axis=1), values, places, m('Hardmax', x, axis=1), m('Gather', x, m.ints(7, 0, 3), axis=1), m('Relu', values))


def onnx_functions(m):
    """Operators that ONNX defines by others: they are the last ones that are made."""
    m.opset = 12
    x = m.conv(m.input(1, 5, 8, 8), 5, 5)
    labels = m('Constant', value=numpy_helper.from_array(m.random.randint(0, 5, (1, 8, 8)).astype(np.int64)))
    loss = m('SoftmaxCrossEntropyLoss', x, labels, reduction='mean')
    m.result(m('Relu', x), m('Celu', x, alpha=1.5), loss)


def onnx_memory(m):
    x = m.input(6, 1, 10)
    m.result(*m('LSTM', x, m.normal(1, 32, 10), m.normal(1, 32, 8), m.normal(1, 64), outputs=3, hidden_size=8))


def onnx_first_opsets(m):
    """Meanings of operators before attributes became inputs."""
    m.opset = 6
    x = m.conv(m.input(1, 3, 12, 12), 3, 8)
    y = m('Clip', m('Add', x, m.normal(8), axis=1, broadcast=1), min=-0.5, max=0.5)
    z = m('Slice', m('Pad', y, pads=[0, 0, 1, 1, 0, 0, 2, 0], value=0.25), starts=[1, 2], ends=[9, 12], axes=[2, 3])
    flat = m('Reshape', m('Squeeze', m('ReduceMean', z, axes=[2, 3]), axes=[2, 3]), m.ints(1, -1))
    m.result(m('Softmax', m('Gemm', flat, m.normal(8, 10), m.normal(10), broadcast=1)), m('Upsample', z, mode='nearest', height_scale=2.0, width_scale=2.0), m('Mean', y, x))


def onnx_restated(m):
    """What newer releases restate: products before weights, reordered colours, strides that move up, hard sigmoids."""
    x = m('Relu', m.input(1, 3, 32, 32))
    blue, green, red = m('Split', x, outputs=3, axis=1)
    y = m.conv(m('Mul', m('Concat', red, green, blue, axis=1), m.const([[[0.5]], [[0.25]], [[2.0]]])), 3, 16)
    shared = m('Relu', y)
    y = m('Add', m.conv(shared, 16, 16, k=1, strides=[2, 2], pads=[0] * 4), m.conv(shared, 16, 16, k=1, strides=[2, 2], pads=[0] * 4))
    y = m('Mul', y, m('Div', m('Clip', m('Add', y, m.const(3.0)), m.const(0.0), m.const(6.0)), m.const(6.0)))
    first, second = m('Split', y, outputs=2, axis=1)
    y = m('Max', m('Mul', first, m.const(0.1)), first)
    wide = m('MatMul', m('Reshape', m('Sigmoid', second), m.ints(1, 8, 256)), m.normal(256, 12))
    m.result(y, m('Mul', wide, m.const(0.5)), m('Div', m('BatchNormalization', y, m.normal(8), m.normal(8), m.normal(8), m.const(np.full(8, 1.5))), m.const(4.0)))


def onnx_numbers(m):
    """Order by automatic names: those that the softmax's flattening is read with have the number 100, one less would turn the layers round. And a table of names that grows."""
    m.opset = 10
    x = m.input(1, 4, 8, 8)
    for _ in range(2):
        x = m('Relu', x)
    y = m('BatchNormalization', m.conv(x, 4, 4, k=1, groups=2, bias=False, pads=[0] * 4), m.normal(4), m.normal(4), m.normal(4), m.const(np.full(4, 1.5)))
    renamed = m('Sigmoid', y)
    for _ in range(5):
        renamed = m('Cast', renamed, to=onnx.TensorProto.FLOAT)
    m.result(m('Softmax', y, axis=3), m('DepthToSpace', y, blocksize=2), renamed)


def onnx_late_numbers(m):
    """The names of two constants decide the order of layers: one is made by the reader, one by the conversion."""
    log = m('Log', m.input(1, 3, 20, 29))
    high = m('Max', log, m.normal(3, 1, 1))
    norm = m('BatchNormalization', m('Add', high, high), *[m.const(m.random.uniform(0.5, 1, 3)) for _ in range(4)])
    place = m('Gather', log, m.const(5, np.int64), axis=3)
    down = m.conv(norm, 3, 10, strides=[2, 2])
    last = m.conv(down, 10, 64, k=1, strides=[2, 2], pads=[0] * 4)
    m.result(place, last, m('Add', m.input(1, 3, 20, 29), log), log)


def onnx_single_steps(m):
    """A slice whose step is longer than itself takes one element: it is part of a split as one in steps of 1."""
    x = m('Relu', m.input(1, 8, 6, 10))
    cut = lambda first, last, step: m('Slice', x, m.ints(first), m.ints(last), m.ints(3), m.ints(step))
    m.result(*[m('Relu', cut(*bounds)) for bounds in ((5, 2**31 - 1, 1), (1, 3, 2), (3, 4, 7))])


def onnx_computed_sizes(m):
    """The numbers that a Resize takes for sizes of scales decide which of the slices comes first."""
    m.opset = 10
    cut = lambda x, first, axis: m('Slice', x, m.ints(first), m.ints(2**31 - 1), m.ints(axis), m.ints(2))
    large = m('Resize', m.input(1, 3, 16, 16), m.const([1, 1, 2, 2]), mode='nearest')
    parts = [cut(cut(large, 0, 2), 0, 3), cut(m.input(1, 3, 16, 32), 0, 3), cut(m.input(1, 3, 16, 32), 1, 3), m.input(1, 3, 16, 16)]
    m.result(m('Concat', *parts, axis=1))


MODELS = [onnx_convolutions, onnx_classifier, onnx_activations, onnx_arithmetic, onnx_slices, onnx_shapes, onnx_resizes, onnx_reductions, onnx_normalizations, onnx_layer_norm, onnx_choices, onnx_functions, onnx_memory, onnx_first_opsets, onnx_restated, onnx_numbers, onnx_late_numbers, onnx_single_steps, onnx_computed_sizes]

# name -> arguments of `blobsmith compile`
OPTIONS = {
    'default': [],
    'u8': ['-ip', 'U8', '-op', 'FP32'],
    '2022.1': ['--target', '2022.1', '-ip', 'U8', '-VPU_NUMBER_OF_SHAVES', '6', '-VPU_NUMBER_OF_CMX_SLICES', '6', '-c', 'MYRIAD_THROUGHPUT_STREAMS=1'],
}

# What OpenVINO 2022.1's compiler refuses: a constant as an output, and a network whose data it can't place.
NOT_2022_1 = {'onnx_functions', 'onnx_normalizations'}


def write(folder):
    os.makedirs(folder, exist_ok=True)
    paths = {}
    for seed, build in enumerate(MODELS):
        m = Model(build.__name__, seed)
        build(m)
        paths[m.name] = os.path.join(folder, m.name + '.onnx')
        m.save(paths[m.name])
    return paths


if __name__ == '__main__':
    print(*write(sys.argv[1]), sep='\n')
