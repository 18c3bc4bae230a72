"""Layers of detectors and readers of text, mostly at the end of a network."""
import numpy as np

from .random_net import INT


def prior_size(n, x):
    """The height and width of a value, as exporters take them."""
    shape = n.emit('ShapeOf', [x], (4,), kind='i64', version='opset3', live=False, output_type='i64')
    return n.emit('StridedSlice', [shape, n.ints(2), n.ints(4), n.ints(1)], (2,), kind='i64', live=False, begin_mask=[0], end_mask=[0], new_axis_mask=[0], shrink_axis_mask=[0], ellipsis_mask=[0])


def prior_box(n, x, image):
    """Prior boxes of one map as a value of shape (1, 2, 4 · boxes)."""
    h, w = n.shape[x][2:]
    if n.chance(0.3):
        widths = [n.real(4, 30, 1) for _ in range(n.integer(1, 4))]
        count, kind = len(widths), 'PriorBoxClustered'
        data = dict(width=widths, height=[n.real(4, 30, 1) for _ in widths], clip=n.chance(0.3), step=n.one_of(0, 8), offset=0.5, variance=[0.1, 0.1, 0.2, 0.2])
    else:
        ratios, flip, largest, kind = n.one_of([], [2.0], [2.0, 3.0]), n.chance(0.7), n.chance(0.6), 'PriorBox'
        count = 1 + len(ratios) * (2 if flip else 1) + (1 if largest else 0)
        data = dict(min_size=[n.real(4, 20, 1)], aspect_ratio=ratios, flip=flip, clip=n.chance(0.3), step=n.one_of(0, 8), offset=0.5, variance=[0.1, 0.1, 0.2, 0.2], scale_all_sizes=True)
        if largest:
            data['max_size'] = [data['min_size'][0] * 2]
        if not ratios:
            del data['aspect_ratio']
    boxes = n.emit(kind, [prior_size(n, x), prior_size(n, image)], (2, 4 * count * h * w), live=False, **data)
    return n.emit('Unsqueeze', [boxes, n.ints(0)], (1, 2, 4 * count * h * w), live=False), count


