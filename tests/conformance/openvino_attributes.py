#!/usr/bin/env python3
"""Single operations of today's OpenVINO with drawn attributes and shapes, as IR v11: TOOL's outputs, in FP32 and of the blob, against OpenVINO's CPU plugin.

    openvino_attributes.py TOOL [--count N] [--seed FIRST] [-k REGEX] [--folder DIR] [-v]

Case N is operation N modulo their number, drawn by a random generator of the seed N, as is the set of operations (opset8 ... the newest) that it is taken
from. Needs today's openvino (PyPI); not part of `make test`. Exit code 1 when an output is wrong or a command crashes.
"""
import importlib
import os
import random

import drawn
import numpy as np
import openvino as ov

CORE = ov.Core()
SETS = [importlib.import_module(f'openvino.opset{n}') for n in range(8, 17)]
COARSE = {'fake_quantize': 3e-2, 'tan': 3e-1}  # one level may be on the other side; the pole is near


class Case(random.Random):
    def __init__(self, seed):
        super().__init__(seed)
        self.numbers, self.inputs, self.values = np.random.RandomState(seed % 2**32), [], []
        self.set = self.choice(SETS)
        self.by_definition = False  # of the operations, where the CPU plugin departs from it

    def op(self, name):
        """Of the drawn set, or of the first later one that has it."""
        return next(getattr(s, name) for s in SETS[SETS.index(self.set):] + SETS[::-1] if hasattr(s, name))

    def shape(self, least=1, most=4, largest=7):
        return [self.randint(2, largest) for _ in range(self.randint(least, most))]

    def plane(self, channels=None, least=6, most=11, axes=2):
        return [1, channels or self.choice([1, 3, 4]), *[self.randint(least, most) for _ in range(axes)]]

    def x(self, shape, kind='normal'):
        n = int(np.prod(shape))
        self.values.append({'normal': lambda: self.numbers.randn(*shape), 'positive': lambda: self.numbers.rand(*shape) + 0.3, 'unit': lambda: self.numbers.rand(*shape) * 1.8 - 0.9,
                            'apart': lambda: self.numbers.permutation(n).reshape(shape) / 8 - n / 16}[kind]().astype('f4'))
        self.inputs.append(SETS[0].parameter(shape, np.float32, name=f'x{len(self.inputs)}'))
        return self.inputs[-1]

    def constant(self, *shape, positive=False):
        values = self.numbers.rand(*shape) + 0.5 if positive else self.numbers.randn(*shape) / max(1, np.sqrt(np.prod(shape[1:])))
        return SETS[0].constant(values.astype('f4'))

    def axis(self, rank):
        return self.randrange(-rank, rank)

    def axes(self, rank):
        return [a - self.choice([0, rank]) for a in sorted(self.sample(range(rank), self.randint(1, rank)))]

    def pads(self, n, most=2):
        return [self.randint(0, most) for _ in range(n)]


def whole(values, kind=None):
    return SETS[0].constant(np.array(values, kind or np.int64))


def rank(x):
    return len(x.shape)


def size(x, axis):
    return int(x.shape[axis])


def convolution(c):
    axes = c.choice([1, 2, 2, 3])
    x, depth = c.x(c.plane(None, 6, 9, axes)), c.choice([1, 2, 5])
    kernel = [c.randint(1, 3) for _ in range(axes)]
    return c.op('convolution')(x, c.constant(depth, size(x, 1), *kernel), [c.randint(1, 2) for _ in range(axes)], c.pads(axes, 1), c.pads(axes, 2), [c.randint(1, 2) for _ in range(axes)],
                               c.choice(['explicit', 'same_upper', 'same_lower', 'valid']))


def group_convolution(c):
    axes, groups, each, depth = c.choice([1, 2, 2, 3]), c.choice([2, 3]), c.choice([1, 2]), c.choice([1, 2])
    x = c.x(c.plane(groups * each, 6, 9, axes))
    return c.op('group_convolution')(x, c.constant(groups, depth, each, *[c.randint(1, 3) for _ in range(axes)]), [c.randint(1, 2) for _ in range(axes)], c.pads(axes, 1), c.pads(axes, 2),
                                     [c.randint(1, 2) for _ in range(axes)], c.choice(['explicit', 'same_upper', 'same_lower', 'valid']))


