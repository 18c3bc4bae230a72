#!/usr/bin/env python3
"""The networks of the golden tests: small, seeded, covering what the compiler does. models.py DIR writes them as IRs."""
import os
import sys

from ir_builder import Net


def convolutions(n):
    x = n.input(1, 3, 40, 56)
    a = n.relu(n.conv(x, 3, 16, s=2))
    b = n.relu(n.group_conv(a, 16, 16, 16))
    c = n.group_conv(b, 2, 16, 32)
    d = n.conv(c, 32, 24, d=2)                      # dilated: in software
    n.result(n.conv(d, 24, 40, k=1), n.conv(c, 32, 8, k=5, s=3, p=1))


def activations(n):
    x = n.conv(n.input(1, 4, 24, 24), 4, 16)
    y = []
    for kind, version, more in (('Sigmoid', 'opset1', {}), ('Tanh', 'opset1', {}), ('Elu', 'opset1', {'alpha': 0.7}), ('Clamp', 'opset1', {'min': -0.3, 'max': 0.9}), ('HSwish', 'opset4', {}),
                                ('Mish', 'opset4', {}), ('SoftPlus', 'opset4', {})):
        y.append(n.layer(kind, [n.conv(x, 16, 8, k=1)], version=version, **more))
    y.append(n.layer('PReLU', [n.conv(x, 16, 8, k=1), n.normal(8, scale=0.2)]))
    y.append(n.layer('Swish', [n.conv(x, 16, 8, k=1)], version='opset4'))
    n.result(n.concat(*y))


def leaky(n):
    x = n.conv(n.input(1, 3, 32, 32), 3, 32)
    n.result(n.layer('PReLU', [n.conv(n.layer('PReLU', [x, n.const([0.125])]), 32, 32), n.const([0.1])]))


def pools(n):
    x = n.relu(n.conv(n.input(1, 3, 36, 36), 3, 16))
    a = n.pool(x, 'MaxPool', 3, 2, 1)
    b = n.pool(x, 'AvgPool', 2, 2)
    c = n.pool(n.pool(x, 'MaxPool', 3, 2, 0, 'ceil'), 'AvgPool', 3, 1, 1)
    n.result(n.concat(a, b), c, n.reduce(x, 'ReduceMean', 2, 3), n.pool(x, 'MaxPool', 5, 1, 2))


def fire(n):
    x = n.pool(n.relu(n.conv(n.input(1, 3, 63, 63), 3, 32, s=2, p=0)), 'MaxPool', 3, 2, 0, 'ceil')
    for c_in, squeeze, expand in ((32, 8, 32), (64, 16, 48)):
        s = n.relu(n.conv(x, c_in, squeeze, k=1))
        x = n.concat(n.relu(n.conv(s, squeeze, expand, k=1)), n.relu(n.conv(s, squeeze, expand)))
    n.result(n.layer('SoftMax', [n.reshape(n.reduce(n.conv(x, 96, 10, k=1), 'ReduceMean', 2, 3), 0, -1)], axis=1))


def inverted_residual(n):
    x = n.relu(n.conv(n.input(1, 3, 48, 48), 3, 16, s=2))
    y = n.layer('Clamp', [n.conv(x, 16, 64, k=1)], min=0, max=6)
    y = n.layer('Clamp', [n.group_conv(y, 64, 64, 64)], min=0, max=6)
    gate = n.layer('Sigmoid', [n.conv(n.reduce(y, 'ReduceMean', 2, 3), 64, 64, k=1)])
    n.result(n.add(x, n.conv(n.mul(y, gate), 64, 16, k=1)))


def residual(n):
    x = n.pool(n.relu(n.conv(n.input(1, 3, 64, 64), 3, 32, k=7, s=2, p=3)), 'MaxPool', 3, 2, 1)
    y = n.relu(n.add(n.conv(n.relu(n.conv(x, 32, 32)), 32, 32), x))
    y = n.relu(n.add(n.conv(n.relu(n.conv(y, 32, 64, s=2)), 64, 64), n.conv(y, 32, 64, k=1, s=2)))
    n.result(n.fc(n.reshape(n.reduce(y, 'ReduceMean', 2, 3), 0, -1), 64, 100))


