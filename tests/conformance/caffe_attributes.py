#!/usr/bin/env python3
"""Single layers of Caffe with drawn parameters and shapes: TOOL's outputs, in FP32 and of the blob, against OpenCV's reader of Caffe models.

    caffe_attributes.py TOOL [--count N] [--seed FIRST] [-k REGEX] [--folder DIR] [-v]

Case N is layer N modulo their number, drawn by a random generator of the seed N. Needs OpenCV; not part of `make test`. Exit code 1 when an output is
wrong or a command crashes.
"""
import os
import random

import cv2
import drawn
import numpy as np
from framework_models import blob, caffe_net, layer, text


class Case(random.Random):
    def __init__(self, seed):
        super().__init__(seed)
        self.numbers = np.random.RandomState(seed % 2**32)
        self.shape = [1, self.choice([1, 3, 4, 6]), self.randint(6, 11), self.randint(6, 11)]

    def maybe(self, *texts):
        return self.choice(texts) if self.random() < 0.6 else ''

    def weights(self, *shape):
        return blob((self.numbers.randn(*shape) / max(1, np.sqrt(np.prod(shape[1:])))).astype('f4'))

    def positive(self, *shape):
        return blob((self.numbers.rand(*shape) + 0.5).astype('f4'))


def one(kind, params='', blobs=(), bottoms='x'):
    return [(text('y', kind, bottoms, 'y', params), layer('y', kind, blobs) if blobs else b'')]


