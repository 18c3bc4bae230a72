#!/usr/bin/env python3
"""Single operators of MXNet with drawn attributes and shapes: TOOL's outputs, in FP32 and of the blob, against MXNet.

    mxnet_attributes.py TOOL [--count N] [--seed FIRST] [-k REGEX] [--folder DIR] [-v]

Case N is operator N modulo their number, drawn by a random generator of the seed N. Needs MXNet 1; not part of `make test`. Exit code 1 when an output
is wrong or a command crashes.
"""
import os
import random

import drawn
import mxnet as mx
import numpy as np

S = mx.sym


class Case(random.Random):
    def __init__(self, seed):
        super().__init__(seed)
        self.numbers, self.values = np.random.RandomState(seed % 2**32), None

    def shape(self, least=2, most=4, largest=7):
        return [1 if self.random() < 0.5 else 2] + [self.randint(2, largest) for _ in range(self.randint(least, most) - 1)]

    def plane(self, channels=None, axes=2):
        return [1, channels or self.choice([1, 3, 4, 6])] + [self.randint(6, 11) for _ in range(axes)]

    def x(self, shape, kind='normal'):
        n = int(np.prod(shape))
        self.values = {'normal': lambda: self.numbers.randn(*shape), 'positive': lambda: self.numbers.rand(*shape) + 0.3,
                       'apart': lambda: self.numbers.permutation(n).reshape(shape) / 8 - n / 16}[kind]().astype('f4')
        return S.Variable('data', shape=tuple(shape))

    def some(self, **choices):
        return {k: self.choice(v) for k, v in choices.items() if self.random() < 0.6}

    def axis(self, rank):
        return self.randrange(-rank, rank)

    def sizes(self, axes, least, most):
        return tuple(self.randint(least, most) for _ in range(axes))


def convolution(c):
    axes = c.choice([1, 2, 2, 2, 3])
    groups = c.choice([1, 1, 2])
    channels = c.choice([2, 4, 6])
    more = dict(kernel=c.sizes(axes, 1, 4), num_filter=2 * c.randint(1, 3), num_group=groups, **c.some(no_bias=[True, False]))
    if c.random() < 0.5:
        more['stride'] = c.sizes(axes, 1, 3)
    elif c.random() < 0.5:
        more['dilate'] = c.sizes(axes, 1, 2)
    if c.random() < 0.6:
        more['pad'] = c.sizes(axes, 0, 2)
    if c.random() < 0.2 and axes == 2:
        more.update(num_group=channels, num_filter=channels)
    return S.Convolution(c.x(c.plane(channels, axes)), name='op', **more)


