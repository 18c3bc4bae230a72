"""Networks of one operation each: every operation of opset 1 to 7, with the attribute forms and ranks that matter to a compiler (docs/supported-layers.md).

CASES is a list of (operation, variant, build): build(net) fills an ir_builder.Net.
"""
import itertools

import numpy as np

CASES = []
SHAPES = {1: (7,), 2: (1, 12), 3: (1, 6, 10), 4: (1, 4, 8, 10), 5: (1, 4, 6, 8, 10)}


def case(op, variant, build):
    CASES.append((op, variant, build))


def one(op, variant, shape=SHAPES[4], opset='opset1', more=lambda n: (), outputs=1, keep=None, type='f16', **data):
    """A network of `op` on one input and on what more(net) returns; `keep` says which outputs are used."""
    def build(n):
        y = n.layer(op, [n.input(*shape, type=type), *more(n)], version=opset, outputs=outputs, **data)
        n.result(*([y[i] for i in keep] if keep else y if outputs > 1 else [y]))
    case(op, variant, build)


def ints(*values):
    return lambda n: [n.ints(*values)]


# ---- element by element
for op, opset in (('Abs', 1), ('Acos', 1), ('Acosh', 4), ('Asin', 1), ('Asinh', 4), ('Atan', 1), ('Atanh', 4), ('Ceiling', 1), ('Cos', 1), ('Cosh', 1), ('Erf', 1), ('Exp', 1), ('Floor', 1), ('Gelu', 2), ('HSigmoid', 5),
                  ('HSwish', 4), ('Log', 1), ('Mish', 4), ('Negative', 1), ('ReLU', 1), ('Sigmoid', 1), ('Sign', 1), ('Sin', 1), ('Sinh', 1), ('SoftPlus', 4), ('Sqrt', 1), ('Swish', 4), ('Tan', 1), ('Tanh', 1)):
    for rank in (2, 4, 5) if op in ('ReLU', 'Sigmoid', 'HSigmoid', 'Sqrt', 'Negative') else (1, 3) if op in ('Exp', 'Tanh') else (4,):
        one(op, f'{rank}d', SHAPES[rank], f'opset{opset}')
for mode in ('ERF', 'TANH'):
    one('Gelu', mode, opset='opset7', approximation_mode=mode)
for mode in ('half_to_even', 'half_away_from_zero'):
    one('Round', mode, opset='opset5', mode=mode)
one('Clamp', 'relu6', min=0, max=6)
one('Clamp', 'below', min=-1.123456789, max=1e10)
one('Elu', 'alpha', alpha=0.3)
one('HardSigmoid', 'constants', more=lambda n: [n.const(0.2), n.const(0.5)])
one('Selu', 'constants', more=lambda n: [n.const(1.67), n.const(1.05)])
one('Swish', 'beta', opset='opset4', more=lambda n: [n.const(1.5)])
case('Swish', 'variable beta', lambda n: n.result(n.layer('Swish', [n.input(1, 4, 8, 10), n.input(1, name='b')], version='opset4')))
one('PReLU', 'one slope', more=lambda n: [n.const([0.25])])
one('PReLU', 'scalar slope', more=lambda n: [n.const(0.25)])
for rank in (2, 3, 4, 5):
    one('PReLU', f'slopes {rank}d', SHAPES[rank], more=lambda n, c=SHAPES[rank][1]: [n.normal(c)])
one('PReLU', 'slopes 1C11', more=lambda n: [n.normal(1, 4, 1, 1)])
case('PReLU', 'variable slope', lambda n: n.result(n.layer('PReLU', [n.input(1, 4, 8, 10), n.input(4, name='slope')])))
for rank in (1, 2, 3, 4, 5):
    for axis in range(rank):
        one('SoftMax', f'{rank}d axis {axis}', SHAPES[rank], axis=axis)
for axis in (-1, 1):
    one('LogSoftmax', f'axis {axis}', opset='opset5', axis=axis)
    one('LogSoftmax', f'2d axis {axis}', SHAPES[2], opset='opset5', axis=axis)
for type in ('f16', 'f32', 'i32', 'i64', 'u8', 'boolean'):
    one('Convert', f'f16 to {type}', destination_type=type)
    one('Convert', f'i32 to {type}', type='i32', destination_type=type)
case('ConvertLike', 'f16', lambda n: n.result(n.layer('ConvertLike', [n.input(1, 4, 8, 10), n.input(1, type='f16', name='like')])))
case('LogicalNot', 'boolean', lambda n: n.result(n.layer('LogicalNot', [n.input(1, 4, 8, 10, type='boolean')])))
case('LogicalNot', 'of Greater', lambda n: n.result(n.layer('LogicalNot', [n.layer('Greater', [n.input(1, 4, 8, 10), n.const(0.5)])])))

# ---- two inputs
ARITHMETIC = ('Add', 'Subtract', 'Multiply', 'Divide', 'Maximum', 'Minimum', 'Power', 'Mod', 'FloorMod', 'SquaredDifference')
COMPARISONS = ('Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual')
SECOND = {'same': (1, 4, 8, 10), 'row': (10,), 'plane': (8, 10), 'channels': (1, 4, 1, 1), 'one': (1,), 'scalar': ()}


def two(op, variant, a, b, type='f16', **data):
    case(op, variant, lambda n: n.result(n.layer(op, [n.input(*a, name='a', type=type), n.input(*b, name='b', type=type)], auto_broadcast='numpy', **data)))


for op in ARITHMETIC + COMPARISONS:
    two(op, 'inputs', SHAPES[4], SHAPES[4])
    two(op, 'i32 inputs', SHAPES[4], SHAPES[4], 'i32')
    for name, shape in SECOND.items():
        one(op, f'constant {name}', more=lambda n, s=shape: [n.const(n.random.uniform(0.5, 2, s))])
    case(op, 'constant first', lambda n, op=op: n.result(n.layer(op, [n.const([2.5]), n.input(1, 4, 8, 10)])))
for op in ('Add', 'Multiply', 'Subtract', 'Divide', 'Maximum'):
    for name in ('row', 'plane', 'channels', 'one'):
        two(op, f'broadcast {name}', SHAPES[4], SECOND[name])
    for rank in (1, 2, 3, 5):
        two(op, f'inputs {rank}d', SHAPES[rank], SHAPES[rank])
        shape = [1] * rank
        shape[min(1, rank - 1)] = SHAPES[rank][min(1, rank - 1)]
        one(op, f'channels {rank}d', SHAPES[rank], more=lambda n, s=shape: [n.const(n.random.uniform(0.5, 2, s))])
        one(op, f'scalar {rank}d', SHAPES[rank], more=lambda n: [n.const(1.5)])
    one(op, 'i32 constant', type='i32', more=lambda n: [n.const([3], 'i32')])
two('Add', 'both broadcast', (1, 4, 1, 10), (1, 1, 8, 10))
two('Multiply', 'both broadcast', (4, 1, 1), (1, 1, 8, 10))
for op in ('LogicalAnd', 'LogicalOr', 'LogicalXor'):
    two(op, 'boolean', SHAPES[4], SHAPES[4], 'boolean')
    case(op, 'of comparisons', lambda n, op=op: n.result(n.layer(op, [n.layer('Greater', [n.input(1, 4, 8, 10), n.const(0.5)]), n.layer('Less', [(0, 0), n.const(2.0)])])))
for op in COMPARISONS:
    case(op, 'into Select', lambda n, op=op: n.result(n.layer('Select', [n.layer(op, [n.input(1, 4, 8, 10, name='a'), n.input(1, 4, 8, 10, name='b')]), (0, 0), (1, 0)])))
