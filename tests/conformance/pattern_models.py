"""Networks that write one operation as several: what the fusions of the reference look for, in every form it knows and near misses (front-end spec §5.4).

CASES as in single_op_models.py.
"""
import itertools

CASES = []
SHAPE = (1, 8, 12, 10)


def case(op, variant, build):
    CASES.append((op, variant, build))


def chain(op, variant, build, shape=SHAPE, surround=True):
    """build(net, x) between two activations."""
    def network(n):
        x = n.input(*shape)
        y = build(n, n.relu(x) if surround else x)
        n.result(n.layer('Sigmoid', [y]) if surround else y)
    case(op, variant, network)


def un(n, op, x, version='opset1', **data):
    return n.layer(op, [x], version=version, **data)


def bi(n, op, a, b):
    return n.layer(op, [a, b], auto_broadcast='numpy')


def c(n, v):
    return n.const([v])


# ---- activations
def gelu_erf(n, x, root=2 ** 0.5, form=0, divide=True):
    e = un(n, 'Erf', bi(n, 'Divide', x, c(n, root)) if divide else bi(n, 'Multiply', x, c(n, 1 / root)))
    one = bi(n, 'Add', e, c(n, 1.0))
    if form == 0:
        return bi(n, 'Multiply', bi(n, 'Multiply', x, c(n, 0.5)), one)
    if form == 1:
        return bi(n, 'Multiply', bi(n, 'Multiply', x, one), c(n, 0.5))
    return bi(n, 'Multiply', x, bi(n, 'Multiply', one, c(n, 0.5)))


for form, divide in itertools.product((0, 1, 2), (True, False)):
    chain('Gelu pattern', f'form {form} {"divide" if divide else "multiply"}', lambda n, x, f=form, d=divide: gelu_erf(n, x, form=f, divide=d))
chain('Gelu pattern', 'wrong root', lambda n, x: gelu_erf(n, x, root=1.5))
chain('Gelu pattern', '2d', lambda n, x: gelu_erf(n, x), shape=(5, 12))
chain('Swish pattern', 'sigmoid', lambda n, x: bi(n, 'Multiply', x, un(n, 'Sigmoid', x)))
chain('Swish pattern', 'sigmoid first', lambda n, x: bi(n, 'Multiply', un(n, 'Sigmoid', x), x))
chain('Swish pattern', 'beta', lambda n, x: bi(n, 'Multiply', x, un(n, 'Sigmoid', bi(n, 'Multiply', x, c(n, 1.7)))))
chain('Swish pattern', 'exponent', lambda n, x: bi(n, 'Divide', x, bi(n, 'Add', un(n, 'Exp', un(n, 'Negative', x)), c(n, 1.0))))
chain('Swish pattern', 'exponent beta', lambda n, x: bi(n, 'Divide', x, bi(n, 'Add', un(n, 'Exp', un(n, 'Negative', bi(n, 'Multiply', x, n.const(1.5)))), c(n, 1.0))))
chain('SoftPlus pattern', 'plain', lambda n, x: un(n, 'Log', bi(n, 'Add', un(n, 'Exp', x), c(n, 1.0))))
chain('SoftPlus pattern', 'not one', lambda n, x: un(n, 'Log', bi(n, 'Add', un(n, 'Exp', x), c(n, 2.0))))
chain('Mish pattern', 'plain', lambda n, x: bi(n, 'Multiply', x, un(n, 'Tanh', un(n, 'Log', bi(n, 'Add', un(n, 'Exp', x), c(n, 1.0))))))
chain('Mish pattern', 'SoftPlus', lambda n, x: bi(n, 'Multiply', x, un(n, 'Tanh', un(n, 'SoftPlus', x, 'opset4'))))


def relu6(n, x, form):
    y = bi(n, 'Add', x, c(n, 3.0))
    if form == 'relu':
        return bi(n, 'Minimum', n.relu(y), c(n, 6.0))
    if form == 'max':
        return bi(n, 'Minimum', bi(n, 'Maximum', y, c(n, 0.0)), c(n, 6.0))
    return n.layer('Clamp', [y], min=0, max=6)


