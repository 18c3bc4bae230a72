#!/usr/bin/env python3
"""More networks of Caffe, Kaldi and MXNet as people had them, small: parts of MobileNet-SSD, PVANet, DenseNet, Inception v3.

write(folder) -> as framework_models.write, with the networks of framework_structures.py in front. framework_networks.py DIR writes them all.
"""
import sys

import framework_models
import framework_structures
from framework_models import (Numbers, affine, batch_norm, blob, caffe_net, component, conv, dim, flag, image, integers, layer, matrix, nnet3, nodes, real, text, token, vector,
                              whole)
from framework_structures import Net, conv_bn, dense, np_pair, pool, relu, scale


def depthwise(r, name, bottom, cin, cout, stride=1):
    deep, wide = name + '_dw', name + '_sep'
    return [conv(r, deep, bottom, deep, 1, cin, 3, f'pad: 1 stride: {stride} group: {cin} engine: CAFFE', bias=False), batch_norm(r, 'bn_' + deep, cin), scale(r, 'sc_' + deep, deep, cin), relu(deep),
            *conv_bn(r, wide, deep, cin, cout, 1)]


def crelu(r, name, bottom, cin, cout):
    """PVANet: what a convolution gives, and the same negated."""
    joined = name + '_cat'
    return [*conv_bn(r, name, bottom, cin, cout, 3, 'pad: 1', after=None), text(name + '_neg', 'Power', name, name + '_neg', 'power_param { power: 1 scale: -1.0 shift: 0 }'),
            text(joined, 'Concat', f'{name} {name}_neg', joined), scale(r, 'sc2_' + name, joined, 2 * cout), relu(joined)]


def dense_layer(r, name, bottom, cin):
    normal = name + '_bn'
    return [(text('norm_' + name, 'BatchNorm', bottom, normal), layer('norm_' + name, 'BatchNorm', [blob(r(cin)), blob(r(cin, low=0.5, high=2)), blob([1.0])])), scale(r, 'sc_' + name, normal, cin),
            relu(normal), conv(r, name, normal, name, cin, 4, 3, 'pad: 1', bias=False)]


def bilinear(r, name, bottom, channels):
    return (text(name, 'Deconvolution', bottom, name, f'convolution_param {{ num_output: {channels} kernel_size: 4 stride: 2 pad: 1 group: {channels} bias_term: false }}'),
            layer(name, 'Deconvolution', [blob(r(channels, 1, 4, 4))]))


def caffe_cases():
    r = Numbers(51)
    yield 'mobilenet', caffe_net([
        image(3, 32, 32), *conv_bn(r, 'c0', 'data', 3, 8, 3, 'pad: 1 stride: 2'), *depthwise(r, 'c1', 'c0', 8, 16, 2), *depthwise(r, 'c2', 'c1_sep', 16, 16), pool('p', 'c2_sep', 'AVE', 'global_pooling: true'),
        dense(r, 'fc', 'p', 16, 5), text('prob', 'Softmax', 'fc', 'prob')]), ['--mean_values', '[127.5,127.5,127.5]', '--scale_values', '[127.5]']
    yield 'pvanet', caffe_net([
        image(3, 32, 32), *crelu(r, 'c1', 'data', 3, 8), pool('p1', 'c1_cat', 'MAX', 'kernel_size: 3 stride: 2'), *crelu(r, 'c2', 'p1', 16, 8), conv(r, 'd', 'c2_cat', 'd', 16, 16, 3, 'pad: 1 stride: 2'),
        relu('d'), bilinear(r, 'u', 'd', 16), text('cat', 'Concat', 'c2_cat u', 'cat'), conv(r, 'o', 'cat', 'o', 32, 6, 1),
        (text('pr', 'PReLU', 'o', 'pr', 'prelu_param { channel_shared: true }'), layer('pr', 'PReLU', [blob(r(1, low=0.1, high=0.3))]))]), []
    joined = [image(3, 16, 16), conv(r, 'c0', 'data', 'c0', 3, 8, 3, 'pad: 1'), *dense_layer(r, 'd1', 'c0', 8), text('k1', 'Concat', 'c0 d1', 'k1'), *dense_layer(r, 'd2', 'k1', 12),
              text('k2', 'Concat', 'c0 d1 d2', 'k2'), *dense_layer(r, 'd3', 'k2', 16), text('k3', 'Concat', 'c0 d1 d2 d3', 'k3'), pool('g', 'k3', 'AVE', 'global_pooling: true'), dense(r, 'fc', 'g', 20, 4)]
    yield 'densenet', caffe_net(joined), ['--enable_concat_optimization']
    # Strides of the 1x1 convolutions move up, to convolutions whose weights are products of double precision.
    yield 'strides', caffe_net([
        image(3, 18, 18), *conv_bn(r, 'c1', 'data', 3, 8), conv(r, 'c2', 'c1', 'c2', 8, 8, 1, 'stride: 2'), conv(r, 'c3', 'c1', 'c3', 4, 8, 3, 'pad: 1 group: 2'), relu('c3'),
        conv(r, 'c4', 'c3', 'c4', 8, 8, 1, 'stride: 2'), text('s', 'Eltwise', 'c2 c4', 's'), relu('s'), conv(r, 'c5', 's', 'c5', 8, 4, 3)]), ['--mean_values', '[104,117,123]', '--reverse_input_channels']
    yield 'attention', caffe_net([
        image(6, 10, 10), conv(r, 'x', 'data', 'x', 6, 8, 3, 'pad: 1'), pool('g', 'x', 'AVE', 'global_pooling: true'), conv(r, 's1', 'g', 's1', 8, 4, 1), relu('s1'), conv(r, 's2', 's1', 's2', 4, 8, 1),
        text('gate', 'Sigmoid', 's2', 's2'), text('flat', 'Reshape', 's2', 'flat', 'reshape_param { shape { dim: -1 dim: 8 } }'), text('y', 'Scale', 'x flat', 'y', 'scale_param { axis: 0 }'),
        text('z', 'Axpy', 's2 x y', 'z'), relu('z'), conv(r, 'o', 'z', 'o', 8, 3, 1)]), []


    # Blobs that are written again: the last layer of each is an output without a name of its own.
    again = lambda name, kind, top, params='': text(name, kind, top, top, params)
    yield 'written_again', caffe_net([
        image(4, 12, 10), conv(r, 'c1', 'data', 'c1', 4, 6, 3), (text('bn', 'BatchNorm', 'c1', 'bn'), layer('bn', 'BatchNorm', [blob(r(6)), blob(r(6, low=0.5, high=2)), blob([1.0])])),
        (text('sc', 'Scale', 'bn', 'sc', 'scale_param { bias_term: true }'), layer('sc', 'Scale', [blob(r(6)), blob(r(6))])), again('z', 'TanH', 'data'),
        text('minus', 'Power', 'bn', 'minus', 'power_param { scale: -1 }'), conv(r, 'c2', 'sc', 'c2', 6, 3, 1), again('a2', 'ReLU', 'c2'), again('b2', 'Sigmoid', 'c2')]), []


