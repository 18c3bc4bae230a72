#!/usr/bin/env python3
"""Single ONNX operators with drawn attributes and shapes: converted, run in the emulator, held against ONNX Runtime.

  onnx_attributes.py [--tool build/blobsmith] [--count N] [--seed FIRST] [-k REGEX] [--keep DIR] [--jobs N] [-v]

Case N is operator N modulo their number, drawn by a random generator of the seed N, so any case can be repeated alone
(--seed N --count 1). Needs numpy, onnx, onnxruntime. Prints what is wrong or refused (-v: all refusals) and a table;
exit code 1 when a blob's output differs by more than 1 % of its largest value, or a command crashes.
"""
import argparse
import collections
import concurrent.futures
import os
import random
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOLERANCE = 0.01


class Case:
    """One operator of the input x, its constants and attributes."""

    def __init__(self, seed):
        self.draw, self.random = random.Random(seed), np.random.default_rng(seed)
        self.constants, self.attributes, self.inputs = {}, {}, ['x']
        self.outputs, self.opset, self.values, self.whole = ['y'], 13, None, None

    def pick(self, *choices):
        return self.draw.choice(choices)

    def maybe(self, name, *choices):
        """The attribute, in half of the cases."""
        if self.draw.random() < 0.5:
            self.attributes[name] = self.pick(*choices)

    def shape(self, low=2, high=5, largest=9):
        return [self.draw.randint(1, 2) if i == 0 and self.draw.random() < 0.2 else self.draw.randint(2, largest) for i in range(self.draw.randint(low, high))]

    def x(self, shape, kind='normal'):
        """Values of the input: 'apart' are those that FP16 holds, all different."""
        if kind == 'apart':
            shape = [min(n, 5) for n in shape[:4]]
        draw = {'normal': lambda: self.random.standard_normal(shape), 'positive': lambda: self.random.random(shape) + 0.25, 'unit': lambda: self.random.random(shape) * 1.8 - 0.9,
                'apart': lambda: self.random.permutation(int(np.prod(shape))).reshape(shape) / 8 - 20}
        self.values = draw[kind]().astype(np.float32)
        return shape

    def constant(self, values, name=None):
        name = name or f'c{len(self.constants)}'
        self.constants[name] = np.asarray(values)
        self.inputs.append(name)

    def weights(self, *shape):
        self.constant((self.random.standard_normal(shape) / max(1, np.sqrt(np.prod(shape[1:])))).astype(np.float32))

    def axes(self, rank):
        some = sorted(self.draw.sample(range(rank), self.draw.randint(1, rank)))
        return [a - rank if self.draw.random() < 0.3 else a for a in some]

    def model(self, op):
        given = helper.make_tensor_value_info('x', TensorProto.FLOAT, list(self.values.shape))
        outs = [helper.make_tensor_value_info(o, TensorProto.UNDEFINED, None) for o in self.outputs]
        nodes = [helper.make_node(op, self.inputs, self.outputs, **self.attributes)]
        if self.whole:
            nodes = [helper.make_node('Cast', ['x'], ['whole'], to=self.whole), helper.make_node(op, ['whole' if i == 'x' else i for i in self.inputs], [f'{o} whole' for o in self.outputs], **self.attributes),
                     *(helper.make_node('Cast', [f'{o} whole'], [o], to=TensorProto.FLOAT) for o in self.outputs)]
        graph = helper.make_graph(nodes, 'g', [given], outs, [numpy_helper.from_array(v, k) for k, v in self.constants.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', self.opset)], ir_version=8)
        inferred = {o.name: o.type.tensor_type.elem_type for o in onnx.shape_inference.infer_shapes(model).graph.output}
        for out in model.graph.output:
            out.type.tensor_type.elem_type = inferred.get(out.name) or TensorProto.FLOAT
        return model


def window(c, axes, pooled):
    """Kernel, strides, dilations and padding of so many axes."""
    kernel = [c.draw.randint(1, 4) for _ in range(axes)]
    c.attributes['kernel_shape'] = kernel
    c.maybe('strides', [c.draw.randint(1, 3) for _ in range(axes)])
    dilations = [1] * axes
    if c.draw.random() < 0.3 and pooled != 'average':  # of which releases of ONNX Runtime before 1.19 know none
        dilations = c.attributes['dilations'] = [c.draw.randint(1, 2) for _ in range(axes)]
    is_apart = any(s > k for s, k in zip(c.attributes.get('strides', []), kernel))  # where releases of ONNX Runtime differ in SAME
    padding = c.pick('none', 'pads', 'pads', 'VALID', *(['SAME_UPPER', 'SAME_LOWER'] if not is_apart and (pooled is None or max(dilations) == 1) else []))
    if padding == 'pads':
        c.attributes['pads'] = [c.draw.randint(0, max(0, (k - 1) * d + 1 - 1)) for _ in range(2) for k, d in zip(kernel, dilations)]
    elif padding != 'none':
        c.attributes['auto_pad'] = padding
    return kernel


def conv(c):
    axes = c.pick(1, 2, 2, 2, 3)
    kernel, groups = window(c, axes, None), c.pick(1, 1, 2, 4)
    per_in, per_out = c.pick(1, 3, 4), c.pick(1, 2, 4)
    c.x([1, per_in * groups] + [c.draw.randint(8, 14) for _ in range(axes)])
    c.weights(per_out * groups, per_in, *kernel)
    c.attributes['group'] = groups
    if c.draw.random() < 0.5:
        c.weights(per_out * groups)


def conv_transpose(c):
    axes = c.pick(1, 2, 2, 2, 3)
    kernel, groups = window(c, axes, None), c.pick(1, 1, 2, 4)
    per_in, per_out = c.pick(1, 3, 4), c.pick(1, 2, 4)
    sizes = [c.draw.randint(4, 9) for _ in range(axes)]
    c.x([1, per_in * groups] + sizes)
    c.weights(per_in * groups, per_out, *kernel)
    c.attributes['group'] = groups
    strides, dilations = c.attributes.get('strides', [1] * axes), c.attributes.get('dilations', [1] * axes)
    if c.draw.random() < 0.3:
        c.attributes['output_padding'] = [c.draw.randint(0, s - 1) for s in strides]
    if c.draw.random() < 0.3:
        c.attributes.pop('pads', None)
        full = [s * (n - 1) + (k - 1) * d + 1 for s, n, k, d in zip(strides, sizes, kernel, dilations)]
        c.attributes['output_shape'] = [max(2, f - c.draw.randint(0, 2)) for f in full]
        c.attributes.pop('output_padding', None)
    if c.draw.random() < 0.5:
        c.weights(per_out * groups)


def pool(kind):
    def build(c):
        axes = c.pick(1, 2, 2, 2, 3)
        window(c, axes, kind)
        c.x([1, c.pick(1, 3, 8)] + [c.draw.randint(8, 14) for _ in range(axes)])
        if not {'auto_pad', 'pads'} & set(c.attributes) and all(s <= k for s, k in zip(c.attributes.get('strides', [1] * axes), c.attributes['kernel_shape'])):
            c.maybe('ceil_mode', 0, 1)  # otherwise releases of ONNX Runtime differ in the output's size
        if kind == 'average' and axes < 3:  # ONNX Runtime 1.17 divides otherwise
            c.maybe('count_include_pad', 0, 1)
        if kind == 'lp':
            c.attributes.pop('ceil_mode', None)
            c.attributes.pop('dilations', None)
            c.maybe('p', 1, 2)
    return build


def resize(c):
    mode = c.pick('nearest', 'linear', 'cubic')
    shape = c.x([1, c.pick(1, 3), c.draw.randint(4, 9), c.draw.randint(4, 9)] if mode != 'linear' or c.draw.random() < 0.7 else [1, c.pick(1, 3)] + [c.draw.randint(4, 7)] * c.pick(1, 3))
    c.attributes['mode'] = mode
    c.maybe('coordinate_transformation_mode', 'half_pixel', 'align_corners', 'asymmetric', 'pytorch_half_pixel')
    if mode == 'nearest':
        c.maybe('nearest_mode', 'floor', 'ceil', 'round_prefer_floor', 'round_prefer_ceil')
    if mode == 'cubic':
        c.maybe('cubic_coeff_a', -0.5, -0.75)
        c.maybe('exclude_outside', 0, 1)
    c.inputs.append('')
    if c.draw.random() < 0.5 and c.attributes.get('coordinate_transformation_mode') != 'align_corners':  # of a fraction of a pixel, as ONNX has it and ONNX Runtime not
        c.constant(np.array([1, 1] + [c.pick(0.5, 1, 1.5, 2, 2.5, 3) for _ in shape[2:]], np.float32))
    else:
        c.inputs.append('')
        c.constant(np.array(shape[:2] + [c.draw.randint(2, 16) for _ in shape[2:]], np.int64))


def pad(c):
    shape = c.x(c.shape(1, 5))
    mode = c.pick('constant', 'reflect', 'edge')
    c.attributes['mode'] = mode
    low = -1 if mode == 'constant' else 0
    padded = [a for a in range(len(shape)) if c.draw.random() < 0.6]
    c.constant(np.array([c.draw.randint(low, min(3, shape[a] - 1)) if a in padded else 0 for _ in range(2) for a in range(len(shape))], np.int64))
    if mode == 'constant' and c.draw.random() < 0.5:
        c.constant(np.float32(c.pick(0, -1.5, 7)))


def slices(c):
    shape = c.x(c.shape(1, 5))
    axes = c.axes(len(shape))
    starts, ends, steps = [], [], []
    for a in axes:
        n, step = shape[a], c.pick(1, 1, 2, 3, -1, -2)
        a0, b0 = sorted(c.draw.sample(range(n + 1), 2))
        starts.append(a0 if step > 0 else b0 - 1)
        ends.append(c.pick(b0, b0 - n if b0 < n else b0, 2**31 - 1) if step > 0 else (a0 - 1 if a0 > 0 else -n - 1))
        steps.append(step)
    for v in (starts, ends, axes, steps):
        c.constant(np.array(v, np.int64))


def reduce(c):
    shape = c.x(c.shape(1, 5), 'positive')
    c.maybe('keepdims', 0, 1)
    if c.draw.random() < 0.8:
        c.attributes['axes'] = c.axes(len(shape))


def reduce_sum(c):
    shape = c.x(c.shape(1, 5))
    c.maybe('keepdims', 0, 1)
    if c.draw.random() < 0.8:
        c.constant(np.array(c.axes(len(shape)), np.int64))
    else:
        c.maybe('noop_with_empty_axes', 0, 1)


def arg(c):
    shape = c.x(c.shape(1, 5), 'apart')
    c.maybe('axis', c.draw.randrange(-len(shape), len(shape)))
    c.maybe('keepdims', 0, 1)
    c.maybe('select_last_index', 0, 1)


def softmax(c, domain='normal'):
    c.opset = c.pick(11, 13)
    shape = c.x(c.shape(2, 5), domain)
    c.maybe('axis', c.draw.randrange(-len(shape), len(shape)))


def gemm(c):
    a, b, n = (c.draw.randint(2, 9) for _ in range(3))
    c.maybe('transA', 0, 1)
    c.maybe('transB', 0, 1)
    c.maybe('alpha', 0.5, 2.0)
    c.maybe('beta', 0.25, 3.0)
    c.x([b, a] if c.attributes.get('transA') else [a, b])
    c.weights(*((n, b) if c.attributes.get('transB') else (b, n)))
    if c.draw.random() < 0.7:
        c.weights(*c.pick((n,), (1, n), (a, n), (a, 1), (1,)))


def matmul(c):
    shape = c.x(c.shape(1, 5))
    k, n = shape[-1], c.draw.randint(2, 6)
    c.weights(*c.pick((k,), (k, n), tuple(shape[:-2] + [k, n]), tuple([1] * len(shape[:-2]) + [k, n])))


def gather(c):
    shape = c.x(c.shape(1, 5))
    axis = c.draw.randrange(-len(shape), len(shape))
    c.maybe('axis', axis)
    n = shape[c.attributes.get('axis', 0)]
    c.constant(c.random.integers(-n, n, c.pick((), (1,), (3,), (2, 3))).astype(np.int64))


def gather_elements(c):
    shape = c.x(c.shape(1, 4))
    axis = c.draw.randrange(-len(shape), len(shape))
    c.attributes['axis'] = axis
    taken = list(shape)
    taken[axis] = c.draw.randint(1, 5)
    c.constant(c.random.integers(-shape[axis], shape[axis], taken).astype(np.int64))


def gather_nd(c):
    shape = c.x(c.shape(2, 4))
    depth = c.draw.randint(1, len(shape))
    c.constant(np.stack([c.random.integers(0, n, (3, 2)) for n in shape[:depth]], -1).astype(np.int64))


def scatter_elements(c):
    c.opset = c.pick(13, 16)
    shape = c.x(c.shape(1, 4))
    axis = c.draw.randrange(-len(shape), len(shape))
    c.attributes['axis'] = axis
    written = list(shape)
    written[axis] = c.draw.randint(1, shape[axis])
    if c.opset == 16:
        c.maybe('reduction', 'none', 'add', 'mul')
    order = np.argsort(c.random.random(shape), axis=axis)  # no index twice
    c.constant(np.take(order, range(written[axis]), axis=axis).astype(np.int64))
    c.weights(*written)


def scatter_nd(c):
    c.opset = c.pick(13, 16)
    shape = c.x(c.shape(2, 4))
    depth = c.draw.randint(1, len(shape))
    places = c.draw.sample(range(int(np.prod(shape[:depth]))), min(2, int(np.prod(shape[:depth]))))
    if c.opset == 16:
        c.maybe('reduction', 'none', 'add', 'mul')
    c.constant(np.stack(np.unravel_index(places, shape[:depth]), -1).astype(np.int64))
    c.weights(len(places), *shape[depth:])


def top_k(c):
    shape = c.x(c.shape(1, 4), 'apart')
    axis = c.draw.randrange(-len(shape), len(shape))
    c.maybe('axis', axis)
    c.maybe('largest', 0, 1)
    c.constant(np.array([c.draw.randint(1, shape[c.attributes.get('axis', -1)])], np.int64))
    c.outputs = ['v', 'i']


def one_hot(c):
    c.x(c.shape(1, 3), 'apart')
    c.values = c.random.integers(-5, 7, c.values.shape).astype(np.float32)
    c.maybe('axis', c.draw.randrange(-c.values.ndim - 1, c.values.ndim + 1))
    c.constant(np.float32(c.pick(5, 7)))
    c.constant(np.array([c.pick(0, -1), c.pick(1, 3.5)], np.float32))


def normalization(kind):
    def build(c):
        shape = c.x(c.shape(2 if kind == 'BatchNormalization' else 3, 5))
        channels = shape[1]
        c.weights(channels)
        c.weights(channels)
        if kind == 'BatchNormalization':
            c.weights(channels)
            c.constant((c.random.random(channels) + 0.5).astype(np.float32))
        c.maybe('epsilon', 1e-3, 1e-5, 0.1)
    return build


def layer_normalization(c):
    c.opset = 17
    shape = c.x(c.shape(1, 4) + [c.draw.randint(6, 9)])  # of two values, half precision may have only one
    axis = c.draw.randrange(-len(shape), len(shape))
    c.maybe('axis', axis)
    kept = shape[c.attributes.get('axis', -1):]
    c.weights(*kept)
    if c.draw.random() < 0.6:
        c.weights(*kept)
    c.maybe('epsilon', 1e-3, 1e-5)


def lrn(c):
    c.x([1, c.pick(3, 8)] + [c.draw.randint(3, 6) for _ in range(c.pick(2, 3))])
    c.attributes['size'] = c.pick(3, 5)
    c.maybe('alpha', 0.5, 1e-4)
    c.maybe('beta', 0.5, 0.75)
    c.maybe('bias', 1.0, 2.0)


def lp_normalization(c):
    shape = c.x(c.shape(1, 5))
    c.maybe('axis', c.draw.randrange(-len(shape), len(shape)))
    c.maybe('p', 1, 2)


def transpose(c):
    shape = c.x(c.shape(1, 6, 5))
    c.maybe('perm', c.draw.sample(range(len(shape)), len(shape)))


def concat(c):
    shape = c.x(c.shape(1, 5))
    axis = c.draw.randrange(-len(shape), len(shape))
    c.attributes['axis'] = axis
    other = list(shape)
    other[axis] = c.draw.randint(1, 5)
    c.weights(*other)
    if c.draw.random() < 0.3:
        c.inputs.append('x')


def split(c):
    shape = c.x(c.shape(1, 5))
    axis = c.draw.randrange(-len(shape), len(shape))
    c.maybe('axis', axis)
    n = shape[c.attributes.get('axis', 0)]
    first = c.draw.randint(1, max(1, n - 1))
    parts = [first, n - first] if n > first else [n]
    c.constant(np.array(parts, np.int64))
    c.outputs = [f'y{i}' for i in range(len(parts))]


def tile(c):
    shape = c.x(c.shape(1, 5, 5))
    c.constant(np.array([c.draw.randint(1, 3) for _ in shape], np.int64))


def expand(c):
    shape = [1 if c.draw.random() < 0.5 else n for n in c.shape(1, 4, 5)]
    c.x(shape)
    c.constant(np.array(([c.draw.randint(1, 3)] if c.draw.random() < 0.3 else []) + [n if n > 1 else c.draw.randint(1, 4) for n in shape], np.int64))


def space(op):
    def build(c):
        b = c.pick(2, 3)
        c.attributes['blocksize'] = b
        c.x([1, 2 * b * b, 3, 4] if op == 'DepthToSpace' else [1, 3, 2 * b, 3 * b])
        if op == 'DepthToSpace':
            c.maybe('mode', 'DCR', 'CRD')
    return build


def elementwise(domain='normal', **attributes):
    def build(c):
        c.x(c.shape(1, 5), domain)
        if domain == 'apart':
            c.values /= 8
        for name, choices in attributes.items():
            c.maybe(name, *choices)
    return build


def binary(domain='normal'):
    def build(c):
        shape = c.x(c.shape(1, 5), domain)
        other = [1 if c.draw.random() < 0.4 else n for n in shape][c.draw.randrange(len(shape)):]
        if c.draw.random() < 0.2:
            other = [3, 1] + [1] * (len(shape) - 1) if len(shape) < 4 else other
        values = {'positive': lambda: c.random.random(other) + 0.5, 'normal': lambda: c.random.standard_normal(other), 'apart': lambda: c.random.choice((-1.5, 0.75, 2, 3), other)}[domain]()
        c.constant(values.astype(np.float32))
        if c.draw.random() < 0.4 and domain != 'apart':
            c.inputs.reverse()
    return build


def of_integers(build):
    """The operator between two Casts; what it reads are whole numbers."""
    def build_whole(c):
        c.whole = c.pick(TensorProto.INT32, TensorProto.INT64, TensorProto.INT64, TensorProto.UINT8, TensorProto.INT8)
        build(c)
        dtype, unsigned = helper.tensor_dtype_to_np_dtype(c.whole), c.whole == TensorProto.UINT8
        c.values = np.round(4 * c.values)
        c.values = (np.abs(c.values) if unsigned else c.values).astype(np.float32)
        c.values[c.values == 0] = 1  # somebody's divisor
        for name, v in c.constants.items():
            if v.dtype == np.float32:
                numbers = np.where(np.round(3 * v) == 0, 2, np.round(3 * v))
                c.constants[name] = (np.abs(numbers) if unsigned else numbers).astype(dtype)
    return build_whole


def clip(c):
    c.x(c.shape(1, 5))
    if c.draw.random() < 0.7:
        c.constant(np.float32(-0.5))
    else:
        c.inputs.append('')
    if c.draw.random() < 0.7:
        c.constant(np.float32(0.75))


def prelu(c):
    shape = c.x(c.shape(2, 5))
    c.weights(*c.pick((shape[1], *[1] * (len(shape) - 2)), (1,), tuple(shape[1:]), (1, shape[1], *[1] * (len(shape) - 2))))


def where(c):
    shape = c.x(c.shape(1, 4))
    c.inputs = []
    c.constant(c.random.random(c.pick(shape, shape[-1:], [1] * len(shape))) < 0.5)
    c.inputs.append('x')
    c.weights(*c.pick(shape, [1], shape[-1:]))
    if c.draw.random() < 0.5:
        c.inputs[1:] = c.inputs[:0:-1]


def cum_sum(c):
    shape = c.x(c.shape(1, 4))
    c.constant(np.array(c.draw.randrange(-len(shape), len(shape)), np.int64))
    c.maybe('exclusive', 0, 1)
    c.maybe('reverse', 0, 1)


def trilu(c):
    c.opset = 14
    c.x(c.shape(2, 4))
    c.maybe('upper', 0, 1)
    if c.draw.random() < 0.6:
        c.constant(np.array(c.draw.randint(-3, 3), np.int64))


def reverse_sequence(c):
    c.x([4, 3, 5])
    c.attributes.update(c.pick({'batch_axis': 1, 'time_axis': 0}, {'batch_axis': 0, 'time_axis': 1}))
    batch, time = c.attributes['batch_axis'], c.attributes['time_axis']
    c.constant(c.random.integers(1, c.values.shape[time] + 1, c.values.shape[batch]).astype(np.int64))


def grid_sample(c):
    c.opset = 16
    c.x([1, c.pick(1, 3), 6, 7])
    c.constant((c.random.random((1, 5, 4, 2)) * 2.6 - 1.3).astype(np.float32))
    c.maybe('mode', 'bilinear', 'nearest', 'bicubic')
    c.maybe('padding_mode', 'zeros', 'border', 'reflection')
    c.maybe('align_corners', 0, 1)


def roi_align(c):
    c.opset = 16
    c.x([1, 4, 12, 14])
    corner = c.random.random((3, 2)) * 6
    c.constant(np.concatenate([corner, corner + 2 + c.random.random((3, 2)) * 5], 1).astype(np.float32))  # of a pixel at least
    c.constant(np.zeros(3, np.int64))
    c.attributes.update(output_height=c.pick(2, 3), output_width=c.pick(2, 4))
    c.maybe('mode', 'avg', 'max')
    c.maybe('sampling_ratio', 0, 1, 2)
    c.maybe('spatial_scale', 1.0, 0.5)
    c.maybe('coordinate_transformation_mode', 'half_pixel', 'output_half_pixel')


def recurrent(kind):
    def build(c):
        gates = {'LSTM': 4, 'GRU': 3, 'RNN': 1}[kind]
        hidden, direction = c.pick(3, 8), c.pick('forward', 'reverse', 'bidirectional')
        n = 2 if direction == 'bidirectional' else 1
        shape = c.x([c.pick(1, 5), c.pick(1, 1, 2), c.pick(4, 6)])
        c.weights(n, gates * hidden, shape[2])
        c.weights(n, gates * hidden, hidden)
        if c.draw.random() < 0.7:
            c.weights(n, 2 * gates * hidden)
        c.attributes.update(hidden_size=hidden, direction=direction)
        if kind == 'GRU':
            c.maybe('linear_before_reset', 0, 1)
        if kind == 'RNN':
            c.maybe('activations', [c.pick('Relu', 'Tanh', 'Sigmoid')] * n)
        c.maybe('clip', 0.5)
        c.outputs = ['y', 'h', 'c'][:3 if kind == 'LSTM' else 2][:c.draw.randint(1, 3)]
    return build


OPERATORS = {
    'Conv': conv, 'ConvTranspose': conv_transpose, 'MaxPool': pool('max'), 'AveragePool': pool('average'), 'LpPool': pool('lp'), 'Resize': resize, 'Pad': pad, 'Slice': slices,
    **{f'Reduce{k}': reduce for k in ('Mean', 'Max', 'Min', 'L1', 'L2', 'Prod', 'LogSum', 'LogSumExp', 'SumSquare')}, 'ReduceSum': reduce_sum, 'ArgMax': arg, 'ArgMin': arg,
    'Softmax': softmax, 'LogSoftmax': softmax, 'Hardmax': lambda c: softmax(c, 'apart'), 'Gemm': gemm, 'MatMul': matmul, 'Gather': gather, 'GatherElements': gather_elements, 'GatherND': gather_nd,
    'ScatterElements': scatter_elements, 'ScatterND': scatter_nd, 'TopK': top_k, 'OneHot': one_hot, 'BatchNormalization': normalization('BatchNormalization'),
    'InstanceNormalization': normalization('InstanceNormalization'), 'LayerNormalization': layer_normalization, 'LRN': lrn, 'LpNormalization': lp_normalization, 'Transpose': transpose,
    'Concat': concat, 'Split': split, 'Tile': tile, 'Expand': expand, 'DepthToSpace': space('DepthToSpace'), 'SpaceToDepth': space('SpaceToDepth'), 'Clip': clip, 'PRelu': prelu, 'Where': where,
    'CumSum': cum_sum, 'Trilu': trilu, 'ReverseSequence': reverse_sequence, 'GridSample': grid_sample, 'RoiAlign': roi_align, 'LSTM': recurrent('LSTM'), 'GRU': recurrent('GRU'), 'RNN': recurrent('RNN'),
    **{k: elementwise() for k in ('Relu', 'Abs', 'Neg', 'Exp', 'Sigmoid', 'Tanh', 'Erf', 'Softplus', 'Softsign', 'HardSwish', 'Mish', 'Sin', 'Cos', 'Atan', 'Sinh', 'Cosh')},
    **{k: elementwise('apart') for k in ('Floor', 'Ceil', 'Round', 'Sign')}, **{k: elementwise('positive') for k in ('Sqrt', 'Log', 'Reciprocal')}, **{k: elementwise('unit') for k in ('Asin', 'Acos', 'Tan', 'Atanh')},
    'Elu': elementwise(alpha=(0.5, 2.0)), 'Celu': elementwise(alpha=(0.5, 2.0)), 'Selu': elementwise(alpha=(1.5,), gamma=(1.2,)), 'LeakyRelu': elementwise(alpha=(0.1, 0.3, 0.0)),
    'ThresholdedRelu': elementwise('apart', alpha=(0.3, 1.0)), 'HardSigmoid': elementwise(alpha=(0.1, 0.3), beta=(0.4, 0.6)), 'Shrink': elementwise('apart', lambd=(0.3, 0.8), bias=(0.1, 0.2)),
    'Flatten': lambda c: (c.x(c.shape(2, 5)), c.maybe('axis', *range(-c.values.ndim, c.values.ndim + 1))),
    **{f'whole {k}': of_integers(elementwise()) for k in ('Abs', 'Neg', 'Sign', 'Relu')}, **{f'whole {k}': of_integers(binary()) for k in ('Add', 'Sub', 'Mul', 'Div', 'Mod', 'Max', 'Min', 'Equal', 'Greater', 'Less', 'GreaterOrEqual', 'LessOrEqual')},
    **{f'whole {k}': of_integers(OPERATION) for k, OPERATION in (('Clip', clip), ('MatMul', matmul), ('Gather', gather), ('GatherElements', gather_elements), ('GatherND', gather_nd), ('ScatterElements', scatter_elements),
       ('ScatterND', scatter_nd), ('TopK', top_k), ('Transpose', transpose), ('Concat', concat), ('Split', split), ('Tile', tile), ('Expand', expand), ('Where', where), ('CumSum', cum_sum), ('Trilu', trilu),
       ('ReduceMax', reduce), ('ReduceMin', reduce), ('ReduceMean', reduce), ('ReduceSum', reduce_sum), ('ArgMax', arg), ('Pad', pad), ('Slice', slices))},
    **{k: binary() for k in ('Add', 'Sub', 'Mul', 'Max', 'Min')}, **{k: binary('apart') for k in ('Greater', 'Less', 'GreaterOrEqual', 'LessOrEqual', 'Mod')}, **{k: binary('positive') for k in ('Div', 'Pow')},
}
NEWER = {'HardSwish': 14, 'Mish': 18, 'Trilu': 14}


def build(number):
    """(operator, Case) of a number."""
    name = list(OPERATORS)[number % len(OPERATORS)]
    op, case = name.split()[-1], Case(number)
    case.opset = NEWER.get(op, 14 if name != op else 13)
    OPERATORS[name](case)
    if name == 'Mod':
        case.attributes['fmod'] = 1
    return op, case


def judge(arguments, folder, number):
    """(operator, verdict, what to say)"""
    op, case = build(number)
    said = f'{number} {op} of {"x".join(map(str, case.values.shape))} {case.attributes} ' + ' '.join(f'{k}={v.tolist() if v.size < 9 else v.shape}' for k, v in case.constants.items())
    model, at = case.model(op), os.path.join(folder, str(number))
    os.makedirs(at, exist_ok=True)
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level, options.intra_op_num_threads = 4, 1
        wanted = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=['CPUExecutionProvider']).run(None, {'x': case.values})
    except Exception as e:
        return op, 'not run', f'{said}: {str(e)[:120]}'
    onnx.save(model, os.path.join(at, 'm.onnx'))
    np.save(os.path.join(at, 'x.npy'), case.values)
    blob = os.path.join(at, 'm.blob')
    for command in (['convert', os.path.join(at, 'm.onnx'), '-o', blob, '--ip', 'FP16', '-q'], ['run', blob, '--input', os.path.join(at, 'x.npy'), '--output-dir', os.path.join(at, 'out')]):
        done = subprocess.run([arguments.tool, *command], capture_output=True, text=True)
        if done.returncode < 0:
            return op, 'crash', f'{said}: {command[0]} ended by signal {-done.returncode}'
        if done.returncode:
            return op, 'refused', f'{said}: {done.stderr.splitlines()[0] if done.stderr else command[0]}'
    for name, want in zip(case.outputs, wanted):
        want = np.asarray(want, np.float32)
        path = next((p for p in (os.path.join(at, 'out', f'{name}{end}.npy') for end in ('', *(f'.{i}' for i in range(3)))) if os.path.exists(p)), None)
        if path is None:
            return op, 'wrong', f'{said}: no output {name}'
        got = np.load(path).astype(np.float32)
        if got.size != want.size:
            return op, 'wrong', f'{said}: {name} has the shape {got.shape}, not {want.shape}'
        error = np.abs(got.reshape(-1) - want.reshape(-1)).max(initial=0) / max(np.abs(want).max(initial=0), 1e-3)
        if not error <= TOLERANCE:
            return op, 'wrong', f'{said}: {name} differs by {error:.3g} of its largest value'
    return op, 'right', said


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', default=os.path.join(ROOT, 'build', 'blobsmith'))
    ap.add_argument('--count', type=int, default=20 * len(OPERATORS))
    ap.add_argument('--seed', type=int, default=0)
    ap.add_argument('-k', dest='pattern', default='', help='only operators whose name matches')
    ap.add_argument('--keep', help='keep models and blobs in this folder')
    ap.add_argument('--jobs', type=int, default=os.cpu_count())
    ap.add_argument('-v', action='store_true', help='also what is refused, or not run by ONNX Runtime')
    arguments = ap.parse_args()
    names = list(OPERATORS)
    numbers = [n for n in range(arguments.seed, arguments.seed + arguments.count) if re.search(arguments.pattern, names[n % len(names)])]
    verdicts, refusals = collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool_of_threads:
        for op, verdict, said in pool_of_threads.map(lambda n: judge(arguments, arguments.keep or scratch, n), numbers):
            verdicts[verdict] += 1
            refusals[op] += verdict == 'refused'
            if verdict in ('wrong', 'crash') or (arguments.v and verdict != 'right'):
                print(f'{verdict}: {said}', flush=True)
    print(', '.join(f'{n} {v}' for v, n in sorted(verdicts.items())))
    if any(refusals.values()):
        print('refused: ' + ', '.join(f'{op} {n}' for op, n in refusals.most_common() if n))
    return 1 if verdicts['wrong'] or verdicts['crash'] else 0


if __name__ == '__main__':
    sys.exit(main())
