#!/usr/bin/env python3
"""Small networks of Caffe, Kaldi and MXNet, written without the frameworks: framework_models.py DIR writes them all.

write(folder) -> {name: (folder of the case, arguments of `mo`)}. The arguments are relative to the case's folder.
"""
import json
import os
import struct
import sys

import numpy as np

# ---- Caffe: a prototxt, and a caffemodel as protocol buffers lie on the wire -----------------------------------------


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def blob(values, legacy=False, half=False, double=False):
    v = np.asarray(values)
    if half:
        data = varint(10 << 3) + varint(2) + field(12, v.astype('<f2').tobytes())
    elif double:
        data = field(8, v.astype('<f8').tobytes())
    else:
        data = field(5, v.astype('<f4').tobytes())
    if legacy:
        shape = [1] * (4 - v.ndim) + list(v.shape)
        return b''.join(varint(n + 1 << 3) + varint(d) for n, d in enumerate(shape)) + data
    return field(7, field(1, b''.join(varint(d) for d in v.shape))) + data


def layer(name, kind, blobs):
    return field(100, field(1, name.encode()) + field(2, kind.encode()) + b''.join(field(7, b) for b in blobs))


def layer_v1(name, kind, blobs):
    return field(2, field(4, name.encode()) + varint(5 << 3) + varint(kind) + b''.join(field(6, b) for b in blobs))


def layer_v0(name, kind, blobs):
    return field(2, field(1, field(1, name.encode()) + field(2, kind.encode()) + b''.join(field(50, b) for b in blobs)))


class Numbers:
    def __init__(self, seed):
        self.r = np.random.RandomState(seed)

    def __call__(self, *shape, low=-0.5, high=0.5):
        return self.r.uniform(low, high, shape).astype('f4')


def text(name, kind, bottom, top, params=''):
    bottoms = ''.join(f' bottom: "{b}"' for b in bottom.split())
    tops = ''.join(f' top: "{t}"' for t in top.split())
    return f'layer {{ name: "{name}" type: "{kind}"{bottoms}{tops} {params} }}\n'


def image(c, h, w, name='data'):
    return f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ dim: 1 dim: {c} dim: {h} dim: {w} }} }} }}\n'


def conv(r, name, bottom, top, cin, cout, k=3, more='', bias=True, **kind):
    t = text(name, 'Convolution', bottom, top, f'convolution_param {{ num_output: {cout} kernel_size: {k} {more} {"" if bias else "bias_term: false"} }}')
    return t, layer(name, 'Convolution', [blob(r(cout, cin, k, k), **kind)] + ([blob(r(cout))] if bias else []))


def batch_norm(r, name, c):
    t = text(name, 'BatchNorm', name[3:], name[3:], 'batch_norm_param { use_global_stats: true }')
    return t, layer(name, 'BatchNorm', [blob(r(c)), blob(r(c, low=0.5, high=2)), blob([2.0])])


def caffe_net(parts):
    parts = [p if isinstance(p, tuple) else (p, b'') for p in parts]
    unused = layer('of_training', 'Scale', [blob([1.0])])
    return ''.join(t for t, _ in parts), b''.join(w for _, w in parts) + unused