def encoder_decoder(n):
    x = n.relu(n.conv(n.input(1, 3, 32, 32), 3, 16))
    down = n.relu(n.conv(n.pool(x), 16, 32))
    up = n.concat(n.deconv(down, 32, 16), x)
    nearest = n.interpolate(down, 32, 32)
    linear = n.interpolate(down, 24, 24, 'linear_onnx', 'half_pixel')
    n.result(n.conv(up, 32, 2, k=1), n.conv(nearest, 32, 4), linear)


def slicing(n):
    x = n.conv(n.input(1, 3, 30, 30), 3, 24)
    a, b, c = n.layer('Split', [x, n.const(1, 'i64')], outputs=3, num_splits=3)
    d, e = n.layer('VariadicSplit', [a, n.const(2, 'i64'), n.ints(11, 19)], outputs=2)
    f = n.layer('StridedSlice', [b, n.ints(0, 0, 5, 3), n.ints(0, 0, 0, 0), n.ints(1, 1, 1, 1)], begin_mask=[1, 1, 0, 0], end_mask=[1, 1, 1, 1], new_axis_mask=[0] * 4, shrink_axis_mask=[0] * 4, ellipsis_mask=[0] * 4)
    g = n.layer('Pad', [c, n.ints(0, 0, 1, 2), n.ints(0, 0, 3, 0), n.const(0.5)], pad_mode='constant')
    n.result(n.relu(d), n.relu(e), n.relu(f), g)


def shapes(n):
    x = n.conv(n.input(1, 3, 16, 20), 3, 12)
    y = n.transpose(x, 0, 2, 3, 1)
    z = n.layer('SoftMax', [n.reshape(y, 1, 320, 12)], axis=2)
    w = n.transpose(n.reshape(x, 1, 3, 4, 16, 20), 0, 2, 1, 3, 4)
    n.result(z, n.relu(n.reshape(w, 1, 12, 320)), n.layer('Squeeze', [n.reduce(x, 'ReduceMax', 1), n.ints(1)]))


def element_wise(n):
    a, b = n.input(1, 8, 14, 14, name='a'), n.input(1, 8, 14, 14, name='b')
    y = [n.layer(kind, [a, b], auto_broadcast='numpy') for kind in ('Add', 'Subtract', 'Multiply', 'Divide', 'Maximum', 'Minimum', 'SquaredDifference')]
    y.append(n.mul(n.add(a, n.const([0.5])), n.const([3.0])))
    y.append(n.add(n.mul(b, n.normal(1, 8, 1, 1, scale=1)), n.normal(1, 8, 1, 1, scale=1)))
    y.append(n.layer('Power', [b, n.const(2.0)]))
    n.result(n.concat(*y))


def normalization(n):
    x = n.conv(n.input(1, 3, 20, 20), 3, 16)
    a = n.layer('LRN', [x, n.ints(1)], alpha=0.0001, beta=0.75, bias=1.0, size=5)
    one = lambda: n.const(abs(n.random.standard_normal(16)) + 0.5)
    b = n.layer('BatchNormInference', [n.conv(x, 16, 16, bias=False), one(), one(), one(), one()], version='opset5', epsilon=1e-5)
    n.result(a, n.relu(b))


def scalars(n):
    x = n.conv(n.input(1, 3, 8, 8), 3, 8)
    n.result(n.relu(n.mul(n.reduce(x, 'ReduceMean', 0, 1, 2, 3, keep=False), n.const(2.0))))


def many_tiles(n):
    x = n.relu(n.conv(n.input(1, 3, 160, 160), 3, 64))
    n.result(n.relu(n.conv(n.pool(x, 'MaxPool', 3, 2, 1), 64, 96)), n.conv(n.reduce(x, 'ReduceMean', 2, 3), 64, 300, k=1))


def wide(n):
    n.result(n.conv(n.relu(n.conv(n.input(1, 512, 14, 14), 512, 640)), 640, 64))


def batch(n):
    n.result(n.relu(n.conv(n.pool(n.relu(n.conv(n.input(4, 3, 24, 24), 3, 16))), 16, 8)))


def rows_by_mask(n):
    """As many rows of a table as a mask says, and what may follow them."""
    found = n.layer('NonZero', [n.input(8, name='mask')], version='opset3', output_type='i32')
    x = n.layer('Gather', [n.input(8, 6, name='table'), n.layer('Squeeze', [found, n.ints(0)]), n.const(0, 'i64')])
    y = n.concat(n.relu(x), n.add(x, n.layer('Sigmoid', [x])), axis=1)
    columns = n.layer('StridedSlice', [y, n.ints(0, 2), n.ints(0, 9), n.ints(1, 1)], begin_mask=[1, 0], end_mask=[1, 0], new_axis_mask=[0, 0], shrink_axis_mask=[0, 0], ellipsis_mask=[0, 0])
    n.result(n.fc(n.layer('SoftMax', [columns], axis=1), 7, 5), n.reshape(n.transpose(y, 1, 0), 3, 4, -1))