case('Select', 'condition input', lambda n: n.result(n.layer('Select', [n.input(1, 4, 8, 10, type='boolean', name='c'), n.input(1, 4, 8, 10, name='a'), n.input(1, 4, 8, 10, name='b')])))
case('Select', 'constant branches', lambda n: n.result(n.layer('Select', [n.layer('Greater', [n.input(1, 4, 8, 10), n.const(0.5)]), n.const(1.0), n.const([0.0])])))

# ---- convolutions
for k, s, p, d in itertools.product((1, 3), (1, 2), (0, 1), (1, 2)):
    one('Convolution', f'k{k} s{s} p{p} d{d}', (1, 8, 16, 20), more=lambda n, k=k: [n.normal(16, 8, k, k)], strides=[s, s], dilations=[d, d], pads_begin=[p, p], pads_end=[p, p], auto_pad='explicit')
for auto_pad in ('same_upper', 'same_lower', 'valid'):
    one('Convolution', auto_pad, (1, 8, 16, 20), more=lambda n: [n.normal(16, 8, 4, 3)], strides=[2, 1], dilations=[1, 1], pads_begin=[0, 0], pads_end=[0, 0], auto_pad=auto_pad)
    one('GroupConvolution', auto_pad, (1, 8, 16, 20), more=lambda n: [n.normal(8, 1, 1, 3, 3)], strides=[2, 2], dilations=[1, 1], pads_begin=[0, 0], pads_end=[0, 0], auto_pad=auto_pad)
for k in ((1, 3), (5, 1), (7, 7), (16, 16), (16, 1), (1, 16)):
    one('Convolution', f'k{k[0]}x{k[1]}', (1, 8, 24, 24), more=lambda n, k=k: [n.normal(16, 8, *k)], strides=[1, 1], dilations=[1, 1], pads_begin=[0, 0], pads_end=[0, 0])
