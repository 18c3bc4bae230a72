"""More networks of one operation for the reference executor: forms that no compiler takes, and inputs whose values matter.

CASES is like that of single_op_models.py; values() makes inputs.
"""
import numpy as np

CASES = []


def values(op, name, shape, kind, rng):
    """Numbers that make sense for an input of that name."""
    if name in ('rois', 'boxes', 'anchors', 'priors'):
        corners = np.sort(rng.uniform(0, 200, (*shape[:-1], 2, 2)), axis=-2).reshape(*shape[:-1], 4)
        return np.concatenate([np.zeros((*shape[:-1], 1)), corners], axis=-1).astype(kind) if shape[-1] == 5 else corners.astype(kind)
    if name == 'info':
        return np.resize(np.array([180, 190, 1], kind), shape)
    if name in ('scores', 'mask'):
        return rng.uniform(0.1, 1, shape).astype(kind)
    if name in ('l', 'k', 'labels'):
        return np.full(shape, {'l': 15, 'k': 4}[name]).astype(kind) if name != 'labels' else rng.integers(0, 5, shape).astype(kind)
    if np.issubdtype(kind, np.floating):
        return rng.uniform(-1, 1, shape).astype(kind)
    return (rng.integers(0, 2, shape) + (op in ('Divide', 'Mod', 'FloorMod'))).astype(kind)


def case(op, variant, opset, inputs, outputs=1, **data):
    """`inputs(net)` gives the inputs."""
    def build(n):
        y = n.layer(op, inputs(n), version=f'opset{opset}', outputs=outputs, **data)
        n.result(*(y if outputs > 1 else [y]))
    CASES.append((op, variant, build))


for equation, shapes in (('ij,jk->ik', ((3, 4), (4, 5))), ('bij,bjk->bik', ((2, 3, 4), (2, 4, 5))), ('ij->ji', ((3, 4),)), ('ii->i', ((4, 4),)), ('ij->', ((3, 4),)), ('abc,cd,de->abe', ((2, 3, 4), (4, 5), (5, 2))),
                         ('b...i,ij->b...j', ((2, 3, 4, 5), (5, 6))), ('i,j->ij', ((3,), (4,))), ('abcd,cd->ab', ((2, 3, 4, 5), (4, 5))), ('...ij,...jk->...ik', ((2, 1, 3, 4), (3, 4, 5))), ('ij,kj->i', ((3, 4), (5, 4)))):
    case('Einsum', equation, 7, lambda n, s=shapes: [n.input(*x, name=f'in{i}') for i, x in enumerate(s)], equation=equation)

for kind in ('DFT', 'IDFT'):
    case(kind, 'one axis', 7, lambda n: [n.input(3, 12, 2), n.ints(1)])
    case(kind, 'two axes', 7, lambda n: [n.input(2, 7, 8, 2), n.ints(1, -1)])
    case(kind, 'cut and filled up', 7, lambda n: [n.input(6, 5, 2), n.ints(0, 1), n.ints(4, 10)])
    case(kind, 'one size left open', 7, lambda n: [n.input(6, 5, 2), n.ints(0, 1), n.ints(-1, 3)])

case('Roll', 'two axes', 7, lambda n: [n.input(4, 5, 3), n.ints(2, -1), n.ints(0, 1)])
case('Roll', 'an axis twice', 7, lambda n: [n.input(4, 5), n.ints(2, 9), n.ints(1, -1)])

for pad in ('valid', 'same_upper', 'same_lower'):
    for rates in ([1, 1], [2, 1]):
        case('ExtractImagePatches', f'{pad} {rates}', 3, lambda n: [n.input(2, 3, 10, 9)], sizes=[3, 2], strides=[3, 2], rates=rates, auto_pad=pad)

for right in (True, False):
    case('Bucketize', f'right {right}', 3, lambda n: [n.input(3, 7), n.const([-0.5, 0.0, 0.3, 0.8])], output_type='i32', with_right_bound=right)
case('Bucketize', 'on the borders', 3, lambda n: [n.const([1, 2, 3, 4], 'i32'), n.const([1, 3], 'i32')], output_type='i64', with_right_bound=True)

