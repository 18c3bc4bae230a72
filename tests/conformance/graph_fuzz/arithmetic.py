"""Element-wise layers: activations, arithmetic with broadcasting, comparisons, logic, conversions."""
import numpy as np

from .random_net import BOOL, FLOAT, INT

PLAIN = {'Sigmoid': 1, 'Tanh': 1, 'ReLU': 1, 'Exp': 1, 'Floor': 1, 'Ceiling': 1, 'Erf': 1, 'Negative': 1, 'Sqrt': 1, 'Log': 1, 'HSwish': 4, 'HSigmoid': 5, 'Mish': 4, 'SoftPlus': 4, 'Gelu': 2, 'Swish': 4}
# (type, data, version)
WITH_DATA = [
    ('Elu', lambda n: {'alpha': n.real(0.1, 2)}, 1), ('Clamp', lambda n: {'min': n.real(-2, 0), 'max': n.real(0.1, 7)}, 1), ('Clamp', lambda n: {'min': 0, 'max': 6}, 1),
    ('Gelu', lambda n: {'approximation_mode': n.one_of('ERF', 'TANH')}, 7), ('Round', lambda n: {'mode': n.one_of('half_to_even', 'half_away_from_zero')}, 5),
]


def activation(n):
    x = n.pick()
    if x is None:
        return None
    if n.chance(0.7):
        kind = n.one_of(*PLAIN)
        return n.emit(kind, [x], n.shape[x], version=f'opset{PLAIN[kind]}')
    kind, data, version = WITH_DATA[n.random.randint(len(WITH_DATA))]
    return n.emit(kind, [x], n.shape[x], version=f'opset{version}', **data(n))


def has_slopes_for_all(shape):
    """The reference takes axis 0 of rank 3 for the channels and reads slopes that are not there."""
    return len(shape) != 3 or shape[0] == 1


def prelu(n):
    x = n.pick(rank=(2, 3, 4), where=has_slopes_for_all)
    if x is None:
        return None
    c = n.shape[x][1]
    slope = n.one_of(lambda: n.const([n.real(0.01, 0.5)]), lambda: n.weights(c, scale=0.2), lambda: n.weights(1, c, *[1] * (len(n.shape[x]) - 2), scale=0.2))()
    return n.emit('PReLU', [x, slope], n.shape[x])


def swish_beta(n):
    x = n.pick()
    return x and n.emit('Swish', [x, n.const(n.real(0.5, 2))], n.shape[x], version='opset4')


def broadcastable(n, shape):
    """A shape that broadcasts to `shape`: a scalar, one value per channel, a row, everything, any mask."""
    rank = len(shape)
    masks = [lambda i: False, lambda i: i == 1, lambda i: i == 1, lambda i: True, lambda i: i == rank - 1, lambda i: i >= rank - 2, lambda i: n.chance(0.5)]
    mask = n.one_of(*masks)
    small = [d if mask(i) else 1 for i, d in enumerate(shape)]
    if n.chance(0.3):
        while small and small[0] == 1:
            small.pop(0)
    return small


def positive(values):
    return abs(values) + 0.3


def with_constant(n):
    x = n.pick(limit=40000)
    if x is None:
        return None
    shape = n.shape[x]
    kind = n.one_of('Add', 'Add', 'Multiply', 'Multiply', 'Subtract', 'Divide', 'Maximum', 'Minimum', 'Power', 'FloorMod', 'SquaredDifference')
    values = n.random.standard_normal(broadcastable(n, shape))
    if kind == 'Power':
        values = n.one_of(2.0, 0.5, -1.0, 3.0, 1.5) if n.chance(0.8) else values
    if kind in ('Divide', 'FloorMod'):
        values = positive(values)
    if n.chance(0.2):
        values = np.round(values)
    if kind == 'Divide':
        values = np.where(np.asarray(values) == 0, 1, values)
    c = n.const(values)
    order = [c, x] if n.chance(0.2) else [x, c]
    return n.emit(kind, order, shape, auto_broadcast='numpy')


def fits(a, b):
    """The broadcast shape of both, or None."""
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return None


def of_two(n):
    a = n.pick(limit=40000)
    if a is None:
        return None
    b = n.pick(where=lambda s: fits(s, n.shape[a]) is not None)
    kind = n.one_of('Add', 'Add', 'Add', 'Multiply', 'Multiply', 'Subtract', 'Divide', 'Maximum', 'Minimum', 'Power', 'FloorMod', 'SquaredDifference')
    if n.chance(0.15):
        b = n.parameter(broadcastable(n, n.shape[a]) or [1])
    shape = fits(n.shape[a], n.shape[b])
    if np.prod(shape) > 60000:
        return None
    return n.emit(kind, [a, b] if n.chance(0.7) else [b, a], shape, auto_broadcast='numpy')


