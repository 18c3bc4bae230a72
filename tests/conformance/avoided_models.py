"""Networks with layers that Intel's compiler computes otherwise than the model says and `convert` does not (docs/quirks.md).

CASES as in single_op_models.py.
"""
CASES = []


def case(op, variant, build):
    CASES.append((op, variant, build))


def one(op, variant, shape=(1, 4, 8, 10), opset='opset1', more=lambda n: (), outputs=1, type='f16', **data):
    def build(n):
        y = n.layer(op, [n.input(*shape, type=type), *more(n)], version=opset, outputs=outputs, **data)
        n.result(*(y if outputs > 1 else [y]))
    case(op, variant, build)


# ---- channels
for shape, slopes in {(1, 6, 10): ((6,), (6, 1), (1, 6, 1), (10,), (6, 10)), (3, 6, 10): ((6,), (3, 1, 1)), (1, 4, 8, 10): ((4, 8, 10), (1, 1, 10), (4, 1, 10)), (1, 4, 3, 8, 10): ((4, 3, 8, 10),)}.items():
    for s in slopes:
        if s != (10,):
            one('PReLU', f'{shape} slopes {s}', shape, more=lambda n, s=s: [n.normal(*s)])
for axes, size in (((1,), 3), ((1,), 5), ((2,), 3)):
    one('LRN', f'3d axes {axes} size {size}', (1, 6, 10), more=lambda n, a=axes: [n.ints(*a)], alpha=0.5, beta=0.75, bias=1.0, size=size)
for k in (0.5, 1.5, 2.25, 0.001):
    one('LRN', f'k {k}', more=lambda n: [n.ints(1)], alpha=0.0001 if k != 1.5 else 0.5, beta=0.75, bias=k, size=3)
one('LRN', 'k 1.5 in a plane', more=lambda n: [n.ints(2, 3)], alpha=0.5, beta=0.5, bias=1.5, size=3)
one('LRN', '3d k 1.5', (1, 6, 10), more=lambda n: [n.ints(1)], alpha=0.5, beta=0.75, bias=1.5, size=3)
one('GRN', '3d', (1, 6, 10), bias=0.5)
one('GRN', '3d without a batch', (3, 6, 10), bias=0.5)

# ---- moving data
for size in (2, 4):
    one('ExtractImagePatches', f'{size}', (1, 3, 8, 12), 'opset3', sizes=[size] * 2, strides=[size] * 2, rates=[1, 1], auto_pad='valid')
for mode in ('nearest', 'linear_onnx', 'linear'):
    for coordinates in ('half_pixel', 'asymmetric', 'align_corners'):
        one('Interpolate', f'pads {mode} {coordinates}', (1, 4, 8, 10), 'opset4', lambda n: [n.ints(20, 24), n.const([2.0, 2.0], 'f32'), n.ints(2, 3)], mode=mode, shape_calculation_mode='sizes', coordinate_transformation_mode=coordinates,
            nearest_mode='round_prefer_floor', antialias=False, pads_begin=[0, 0, 1, 0], pads_end=[0, 0, 1, 2], cube_coeff=-0.75)


def turned_gather(order, indices, axis):
    """What MergeGatherGatherElements looks for, with a Transpose that is not its own inverse."""
    def build(n):
        y = n.layer('Squeeze', [n.layer('Gather', [n.input(8, 12, 10), n.const([[1, 0, 2]], 'i64'), n.const(0, 'i64')]), n.ints(0)])
        n.result(n.layer('GatherElements', [n.transpose(y, *order), n.input(*indices, name='i', type='i32')], version='opset6', axis=axis))
    return build


case('Gather GatherElements', 'order 1 2 0', turned_gather((1, 2, 0), (12, 10, 2), 2))
case('Gather GatherElements', 'order 2 0 1', turned_gather((2, 0, 1), (10, 3, 11), 2))
case('Convert', 'boolean choice', lambda n: n.result(n.layer('Select', [n.layer('Convert', [n.input(1, 4, 8, 10)], destination_type='boolean'), n.input(1, 4, 8, 10, name='a'), n.input(1, 4, 8, 10, name='b')])))


# ---- LSTM
def cell(variant, batch=1, **data):
    def build(n):
        y = n.layer('LSTMCell', [n.input(batch, 8), n.normal(batch, 6), n.normal(batch, 6), n.normal(24, 8), n.normal(24, 6), n.normal(24, scale=0.3)], version='opset4', outputs=2, hidden_size=6, **data)
        n.result(*y)
    case('LSTMCell', variant, build)