TABLE = (5, 2, 3)
case('EmbeddingBagOffsetsSum', 'plain', 3, lambda n: [n.input(*TABLE), n.ints(0, 2, 3, 4), n.ints(0, 1, 3)])
case('EmbeddingBagOffsetsSum', 'empty bags', 3, lambda n: [n.input(*TABLE), n.ints(0, 2, 3, 4), n.ints(0, 2, 2), n.const(4, 'i64')])
case('EmbeddingBagOffsetsSum', 'weights', 3, lambda n: [n.input(*TABLE), n.ints(0, 2, 3, 4), n.ints(0, 2, 2), n.const(1, 'i64'), n.const([0.5, 2, -1, 3])])
case('EmbeddingBagPackedSum', 'plain', 3, lambda n: [n.input(*TABLE), n.const([[0, 2], [1, 2], [3, 4]], 'i64')])
case('EmbeddingBagPackedSum', 'weights', 3, lambda n: [n.input(*TABLE), n.const([[0, 2], [1, 2], [3, 4]], 'i64'), n.const([[0.5, 2], [1, 1], [-1, 0]])])
case('EmbeddingSegmentsSum', 'plain', 3, lambda n: [n.input(*TABLE), n.ints(0, 2, 3, 4), n.ints(0, 0, 2, 2), n.const(4, 'i64')])
case('EmbeddingSegmentsSum', 'default and weights', 3, lambda n: [n.input(*TABLE), n.ints(0, 2, 3, 4), n.ints(0, 0, 2, 2), n.const(4, 'i64'), n.const(1, 'i64'), n.const([0.5, 2, -1, 3])])

case('GatherTree', 'ended beams', 1, lambda n: [n.const([[[1, 2, 3]], [[4, 9, 6]], [[7, 8, 9]], [[2, 5, 1]]], 'i32'), n.const([[[0, 0, 0]], [[0, 2, 1]], [[1, 2, 0]], [[2, 0, 1]]], 'i32'), n.const([3], 'i32'), n.const(9, 'i32')])
for collapse in (False, True):
    for merge in (False, True):
        for unique in (False, True):
            case('CTCLoss', f'collapse {collapse} merge {merge} unique {unique}', 4,
                 lambda n: [n.input(2, 7, 5), n.const([7, 6], 'i32'), n.const([[1, 1, 3, 1, 0, 0, 0], [2, 0, 0, 3, 1, 1, 1]], 'i32'), n.const([4, 3], 'i32'), n.const(4, 'i32')],
                 preprocess_collapse_repeated=collapse, ctc_merge_repeated=merge, unique=unique)


def deformable(variant, data, filters, out, groups=1, shared=1, stride=1, pad=1, dilation=1):
    kernel = filters[2] * filters[3]
    case('DeformableConvolution', variant, 1, lambda n: [n.input(*data), n.mul(n.input(data[0], shared * kernel * 2, *out, name='offsets'), n.const(3.0)), n.normal(*filters)], strides=[stride] * 2, dilations=[dilation] * 2,
         pads_begin=[pad] * 2, pads_end=[pad] * 2, auto_pad='explicit', group=groups, deformable_group=shared)


deformable('wide offsets', (2, 8, 10, 12), (6, 8, 3, 3), (10, 12))
deformable('deformable groups', (1, 8, 10, 12), (6, 8, 3, 3), (10, 12), shared=2)
deformable('groups', (1, 8, 10, 12), (6, 4, 3, 3), (10, 12), groups=2)
deformable('both groups', (1, 8, 10, 12), (8, 2, 3, 3), (10, 12), groups=4, shared=2)
deformable('strides and dilations', (1, 4, 11, 12), (6, 4, 3, 2), (5, 6), stride=2, dilation=2)

for place, scale in (('inside', 0.005), ('outside', 0.01)):
    case('PSROIPooling', f'bilinear, regions {place}', 1, lambda n: [n.input(2, 24, 12, 16), n.input(5, 5, name='rois')], output_dim=4, group_size=3, spatial_scale=scale, spatial_bins_x=3, spatial_bins_y=2, mode='bilinear')
for parts, group, classes in ((3, 3, 1), (2, 3, 2), (4, 2, 2)):
    case('DeformablePSROIPooling', f'{classes} classes, {parts} parts, {group} bins', 1, lambda n, p=parts, g=group, c=classes: [n.input(1, 4 * g * g, 12, 16), n.input(5, 5, name='rois'), n.input(5, 2 * c, p, p, name='o')],
         output_dim=4, group_size=group, spatial_scale=0.0625, mode='bilinear_deformable', spatial_bins_x=3, spatial_bins_y=2, trans_std=0.4, part_size=parts)