def caffe_cases():
    r = Numbers(1)
    yield 'residual', caffe_net([
        'name: "residual"\n', image(3, 16, 16), conv(r, 'c1', 'data', 'c1', 3, 8, more='pad: 1', bias=False), batch_norm(r, 'bn_c1', 8),
        (text('sc', 'Scale', 'c1', 'c1', 'scale_param { bias_term: true }'), layer('sc', 'Scale', [blob(r(8, low=0.5, high=1.5)), blob(r(8))])),
        text('r1', 'ReLU', 'c1', 'c1'), conv(r, 'c2', 'c1', 'c2', 8, 8, 1, 'stride: 2'), conv(r, 'c3', 'c1', 'c3', 8, 8, more='pad: 1 stride: 2'),
        text('sum', 'Eltwise', 'c2 c3', 'sum', 'eltwise_param { operation: SUM coeff: 1 coeff: 0.5 }'), text('r2', 'ReLU', 'sum', 'sum'),
        text('p', 'Pooling', 'sum', 'p', 'pooling_param { pool: AVE global_pooling: true }'),
        (text('fc', 'InnerProduct', 'p', 'fc', 'inner_product_param { num_output: 5 }'), layer('fc', 'InnerProduct', [blob(r(5, 8)), blob(r(5))])),
        text('prob', 'Softmax', 'fc', 'prob')]), []
    yield 'three_summands', caffe_net([
        image(4, 9, 9), text('a', 'TanH', 'data', 'a'), text('b', 'Sigmoid', 'data', 'b'),
        text('s', 'Eltwise', 'a b data', 's', 'eltwise_param { operation: SUM }'), text('m', 'Eltwise', 's a', 'm', 'eltwise_param { operation: PROD }'),
        text('x', 'Eltwise', 'm b', 'x', 'eltwise_param { operation: MAX }')]), []
    yield 'depthwise', caffe_net([
        image(6, 12, 12), conv(r, 'dw', 'data', 'dw', 1, 6, more='pad: 1 group: 6'), text('relu6', 'ReLU6', 'dw', 'dw'),
        conv(r, 'pw', 'dw', 'pw', 6, 10, 1, bias=False),
        (text('pr', 'PReLU', 'pw', 'pw'), layer('pr', 'PReLU', [blob(r(10, low=0.05, high=0.3))])),
        text('p', 'Pooling', 'pw', 'p', 'pooling_param { pool: MAX kernel_size: 2 stride: 2 }')]), []
    yield 'fire_concat', caffe_net([
        image(3, 14, 14), conv(r, 'sq', 'data', 'sq', 3, 4, 1), text('sr', 'ReLU', 'sq', 'sq'), conv(r, 'e1', 'sq', 'e1', 4, 8, 1), text('e1r', 'ReLU', 'e1', 'e1'),
        conv(r, 'e3', 'sq', 'e3', 4, 8, more='pad: 1'), text('e3r', 'ReLU', 'e3', 'e3'), text('cat', 'Concat', 'e1 e3', 'cat'), text('drop', 'Dropout', 'cat', 'cat'),
        text('pool', 'Pooling', 'cat', 'pool', 'pooling_param { pool: MAX kernel_size: 3 stride: 2 }')]), []
    yield 'deconvolution', caffe_net([
        image(4, 7, 7), (text('up', 'Deconvolution', 'data', 'up', 'convolution_param { num_output: 3 kernel_size: 4 stride: 2 pad: 1 }'),
                         layer('up', 'Deconvolution', [blob(r(4, 3, 4, 4)), blob(r(3))])),
        text('relu', 'ReLU', 'up', 'up', 'relu_param { negative_slope: 0.2 }'), conv(r, 'c', 'up', 'c', 3, 2, more='pad: 1')]), []
    yield 'slices', caffe_net([
        image(9, 6, 6), text('sl', 'Slice', 'data', 'a b c', 'slice_param { axis: 1 }'), text('t', 'TanH', 'a', 't'), text('e', 'ELU', 'b', 'e'),
        text('pw', 'Power', 'c', 'pw', 'power_param { scale: 0.5 shift: 0.25 }'), text('cat', 'Concat', 't pw e', 'cat'),
        text('perm', 'Permute', 'cat', 'perm', 'permute_param { order: 0 order: 2 order: 3 order: 1 }'), text('flat', 'Flatten', 'perm', 'flat')]), []
    yield 'lrn_alexnet', caffe_net([
        image(3, 19, 19), conv(r, 'c1', 'data', 'c1', 3, 8, 5, 'stride: 2'), text('r1', 'ReLU', 'c1', 'c1'),
        text('n1', 'LRN', 'c1', 'n1', 'lrn_param { local_size: 3 alpha: 0.0002 beta: 0.75 k: 2 }'),
        text('p1', 'Pooling', 'n1', 'p1', 'pooling_param { pool: MAX kernel_size: 3 stride: 2 }'), conv(r, 'c2', 'p1', 'c2', 4, 6, more='pad: 1 group: 2'),
        (text('fc', 'InnerProduct', 'c2', 'fc', 'inner_product_param { num_output: 4 bias_term: false }'), layer('fc', 'InnerProduct', [blob(r(4, 96))]))]), []
    v1 = 'name: "v1"\ninput: "data" input_dim: 1 input_dim: 3 input_dim: 10 input_dim: 10\n'
    yield 'v1_train_and_test', (
        v1 + 'layers { name: "c" type: CONVOLUTION bottom: "data" top: "c" blobs_lr: 1 convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }\n'
        'layers { name: "d" type: DROPOUT bottom: "c" top: "c" include { phase: TRAIN } }\n'
        'layers { name: "p" type: POOLING bottom: "c" top: "p" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }\n'
        'layers { name: "i" type: INNER_PRODUCT bottom: "p" top: "i" inner_product_param { num_output: 3 } }\n'
        'layers { name: "prob" type: SOFTMAX bottom: "i" top: "prob" }\n',
        layer_v1('c', 4, [blob(r(4, 3, 3, 3)), blob(r(4), legacy=True)]) + layer_v1('i', 14, [blob(r(3, 64), legacy=True), blob(r(3), legacy=True)])), []
    yield 'two_outputs', caffe_net([
        image(3, 12, 12), conv(r, 'c1', 'data', 'c1', 3, 6, more='pad: 1'), text('r', 'ReLU', 'c1', 'c1'), conv(r, 'z_box', 'c1', 'z_box', 6, 4, 1), conv(r, 'cls', 'c1', 'cls', 6, 2, 1),
        text('prob', 'Softmax', 'cls', 'prob')]), []
    yield 'interp', caffe_net([
        image(3, 8, 8), conv(r, 'c', 'data', 'c', 3, 4, more='pad: 1'), text('i', 'Interp', 'c', 'i', 'interp_param { height: 15 width: 13 }'), text('s', 'Sigmoid', 'i', 's')]), []
    yield 'cut_and_mean', caffe_net([
        image(3, 12, 12), conv(r, 'c1', 'data', 'c1', 3, 6), text('r1', 'ReLU', 'c1', 'c1'), conv(r, 'c2', 'c1', 'c2', 6, 6),
        text('r2', 'ReLU', 'c2', 'c2'), conv(r, 'c3', 'c2', 'c3', 6, 3)]), ['--output', 'c2', '--mean_values', '[104,117,123]', '--scale_values', '[58]', '--data_type', 'FP16']
    yield 'half_and_double', caffe_net([
        image(3, 9, 9), conv(r, 'c1', 'data', 'c1', 3, 4, double=True), text('t', 'TanH', 'c1', 'c1'), conv(r, 'c2', 'c1', 'c2', 4, 2, double=True)]), []