def component_node(name, reads):
    return f'component-node name={name} component={name} input={reads}'


def kaldi_cases():
    r = Numbers(52)
    natural = lambda name, out, inp: affine(r, out, inp, name, 'NaturalGradientAffineComponent')
    first, last, raw = 'input-node name=input dim={}', 'output-node name=output input=o objective=linear', ['--framework', 'kaldi']
    yield 'nnet3_gate', 'raw', nnet3(
        nodes(first.format(6), component_node('a', 'input'), component_node('t', 'a'), component_node('b', 'input'), component_node('s', 'b'), component_node('p', 'Append(t, s)'),
              component_node('o', 'p'), last), natural('a', 5, 6), dim('TanhComponent', 5, 't'), natural('b', 5, 6), dim('SigmoidComponent', 5, 's'),
        component('ElementwiseProductComponent', token('InputDim'), whole(10), token('OutputDim'), whole(5), name='p'), natural('o', 3, 5)), raw
    yield 'nnet3_normal', 'raw', nnet3(
        nodes(first.format(6), component_node('a', 'input'), component_node('s', 'a'), component_node('f', 's'), component_node('n', 'f'), component_node('o', 'n'), last), natural('a', 8, 6), component('NaturalGradientPerElementScaleComponent', token('Params'), vector(r(8, low=0.5, high=2)), name='s'),
        component('FixedBiasComponent', token('Bias'), vector(r(8)), name='f'),
        component('NormalizeComponent', token('Dim'), whole(8), token('TargetRms'), real(1), token('AddLogStddev'), flag(False), name='n'), natural('o', 3, 8)), raw
    window = [(t, h) for t in (-1, 0, 1) for h in (-1, 0, 1)]
    yield 'nnet3_subsampled', 'raw', nnet3(
        nodes(first.format(8), component_node('c', 'input'), component_node('cr', 'c'), component_node('o', 'cr'), last),
        component('TimeHeightConvolutionComponent', token('MaxChange'), real(0.75), token('LearningRate'), real(0.001), token('ConvolutionModel'), token('NumFiltersIn'), whole(1), token('NumFiltersOut'),
                  whole(3), token('HeightIn'), whole(8), token('HeightOut'), whole(4), token('HeightSubsampleOut'), whole(2), token('Offsets'), whole(9) + b''.join(np_pair(*w) for w in window),
                  token('RequiredTimeOffsets'), integers([-1, 0, 1]), token('/ConvolutionModel'), token('LinearParams'), matrix(r(3, 9)), token('BiasParams'), vector(r(3)), name='c'),
        dim('RectifiedLinearComponent', 12, 'cr'), natural('o', 4, 12)), [*raw, '--remove_memory']


