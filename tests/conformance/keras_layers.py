"""Single layers of Keras with drawn arguments and shapes, for keras_structures.py --drawn."""
import random

import tensorflow as tf

K, L = tf.keras, tf.keras.layers
P = L if hasattr(L, 'Rescaling') else L.experimental.preprocessing
PLANE, LINE, VOLUME = 2, 1, 3


class Draw(random.Random):
    def shape(self, axes, channels=None, least=6, most=13):
        return [self.randint(least, most) for _ in range(axes)] + [channels or self.choice([1, 3, 4, 6])]

    def some(self, **choices):
        """Some of the arguments."""
        return {k: self.choice(v) for k, v in choices.items() if self.random() < 0.6}

    def sizes(self, axes, least, most):
        return self.randint(least, most) if self.random() < 0.4 else tuple(self.randint(least, most) for _ in range(axes))


def tensor(shape):
    return K.Input(shape=tuple(shape), batch_size=1)


def convolution(cls, axes):
    def build(d):
        channels = d.choice([1, 3, 4, 6])
        more = d.some(padding=['same', 'valid'], use_bias=[True, False], activation=['relu', 'sigmoid', 'swish', None])
        if d.random() < 0.5:
            more['strides'] = d.randint(1, 3)
        elif d.random() < 0.5:
            more['dilation_rate'] = 2
        if cls.startswith('Depthwise'):
            more.update(d.some(depth_multiplier=[1, 2]))
        elif cls.startswith('Separable'):
            more.update(filters=d.choice([2, 5]), **d.some(depth_multiplier=[1, 2]))
        else:
            more['filters'] = d.choice([2, 4, 6])
            if channels in (4, 6) and more['filters'] % 2 == 0 and d.random() < 0.3:
                more['groups'] = 2
        return tensor(d.shape(axes, channels)), getattr(L, cls)(kernel_size=d.sizes(axes, 1, 4), **more)
    return build


def transposed(cls, axes):
    def build(d):
        more = d.some(padding=['same', 'valid'], use_bias=[True, False])
        strides = d.randint(1, 3)
        if strides > 1 and d.random() < 0.3 and cls != 'Conv1DTranspose':
            more['output_padding'] = d.randint(0, strides - 1)
        kernel = d.sizes(axes, max(1, strides), 4) if d.random() < 0.8 else d.sizes(axes, 1, 4)
        if 'output_padding' in more and min([kernel] if isinstance(kernel, int) else kernel) <= more['output_padding']:
            more.pop('output_padding')
        return tensor(d.shape(axes, None, 4, 7)), getattr(L, cls)(d.choice([2, 5]), kernel, strides=strides, **more)
    return build


def pooling(cls, axes):
    def build(d):
        more = d.some(padding=['same', 'valid'])
        size = d.sizes(axes, 1, 3)
        if d.random() < 0.5:
            more['strides'] = d.randint(1, 3)
        return tensor(d.shape(axes)), getattr(L, cls)(size, **more)
    return build


def whole(cls, axes):
    return lambda d: (tensor(d.shape(axes)), getattr(L, cls)(**d.some(keepdims=[True, False])))


def borders(cls, axes):
    def build(d):
        most = 3 if cls.startswith('Zero') else 2
        sides = d.choice([d.randint(0, most), tuple(tuple(d.randint(0, most) for _ in range(2)) for _ in range(axes))])
        if axes == 1 and isinstance(sides, tuple):
            sides = sides[0]
        return tensor(d.shape(axes)), getattr(L, cls)(sides)
    return build


def enlarged(cls, axes):
    def build(d):
        more = d.some(interpolation=['nearest', 'bilinear', 'bicubic']) if axes == 2 else {}
        return tensor(d.shape(axes, None, 3, 6)), getattr(L, cls)(d.randint(1, 3) if axes == 1 else d.sizes(axes, 1, 3), **more)
    return build


def any_shape(build_layer, least=1, most=4):
    """A layer for tensors of any number of axes."""
    def build(d):
        shape = d.shape(d.randint(least, most) - 1, d.choice([3, 4, 6]), 3, 6)
        return tensor(shape), build_layer(d, len(shape), shape)
    return build


def recurrent(cls):
    def build(d):
        more = d.some(return_sequences=[True, False], go_backwards=[True, False], activation=['tanh', 'relu', 'sigmoid', 'elu', 'softsign'], use_bias=[True, False], unroll=[True, False])
        if cls != 'SimpleRNN':
            more.update(d.some(recurrent_activation=['sigmoid', 'hard_sigmoid']))
        if cls == 'GRU':
            more.update(d.some(reset_after=[True, False]))
        layer = getattr(L, cls)(d.choice([3, 5]), **more)
        if d.random() < 0.3:
            more.pop('go_backwards', None)
            layer = L.Bidirectional(getattr(L, cls)(d.choice([3, 5]), **more), merge_mode=d.choice(['concat', 'sum', 'mul', 'ave']))
        return tensor([d.randint(3, 6), d.choice([4, 6])]), layer
    return build


def over_time(d):
    inner = d.choice([lambda: L.Dense(3), lambda: L.Conv2D(2, 3, padding=d.choice(['same', 'valid'])), lambda: L.MaxPooling2D(2), lambda: L.Flatten()])()
    return tensor([d.randint(2, 4)] + (d.shape(2, 3, 5, 7) if not isinstance(inner, L.Dense) else [5])), L.TimeDistributed(inner)


def reshaped(d):
    return tensor([4, 6, 5]), L.Reshape(d.choice([(120,), (-1, 5), (6, 4, 5), (2, 2, 6, 5), (30, -1), (5, 24)]))


def permuted(d):
    shape = d.shape(d.randint(1, 3), None, 2, 5)
    order = list(range(1, len(shape) + 1))
    d.shuffle(order)
    return tensor(shape), L.Permute(tuple(order))