# ---- Kaldi: tokens and values in binary ------------------------------------------------------------------------------


def token(t):
    return f'<{t}> '.encode()


def whole(n):
    return b'\4' + struct.pack('<i', n)


def real(x):
    return b'\4' + struct.pack('<f', x)


def flag(b):
    return b'T' if b else b'F'


def vector(v):
    return b'FV ' + whole(len(v)) + np.asarray(v, '<f4').tobytes()


def matrix(m):
    return b'FM ' + whole(m.shape[0]) + whole(m.shape[1]) + np.asarray(m, '<f4').tobytes()


def integers(v):
    return whole(len(v)) + np.asarray(v, '<i4').tobytes()


def component(kind, *parts, name=None):
    named = (token('ComponentName') + name.encode() + b' ') if name else b''
    return named + token(kind) + b''.join(parts) + token('/' + kind)


def nnet1(*components):
    return b'\0B' + token('Nnet') + b''.join(components) + token('/Nnet')


def nnet1_component(kind, out, inp, *parts):
    return token(kind) + whole(out) + whole(inp) + b''.join(parts) + token('!EndOfComponent')


def affine1(r, out, inp):
    return nnet1_component('AffineTransform', out, inp, token('LearnRateCoef') + real(1), token('BiasLearnRateCoef') + real(1), token('MaxNorm') + real(0), matrix(r(out, inp)), vector(r(out)))