def sequence(variant, lengths, batch=1, steps=5, direction='forward', **data):
    def build(n):
        d = 2 if direction == 'bidirectional' else 1
        states = [n.normal(batch, d, 6) for _ in range(2)]
        y = n.layer('LSTMSequence', [n.input(batch, steps, 8), *states, n.ints(*lengths), n.normal(d, 24, 8), n.normal(d, 24, 6), n.normal(d, 24, scale=0.3)], version='opset5', outputs=3, hidden_size=6, direction=direction, **data)
        n.result(*y)
    case('LSTMSequence', variant, build)


cell('clip and batch', 3, clip=0.3)
cell('relu', activations=['relu', 'sigmoid', 'relu'])
cell('hardsigmoid', activations=['hardsigmoid', 'tanh', 'tanh'], activations_alpha=[0.25, 0, 0], activations_beta=[0.4, 0, 0])
for direction in ('forward', 'reverse', 'bidirectional'):
    sequence(f'{direction} clipped', [5], direction=direction, clip=0.3)
    sequence(f'{direction} shorter', [3], direction=direction)
    sequence(f'{direction} of two lengths', [2, 5], 2, direction=direction)
sequence('shorter and clipped', [3], clip=0.3)


# ---- moments: rows of variances around eps
def small(n, x, shape, scales):
    """Rows of very different sizes."""
    factors = n.const(n.random.choice(scales, [1] * (len(shape) - 2) + [shape[-2], 1]))
    return n.mul(x, factors)


def moments(variant, shape, axes, eps, mode='inside_sqrt', scales=(0.0, 0.001, 0.003, 0.01, 0.1, 1.0, 10.0)):
    def build(n):
        x = small(n, n.input(*shape), shape, scales)
        n.result(n.layer('MVN', [x, n.ints(*axes)], version='opset6', eps=eps, eps_mode=mode, normalize_variance=True))
    case('MVN', variant, build)


for eps in (1e-3, 1e-5, 1e-6, 1e-9, 1e-12):
    moments(f'rows eps {eps}', (1, 7, 64), (2,), eps)
    moments(f'planes eps {eps}', (1, 3, 7, 64), (2, 3), eps, scales=(0.001, 0.002, 0.003))
moments('volumes', (1, 4, 8, 10), (1, 2, 3), 1e-5, scales=(0.001,))
moments('rows of planes', (1, 4, 8, 10), (3,), 1e-5)
moments('channels and rows', (1, 4, 8, 10), (1, 3), 1e-5, scales=(0.003,))
moments('channels', (1, 16, 8, 10), (1,), 1e-5, scales=(0.003,))
moments('2d', (7, 64), (1,), 1e-5)
moments('5d', (1, 4, 3, 8, 10), (2, 3, 4), 1e-5, scales=(0.003,))
moments('everything', (2, 4, 8, 10), (0, 1, 2, 3), 1e-5, scales=(0.003,))
moments('outside, eps lost', (1, 7, 64), (2,), 1e-12, 'outside_sqrt')
moments('outside', (1, 7, 64), (2,), 1e-5, 'outside_sqrt', scales=(0.003, 0.1))


def spelled_out(variant, shape, axes, eps, form):
    """Layer normalisation as PyTorch ('product', 'quotient') or TensorFlow ('weights') write it down."""
    def build(n):
        x = small(n, n.input(*shape), shape, (0.001, 0.003, 0.1, 1.0))
        mean = n.reduce(x, 'ReduceMean', *axes)
        d = n.layer('Subtract', [x, mean])
        if form == 'weights':
            variance = n.reduce(n.layer('SquaredDifference', [x, mean]), 'ReduceMean', *axes)
            m = n.mul(n.layer('Power', [n.add(variance, n.const([eps])), n.const(-0.5)]), n.const(n.random.uniform(0.5, 1.5, [1] * (len(shape) - 1) + [shape[-1]])))
            n.result(n.add(n.mul(x, m), n.layer('Subtract', [n.normal(*[1] * (len(shape) - 1), shape[-1]), n.mul(mean, m)])))
            return
        variance = n.reduce(n.layer('Power', [d, n.const(2.0)]), 'ReduceMean', *axes)
        root = n.layer('Sqrt', [n.add(variance, n.const(eps))])
        y = n.layer('Divide', [d, root]) if form == 'quotient' else n.mul(d, n.layer('Power', [root, n.const(-1.0)]))
        n.result(n.add(n.mul(y, n.const(n.random.uniform(0.5, 1.5, [1] * (len(shape) - 1) + [shape[-1]]))), n.normal(*[1] * (len(shape) - 1), shape[-1])))
    case('MVN', f'spelled out, {variant} {form}', build)


for form in ('quotient', 'product', 'weights'):
    spelled_out('rows', (1, 7, 64), (2,), 1e-5, form)