def convolution(c):
    ch, bias, groups = c.shape[1], c.choice([True, False]), 1
    out = c.choice([2, 4])
    if ch in (4, 6) and c.random() < 0.4:
        groups = c.choice([2, ch])
        out = ch
    square = c.random() < 0.6
    kh, kw = (c.randint(1, 4),) * 2 if square else (c.randint(1, 4), c.randint(1, 4))
    size = f'kernel_size: {kh}' if square else f'kernel_h: {kh} kernel_w: {kw}'
    pad = c.maybe(f'pad: {c.randint(0, 2)}', f'pad_h: {c.randint(0, 2)} pad_w: {c.randint(0, 2)}')
    params = f'convolution_param {{ num_output: {out} {size} {pad} {c.maybe("stride: 2", "stride_h: 1 stride_w: 2")} {c.maybe("dilation: 2")} group: {groups} bias_term: {str(bias).lower()} }}'
    return one('Convolution', params, [c.weights(out, ch // groups, kh, kw)] + ([c.weights(out)] if bias else []))


def deconvolution(c):
    ch, bias = c.shape[1], c.choice([True, False])
    groups = ch if c.random() < 0.3 else 1
    out = ch if groups > 1 else c.choice([2, 3])
    k, s = c.choice([(2, 2), (4, 2), (3, 1), (3, 2), (5, 3)])
    pad = c.randint(0, (k - 1) // 2)
    return one('Deconvolution', f'convolution_param {{ num_output: {out} kernel_size: {k} stride: {s} pad: {pad} group: {groups} bias_term: {str(bias).lower()} }}',
               [c.weights(ch, out // groups, k, k)] + ([c.weights(out)] if bias else []))


def pooling(c):
    k = c.randint(1, 4)
    window = c.choice(['global_pooling: true', f'kernel_size: {k} stride: {c.randint(1, k)} pad: {c.randint(0, k // 2)}', f'kernel_h: {k} kernel_w: {c.randint(1, 3)} stride: 1'])
    return one('Pooling', f'pooling_param {{ pool: {c.choice(["MAX", "AVE"])} {window} }}')


def dense(c):
    out, bias, axis = c.randint(2, 6), c.choice([True, False]), c.choice([1, 1, 1, 3])
    count = int(np.prod(c.shape[axis:]))
    return one('InnerProduct', f'inner_product_param {{ num_output: {out} bias_term: {str(bias).lower()} axis: {axis} }}', [c.weights(out, count)] + ([c.weights(out)] if bias else []))


def eltwise(c):
    return [text('r', 'ReLU', 'x', 'r'), text('y', 'Eltwise', 'x r', 'y', f'eltwise_param {{ operation: {c.choice(["SUM", "PROD", "MAX"])} }}')] if c.random() < 0.6 else \
        [text('r', 'ReLU', 'x', 'r'), text('y', 'Eltwise', 'x r', 'y', 'eltwise_param { operation: SUM coeff: 0.5 coeff: -2 }')]


def scaled(c):
    n, bias = c.shape[1], c.choice([True, False])
    return one('Scale', f'scale_param {{ bias_term: {str(bias).lower()} }}', [c.weights(n)] + ([c.weights(n)] if bias else []))


def batch_norm(c):
    n = c.shape[1]
    return one('BatchNorm', f'batch_norm_param {{ use_global_stats: true {c.maybe("eps: 0.01")} }}', [c.weights(n), c.positive(n), blob([c.choice([1.0, 2.5])])])


def sliced(c):
    c.shape[1] = 6
    return [text('s', 'Slice', 'x', 'a b', f'slice_param {{ axis: 1 slice_point: {c.randint(1, 5)} }}'), text('y', 'ReLU', 'b', 'y'), text('z', 'Sigmoid', 'a', 'z')]


def joined(c):
    return [text('r', 'ReLU', 'x', 'r'), text('y', 'Concat', 'r x', 'y', f'concat_param {{ axis: {c.choice([1, 2, 3])} }}')]


def shaped(c):
    c.shape = [1, 6, 4, 5]
    return c.choice([lambda: one('Reshape', f'reshape_param {{ shape {{ {c.choice(["dim: 0 dim: -1", "dim: 0 dim: 2 dim: -1 dim: 5", "dim: 1 dim: 4 dim: 6 dim: 5", "dim: 0 dim: 0 dim: -1"])} }} }}'),
                     lambda: one('Flatten', f'flatten_param {{ {c.maybe("axis: 1", "axis: 2", "axis: 1 end_axis: 2")} }}'),
                     lambda: one('Permute', 'permute_param { ' + ' '.join(f'order: {i}' for i in [0] + c.sample([1, 2, 3], 3)) + ' }')])()


LAYERS = {
    'Convolution': convolution, 'Deconvolution': deconvolution, 'Pooling': pooling, 'InnerProduct': dense, 'Eltwise': eltwise, 'Scale': scaled, 'BatchNorm': batch_norm, 'Slice': sliced, 'Concat': joined, 'shapes': shaped,
    'LRN': lambda c: one('LRN', f'lrn_param {{ local_size: {c.choice([3, 5])} alpha: {c.choice([0.0001, 0.5])} beta: {c.choice([0.5, 0.75])} {c.maybe("norm_region: WITHIN_CHANNEL")} }}'),
    'Softmax': lambda c: one('Softmax', f'softmax_param {{ {c.maybe("axis: 1", "axis: 2", "axis: 3")} }}'), 'PReLU': lambda c: one('PReLU', '', [c.positive(c.shape[1])]),
    'ReLU': lambda c: one('ReLU', f'relu_param {{ negative_slope: {c.choice([0, 0.1])} }}'), 'ELU': lambda c: one('ELU'), 'Power': lambda c: one('Power', f'power_param {{ power: {c.choice([1, 2])} scale: {c.choice([1, 0.5])} shift: {c.choice([0, 3])} }}'),
    **{k: (lambda c, k=k: one(k)) for k in ('Sigmoid', 'TanH', 'AbsVal', 'BNLL')}, 'MVN': lambda c: one('MVN', f'mvn_param {{ {c.maybe("normalize_variance: false")} {c.maybe("across_channels: true")} }}'),
    'Normalize': lambda c: one('Normalize', f'norm_param {{ across_spatial: {c.choice(["true", "false"])} channel_shared: false }}', [c.positive(c.shape[1])]),
    'Reorg': lambda c: (c.shape.__setitem__(slice(None), [1, 4, 6, 8]), one('Reorg', 'reorg_param { stride: 2 }'))[1], 'ShuffleChannel': lambda c: (c.shape.__setitem__(1, 6), one('ShuffleChannel', 'shuffle_channel_param { group: 3 }'))[1],
}


def judge(tool, folder, number):
    case = Case(number)
    parts = list(LAYERS.values())[number % len(LAYERS)](case)
    dims = ' '.join(f'dim: {d}' for d in case.shape)
    prototxt, model = caffe_net([f'layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ {dims} }} }} }}\n', *parts])
    describe = f'of {case.shape}: {prototxt.splitlines()[-1][:200]}'
    values = case.numbers.randn(*case.shape).astype('f4')
    path = os.path.join(folder, 'm.caffemodel')
    with open(os.path.join(folder, 'm.prototxt'), 'w') as f:
        f.write(prototxt)
    with open(path, 'wb') as f:
        f.write(model)
    try:
        net = cv2.dnn.readNetFromCaffe(os.path.join(folder, 'm.prototxt'), path)
        net.setInput(values)
        wanted = net.forward('y')
    except Exception as e:
        return 'not run', f'{describe}: {str(e).splitlines()[0][:120]}'
    found, said = drawn.verdict(tool, folder, path, values, [wanted])
    return found, f'{describe}: {said}'


if __name__ == '__main__':
    drawn.main(__doc__, LAYERS, judge)