def nnet2(*components):
    return (b'\0B' + token('TransitionModel') + token('Topology') + token('/Topology') + token('/TransitionModel') + token('Nnet') + token('NumComponents') + whole(len(components)) +
            token('Components') + b''.join(components) + token('/Components') + token('/Nnet'))


def nnet3(config, *components):
    return b'\0B' + token('Nnet3') + b'\n' + config.encode() + b'\n' + token('NumComponents') + whole(len(components)) + b''.join(components) + token('/Nnet3')


def affine(r, out, inp, name=None, kind='AffineComponent'):
    return component(kind, token('LearningRate'), real(0.001), token('LinearParams'), matrix(r(out, inp)), token('BiasParams'), vector(r(out)), name=name)


def dim(kind, n, name=None):
    return component(kind, token('Dim'), whole(n), name=name)


def tdnn(r, out, inp, times, name):
    return component('TdnnComponent', token('MaxChange'), real(0.75), token('L2Regularize'), real(0.01), token('LearningRate'), real(0.001), token('TimeOffsets'), integers(times),
                     token('LinearParams'), matrix(r(out, inp * len(times))), token('BiasParams'), vector(r(out)), token('OrthonormalConstraint'), real(0), token('UseNaturalGradient'), flag(True),
                     token('NumSamplesHistory'), real(2000), token('AlphaInOut'), real(4), real(4), token('RankInOut'), whole(20), whole(80), name=name)


def batch_norm_component(r, n, name):
    return component('BatchNormComponent', token('Dim'), whole(n), token('BlockDim'), whole(n), token('Epsilon'), real(0.001), token('TargetRms'), real(1), token('TestMode'), flag(True),
                     token('Count'), real(100), token('StatsMean'), vector(r(n)), token('StatsVar'), vector(r(n, low=0.5, high=2)), name=name)


def nodes(*lines):
    return ''.join(line + '\n' for line in lines)


def chain(*names, first='input'):
    lines = []
    for n in names:
        lines.append(f'component-node name={n} component={n} input={first}')
        first = n
    return lines + [f'output-node name=output input={first} objective=linear']