def chosen_boxes(n):
    boxes, scores = n.input(1, 30, 4, name='boxes'), n.input(1, 2, 30, name='scores')
    kept = n.layer('NonMaxSuppression', [boxes, scores, n.const(5, 'i64'), n.const(0.5), n.const(0.1)], version='opset5', outputs=3, box_encoding='corner', sort_result_descending=False, output_type='i64')[0]
    rows = n.layer('Squeeze', [n.layer('Gather', [kept, n.ints(2), n.const(1, 'i64')]), n.ints(1)])
    n.result(n.layer('Gather', [boxes, rows, n.const(1, 'i64')]))


def old_forms(n):
    x = n.conv(n.input(1, 3, 12, 12), 3, 8)
    a = n.layer('LRN', [x, n.ints(1, 2, 3)], alpha=0.0001, beta=0.75, bias=1.0, size=3)
    flat, h, c = n.reshape(n.reduce(a, 'ReduceMean', 2, 3), 0, -1), n.input(1, 6, name='h'), n.input(1, 6, name='c')
    n.result(*n.layer('LSTMCell', [flat, h, c, n.normal(24, 8), n.normal(24, 6), n.normal(24, scale=0.1)], outputs=2, hidden_size=6))


def eliminated(n):
    """A Gather of everything, of opset 7, and a Pad that a transposed convolution swallows."""
    x = n.conv(n.input(1, 3, 12, 12), 3, 8)
    a = n.relu(n.layer('Gather', [x, n.ints(*range(8)), n.const(1, 'i64')], version='opset7', batch_dims=0))
    n.result(n.deconv(n.layer('Pad', [a, n.ints(0, 0, 1, 1), n.ints(0, 0, 1, 1), n.const(0.0)], pad_mode='constant'), 8, 6, 4, 2, 3), n.relu(x))


def sums_of_products(n):
    """Einsum: attention, an outer product, a sum over two axes, a chain."""
    x = n.reshape(n.conv(n.input(1, 3, 6, 8), 3, 16), 1, 2, 8, 48)
    scores = n.layer('Einsum', [x, n.relu(x)], version='opset7', equation='bhid,bhjd->bhij')
    y = n.layer('Einsum', [n.layer('SoftMax', [scores], axis=3), x], version='opset7', equation='bhij,bhjd->bihd')
    z = n.layer('Einsum', [y, n.normal(2, 48, 10)], version='opset7', equation='bihd,hdo->bio')
    n.result(z, n.layer('Einsum', [n.reshape(z, 8, 10), n.normal(5)], version='opset7', equation='ab,c->cab'))


def unstated(n):
    """A slice that states no strides, a factor behind a deconvolution that states its shape, a constant that is weights here and data there."""
    rows, image = n.input(1, 14, 32, name='rows'), n.input(1, 4, 9, 9, name='image')
    cut = n.layer('StridedSlice', [rows, n.ints(0, 2, 3), n.ints(1, 9, 20)], begin_mask=[0] * 3, end_mask=[0] * 3, new_axis_mask=[0] * 3, shrink_axis_mask=[0] * 3, ellipsis_mask=[0] * 3)
    wide = n.layer('ConvolutionBackpropData', [image, n.normal(4, 3, 3, 3), n.ints(18, 18)], strides=[2, 2], dilations=[1, 1], output_padding=[0, 0], auto_pad='same_upper')
    values = n.normal(1, 4, 1, 1)
    put = n.layer('ScatterElementsUpdate', [n.mul(image, values), n.const([[[[3]]] * 4], 'i32'), values, n.const(2, 'i64')], version='opset3')
    n.result(cut, n.mul(wide, n.normal(1, 3, 1, 1)), put)


def renamed(n):
    """Broadcasts that change nothing: one gives its name to an output, one is not dropped before a FloorMod."""
    x = n.layer('Sigmoid', [n.input(1, 4, 9, 10, type='f32')])
    same = n.layer('Broadcast', [x, n.ints(1, 4, 9, 10)], version='opset3', mode='numpy')
    n.result(x, n.relu(same), n.layer('FloorMod', [n.const(abs(n.random.standard_normal((1, 4, 9, 10))) + 0.5, 'f32'), same], auto_broadcast='numpy'))


