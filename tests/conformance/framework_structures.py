#!/usr/bin/env python3
"""Structures of whole networks of Caffe, Kaldi and MXNet, small: detectors, residual and inverted blocks, recurrent layers.

write(folder) -> as framework_models.write, with that one's networks in front. framework_structures.py DIR writes them all.
"""
import struct
import sys

import framework_models
from framework_models import (Numbers, Symbol, affine, affine1, batch_norm, batch_norm_component, blob, caffe_net, chain, component, conv, dim, field, flag, image, integers, layer,
                              layer_v0, matrix, nnet1, nnet1_component, nnet2, nnet3, nodes, real, tdnn, text, token, vector, whole)

# ---- Caffe -----------------------------------------------------------------------------------------------------------


def scale(r, name, blob_name, c, bias=True):
    t = text(name, 'Scale', blob_name, blob_name, f'scale_param {{ bias_term: {str(bias).lower()} }}')
    return t, layer(name, 'Scale', [blob(r(c, low=0.5, high=1.5))] + ([blob(r(c))] if bias else []))


def dense(r, name, bottom, inp, out, more=''):
    return text(name, 'InnerProduct', bottom, name, f'inner_product_param {{ num_output: {out} {more} }}'), layer(name, 'InnerProduct', [blob(r(out, inp)), blob(r(out))])


def prelu(r, name, blob_name, c):
    return text(name, 'PReLU', blob_name, blob_name), layer(name, 'PReLU', [blob(r(c, low=0.05, high=0.3))])


def relu(blob_name):
    return text('relu_' + blob_name, 'ReLU', blob_name, blob_name)


def conv_bn(r, name, bottom, cin, cout, k=3, more='', after=relu):
    return [conv(r, name, bottom, name, cin, cout, k, more, bias=False), batch_norm(r, 'bn_' + name, cout), scale(r, 'sc_' + name, name, cout), *([after(name)] if after else [])]


def pool(name, bottom, kind, size):
    return text(name, 'Pooling', bottom, name, f'pooling_param {{ pool: {kind} {size} }}')


def ssd_head(r, name, bottom, cin, boxes, classes, prior):
    parts = []
    for part, n in ('loc', 4 * boxes), ('conf', classes * boxes):
        base = f'{name}_{part}'
        parts += [conv(r, base, bottom, base, cin, n, more='pad: 1'), text(base + '_perm', 'Permute', base, base + '_perm', 'permute_param { order: 0 order: 2 order: 3 order: 1 }'),
                  text(base + '_flat', 'Flatten', base + '_perm', base + '_flat', 'flatten_param { axis: 1 }')]
    return parts + [text(name + '_prior', 'PriorBox', bottom + ' data', name + '_prior', f'prior_box_param {{ {prior} variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2 }}')]


def ssd(r):
    first = ssd_head(r, 'a', 'norm', 8, 4, 3, 'min_size: 8 max_size: 16 aspect_ratio: 2 flip: true clip: false step: 4 offset: 0.5')
    second = ssd_head(r, 'b', 'c2', 12, 6, 3, 'min_size: 16 max_size: 24 aspect_ratio: 2 aspect_ratio: 3 flip: true clip: true')
    return caffe_net([
        'name: "ssd"\n', image(3, 32, 32), conv(r, 'c1', 'data', 'c1', 3, 8, more='pad: 1 stride: 2'), relu('c1'), pool('p1', 'c1', 'MAX', 'kernel_size: 2 stride: 2'),
        (text('norm', 'Normalize', 'p1', 'norm', 'norm_param { across_spatial: false scale_filler { type: "constant" value: 20 } channel_shared: false }'),
         layer('norm', 'Normalize', [blob(r(8, low=10, high=20))])), conv(r, 'c2', 'p1', 'c2', 8, 12, more='pad: 1 stride: 2'), relu('c2'), *first, *second,
        text('loc', 'Concat', 'a_loc_flat b_loc_flat', 'loc', 'concat_param { axis: 1 }'), text('conf', 'Concat', 'a_conf_flat b_conf_flat', 'conf', 'concat_param { axis: 1 }'),
        text('prior', 'Concat', 'a_prior b_prior', 'prior', 'concat_param { axis: 2 }'), text('shape', 'Reshape', 'conf', 'shape', 'reshape_param { shape { dim: 0 dim: -1 dim: 3 } }'),
        text('soft', 'Softmax', 'shape', 'soft', 'softmax_param { axis: 2 }'), text('flat', 'Flatten', 'soft', 'flat', 'flatten_param { axis: 1 }'),
        text('detection_out', 'DetectionOutput', 'loc flat prior', 'detection_out',
             'include { phase: TEST } detection_output_param { num_classes: 3 share_location: true background_label_id: 0 nms_param { nms_threshold: 0.45 top_k: 100 } code_type: CENTER_SIZE '
             'keep_top_k: 20 confidence_threshold: 0.3 }')])


RPN = 'feat_stride: 4 base_size: 8 min_size: 4 ratio: 0.5 ratio: 1 ratio: 2 scale: 1 scale: 2 pre_nms_topn: 60 post_nms_topn: 10 nms_thresh: 0.7'


def region_proposals(r, proposal, anchors=6):
    return ['name: "rcnn"\n', image(3, 32, 32), 'layer { name: "im_info" type: "Input" top: "im_info" input_param { shape { dim: 1 dim: 3 } } }\n',
            conv(r, 'c1', 'data', 'c1', 3, 8, more='pad: 1 stride: 2'), relu('c1'), conv(r, 'c2', 'c1', 'c2', 8, 8, more='pad: 1 stride: 2'), relu('c2'),
            conv(r, 'rpn', 'c2', 'rpn', 8, 8, more='pad: 1'), relu('rpn'), conv(r, 'score', 'rpn', 'score', 8, 2 * anchors, 1), conv(r, 'box', 'rpn', 'box', 8, 4 * anchors, 1),
            text('two', 'Reshape', 'score', 'two', 'reshape_param { shape { dim: 0 dim: 2 dim: -1 dim: 0 } }'), text('prob', 'Softmax', 'two', 'prob'),
            text('back', 'Reshape', 'prob', 'back', f'reshape_param {{ shape {{ dim: 0 dim: {2 * anchors} dim: -1 dim: 0 }} }}'), proposal]


def inception(r, name, bottom, cin):
    return [conv(r, name + '1', bottom, name + '1', cin, 4, 1), relu(name + '1'), conv(r, name + '3r', bottom, name + '3r', cin, 3, 1), relu(name + '3r'),
            conv(r, name + '3', name + '3r', name + '3', 3, 4, more='pad: 1'), relu(name + '3'), conv(r, name + '5r', bottom, name + '5r', cin, 2, 1), relu(name + '5r'),
            conv(r, name + '5', name + '5r', name + '5', 2, 4, 5, 'pad: 2'), relu(name + '5'), pool(name + 'p', bottom, 'MAX', 'kernel_size: 3 stride: 1 pad: 1'),
            conv(r, name + 'pp', name + 'p', name + 'pp', cin, 4, 1), relu(name + 'pp'), text(name, 'Concat', f'{name}1 {name}3 {name}5 {name}pp', name)]