def kaldi_cases():
    r = Numbers(2)
    yield 'nnet1_deep', 'nnet', nnet1(
        nnet1_component('AddShift', 10, 10, token('LearnRateCoef') + real(0), vector(r(10))), nnet1_component('Rescale', 10, 10, token('LearnRateCoef') + real(0), vector(r(10, low=0.5, high=1.5))),
        affine1(r, 16, 10), nnet1_component('Sigmoid', 16, 16), affine1(r, 12, 16), nnet1_component('Sigmoid', 12, 12), affine1(r, 6, 12), nnet1_component('Softmax', 6, 6)), []
    yield 'nnet1_no_softmax', 'nnet', nnet1(affine1(r, 8, 6), nnet1_component('Sigmoid', 8, 8), affine1(r, 4, 8), nnet1_component('Softmax', 4, 4)), ['--remove_output_softmax']
    yield 'nnet2_norm', 'mdl', nnet2(
        component('FixedAffineComponent', token('LinearParams'), matrix(r(8, 8)), token('BiasParams'), vector(r(8)), ).replace(b'<FixedAffineComponent> ', b'<FixedAffineComponent> <InputDim> ' + whole(8)),
        affine(r, 12, 8, kind='AffineComponentPreconditionedOnline'), dim('RectifiedLinearComponent', 12), dim('NormalizeComponent', 12), affine(r, 5, 12), dim('SoftmaxComponent', 5)), []
    yield 'nnet2_pnorm', 'mdl', nnet2(
        component('FixedScaleComponent', token('InputDim'), whole(6), token('Scales'), vector(r(6, low=0.5, high=1.5))), affine(r, 12, 6),
        component('PnormComponent', token('InputDim'), whole(12), token('OutputDim'), whole(4), token('P'), real(2)), affine(r, 3, 4), dim('SoftmaxComponent', 3)), []
    yield 'nnet2_splice_wide', 'mdl', nnet2(
        component('SpliceComponent', token('InputDim'), whole(5), token('LeftContext'), whole(2), token('RightContext'), whole(2), token('ConstComponentDim'), whole(0)),
        affine(r, 10, 25), dim('TanhComponent', 10), affine(r, 4, 10), dim('SoftmaxComponent', 4)), ['--remove_memory']
    yield 'nnet3_feed_forward', 'raw', nnet3(
        nodes('input-node name=input dim=8', *chain('a', 'ar', 'abn', 'b', 'bs', 'o', 'ol')), affine(r, 12, 8, 'a', 'NaturalGradientAffineComponent'), dim('RectifiedLinearComponent', 12, 'ar'),
        batch_norm_component(r, 12, 'abn'), component('LinearComponent', token('Params'), matrix(r(6, 12)), name='b'), dim('SigmoidComponent', 6, 'bs'),
        affine(r, 5, 6, 'o', 'NaturalGradientAffineComponent'), dim('LogSoftmaxComponent', 5, 'ol')), ['--framework', 'kaldi']
    yield 'nnet3_append_sum', 'raw', nnet3(
        nodes('input-node name=input dim=6', 'component-node name=a component=a input=input', 'component-node name=b component=b input=a', 'component-node name=c component=c input=Append(a, b)',
              'component-node name=d component=d input=Sum(c, Scale(0.5, a))', 'output-node name=output input=d objective=linear'),
        affine(r, 8, 6, 'a', 'NaturalGradientAffineComponent'), dim('RectifiedLinearComponent', 8, 'b'), affine(r, 8, 16, 'c', 'NaturalGradientAffineComponent'), dim('TanhComponent', 8, 'd')), ['--framework', 'kaldi']
    yield 'nnet3_tdnn', 'raw', nnet3(
        nodes('input-node name=input dim=5', *chain('t1', 't1r', 't2', 'o')), tdnn(r, 8, 5, [-1, 0, 1], 't1'), dim('RectifiedLinearComponent', 8, 't1r'), tdnn(r, 6, 8, [-3, 0], 't2'),
        affine(r, 4, 6, 'o', 'NaturalGradientAffineComponent')), ['--framework', 'kaldi', '--remove_memory']
    yield 'nnet3_offsets', 'raw', nnet3(
        nodes('input-node name=input dim=4', 'component-node name=a component=a input=Append(Offset(input, -2), Offset(input, -1), input)', 'component-node name=ar component=ar input=a',
              'component-node name=b component=b input=Append(Offset(ar, -1), ar)', 'output-node name=output input=b objective=linear'),
        affine(r, 6, 12, 'a', 'NaturalGradientAffineComponent'), dim('RectifiedLinearComponent', 6, 'ar'), affine(r, 3, 12, 'b', 'NaturalGradientAffineComponent')), ['--framework', 'kaldi', '--remove_memory']
    yield 'nnet3_dim_range', 'raw', nnet3(
        nodes('input-node name=input dim=10', 'dim-range-node name=part input-node=input dim-offset=2 dim=6', *chain('a', 'ar', first='part')), affine(r, 7, 6, 'a', 'NaturalGradientAffineComponent'),
        dim('RectifiedLinearComponent', 7, 'ar')), ['--framework', 'kaldi']
    yield 'nnet3_mdl_noop', 'mdl', nnet3(
        nodes('input-node name=input dim=6', *chain('a', 'n', 's', 'd', 'o')), affine(r, 8, 6, 'a', 'NaturalGradientAffineComponent'), dim('NoOpComponent', 8, 'n'),
        component('NaturalGradientPerElementScaleComponent', token('Params'), vector(r(8, low=0.5, high=2)), name='s'),
        component('GeneralDropoutComponent', token('Dim'), whole(8), token('BlockDim'), whole(8), token('TimePeriod'), whole(0), token('DropoutProportion'), real(0.1), name='d'),
        component('FixedBiasComponent', token('Bias'), vector(r(8)), name='o')).replace(b'\0B', b'\0B' + token('TransitionModel') + token('/TransitionModel'), 1), []


# ---- MXNet: a symbol as JSON, and parameters -------------------------------------------------------------------------


