"""Layers that move data: concatenations, splits, slices, gathers, scatters, reshapes, transpositions, tiles, pads, resizes."""
import numpy as np

from .random_net import FLOAT, INT


def concat(n):
    x = n.pick(limit=40000)
    if x is None:
        return None
    shape = n.shape[x]
    axis = n.integer(0, len(shape) - 1) if n.chance(0.3) else min(1, len(shape) - 1)
    others = [v for v in n.live if n.kind[v] == FLOAT and len(n.shape[v]) == len(shape) and all(a == b for i, (a, b) in enumerate(zip(n.shape[v], shape)) if i != axis)]
    values = [x] + [others[n.random.randint(len(others))] for _ in range(n.integer(1, 3))]
    if n.chance(0.2):
        values.append(n.weights(*(n.integer(1, 5) if i == axis else d for i, d in enumerate(shape)), scale=1.0))
    if n.chance(0.6):
        values = list(dict.fromkeys(values))         # the same value twice is rare
    total = sum(n.shape[v][axis] for v in values)
    if axis == 0 and n.chance(0.7) or np.prod(shape) // shape[axis] * total > 80000:
        return None
    return n.emit('Concat', values, shape[:axis] + (total,) + shape[axis + 1:], axis=n.axis(axis, len(shape)))


def split(n):
    x = n.pick(limit=80000)
    if x is None:
        return None
    shape = n.shape[x]
    options = [(a, p) for a, d in enumerate(shape) for p in (2, 3, 4) if d % p == 0 and (a or n.chance(0.2))]
    if not options:
        return None
    axis, parts = n.one_of(*options)
    if n.chance(0.5):
        return n.emit('Split', [x, n.const(n.axis(axis, len(shape)), 'i64')], *[shape[:axis] + (shape[axis] // parts,) + shape[axis + 1:]] * parts, num_splits=parts)
    cuts = sorted(n.integer(1, shape[axis] - 1) for _ in range(parts - 1))
    lengths = [b - a for a, b in zip([0] + cuts, cuts + [shape[axis]])]
    if min(lengths) < 1:
        return None
    shapes = [shape[:axis] + (length,) + shape[axis + 1:] for length in lengths]
    if n.chance(0.3):
        lengths[n.random.randint(len(lengths))] = -1
    return n.emit('VariadicSplit', [x, n.const(axis, 'i64'), n.ints(*lengths)], *shapes)


def strided_slice(n):
    x = n.pick(limit=80000)
    if x is None:
        return None
    shape, rank = n.shape[x], len(n.shape[x])
    begin, end, stride, out = [0] * rank, [0] * rank, [1] * rank, []
    begin_mask, end_mask, shrink = [0] * rank, [0] * rank, [0] * rank
    for i, d in enumerate(shape):
        form = n.integer(0, 5)
        if form <= 1 or d == 1:
            begin_mask[i] = end_mask[i] = 1          # begin and end are not looked at
            length = d
        elif form == 2 and i and rank > 1 and sum(shrink) < 2 and n.chance(0.4):
            begin[i], shrink[i] = n.integer(0, d - 1), 1
            end[i], length = begin[i] + 1, None
        else:
            stride[i] = n.one_of(1, 1, 1, 2, 3) if n.chance(0.9) else -1
            begin[i] = n.integer(0, d - 1)
            end[i] = n.integer(begin[i] + 1, d)
            length = -(-(end[i] - begin[i]) // stride[i])
            if stride[i] < 0:
                begin[i], end[i] = end[i] - 1, begin[i] - 1 if begin[i] else -d - 1
                length = begin[i] - end[i] if end[i] >= 0 else begin[i] + 1
            elif n.chance(0.2) and end[i] < d:
                end[i] -= d
        if length is not None:
            out.append(length)
    if len(out) == 0:
        return None
    inputs = [x, n.ints(*begin), n.ints(*end)] + ([n.ints(*stride)] if set(stride) != {1} or n.chance(0.7) else [])
    return n.emit('StridedSlice', inputs, out, begin_mask=begin_mask, end_mask=end_mask, new_axis_mask=[0] * rank, shrink_axis_mask=shrink, ellipsis_mask=[0] * rank)


def crop(n):
    """The form of a slice that only cuts off borders."""
    x = n.image()
    if x is None:
        return None
    b, c, h, w = n.shape[x]
    y0, x0 = n.integer(0, h - 1), n.integer(0, w - 1)
    y1, x1 = n.integer(y0 + 1, h), n.integer(x0 + 1, w)
    return n.emit('StridedSlice', [x, n.ints(0, 0, y0, x0), n.ints(0, 0, y1, x1), n.ints(1, 1, 1, 1)], (b, c, y1 - y0, x1 - x0), begin_mask=[1, 1, 0, 0], end_mask=[1, 1, 0, 0], new_axis_mask=[0] * 4,
                  shrink_axis_mask=[0] * 4, ellipsis_mask=[0] * 4)


def gather(n):
    x = n.pick(limit=40000)
    if x is None:
        return None
    shape = n.shape[x]
    axis = n.integer(0, len(shape) - 1)
    if n.chance(0.15):
        index_shape = [n.integer(1, 6)]
        indices = n.parameter(index_shape, INT)
    else:
        index_shape = n.one_of([], [n.integer(1, 6)], [n.integer(1, 6)], [2, 3])
        indices = n.const(n.random.randint(0, shape[axis], index_shape), n.one_of('i32', 'i64'))
    out = shape[:axis] + tuple(index_shape) + shape[axis + 1:]
    if not 0 < len(out) <= 5:
        return None
    version, more = ('opset7', {'batch_dims': 0}) if n.chance(0.4) else ('opset1', {})
    return n.emit('Gather', [x, indices, n.const(axis, 'i64')], out, version=version, **more)


def gather_elements(n):
    x = n.pick(rank=(2, 3, 4), limit=10000)
    if x is None:
        return None
    shape, axis = n.shape[x], n.integer(0, len(n.shape[x]) - 1)
    out = shape[:axis] + (n.integer(1, 5),) + shape[axis + 1:]
    return n.emit('GatherElements', [x, n.const(n.random.randint(0, shape[axis], out), 'i32')], out, version='opset6', axis=axis)


def gather_nd(n):
    x = n.pick(rank=(2, 3, 4), limit=10000)
    if x is None:
        return None
    shape = n.shape[x]
    depth, count = n.integer(1, len(shape)), n.integer(1, 5)
    indices = np.stack([n.random.randint(0, d, count) for d in shape[:depth]], 1)
    return n.emit('GatherND', [x, n.const(indices, 'i32')], (count,) + shape[depth:], version='opset5', batch_dims=0)


def scatter_update(n):
    x = n.pick(rank=(1, 2, 3, 4), limit=10000)
    if x is None:
        return None
    shape = n.shape[x]
    count = n.integer(1, shape[0])
    indices = n.const(n.random.permutation(shape[0])[:count], 'i32')
    return n.emit('ScatterUpdate', [x, indices, n.weights(count, *shape[1:], scale=1.0), n.const(0, 'i64')], shape, version='opset3')


def scatter_elements(n):
    x = n.pick(rank=(1, 2, 3, 4), limit=4000)
    if x is None:
        return None
    shape, axis = n.shape[x], n.integer(0, len(n.shape[x]) - 1)
    part = tuple(n.integer(1, d) for d in shape)
    return n.emit('ScatterElementsUpdate', [x, n.const(n.random.randint(0, shape[axis], part), 'i32'), n.weights(*part, scale=1.0), n.const(axis, 'i64')], shape, version='opset3')


def top_k(n):
    x = n.pick(limit=20000)
    if x is None:
        return None
    shape, axis = n.shape[x], n.integer(0, len(n.shape[x]) - 1)
    k = n.integer(1, shape[axis])
    out = shape[:axis] + (k,) + shape[axis + 1:]
    return n.emit('TopK', [x, n.const(k, 'i64')], out, out, kinds=[FLOAT, INT], version=n.one_of('opset1', 'opset3'), axis=n.axis(axis, len(shape)), mode=n.one_of('max', 'min'), sort=n.one_of('value', 'index', 'none'))


def one_hot(n):
    x = n.pick(kind=INT, rank=(1, 2, 3, 4), limit=500) or n.parameter([n.integer(1, 8) for _ in range(n.integer(1, 3))], INT)
    rank, depth = len(n.shape[x]), n.integer(2, 9)
    axis = n.integer(0, rank)
    out = n.shape[x][:axis] + (depth,) + n.shape[x][axis:]
    return n.emit('OneHot', [x, n.const(depth, 'i64'), n.const(1.0), n.const(0.0)], out, axis=axis if axis < rank else -1)


def tile(n):
    x = n.pick(limit=2000)
    if x is None:
        return None
    repeats = [n.one_of(1, 1, 2, 3) if i or n.chance(0.3) else 1 for i in range(len(n.shape[x]))]
    if set(repeats) == {1} and n.is_input(x):
        return None                                  # the reference crashes
    return n.emit('Tile', [x, n.ints(*repeats)], [d * r for d, r in zip(n.shape[x], repeats)])


def broadcast(n):
    x = n.pick(limit=2000, where=lambda s: 1 in s)
    if x is None:
        return None
    out = [n.one_of(1, 2, 5, 8) if d == 1 and i else d for i, d in enumerate(n.shape[x])]
    if tuple(out) == n.shape[x] and n.is_input(x):
        return None                                  # the reference crashes
    mode = n.one_of('numpy', 'bidirectional')
    return n.emit('Broadcast', [x, n.ints(*out)], out, version='opset3', mode=mode)


def pad(n):
    x = n.pick(rank=(3, 4), limit=40000)
    if x is None:
        return None
    mode = n.one_of('constant', 'constant', 'edge', 'reflect', 'symmetric')
    shape = n.shape[x]
    most = [0 if i == 0 and n.chance(0.95) else min(3, d - 1) for i, d in enumerate(shape)]
    if n.chance(0.7):
        most[1] = 0
    begin, end = [n.integer(0, m) for m in most], [n.integer(0, m) for m in most]
    inputs = [x, n.ints(*begin), n.ints(*end)] + ([n.const(n.one_of(0.0, 0.0, 0.5, -1.0))] if mode == 'constant' and n.chance(0.8) else [])
    return n.emit('Pad', inputs, [d + b + e for d, b, e in zip(shape, begin, end)], pad_mode=mode)


def transpose(n):
    x = n.pick(limit=80000)
    if x is None:
        return None
    rank = len(n.shape[x])
    order = list(map(int, n.random.permutation(rank)))
    if rank == 4 and n.chance(0.6):
        order = n.one_of([0, 2, 3, 1], [0, 3, 1, 2], [0, 2, 1, 3], [0, 1, 3, 2])
    elif n.chance(0.6):
        order = [0] + [i for i in order if i]
    return n.emit('Transpose', [x, n.ints(*order)], [n.shape[x][i] for i in order])


def factors(n, total, count):
    """`count` numbers whose product is `total`."""
    out = []
    for _ in range(count - 1):
        divisors = [d for d in range(1, min(total, 64) + 1) if total % d == 0]
        out.append(n.one_of(*divisors))
        total //= out[-1]
    return out + [total]


def reshape(n):
    x = n.pick()
    if x is None:
        return None
    shape, rank = n.shape[x], len(n.shape[x])
    form = n.integer(0, 4)
    if form == 0 and rank >= 3:                      # flatten the space, or everything but the batch
        out, pattern = ((shape[0], int(np.prod(shape[1:]))), (0, -1)) if n.chance(0.5) else ((*shape[:2], int(np.prod(shape[2:]))), (0, 0, -1))
    else:
        keep = n.chance(0.8) and rank > 1
        rest = factors(n, int(np.prod(shape[1:] if keep else shape)), n.integer(1, 4 if keep else 5))
        out = (shape[0], *rest) if keep else tuple(rest)
        pattern = list(out)
        if n.chance(0.5):
            pattern[n.random.randint(len(pattern))] = -1
    return n.emit('Reshape', [x, n.ints(*pattern)], out, special_zero=True)


def squeeze(n):
    x = n.pick(where=lambda s: 1 in s and len(s) > 1)
    if x is None:
        return None
    shape = n.shape[x]
    axes = n.subset([i for i, d in enumerate(shape) if d == 1])
    out = [d for i, d in enumerate(shape) if i not in axes]
    return n.emit('Squeeze', [x, n.ints(*(n.axis(a, len(shape)) for a in axes))], out) if out else None


def unsqueeze(n):
    x = n.pick(rank=(1, 2, 3, 4))
    if x is None:
        return None
    out = list(n.shape[x])
    axis = n.integer(0, len(out))
    out.insert(axis, 1)
    return n.emit('Unsqueeze', [x, n.ints(axis)], out)


def depth_to_space(n):
    b = n.one_of(2, 2, 3)
    x = n.pick(rank=4, limit=80000, where=lambda s: s[1] % (b * b) == 0)
    if x is None:
        return None
    s = n.shape[x]
    return n.emit('DepthToSpace', [x], (s[0], s[1] // (b * b), s[2] * b, s[3] * b), mode=n.one_of('blocks_first', 'depth_first'), block_size=b)


def space_to_depth(n):
    b = n.one_of(2, 2, 3)
    x = n.pick(rank=4, where=lambda s: s[2] % b == 0 and s[3] % b == 0)
    if x is None:
        return None
    s = n.shape[x]
    return n.emit('SpaceToDepth', [x], (s[0], s[1] * b * b, s[2] // b, s[3] // b), mode=n.one_of('blocks_first', 'depth_first'), block_size=b)


def shuffle_channels(n):
    g = n.one_of(2, 2, 3, 4)
    x = n.pick(rank=4, where=lambda s: s[1] % g == 0)
    if x is None:
        return None
    if n.chance(0.5):
        return n.emit('ShuffleChannels', [x], n.shape[x], version='opset3', axis=1, group=g)
    s = n.shape[x]                                   # as exporters write it
    y = n.emit('Reshape', [x, n.ints(s[0], g, s[1] // g, s[2], s[3])], (s[0], g, s[1] // g, s[2], s[3]), special_zero=False, live=False)
    y = n.emit('Transpose', [y, n.ints(0, 2, 1, 3, 4)], (s[0], s[1] // g, g, s[2], s[3]), live=False)
    return n.emit('Reshape', [y, n.ints(s[0], s[1], s[2], s[3])], s, special_zero=False)


def interpolate(n):
    x = n.image(10000)
    if x is None:
        return None
    b, c, h, w = n.shape[x]
    if n.chance(0.6):
        f = n.one_of(2, 2, 3, 4)
        out = (h * f, w * f)
    else:
        out = (n.integer(1, 2 * h + 3), n.integer(1, 2 * w + 3))
    if b * c * out[0] * out[1] > 100000:
        return None
    if n.chance(0.2):
        return n.emit('Interpolate', [x, n.ints(*out)], (b, c, *out), axes=[2, 3], mode=n.one_of('nearest', 'linear', 'linear', 'cubic'), align_corners=n.chance(0.5), antialias=False, pads_begin=[0], pads_end=[0])
    by_scale = n.chance(0.4) and h * 2 == out[0] and w * 2 == out[1]
    scales = n.const([o / i for o, i in zip(out, (h, w))], 'f32')
    return n.emit('Interpolate', [x, n.ints(*out), scales, n.ints(2, 3)], (b, c, *out), version='opset4', mode=n.one_of('nearest', 'linear', 'linear_onnx'), shape_calculation_mode='scales' if by_scale else 'sizes',
                  coordinate_transformation_mode=n.one_of('half_pixel', 'pytorch_half_pixel', 'asymmetric', 'tf_half_pixel_for_nn', 'align_corners'),
                  nearest_mode=n.one_of('round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil', 'simple'), antialias=False, pads_begin=[0], pads_end=[0], cube_coeff=-0.75)


def interpolate_like(n):
    """Sizes that are computed inside of the model: a multiple of those of an input, or those of another layer."""
    x = n.pick(rank=4, limit=8000)
    if x is None:
        return None
    b, c, h, w = n.shape[x]
    other = n.pick(rank=4, where=lambda s: s[2] * s[3] * b * c <= 100000)
    other, factor = (other, 1) if other is not None and n.chance(0.5) else (x, n.one_of(1, 2, 2, 3))
    shape = n.emit('ShapeOf', [other], (4,), kind='i64', version='opset3', live=False, output_type='i64')
    sizes = n.emit('StridedSlice', [shape, n.ints(2), n.ints(4), n.ints(1)], (2,), kind='i64', live=False, begin_mask=[0], end_mask=[0])
    if n.chance(0.3):
        real = n.emit('Convert', [sizes], (2,), kind='f32', live=False, destination_type='f32')
        real = n.emit('Multiply', [real, n.const([factor, factor], 'f32')], (2,), kind='f32', live=False, auto_broadcast='numpy')
        sizes = n.emit('Convert', [real], (2,), kind='i64', live=False, destination_type='i64')
    elif factor > 1:
        sizes = n.emit('Multiply', [sizes, n.ints(factor, factor)], (2,), kind='i64', live=False, auto_broadcast='numpy')
    out = [d * factor for d in n.shape[other][2:]]
    if b * c * out[0] * out[1] > 100000:
        return None
    if n.chance(0.3):
        return n.emit('Interpolate', [x, sizes], (b, c, *out), axes=[2, 3], mode=n.one_of('nearest', 'linear'), align_corners=n.chance(0.5), antialias=False, pads_begin=[0], pads_end=[0])
    scales = n.const([o / i for o, i in zip(out, (h, w))], 'f32')
    return n.emit('Interpolate', [x, sizes, scales, n.ints(2, 3)], (b, c, *out), version='opset4', mode=n.one_of('nearest', 'linear', 'linear_onnx'), shape_calculation_mode='sizes',
                  coordinate_transformation_mode=n.one_of('half_pixel', 'asymmetric', 'align_corners'), nearest_mode=n.one_of('round_prefer_floor', 'floor', 'simple'), antialias=False, pads_begin=[0], pads_end=[0], cube_coeff=-0.75)


def space_to_batch(n):
    x = n.pick(rank=4, limit=10000, where=lambda s: s[2] % 2 == 0 and s[3] % 2 == 0)
    if x is None:
        return None
    s = n.shape[x]
    y = n.emit('SpaceToBatch', [x, n.ints(1, 1, 2, 2), n.ints(0, 0, 0, 0), n.ints(0, 0, 0, 0)], (s[0] * 4, s[1], s[2] // 2, s[3] // 2), version='opset2', live=False)
    return n.emit('BatchToSpace', [y, n.ints(1, 1, 2, 2), n.ints(0, 0, 0, 0), n.ints(0, 0, 0, 0)], s, version='opset2')


LAYERS = {concat: 6, split: 3, strided_slice: 2, crop: 1, gather: 1.5, gather_elements: 0.4, gather_nd: 0.3, scatter_update: 0.4, scatter_elements: 0.3, top_k: 0.6, one_hot: 0.2, tile: 0.8, broadcast: 0.5, pad: 1.5, transpose: 3, reshape: 3,
          squeeze: 1, unsqueeze: 1, depth_to_space: 0.7, space_to_depth: 0.7, shuffle_channels: 0.8, interpolate: 2, interpolate_like: 0.7, space_to_batch: 0.1}