def shuffle_unit(r, name, bottom, c):
    half = c // 2
    return [*conv_bn(r, name + 'a', bottom, half, half, 1, 'group: 2'), text(name + 's', 'ShuffleChannel', name + 'a', name + 's', 'shuffle_channel_param { group: 2 }'),
            *conv_bn(r, name + 'd', name + 's', 1, half, 3, f'pad: 1 group: {half}', None), *conv_bn(r, name + 'b', name + 'd', half // 2, c, 1, 'group: 2', None),
            text(name, 'Eltwise', f'{bottom} {name}b', name, 'eltwise_param { operation: SUM }'), relu(name)]


def caffe_cases():
    r = Numbers(21)
    yield 'ssd', ssd(r), []
    pooled = text('roi', 'ROIPooling', 'c2 rois', 'roi', 'roi_pooling_param { pooled_h: 3 pooled_w: 3 spatial_scale: 0.25 }')
    yield 'faster_rcnn', caffe_net(region_proposals(r, text('rois', 'Proposal', 'back box im_info', 'rois', f'proposal_param {{ {RPN} }}')) + [
        pooled, dense(r, 'fc', 'roi', 72, 16), relu('fc'), dense(r, 'cls', 'fc', 16, 4), dense(r, 'reg', 'fc', 16, 16), text('cls_prob', 'Softmax', 'cls', 'cls_prob')]), ['--input', 'data,im_info']
    yield 'faster_rcnn_python', caffe_net(region_proposals(r, text(
        'rois', 'Python', 'back box im_info', 'rois', 'python_param { module: "rpn.proposal_layer" layer: "ProposalLayer" param_str: "\'feat_stride\': 16" }'), 9) + [
            text('roi', 'ROIPooling', 'c2 rois', 'roi', 'roi_pooling_param { pooled_h: 2 pooled_w: 2 spatial_scale: 0.0625 }'), dense(r, 'cls', 'roi', 32, 4)]), []
    yield 'rfcn', caffe_net(region_proposals(r, text('rois', 'Proposal', 'back box im_info', 'rois', f'proposal_param {{ {RPN} }}')) + [
        conv(r, 'maps', 'c2', 'maps', 8, 36, 1), text('ps', 'PSROIPooling', 'maps rois', 'ps', 'psroi_pooling_param { spatial_scale: 0.25 output_dim: 4 group_size: 3 }'),
        pool('ave', 'ps', 'AVE', 'kernel_size: 3 stride: 3'), text('soft', 'Softmax', 'ave', 'soft'), text('cls_prob', 'Reshape', 'soft', 'cls_prob', 'reshape_param { shape { dim: -1 dim: 4 } }')]), []
    yield 'googlenet', caffe_net([
        'name: "GoogLeNet"\ninput: "data"\ninput_shape { dim: 1 dim: 3 dim: 28 dim: 28 }\n', conv(r, 'c1', 'data', 'c1', 3, 8, 7, 'pad: 3 stride: 2'), relu('c1'),
        pool('p1', 'c1', 'MAX', 'kernel_size: 3 stride: 2'), text('n1', 'LRN', 'p1', 'n1', 'lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }'), *inception(r, 'i1', 'n1', 8),
        *inception(r, 'i2', 'i1', 16), text('n2', 'LRN', 'i2', 'n2', 'lrn_param { local_size: 3 alpha: 0.001 beta: 0.75 norm_region: WITHIN_CHANNEL }'),
        pool('p2', 'n2', 'AVE', 'kernel_size: 7 stride: 1'), text('drop', 'Dropout', 'p2', 'p2', 'dropout_param { dropout_ratio: 0.4 }'), dense(r, 'fc', 'p2', 16, 5), text('prob', 'Softmax', 'fc', 'prob')]), \
        ['--mean_values', 'data[104,117,123]', '--reverse_input_channels']
    yield 'shufflenet', caffe_net([
        image(3, 24, 24), *conv_bn(r, 'c1', 'data', 3, 8, 3, 'pad: 1 stride: 2'), pool('p1', 'c1', 'MAX', 'kernel_size: 3 stride: 2'), *shuffle_unit(r, 'u1', 'p1', 8), *shuffle_unit(r, 'u2', 'u1', 8),
        pool('short', 'u2', 'AVE', 'kernel_size: 3 stride: 2'), *conv_bn(r, 'down', 'u2', 1, 8, 3, 'pad: 1 stride: 2 group: 8', None), text('join', 'Concat', 'short down', 'join'), relu('join'),
        pool('gap', 'join', 'AVE', 'global_pooling: true'), dense(r, 'fc', 'gap', 16, 4)]), []
    enet_conv = [conv(r, 'e1', 'p0', 'e1', 8, 4, 1), prelu(r, 'e1r', 'e1', 4),
                 (text('e2', 'Convolution', 'e1', 'e2', 'convolution_param { num_output: 4 kernel_h: 5 kernel_w: 1 pad_h: 2 pad_w: 0 bias_term: false }'), layer('e2', 'Convolution', [blob(r(4, 4, 5, 1))])),
                 (text('e3', 'Convolution', 'e2', 'e3', 'convolution_param { num_output: 4 kernel_h: 1 kernel_w: 5 pad_h: 0 pad_w: 2 }'), layer('e3', 'Convolution', [blob(r(4, 4, 1, 5)), blob(r(4))])),
                 conv(r, 'e4', 'e3', 'e4', 4, 4, 3, 'pad: 2 dilation: 2'), prelu(r, 'e4r', 'e4', 4), conv(r, 'e5', 'e4', 'e5', 4, 8, 1)]
    yield 'enet', caffe_net([
        image(3, 24, 24), conv(r, 'c0', 'data', 'c0', 3, 5, 3, 'pad: 1 stride: 2'), pool('m0', 'data', 'MAX', 'kernel_size: 2 stride: 2'), text('p0', 'Concat', 'c0 m0', 'p0'), *enet_conv,
        text('sum', 'Eltwise', 'p0 e5', 'sum', 'eltwise_param { operation: SUM coeff: 1 coeff: 1 }'), prelu(r, 'sumr', 'sum', 8),
        (text('up', 'Deconvolution', 'sum', 'up', 'convolution_param { num_output: 4 kernel_size: 2 stride: 2 }'), layer('up', 'Deconvolution', [blob(r(8, 4, 2, 2)), blob(r(4))])),
        text('pred', 'Softmax', 'up', 'pred')]), []
    yield 'yolo', caffe_net([
        image(3, 24, 24), *conv_bn(r, 'c1', 'data', 3, 8, 3, 'pad: 1', lambda n: text('lr_' + n, 'ReLU', n, n, 'relu_param { negative_slope: 0.1 }')), pool('p1', 'c1', 'MAX', 'kernel_size: 2 stride: 2'),
        text('pass', 'ReorgYolo', 'p1', 'pass', 'reorg_yolo_param { stride: 2 }'), pool('p2', 'p1', 'MAX', 'kernel_size: 2 stride: 2'), text('cat', 'Concat', 'pass p2', 'cat'),
        conv(r, 'last', 'cat', 'last', 40, 16, 1),
        text('region', 'RegionYolo', 'last', 'region', 'region_yolo_param { coords: 4 classes: 3 num: 2 do_softmax: true anchors: 1.3 anchors: 1.7 anchors: 3.2 anchors: 4.0 }')]), []
    yield 'mobilenet_v2', caffe_net([
        image(3, 24, 24), *conv_bn(r, 'c1', 'data', 3, 8, 3, 'pad: 1 stride: 2'), *conv_bn(r, 'x1', 'c1', 8, 16, 1), *conv_bn(r, 'd1', 'x1', 1, 16, 3, 'pad: 1 group: 16'),
        *conv_bn(r, 'l1', 'd1', 16, 8, 1, '', None), text('sum', 'Eltwise', 'c1 l1', 'sum'), *conv_bn(r, 'd2', 'sum', 1, 8, 3, 'pad: 1 stride: 2 group: 8'), *conv_bn(r, 'l2', 'd2', 8, 10, 1, '', None),
        conv(r, 'fc7', 'l2', 'fc7', 10, 5, 1), pool('gap', 'fc7', 'AVE', 'global_pooling: true'), text('prob', 'Softmax', 'gap', 'prob')]), \
        ['--mean_values', '[103.94,116.78,123.68]', '--scale', '58.8', '--data_type', 'FP16']
    yield 'senet', caffe_net([
        image(3, 16, 16), conv(r, 'c1', 'data', 'c1', 3, 8, more='pad: 1'), relu('c1'), conv(r, 'c2', 'c1', 'c2', 8, 8, more='pad: 1'), pool('gap', 'c2', 'AVE', 'global_pooling: true'),
        conv(r, 'down', 'gap', 'down', 8, 2, 1), relu('down'), conv(r, 'up', 'down', 'up', 2, 8, 1), text('gate', 'Sigmoid', 'up', 'gate'), text('axpy', 'Axpy', 'gate c2 c1', 'axpy'), relu('axpy'),
        pool('gap2', 'axpy', 'AVE', 'global_pooling: true'), dense(r, 's1', 'gap2', 8, 8), text('s2', 'Sigmoid', 's1', 's2'), text('gated', 'Scale', 'axpy s2', 'gated', 'scale_param { axis: 0 }')]), []
    yield 'deeplab', caffe_net([
        image(3, 17, 17), conv(r, 'c1', 'data', 'c1', 3, 6, 3, 'pad: 1 stride: 2'), relu('c1'), conv(r, 'c2', 'c1', 'c2', 6, 6, 3, 'pad: 2 dilation: 2'), relu('c2'),
        conv(r, 'c3', 'c2', 'c3', 6, 6, 3, 'pad: 4 dilation: 4'), relu('c3'), text('both', 'Eltwise', 'c2 c3', 'both', 'eltwise_param { operation: MAX }'), conv(r, 'fc8', 'both', 'fc8', 6, 4, 1),
        pool('shrink', 'data', 'AVE', 'kernel_size: 3 stride: 3'), text('up', 'Interp', 'fc8', 'up', 'interp_param { zoom_factor: 2 }'),
        text('like', 'Interp', 'fc8 shrink', 'like', '')]), []
    yield 'fcn', caffe_net([
        image(3, 20, 20), conv(r, 'c1', 'data', 'c1', 3, 8, 3, 'pad: 4'), relu('c1'), pool('p1', 'c1', 'MAX', 'kernel_size: 2 stride: 2'), conv(r, 'c2', 'p1', 'c2', 8, 8, more='pad: 1'), relu('c2'),
        pool('p2', 'c2', 'MAX', 'kernel_size: 2 stride: 2'), conv(r, 'score', 'p2', 'score', 8, 4, 1),
        (text('up2', 'Deconvolution', 'score', 'up2', 'convolution_param { num_output: 4 kernel_size: 4 stride: 2 bias_term: false }'), layer('up2', 'Deconvolution', [blob(r(4, 4, 4, 4))])),
        conv(r, 'score1', 'p1', 'score1', 8, 4, 1), text('crop', 'Crop', 'up2 score1', 'crop', 'crop_param { axis: 2 offset: 1 }'), text('fuse', 'Eltwise', 'crop score1', 'fuse', 'eltwise_param { operation: SUM }'),
        (text('up4', 'Deconvolution', 'fuse', 'up4', 'convolution_param { num_output: 4 kernel_size: 4 stride: 2 group: 4 bias_term: false }'), layer('up4', 'Deconvolution', [blob(r(4, 1, 4, 4))])),
        text('out', 'Crop', 'up4 data', 'out', 'crop_param { axis: 2 offset: 3 offset: 2 }')]), []
    yield 'pnet', caffe_net([
        'name: "PNet"\ninput: "data"\ninput_dim: 1\ninput_dim: 3\ninput_dim: 22\ninput_dim: 26\n', conv(r, 'conv1', 'data', 'conv1', 3, 10), prelu(r, 'PReLU1', 'conv1', 10),
        pool('pool1', 'conv1', 'MAX', 'kernel_size: 2 stride: 2'), conv(r, 'conv2', 'pool1', 'conv2', 10, 16), prelu(r, 'PReLU2', 'conv2', 16), conv(r, 'conv4-1', 'conv2', 'conv4-1', 16, 2, 1),
        conv(r, 'conv4-2', 'conv2', 'conv4-2', 16, 4, 1), text('prob1', 'Softmax', 'conv4-1', 'prob1')]), ['--mean_values', '[127.5,127.5,127.5]', '--scale', '128']
    yield 'bare_norms', caffe_net([
        image(4, 10, 10), batch_norm(r, 'bn_data', 4), conv(r, 'c1', 'data', 'c1', 4, 6), scale(r, 'sc1', 'c1', 6, bias=False), text('t', 'TanH', 'c1', 't'),
        (text('bias', 'Bias', 't', 'b', 'bias_param { axis: 1 }'), layer('bias', 'Bias', [blob(r(6))])), text('mvn', 'MVN', 'b', 'm', 'mvn_param { normalize_variance: true across_channels: false }'),
        dense(r, 'fc', 'm', 384, 6), batch_norm(r, 'bn_fc', 6), scale(r, 'sc_fc', 'fc', 6)]), []
    yield 'shapes', caffe_net([
        image(8, 6, 6), text('slice', 'Slice', 'data', 's1 s2 s3', 'slice_param { axis: 1 slice_point: 2 slice_point: 5 }'), text('cat', 'Concat', 's3 s1 s2', 'cat', 'concat_param { concat_dim: 1 }'),
        text('rs', 'Reshape', 'cat', 'rs', 'reshape_param { shape { dim: 0 dim: 4 dim: -1 dim: 6 dim: 6 } }'), text('pm', 'Permute', 'rs', 'pm', 'permute_param { order: 0 order: 2 order: 1 order: 3 order: 4 }'),
        text('rb', 'Reshape', 'pm', 'rb', 'reshape_param { shape { dim: 0 dim: -1 dim: 6 dim: 6 } }'), text('tile', 'Tile', 'rb', 'tile', 'tile_param { axis: 1 tiles: 2 }'),
        text('pw', 'Power', 'tile', 'pw', 'power_param { power: 2 scale: 0.5 shift: 1 }'), pool('odd', 'pw', 'AVE', 'kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 0'),
        text('fl', 'Flatten', 'odd', 'fl', 'flatten_param { axis: 2 end_axis: 3 }'), text('sm', 'Softmax', 'fl', 'sm', 'softmax_param { axis: 2 }')]), []
    v0 = ('name: "V0"\ninput: "data" input_dim: 1 input_dim: 3 input_dim: 12 input_dim: 12\n'
          'layers { layer { name: "conv1" type: "conv" num_output: 4 kernelsize: 3 stride: 2 pad: 1 biasterm: true } bottom: "data" top: "conv1" }\n'
          'layers { layer { name: "relu1" type: "relu" } bottom: "conv1" top: "conv1" }\n'
          'layers { layer { name: "pool1" type: "pool" pool: MAX kernelsize: 2 stride: 2 } bottom: "conv1" top: "pool1" }\n'
          'layers { layer { name: "fc" type: "innerproduct" num_output: 3 } bottom: "pool1" top: "fc" }\nlayers { layer { name: "prob" type: "softmax" } bottom: "fc" top: "prob" }\n')
    yield 'v0_layers', (v0, layer_v0('conv1', 'conv', [blob(r(4, 3, 3, 3), legacy=True), blob(r(4), legacy=True)]) +
                        layer_v0('fc', 'innerproduct', [blob(r(3, 36), legacy=True), blob(r(3), legacy=True)])), []
    yield 'last_layers', caffe_net(last_layers(r)), []
    mean = field(5, r(3 * 14 * 12, low=90, high=130).tobytes())
    mean = b'\x08\x01\x10\x03\x18\x0e\x20\x0c' + mean
    yield 'mean_centre', caffe_net([image(3, 10, 10), conv(r, 'c1', 'data', 'c1', 3, 5, more='pad: 1'), relu('c1'), dense(r, 'fc', 'c1', 500, 3)]), ['--mean_file', 'mean.binaryproto'], \
        {'mean.binaryproto': mean}
    yield 'two_inputs', caffe_net([
        'input: "left" input_shape { dim: 1 dim: 3 dim: 12 dim: 12 }\ninput: "right" input_shape { dim: 1 dim: 3 dim: 12 dim: 12 }\n', conv(r, 'l', 'left', 'l', 3, 6, more='pad: 1'),
        conv(r, 'r', 'right', 'r', 3, 6, more='pad: 1'), text('dot', 'Eltwise', 'l r', 'dot', 'eltwise_param { operation: PROD }'),
        text('diff', 'Eltwise', 'l r', 'diff', 'eltwise_param { operation: SUM coeff: 1 coeff: -1 }'), text('cat', 'Concat', 'dot diff', 'cat')]), ['--output', 'cat']


def lstm_projected(r, out, inp, cells, kind='LstmProjectedStreams'):
    return nnet1_component(kind, out, inp, token('CellClip'), real(40), token('LearnRateCoef'), real(1), token('BiasLearnRateCoef'), real(1), matrix(r(4 * cells, inp)), matrix(r(4 * cells, out)),
                           vector(r(4 * cells)), vector(r(cells)), vector(r(cells)), vector(r(cells)), matrix(r(out, cells)))


def natural(r, out, inp, name):
    return affine(r, out, inp, name, 'NaturalGradientAffineComponent')


def linear(r, out, inp, name):
    return component('LinearComponent', token('Params'), matrix(r(out, inp)), name=name)


def factorised(r, name, width, narrow, left, right):
    """Lines and components of a factorised TDNN layer: narrow, wide, with a bypass of its input."""
    lines = [f'component-node name={name}.linear component={name}.linear input=Append(Offset(PREVIOUS, {left}), PREVIOUS)',
             f'component-node name={name}.affine component={name}.affine input=Append({name}.linear, Offset({name}.linear, {right}))',
             f'component-node name={name}.relu component={name}.relu input={name}.affine', f'component-node name={name}.batchnorm component={name}.batchnorm input={name}.relu',
             f'component-node name={name}.noop component={name}.noop input=Sum(Scale(0.66, PREVIOUS), {name}.batchnorm)']
    parts = [linear(r, narrow, 2 * width, name + '.linear'), natural(r, width, 2 * narrow, name + '.affine'), dim('RectifiedLinearComponent', width, name + '.relu'),
             batch_norm_component(r, width, name + '.batchnorm'), dim('NoOpComponent', width, name + '.noop')]
    return lines, parts


def last_layers(r):
    """Layers whose result has a name of its own where it is the network's."""
    gap = pool('gap', 'x', 'AVE', 'global_pooling: true')
    sums = [text('e_sub', 'Eltwise', 'x data', 'e_sub', 'eltwise_param { operation: SUM coeff: 2 coeff: -1 }'), text('e_sum', 'Eltwise', 'x data t', 'e_sum', 'eltwise_param { operation: SUM }'),
            text('e_max', 'Eltwise', 'x data t', 'e_max', 'eltwise_param { operation: MAX }'), text('e_mul', 'Eltwise', 'x data t', 'e_mul', 'eltwise_param { operation: PROD }')]
    return [image(6, 10, 10), conv(r, 'x', 'data', 'x', 6, 6, 1), text('t', 'TanH', 'x', 't'), gap, *sums, text('s2', 'Scale', 't gap', 's2', 'scale_param { axis: 0 }'),
            text('axpy', 'Axpy', 'gap x data', 'axpy'), (text('bias', 'Bias', 'x', 'bias'), layer('bias', 'Bias', [blob(r(6))])),
            text('mvn', 'MVN', 't', 'mvn', 'mvn_param { across_channels: true }'),
            text('near', 'Resample', 't', 'near', 'resample_param { type: NEAREST factor: 2 }'), text('power', 'Power', 't', 'power', 'power_param { power: 2 scale: 0.5 shift: 1 }')]


def kaldi_cases():
    r = Numbers(22)
    raw = ['--framework', 'kaldi']
    yield 'nnet1_lstm', 'nnet', nnet1(nnet1_component('AddShift', 8, 8, token('LearnRateCoef'), real(0), vector(r(8))), lstm_projected(r, 6, 8, 10), affine1(r, 5, 6), nnet1_component('Softmax', 5, 5)), \
        ['--remove_memory']
    yield 'nnet1_two_lstm', 'nnet', nnet1(lstm_projected(r, 6, 8, 10, 'LstmProjected'), lstm_projected(r, 4, 6, 7), affine1(r, 5, 4), nnet1_component('Sigmoid', 5, 5)), ['--remove_memory']
    yield 'nnet1_convolution', 'nnet', nnet1(
        nnet1_component('ConvolutionalComponent', 24, 30, token('PatchDim'), whole(3), token('PatchStep'), whole(1), token('PatchStride'), whole(10), token('LearnRateCoef'), real(1),
                        token('BiasLearnRateCoef'), real(1), token('MaxNorm'), real(0), token('Filters'), matrix(r(3, 9)), token('Bias'), vector(r(3))),
        nnet1_component('MaxPoolingComponent', 12, 24, token('PoolSize'), whole(2), token('PoolStep'), whole(2), token('PoolStride'), whole(3)), affine1(r, 5, 12),
        nnet1_component('Softmax', 5, 5)), []
    yield 'nnet1_splice', 'nnet', nnet1(
        nnet1_component('Splice', 18, 6, integers([-1, 0, 1])), nnet1_component('Rescale', 18, 18, token('LearnRateCoef'), real(0), vector(r(18))), affine1(r, 8, 18), nnet1_component('Tanh', 8, 8),
        nnet1_component('Copy', 6, 8, integers([1, 3, 5, 7, 8, 2])), affine1(r, 4, 6)), ['--remove_memory']
    yield 'nnet1_parallel', 'nnet', nnet1(
        affine1(r, 12, 8), nnet1_component('ParallelComponent', 7, 12, token('NestedNnetCount'), whole(2),
                                           token('NestedNnet'), whole(1), token('Nnet'), affine1(r, 4, 6), nnet1_component('Sigmoid', 4, 4), token('/Nnet'),
                                           token('NestedNnet'), whole(2), token('Nnet'), affine1(r, 3, 6), nnet1_component('Sigmoid', 3, 3), token('/Nnet'), token('/ParallelComponent')),
        affine1(r, 5, 7)), []
    yield 'nnet2_splice_constant', 'mdl', nnet2(
        component('SpliceComponent', token('InputDim'), whole(7), token('LeftContext'), whole(1), token('RightContext'), whole(1), token('ConstComponentDim'), whole(3)), affine(r, 8, 15),
        dim('SigmoidComponent', 8), affine(r, 4, 8), dim('SoftmaxComponent', 4)), ['--remove_memory']
    first_scale = component('FixedScaleComponent', token('InputDim'), whole(20), token('Scales'), vector(r(20, low=0.5, high=1.5)))
    yield 'nnet2_convolution', 'mdl', nnet2(
        first_scale, component('Convolutional1dComponent', token('LearningRate'), real(0.1), token('PatchDim'), whole(4), token('PatchStep'), whole(2), token('PatchStride'), whole(10), token('FilterParams'),
                  matrix(r(3, 8)), token('BiasParams'), vector(r(3)), token('IsGradient'), flag(False)), dim('RectifiedLinearComponent', 12),
        component('MaxpoolingComponent', token('InputDim'), whole(12), token('OutputDim'), whole(6), token('PoolSize'), whole(2), token('PoolStride'), whole(3)), affine(r, 5, 6),
        dim('SoftmaxComponent', 5)), []
    yield 'nnet2_counts', 'mdl', nnet2(component('FixedScaleComponent', token('InputDim'), whole(6), token('Scales'), vector(r(6))), affine(r, 8, 6, kind='AffineComponentPreconditionedOnline'), dim('TanhComponent', 8), affine(r, 4, 8), dim('SoftmaxComponent', 4)), ['--counts', 'counts.txt'], \
        {'counts.txt': ' [ 12.5 0 3 480 ]\n'}
    first, second = factorised(r, 'f2', 8, 3, -1, 1), factorised(r, 'f3', 8, 3, -3, 3)
    yield 'nnet3_tdnn_f', 'raw', nnet3(
        nodes('input-node name=input dim=6', 'component-node name=f1 component=f1 input=input', 'component-node name=f1r component=f1r input=f1', *(x.replace('PREVIOUS', 'f1r') for x in first[0]),
              *(x.replace('PREVIOUS', 'f2.noop') for x in second[0]), 'component-node name=pre component=pre input=f3.noop', 'output-node name=output input=pre objective=linear'),
        natural(r, 8, 6, 'f1'), dim('RectifiedLinearComponent', 8, 'f1r'), *first[1], *second[1], linear(r, 4, 8, 'pre')), [*raw, '--remove_memory']
    yield 'nnet3_ivector', 'raw', nnet3(
        nodes('input-node name=ivector dim=3', 'input-node name=input dim=5',
              'component-node name=lda component=lda input=Append(Offset(input, -1), input, Offset(input, 1), ReplaceIndex(ivector, t, 0))', *chain('t1', 't1r', 't2', first='lda')),
        component('FixedAffineComponent', token('LinearParams'), matrix(r(18, 18)), token('BiasParams'), vector(r(18)), name='lda'), natural(r, 8, 18, 't1'), dim('RectifiedLinearComponent', 8, 't1r'),
        natural(r, 4, 8, 't2')), [*raw, '--remove_memory']
    yield 'nnet3_lstm', 'raw', nnet3(
        nodes('input-node name=input dim=5', 'component-node name=W_all component=W_all input=Append(input, IfDefined(Offset(r_trunc, -1)))',
              'component-node name=lstm_nonlin component=lstm_nonlin input=Append(W_all, IfDefined(Offset(c_trunc, -1)))', 'dim-range-node name=c input-node=lstm_nonlin dim-offset=0 dim=4',
              'dim-range-node name=m input-node=lstm_nonlin dim-offset=4 dim=4', 'component-node name=rp component=rp input=m', 'dim-range-node name=r input-node=rp dim-offset=0 dim=3',
              'component-node name=c_trunc component=c_trunc input=c', 'component-node name=r_trunc component=r_trunc input=r', 'component-node name=o component=o input=rp',
              'output-node name=output input=o objective=linear'),
        natural(r, 16, 8, 'W_all'), component('LstmNonlinearityComponent', token('MaxChange'), real(0.75), token('LearningRate'), real(0.001), token('Params'), matrix(r(3, 4)), name='lstm_nonlin'),
        natural(r, 6, 4, 'rp'), component('BackpropTruncationComponent', token('Dim'), whole(4), token('Scale'), real(1), token('ClippingThreshold'), real(30), name='c_trunc'),
        component('BackpropTruncationComponent', token('Dim'), whole(3), token('Scale'), real(1), token('ClippingThreshold'), real(30), name='r_trunc'), natural(r, 4, 6, 'o')), \
        [*raw, '--remove_memory']
    yield 'nnet3_convolution', 'raw', nnet3(
        nodes('input-node name=input dim=12', *chain('cnn1', 'cnn1r', 'cnn1bn', 'o')),
        component('TimeHeightConvolutionComponent', token('MaxChange'), real(0.75), token('LearningRate'), real(0.001), token('ConvolutionModel'), token('NumFiltersIn'), whole(2), token('NumFiltersOut'), whole(3), token('HeightIn'),
                  whole(6), token('HeightOut'), whole(6), token('HeightSubsampleOut'), whole(1), token('Offsets'), whole(9) + b''.join(np_pair(t, h) for t in (-1, 0, 1) for h in (-1, 0, 1)),
                  token('RequiredTimeOffsets'), integers([-1, 0, 1]), token('/ConvolutionModel'), token('LinearParams'), matrix(r(3, 18)), token('BiasParams'), vector(r(3)), name='cnn1'),
        dim('RectifiedLinearComponent', 18, 'cnn1r'), batch_norm_component(r, 3, 'cnn1bn').replace(token('Dim') + whole(3), token('Dim') + whole(18)), natural(r, 4, 18, 'o')), [*raw, '--remove_memory']
    yield 'nnet3_two_outputs', 'raw', nnet3(
        nodes('input-node name=input dim=6', 'component-node name=a component=a input=input', 'component-node name=ar component=ar input=a', 'component-node name=out component=out input=ar',
              'output-node name=output input=out objective=linear', 'component-node name=xent component=xent input=ar', 'component-node name=lsm component=lsm input=xent',
              'output-node name=output-xent input=lsm objective=linear'), natural(r, 8, 6, 'a'), dim('RectifiedLinearComponent', 8, 'ar'), natural(r, 4, 8, 'out'), natural(r, 4, 8, 'xent'),
        dim('LogSoftmaxComponent', 4, 'lsm')), raw
    yield 'nnet3_product', 'mdl', nnet3(
        nodes('input-node name=input dim=6', *chain('a', 'p', 's', 'n', 'o')), natural(r, 10, 6, 'a'),
        component('ElementwiseProductComponent', token('InputDim'), whole(10), token('OutputDim'), whole(5), name='p'), dim('TanhComponent', 5, 's'),
        component('NormalizeComponent', token('Dim'), whole(5), token('TargetRms'), real(0.5), token('AddLogStddev'), flag(False), name='n'),
        component('FixedScaleComponent', token('Scales'), vector(r(5, low=0.5, high=2)), name='o')).replace(b'\0B', b'\0B' + token('TransitionModel') + token('/TransitionModel'), 1), []
    yield 'nnet3_counts', 'raw', nnet3(nodes('input-node name=input dim=6', *chain('a', 'r', 'o', 'l')), natural(r, 8, 6, 'a'), dim('RectifiedLinearComponent', 8, 'r'), natural(r, 4, 8, 'o'),
                                       dim('LogSoftmaxComponent', 4, 'l')), [*raw, '--counts', 'counts.txt', '--remove_output_softmax'], {'counts.txt': '[ 1 20 300 4000 ]'}
    yield 'nnet3_deep_tdnn', 'raw', nnet3(
        nodes('input-node name=input dim=5', *chain('t1', 't1r', 't1b', 't2', 't2r', 't2b', 't3', 'l')), tdnn(r, 8, 5, [-2, -1, 0, 1, 2], 't1'), dim('RectifiedLinearComponent', 8, 't1r'),
        batch_norm_component(r, 8, 't1b'), tdnn(r, 8, 8, [-1, 2], 't2'), dim('RectifiedLinearComponent', 8, 't2r'), batch_norm_component(r, 8, 't2b'), tdnn(r, 4, 8, [-3, 3], 't3'),
        dim('LogSoftmaxComponent', 4, 'l')), [*raw, '--remove_memory']


def np_pair(t, h):
    return struct.pack('<ii', t, h)


class Net(Symbol):
    """With the blocks that Gluon exports."""

    def relu(self, x, name):
        return self('Activation', name, x, act_type='relu')

    def conv_bn(self, name, x, cin, cout, k=3, act=True, **more):
        y = self.batch_norm(name + '_bn', self.conv(name, x, cin, cout, k, bias=False, **more), cout)
        return self.relu(y, name + '_relu') if act else y

    def pool(self, name, x, k, s, kind='max', **more):
        return self('Pooling', name, x, kernel=(k, k), stride=(s, s), pool_type=kind, **more)

    def global_pool(self, name, x, kind='avg'):
        return self('Pooling', name, x, kernel=(1, 1), global_pool=True, pool_type=kind, pooling_convention='valid', count_include_pad=True)

    def rnn(self, name, x, inp, hidden, mode, layers=1, both=False):
        gates, d = {'lstm': 4, 'gru': 3}.get(mode, 1), 2 if both else 1
        count = sum(d * gates * hidden * ((inp if i == 0 else d * hidden) + hidden + 2) for i in range(layers))
        states = [self.variable(f'{name}_h{i}', layers * d, 1, hidden) for i in range(2 if mode == 'lstm' else 1)]
        more = dict(bidirectional=True) if both else {}
        return self('RNN', name, x, self.variable(name + '_rnn_param', count), *states, mode=mode, num_layers=layers, state_size=hidden, p=0.0, state_outputs=True, **more)


def mxnet_cases():
    shape = lambda *d: ['--input_shape', '[' + ','.join(map(str, d)) + ']']
    s = Net(31)  # ResNet v2: normalised data, bottlenecks
    x = s.batch_norm('bn_data', s.variable('data'), 3, fix_gamma=True)
    x = s.pool('pool0', s.relu(s.batch_norm('bn0', s.conv('conv0', x, 3, 8, bias=False, pad=(1, 1), stride=(2, 2)), 8), 'relu0'), 3, 2, pad=(1, 1))
    a = s.relu(s.batch_norm('u_bn1', x, 8), 'u_relu1')
    b = s.relu(s.batch_norm('u_bn2', s.conv('u_conv1', a, 8, 4, 1, bias=False), 4), 'u_relu2')
    b = s.relu(s.batch_norm('u_bn3', s.conv('u_conv2', b, 4, 4, bias=False, pad=(1, 1), stride=(2, 2)), 4), 'u_relu3')
    b = s.conv('u_conv3', b, 4, 16, 1, bias=False)
    x = s('elemwise_add', 'u_plus', b, s.conv('u_sc', a, 8, 16, 1, bias=False, stride=(2, 2)))
    x = s.global_pool('pool1', s.relu(s.batch_norm('bn1', x, 16), 'relu1'))
    yield 'resnet_v2', s.files(s('SoftmaxOutput', 'softmax', s.dense('fc1', s('Flatten', 'flatten0', x), 16, 5), s.variable('softmax_label'))), shape(1, 3, 32, 32)
    s = Net(32)  # MobileNet v2
    six = lambda x, n: s('clip', n, x, a_min=0.0, a_max=6.0)
    x = six(s.conv_bn('c0', s.variable('data'), 3, 8, act=False, pad=(1, 1), stride=(2, 2)), 'r0')
    y = six(s.conv_bn('e1', x, 8, 24, 1, act=False), 'r1')
    y = six(s.conv_bn('d1', y, 24, 24, act=False, pad=(1, 1), num_group=24), 'r2')
    x = s('elemwise_add', 'add1', s.conv_bn('l1', y, 24, 8, 1, act=False), x)
    x = s.conv('pred', s.global_pool('gap', six(s.conv_bn('last', x, 8, 16, 1, act=False), 'r3')), 16, 5, 1, bias=False)
    yield 'mobilenet_v2', s.files(s('Flatten', 'flat', x)), shape(1, 3, 24, 24) + ['--mean_values', '[123.68,116.78,103.94]', '--scale_values', '[58.4,57.12,57.38]', '--data_type', 'FP16']
    s = Net(33)  # DenseNet
    x = s.pool('p0', s.conv_bn('c0', s.variable('data'), 3, 8, pad=(3, 3), k=7, stride=(2, 2)), 3, 2, pad=(1, 1))
    c = 8
    for i in range(2):
        y = s.conv(f'd{i}a', s.relu(s.batch_norm(f'd{i}bn1', x, c), f'd{i}r1'), c, 16, 1, bias=False)
        y = s.conv(f'd{i}b', s.relu(s.batch_norm(f'd{i}bn2', y, 16), f'd{i}r2'), 16, 4, bias=False, pad=(1, 1))
        x, c = s('Concat', f'd{i}cat', x, y, dim=1, num_args=2), c + 4
    x = s.pool('tp', s.conv('tc', s.relu(s.batch_norm('tbn', x, c), 'tr'), c, 8, 1, bias=False), 2, 2, 'avg')
    yield 'densenet', s.files(s.dense('fc', s('Flatten', 'flat', s.pool('gp', x, 4, 4, 'avg')), 8, 5)), shape(1, 3, 32, 32)
    s = Net(34)  # SqueezeNet
    x = s.pool('p1', s.relu(s.conv('c1', s.variable('data'), 3, 8, stride=(2, 2)), 'r1'), 3, 2, pooling_convention='full')
    q = s.relu(s.conv('f2s', x, 8, 4, 1), 'f2sr')
    x = s('Concat', 'f2', s.relu(s.conv('f2e1', q, 4, 6, 1), 'f2e1r'), s.relu(s.conv('f2e3', q, 4, 6, pad=(1, 1)), 'f2e3r'), dim=1, num_args=2)
    x = s.relu(s.conv('c10', s('Dropout', 'drop', x, p=0.5), 12, 5, 1), 'r10')
    yield 'squeezenet', s.files(s('SoftmaxActivation', 'prob', s('Flatten', 'flat', s.global_pool('gp', x)))), shape(1, 3, 28, 28)
    s = Net(35)  # squeeze and excitation
    x = s.conv_bn('c1', s.variable('data'), 3, 8, pad=(1, 1))
    g = s.dense('fc2', s.relu(s.dense('fc1', s('Flatten', 'fl', s.global_pool('gp', x)), 8, 4), 'fr'), 4, 8)
    g = s('Reshape', 'rs', s('Activation', 'sg', g, act_type='sigmoid'), shape=(-1, 8, 1, 1))
    y = s('broadcast_mul', 'gate', x, g)
    g2 = s('Activation', 'sg2', s.conv('g2', s.global_pool('gp2', y), 8, 8, 1), act_type='sigmoid')
    yield 'senet', s.files(s('broadcast_add', 'sum', s('broadcast_mul', 'gate2', y, g2), x)), shape(1, 3, 16, 16)
    s = Net(36)  # ShuffleNet
    x = s.conv_bn('c1', s.variable('data'), 3, 8, pad=(1, 1), stride=(2, 2))
    y = s.conv_bn('g1', x, 8, 8, 1, num_group=2)
    y = s('Reshape', 'sh1', y, shape=(0, -4, 2, -1, -2))
    y = s('Reshape', 'sh2', s('SwapAxis', 'sw', y, dim1=1, dim2=2), shape=(0, -3, -2))
    y = s.conv_bn('dw', y, 8, 8, act=False, pad=(1, 1), stride=(2, 2), num_group=8)
    x = s('Concat', 'cat', s.pool('ap', x, 3, 2, 'avg', pad=(1, 1)), s.conv_bn('g2', y, 8, 8, 1, act=False, num_group=2), dim=1, num_args=2)
    yield 'shufflenet', s.files(s.relu(x, 'out')), shape(1, 3, 16, 16)
    s = Net(37)  # SSD of the examples
    x = s.relu(s.conv('c1', s.variable('data'), 3, 8, pad=(1, 1), stride=(2, 2)), 'r1')
    y = s.relu(s.conv('c2', x, 8, 8, pad=(1, 1), stride=(2, 2)), 'r2')
    x = s('L2Normalization', 'l2', x, mode='channel')
    locs, confs, priors = [], [], []
    for name, f, sizes, ratios in ('a', x, (0.1, 0.2), (1, 2, 0.5)), ('b', y, (0.4, 0.5), (1, 2, 0.5, 3, 0.333)):
        n = len(sizes) + len(ratios) - 1
        for out, kind, k in (locs, 'loc', 4), (confs, 'cls', 3):
            t = s('transpose', f'{name}_{kind}_t', s.conv(f'{name}_{kind}', f, 8, n * k, pad=(1, 1)), axes=(0, 2, 3, 1))
            out.append(s('Flatten', f'{name}_{kind}_f', t))
        priors.append(s('Flatten', f'{name}_pf', s('_contrib_MultiBoxPrior', f'{name}_prior', f, sizes=sizes, ratios=ratios, clip=False, steps=(-1.0, -1.0), offsets=(0.5, 0.5))))
    loc, conf = (s('Concat', n, *v, dim=1, num_args=2) for n, v in (('loc', locs), ('conf', confs)))
    anchors = s('Reshape', 'anchors', s('Concat', 'priors', *priors, dim=1, num_args=2), shape=(0, -1, 4))
    conf = s('transpose', 'conf_t', s('Reshape', 'conf_r', conf, shape=(0, -1, 3)), axes=(0, 2, 1))
    prob = s('SoftmaxActivation', 'prob', conf, mode='channel')
    yield 'ssd', s.files(s('_contrib_MultiBoxDetection', 'detection', prob, loc, anchors, nms_threshold=0.5, force_suppress=False, variances=(0.1, 0.1, 0.2, 0.2), nms_topk=400)), shape(1, 3, 32, 32)
    s = Net(38)
    x = s.conv('c1', s.variable('data'), 3, 4, 1)
    x = s('InstanceNorm', 'in', x, s.variable('g', 4, low=0.5, high=1.5), s.variable('b', 4), eps=1e-5)
    x = s('LeakyReLU', 'pr', x, s.variable('pr_gamma', 4), act_type='prelu')
    x = s('Pad', 'pad', x, mode='reflect', pad_width=(0, 0, 0, 0, 1, 1, 2, 2))
    x = s('Deconvolution', 'dc', x, s.variable('dc_weight', 4, 3, 3, 3), s.variable('dc_bias', 3), kernel=(3, 3), stride=(2, 2), pad=(1, 1), adj=(1, 1), num_filter=3, no_bias=False)
    yield 'style', s.files(s('Activation', 'th', x, act_type='tanh')), shape(1, 3, 10, 10)
    s = Net(39)
    x = s.conv('c1', s.variable('data'), 3, 8, pad=(1, 1))
    a, b = s('slice_axis', 'a', x, axis=1, begin=0, end=4), s('slice_axis', 'b', x, axis=1, begin=4, end=None)
    y = s('stack', 'st', a, b, axis=1, num_args=2)
    y = s('Reshape', 'rs', s('transpose', 'tr', y, axes=(0, 2, 1, 3, 4)), shape=(0, -3, 0, 0))
    z = s('slice_like', 'like', y, s.pool('p', x, 2, 2), axes=(2, 3))
    yield 'movement', s.files(s('tile', 'tile', z, reps=(1, 2, 1, 1)), s('repeat', 'rep', a, repeats=2, axis=1)), shape(1, 3, 8, 8)
    s = Net(40)
    x = s('SwapAxis', 'tnc', s.variable('data'), dim1=0, dim2=1)
    y = s.rnn('lstm', x, 6, 5, 'lstm', 2)
    yield 'lstm_two_layers', s.files(s('SwapAxis', 'ntc', y, dim1=0, dim2=1)), shape(1, 4, 6)
    s = Net(41)
    x = s('SwapAxis', 'tnc', s.variable('data'), dim1=0, dim2=1)
    yield 'gru_both_ways', s.files(s.dense('fc', s('SwapAxis', 'ntc', s.rnn('gru', x, 6, 5, 'gru', 1, True), dim1=0, dim2=1), 40, 3)), shape(1, 4, 6)
    s = Net(42)
    x = s('SwapAxis', 'tnc', s.variable('data'), dim1=0, dim2=1)
    yield 'rnn_tanh', s.files(s('SwapAxis', 'ntc', s.rnn('rnn', x, 6, 5, 'rnn_tanh'), dim1=0, dim2=1)), shape(1, 4, 6)
    s = Net(43)  # scalars and comparisons
    x = s('Activation', 'sg', s.conv('c1', s.variable('data'), 3, 4, 1), act_type='sigmoid')
    y = s('_minus_scalar', 'm', s('_div_scalar', 'd', s('_plus_scalar', 'p', x, scalar=0.5), scalar=4.0), scalar=0.25)
    y = s('broadcast_sub', 'bs', s('_maximum_scalar', 'mx', y, scalar=0.1), s.global_pool('gp', x, 'max'))
    yield 'scalars', s.files(s('exp', 'e', s('elemwise_sub', 'es', y, s('broadcast_maximum', 'bm', x, y)))), shape(1, 3, 8, 8)
    s = Net(44)  # YOLO's neck
    x = s.conv('c1', s.variable('data'), 3, 8, pad=(1, 1), bias=False)
    x = s('LeakyReLU', 'l1', s.batch_norm('bn1', x, 8), act_type='leaky', slope=0.1)
    y = s('LeakyReLU', 'l2', s.conv_bn('c2', x, 8, 12, act=False, pad=(1, 1), stride=(2, 2)), act_type='leaky', slope=0.1)
    up = s('UpSampling', 'up', s('LeakyReLU', 'l3', s.conv_bn('c3', y, 12, 6, 1, act=False), act_type='leaky', slope=0.1), scale=2, sample_type='nearest', num_args=1)
    yield 'yolo_neck', s.files(s.conv('head1', y, 12, 16, 1), s.conv('head2', s('Concat', 'route', up, x, dim=1, num_args=2), 14, 16, 1)), shape(1, 3, 16, 16) + ['--reverse_input_channels']
    s = Net(46)  # layers whose result has a name of its own where it is the network's
    d = s.variable('data')
    x = s.conv('x', d, 6, 6, 1)
    t = s.relu(x, 't')
    outputs = [s('elemwise_sub', 'sub', x, t), s('add_n', 'sum', x, t, d, num_args=3), s('_maximum_scalar', 'max', x, scalar=0.5), s('_greater_scalar', 'greater', x, scalar=0.5),
               s('slice', 'slice', x, begin=(0, 1, 2, 0), end=(1, 5, 9, 10)), s('slice_like', 'like', t, s.pool('p', x, 2, 2), axes=(2, 3)), s('Reshape', 'joined', t, shape=(0, -3, 0)),
               s('L2Normalization', 'l2', t, mode='channel'), s('round', 'round', x), s('Cast', 'cast', s('Activation', 'th', x, act_type='tanh'), dtype='float32')]
    yield 'last_layers', s.files(*outputs), shape(1, 6, 10, 10)
    s = Net(45)  # Faster R-CNN
    x = s.relu(s.conv('c1', s.variable('data'), 3, 8, pad=(1, 1), stride=(2, 2)), 'r1')
    f = s.relu(s.conv('rpn', x, 8, 8, pad=(1, 1), stride=(2, 2)), 'rr')
    p = s('Reshape', 'two', s.conv('score', f, 8, 6, 1), shape=(0, 2, -1, 0))
    p = s('Reshape', 'back', s('SoftmaxActivation', 'prob', p, mode='channel'), shape=(0, 6, -1, 0))
    rois = s('_contrib_Proposal', 'rois', p, s.conv('box', f, 8, 12, 1), s.variable('im_info'), feature_stride=4, scales=(2,), ratios=(0.5, 1, 2), rpn_pre_nms_top_n=60, rpn_post_nms_top_n=10, threshold=0.7,
             rpn_min_size=4)
    y = s('ROIPooling', 'roi', f, rois, pooled_size=(3, 3), spatial_scale=0.25)
    yield 'faster_rcnn', s.files(s('softmax', 'cls', s.dense('fc', s('Flatten', 'fl', y), 72, 4))), ['--input', 'data,im_info', '--input_shape', '[1,3,32,32],[1,3]']


def write(folder):
    cases = framework_models.write(folder)
    for name, (prototxt, weights), options, *files in caffe_cases():
        case = framework_models.save(folder, 'caffe_' + name, {'model.prototxt': prototxt, 'model.caffemodel': weights, **(files[0] if files else {})})
        cases['caffe_' + name] = case, ['--input_model', 'model.caffemodel', *options]
    for name, ending, data, options, *files in kaldi_cases():
        case = framework_models.save(folder, 'kaldi_' + name, {'model.' + ending: data, **(files[0] if files else {})})
        cases['kaldi_' + name] = case, ['--input_model', 'model.' + ending, *options]
    for name, (symbol, parameters), options, *files in mxnet_cases():
        case = framework_models.save(folder, 'mxnet_' + name, {'model-symbol.json': symbol, 'model-0000.params': parameters, **(files[0] if files else {})})
        cases['mxnet_' + name] = case, ['--input_model', 'model-0000.params', *options]
    return cases


if __name__ == '__main__':
    for name, (case, options) in write(sys.argv[1]).items():
        print(name, *options)