def mxnet_cases():
    shape = ['--input_shape', '[1,3,32,32]']
    s = Net(53)  # Inception v3: factorised windows, pooled branch
    x = s.pool('p1', s.conv_bn('c1', s.variable('data'), 3, 8, stride=(2, 2)), 3, 2)

    def window(name, x, cin, cout, kernel):
        y = s('Convolution', name, x, s.variable(name + '_weight', cout, cin, *kernel), kernel=kernel, pad=tuple(k // 2 for k in kernel), num_filter=cout, no_bias=True)
        return s.relu(s.batch_norm(name + '_bn', y, cout, fix_gamma=True, eps=0.001), name + '_relu')
    b = window('b3', window('b2', s.conv_bn('b1', x, 8, 4, 1), 4, 4, (1, 7)), 4, 6, (7, 1))
    c = s.conv_bn('c', s.pool('pp', x, 3, 1, 'avg', pad=(1, 1)), 8, 4, 1)
    x = s.global_pool('g', s('Concat', 'k', s.conv_bn('a', x, 8, 6, 1), b, c, num_args=3, dim=1))
    yield 'inception_v3', s.files(s('SoftmaxOutput', 'softmax', s.dense('fc1', s('Flatten', 'flat', s('Dropout', 'drop', x, p=0.5)), 16, 5), s.variable('softmax_label'))), \
        [*shape, '--mean_values', '[123.68,116.779,103.939]', '--reverse_input_channels']
    s = Net(54)  # MobileNet v3 of Gluon: a division by 6
    gate = lambda name, x: s('_div_scalar', name, s('clip', name + '_clip', s('_plus_scalar', name + '_plus', x, scalar=3.0), a_min=0.0, a_max=6.0), scalar=6.0)
    x = s.conv_bn('c1', s.variable('data'), 3, 8, stride=(2, 2), pad=(1, 1))
    y = s.conv_bn('dw', x, 8, 8, num_group=8, pad=(1, 1))
    squeezed = s.conv('s2', s.relu(s.conv('s1', s.global_pool('sg', y), 8, 4, 1), 's1_relu'), 4, 8, 1)
    y = s('broadcast_mul', 'se', y, gate('hard_sigmoid', squeezed))
    y = s('elemwise_mul', 'hard_swish', y, gate('hs', y))
    yield 'mobilenet_v3', s.files(s('elemwise_add', 'sum', s.conv_bn('pw', y, 8, 8, 1, act=False), x)), shape
    s = Net(55)  # RetinaFace: scores of two strides by Reshapes
    c1 = s.conv_bn('c1', s.variable('data'), 3, 8, stride=(4, 4), pad=(1, 1))
    c2 = s.conv_bn('c2', c1, 8, 8, stride=(2, 2), pad=(1, 1))
    up = s('Crop', 'crop', s('UpSampling', 'up', s.conv_bn('l2', c2, 8, 8, 1), scale=2, sample_type='nearest', num_args=1), c1, num_args=2)
    outputs = []
    for name, x in ('s8', c2), ('s4', s('elemwise_add', 'plus', s.conv_bn('l1', c1, 8, 8, 1), up)):
        score = s('SoftmaxActivation', name + '_soft', s('Reshape', name + '_two', s.conv(name + '_cls', x, 8, 4, 1), shape=(0, 2, -1, 0)), mode='channel')
        outputs += [s('Reshape', name + '_prob', score, shape=(0, 4, -1, 0)), s.conv(name + '_bbox', x, 8, 8, 1)]
    yield 'retinaface', s.files(*outputs), shape
    s = Net(56)  # a slice beside a normalisation, whose axes are computed
    d = s.variable('data')
    part = s('L2Normalization', 'l2', s('slice', 'part', d, begin=(0, 0, 1, 0), end=(1, 3, 31, 30), step=(1, 1, 2, 2)), mode='channel')
    normal = s('InstanceNorm', 'normal', d, s.variable('normal_gamma', 3, low=0.5, high=1.5), s.variable('normal_beta', 3), eps=1e-3)
    yield 'branches', s.files(part, normal, s.relu(s.conv('c', d, 3, 4), 'relu'), s.dense('fc', d, 3072, 4)), shape


def write(folder):
    cases = framework_structures.write(folder)
    for name, (prototxt, weights), options in caffe_cases():
        name = 'caffe_more_' + name
        cases[name] = framework_models.save(folder, name, {'model.prototxt': prototxt, 'model.caffemodel': weights}), ['--input_model', 'model.caffemodel', *options]
    for name, ending, data, options in kaldi_cases():
        name = 'kaldi_more_' + name
        cases[name] = framework_models.save(folder, name, {'model.' + ending: data}), ['--input_model', 'model.' + ending, *options]
    for name, (symbol, parameters), options in mxnet_cases():
        name = 'mxnet_more_' + name
        cases[name] = framework_models.save(folder, name, {'model-symbol.json': symbol, 'model-0000.params': parameters}), ['--input_model', 'model-0000.params', *options]
    return cases


if __name__ == '__main__':
    for name, (case, options) in write(sys.argv[1]).items():
        print(name, *options)
