"""Layers with sliding windows: convolutions, deconvolutions, pooling, each in one to three dimensions."""


def padded(n, size, extent, stride, most, mode):
    """(pad before, pad after, positions) along one axis."""
    if mode in ('same_upper', 'same_lower'):
        out = -(-size // stride)
        total = max((out - 1) * stride + extent - size, 0)
        return (total // 2, total - total // 2, out) if mode == 'same_upper' else (total - total // 2, total // 2, out)
    before, after = (0, 0) if mode == 'valid' else (n.integer(0, most), n.integer(0, most))
    return before, after, (size + before + after - extent) // stride + 1


def window(n, sizes, kernels, pads='half', dilation=False):
    """Kernel, strides, pads, positions that fit these sizes; None if the draw doesn't."""
    square, mode = n.chance(0.75), n.one_of('explicit', 'explicit', 'explicit', 'explicit', 'same_upper', 'same_lower', 'valid')
    k, s, d = n.one_of(*kernels), n.one_of(1, 1, 1, 2, 2, 3), n.one_of(2, 3) if dilation and n.chance(0.15) else 1
    symmetric = n.chance(0.8)
    kernel, stride, dilations, begin, end, out = [], [], [], [], [], []
    for size in sizes:
        if not square:
            k = n.one_of(*kernels)
            s = n.one_of(1, 2) if n.chance(0.3) else s
        extent = (k - 1) * d + 1
        before, after, positions = padded(n, size, extent, s, max(extent // 2, 0), mode)
        if symmetric and mode == 'explicit':
            before = after = extent // 2 if pads == 'half' and n.chance(0.7) else min(before, after)
            positions = (size + before + after - extent) // s + 1
        if positions < 1 or size + before + after < extent:
            return None
        for row, value in zip((kernel, stride, dilations, begin, end, out), (k, s, d, before, after, positions)):
            row.append(value)
    return kernel, dict(strides=stride, pads_begin=begin, pads_end=end, auto_pad=mode), dilations, out


def activation_after(n, x):
    """The activations that follow a convolution in real networks."""
    shape = n.shape[x]
    kind = n.one_of('', '', 'ReLU', 'ReLU', 'Clamp', 'Sigmoid', 'PReLU', 'Leaky', 'HSwish', 'Swish', 'Elu', 'Tanh', 'Mish')
    if kind == 'Clamp':
        return n.emit('Clamp', [x], shape, min=0, max=n.one_of(6, 1, 20.5))
    if kind == 'PReLU' and (len(shape) != 3 or shape[0] == 1):
        return n.emit('PReLU', [x, n.weights(shape[1], scale=0.2)], shape)
    if kind == 'Leaky':
        return n.emit('PReLU', [x, n.const([n.one_of(0.1, 0.125, 0.01)])], shape)
    if kind == 'Elu':
        return n.emit('Elu', [x], shape, alpha=1.0)
    if kind and kind != 'PReLU':
        return n.emit(kind, [x], shape, version='opset4' if kind in ('HSwish', 'Swish', 'Mish') else 'opset1')
    return x


def biased(n, y):
    shape = n.shape[y]
    if n.chance(0.75):
        y = n.emit('Add', [y, n.weights(1, shape[1], *[1] * (len(shape) - 2), scale=0.1)], shape, auto_broadcast='numpy')
    elif n.chance(0.2):
        y = n.emit('Multiply', [y, n.weights(1, shape[1], *[1] * (len(shape) - 2), scale=1.0)], shape, auto_broadcast='numpy')
    return y


def channels(n, most=64):
    return n.one_of(1, 2, 3, 4, 5, 8, 8, 12, 16, 16, 21, 24, 32, 32, 40, 64, 96, 130) if most > 64 or n.chance(0.5) else n.one_of(4, 8, 16, 32)


def convolve(n, x, c_out=None, kernels=(1, 1, 2, 3, 3, 3, 4, 5, 7), groups=1):
    shape = n.shape[x]
    w = window(n, shape[2:], kernels, dilation=True)
    c_out = c_out or (n.one_of(64, 128, 200, 256, 512, 1000) if n.scale > 1 and n.chance(0.4) else channels(n, 130))
    if w is None or shape[1] * c_out > 20000 * n.scale:
        return None
    kernel, data, dilations, out = w
    return n.emit('Convolution', [x, n.weights(c_out, shape[1], *kernel)], (shape[0], c_out, *out), dilations=dilations, **data)


def convolution(n):
    x = n.image()
    y = x and convolve(n, x, kernels=n.one_of((1,), (3,), (1, 2, 3, 3, 4, 5, 7, 9, 11)))
    return y and activation_after(n, biased(n, y))


def convolution_1d(n):
    x = n.pick(rank=3, limit=20000)
    y = x and convolve(n, x, kernels=(1, 3, 5))
    return y and activation_after(n, biased(n, y))


def convolution_3d(n):
    x = n.pick(rank=5, limit=20000)
    y = x and convolve(n, x, c_out=n.one_of(2, 4, 8), kernels=(1, 2, 3))
    return y and n.emit('Add', [y, n.weights(1, n.shape[y][1], 1, 1, 1)], n.shape[y], auto_broadcast='numpy')


def group_convolution(n):
    x = n.image()
    if x is None:
        return None
    batch, c, *sizes = n.shape[x]
    groups = n.one_of(c, c, c, *[g for g in (2, 3, 4, 5, 8) if c % g == 0])
    w = window(n, sizes, (1, 2, 3, 3, 3, 5, 7), dilation=True)
    per_group = n.one_of(1, 1, 1, 2, 3) if groups == c else n.one_of(1, 2, 4, 7, 16)
    if w is None or groups == 1 or c * per_group > 20000:
        return None
    kernel, data, dilations, out = w
    y = n.emit('GroupConvolution', [x, n.weights(groups, per_group, c // groups, *kernel)], (batch, groups * per_group, *out), dilations=dilations, **data)
    return activation_after(n, biased(n, y))


def deconvolution(n):
    x = n.image(8000)
    if x is None:
        return None
    batch, c, *sizes = n.shape[x]
    groups = n.one_of(c, 2) if n.chance(0.3) and c % 2 == 0 else 1
    c_out = groups * (1 if groups == c else n.one_of(1, 2, 4, 8, 12, 16))
    k, s, p = [n.one_of(1, 2, 2, 3, 3, 4, 4, 5, 8) for _ in sizes], [n.one_of(1, 2, 2, 3, 4) for _ in sizes], [n.integer(0, 2) for _ in sizes]
    if n.chance(0.8):
        k, s, p = k[:1] * 2, s[:1] * 2, p[:1] * 2
    extra = [n.integer(0, stride - 1) if n.chance(0.2) else 0 for stride in s]
    out = [(size - 1) * stride + kernel - 2 * pad + more for size, stride, kernel, pad, more in zip(sizes, s, k, p, extra)]
    if min(out) < 1 or any(pad >= kernel for pad, kernel in zip(p, k)) or c * c_out > 8000 or batch * c_out * out[0] * out[1] > 80000:
        return None
    weights = n.weights(groups, c // groups, c_out // groups, *k) if groups > 1 else n.weights(c, c_out, *k)
    inputs, data = [x, weights], dict(strides=s, dilations=[1, 1], pads_begin=p, pads_end=p, output_padding=extra, auto_pad='explicit')
    if n.chance(0.15):
        inputs, data = inputs + [n.ints(*(size * stride for size, stride in zip(sizes, s)))], dict(strides=s, dilations=[1, 1], output_padding=[0, 0], auto_pad=n.one_of('same_upper', 'same_lower'))
        out = [size * stride for size, stride in zip(sizes, s)]
    y = n.emit('GroupConvolutionBackpropData' if groups > 1 else 'ConvolutionBackpropData', inputs, (batch, c_out, *out), **data)
    return activation_after(n, biased(n, y))


def pool(n, rank):
    x = n.pick(rank=rank, limit=60000)
    if x is None:
        return None
    batch, c, *sizes = n.shape[x]
    kind, rounding = n.one_of('MaxPool', 'AvgPool'), n.one_of('floor', 'floor', 'ceil')
    if n.chance(0.12):
        kernel, data, out = list(sizes), dict(strides=[1] * len(sizes), pads_begin=[0] * len(sizes), pads_end=[0] * len(sizes), auto_pad=n.one_of('explicit', 'valid')), [1] * len(sizes)
    else:
        w = window(n, sizes, n.one_of((2,), (3,), (1, 2, 3, 4, 5, 7, 9)), pads='any')
        if w is None:
            return None
        kernel, data, _, out = w
        if rounding == 'ceil' and data['auto_pad'] in ('explicit', 'valid'):
            out = [-(-(size + b + e - k) // s) + 1 for size, k, s, b, e in zip(sizes, kernel, data['strides'], data['pads_begin'], data['pads_end'])]
            if any((o - 1) * s >= size + b for o, s, size, b in zip(out, data['strides'], sizes, data['pads_begin'])):
                return None                          # a window that lies in the padding altogether
    if any(max(b, e) >= k and k > 1 or k == 1 and (b or e) for k, b, e in zip(kernel, data['pads_begin'], data['pads_end'])):
        return None
    more = {'exclude_pad': n.chance(0.6)} if kind == 'AvgPool' else {}
    return n.emit(kind, [x], (batch, c, *out), kernel=kernel, rounding_type=rounding, **data, **more)


def pooling(n):
    return pool(n, 4)


def pooling_1d(n):
    return pool(n, 3)


def pooling_3d(n):
    return pool(n, 5)


LAYERS = {convolution: 10, convolution_1d: 1, convolution_3d: 0.5, group_convolution: 4, deconvolution: 2.5, pooling: 6, pooling_1d: 0.5, pooling_3d: 0.5}