one('Convolution', '1d', (1, 8, 20), more=lambda n: [n.normal(16, 8, 3)], strides=[1], dilations=[1], pads_begin=[1], pads_end=[1])
one('Convolution', '3d', (1, 4, 6, 8, 10), more=lambda n: [n.normal(6, 4, 3, 3, 3)], strides=[1] * 3, dilations=[1] * 3, pads_begin=[1] * 3, pads_end=[1] * 3)
case('Convolution', '3d bias', lambda n: n.result(n.add(n.layer('Convolution', [n.input(1, 4, 6, 8, 10), n.normal(6, 4, 3, 3, 3)], strides=[1] * 3, dilations=[1] * 3, pads_begin=[1] * 3, pads_end=[1] * 3), n.normal(1, 6, 1, 1, 1))))
case('Convolution', 'weights input', lambda n: n.result(n.layer('Convolution', [n.input(1, 8, 16, 20), n.input(16, 8, 3, 3, name='w')], strides=[1, 1], dilations=[1, 1], pads_begin=[0, 0], pads_end=[0, 0])))
for g, k in ((2, 3), (8, 3), (8, 5), (4, 1)):
    one('GroupConvolution', f'{g} groups k{k}', (1, 8, 16, 20), more=lambda n, g=g, k=k: [n.normal(g, 8 // g, 8 // g, k, k)], strides=[1, 1], dilations=[1, 1], pads_begin=[k // 2] * 2, pads_end=[k // 2] * 2)
one('GroupConvolution', 'multiplier', (1, 8, 16, 20), more=lambda n: [n.normal(8, 2, 1, 3, 3)], strides=[1, 1], dilations=[1, 1], pads_begin=[1, 1], pads_end=[1, 1])
one('GroupConvolution', '1d', (1, 8, 20), more=lambda n: [n.normal(8, 1, 1, 3)], strides=[1], dilations=[1], pads_begin=[1], pads_end=[1])
one('GroupConvolution', '3d', (1, 4, 6, 8, 10), more=lambda n: [n.normal(2, 2, 2, 3, 3, 3)], strides=[1] * 3, dilations=[1] * 3, pads_begin=[1] * 3, pads_end=[1] * 3)
for k, s, p, o in ((2, 2, 0, 0), (4, 2, 1, 0), (3, 2, 1, 1), (3, 1, 1, 0)):
    one('ConvolutionBackpropData', f'k{k} s{s} p{p} o{o}', (1, 8, 10, 12), more=lambda n, k=k: [n.normal(8, 6, k, k)], strides=[s, s], dilations=[1, 1], pads_begin=[p, p], pads_end=[p, p], output_padding=[o, o])
    one('GroupConvolutionBackpropData', f'k{k} s{s} p{p} o{o}', (1, 8, 10, 12), more=lambda n, k=k: [n.normal(2, 4, 3, k, k)], strides=[s, s], dilations=[1, 1], pads_begin=[p, p], pads_end=[p, p], output_padding=[o, o])
one('ConvolutionBackpropData', 'output shape', (1, 8, 10, 12), more=lambda n: [n.normal(8, 6, 3, 3), n.ints(20, 24)], strides=[2, 2], dilations=[1, 1], pads_begin=[0, 0], pads_end=[0, 0], auto_pad='same_upper')
one('ConvolutionBackpropData', 'output shape lower', (1, 8, 10, 12), more=lambda n: [n.normal(8, 6, 3, 3), n.ints(19, 23)], strides=[2, 2], dilations=[1, 1], pads_begin=[0, 0], pads_end=[0, 0], auto_pad='same_lower')
one('ConvolutionBackpropData', '1d', (1, 8, 10), more=lambda n: [n.normal(8, 6, 3)], strides=[2], dilations=[1], pads_begin=[0], pads_end=[0])
one('ConvolutionBackpropData', '3d', (1, 4, 5, 6, 7), more=lambda n: [n.normal(4, 3, 2, 2, 2)], strides=[2] * 3, dilations=[1] * 3, pads_begin=[0] * 3, pads_end=[0] * 3)
one('GroupConvolutionBackpropData', 'depthwise', (1, 8, 10, 12), more=lambda n: [n.normal(8, 1, 1, 4, 4)], strides=[2, 2], dilations=[1, 1], pads_begin=[1, 1], pads_end=[1, 1])
one('BinaryConvolution', 'xnor', (1, 8, 10, 12), more=lambda n: [n.normal(8, 8, 3, 3)], strides=[1, 1], dilations=[1, 1], pads_begin=[1, 1], pads_end=[1, 1], mode='xnor-popcount', pad_value=0)
case('DeformableConvolution', 'plain', lambda n: n.result(n.layer('DeformableConvolution', [n.input(1, 8, 10, 12), n.input(1, 18, 10, 12, name='offsets'), n.normal(8, 8, 3, 3)], strides=[1, 1], dilations=[1, 1], pads_begin=[1, 1],
                                                                   pads_end=[1, 1], group=1, deformable_group=1)))

# ---- pooling
for kind, k, s, p, rounding in itertools.product(('MaxPool', 'AvgPool'), (2, 3), (1, 2), (0, 1), ('floor', 'ceil')):
    one(kind, f'k{k} s{s} p{p} {rounding}', (1, 8, 15, 18), kernel=[k, k], strides=[s, s], pads_begin=[p, p], pads_end=[p, p], rounding_type=rounding, auto_pad='explicit', **({'exclude_pad': True} if kind == 'AvgPool' else {}))
for kind in ('MaxPool', 'AvgPool'):
    more = {'exclude_pad': False} if kind == 'AvgPool' else {}
    for auto_pad in ('same_upper', 'same_lower', 'valid'):
        one(kind, auto_pad, (1, 8, 15, 18), kernel=[3, 2], strides=[2, 2], pads_begin=[0, 0], pads_end=[0, 0], rounding_type='floor', auto_pad=auto_pad, **more)
    one(kind, 'with pads', (1, 8, 15, 18), kernel=[3, 3], strides=[1, 1], pads_begin=[1, 0], pads_end=[1, 2], rounding_type='floor', **more)
    one(kind, '1d', (1, 8, 15), kernel=[3], strides=[2], pads_begin=[1], pads_end=[1], rounding_type='floor', **more)
    one(kind, '3d', (1, 4, 8, 10, 12), kernel=[2] * 3, strides=[2] * 3, pads_begin=[0] * 3, pads_end=[0] * 3, rounding_type='floor', **more)
    one(kind, 'global', (1, 8, 15, 18), kernel=[15, 18], strides=[1, 1], pads_begin=[0, 0], pads_end=[0, 0], rounding_type='floor', **more)

# ---- matrices
for a, b in (((3, 8), (8, 5)), ((1, 3, 8), (8, 5)), ((2, 3, 8), (8, 5)), ((1, 4, 3, 8), (8, 5)), ((8,), (8, 5)), ((3, 8), (8,)), ((2, 3, 8), (2, 8, 5)), ((1, 2, 3, 8), (1, 2, 8, 5)), ((8,), (8,))):
    name = 'x'.join(map(str, a)) + ' by ' + 'x'.join(map(str, b))
    one('MatMul', name, a, more=lambda n, b=b: [n.normal(*b)], transpose_a=False, transpose_b=False)
    two('MatMul', name + ' input', a, b, transpose_a=False, transpose_b=False)
for a, b in itertools.product((False, True), repeat=2):
    one('MatMul', f'transposed {a} {b}', (1, 8, 3) if a else (1, 3, 8), more=lambda n, b=b: [n.normal(*((5, 8) if b else (8, 5)))], transpose_a=a, transpose_b=b)
    two('MatMul', f'inputs transposed {a} {b}', (2, 8, 3) if a else (2, 3, 8), (2, 5, 8) if b else (2, 8, 5), transpose_a=a, transpose_b=b)
    case('MatMul', f'constant first {a} {b}', lambda n, a=a, b=b: n.result(n.layer('MatMul', [n.normal(*((8, 3) if a else (3, 8))), n.input(*((5, 8) if b else (8, 5)))], transpose_a=a, transpose_b=b)))
for equation, shapes in {'ab,bc->ac': ((3, 8), (8, 5)), 'abc,acd->abd': ((2, 3, 8), (2, 8, 5)), 'bhwc,hkc->bhwk': ((1, 4, 6, 8), (4, 5, 8)), 'ij->ji': ((3, 8),), 'ij->i': ((3, 8),), 'ij,j->i': ((3, 8), (8,)), 'ij,kj->ik': ((3, 8), (5, 8)),
                         'abcd,adce->abde': ((1, 2, 3, 4), (1, 4, 3, 5)), 'bhid,bhjd->bhij': ((1, 2, 5, 8), (1, 2, 6, 8)), 'bhij,bhjd->bhid': ((1, 2, 5, 6), (1, 2, 6, 8)),
                         'bcij,bc->bij': ((2, 6, 4, 5), (2, 6)), 'i,j->ij': ((4,), (5,)), 'ab,ab->a': ((3, 8), (3, 8)), 'ab,ab->ab': ((3, 8), (3, 8)), 'abc,cd,de->abe': ((2, 3, 4), (4, 5), (5, 6)), 'ab,cb,db->acd': ((2, 3), (4, 3), (5, 3)),
                         'abcd,cd->ab': ((2, 3, 4, 5), (4, 5)), 'abc->ca': ((2, 3, 4),), 'ab,bc': ((3, 8), (8, 5)), 'aab->b': ((3, 3, 4),), '...a,ab->...b': ((2, 3, 8), (8, 5)), 'bnd,md->bnm': ((1, 7, 8), (6, 8))}.items():
    case('Einsum', equation.replace('>', ''), lambda n, e=equation, s=shapes: n.result(n.layer('Einsum', [n.input(*x, name=f'i{i}') for i, x in enumerate(s)], version='opset7', equation=e)))

# ---- normalization
for version in (1, 5):
    def batch_norm(n, version=version):
        x, four = n.input(1, 4, 8, 10), [n.const(n.random.uniform(0.5, 1.5, 4)) for _ in range(4)]
        n.result(n.layer('BatchNormInference', [x, *four] if version == 5 else [four[0], four[1], x, four[2], four[3]], version=f'opset{version}', epsilon=1e-5))
    case('BatchNormInference', f'opset{version}', batch_norm)
for axes in ((1,), (2, 3), (3,), (1, 2, 3)):
    one('LRN', f'axes {axes}', more=ints(*axes), alpha=0.0001, beta=0.75, bias=1.0, size=3)
one('LRN', '5d', SHAPES[5], more=ints(1), alpha=0.0001, beta=0.75, bias=1.0, size=3)
one('GRN', 'bias', bias=0.01)
for a, b in itertools.product((True, False), repeat=2):
    one('MVN', f'opset2 {a} {b}', opset='opset2', across_channels=a, normalize_variance=b, eps=1e-6)
for axes in ((2, 3), (1, 2, 3), (3,), (-1,), (0, 2, 3), (1, 3), (2,)):
    for mode in ('INSIDE_SQRT', 'OUTSIDE_SQRT'):
        one('MVN', f'axes {axes} {mode}', opset='opset6', more=ints(*axes), eps=1e-5, eps_mode=mode, normalize_variance=True)
one('MVN', '3d', SHAPES[3], opset='opset6', more=ints(2), eps=1e-5, eps_mode='inside_sqrt', normalize_variance=False)
one('MVN', '2d', SHAPES[2], opset='opset6', more=ints(1), eps=1e-5, eps_mode='inside_sqrt', normalize_variance=True)
one('MVN', '5d', SHAPES[5], opset='opset6', more=ints(2, 3, 4), eps=1e-5, eps_mode='inside_sqrt', normalize_variance=True)
for axes, mode in itertools.product(((1,), (1, 2, 3), (2,), (2, 3)), ('add', 'max')):
    one('NormalizeL2', f'axes {axes} {mode}', more=ints(*axes), eps=1e-6, eps_mode=mode)
one('NormalizeL2', '2d', SHAPES[2], more=ints(1), eps=1e-6, eps_mode='add')
one('NormalizeL2', '3d', SHAPES[3], more=ints(1), eps=1e-6, eps_mode='add')
case('NormalizeL2', 'scaled', lambda n: n.result(n.mul(n.layer('NormalizeL2', [n.input(1, 4, 8, 10), n.ints(1)], eps=1e-6, eps_mode='add'), n.normal(1, 4, 1, 1, scale=1))))

# ---- shapes
for rank in (2, 3, 4, 5):
    one('Reshape', f'{rank}d flat', SHAPES[rank], more=ints(1, -1), special_zero=True)
one('Reshape', 'zeros', more=ints(0, 0, -1), special_zero=True)
one('Reshape', '6d', more=ints(1, 2, 2, 4, 2, 10), special_zero=False)
one('Squeeze', 'axes', (1, 4, 1, 10), more=ints(0, 2))
one('Squeeze', 'all', (1, 4, 1, 10))
one('Squeeze', 'negative', (1, 4, 1, 1), more=ints(-1))
one('Unsqueeze', 'front', SHAPES[3], more=ints(0))
one('Unsqueeze', 'two', SHAPES[2], more=ints(1, -1))
for order in itertools.permutations(range(4)):
    if order != (0, 1, 2, 3):
        one('Transpose', ''.join(map(str, order)), more=ints(*order))
one('Transpose', '10', (3, 7), more=ints(1, 0))
one('Transpose', '0213 3d', SHAPES[3], more=ints(0, 2, 1))
one('Transpose', '5d', SHAPES[5], more=ints(0, 2, 4, 1, 3))
one('Transpose', '6d', (1, 2, 3, 4, 5, 6), more=ints(0, 1, 4, 2, 5, 3))
one('Transpose', 'empty', more=lambda n: [n.const([], 'i64')])
for rank in (1, 2, 3, 4, 5):
    for axis in range(rank):
        case('Concat', f'{rank}d axis {axis}', lambda n, s=SHAPES[rank], axis=axis: n.result(n.layer('Concat', [n.input(*s, name='a'), n.input(*s, name='b')], axis=axis)))
one('Concat', 'constant', more=lambda n: [n.normal(1, 4, 8, 10)], axis=-3)
one('Split', 'channels', more=lambda n: [n.const(1, 'i64')], outputs=2, num_splits=2)
one('Split', 'negative axis', more=lambda n: [n.const(-1, 'i64')], outputs=5, num_splits=5)
one('Split', 'one unused', more=lambda n: [n.const(1, 'i64')], outputs=4, keep=(0, 2), num_splits=4)
one('Split', '2d', SHAPES[2], more=lambda n: [n.const(1, 'i64')], outputs=3, num_splits=3)
one('VariadicSplit', 'lengths', more=lambda n: [n.const(3, 'i64'), n.ints(2, 5, 3)], outputs=3)
one('VariadicSplit', 'rest', more=lambda n: [n.const(1, 'i64'), n.ints(1, -1)], outputs=2)


def slice_(variant, begin, end, strides=None, shape=SHAPES[4], type='f16', **masks):
    size = len(begin)
    names = ('begin_mask', 'end_mask', 'new_axis_mask', 'shrink_axis_mask', 'ellipsis_mask')
    one('StridedSlice', variant, shape, more=lambda n: [n.ints(*begin), n.ints(*end)] + ([n.ints(*strides)] if strides else []), type=type, **{k: masks.get(k, [0] * size) for k in names})


slice_('crop', (0, 1, 2, 3), (1, 3, 8, 9), (1, 1, 1, 1))
slice_('no strides', (0, 1, 2, 3), (1, 3, 8, 9))
slice_('crop 2d', (0, 3), (1, 9), (1, 1), SHAPES[2])
slice_('crop 3d', (0, 1, 2), (1, 3, 8), (1, 1, 1), SHAPES[3])
slice_('crop 5d', (0, 1, 2, 3, 1), (1, 3, 5, 6, 9), (1,) * 5, SHAPES[5])
slice_('steps', (0, 0, 0, 1), (1, 4, 8, 10), (1, 1, 2, 3))
slice_('backwards', (0, 0, 7, 0), (1, 4, -9, 10), (1, 1, -1, 1))
slice_('masks', (0, 1, 0, 2), (0, 3, 0, 0), (1, 1, 1, 1), begin_mask=[1, 0, 1, 0], end_mask=[1, 0, 1, 1])
slice_('short', (0, 1), (1, 3), (1, 1))
slice_('short masks', (0, 1), (0, 0), (1, 1), begin_mask=[1], end_mask=[1, 1, 1, 1])
slice_('shrink', (0, 2, 0, 0), (1, 3, 8, 10), (1,) * 4, shrink_axis_mask=[0, 1, 0, 0])
slice_('shrink last', (0, 0, 0, 4), (1, 4, 8, 5), (1,) * 4, shrink_axis_mask=[1, 0, 0, 1])
slice_('new axis', (0, 0, 0, 0), (0, 0, 0, 0), (1,) * 4, begin_mask=[1] * 4, end_mask=[1] * 4, new_axis_mask=[0, 1, 0, 0], shape=SHAPES[3])
slice_('ellipsis', (0, 2), (1, 6), (1, 1), ellipsis_mask=[1, 0])
slice_('negative', (0, -3, 0, -8), (1, -1, 8, -2), (1,) * 4)
slice_('i32', (0, 1, 2, 3), (1, 3, 8, 9), (1, 1, 1, 1), type='i32')
slice_('i32 steps', (0, 1, 2, 3), (1, 3, 8, 9), (1, 1, 2, 1), type='i32')

for version in (1, 7):
    for axis, indices in itertools.product((0, 1, 3, -1), ((2,), (0, 2, 1), ())):
        shape = (4, 5, 6, 7)
        more = {'batch_dims': 0} if version == 7 else {}
        one('Gather', f'opset{version} axis {axis} constant {len(indices)}', shape, f'opset{version}', lambda n, i=indices, a=axis: [n.const(list(i) if i else 2, 'i64'), n.const(a, 'i64')], **more)
    case('Gather', f'opset{version} indices input', lambda n, v=version: n.result(n.layer('Gather', [n.input(9, 6), n.input(4, name='i', type='i32'), n.const(0, 'i64')], version=f'opset{v}')))
    case('Gather', f'opset{version} indices 2d', lambda n, v=version: n.result(n.layer('Gather', [n.input(1, 9, 6), n.input(2, 4, name='i', type='i32'), n.const(1, 'i64')], version=f'opset{v}')))
    case('Gather', f'opset{version} table', lambda n, v=version: n.result(n.layer('Gather', [n.normal(9, 6), n.input(1, 4, name='i', type='i32'), n.const(0, 'i64')], version=f'opset{v}')))
one('Gather', 'negative indices', (4, 5, 6, 7), 'opset7', lambda n: [n.ints(-1, 0, -2), n.const(1, 'i64')], batch_dims=0)
case('Gather', 'batch_dims', lambda n: n.result(n.layer('Gather', [n.input(2, 9, 6), n.input(2, 4, name='i', type='i32'), n.const(1, 'i64')], version='opset7', batch_dims=1)))
for b in (0, 1):
    case('GatherND', f'batch_dims {b}', lambda n, b=b: n.result(n.layer('GatherND', [n.input(2, 5, 6), n.input(2, 3, 1, name='i', type='i32')], version='opset5', batch_dims=b)))
case('GatherND', 'pairs', lambda n: n.result(n.layer('GatherND', [n.input(4, 5, 6), n.input(3, 2, name='i', type='i32')], version='opset5', batch_dims=0)))
for axis in (0, 1, -1):
    case('GatherElements', f'axis {axis}', lambda n, a=axis: n.result(n.layer('GatherElements', [n.input(3, 5, 6), n.input(3, 5, 6, name='i', type='i32')], version='opset6', axis=a)))
case('GatherTree', 'inputs', lambda n: n.result(n.layer('GatherTree', [n.input(5, 1, 3, name='a'), n.input(5, 1, 3, name='b'), n.input(1, name='c'), n.const(2.0)])))
case('ScatterUpdate', 'axis 0', lambda n: n.result(n.layer('ScatterUpdate', [n.input(6, 5), n.input(2, name='i', type='i32'), n.input(2, 5, name='u'), n.const(0, 'i64')], version='opset3')))
case('ScatterUpdate', 'axis 1', lambda n: n.result(n.layer('ScatterUpdate', [n.input(6, 5), n.input(2, name='i', type='i32'), n.input(6, 2, name='u'), n.const(1, 'i64')], version='opset3')))
case('ScatterUpdate', 'indices 2d', lambda n: n.result(n.layer('ScatterUpdate', [n.input(6, 5), n.input(1, 2, name='i', type='i32'), n.input(1, 2, 5, name='u'), n.const(0, 'i64')], version='opset3')))
for axis in (0, 1):
    case('ScatterElementsUpdate', f'axis {axis}', lambda n, a=axis: n.result(n.layer('ScatterElementsUpdate', [n.input(6, 5), n.input(2, 5, name='i', type='i32'), n.input(2, 5, name='u'), n.const(a, 'i64')], version='opset3')))
case('ScatterElementsUpdate', 'constant indices', lambda n: n.result(n.layer('ScatterElementsUpdate', [n.input(6, 5), n.const([[0, 1, 2, 3, 4]], 'i32'), n.input(1, 5, name='u'), n.const(0, 'i64')], version='opset3')))
case('ScatterElementsUpdate', 'equal indices', lambda n: n.result(n.layer('ScatterElementsUpdate', [n.input(6, 5), n.const([[1] * 5, [3] * 5], 'i32'), n.input(2, 5, name='u'), n.const(0, 'i64')], version='opset3')))
case('ScatterNDUpdate', 'rows', lambda n: n.result(n.layer('ScatterNDUpdate', [n.input(6, 5), n.input(2, 1, name='i', type='i32'), n.input(2, 5, name='u')], version='opset4')))
case('Tile', 'nothing', lambda n: n.result(n.layer('Tile', [n.relu(n.input(1, 4, 8, 10)), n.ints(1, 1, 1, 1)])))
for repeats in ((1, 1, 2, 3), (2, 1, 1, 1), (1, 3, 1, 1), (2, 2, 2, 2), (2, 3), (2, 1, 1, 1, 1)):
    one('Tile', f'{repeats}', more=ints(*repeats))
for version, mode in ((1, 'numpy'), (1, 'explicit'), (3, 'numpy'), (3, 'explicit'), (3, 'bidirectional')):
    axes = (lambda n: [n.ints(1)]) if mode == 'explicit' else lambda n: []
    one('Broadcast', f'opset{version} {mode}', (4,) if mode == 'explicit' else (4, 1, 1), f'opset{version}', lambda n, a=axes: [n.ints(1, 4, 6, 8), *a(n)], mode=mode)
    if mode != 'explicit':
        case('Broadcast', f'opset{version} {mode} nothing', lambda n, v=version, m=mode: n.result(n.layer('Broadcast', [n.relu(n.input(1, 4, 8, 10)), n.ints(1, 4, 8, 10)], version=f'opset{v}', mode=m)))
for mode in ('constant', 'edge', 'reflect', 'symmetric'):
    for rank in (1, 2, 3, 4, 5):
        one('Pad', f'{mode} {rank}d', SHAPES[rank], more=lambda n, r=rank: [n.ints(*[0] * (r - 1), 1), n.ints(*[0] * (r - 1), 2)] + [n.const(0.5)], pad_mode=mode)
one('Pad', 'no value', more=lambda n: [n.ints(0, 0, 1, 1), n.ints(0, 0, 2, 2)], pad_mode='constant')
one('Pad', 'channels', more=lambda n: [n.ints(0, 1, 0, 0), n.ints(0, 2, 0, 0)], pad_mode='constant')
one('Pad', 'nothing', more=lambda n: [n.ints(0, 0, 0, 0), n.ints(0, 0, 0, 0)], pad_mode='constant')
one('Pad', 'negative', more=lambda n: [n.ints(0, 0, -1, -1), n.ints(0, 0, 2, 2)], pad_mode='constant')
for op, mode in itertools.product(('DepthToSpace', 'SpaceToDepth'), ('blocks_first', 'depth_first')):
    one(op, mode, (1, 16, 8, 10), mode=mode, block_size=2)
    one(op, mode + ' 5d', (1, 16, 4, 6, 8), mode=mode, block_size=2)
    one(op, mode + ' 3d', (1, 16, 8), mode=mode, block_size=2)
for axis, group in ((1, 2), (2, 4), (-1, 5), (0, 1), (3, 2)):
    one('ShuffleChannels', f'axis {axis} group {group}', opset='opset3', axis=axis, group=group)
one('ShuffleChannels', 'opset1', axis=1, group=2)
one('SpaceToBatch', 'block 2', (1, 4, 8, 10), 'opset2', lambda n: [n.ints(1, 1, 2, 2), n.ints(0, 0, 0, 0), n.ints(0, 0, 0, 0)])
one('SpaceToBatch', 'pads', (1, 4, 7, 9), 'opset2', lambda n: [n.ints(1, 1, 2, 3), n.ints(0, 0, 1, 0), n.ints(0, 0, 0, 3)])
one('BatchToSpace', 'block 2', (4, 4, 8, 10), 'opset2', lambda n: [n.ints(1, 1, 2, 2), n.ints(0, 0, 0, 0), n.ints(0, 0, 0, 0)])
one('BatchToSpace', 'batch kept', (4, 10), 'opset2', lambda n: [n.ints(1, 2), n.ints(0, 0), n.ints(0, 3)])
case('BatchToSpace', 'after SpaceToBatch', lambda n: n.result(n.layer('BatchToSpace', [n.relu(n.layer('SpaceToBatch', [n.input(1, 4, 8, 10), n.ints(1, 1, 2, 2), n.ints(0, 0, 0, 0), n.ints(0, 0, 0, 0)], version='opset2')),
                                                                                   n.ints(1, 1, 2, 2), n.ints(0, 0, 0, 1), n.ints(0, 0, 0, 1)], version='opset2')))
case('ReverseSequence', 'i32', lambda n: n.result(n.layer('ReverseSequence', [n.input(2, 5, 6), n.input(2, name='l', type='i32')], batch_axis=0, seq_axis=1)))
case('ReverseSequence', 'f16', lambda n: n.result(n.layer('ReverseSequence', [n.input(2, 5, 6), n.input(2, name='l')], batch_axis=0, seq_axis=1)))
one('Reverse', 'index', more=ints(1), mode='index')
case('Roll', 'constants', lambda n: n.result(n.layer('Roll', [n.input(1, 4, 8, 10), n.ints(2), n.ints(3)], version='opset7')))
for op in ('DFT', 'IDFT'):
    one(op, 'axes', (1, 8, 10, 2), 'opset7', lambda n: [n.ints(1, 2)])
one('CumSum', 'axis 1', opset='opset3', more=lambda n: [n.const(1, 'i64')], exclusive=False, reverse=False)
one('Bucketize', 'three', opset='opset3', more=lambda n: [n.const([0.0, 0.5, 1.0])], output_type='i32', with_right_bound=True)
one('ExtractImagePatches', 'reorg', (1, 8, 8, 12), 'opset3', sizes=[2, 2], strides=[2, 2], rates=[1, 1], auto_pad='valid')
one('ExtractImagePatches', 'few channels', (1, 3, 8, 12), 'opset3', sizes=[2, 2], strides=[2, 2], rates=[1, 1], auto_pad='valid')
one('ExtractImagePatches', 'overlap', (1, 8, 8, 12), 'opset3', sizes=[3, 3], strides=[2, 2], rates=[1, 1], auto_pad='valid')
case('EmbeddingBagPackedSum', 'indices', lambda n: n.result(n.layer('EmbeddingBagPackedSum', [n.input(9, 6), n.input(2, 3, name='i', type='i32')], version='opset3')))
case('EmbeddingBagOffsetsSum', 'indices', lambda n: n.result(n.layer('EmbeddingBagOffsetsSum', [n.input(9, 6), n.input(4, name='i', type='i32'), n.input(2, name='o', type='i32')], version='opset3')))
case('EmbeddingSegmentsSum', 'indices', lambda n: n.result(n.layer('EmbeddingSegmentsSum', [n.input(9, 6), n.input(4, name='i', type='i32'), n.input(4, name='s', type='i32'), n.const(2, 'i32')], version='opset3')))
one('FakeQuantize', 'levels', more=lambda n: [n.const([0.0]), n.const([1.0]), n.const([0.0]), n.const([1.0])], levels=256)
for version in (1, 3):
    more = {'output_type': 'i64'} if version == 3 else {}
    case('ShapeOf', f'opset{version}', lambda n, v=version, more=more: n.result(n.layer('Convert', [n.layer('ShapeOf', [n.input(1, 4, 8, 10)], version=f'opset{v}', **more)], destination_type='i32'), n.relu((0, 0))))
case('Range', 'opset4 constants', lambda n: n.result(n.add(n.input(1, 8), n.layer('Range', [n.const(0.0), n.const(8.0), n.const(1.0)], version='opset4', output_type='f16'))))
case('Range', 'opset1 constants', lambda n: n.result(n.add(n.input(1, 8), n.layer('Range', [n.const(0.0), n.const(8.0), n.const(1.0)]))))
for axis in (-1, 0, 1):
    case('OneHot', f'axis {axis}', lambda n, a=axis: n.result(n.layer('OneHot', [n.input(2, 3, type='i32'), n.const(5, 'i64'), n.const(1.0), n.const(0.0)], axis=a)))
case('OneHot', 'i32 values', lambda n: n.result(n.layer('OneHot', [n.input(2, 3, type='i32'), n.const(5, 'i64'), n.const(1, 'i32'), n.const(0, 'i32')], axis=-1)))
for version in (1, 3):
    for mode, sort, axis in (('max', 'value', 1), ('min', 'value', 3), ('max', 'index', 2), ('max', 'none', 1)):
        one('TopK', f'opset{version} {mode} {sort} {axis}', opset=f'opset{version}', more=lambda n: [n.const(3, 'i64')], outputs=2, axis=axis, mode=mode, sort=sort)
    for keep in (0, 1):
        one('TopK', f'opset{version} output {keep}', opset=f'opset{version}', more=lambda n: [n.const(3, 'i64')], outputs=2, keep=(keep,), axis=1, mode='max', sort='value')
    one('TopK', f'opset{version} 2d', SHAPES[2], f'opset{version}', lambda n: [n.const(3, 'i64')], outputs=2, axis=-1, mode='max', sort='value')
one('TopK', 'i64 indices', opset='opset3', more=lambda n: [n.const(3, 'i64')], outputs=2, axis=1, mode='max', sort='value', index_element_type='i64')

# ---- reductions
for op, opset in (('ReduceMean', 1), ('ReduceMax', 1), ('ReduceMin', 1), ('ReduceSum', 1), ('ReduceProd', 1), ('ReduceL1', 4), ('ReduceL2', 4)):
    for axes, keep in (((2, 3), True), ((2, 3), False), ((1,), True), ((-1,), False), ((1, 3), True), ((0, 1, 2, 3), True), ((1, 2, 3), False), ((0,), True)):
        one(op, f'axes {axes} {"keep" if keep else "drop"}', opset=f'opset{opset}', more=ints(*axes), keep_dims=keep)
    for rank in (1, 2, 3, 5):
        one(op, f'{rank}d', SHAPES[rank], f'opset{opset}', ints(-1), keep_dims=True)
    one(op, 'i32', opset=f'opset{opset}', more=ints(1), keep_dims=True, type='i32')
    one(op, 'scalar axis', opset=f'opset{opset}', more=lambda n: [n.const(1, 'i64')], keep_dims=False)
for op in ('ReduceLogicalAnd', 'ReduceLogicalOr'):
    one(op, 'boolean', more=ints(1), keep_dims=True, type='boolean')
    case(op, 'of Greater', lambda n, op=op: n.result(n.layer(op, [n.layer('Greater', [n.input(1, 4, 8, 10), n.const(0.5)]), n.ints(1, 3)], keep_dims=False)))

# ---- resizing
for mode, align, antialias in itertools.product(('nearest', 'linear', 'cubic', 'area'), (False, True), (False, True)):
    one('Interpolate', f'opset1 {mode} {align} {antialias}', more=ints(16, 20), axes=[2, 3], mode=mode, align_corners=align, antialias=antialias, pads_begin=[0], pads_end=[0])
for mode, size in itertools.product(('nearest', 'linear'), ((12, 15), (4, 5), (8, 10), (16, 10), (13, 7))):
    one('Interpolate', f'opset1 {mode} to {size}', more=ints(*size), axes=[2, 3], mode=mode, align_corners=False, antialias=False, pads_begin=[0], pads_end=[0])
one('Interpolate', 'opset1 pads', more=ints(16, 20), axes=[2, 3], mode='linear', align_corners=False, antialias=False, pads_begin=[1], pads_end=[1])
one('Interpolate', 'opset1 nearest pads', more=ints(16, 20), axes=[2, 3], mode='nearest', align_corners=False, antialias=False, pads_begin=[1], pads_end=[1])
one('Interpolate', 'opset1 5d', SHAPES[5], more=ints(12, 16, 20), axes=[2, 3, 4], mode='nearest', align_corners=False, antialias=False, pads_begin=[0], pads_end=[0])
one('Interpolate', 'opset1 3d', SHAPES[3], more=ints(20), axes=[2], mode='linear', align_corners=False, antialias=False, pads_begin=[0], pads_end=[0])


def interpolate4(variant, shape=SHAPES[4], sizes=(16, 20), scales=(2.0, 2.0), axes=(2, 3), **data):
    attributes = dict(mode='nearest', shape_calculation_mode='sizes', coordinate_transformation_mode='half_pixel', nearest_mode='round_prefer_floor', antialias=False, pads_begin=[0] * len(shape), pads_end=[0] * len(shape), cube_coeff=-0.75)
    one('Interpolate', 'opset4 ' + variant, shape, 'opset4', lambda n: [n.ints(*sizes), n.const(scales, 'f32')] + ([n.ints(*axes)] if axes else []), **{**attributes, **data})


for mode, coordinates in itertools.product(('nearest', 'linear', 'linear_onnx', 'cubic'), ('half_pixel', 'pytorch_half_pixel', 'asymmetric', 'tf_half_pixel_for_nn', 'align_corners')):
    interpolate4(f'{mode} {coordinates}', mode=mode, coordinate_transformation_mode=coordinates)
for nearest in ('round_prefer_ceil', 'floor', 'ceil', 'simple'):
    interpolate4(f'nearest {nearest}', nearest_mode=nearest)
interpolate4('scales', shape_calculation_mode='scales', scales=(1.5, 2.0))
interpolate4('no axes', sizes=(1, 4, 16, 20), scales=(1.0, 1.0, 2.0, 2.0), axes=())
interpolate4('antialias', mode='linear', antialias=True, sizes=(4, 5))
interpolate4('pads', pads_begin=[0, 0, 1, 1])
interpolate4('channels', sizes=(8,), scales=(2.0,), axes=(1,))
interpolate4('one axis', sizes=(20,), scales=(2.0,), axes=(3,))
interpolate4('5d', SHAPES[5], sizes=(12, 16, 20), scales=(2.0,) * 3, axes=(2, 3, 4))
interpolate4('3d', SHAPES[3], sizes=(20,), scales=(2.0,), axes=(2,))
interpolate4('2d', (8, 10), sizes=(16, 20), axes=(0, 1))
interpolate4('smaller', sizes=(5, 3), mode='linear_onnx')

# ---- detection and regions


def detection(variant, classes=3, priors=20, five=False, **data):
    attributes = dict(num_classes=classes, background_label_id=0, top_k=10, keep_top_k=[10], nms_threshold=0.45, confidence_threshold=0.3, share_location=True, variance_encoded_in_target=False, code_type='caffe.PriorBoxParameter.CENTER_SIZE',
                      clip_before_nms=False, clip_after_nms=False, decrease_label_id=False, normalized=True, input_height=1, input_width=1, objectness_score=0.1)
    attributes.update(data)
    boxes = 1 if attributes['share_location'] else classes

    def build(n):
        size, rows = (4 if attributes['normalized'] else 5), (1 if attributes['variance_encoded_in_target'] else 2)
        inputs = [n.input(1, priors * 4 * boxes, name='loc'), n.input(1, priors * classes, name='conf'), n.input(1, rows, priors * size, name='prior')]
        inputs += [n.input(1, priors * 2, name='armconf'), n.input(1, priors * 4 * boxes, name='armloc')] if five else []
        n.result(n.layer('DetectionOutput', inputs, **attributes))
    case('DetectionOutput', variant, build)


detection('plain')
detection('corner', code_type='caffe.PriorBoxParameter.CORNER')
detection('variances in target', variance_encoded_in_target=True)
detection('each class its boxes', share_location=False)
detection('not normalized', normalized=False, input_height=100, input_width=200)
detection('MXNet', decrease_label_id=True, clip_after_nms=True)
detection('five inputs', five=True)
detection('keep all', keep_top_k=[-1], top_k=-1)
detection('clipped', clip_before_nms=True)


def prior_box(op, variant, exact=True, **data):
    def build(n):
        x, image = n.input(1, 8, 6, 8), n.input(1, 3, 48, 64, name='image')
        spatial = [n.layer('StridedSlice', [n.layer('ShapeOf', [v]), n.ints(2), n.ints(4), n.ints(1)], begin_mask=[0], end_mask=[0], new_axis_mask=[0], shrink_axis_mask=[0], ellipsis_mask=[0]) for v in (x, image)]
        y = n.layer(op, spatial, **data)
        n.result(n.layer('Unsqueeze', [y, n.ints(0)]) if exact else y, n.relu(x), n.relu(image))
    case(op, variant, build)


PRIOR = dict(min_size=[16.0], max_size=[32.0], aspect_ratio=[2.0, 3.0], flip=True, clip=False, step=8.0, offset=0.5, variance=[0.1, 0.1, 0.2, 0.2], scale_all_sizes=True)
prior_box('PriorBox', 'plain', **PRIOR)
prior_box('PriorBox', 'clipped', **{**PRIOR, 'clip': True})
prior_box('PriorBox', 'one variance', **{**PRIOR, 'variance': [0.1]})
prior_box('PriorBox', 'image sizes', **{**PRIOR, 'scale_all_sizes': False, 'step': 0.125})
prior_box('PriorBox', 'density', **{**PRIOR, 'min_size': [], 'max_size': [], 'aspect_ratio': [], 'fixed_size': [32.0], 'fixed_ratio': [1.0], 'density': [2.0]})
prior_box('PriorBox', 'without Unsqueeze', False, **PRIOR)
prior_box('PriorBoxClustered', 'plain', width=[9.4, 25.1], height=[15.0, 39.6], step=16.0, offset=0.5, variance=[0.1, 0.1, 0.2, 0.2], clip=False)
prior_box('PriorBoxClustered', 'without Unsqueeze', False, width=[9.4, 25.1], height=[15.0, 39.6], step=16.0, offset=0.5, variance=[0.1, 0.1, 0.2, 0.2], clip=True)


def proposal(variant, opset=4, keep=None, **data):
    attributes = dict(base_size=16, pre_nms_topn=60, post_nms_topn=20, nms_thresh=0.7, feat_stride=16, min_size=16, ratio=[0.5, 1.0, 2.0], scale=[8.0, 16.0], clip_before_nms=True, clip_after_nms=False, normalize=False, box_size_scale=1.0,
                      box_coordinate_scale=1.0, framework='')
    attributes.update(data)

    def build(n):
        outputs = 2 if opset == 4 else 1
        y = n.layer('Proposal', [n.input(1, 12, 6, 8, name='scores'), n.input(1, 24, 6, 8, name='deltas'), n.input(3, name='info')], version=f'opset{opset}', outputs=outputs, **attributes)
        n.result(*([y[i] for i in keep] if keep else y if outputs == 2 else [y]))
    case('Proposal', variant, build)


proposal('opset1', 1)
proposal('opset4')
proposal('opset4 boxes', keep=(0,))
proposal('tensorflow', framework='tensorflow')
proposal('normalized', normalize=True, clip_after_nms=True, clip_before_nms=False)
for method in ('max', 'bilinear'):
    case('ROIPooling', method, lambda n, m=method: n.result(n.layer('ROIPooling', [n.input(1, 8, 12, 16), n.input(5, 5, name='rois')], version='opset2', pooled_h=3, pooled_w=4, spatial_scale=0.0625, method=m)))
for mode, width in itertools.product(('avg', 'max'), (16, 200)):
    case('ROIAlign', f'{mode} width {width}', lambda n, m=mode, w=width: n.result(n.layer('ROIAlign', [n.input(1, 8, 12, w), n.input(5, 4, name='rois'), n.const([0] * 5, 'i32')], version='opset3', pooled_h=3, pooled_w=4, sampling_ratio=2, spatial_scale=0.0625, mode=m)))
for mode in ('average', 'bilinear'):
    case('PSROIPooling', mode, lambda n, m=mode: n.result(n.layer('PSROIPooling', [n.input(1, 18 if m == 'average' else 16, 12, 16), n.input(5, 5, name='rois')], output_dim=2 if m == 'average' else 4, group_size=3 if m == 'average' else 2,
                                                                  spatial_scale=0.0625, spatial_bins_x=2, spatial_bins_y=2, mode=m)))
for offsets in (False, True):
    case('DeformablePSROIPooling', 'offsets' if offsets else 'plain', lambda n, o=offsets: n.result(n.layer('DeformablePSROIPooling', [n.input(1, 18, 12, 16), n.input(5, 5, name='rois')] + ([n.input(5, 2, 3, 3, name='o')] if o else []),
                                                                                                        output_dim=2, group_size=3, spatial_scale=0.0625, mode='bilinear_deformable', spatial_bins_x=4, spatial_bins_y=4, trans_std=0.1, part_size=3)))
for softmax in (True, False):
    one('RegionYolo', f'softmax {softmax}', (1, 125 if softmax else 75, 6, 6), anchors=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0], axis=1, coords=4, classes=20, end_axis=3, num=5, do_softmax=softmax, mask=[0, 1, 2])
one('ReorgYolo', 'stride 2', (1, 8, 8, 12), 'opset2', stride=2)
one('ReorgYolo', 'few channels', (1, 3, 8, 12), 'opset2', stride=2)


def nms(variant, opset, inputs=3, keep=(0,), boxes=(1, 30, 4), scores=(1, 2, 30), **data):
    def build(n):
        values = [n.input(*boxes, name='boxes'), n.input(*scores, name='scores'), n.const(5, 'i64'), n.const(0.5), n.const(0.1), n.const(0.0)][:2 + inputs]
        outputs = 3 if opset == 5 else 1
        y = n.layer('NonMaxSuppression', values, version=f'opset{opset}', outputs=outputs, **{'box_encoding': 'corner', 'sort_result_descending': False, **data})
        n.result(*([y[i] for i in keep] if outputs == 3 else [y]))
    case('NonMaxSuppression', variant, build)


for opset in (1, 3, 4, 5):
    nms(f'opset{opset}', opset)
nms('sorted', 5, sort_result_descending=True)
nms('center', 5, box_encoding='center')
nms('i32', 5, output_type='i32')
nms('soft', 5, 4)
nms('no thresholds', 5, 1)
nms('two inputs', 5, 0)
nms('all outputs', 5, keep=(0, 1, 2))
nms('scores', 5, keep=(1,))
nms('batch', 5, boxes=(2, 30, 4), scores=(2, 3, 30))
for merge in (True, False):
    case('CTCGreedyDecoder', f'merge {merge}', lambda n, m=merge: n.result(n.layer('CTCGreedyDecoder', [n.input(20, 1, 12), n.input(20, 1, name='mask')], ctc_merge_repeated=m)))
    case('CTCGreedyDecoderSeqLen', f'merge {merge}', lambda n, m=merge: n.result(*n.layer('CTCGreedyDecoderSeqLen', [n.input(1, 20, 12), n.input(1, name='l', type='i32')], version='opset6', outputs=2, merge_repeated=m)))
case('CTCGreedyDecoderSeqLen', 'blank', lambda n: n.result(*n.layer('CTCGreedyDecoderSeqLen', [n.input(1, 20, 12), n.input(1, name='l', type='i32'), n.const([3], 'i32')], version='opset6', outputs=2, merge_repeated=True)))
case('CTCGreedyDecoderSeqLen', 'i64', lambda n: n.result(*n.layer('CTCGreedyDecoderSeqLen', [n.input(1, 20, 12), n.input(1, name='l', type='i32')], version='opset6', outputs=2, classes_index_type='i64', sequence_length_type='i64')))
case('CTCLoss', 'plain', lambda n: n.result(n.layer('CTCLoss', [n.input(1, 20, 12), n.input(1, name='l', type='i32'), n.input(1, 20, name='labels', type='i32'), n.input(1, name='k', type='i32')], version='opset4')))
for keep in ((0, 1, 2), (0, 2)):
    case('ExperimentalDetectronDetectionOutput', f'{keep}', lambda n, keep=keep: n.result(*[n.layer('ExperimentalDetectronDetectionOutput', [n.input(20, 4, name='rois'), n.input(20, 12, name='deltas'), n.input(20, 3, name='scores'), n.input(1, 3, name='info')],
        version='opset6', outputs=3, score_threshold=0.05, nms_threshold=0.5, max_delta_log_wh=4.135, num_classes=3, post_nms_count=100, max_detections_per_image=10, class_agnostic_box_regression=False, deltas_weights=[10.0, 10.0, 5.0, 5.0])[i] for i in keep]))
case('ExperimentalDetectronGenerateProposalsSingleImage', 'plain', lambda n: n.result(*n.layer('ExperimentalDetectronGenerateProposalsSingleImage', [n.input(3, name='info'), n.input(36, 4, name='anchors'), n.input(12, 3, 4, name='deltas'),
     n.input(3, 3, 4, name='scores')], version='opset6', outputs=2, min_size=0, nms_threshold=0.7, pre_nms_count=100, post_nms_count=50)))
case('ExperimentalDetectronPriorGridGenerator', 'plain', lambda n: n.result(n.layer('ExperimentalDetectronPriorGridGenerator', [n.input(3, 4, name='priors'), n.input(1, 8, 6, 8, name='map'), n.input(1, 3, 48, 64, name='image')],
     version='opset6', flatten=True, h=0, w=0, stride_x=8.0, stride_y=8.0)))
for keep in ((0, 1), (0,)):
    case('ExperimentalDetectronROIFeatureExtractor', f'{keep}', lambda n, keep=keep: n.result(*[n.layer('ExperimentalDetectronROIFeatureExtractor', [n.input(10, 4, name='rois'), n.input(1, 8, 16, 16, name='a'), n.input(1, 8, 8, 8, name='b')],
        version='opset6', outputs=2, output_size=7, sampling_ratio=2, pyramid_scales=[4, 8], aligned=False)[i] for i in keep]))
case('ExperimentalDetectronTopKROIs', 'plain', lambda n: n.result(n.layer('ExperimentalDetectronTopKROIs', [n.input(20, 4, name='rois'), n.input(20, name='scores')], version='opset6', max_rois=10)))
case('NonZero', 'f16', lambda n: n.result(n.layer('NonZero', [n.input(1, 4, 8)], version='opset3', output_type='i32')))
case('NonZero', 'i64', lambda n: n.result(n.layer('NonZero', [n.input(3, 8)], version='opset3', output_type='i64')))

# ---- recurrent
GATES = {'LSTM': 4, 'GRU': 3, 'RNN': 1}


def cell(kind, variant, opset, size=6, features=5, keep=None, batch=1, **data):
    def build(n):
        gates = GATES[kind]
        states = [n.input(batch, size, name=s) for s in ('h', 'c')[:2 if kind == 'LSTM' else 1]]
        biases = gates + (1 if data.get('linear_before_reset') else 0)
        y = n.layer(kind + 'Cell', [n.input(batch, features, name='x'), *states, n.normal(gates * size, features), n.normal(gates * size, size), n.normal(biases * size, scale=0.1)], version=f'opset{opset}', outputs=len(states), hidden_size=size, **data)
        n.result(*([y[i] for i in keep] if keep else y if len(states) > 1 else [y]))
    case(kind + 'Cell', variant, build)


def sequence(kind, variant, direction='forward', size=6, features=5, length=4, keep=None, opset=5, batch=1, **data):
    def build(n):
        gates, d = GATES[kind], 2 if direction == 'bidirectional' else 1
        states = [n.input(batch, d, size, name=s) for s in ('h', 'c')[:2 if kind == 'LSTM' else 1]]
        y = n.layer(kind + 'Sequence', [n.input(batch, length, features, name='x'), *states, n.const([length] * batch, 'i32'), n.normal(d, gates * size, features), n.normal(d, gates * size, size), n.normal(d, gates * size, scale=0.1)],
                    version=f'opset{opset}', outputs=len(states) + 1, hidden_size=size, direction=direction, **data)
        n.result(*(y[i] for i in keep or range(len(states) + 1)))
    case(kind + 'Sequence', variant, build)


cell('LSTM', 'opset1', 1)
cell('LSTM', 'opset4', 4)
cell('LSTM', 'hidden state', 4, keep=(0,))
cell('LSTM', 'batch 3', 4, batch=3)
cell('LSTM', 'activations', 4, activations=['sigmoid', 'relu', 'tanh'])
cell('LSTM', 'clip', 4, clip=1.0)
cell('GRU', 'plain', 3)
cell('GRU', 'linear before reset', 3, linear_before_reset=True)
cell('RNN', 'plain', 1)
for direction in ('forward', 'reverse', 'bidirectional'):
    for kind in ('LSTM', 'GRU', 'RNN'):
        sequence(kind, direction, direction)
sequence('LSTM', 'opset1', opset=1)
sequence('LSTM', 'only sequence', keep=(0,))
sequence('LSTM', 'without sequence', keep=(1, 2))
sequence('LSTM', 'batch 2', batch=2)
sequence('LSTM', 'length 1', length=1)
case('Assign', 'with ReadValue', lambda n: (lambda r: n.result(n.add(r, n.input(1, 4)), n.layer('Assign', [r], version='opset3', variable_id='v')))(n.layer('ReadValue', [n.normal(1, 4)], version='opset3', variable_id='v')))
case('Constant', 'as a result', lambda n: n.result(n.relu(n.input(1, 4)), n.normal(1, 4)))