for form, last in itertools.product(('relu', 'max', 'clamp'), ('divide', 'multiply')):
    scale = (lambda n, y, l=last: bi(n, 'Divide', y, c(n, 6.0)) if l == 'divide' else bi(n, 'Multiply', y, c(n, 1 / 6)))
    chain('HSigmoid pattern', f'{form} {last}', lambda n, x, f=form, s=scale: s(n, relu6(n, x, f)))
    chain('HSwish pattern', f'{form} {last} last', lambda n, x, f=form, s=scale: s(n, bi(n, 'Multiply', x, relu6(n, x, f))))
    chain('HSwish pattern', f'{form} {last} first', lambda n, x, f=form, s=scale: bi(n, 'Multiply', x, s(n, relu6(n, x, f))))
chain('HSwish pattern', 'HSigmoid', lambda n, x: bi(n, 'Multiply', x, un(n, 'HSigmoid', x, 'opset5')))
chain('Clamp pattern', 'max min', lambda n, x: bi(n, 'Minimum', bi(n, 'Maximum', x, c(n, 0.1)), c(n, 0.9)))
chain('Clamp pattern', 'min max', lambda n, x: bi(n, 'Maximum', bi(n, 'Minimum', x, c(n, 0.9)), c(n, 0.1)))


# ---- normalization
def softmax(n, x, axis, keep=True):
    top = n.reduce(x, 'ReduceMax', axis, keep=keep)
    e = un(n, 'Exp', bi(n, 'Subtract', x, top))
    return bi(n, 'Divide', e, n.reduce(e, 'ReduceSum', axis, keep=keep))


for axis in (1, 3, -1):
    chain('Softmax pattern', f'axis {axis}', lambda n, x, a=axis: softmax(n, x, a))


def layer_norm(n, x, axes, inside, power=True, weights=None, root='Sqrt'):
    mean = n.reduce(x, 'ReduceMean', *axes)
    d = bi(n, 'Subtract', x, mean)
    square = bi(n, 'Power', d, n.const(2.0)) if power else bi(n, 'Multiply', d, d)
    var = n.reduce(square, 'ReduceMean', *axes)
    sqrt = (lambda v: un(n, 'Sqrt', v)) if root == 'Sqrt' else (lambda v: bi(n, 'Power', v, n.const(0.5)))
    below = sqrt(bi(n, 'Add', var, c(n, 1e-3))) if inside else bi(n, 'Add', sqrt(var), c(n, 1e-3))
    y = bi(n, 'Divide', d, below)
    if weights:
        y = n.add(n.mul(y, n.normal(*weights, scale=1)), n.normal(*weights, scale=1))
    return y


for axes, inside, power in itertools.product(((2, 3), (3,), (-1,), (1, 2, 3)), (True, False), (True, False)):
    chain('MVN pattern', f'{axes} {"inside" if inside else "outside"} {"power" if power else "product"}', lambda n, x, a=axes, i=inside, p=power: layer_norm(n, x, a, i, p))
chain('MVN pattern', 'power root', lambda n, x: layer_norm(n, x, (3,), True, True, root='Power'))
chain('MVN pattern', 'weights', lambda n, x: layer_norm(n, x, (3,), True, True, (10,)))
chain('MVN pattern', 'weights 3d', lambda n, x: layer_norm(n, x, (-1,), True, True, (16,)), shape=(1, 7, 16))
chain('MVN pattern', 'channel weights', lambda n, x: layer_norm(n, x, (2, 3), True, True, (1, 8, 1, 1)))


def transformer_norm(n, x, shape):
    """The form in which the scale is folded into the reciprocal root (BERT)."""
    mean = n.reduce(x, 'ReduceMean', -1)
    d = bi(n, 'SquaredDifference', x, mean)
    scale = bi(n, 'Multiply', bi(n, 'Power', bi(n, 'Add', n.reduce(d, 'ReduceMean', -1), c(n, 1e-3)), n.const(-0.5)), n.normal(shape, scale=1))
    return bi(n, 'Add', bi(n, 'Multiply', x, scale), bi(n, 'Subtract', n.normal(shape, scale=1), bi(n, 'Multiply', mean, scale)))


chain('MVN pattern', 'reciprocal root', lambda n, x: transformer_norm(n, x, 16), shape=(1, 7, 16))


def l2(n, x, form, axis=1):
    square = bi(n, 'Power', x, n.const(2.0))
    root = un(n, 'Sqrt', n.reduce(square, 'ReduceSum', axis))
    return bi(n, 'Divide', x, bi(n, form, root, c(n, 1e-3)) if form else root)


for form in ('Maximum', 'Add', None):
    chain('NormalizeL2 pattern', f'{form}', lambda n, x, f=form: l2(n, x, f))