LEVELS = lambda n: [n.input(10, 4, name='rois'), n.input(1, 8, 40, 48, name='a'), n.input(1, 8, 20, 24, name='b'), n.input(1, 8, 10, 12, name='c')]
for ratio in (0, 2):
    for aligned in (False, True):
        case('ExperimentalDetectronROIFeatureExtractor', f'aligned {aligned}, {ratio} samples', 6, LEVELS, outputs=2, output_size=5, sampling_ratio=ratio, pyramid_scales=[4, 8, 16], aligned=aligned)
case('ExperimentalDetectronGenerateProposalsSingleImage', 'small boxes', 6, lambda n: [n.input(3, name='info'), n.input(36, 4, name='anchors'), n.input(12, 3, 4, name='deltas'), n.input(3, 3, 4, name='scores')], outputs=2, min_size=30,
     nms_threshold=0.3, pre_nms_count=25, post_nms_count=5)
case('ExperimentalDetectronTopKROIs', 'all', 6, lambda n: [n.input(6, 4, name='rois'), n.input(6, name='scores')], max_rois=6)
case('ExperimentalDetectronPriorGridGenerator', 'not flat', 6, lambda n: [n.input(3, 4, name='priors'), n.input(1, 8, 6, 8, name='map'), n.input(1, 3, 48, 64, name='image')], flatten=False, h=0, w=0, stride_x=0.0, stride_y=0.0)
for agnostic in (False, True):
    case('ExperimentalDetectronDetectionOutput', f'agnostic {agnostic}', 6, lambda n, a=agnostic: [n.input(20, 4, name='rois'), n.input(20, 4 * 5, name='deltas'), n.input(20, 5, name='scores'), n.input(1, 3, name='info')], outputs=3,
         score_threshold=0.3, nms_threshold=0.3, max_delta_log_wh=1.0, num_classes=5, post_nms_count=6, max_detections_per_image=100, class_agnostic_box_regression=agnostic, deltas_weights=[10.0, 10.0, 5.0, 5.0])
for sigma in (0.1, 0.5, 2.0):
    case('NonMaxSuppression', f'soft {sigma}', 5, lambda n, s=sigma: [n.input(1, 30, 4, name='boxes'), n.input(1, 2, 30, name='scores'), n.const(20, 'i64'), n.const(0.5), n.const(0.1), n.const(s)], outputs=3, box_encoding='corner',
         sort_result_descending=False)

GATES = {'LSTM': (4, ['sigmoid', 'tanh', 'tanh']), 'GRU': (3, ['sigmoid', 'tanh']), 'RNN': (1, ['tanh'])}


def sequence(kind, variant, direction='forward', batch=2, lengths=(4, 4), activations=None, **data):
    def inputs(n):
        gates, d = GATES[kind][0], 2 if direction == 'bidirectional' else 1
        states = [n.input(batch, d, 6, name=s) for s in ('h', 'c')[:2 if kind == 'LSTM' else 1]]
        biases = gates + (1 if data.get('linear_before_reset') else 0)
        return [n.input(batch, 4, 5, name='x'), *states, n.const(lengths, 'i32'), n.normal(d, gates * 6, 5), n.normal(d, gates * 6, 6), n.normal(d, biases * 6, scale=0.1)]
    case(kind + 'Sequence', variant, 5, inputs, outputs=3 if kind == 'LSTM' else 2, hidden_size=6, direction=direction, activations=activations or GATES[kind][1], **data)


for kind in GATES:
    for direction in ('forward', 'reverse', 'bidirectional'):
        sequence(kind, f'{direction}, full length', direction)
        sequence(kind, f'{direction}, short ones', direction, lengths=(3, 2))
    sequence(kind, 'clipped', clip=0.2)
sequence('GRU', 'linear before reset', linear_before_reset=True)
sequence('RNN', 'relu', activations=['relu'])
case('ReverseSequence', 'lengths', 1, lambda n: [n.input(3, 5, 2), n.const([5, 1, 3], 'i32')], batch_axis=0, seq_axis=1)