class Symbol:
    def __init__(self, seed):
        self.r, self.nodes, self.parameters = Numbers(seed), [], {}

    def variable(self, name, *shape, low=-0.5, high=0.5):
        self.nodes.append(dict(op='null', name=name, inputs=[]))
        if shape:
            self.parameters[name] = self.r(*shape, low=low, high=high)
        return len(self.nodes) - 1, 0

    def __call__(self, op, name, *inputs, **attributes):
        self.nodes.append(dict(op=op, name=name, inputs=[[*i, 0] for i in inputs], **({'attrs': {k: str(v) for k, v in attributes.items()}} if attributes else {})))
        return len(self.nodes) - 1, 0

    def conv(self, name, x, cin, cout, k=3, bias=True, **more):
        group = more.get('num_group', 1)
        inputs = [x, self.variable(name + '_weight', cout, cin // group, k, k)] + ([self.variable(name + '_bias', cout)] if bias else [])
        return self('Convolution', name, *inputs, kernel=(k, k), num_filter=cout, **({} if bias else {'no_bias': True}), **more)

    def batch_norm(self, name, x, c, **more):
        v = [self.variable(name + s, c, low=low, high=high) for s, low, high in (('_gamma', 0.5, 1.5), ('_beta', -0.5, 0.5), ('_moving_mean', -0.5, 0.5), ('_moving_var', 0.5, 2))]
        return self('BatchNorm', name, x, *v, **{'fix_gamma': False, 'eps': 1e-5, **more})

    def dense(self, name, x, inp, out, **more):
        return self('FullyConnected', name, x, self.variable(name + '_weight', out, inp), self.variable(name + '_bias', out), num_hidden=out, **more)

    def files(self, *heads):
        names = list(self.parameters)
        arrays = b''.join(struct.pack('<IiI', 0xF993FAC9, 0, a.ndim) + struct.pack(f'<{a.ndim}q', *a.shape) + struct.pack('<iii', 1, 0, 0) + a.tobytes() for a in self.parameters.values())
        kind = lambda n: 'aux:' if 'moving_' in n or 'running_' in n else 'arg:'
        data = struct.pack('<QQQ', 0x112, 0, len(names)) + arrays + struct.pack('<Q', len(names)) + b''.join(struct.pack('<Q', len(kind(n) + n)) + (kind(n) + n).encode() for n in names)
        symbol = dict(nodes=self.nodes, arg_nodes=[i for i, n in enumerate(self.nodes) if n['op'] == 'null'], heads=[[*h, 0] for h in heads], attrs={'mxnet_version': ['int', 10700]})
        return json.dumps(symbol), data


def mxnet_cases():
    image_shape = ['--input_shape', '[1,3,12,12]']
    s = Symbol(3)
    x = s.conv('c1', s.variable('data'), 3, 8, bias=False, pad=(1, 1))
    y = s('Activation', 'a1', s.batch_norm('b1', x, 8), act_type='relu')
    z = s('elemwise_add', 'sum', s.conv('c2', y, 8, 8, pad=(1, 1)), y)
    z = s('Pooling', 'gp', s('Activation', 'a2', z, act_type='relu'), kernel=(1, 1), global_pool=True, pool_type='avg')
    yield 'residual', s.files(s.dense('fc', s('Flatten', 'flat', z), 8, 5)), image_shape
    s = Symbol(4)
    x = s.conv('dw', s.variable('data'), 3, 3, pad=(1, 1), num_group=3, stride=(2, 2))
    x = s('LeakyReLU', 'lr', s.conv('pw', x, 3, 6, 1), act_type='leaky', slope=0.1)
    yield 'depthwise', s.files(s('Pooling', 'p', x, kernel=(2, 2), stride=(2, 2), pool_type='max')), image_shape
    s = Symbol(5)
    d = s.variable('data')
    a, b = s.conv('c1', d, 3, 4, 1), s.conv('c3', d, 3, 4, pad=(1, 1))
    x = s('Concat', 'cat', a, b, dim=1, num_args=2)
    yield 'concat_scalars', s.files(s('_plus_scalar', 'plus', s('_mul_scalar', 'times', s('Activation', 'sg', x, act_type='sigmoid'), scalar=2.0), scalar=-1.0)), image_shape
    s = Symbol(6)
    x = s.conv('c', s.variable('data'), 3, 8, pad=(1, 1))
    w = s.variable('up_weight', 8, 4, 4, 4)
    yield 'deconvolution', s.files(s('Deconvolution', 'up', x, w, kernel=(4, 4), stride=(2, 2), pad=(1, 1), num_filter=4)), image_shape
    s = Symbol(7)
    x = s('transpose', 't', s.conv('c', s.variable('data'), 3, 6, 1), axes=(0, 2, 3, 1))
    x = s('Reshape', 'r', x, shape=(0, -1, 3))
    yield 'reshape_softmax', s.files(s('softmax', 'sm', x, axis=-1)), image_shape
    s = Symbol(8)
    x = s.conv('c', s.variable('data'), 3, 8, 1)
    split = s('SliceChannel', 'sc', x, num_outputs=2, axis=1)
    yield 'gated', s.files(s('elemwise_mul', 'gate', s('Activation', 'th', split, act_type='tanh'), s('Activation', 'sg', (split[0], 1), act_type='sigmoid'))), image_shape
    s = Symbol(9)
    x = s.conv('c', s.variable('data'), 3, 4, pad=(1, 1))
    yield 'up_sampling', s.files(s.conv('c2', s('UpSampling', 'up', x, scale=2, sample_type='nearest', num_args=1), 4, 3)), image_shape
    s = Symbol(10)
    x = s.conv('c', s.variable('data'), 3, 5, 1)
    x = s('slice_axis', 'sl', x, axis=2, begin=1, end=9)
    yield 'slice_clip', s.files(s('clip', 'cl', x, a_min=0.0, a_max=6.0)), image_shape
    s = Symbol(11)
    x = s.dense('f2', s('Activation', 'a', s.dense('f1', s.variable('data'), 20, 12), act_type='relu'), 12, 4)
    yield 'perceptron', s.files(s('SoftmaxOutput', 'softmax', x, s.variable('softmax_label'))), ['--input_shape', '[1,20]']
    s = Symbol(12)
    x = s.conv('c', s.variable('data'), 3, 6, pad=(1, 1))
    yield 'two_heads', s.files(s.conv('z', x, 6, 2, 1), s('Activation', 'a', x, act_type='tanh')), image_shape
    s = Symbol(13)
    x = s('LRN', 'n', s.conv('c', s.variable('data'), 3, 8, 1), alpha=0.0001, beta=0.75, knorm=2, nsize=5)
    yield 'lrn_preprocessed', s.files(s('Pooling', 'p', x, kernel=(3, 3), stride=(2, 2), pool_type='avg', pooling_convention='full')), \
        image_shape + ['--mean_values', '[123,117,104]', '--scale_values', '[58.4]', '--reverse_input_channels', '--data_type', 'FP16']


# ---- files -----------------------------------------------------------------------------------------------------------


def save(folder, name, files):
    case = os.path.join(folder, name)
    os.makedirs(case, exist_ok=True)
    for file, data in files.items():
        with open(os.path.join(case, file), 'wb') as f:
            f.write(data.encode() if isinstance(data, str) else data)
    return case


def write(folder):
    """name -> the case's folder and the arguments of mo"""
    cases = {}
    for name, (prototxt, weights), options in caffe_cases():
        case = save(folder, 'caffe_' + name, {'model.prototxt': prototxt, 'model.caffemodel': weights})
        cases['caffe_' + name] = case, ['--input_model', 'model.caffemodel', *options]
    for name, ending, data, options in kaldi_cases():
        cases['kaldi_' + name] = save(folder, 'kaldi_' + name, {'model.' + ending: data}), ['--input_model', 'model.' + ending, *options]
    for name, (symbol, parameters), options in mxnet_cases():
        case = save(folder, 'mxnet_' + name, {'model-symbol.json': symbol, 'model-0000.params': parameters})
        cases['mxnet_' + name] = case, ['--input_model', 'model-0000.params', *options]
    return cases


if __name__ == '__main__':
    for name, (case, options) in write(sys.argv[1]).items():
        print(name, *options)