def backprop(grouped):
    def build(c):
        axes, groups = c.choice([1, 2, 2, 3]), c.choice([2, 3])
        each = c.choice([1, 2, 3])
        x = c.x(c.plane(groups * each if grouped else each, 3, 6, axes))
        kernel, strides = [c.randint(1, 4) for _ in range(axes)], [c.randint(1, 3) for _ in range(axes)]
        weights = c.constant(*([groups, each] if grouped else [each]), c.choice([1, 2, 4]), *kernel)
        more = {'auto_pad': c.choice(['explicit', 'same_upper', 'same_lower', 'valid'])}
        if more['auto_pad'] == 'explicit':
            more.update(pads_begin=[min(p, k - 1) for p, k in zip(c.pads(axes, 1), kernel)], pads_end=[min(p, k - 1) for p, k in zip(c.pads(axes, 1), kernel)])
            more['output_padding'] = [c.randint(0, s - 1) for s in strides]
        elif c.random() < 0.5:
            more['output_shape'] = whole([size(x, 2 + i) * strides[i] for i in range(axes)])
        else:
            more['output_padding'] = [c.randint(0, s - 1) for s in strides]
        more['dilations'] = [c.choice([1, 1, 2])] * axes
        return c.op('group_convolution_backprop_data' if grouped else 'convolution_backprop_data')(x, weights, strides, **more)
    return build


def max_pool(c):
    axes = c.choice([1, 2, 2, 3])
    x, kernel = c.x(c.plane(None, 6, 9, axes)), [c.randint(1, 3) for _ in range(axes)]
    strides, begin, end = [c.randint(1, k) for k in kernel], [c.randint(0, k - 1) for k in kernel], [c.randint(0, k - 1) for k in kernel]
    more = [c.choice(['floor', 'ceil', *(['ceil_torch'] if c.set in SETS[6:] else [])]), c.choice(['explicit', 'same_upper', 'same_lower', 'valid'])]
    return c.op('max_pool')(x, strides, [c.choice([1, 1, 2]) for _ in range(axes)], begin, end, kernel, *more).output(0)


def avg_pool(c):
    axes = c.choice([1, 2, 2, 3])
    x, kernel = c.x(c.plane(None, 6, 9, axes)), [c.randint(1, 3) for _ in range(axes)]
    strides, begin, end = [c.randint(1, k) for k in kernel], [c.randint(0, k - 1) for k in kernel], [c.randint(0, k - 1) for k in kernel]
    more = [c.choice(['floor', 'ceil', *(['ceil_torch'] if c.set in SETS[6:] else [])]), c.choice(['explicit', 'same_upper', 'same_lower', 'valid'])]
    return c.op('avg_pool')(x, strides, begin, end, kernel, c.random() < 0.5, *more)


def interpolate(c):
    x = c.x(c.plane(None, 4, 7))
    mode = c.choice(['nearest', 'linear', 'linear_onnx', 'cubic', *(['bilinear_pillow', 'bicubic_pillow'] if c.set in SETS[3:] else [])])
    by_scales = c.random() < 0.5
    axes = [2, 3] if mode != 'linear' or c.random() < 0.7 else [1, 2, 3]
    scales = [c.choice([0.5, 0.75, 1.5, 2, 2, 3]) for _ in axes]
    sizes = [max(1, int(size(x, a) * s)) for a, s in zip(axes, scales)]
    more = dict(mode=mode, coordinate_transformation_mode=c.choice(['half_pixel', 'pytorch_half_pixel', 'asymmetric', 'tf_half_pixel_for_nn', 'align_corners']),
                nearest_mode=c.choice(['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil', 'simple']), cube_coeff=c.choice([-0.75, -0.5]), antialias=mode == 'linear' and c.random() < 0.3)
    if 'pillow' in mode:
        more['coordinate_transformation_mode'] = 'half_pixel'
    c.by_definition = more['antialias']  # which the plugin leaves out
    more['shape_calculation_mode'] = 'scales' if by_scales else 'sizes'
    if c.set in SETS[3:]:
        more['mode'] = 'linear' if more['antialias'] else mode
        return c.op('interpolate')(x, SETS[0].constant(np.array(scales, 'f4')) if by_scales else whole(sizes), axes=whole(axes), **more)
    return c.op('interpolate')(x, whole(sizes), SETS[0].constant(np.array(scales, 'f4')), axes=whole(axes), **more)


def pad(c):
    x = c.x(c.shape())
    mode = c.choice(['constant', 'edge', 'reflect', 'symmetric'])
    least = -1 if c.set in SETS[4:] and mode == 'constant' else 0
    amount = lambda: whole([c.randint(least, min(2, int(n) - 1)) for n in x.shape])
    return c.op('pad')(x, amount(), amount(), mode, *([SETS[0].constant(np.float32(1.5))] if mode == 'constant' and c.random() < 0.6 else []))


def gather(c):
    x = c.x(c.shape(2, 4))
    batch = c.choice([0, 0, 1])
    axis = c.randint(batch, rank(x) - 1)
    n = size(x, axis)
    indices = c.numbers.randint(-n, n, [int(k) for k in x.shape[:batch]] + c.choice([[], [3], [2, 2]]))
    return c.op('gather')(x, whole(indices, c.choice([np.int32, np.int64])), whole(axis - c.choice([0, rank(x)])), batch)