def resized(d):
    more = d.some(interpolation=['nearest', 'bilinear', 'bicubic'])
    return tensor(d.shape(2)), P.Resizing(d.randint(4, 18), d.randint(4, 18), **more)


def merged(d):
    shape = d.shape(d.randint(0, 3), 4, 3, 6)
    axis = d.choice([-1, 1, len(shape)])
    layer = d.choice([lambda: L.Add(), lambda: L.Multiply(), lambda: L.Average(), lambda: L.Maximum(), lambda: L.Minimum(), lambda: L.Subtract(), lambda: L.Concatenate(axis=axis)])()
    return tensor(shape), lambda x: layer([x, L.Activation('tanh')(x)])


def dotted(d):
    if d.random() < 0.5:
        return tensor([7]), lambda x: L.Dot(axes=1, normalize=d.choice([True, False]))([x, L.Activation('sigmoid')(x)])
    return tensor([4, 4]), lambda x: L.Dot(axes=d.choice([1, 2, (1, 2), (2, 1)]))([x, L.Activation('sigmoid')(x)])


def attention(d):
    kind = d.randint(0, 2)
    if kind == 0:
        return tensor([5, 8]), lambda x: L.MultiHeadAttention(d.choice([1, 2, 4]), d.choice([3, 4]), **d.some(value_dim=[5], use_bias=[True, False]))(x, x)
    layer = L.Attention(**d.some(use_scale=[True, False])) if kind == 1 else L.AdditiveAttention()
    return tensor([5, 8]), lambda x: layer([x, L.Dense(8)(x)])


def axes_of(d, rank):
    return d.choice([-1, rank, 1] if rank > 1 else [-1, 1])


LAYERS = {
    **{c: convolution(c, n) for c, n in (('Conv1D', 1), ('Conv2D', 2), ('Conv3D', 3), ('DepthwiseConv2D', 2), ('SeparableConv1D', 1), ('SeparableConv2D', 2))},
    **{c: transposed(c, n) for c, n in (('Conv1DTranspose', 1), ('Conv2DTranspose', 2), ('Conv3DTranspose', 3))},
    **{f'{k}Pooling{n}D': pooling(f'{k}Pooling{n}D', n) for k in ('Max', 'Average') for n in (1, 2, 3)},
    **{f'Global{k}Pooling{n}D': whole(f'Global{k}Pooling{n}D', n) for k in ('Max', 'Average') for n in (1, 2, 3)},
    **{f'{k}{n}D': borders(f'{k}{n}D', n) for k in ('ZeroPadding', 'Cropping') for n in (1, 2, 3)},
    **{f'UpSampling{n}D': enlarged(f'UpSampling{n}D', n) for n in (1, 2, 3)},
    'Dense': any_shape(lambda d, rank, s: L.Dense(d.choice([2, 5]), **d.some(activation=['relu', 'softmax', 'gelu', 'selu'], use_bias=[True, False]))),
    'BatchNormalization': any_shape(lambda d, rank, s: L.BatchNormalization(axis=axes_of(d, rank), **d.some(scale=[True, False], center=[True, False], epsilon=[1e-3, 0.1]))),
    'LayerNormalization': any_shape(lambda d, rank, s: L.LayerNormalization(axis=d.choice([-1, rank] + ([[rank - 1, rank]] if rank > 1 else [])), **d.some(scale=[True, False], center=[True, False]))),
    'UnitNormalization': any_shape(lambda d, rank, s: getattr(L, 'UnitNormalization', lambda axis: L.Activation('tanh'))(axis=axes_of(d, rank))),
    'Softmax': any_shape(lambda d, rank, s: L.Softmax(axis=axes_of(d, rank)), 2),
    'PReLU': any_shape(lambda d, rank, s: L.PReLU(shared_axes=None if rank == 1 or d.random() < 0.4 else list(range(1, rank)))),
    'LeakyReLU': any_shape(lambda d, rank, s: L.LeakyReLU(d.choice([0.1, 0.3]))), 'ELU': any_shape(lambda d, rank, s: L.ELU(d.choice([0.5, 1.0]))),
    'ReLU': any_shape(lambda d, rank, s: L.ReLU(**d.some(max_value=[0.5, 6.0], negative_slope=[0.0, 0.2], threshold=[0.0, 0.3]))),
    'Activation': any_shape(lambda d, rank, s: L.Activation(d.choice(['relu', 'relu6', 'tanh', 'sigmoid', 'hard_sigmoid', 'swish', 'gelu', 'elu', 'selu', 'softplus', 'softsign', 'exponential', 'linear', 'softmax']))),
    'Flatten': any_shape(lambda d, rank, s: L.Flatten()), 'RepeatVector': lambda d: (tensor([5]), L.RepeatVector(d.randint(1, 4))), 'Reshape': reshaped, 'Permute': permuted,
    'Rescaling': any_shape(lambda d, rank, s: P.Rescaling(d.choice([1 / 255, 2.0]), offset=d.choice([0.0, -1.0])), 2), 'Resizing': resized,
    'CenterCrop': lambda d: (tensor(d.shape(2, 3, 8, 12)), P.CenterCrop(d.randint(3, 8), d.randint(3, 8))), 'Merge': merged, 'Dot': dotted, 'Attention': attention,
    'LSTM': recurrent('LSTM'), 'GRU': recurrent('GRU'), 'SimpleRNN': recurrent('SimpleRNN'), 'TimeDistributed': over_time,
}


def drawn(number):
    """Input and output of a model: layer `number` modulo their number, with arguments drawn from that seed."""
    name = list(LAYERS)[number % len(LAYERS)]
    x, layer = LAYERS[name](Draw(number))
    return x, layer(x)