def shaped_input(n):
    """Nothing but changes of shape between an input and an output."""
    n.result(n.layer('Unsqueeze', [n.layer('Unsqueeze', [n.input(3, 4), n.ints(0)]), n.ints(3)]))


def lone_priors(n):
    """Prior boxes of inputs that nothing else reads."""
    a, b = n.input(1, 8, 6, 5, name='map'), n.input(1, 3, 48, 40, name='image')
    side = lambda x: n.layer('StridedSlice', [n.layer('ShapeOf', [x], version='opset3', output_type='i64'), n.ints(2), n.ints(4), n.ints(1)], begin_mask=[0], end_mask=[0], new_axis_mask=[0], shrink_axis_mask=[0], ellipsis_mask=[0])
    boxes = n.layer('PriorBox', [side(a), side(b)], min_size=[8.0], max_size=[16.0], aspect_ratio=[2.0], flip=True, clip=False, step=8, offset=0.5, variance=[0.1, 0.1, 0.2, 0.2], scale_all_sizes=True)
    n.result(n.layer('Unsqueeze', [boxes, n.ints(0)]), n.relu(n.conv(n.input(1, 3, 8, 8, name='other'), 3, 8)))


def kept_apart(n):
    """A gate that something else reads too, an output with two names, constants of different ranks."""
    x = n.relu(n.input(1, 8, 2, 5, 4, type='f32'))
    gate = n.layer('HSigmoid', [x], version='opset5')
    floor = n.reshape(n.layer('Floor', [n.input(1, 194, name='row', type='f32')]), 1, 194)
    shifted = n.layer('Subtract', [n.mul(x, n.const([[[[[0.5]]]]], 'f32')), n.const(n.random.standard_normal((8, 1, 1, 1)), 'f32')], auto_broadcast='numpy')
    n.result(n.mul(x, gate), n.relu(gate), floor, n.relu(n.layer('Tile', [floor, n.ints(1, 1)])), shifted)


def long_sum(n):
    """More numbers than FP16 can count."""
    n.result(n.reduce(n.input(1, 70000), 'ReduceSum', 1), n.relu(n.conv(n.input(1, 3, 8, 8, name='other'), 3, 8)))


def rows_in_cmx(n):
    """Two layers of a transformer: products become a convolution for every row, whose copies into one buffer are left out while
    it fits into CMX."""
    rows, width = 48, 96
    x = n.reshape(n.input(1, rows * width), rows, width)
    for inner in (2 * width, 6 * width):
        y = n.relu(n.fc(x, width, inner))
        x = n.add(x, n.fc(y, inner, width))
    n.result(n.layer('SoftMax', [x], axis=1))


MODELS = [convolutions, activations, leaky, pools, fire, inverted_residual, residual, encoder_decoder, slicing, shapes, element_wise, normalization, many_tiles, wide, batch, scalars,
          rows_by_mask, chosen_boxes, old_forms, eliminated, sums_of_products, unstated, renamed, shaped_input, lone_priors, kept_apart, long_sum, rows_in_cmx]

# name -> arguments of `blobsmith compile`
OPTIONS = {
    'luxonis': ['-ip', 'U8', '-VPU_NUMBER_OF_SHAVES', '6', '-VPU_NUMBER_OF_CMX_SLICES', '6'],
    'default': [],
    'fp32': ['-ip', 'FP32', '-op', 'FP32', '-VPU_NUMBER_OF_SHAVES', '4', '-VPU_NUMBER_OF_CMX_SLICES', '4'],
    'one': ['-VPU_NUMBER_OF_SHAVES', '1', '-VPU_NUMBER_OF_CMX_SLICES', '1'],
    'nohw': ['-c', 'MYRIAD_ENABLE_HW_ACCELERATION=NO', '-VPU_NUMBER_OF_SHAVES', '6', '-VPU_NUMBER_OF_CMX_SLICES', '6'],
}


def write(folder):
    os.makedirs(folder, exist_ok=True)
    for seed, build in enumerate(MODELS):
        net = Net(build.__name__, seed)
        build(net)
        net.save(os.path.join(folder, build.__name__))
    return [m.__name__ for m in MODELS]


if __name__ == '__main__':
    print(*write(sys.argv[1]), sep='\n')