def gather_elements(c):
    x = c.x(c.shape())
    axis = c.axis(rank(x))
    return c.op('gather_elements')(x, whole(c.numbers.randint(0, size(x, axis), [int(n) for n in x.shape])), axis)


def gather_nd(c):
    x = c.x(c.shape(2, 4))
    batch = c.choice([0, 0, 1])
    depth = c.randint(1, rank(x) - batch)
    lead = [int(n) for n in x.shape[:batch]] + [3]
    return c.op('gather_nd')(x, whole(np.stack([c.numbers.randint(0, int(n), lead) for n in x.shape[batch:batch + depth]], -1)), batch)


def scatter_elements(c):
    x = c.x(c.shape())
    axis = c.randrange(rank(x))
    shape = [int(n) for n in x.shape]
    shape[axis] = c.randint(1, shape[axis])
    indices = np.stack([c.numbers.permutation(size(x, axis))[:shape[axis]] for _ in range(int(np.prod(shape)) // shape[axis])], -1).reshape([shape[axis]] + shape[:axis] + shape[axis + 1:])
    more = [c.choice(['none', 'sum', 'prod', 'min', 'max', 'mean']), c.random() < 0.7] if c.set in SETS[4:] else []
    return c.op('scatter_elements_update')(x, whole(np.moveaxis(indices, 0, axis)), c.constant(*shape), whole(axis), *more)


def scatter_nd(c):
    x = c.x([5] + c.shape(1, 2))
    more = [c.choice(['none', 'sum', 'sub', 'prod', 'min', 'max'])] if c.set in SETS[7:] else []
    return c.op('scatter_nd_update')(x, whole([[0], [4]]), c.constant(2, *[int(n) for n in x.shape[1:]]), *more)


def scatter(c):
    x = c.x(c.shape(2, 3))
    axis = c.randrange(rank(x))
    shape = [int(n) for n in x.shape]
    return c.op('scatter_update')(x, whole([1, 0]), c.constant(*shape[:axis], 2, *shape[axis + 1:]), whole(axis))


def one_hot(c):
    x = c.x(c.shape(2, 3), 'apart')
    found = c.op('topk')(x, whole(1), rank(x) - 1, 'max', 'value')
    labels = c.op('squeeze')(found.output(1), whole([rank(x) - 1]))
    return c.op('one_hot')(labels, whole(c.choice([5, 9])), SETS[0].constant(np.float32(2.5)), SETS[0].constant(np.float32(c.choice([0, -1]))), c.choice([-1, 0]))


def topk(c):
    x = c.x(c.shape(), 'apart')
    axis = c.axis(rank(x))
    return c.op('topk')(x, whole(c.randint(1, size(x, axis))), axis, c.choice(['max', 'min']), c.choice(['value', 'index']))


def reduced(name):
    def build(c):
        x = c.x(c.shape(), 'positive')
        return c.op(name)(x, whole(c.axes(rank(x))), c.random() < 0.5)
    return build


def matmul(c):
    batch = c.choice([[], [3], [2, 3]])
    a, k, n = (c.randint(2, 6) for _ in range(3))
    ta, tb = c.random() < 0.4, c.random() < 0.4
    x = c.x(batch + ([k, a] if ta else [a, k]))
    other = [*(c.choice([batch, [], [1] * len(batch)]) if batch else []), *([n, k] if tb else [k, n])]
    return c.op('matmul')(x, c.x(other) if c.random() < 0.4 else c.constant(*other), ta, tb)


def vector_matmul(c):
    x = c.x(c.shape(1, 3))
    return c.op('matmul')(x, c.constant(size(x, -1)), False, False)


def einsum(c):
    equation = c.choice(['ab,bc->ac', 'abc,cd->abd', 'abcd,acde->abce', 'abc,abd->acd', 'abc,dc->abd', 'abcd,cde->abe', 'ab,ab->a', 'abc->cab', 'abc->ac', 'ab,cd->abcd'])
    left, right = (equation.split('->')[0].split(',') + [None])[:2]
    sizes = {k: c.randint(2, 5) for k in 'abcde'}
    x = c.x([sizes[k] for k in left])
    return c.op('einsum')([x, *([c.constant(*[sizes[k] for k in right])] if right else [])], equation)


def element(name, kind='normal', *more):
    return lambda c: c.op(name)(c.x(c.shape(), kind), *more)


def binary(name, kind='normal'):
    def build(c):
        x = c.x(c.shape(), kind)
        other = [1 if c.random() < 0.4 else int(n) for n in x.shape][c.randrange(rank(x)):]
        values = c.numbers.rand(*other) + 0.5 if kind == 'positive' else c.numbers.choice([-1.5, 0.75, 2], other) if kind == 'apart' else c.numbers.randn(*other)
        y = SETS[0].constant(values.astype('f4'))
        y = c.op(name)(x, y) if kind == 'apart' or c.random() < 0.6 else c.op(name)(y, x)
        return c.op('convert')(y, 'f32') if y.get_element_type() == ov.Type.boolean else y
    return build


def whole_numbers(name):
    def build(c):
        x = c.op('convert')(c.x(c.shape(1, 3), 'apart'), c.choice(['i32', 'i64']))
        y = whole(c.numbers.choice([2, 3, 5], [size(x, -1)]), np.int32 if x.get_element_type() == ov.Type.i32 else np.int64)
        if name == 'divide':
            x = c.op('abs')(x)  # the plugin does not round downwards
        y = c.op(name)(x, y)
        return c.op('convert')(y, 'f32') if y.get_element_type() == ov.Type.boolean else y
    return build


def logical(name):
    def build(c):
        x = c.x(c.shape())
        y = c.op(name)(c.op('greater')(x, c.constant(size(x, -1))), c.op('less')(x, SETS[0].constant(np.float32(0.4))))
        return c.op('convert')(y, 'f32')
    return build


def select(c):
    x = c.x(c.shape(), 'apart')
    return c.op('select')(c.op('greater')(x, SETS[0].constant(np.float32(0.7))), x, c.constant(size(x, -1)))


def strided_slice(c):
    x = c.x(c.shape(2, 4))
    n = c.randint(1, rank(x))
    begin, end, strides = [], [], []
    for i in range(n):
        a, b = sorted(c.sample(range(size(x, i) + 1), 2))
        s = c.choice([1, 1, 2, -1])
        begin.append(a if s > 0 else b - 1)
        end.append(b if s > 0 else a - 1 - size(x, i) if a == 0 else a - 1)
        strides.append(s)
    mask = lambda p: [int(c.random() < p) for _ in range(n)]
    shrink = mask(0.15)
    begin_mask, end_mask = mask(0.2), mask(0.2)
    strides = [1 if k else s for s, k in zip(strides, shrink)]
    begin = [min(b, size(x, i) - 1) for i, b in enumerate(begin)]
    end = [b + 1 if k or (s > 0 and e <= b) else e for b, e, s, k in zip(begin, end, strides, shrink)]
    begin_mask = [0 if k else m for m, k in zip(begin_mask, shrink)]
    end_mask = [0 if k else m for m, k in zip(end_mask, shrink)]
    new = [0] * n
    if c.random() < 0.2:
        at = c.randint(0, n)
        for values, value in ((begin, 0), (end, 1), (strides, 1), (begin_mask, 0), (end_mask, 0), (shrink, 0), (new, 1)):
            values.insert(at, value)
    return c.op('strided_slice')(x, whole(begin), whole(end), whole(strides), begin_mask, end_mask, new, shrink, [0] * len(begin))


def slice_(c):
    x = c.x(c.shape(1, 4))
    axes = sorted(c.sample(range(rank(x)), c.randint(1, rank(x))))
    start, stop, step = [], [], []
    for a in axes:
        low, high = sorted(c.sample(range(size(x, a) + 1), 2))
        s = c.choice([1, 1, 2, -1, -2])
        start.append(low if s > 0 else high - 1)
        stop.append(high if s > 0 else low - 1 if low else -size(x, a) - 1)
        step.append(s)
    return c.op('slice')(x, whole(start), whole(stop), whole(step), whole([a - c.choice([0, rank(x)]) for a in axes]))


def slice_scatter(c):
    x = c.x(c.shape(2, 3))
    a = c.randrange(rank(x))
    shape = [int(n) for n in x.shape]
    shape[a] = 1
    return c.op('slice_scatter')(x, c.constant(*shape), whole([1]), whole([2]), whole([1]), whole([a]))


def split(c):
    x = c.x([4, 6, 4, 8][:c.randint(1, 4)])
    return c.op('split')(x, whole(c.axis(rank(x))), 2)


def variadic_split(c):
    x = c.x([4, 6, 4, 8][:c.randint(1, 4)])
    axis = c.axis(rank(x))
    return c.op('variadic_split')(x, whole(axis), whole(c.choice([[1, -1, 2], [1, size(x, axis) - 1]])))


def concat(c):
    x = c.x(c.shape())
    axis = c.axis(rank(x))
    other = [int(n) for n in x.shape]
    other[axis] = c.randint(1, 3)
    y = c.constant(*other)
    return c.op('concat')(c.choice([[x, y], [y, x, x]]), axis)


def broadcast(c):
    x = c.x([c.choice([1, 1, 3]) for _ in range(c.randint(1, 3))])
    lead = c.shape(1, 2)
    mode = c.choice(['NUMPY', 'BIDIRECTIONAL', 'EXPLICIT'])
    target = [int(n) if n > 1 else c.randint(1, 4) for n in x.shape]
    if mode == 'EXPLICIT':
        return c.op('broadcast')(x, whole(lead + target), whole(range(len(lead), len(lead) + rank(x))), mode)
    return c.op('broadcast')(x, whole(lead + (target if mode == 'NUMPY' else [c.choice([1, n]) if n > 1 else n for n in target])), broadcast_spec=mode)


def reshape(c):
    x = c.x([c.choice([2, 4]), 3, 4, 5][:c.randint(2, 4)])
    n = int(np.prod(x.shape))
    return c.op('reshape')(x, whole(c.choice([[-1], [0, -1], [n // 2, 2], [1, n], [2, -1, 2] if n % 4 == 0 else [-1]])), True)


def moved(name):
    def build(c):
        x = c.x(c.shape())
        r = rank(x)
        if name == 'transpose':
            return c.op(name)(x, whole(c.sample(range(r), r) if c.random() < 0.9 else []))
        if name == 'roll':
            axes = c.axes(r)
            return c.op(name)(x, whole([c.randint(-2, 2) for _ in axes]), whole(axes))
        if name == 'tile':
            return c.op(name)(x, whole([c.randint(1, 3) for _ in range(c.randint(1, r + 1))]))
        return c.op(name)(x, whole(sorted(c.sample(range(r + 1), c.randint(1, 2)))))
    return build


def squeeze(c):
    x = c.x([1, *c.shape(1, 2), 1])
    return c.op('squeeze')(x, whole(c.choice([[0], [-1], [0, -1]]))) if c.random() < 0.8 else c.op('squeeze')(x)


def recurrent(kind, sequence):
    def build(c):
        gates = {'lstm': 4, 'gru': 3, 'rnn': 1}[kind]
        n, depth, steps = c.randint(2, 5), c.randint(2, 5), c.randint(2, 4)
        both = sequence and c.random() < 0.4
        way = 'bidirectional' if both else c.choice(['forward', 'reverse'])
        d = 2 if both else 1
        lead = [d] if sequence else []
        x = c.x([1, steps, depth] if sequence else [1, depth])
        state = [c.constant(*([1, d, n] if sequence else [1, n])) for _ in range(2 if kind == 'lstm' else 1)]
        before = kind == 'gru' and c.random() < 0.5
        weights = [c.constant(*lead, gates * n, depth), c.constant(*lead, gates * n, n), c.constant(*lead, (gates + before) * n)]
        more = {'linear_before_reset': before} if kind == 'gru' else {}
        if kind == 'rnn' and not sequence:
            more.update(activations=['tanh'], activations_alpha=[], activations_beta=[])
        if c.random() < 0.4:
            more['activations'] = {'lstm': ['sigmoid', 'relu', 'tanh'], 'gru': ['sigmoid', 'relu'], 'rnn': ['relu']}[kind]
        if c.random() < 0.3:
            more['clip'] = 0.8
        if sequence:
            return c.op(f'{kind}_sequence')(x, *state, whole([steps]), *weights, n, way, **more)
        return c.op(f'{kind}_cell')(x, *state, *weights, n, **more)
    return build


def roi_align(c):
    x = c.x(c.plane(3, 8, 11))
    corner = c.numbers.rand(3, 2) * 6
    rois = SETS[0].constant(np.concatenate([corner, corner + 1 + 6 * c.numbers.rand(3, 2)], 1).astype('f4'))
    more = [c.choice(['asymmetric', 'half_pixel_for_nn', 'half_pixel'])] if c.set in SETS[1:] else []
    return c.op('roi_align')(x, rois, whole([0, 0, 0]), c.randint(2, 4), c.randint(2, 4), c.randint(1, 3), c.choice([1.0, 0.5]), c.choice(['avg', 'max']), *more)


def grid_sample(c):
    x = c.x(c.plane(3, 5, 8))
    grid = SETS[0].constant((c.numbers.rand(1, c.randint(2, 6), c.randint(2, 6), 2) * 2.6 - 1.3).astype('f4'))
    return c.op('grid_sample')(x, grid, {'align_corners': c.random() < 0.5, 'mode': c.choice(['bilinear', 'bicubic', 'nearest']), 'padding_mode': c.choice(['zeros', 'border', 'reflection'])})


def attention(c):
    heads = c.choice([[1], [1, 2]])
    l, s, e, v = (c.randint(2, 5) for _ in range(4))
    q, k, w = c.x(heads + [l, e]), c.x(heads + [s, e]), c.x(heads + [s, v])
    if c.random() < 0.5:
        return c.op('scaled_dot_product_attention')(q, k, w, causal=c.random() < 0.5)
    mask = SETS[0].constant(np.where((c.numbers.rand(l, s) < 0.7) | (np.arange(s) == 0), 0, -1e4).astype('f4'))
    return c.op('scaled_dot_product_attention')(q, k, w, mask, *([SETS[0].constant(np.float32(0.4))] if c.random() < 0.5 else []))


def mvn(c):
    x = c.x(c.shape(2, 4))
    return c.op('mvn')(x, whole(sorted(c.sample(range(rank(x)), c.randint(1, rank(x))))), c.random() < 0.8, c.choice([1e-5, 1e-2]), c.choice(['INSIDE_SQRT', 'OUTSIDE_SQRT']))


def normalize(c):
    x = c.x(c.shape(2, 4))
    return c.op('normalize_l2')(x, whole(sorted(c.sample(range(rank(x)), c.randint(1, 2)))), 1e-3, c.choice(['add', 'max']))


def prelu(c):
    x = c.x(c.plane(4))
    return c.op('prelu')(x, c.choice([c.constant(4), c.constant(1), c.constant(4, 1, 1), c.constant(1, 4, 1, 1)]))


def fake_quantize(c):
    x = c.x(c.plane(4))
    wide = c.random() < 0.5
    limit = lambda v: SETS[0].constant(np.full([1, 4, 1, 1] if wide else [], v, 'f4') * np.float32(c.numbers.rand(4).reshape(1, 4, 1, 1) + 0.5 if wide else 1))
    low, high = limit(-1.5), limit(2)
    return c.op('fake_quantize')(x, low, high, low, high, c.choice([256, 255]))


def cum_sum(c):
    x = c.x(c.shape())
    return c.op('cum_sum')(x, whole(c.axis(rank(x))), c.random() < 0.5, c.random() < 0.5)


def reverse_sequence(c):
    x = c.x([c.randint(2, 3), c.randint(3, 5), *c.shape(0, 2)])
    a, b = c.sample([0, 1], 2)
    return c.op('reverse_sequence')(x, whole([c.randint(1, size(x, b)) for _ in range(size(x, a))]), a, b)


def block(name):
    def build(c):
        b, mode = c.choice([2, 3]), c.choice(['blocks_first', 'depth_first'])
        return c.op(name)(c.x([1, 3, 2 * b, 3 * b] if name == 'space_to_depth' else [1, 2 * b * b, 3, 4]), mode, b)
    return build


def space_to_batch(c):
    b = [1, 1, c.choice([1, 2]), c.choice([2, 3])]
    x = c.x([1, 3, 4, 6])
    begin, end = [0, 0, c.randint(0, 2), c.randint(0, 2)], [0, 0, 0, 0]
    end = [-(n + p) % k for n, p, k in zip([1, 3, 4, 6], begin, b)]
    y = c.op('relu')(c.op('space_to_batch')(x, whole(b), whole(begin), whole(end)))
    return c.op('batch_to_space')(y, whole(b), whole(begin), whole(end))


def group_norm(c):
    x = c.x(c.plane(4))
    return c.op('group_normalization')(x, c.constant(4), c.constant(4), c.choice([1, 2, 4]), 1e-5)


def adaptive(name):
    def build(c):
        x = c.x(c.plane(3, 5, 9))
        y = c.op(name)(x, whole([c.randint(1, 5), c.randint(1, 5)]))
        return y.output(0)
    return build


def deformable(c):
    x = c.x(c.plane(4, 5, 7))
    k, s, p = c.randint(1, 3), c.randint(1, 2), c.randint(0, 1)
    out = [(size(x, i) + 2 * p - k) // s + 1 for i in (2, 3)]
    offsets = SETS[0].constant((c.numbers.randn(1, 2 * k * k, *out) * 0.7).astype('f4'))
    mask = [SETS[0].constant(c.numbers.rand(1, k * k, *out).astype('f4'))] if c.random() < 0.5 else []
    return c.op('deformable_convolution')(x, offsets, c.constant(3, 4, k, k), [s, s], [p, p], [p, p], [1, 1], *mask, bilinear_interpolation_pad=True)


def reorg(c):
    return c.op('reorg_yolo')(c.x([1, 4, 6, 8]), [2])


def region(c):
    x = c.x([1, 3 * 7, 4, 5])
    if c.random() < 0.5:
        return c.op('region_yolo')(x, 4, 2, 3, True, [], 1, 3, [1.0, 2, 3, 4, 5, 6])
    return c.op('region_yolo')(x, 4, 2, 6, False, [0, 1, 2], 1, 3, [1.0, 2] * 6)


def convert(c):
    x = c.x(c.shape(), 'apart')
    y = c.op('convert')(x, c.choice(['i32', 'i64', 'u8' if min(c.values[0].ravel()) >= 0 else 'i32', 'f16', 'boolean']))
    return c.op('convert')(y, 'f32')


def ctc(c):
    x = c.x([c.randint(4, 6), 1, 5], 'apart')
    return c.op('ctc_greedy_decoder')(x, SETS[0].constant(np.array([[1]] * (size(x, 0) - 1) + [[c.choice([0, 1])]], 'f4')), c.random() < 0.5)


def bucketize(c):
    x = c.x(c.shape(), 'apart')
    return c.op('bucketize')(x, SETS[0].constant(np.array([-2.05, -0.55, 0.3, 1.1], 'f4')), c.choice(['i32', 'i64']), c.random() < 0.5)


def lrn(c):
    return c.op('lrn')(c.x(c.plane(4)), whole(c.choice([[1], [2, 3]])), c.choice([1e-2, 0.5]), 0.75, 1.0, c.choice([1, 3, 5]))


def images(c):
    k, s, r = ([c.randint(1, 3), c.randint(1, 3)] for _ in range(3))
    return c.op('extract_image_patches')(c.x(c.plane(None, 8, 11)), k, s, r, c.choice(['same_upper', 'same_lower', 'valid']))


def batch_norm(c):
    x = c.x(c.plane(4))
    return c.op('batch_norm_inference')(x, c.constant(4), c.constant(4), c.constant(4), c.constant(4, positive=True), c.choice([1e-3, 0.1]))


def psroi(c):
    x = c.x([1, 8, 6, 7])
    corner = c.numbers.rand(3, 2) * 3
    rois = SETS[0].constant(np.concatenate([np.zeros([3, 1]), corner, corner + 2 + c.numbers.rand(3, 2)], 1).astype('f4'))
    if c.random() < 0.5:
        return c.op('psroi_pooling')(x, rois, 2, 2, 1.0, 1, 1, 'average')
    return c.op('roi_pooling')(x, rois, output_roi=[2, 3], spatial_scale=1.0, method=c.choice(['max', 'bilinear']))


OPERATIONS = {
    'convolution': convolution, 'group_convolution': group_convolution, 'convolution_backprop_data': backprop(False), 'group_convolution_backprop_data': backprop(True), 'max_pool': max_pool, 'avg_pool': avg_pool,
    'interpolate': interpolate, 'pad': pad, 'gather': gather, 'gather_elements': gather_elements, 'gather_nd': gather_nd, 'scatter_elements_update': scatter_elements, 'scatter_nd_update': scatter_nd,
    'scatter_update': scatter, 'one_hot': one_hot, 'topk': topk, **{f'reduce_{k}': reduced(f'reduce_{k}') for k in ('l1', 'l2', 'max', 'mean', 'min', 'prod', 'sum')}, 'matmul': matmul, 'vector_matmul': vector_matmul,
    'einsum': einsum, **{f'logical_{k}': logical(f'logical_{k}') for k in ('and', 'or', 'xor')}, 'select': select, 'strided_slice': strided_slice, 'slice': slice_, 'slice_scatter': slice_scatter, 'split': split,
    'variadic_split': variadic_split, 'concat': concat, 'broadcast': broadcast, 'reshape': reshape, **{k: moved(k) for k in ('transpose', 'roll', 'tile', 'unsqueeze')}, 'squeeze': squeeze,
    **{f'{k}_{n}': recurrent(k, n == 'sequence') for k in ('lstm', 'gru', 'rnn') for n in ('cell', 'sequence')}, 'roi_align': roi_align, 'grid_sample': grid_sample, 'attention': attention, 'mvn': mvn,
    'normalize_l2': normalize, 'prelu': prelu, 'fake_quantize': fake_quantize, 'cum_sum': cum_sum, 'reverse_sequence': reverse_sequence, **{k: block(k) for k in ('space_to_depth', 'depth_to_space')},
    'space_to_batch': space_to_batch, 'group_normalization': group_norm, **{k: adaptive(k) for k in ('adaptive_avg_pool', 'adaptive_max_pool')}, 'deformable_convolution': deformable, 'reorg_yolo': reorg,
    'region_yolo': region, 'convert': convert, 'ctc_greedy_decoder': ctc, 'bucketize': bucketize, 'lrn': lrn, 'extract_image_patches': images, 'batch_norm_inference': batch_norm, 'psroi_pooling': psroi,
    'softmax': lambda c: (lambda x: c.op('softmax')(x, c.randrange(rank(x))))(c.x(c.shape())), 'log_softmax': lambda c: (lambda x: c.op('log_softmax')(x, c.axis(rank(x))))(c.x(c.shape())),
    'shuffle_channels': lambda c: c.op('shuffle_channels')(c.x([1, 6, 4, 3]), 1, c.choice([2, 3])), 'grn': lambda c: c.op('grn')(c.x(c.plane(4)), 0.1), 'elu': element('elu', 'normal', 0.7), 'clamp': element('clamp', 'normal', -0.5, 0.8),
    'swish': lambda c: c.op('swish')(c.x(c.shape()), *([SETS[0].constant(np.float32(1.5))] if c.random() < 0.5 else [])), 'gelu': lambda c: c.op('gelu')(c.x(c.shape()), c.choice(['tanh', 'erf'])),
    'hard_sigmoid': lambda c: c.op('hard_sigmoid')(c.x(c.shape()), SETS[0].constant(np.float32(0.3)), SETS[0].constant(np.float32(0.4))),
    'selu': lambda c: c.op('selu')(c.x(c.shape()), SETS[0].constant(np.float32(1.6)), SETS[0].constant(np.float32(1.05))), 'round': lambda c: c.op('round')(c.x(c.shape(), 'apart'), c.choice(['half_to_even', 'half_away_from_zero'])),
    **{k: element(k) for k in ('abs', 'atan', 'cos', 'cosh', 'erf', 'exp', 'hsigmoid', 'hswish', 'mish', 'negative', 'relu', 'sigmoid', 'sin', 'sinh', 'softplus', 'softsign', 'tan', 'tanh', 'asinh')},
    **{k: element(k, 'unit') for k in ('acos', 'asin', 'atanh')}, **{k: element(k, 'positive') for k in ('log', 'sqrt')}, **{k: element(k, 'apart') for k in ('ceiling', 'floor', 'sign', 'is_nan', 'is_inf', 'is_finite')},
    **{k: binary(k) for k in ('add', 'subtract', 'multiply', 'maximum', 'minimum', 'squared_difference')}, **{k: binary(k, 'positive') for k in ('divide', 'power')},
    **{k: binary(k, 'apart') for k in ('equal', 'greater', 'greater_equal', 'less', 'less_equal', 'not_equal', 'floor_mod', 'mod')},
    **{f'whole_{k}': whole_numbers(k) for k in ('add', 'multiply', 'divide', 'floor_mod', 'mod', 'maximum', 'minimum', 'less', 'bitwise_and', 'bitwise_or', 'bitwise_xor', 'subtract')},
}


def judge(tool, folder, number):
    name = list(OPERATIONS)[number % len(OPERATIONS)]
    case = Case(number)
    try:
        found = OPERATIONS[name](case)
        outputs = [found] if isinstance(found, ov.Output) else found.outputs()
        outputs = [case.op('convert')(y, 'f32').output(0) if y.get_element_type() == ov.Type.boolean else y for y in outputs]
        for i, y in enumerate(outputs):
            y.get_node().set_friendly_name(name + ('_' + str(i) if 'Convert' in y.get_node().get_type_name() else ''))
        model = ov.Model([SETS[0].result(y, name=f'y{i}') for i, y in enumerate(outputs)], case.inputs, 'm')
        if case.by_definition:
            tensors = [ov.Tensor(np.zeros(y.shape, 'f4')) for y in model.outputs]
            assert model.evaluate(tensors, [ov.Tensor(v) for v in case.values])
            wanted = [t.data for t in tensors]
        else:
            wanted = list(CORE.compile_model(model, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})(case.values).values())
    except Exception as e:
        return 'not run', str(e).splitlines()[0][:120]
    if any(w.size == 0 for w in wanted):
        return 'not run', 'no elements'
    half = case.random() < 0.3
    path = os.path.join(folder, 'm.xml')
    ov.save_model(model, path, compress_to_fp16=half)
    describe = ' '.join(f'{n.get_type_name()} {n.get_attributes()}' for n in model.get_ordered_ops() if n.get_type_name() not in ('Constant', 'Parameter', 'Result', 'Convert'))
    coarse = max(COARSE.get(name, 0), 2e-3 if half else 0)
    found, said = drawn.verdict(tool, folder, path, {p.get_friendly_name(): v for p, v in zip(case.inputs, case.values)}, wanted, (max(1e-4, coarse), max(1e-2, coarse)))
    return found, f'opset{8 + SETS.index(case.set)} of {[list(v.shape) for v in case.values]}: {describe[:220]}: {said}'


if __name__ == '__main__':
    drawn.main(__doc__, OPERATIONS, judge)