# ---- moving blocks
def blocks(n, x, first, order, last):
    return n.reshape(n.transpose(n.reshape(x, *first), *order), *last)


chain('DepthToSpace pattern', 'blocks first', lambda n, x: blocks(n, x, (1, 2, 2, 2, 12, 10), (0, 3, 4, 1, 5, 2), (1, 2, 24, 20)))
chain('DepthToSpace pattern', 'depth first', lambda n, x: blocks(n, x, (1, 2, 2, 2, 12, 10), (0, 1, 4, 2, 5, 3), (1, 2, 24, 20)))
chain('DepthToSpace pattern', 'other', lambda n, x: blocks(n, x, (1, 2, 2, 2, 12, 10), (0, 1, 4, 3, 5, 2), (1, 2, 24, 20)))
chain('SpaceToDepth pattern', 'focus', lambda n, x: blocks(n, x, (1, 8, 6, 2, 5, 2), (0, 3, 5, 1, 2, 4), (1, 32, 6, 5)))
chain('ShuffleChannels pattern', '5d', lambda n, x: blocks(n, x, (1, 2, 4, 12, 10), (0, 2, 1, 3, 4), (1, 8, 12, 10)))
chain('ShuffleChannels pattern', '4d', lambda n, x: blocks(n, x, (1, 2, 4, 120), (0, 2, 1, 3), (1, 8, 12, 10)))
chain('ShuffleChannels pattern', '3d', lambda n, x: blocks(n, x, (2, 4, 120), (1, 0, 2), (1, 8, 12, 10)))


def dilated(n, x, block=(1, 1, 2, 2), begin=(0, 0, 2, 2), end=(0, 0, 2, 2), crop_end=(0, 0, 0, 0), group=False):
    y = n.layer('SpaceToBatch', [x, n.ints(*block), n.ints(*begin), n.ints(*end)], version='opset2')
    if group:
        y = n.layer('GroupConvolution', [y, n.normal(8, 1, 1, 3, 3)], strides=[1, 1], dilations=[1, 1], pads_begin=[0, 0], pads_end=[0, 0])
    else:
        y = n.layer('Convolution', [y, n.normal(6, 8, 3, 3)], strides=[1, 1], dilations=[1, 1], pads_begin=[0, 0], pads_end=[0, 0])
    return n.layer('BatchToSpace', [y, n.ints(*block), n.ints(0, 0, 0, 0), n.ints(*crop_end)], version='opset2')


chain('dilated pattern', 'block 2', dilated)
chain('dilated pattern', 'group', lambda n, x: dilated(n, x, group=True))
chain('dilated pattern', 'cropped', lambda n, x: dilated(n, x, end=(0, 0, 4, 4), crop_end=(0, 0, 2, 2)))


def space_to_batch(n, x, pad=False):
    if pad:
        x = n.layer('Pad', [x, n.ints(0, 0, 1, 1), n.ints(0, 0, 1, 1), n.const(0.0)], pad_mode='constant')
    y = n.transpose(x, 1, 0, 2, 3)
    y = n.layer('SpaceToDepth', [y], mode='blocks_first', block_size=2)
    return n.transpose(y, 1, 0, 2, 3)


chain('SpaceToBatch pattern', 'transposes', lambda n, x: space_to_batch(n, x))
chain('SpaceToBatch pattern', 'pad', lambda n, x: space_to_batch(n, x, True))
case('BatchToSpace pattern', 'transposes', lambda n: n.result(n.relu(n.transpose(n.layer('DepthToSpace', [n.transpose(n.reshape(n.input(1, 8, 12, 10), 4, 2, 12, 10), 1, 0, 2, 3)], mode='blocks_first', block_size=2), 1, 0, 2, 3))))
case('BatchToSpace pattern', 'reshapes', lambda n: n.result(n.relu(n.reshape(n.layer('DepthToSpace', [n.reshape(n.reshape(n.input(1, 4, 12, 10), 4, 1, 12, 10), 1, 4, 12, 10)], mode='blocks_first', block_size=2), 1, 1, 24, 20))))