def deconvolution(c):
    stride = c.sizes(2, 1, 3)
    kernel = tuple(c.randint(s, 4) for s in stride)
    more = dict(kernel=kernel, stride=stride, num_filter=2 * c.randint(1, 2), num_group=c.choice([1, 1, 2]), **c.some(no_bias=[True, False]))
    if c.random() < 0.5:
        more['pad'] = tuple(c.randint(0, (k - 1) // 2) for k in kernel)
        more['adj'] = tuple(c.randint(0, s - 1) for s in stride)
    x = c.x([1, c.choice([2, 4]), c.randint(4, 7), c.randint(4, 7)])
    if c.random() < 0.3:
        more.pop('pad', None), more.pop('adj', None)
        more['target_shape'] = tuple(max(2, s * (n - 1) + k - c.randint(0, k)) for s, n, k in zip(stride, c.values.shape[2:], kernel))
    return S.Deconvolution(x, name='op', **more)


def pooling(c):
    axes = c.choice([1, 2, 2, 2, 3])
    x = c.x(c.plane(None, axes))
    kind = c.choice(['max', 'avg', 'avg', 'sum'])
    if c.random() < 0.2:
        return S.Pooling(x, global_pool=True, pool_type=c.choice(['max', 'avg']), kernel=(1,) * axes, name='op')
    kernel = c.sizes(axes, 1, 4)
    return S.Pooling(x, kernel=kernel, pool_type=kind, name='op', stride=c.sizes(axes, 1, 3), pad=tuple(c.randint(0, k // 2) for k in kernel),
                     pooling_convention=c.choice(['valid', 'full', 'same'] if axes == 1 else ['valid', 'full']), **(c.some(count_include_pad=[True, False]) if kind == 'avg' else {}))


def leaky(c):
    kind = c.choice(['leaky', 'elu', 'selu', 'gelu', 'prelu'])
    return S.LeakyReLU(c.x(c.plane()), act_type=kind, name='op', **({'slope': c.choice([0.1, 0.4])} if kind in ('leaky', 'elu') else {}))


def normal(c, kind):
    x = c.x(c.plane(4))
    if kind == 'BatchNorm':
        return S.BatchNorm(x, name='op', **c.some(fix_gamma=[True, False], eps=[1e-3, 1e-2], use_global_stats=[True, False]))
    if kind == 'InstanceNorm':
        return S.InstanceNorm(x, name='op', **c.some(eps=[1e-3, 1e-2]))
    if kind == 'LayerNorm':
        return S.LayerNorm(x, name='op', axis=c.choice([-1, 3]), **c.some(eps=[1e-3]))
    if kind == 'L2Normalization':
        return S.L2Normalization(x, name='op', mode=c.choice(['channel', 'instance', 'spatial']))
    return S.LRN(x, nsize=c.choice([3, 5]), name='op', **c.some(alpha=[1e-3, 0.2], beta=[0.5, 0.75], knorm=[1.0, 2.0]))


def reduced(op):
    def build(c):
        x = c.x(c.shape(2, 4), 'positive')
        rank = len(c.values.shape)
        more = c.some(keepdims=[True, False])
        if c.random() < 0.8:
            more['axis'] = c.choice([c.axis(rank), tuple(sorted(c.sample(range(rank), c.randint(1, rank))))])
            more.update(c.some(exclude=[False, True]) if not isinstance(more['axis'], tuple) or len(more['axis']) < rank else {})
        return getattr(S, op)(x, name='op', **more)
    return build


def shaped(c):
    x = c.x([1, 4, 6, 5])
    return S.reshape(x, shape=c.choice([(0, -1), (-1, 5), (0, 0, -1), (0, -3, 0), (0, -4, 2, 2, -2), (-2,), (0, 2, -1, 5), (1, 6, 4, 5), (0, -4, -1, 2, 0, 0)]), name='op')


def sliced(c):
    x = c.x(c.shape(2, 4))
    shape, kind = c.values.shape, c.choice(['slice', 'slice_axis', 'slice_like', 'SliceChannel'])
    if kind == 'slice':
        begin = [c.randrange(n) for n in shape]
        return S.slice(x, begin=begin, end=[c.choice([None, c.randint(b + 1, n)]) for b, n in zip(begin, shape)], name='op', **({'step': [c.choice([1, 2]) for _ in shape]} if c.random() < 0.4 else {}))
    axis = c.randrange(len(shape))
    if kind == 'slice_axis':
        b = c.randrange(shape[axis])
        return S.slice_axis(x, axis=c.choice([axis, axis - len(shape)]), begin=b, end=c.choice([None, shape[axis]]), name='op')
    if kind == 'slice_like':
        return S.slice_like(x, S.slice_axis(x, axis=axis, begin=0, end=max(1, shape[axis] - 1)), axes=(axis,), name='op')
    parts = [n for n in (2, 3, 4, 5, 7) if shape[axis] % n == 0] or [1]
    n = c.choice(parts)
    return S.SliceChannel(x, num_outputs=n, axis=axis, squeeze_axis=n == shape[axis] and c.random() < 0.5, name='op')


def padded(c):
    mode = c.choice(['constant', 'edge', 'reflect'])
    return S.Pad(c.x(c.plane()), mode=mode, pad_width=(0, 0, 0, 0) + c.sizes(4, 0, 3), name='op', **({'constant_value': c.choice([0, 1.5])} if mode == 'constant' else {}))


def upsampled(c):
    return S.UpSampling(c.x(c.plane()), scale=c.choice([2, 3]), sample_type='nearest', name='op')


def taken(c):
    x = c.x(c.shape(2, 4))
    axis = c.axis(len(c.values.shape))
    indices = S.Variable('indices', shape=(3,))
    return S.take(x, indices, axis=axis, mode=c.choice(['clip', 'wrap']), name='op'), {'indices': c.numbers.randint(0, c.values.shape[axis], 3).astype('f4')}


def topk(c):
    x = c.x(c.shape(2, 3), 'apart')
    return S.topk(x, k=c.randint(1, c.values.shape[-1]), axis=-1, ret_typ=c.choice(['value', 'indices', 'both']), is_ascend=c.choice([0, 1]), name='op')


def dense(c):
    x = c.x(c.shape(2, 4))
    return S.FullyConnected(x, num_hidden=c.randint(2, 6), name='op', **c.some(no_bias=[True, False], flatten=[True, False]))


def products(c):
    if c.random() < 0.5:
        a, k, n = (c.randint(2, 6) for _ in range(3))
        ta, tb = c.choice([True, False]), c.choice([True, False])
        x = c.x([2] + ([k, a] if ta else [a, k]))
        other = S.Variable('other', shape=tuple([2] + ([n, k] if tb else [k, n])))
        return S.batch_dot(x, other, transpose_a=ta, transpose_b=tb, name='op'), {}
    x = c.x([3, 5])
    return S.dot(x, S.Variable('other', shape=(5, 4)), name='op'), {}


def joined(c):
    x = c.x(c.shape(2, 4))
    axis = c.axis(len(c.values.shape))
    return S.Concat(x, S.relu(x), S.exp(x), dim=axis, name='op') if c.random() < 0.6 else S.stack(x, S.relu(x), axis=c.choice([0, 1, -1]), name='op')


def moved(c):
    x = c.x(c.shape(2, 4))
    rank = len(c.values.shape)
    kind = c.choice(['transpose', 'SwapAxis', 'expand_dims', 'tile', 'repeat', 'reverse', 'Flatten', 'squeeze'])
    if kind == 'transpose':
        return S.transpose(x, axes=tuple(c.sample(range(rank), rank)), name='op')
    if kind == 'SwapAxis':
        a, b = c.sample(range(rank), 2)
        return S.SwapAxis(x, dim1=a, dim2=b, name='op')
    if kind == 'expand_dims':
        return S.expand_dims(x, axis=c.axis(rank + 1), name='op')
    if kind == 'tile':
        return S.tile(x, reps=c.sizes(rank, 1, 2), name='op')
    if kind == 'repeat':
        return S.repeat(x, repeats=2, axis=c.axis(rank), name='op')
    if kind == 'reverse':
        return S.reverse(x, axis=c.randrange(rank), name='op')
    return S.squeeze(S.expand_dims(x, axis=1), axis=1, name='op') if kind == 'squeeze' else S.Flatten(x, name='op')


def scalar(c):
    x = c.x(c.shape(), 'positive')
    return c.choice([lambda: x + 2, lambda: 3 - x, lambda: x - 0.5, lambda: x * 0.25, lambda: x / 4, lambda: 2 / x, lambda: x ** 2, lambda: 2 ** x, lambda: S._maximum_scalar(x, scalar=0.7), lambda: S._minimum_scalar(x, scalar=0.7)])()


def broadcast(c):
    x = c.x(c.shape(2, 4))
    other = [1 if c.random() < 0.5 else n for n in c.values.shape]
    op = c.choice(['broadcast_add', 'broadcast_sub', 'broadcast_mul', 'broadcast_div', 'broadcast_maximum', 'broadcast_minimum', 'broadcast_greater', 'broadcast_lesser'])
    return getattr(S, op)(x, S.Variable('other', shape=tuple(other)), name='op'), {'other': (c.numbers.rand(*other) + 0.4).astype('f4')}


def recurrent(c):
    kind, n, layers = c.choice(['lstm', 'gru', 'rnn_tanh', 'rnn_relu']), c.choice([1, 2]), c.choice([1, 2])
    size, hidden, gates = 5, 4, {'lstm': 4, 'gru': 3}
    x = c.x([c.randint(3, 5), 1, size])
    g = gates.get(kind, 1)
    count = sum(n * (g * hidden * ((size if i == 0 else n * hidden) + hidden) + 2 * g * hidden) for i in range(layers))
    state = lambda name: S.Variable(name, shape=(n * layers, 1, hidden))
    more = {'state_cell': state('cell')} if kind == 'lstm' else {}
    values = {'state': np.zeros((n * layers, 1, hidden), 'f4'), 'cell': np.zeros((n * layers, 1, hidden), 'f4'), 'weights': (c.numbers.randn(count) / 3).astype('f4')}
    return S.RNN(x, S.Variable('weights', shape=(count,)), state('state'), state_size=hidden, num_layers=layers, bidirectional=n == 2, mode=kind, name='op', **more), values


def element(op, kind='normal'):
    return lambda c: getattr(S, op)(c.x(c.shape(), kind), name='op')


OPERATORS = {
    'Convolution': convolution, 'Deconvolution': deconvolution, 'Pooling': pooling, 'LeakyReLU': leaky, **{k: (lambda c, k=k: normal(c, k)) for k in ('BatchNorm', 'InstanceNorm', 'LayerNorm', 'L2Normalization', 'LRN')},
    **{k: reduced(k) for k in ('mean', 'sum', 'max', 'min', 'prod')}, 'reshape': shaped, 'slice': sliced, 'Pad': padded, 'UpSampling': upsampled, 'take': taken, 'topk': topk, 'FullyConnected': dense, 'dot': products,
    'Concat': joined, 'moved': moved, 'scalar': scalar, 'broadcast': broadcast, 'RNN': recurrent, 'Activation': lambda c: S.Activation(c.x(c.shape()), act_type=c.choice(['relu', 'sigmoid', 'tanh', 'softrelu', 'softsign']), name='op'),
    'softmax': lambda c: S.softmax(c.x(c.shape(2, 4)), axis=c.choice([-1, 1]), name='op', **c.some(temperature=[2.0])), 'log_softmax': lambda c: S.log_softmax(c.x(c.shape(2, 4)), axis=c.choice([-1, 1]), name='op'),
    'SoftmaxActivation': lambda c: S.SoftmaxActivation(c.x(c.plane(4)), mode=c.choice(['channel', 'instance']), name='op'), 'clip': lambda c: S.clip(c.x(c.shape()), a_min=-0.5, a_max=c.choice([0.5, 6]), name='op'),
    'argmax': lambda c: S.argmax(c.x(c.shape(2, 4, 5), 'apart'), axis=c.choice([0, 1, -1]), keepdims=c.choice([True, False]), name='op'), 'norm': lambda c: S.norm(c.x(c.shape(2, 4)), ord=c.choice([1, 2]), axis=c.choice([1, -1]), keepdims=c.choice([True, False]), name='op'),
    'depth_to_space': lambda c: S.depth_to_space(c.x([1, 8, 3, 4]), block_size=2, name='op'), 'space_to_depth': lambda c: S.space_to_depth(c.x([1, 2, 6, 4]), block_size=2, name='op'),
    'hard_sigmoid': lambda c: S.hard_sigmoid(c.x(c.shape()), name='op', **c.some(alpha=[0.2, 0.3], beta=[0.5, 0.4])), 'where': lambda c: (lambda x: S.where(x > 0, x, x * 0.1, name='op'))(c.x(c.shape())),
    **{k: element(k) for k in ('relu', 'sigmoid', 'tanh', 'exp', 'abs', 'negative', 'square', 'softsign', 'erf', 'sin', 'cos', 'arctan', 'sinh', 'identity', 'zeros_like', 'ones_like')},
    **{k: element(k, 'positive') for k in ('sqrt', 'rsqrt', 'log', 'reciprocal', 'cbrt', 'log1p', 'expm1')}, **{k: element(k, 'apart') for k in ('floor', 'ceil', 'round', 'sign')},
}


def judge(tool, folder, number):
    name = list(OPERATORS)[number % len(OPERATORS)]
    case = Case(number)
    try:
        made = OPERATORS[name](case)
        symbol, values = made if isinstance(made, tuple) else (made, {})
        shapes, _, aux = symbol.infer_shape(data=case.values.shape)
        arguments = {n: values[n] if n in values else (case.numbers.randn(*s) / max(1, np.sqrt(np.prod(s[1:])))).astype('f4') for n, s in zip(symbol.list_arguments(), shapes) if n != 'data'}
        auxiliary = {n: (case.numbers.rand(*s) + 0.5).astype('f4') for n, s in zip(symbol.list_auxiliary_states(), aux)}
        both = {**{f'arg:{k}': mx.nd.array(v) for k, v in arguments.items()}, **{f'aux:{k}': mx.nd.array(v) for k, v in auxiliary.items()}}
        bound = symbol.bind(mx.cpu(), {'data': mx.nd.array(case.values), **{k: mx.nd.array(v) for k, v in arguments.items()}}, aux_states={k: mx.nd.array(v) for k, v in auxiliary.items()}, grad_req='null')
        wanted = [y.asnumpy() for y in bound.forward(is_train=False)]
    except Exception as e:
        return 'not run', str(e).splitlines()[0][:120]
    prefix = os.path.join(folder, 'm')
    symbol.save(prefix + '-symbol.json')
    mx.nd.save(prefix + '-0000.params', both)
    shape = ('--input_shape', str(list(case.values.shape)).replace(' ', ''))
    found, said = drawn.verdict(tool, folder, prefix + '-0000.params', case.values, wanted, options=shape)
    return found, f'of {list(case.values.shape)}: {symbol.name} {symbol.attr_dict().get(symbol.name, {})}: {said}'


if __name__ == '__main__':
    drawn.main(__doc__, OPERATORS, judge)