def ssd_head(n):
    """Location, confidence and prior boxes of one or two maps, and the detections."""
    images = [v for v in n.live if n.layers[v[0]].type == 'Parameter' and len(n.shape[v]) == 4]
    first = n.pick(rank=4, where=lambda s: s[0] == 1 and s[2] * s[3] <= 150 and s[1] <= 64)
    second = n.pick(rank=4, where=lambda s: s[0] == 1 and s[2] * s[3] <= 100 and s[1] <= 64)
    if first is None or not images or any(n.layers[v[0]].type == 'DetectionOutput' for v in n.live):
        return None
    classes, parts = n.integer(2, 6), ([], [], [])
    for x in dict.fromkeys([first, second or first] if n.chance(0.5) else [first]):
        boxes, count = prior_box(n, x, images[0])
        h, w = n.shape[x][2:]
        for part, per_box in ((parts[0], 4), (parts[1], classes)):
            c = count * per_box
            y = n.emit('Convolution', [x, n.weights(c, n.shape[x][1], 3, 3)], (1, c, h, w), strides=[1, 1], dilations=[1, 1], pads_begin=[1, 1], pads_end=[1, 1], auto_pad='explicit', live=False)
            y = n.emit('Add', [y, n.weights(1, c, 1, 1, scale=0.1)], (1, c, h, w), auto_broadcast='numpy', live=False)
            y = n.emit('Transpose', [y, n.ints(0, 2, 3, 1)], (1, h, w, c), live=False)
            part.append(n.emit('Reshape', [y, n.ints(0, -1)], (1, h * w * c), special_zero=True, live=False))
        parts[2].append(boxes)
    joined = []
    for part, axis in zip(parts, (1, 1, 2)):
        shape = list(n.shape[part[0]])
        shape[axis] = sum(n.shape[p][axis] for p in part)
        joined.append(part[0] if len(part) == 1 else n.emit('Concat', part, shape, axis=axis, live=False))
    location, confidence, priors = joined
    if n.chance(0.6):
        rows = (1, n.shape[confidence][1] // classes, classes)
        confidence = n.emit('Reshape', [confidence, n.ints(*rows)], rows, special_zero=True, live=False)
        confidence = n.emit('SoftMax', [confidence], rows, axis=2, live=False)
        confidence = n.emit('Reshape', [confidence, n.ints(0, -1)], (1, rows[1] * classes), special_zero=True, live=False)
    else:
        confidence = n.emit('Sigmoid', [confidence], n.shape[confidence], live=False)
    keep = n.integer(2, 20)
    return n.emit('DetectionOutput', [location, confidence, priors], (1, 1, keep, 7), num_classes=classes, background_label_id=0, top_k=n.one_of(-1, 40), keep_top_k=[keep], code_type=n.one_of('caffe.PriorBoxParameter.CENTER_SIZE', 'caffe.PriorBoxParameter.CORNER'),
                  share_location=True, nms_threshold=0.45, confidence_threshold=n.one_of(0.01, 0.5), variance_encoded_in_target=False, normalized=True, clip_before_nms=n.chance(0.3), clip_after_nms=n.chance(0.3))


def prior_alone(n):
    images = [v for v in n.live if n.layers[v[0]].type == 'Parameter' and len(n.shape[v]) == 4]
    x = n.pick(rank=4, where=lambda s: s[2] * s[3] <= 200)
    if x is None or not images:
        return None
    value, _ = prior_box(n, x, images[0])
    n.live.append(value)
    return value


def proposal(n):
    x = n.pick(rank=4, limit=3000, where=lambda s: s[0] == 1 and s[1] <= 64)
    if x is None:
        return None
    _, c, h, w = n.shape[x]
    ratio, scale = n.one_of([1.0], [0.5, 1.0, 2.0]), n.one_of([4.0, 8.0], [8.0])
    a = len(ratio) * len(scale)
    conv = lambda out: n.emit('Convolution', [x, n.weights(out, c, 1, 1)], (1, out, h, w), strides=[1, 1], dilations=[1, 1], pads_begin=[0, 0], pads_end=[0, 0], auto_pad='explicit', live=False)
    info = n.const([float(h * 16), float(w * 16), 1.0]) if n.chance(0.7) else n.parameter([3])
    keep = n.one_of(5, 10, 20)
    new = n.chance(0.4)
    return n.emit('Proposal', [n.emit('Sigmoid', [conv(2 * a)], (1, 2 * a, h, w), live=False), conv(4 * a), info], (keep, 5), *([(keep,)] if new else []), version='opset4' if new else 'opset1', base_size=16, pre_nms_topn=50,
                  post_nms_topn=keep, nms_thresh=0.7, feat_stride=16, min_size=n.one_of(4, 16), ratio=ratio, scale=scale, clip_before_nms=True, clip_after_nms=False, normalize=False, box_size_scale=1.0,
                  box_coordinate_scale=1.0, framework=n.one_of('', 'tensorflow'))


def boxes(n, count):
    if n.chance(0.4):
        return n.pick_or_input([count, 5], rank=2, where=lambda s: s[1] == 5 and s[0] <= 20)
    corners = np.sort(n.random.randint(0, 60, (count, 2, 2)), axis=1).reshape(count, 4)
    return n.const(np.concatenate([np.zeros((count, 1)), corners], 1))


def roi_pooling(n):
    x = n.pick(rank=4, limit=10000, where=lambda s: s[0] == 1)
    if x is None:
        return None
    rois, side = boxes(n, n.integer(1, 6)), n.one_of(2, 3, 7)
    return n.emit('ROIPooling', [x, rois], (n.shape[rois][0], n.shape[x][1], side, side), version='opset2', pooled_h=side, pooled_w=side, spatial_scale=n.one_of(0.0625, 0.25), method=n.one_of('max', 'bilinear'))


def psroi_pooling(n):
    g = n.one_of(2, 3)
    x = n.pick(rank=4, limit=20000, where=lambda s: s[0] == 1 and s[1] % (g * g) == 0)
    if x is None:
        return None
    rois, depth = boxes(n, n.integer(1, 6)), n.shape[x][1] // (g * g)
    return n.emit('PSROIPooling', [x, rois], (n.shape[rois][0], depth, g, g), output_dim=depth, group_size=g, spatial_scale=0.0625, spatial_bins_x=1, spatial_bins_y=1, mode='average')


def roi_align(n):
    x = n.pick(rank=4, limit=10000, where=lambda s: s[0] == 1)
    if x is None:
        return None
    count, side = n.integer(1, 5), n.one_of(2, 3, 7)
    rois = n.const(np.sort(n.random.randint(0, 60, (count, 2, 2)), axis=1).reshape(count, 4))
    return n.emit('ROIAlign', [x, rois, n.const(np.zeros(count), 'i32')], (count, n.shape[x][1], side, side), version='opset3', pooled_h=side, pooled_w=side, sampling_ratio=2, spatial_scale=n.one_of(0.0625, 0.25), mode=n.one_of('avg', 'max'))


def region_yolo(n):
    """A 1x1 convolution and the region layer of YOLO v2 or v3."""
    x = n.pick(rank=4, limit=20000, where=lambda s: s[0] == 1 and s[1] <= 130)
    if x is None:
        return None
    _, c, h, w = n.shape[x]
    classes, coords, anchors = n.integer(1, 20), 4, n.integer(1, 5)
    softmax = n.chance(0.5)
    out = anchors * (classes + coords + 1)
    if c * out > 20000:
        return None
    y = n.emit('Convolution', [x, n.weights(out, c, 1, 1)], (1, out, h, w), strides=[1, 1], dilations=[1, 1], pads_begin=[0, 0], pads_end=[0, 0], auto_pad='explicit', live=False)
    y = n.emit('Add', [y, n.weights(1, out, 1, 1, scale=0.1)], (1, out, h, w), auto_broadcast='numpy', live=False)
    data = dict(anchors=[1.5] * 2 * anchors, classes=classes, coords=coords, num=anchors, do_softmax=softmax, axis=1, end_axis=3)
    if softmax:
        return n.emit('RegionYolo', [y], (1, out * h * w), **data)
    data['mask'] = list(range(anchors))
    return n.emit('RegionYolo', [y], (1, out, h, w), **data)


def reorg_yolo(n):
    x = n.pick(rank=4, limit=20000, where=lambda s: s[2] % 2 == 0 and s[3] % 2 == 0 and s[1] >= 4)
    if x is None:
        return None
    s = n.shape[x]
    return n.emit('ReorgYolo', [x], (s[0], s[1] * 4, s[2] // 2, s[3] // 2), version='opset2', stride=2)


def ctc(n):
    x = n.pick(rank=3, limit=2000)
    if x is None:
        return None
    t, b, _ = n.shape[x]
    if n.chance(0.3):
        b, t = t, b
        return n.emit('CTCGreedyDecoderSeqLen', [x, n.const([t] * b, 'i32')], (b, t), (b,), kind=INT, version='opset6', merge_repeated=True, classes_index_type='i32', sequence_length_type='i32')
    return n.emit('CTCGreedyDecoder', [x, n.weights(t, b, scale=1.0)], (b, t, 1, 1), ctc_merge_repeated=True)


def reverse_sequence(n):
    x = n.pick(rank=(3, 4), limit=2000)
    if x is None:
        return None
    s = n.shape[x]
    return n.emit('ReverseSequence', [x, n.const([s[1]] * s[0], n.one_of('f16', 'i32') if n.float_type == 'f16' else 'i32')], s, batch_axis=0, seq_axis=1)


def last(n):
    """Layers whose output size is known only when they run: nothing can read them."""
    if n.chance(0.5):
        x = n.pick(limit=2000)
        return x and n.emit('NonZero', [x], (len(n.shape[x]), int(np.prod(n.shape[x]))), kind='i32x', version='opset3', output_type='i32')
    count, classes = n.integer(2, 12), n.integer(1, 3)
    box, score = n.parameter([1, count, 4]), n.parameter([1, classes, count])
    return n.emit('NonMaxSuppression', [box, score, n.const(3, 'i64'), n.const(0.5), n.const(0.1)], (count * classes, 3), kind='i32x', version=n.one_of('opset3', 'opset4'), box_encoding=n.one_of('corner', 'center'),
                  sort_result_descending=False, output_type='i32')


LAYERS = {ssd_head: 0.6, prior_alone: 0.2, proposal: 0.4, roi_pooling: 0.4, psroi_pooling: 0.3, roi_align: 0.3, region_yolo: 0.5, reorg_yolo: 0.4, ctc: 0.3, reverse_sequence: 0.02, last: 0.1}