# ---- pads
PADDED = {
    'MaxPool': lambda n, x: n.pool(x, 'MaxPool', 3, 2, 1),
    'AvgPool': lambda n, x: n.layer('AvgPool', [x], kernel=[3, 3], strides=[2, 2], pads_begin=[0, 0], pads_end=[0, 0], rounding_type='floor', exclude_pad=True),
    'AvgPool padded': lambda n, x: n.layer('AvgPool', [x], kernel=[3, 3], strides=[2, 2], pads_begin=[1, 1], pads_end=[1, 1], rounding_type='floor', exclude_pad=True),
    'AvgPool including': lambda n, x: n.layer('AvgPool', [x], kernel=[3, 3], strides=[2, 2], pads_begin=[1, 1], pads_end=[1, 1], rounding_type='floor', exclude_pad=False),
    'Convolution': lambda n, x: n.conv(x, 8, 6, p=1),
    'GroupConvolution': lambda n, x: n.group_conv(x, 8, 8, 8),
    'ConvolutionBackpropData': lambda n, x: n.deconv(x, 8, 6, 4, 2, 3),
    'GroupConvolutionBackpropData': lambda n, x: n.layer('GroupConvolutionBackpropData', [x, n.normal(8, 1, 1, 4, 4)], strides=[2, 2], dilations=[1, 1], pads_begin=[3, 3], pads_end=[3, 3]),
}
for op, build in PADDED.items():
    for name, begin, end, mode, value in (('zeros', (0, 0, 1, 1), (0, 0, 1, 2), 'constant', 0.0), ('ones', (0, 0, 1, 1), (0, 0, 1, 2), 'constant', 1.0), ('edge', (0, 0, 1, 1), (0, 0, 1, 2), 'edge', 0.0),
                                          ('none stated', (0, 0, 0, 1), (0, 0, 1, 0), 'constant', None)):
        chain(f'Pad before {op}', name, lambda n, x, b=build, lo=begin, hi=end, m=mode, v=value: b(n, n.layer('Pad', [x, n.ints(*lo), n.ints(*hi)] + ([n.const(v)] if v is not None else []), pad_mode=m)))


# ---- shapes and slices
def spread(n, x, begins, ends, axis=1):
    full = [0] * 4

    def cut(b, e):
        begin, end = list(full), list(full)
        begin[axis], end[axis] = b, e
        return n.layer('StridedSlice', [x, n.ints(*begin), n.ints(*end), n.ints(1, 1, 1, 1)], begin_mask=[int(i != axis) for i in range(4)], end_mask=[int(i != axis) for i in range(4)], new_axis_mask=full, shrink_axis_mask=full, ellipsis_mask=full)
    return n.concat(*(n.relu(cut(b, e)) for b, e in zip(begins, ends)), axis=axis)


chain('slices', 'adjacent', lambda n, x: spread(n, x, (0, 3), (3, 8)))
chain('slices', 'gaps', lambda n, x: spread(n, x, (1, 5), (3, 7)))
chain('slices', 'overlapping', lambda n, x: spread(n, x, (0, 2), (4, 8)))
chain('slices', 'equal', lambda n, x: spread(n, x, (0, 0), (4, 4)))
chain('slices', 'whole', lambda n, x: spread(n, x, (0, 0), (8, 8)))
chain('slices', 'axis 3', lambda n, x: spread(n, x, (0, 5), (5, 10), 3))
chain('slices', 'three', lambda n, x: spread(n, x, (0, 2, 4), (2, 4, 8)))
chain('transposes', 'two', lambda n, x: n.transpose(n.transpose(x, 0, 2, 3, 1), 0, 3, 1, 2))
chain('transposes', 'two others', lambda n, x: n.transpose(n.transpose(x, 0, 2, 3, 1), 0, 2, 1, 3))
chain('transposes', 'before a reduction', lambda n, x: n.reduce(n.transpose(x, 0, 2, 3, 1), 'ReduceMean', 1, 2))
chain('transposes', 'before a reduction without axes', lambda n, x: n.reduce(n.transpose(x, 0, 2, 3, 1), 'ReduceMax', 3, keep=False))
chain('transposes', 'before Squeeze', lambda n, x: n.layer('Squeeze', [n.transpose(n.reduce(x, 'ReduceMean', 2), 0, 2, 3, 1), n.ints(1)]))
chain('transposes', 'of ones', lambda n, x: n.transpose(n.reduce(x, 'ReduceMax', 2, 3), 0, 2, 3, 1))
chain('transposes', 'of one 1', lambda n, x: n.transpose(n.reduce(x, 'ReduceMax', 1), 0, 2, 3, 1))


def split_squeeze_concat(n, x):
    parts = n.layer('Split', [x, n.const(2, 'i64')], outputs=12, num_splits=12)
    return n.concat(*(n.layer('Squeeze', [p, n.ints(2)]) for p in parts), axis=2)