def channel_affine(n):
    """Multiply and Add by a constant per channel: a batch normalisation that Model Optimizer took apart."""
    x = n.pick(rank=(3, 4, 5))
    if x is None:
        return None
    shape = n.shape[x]
    one = [1, shape[1]] + [1] * (len(shape) - 2)
    if n.chance(0.8):
        x = n.emit('Multiply', [x, n.weights(*one, scale=1.0)], shape, auto_broadcast='numpy')
    return n.emit('Add', [x, n.weights(*one, scale=1.0)], shape, auto_broadcast='numpy')


def batch_norm(n):
    x = n.pick(rank=(2, 4))
    if x is None:
        return None
    c = n.shape[x][1]
    gamma, beta, mean = n.weights(c, scale=1.0), n.weights(c, scale=1.0), n.weights(c, scale=1.0)
    variance = n.const(positive(n.random.standard_normal(c)))
    inputs, version = ([x, gamma, beta, mean, variance], 'opset5') if n.chance(0.7) else ([gamma, beta, x, mean, variance], 'opset1')
    return n.emit('BatchNormInference', inputs, n.shape[x], version=version, epsilon=n.one_of(0.001, 1e-5))


def comparison(n):
    """A comparison whose result a Select reads or that leaves the network."""
    a = n.pick(limit=20000)
    if a is None:
        return None
    b = n.pick(where=lambda s: s == n.shape[a]) if n.chance(0.5) else n.const(n.random.standard_normal(n.shape[a] if n.chance(0.3) else []))
    return n.emit(n.one_of('Greater', 'Less', 'Equal'), [a, b], n.shape[a], kind=BOOL, auto_broadcast='numpy')


def logical(n):
    a = n.pick(kind=BOOL)
    if a is None:
        return None
    if n.chance(0.4):
        return n.emit('LogicalNot', [a], n.shape[a], kind=BOOL)
    b = n.pick(kind=BOOL, where=lambda s: s == n.shape[a])
    return n.emit('LogicalAnd', [a, b], n.shape[a], kind=BOOL, auto_broadcast='numpy')


def select(n):
    c = n.pick(kind=BOOL)
    if c is None:
        return None
    shape = n.shape[c]
    a = n.pick(where=lambda s: s == shape) or n.parameter(shape)
    b = n.const(n.random.standard_normal(shape if n.chance(0.5) else [1] * len(shape))) if n.chance(0.3) else n.pick(where=lambda s: s == shape)
    return n.emit('Select', [c, a, b] if n.chance(0.6) else [c, b, a], shape, auto_broadcast='numpy')


def integers(n):
    """Arithmetic on whole numbers."""
    a = n.pick(kind=INT)
    if a is None:
        a = n.parameter([n.integer(1, 9) for _ in range(n.integer(1, 4))], INT)
    b = n.pick(kind=INT, where=lambda s: s == n.shape[a])
    b = n.const(n.random.randint(-9, 9, n.shape[a]), 'i32') if n.chance(0.4) else b
    return n.emit(n.one_of('Add', 'Multiply', 'Subtract', 'Maximum', 'Minimum', 'Divide'), [a, b], n.shape[a], kind=INT, auto_broadcast='numpy')


def convert(n):
    x = n.pick(kind=n.one_of(FLOAT, FLOAT, INT, BOOL))
    if x is None:
        return None
    to = n.one_of('f16', 'f32', 'i32', 'i64', 'u8')
    if n.kind[x] == BOOL:
        to = n.one_of('f16', 'f32')
    if to[0] == 'f' and n.kind[x] == FLOAT:
        to = n.float_type                            # no mixture of both float types in one network
    return n.emit('Convert', [x], n.shape[x], kind=FLOAT if to[0] == 'f' else INT if to[0] == 'i' else 'u8', destination_type=n.float_type if to[0] == 'f' else to)


LAYERS = {activation: 8, prelu: 1, swish_beta: 0.3, with_constant: 5, of_two: 5, channel_affine: 2, batch_norm: 1, comparison: 0.3, logical: 0.3, select: 0.4, integers: 0.2, convert: 0.3}