for form in ('quotient', 'product'):
    spelled_out('channels', (1, 16, 8, 10), (1,), 1e-5, form)
    spelled_out('planes', (1, 4, 8, 10), (2, 3), 1e-5, form)


# ---- slices
def dropping(variant, shape, begin, end, begin_mask, shrink, strides=None):
    zeros = [0] * len(begin)
    one('StridedSlice', f'masked begin {variant}', shape, more=lambda n: [n.ints(*begin), n.ints(*end), n.ints(*(strides or [1] * len(begin)))], begin_mask=begin_mask, end_mask=zeros, new_axis_mask=zeros, shrink_axis_mask=shrink, ellipsis_mask=zeros)


dropping('3d', (4, 8, 10), (0, 2, 0), (4, 3, 10), [0, 1, 0], [0, 1, 0])
dropping('4d', (1, 4, 8, 10), (0, 2, 0, 0), (1, 3, 8, 10), [0, 1, 0, 0], [0, 1, 0, 0])
dropping('5d', (1, 4, 3, 8, 10), (0, 2, 0, 0, 0), (1, 3, 3, 8, 10), [0, 1, 0, 0, 0], [0, 1, 0, 0, 0])
dropping('steps', (1, 4, 8, 10), (0, 2, 0, 0), (1, 3, 8, 10), [0, 1, 0, 0], [0, 1, 0, 0], [1, 1, 1, 2])


# ---- interpolations by weights
def resized(variant, sizes, mode, shape=(1, 4, 8, 10), coordinates='half_pixel', antialias=False, by='sizes', cube=-0.75):
    scales = [s / d for s, d in zip(sizes, shape[2:])]
    one('Interpolate', f'weights {variant}', shape, 'opset4', lambda n: [n.ints(*sizes), n.const(scales, 'f32'), n.ints(2, 3)], mode=mode, shape_calculation_mode=by, coordinate_transformation_mode=coordinates, nearest_mode='floor',
        antialias=antialias, pads_begin=[0] * 4, pads_end=[0] * 4, cube_coeff=cube)


for coordinates in ('half_pixel', 'pytorch_half_pixel', 'asymmetric', 'align_corners'):
    resized(f'cubic {coordinates}', (16, 25), 'cubic', coordinates=coordinates)
resized('cubic smaller', (5, 3), 'cubic', cube=-0.5)
resized('cubic by scales', (20, 15), 'cubic', by='scales')
resized('cubic rows', (16, 10), 'cubic')
resized('cubic columns', (8, 25), 'cubic')
resized('cubic image', (120, 90), 'cubic', (1, 3, 64, 80))
resized('cubic batch', (16, 20), 'cubic', (2, 3, 8, 10))
resized('antialias', (4, 3), 'linear', antialias=True)
resized('antialias image', (30, 37), 'linear', (1, 3, 96, 120), antialias=True)
for mode in ('linear', 'nearest', 'cubic'):
    one('Interpolate', f'opset1 {mode} with pads', more=lambda n: [n.ints(16, 20)], axes=[2, 3], mode=mode, align_corners=mode == 'cubic', antialias=False, pads_begin=[0, 0, 1, 0], pads_end=[0, 0, 0, 2])


# ---- norms
for shape, axes in (((1, 4, 8, 10), (2,)), ((1, 4, 8, 10), (2, 3)), ((1, 4, 8, 10), (1, 3)), ((3, 6, 10), (1,)), ((3, 6, 10), (2,)), ((4, 12), (0,))):
    for mode in ('add', 'max'):
        one('NormalizeL2', f'{shape} axes {axes} {mode}', shape, more=lambda n, a=axes: [n.ints(*a)], eps=1e-6, eps_mode=mode)


def norm(variant, build):
    case('NormalizeL2', variant, lambda n: n.result(build(n, small(n, n.input(1, 4, 8, 10), (1, 4, 8, 10), (0.0, 0.01, 0.1, 1.0, 60.0)))))


def guarded(eps, *axes):
    """x / max(norm, eps)"""
    return lambda n, x: n.layer('Divide', [x, n.layer('Maximum', [n.layer('Sqrt', [n.reduce(n.layer('Power', [x, n.const(2.0)]), 'ReduceSum', *axes)]), n.const(eps)])])


for mode in ('add', 'max'):
    for eps in (0.01, 1e-3, 1e-10):
        norm(f'eps {eps} {mode}', lambda n, x, e=eps, m=mode: n.layer('NormalizeL2', [x, n.ints(1)], eps=e, eps_mode=m))
for eps in (0.3, 0.01):
    norm(f'spelled out, least norm {eps}', guarded(eps, 1))
norm('spelled out, least norm of rows', guarded(0.01, 3))