chain('Split Squeeze Concat', 'all in order', split_squeeze_concat)
chain('reshapes', 'chain', lambda n, x: n.reshape(n.reshape(n.reshape(x, 1, 96, 10), 4, 24, 10), 1, 8, 10, 12))
chain('reshapes', 'Squeeze Unsqueeze', lambda n, x: n.layer('Unsqueeze', [n.layer('Squeeze', [x, n.ints(0)]), n.ints(0)]))
chain('reshapes', 'Unsqueeze Reshape', lambda n, x: n.reshape(n.layer('Unsqueeze', [x, n.ints(0)]), 1, 8, 120))
chain('Gather', 'of Unsqueeze', lambda n, x: n.layer('Gather', [n.layer('Unsqueeze', [x, n.ints(0)]), n.const(0, 'i64'), n.const(0, 'i64')]))
chain('Broadcast', 'before Add', lambda n, x: n.add(x, n.layer('Broadcast', [n.normal(1, 8, 1, 1), n.ints(1, 8, 12, 10)], version='opset3', mode='numpy')))
chain('Broadcast', 'of a reduction before Multiply', lambda n, x: n.mul(x, n.layer('Broadcast', [n.reduce(x, 'ReduceMean', 2, 3), n.ints(1, 8, 12, 10)], version='opset3', mode='numpy')))


# ---- arithmetic
def gather_elements(n, x, also=False, axis=2):
    """What MergeGatherGatherElements looks for."""
    y = n.layer('Squeeze', [n.layer('Gather', [n.reshape(x, 8, 12, 10), n.const([[1, 0, 2]], 'i64'), n.const(0, 'i64')]), n.ints(0)])
    y = n.transpose(y, 1, 0, 2)
    z = n.layer('GatherElements', [y, n.input(*[d - (i == axis) for i, d in enumerate((12, 3, 10))], name='i', type='i32')], version='opset6', axis=axis)
    return n.concat(z, n.relu(y), axis=2) if also else z


chain('Gather GatherElements', 'merged', gather_elements)
chain('Gather GatherElements', 'another axis', lambda n, x: gather_elements(n, x, axis=1))
chain('Gather GatherElements', 'not merged', lambda n, x: gather_elements(n, x, True))
for version in (1, 7):
    chain('Gather', f'everything opset{version}', lambda n, x, v=version: n.layer('Gather', [x, n.ints(*range(8)), n.const(1, 'i64')], version=f'opset{v}'))
    chain('Gather', f'the only one opset{version}', lambda n, x, v=version: n.layer('Gather', [x, n.ints(0), n.const(0, 'i64')], version=f'opset{v}'))
for shapes in (((1, 8, 1, 1),) * 2, ((1,), (1,)), ((1, 8, 1, 1), (1,)), ((1,), (1, 8, 1, 1)), ((1, 1, 1, 10), (1, 8, 1, 1)), ((8, 1, 1), (8, 1, 1)), ((10,), (10,))):
    for ops in itertools.product(('Add', 'Multiply', 'Subtract', 'Divide'), repeat=2):
        chain('two constants', f'{ops} {shapes}', lambda n, x, o=ops, s=shapes: bi(n, o[1], bi(n, o[0], x, n.const(n.random.uniform(0.5, 2, s[0]))), n.const(n.random.uniform(0.5, 2, s[1]))))
for op in ('Convolution', 'GroupConvolution', 'ConvolutionBackpropData', 'FullyConnected'):
    make = {'Convolution': lambda n, x: n.conv(x, 8, 8, bias=False), 'GroupConvolution': lambda n, x: n.layer('GroupConvolution', [x, n.normal(8, 1, 1, 3, 3)], strides=[1, 1], dilations=[1, 1], pads_begin=[1, 1], pads_end=[1, 1]),
            'ConvolutionBackpropData': lambda n, x: n.deconv(x, 8, 8), 'FullyConnected': lambda n, x: n.fc(n.reshape(x, 1, -1), 960, 8)}[op]
    for first, second in itertools.product(('Add', 'Multiply', 'Subtract', 'Divide', None), repeat=2):
        for shape in ((1, 8) if op == 'FullyConnected' else (1, 8, 1, 1), (1,)):
            def build(n, x, m=make, f=first, s=second, shape=shape):
                y = m(n, x)
                for o in (f, s):
                    y = bi(n, o, y, n.const(n.random.uniform(0.5, 2, shape))) if o else y
                return y
            chain(f'constants after {op}', f'{first} {second} {shape}', build)
