#!/usr/bin/env python3
"""Operations that functional models of Keras call beside layers: of keras.ops (Keras 3), of TensorFlow (Keras 2). TOOL's outputs against Keras'.

    keras_operations.py TOOL [-k REGEX] [--folder DIR] [-v]

Needs tensorflow; not part of `make test`. Exit code 1 when an output is wrong or a command crashes.
"""
import os

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
import drawn
import numpy as np
import tensorflow as tf

keras = tf.keras
RNG = np.random.RandomState(0)
PLANE, ROWS, LINE = (6, 8, 4), (5, 8), (12,)


def of_keras_3():
    """name -> (shape, function of the tensor, range of its values)"""
    k, nn, im = keras.ops, keras.ops.nn, keras.ops.image
    cases = {}

    def case(name, function, shape=PLANE, low=-2.0, high=2.0):
        cases[name] = (shape, function, low, high)

    for name in ('absolute', 'square', 'sin', 'cos', 'sinh', 'cosh', 'tanh', 'arctan', 'arcsinh', 'sign', 'floor', 'ceil', 'trunc', 'exp', 'expm1', 'exp2', 'negative', 'deg2rad', 'erf',
                 'rsqrt', 'sqrt', 'log', 'log2', 'log10', 'log1p', 'reciprocal', 'tan', 'arcsin', 'arccos', 'arctanh', 'arccosh', 'isfinite', 'round', 'abs', 'positive', 'zeros_like', 'ones_like'):
        if hasattr(k, name):
            low, high = {'rsqrt': (0.3, 3), 'sqrt': (0, 3), 'log': (0.2, 4), 'log2': (0.2, 4), 'log10': (0.2, 4), 'log1p': (0, 4), 'reciprocal': (0.3, 3), 'tan': (-1.2, 1.2), 'arcsin': (-0.95, 0.95),
                         'arccos': (-0.95, 0.95), 'arctanh': (-0.9, 0.9), 'arccosh': (1.1, 5)}.get(name, (-2, 2))
            case(name, getattr(k, name), PLANE, low, high)
    for name in ('relu', 'relu6', 'sigmoid', 'softplus', 'softsign', 'silu', 'log_sigmoid', 'leaky_relu', 'hard_sigmoid', 'hard_silu', 'elu', 'selu', 'gelu', 'celu', 'tanh_shrink', 'hard_tanh',
                 'soft_shrink', 'hard_shrink', 'squareplus', 'softmax', 'log_softmax', 'glu'):
        if hasattr(nn, name):
            case(name, getattr(nn, name), PLANE, -4, 4)
    case('gelu exact', lambda x: nn.gelu(x, approximate=False), PLANE, -4, 4)
    case('leaky_relu 0.3', lambda x: nn.leaky_relu(x, negative_slope=0.3))
    case('elu 0.7', lambda x: nn.elu(x, alpha=0.7))
    case('celu 0.5', lambda x: nn.celu(x, alpha=0.5))
    case('threshold', lambda x: nn.threshold(x, 0.2, -1.5)) if hasattr(nn, 'threshold') else None
    for axis in (1, 2, -1):
        case(f'softmax {axis}', lambda x, a=axis: nn.softmax(x, axis=a))
        case(f'log_softmax {axis}', lambda x, a=axis: nn.log_softmax(x, axis=a))
        case(f'glu {axis}', lambda x, a=axis: nn.glu(x, axis=a))
    for name in ('sum', 'mean', 'max', 'min', 'prod', 'var', 'std', 'logsumexp', 'amax'):
        for axis, keep in ((1, False), (-1, True), ((1, 2), False), ((2, 3), True)):
            case(f'{name} {axis} {keep}', lambda x, f=getattr(k, name), a=axis, d=keep: f(x, axis=a, keepdims=d), PLANE, 0.5, 1.5)
    case('moments', lambda x: keras.ops.moments(x, axes=[1, 2])[1]) if hasattr(keras.ops, 'moments') else None
    for axis in (1, -1):
        case(f'argmax {axis}', lambda x, a=axis: k.argmax(x, axis=a))
        case(f'argmin {axis}', lambda x, a=axis: k.cast(k.argmin(x, axis=a, keepdims=True), 'float32'))
        case(f'cumsum {axis}', lambda x, a=axis: k.cumsum(x, axis=a), ROWS)
        case(f'norm {axis}', lambda x, a=axis: k.norm(x, axis=a))
        case(f'norm 1 {axis}', lambda x, a=axis: k.norm(x, ord=1, axis=a, keepdims=True), ROWS)
        case(f'normalize {axis}', lambda x, a=axis: k.normalize(x, axis=a))
        case(f'repeat {axis}', lambda x, a=axis: k.repeat(x, 3, axis=a))
        case(f'flip {axis}', lambda x, a=axis: k.flip(x, axis=a))
        case(f'roll {axis}', lambda x, a=axis: k.roll(x, 2, axis=a))
        case(f'take {axis}', lambda x, a=axis: k.take(x, [0, 2, 1, 0], axis=a))
        case(f'take one {axis}', lambda x, a=axis: k.take(x, 2, axis=a))
        case(f'split {axis}', lambda x, a=axis: k.split(x, 2, axis=a)[1])
        case(f'split both {axis}', lambda x, a=axis: k.concatenate(k.split(x, 2, axis=a)[::-1], axis=a))
        case(f'split at {axis}', lambda x, a=axis: k.split(x, [1, 3], axis=a)[2])
        case(f'unstack {axis}', lambda x, a=axis: k.unstack(x, axis=a)[1]) if hasattr(k, 'unstack') else None
        case(f'expand_dims {axis}', lambda x, a=axis: k.expand_dims(x, axis=a), ROWS)
        case(f'stack {axis}', lambda x, a=axis: k.stack([x, x * 2], axis=a), ROWS)
        case(f'concatenate {axis}', lambda x, a=axis: k.concatenate([x, x * 2], axis=a))
    low = {'power': 0.2}
    for name, other in (('add', 0.5), ('subtract', 0.5), ('multiply', 1.5), ('divide', 1.5), ('true_divide', 3.0), ('power', 2.0), ('maximum', 0.3), ('minimum', 0.3), ('mod', 0.7), ('floor_divide', 0.7)):
        case(f'{name} number', lambda x, f=getattr(k, name), o=other: f(x, o))
        case(f'{name} two', lambda x, f=getattr(k, name): f(x, k.abs(x) + 1.1), PLANE, low.get(name, -2))
        case(f'number {name}', lambda x, f=getattr(k, name), o=other: f(o, k.abs(x) + 1.1))
    for name in ('greater', 'less', 'greater_equal', 'less_equal', 'not_equal', 'equal'):
        case(f'{name}', lambda x, f=getattr(k, name): k.where(f(x, 0.3), x, x * -2))
    case('where numbers', lambda x: k.where(x > 0.5, 1.0, -1.0))
    case('where other', lambda x: k.where(x > 0.5, 0.0, x))
    case('logical', lambda x: k.cast(k.logical_and(x > 0, k.logical_not(x > 1)), 'float32'))
    case('logical or', lambda x: k.cast(k.logical_or(x > 1, x < -1), 'float32'))
    case('clip', lambda x: k.clip(x, -0.5, 1.0))
    case('matmul', lambda x: k.matmul(x, k.transpose(x, (0, 2, 1))), ROWS)
    case('einsum', lambda x: k.einsum('bij,bkj->bik', x, x * 2), ROWS)
    case('arctan2', lambda x: k.arctan2(x, k.abs(x) + 0.5))
    case('hypot', lambda x: k.hypot(x, x + 1)) if hasattr(k, 'hypot') else None
    case('full_like', lambda x: x + k.full_like(x, 2.5))
    case('transpose', lambda x: k.transpose(x, (0, 3, 1, 2)))
    case('swapaxes', lambda x: k.swapaxes(x, 1, 3))
    case('moveaxis', lambda x: k.moveaxis(x, -1, 1))
    case('moveaxis two', lambda x: k.moveaxis(x, (1, 3), (3, 2)))
    case('reshape', lambda x: k.reshape(x, (-1, 16, 12)))
    case('squeeze', lambda x: k.squeeze(k.sum(x, axis=2, keepdims=True), axis=2))
    case('tile', lambda x: k.tile(x, (1, 2, 3)), ROWS)
    case('hstack', lambda x: k.hstack([x, x + 1]), ROWS)
    case('broadcast_to', lambda x: k.broadcast_to(k.expand_dims(x, 1), (1, 3, 5, 8)), ROWS)
    case('pad', lambda x: k.pad(x, ((0, 0), (1, 2), (0, 1), (0, 0))))
    case('pad value', lambda x: k.pad(x, ((0, 0), (1, 2), (0, 1), (0, 0)), constant_values=1.5))
    case('pad reflect', lambda x: k.pad(x, ((0, 0), (1, 2), (2, 1), (0, 0)), mode='reflect'))
    case('pad symmetric', lambda x: k.pad(x, ((0, 0), (1, 2), (2, 1), (0, 0)), mode='symmetric'))
    case('slice', lambda x: k.slice(x, (0, 1, 2), (1, 3, 4)), ROWS)
    case('getitem', lambda x: x[:, 1:, ::2, -1])
    case('getitem new', lambda x: x[:, None, ..., 1:3])
    case('getitem reversed', lambda x: x[:, ::-1, :, :])
    case('one_hot', lambda x: k.one_hot(k.argmax(x, axis=-1), 8), ROWS)
    case('top_k', lambda x: k.top_k(x, 3)[0], ROWS)
    case('average', lambda x: k.average(x, axis=1))
    for size, how in (((12, 16), 'bilinear'), ((3, 4), 'bilinear'), ((9, 5), 'bilinear'), ((12, 16), 'nearest'), ((12, 16), 'bicubic')):
        case(f'resize {size} {how}', lambda x, s=size, h=how: im.resize(x, s, interpolation=h))
    case('grey', lambda x: im.rgb_to_grayscale(x), (6, 8, 3), 0, 1)
    case('max_pool', lambda x: nn.max_pool(x, 2, 2))
    case('average_pool', lambda x: nn.average_pool(x, (2, 3), (2, 1), padding='same'))
    case('layer_normalization', lambda x: nn.layer_normalization(x)) if hasattr(nn, 'layer_normalization') else None
    return cases


def of_keras_2():
    """The same with functions of TensorFlow."""
    cases = {}

    def case(name, function, shape=PLANE, low=-2.0, high=2.0):
        cases[name] = (shape, function, low, high)

    for name in ('abs', 'square', 'sin', 'cos', 'tanh', 'atan', 'sign', 'floor', 'exp', 'expm1', 'negative', 'erf', 'sigmoid', 'softplus', 'log_sigmoid', 'round'):
        case(f'math.{name}', getattr(tf.math, name))
    for name in ('sqrt', 'rsqrt', 'log', 'log1p', 'reciprocal'):
        case(f'math.{name}', getattr(tf.math, name), PLANE, 0.3, 3)
    for name in ('relu', 'relu6', 'leaky_relu', 'elu', 'selu', 'silu', 'gelu', 'softplus', 'softsign', 'softmax', 'log_softmax'):
        case(f'nn.{name}', getattr(tf.nn, name), PLANE, -4, 4)
    case('nn.leaky_relu 0.3', lambda x: tf.nn.leaky_relu(x, alpha=0.3))
    case('nn.softmax 1', lambda x: tf.nn.softmax(x, axis=1))
    case('nn.gelu approximate', lambda x: tf.nn.gelu(x, approximate=True))
    for name in ('sum', 'mean', 'max', 'min', 'prod', 'variance', 'std', 'logsumexp'):
        for axis, keep in ((1, False), (-1, True), ([1, 2], False)):
            case(f'reduce_{name} {axis} {keep}', lambda x, f=getattr(tf.math, f'reduce_{name}'), a=axis, d=keep: f(x, axis=a, keepdims=d), PLANE, 0.5, 1.5)
    for axis in (1, -1):
        case(f'concat {axis}', lambda x, a=axis: tf.concat([x, x * 2.0], axis=a))
        case(f'concat positional {axis}', lambda x, a=axis: tf.concat([x, x * 2.0], a))
        case(f'stack {axis}', lambda x, a=axis: tf.stack([x, x * 2.0], axis=a), ROWS)
        case(f'split {axis}', lambda x, a=axis: tf.split(x, 2, axis=a)[1])
        case(f'split sizes {axis}', lambda x, a=axis: tf.split(x, [1, x.shape[a] - 1], axis=a)[1])
        case(f'unstack {axis}', lambda x, a=axis: tf.unstack(x, axis=a)[1])
        case(f'gather {axis}', lambda x, a=axis: tf.gather(x, [0, 2, 1], axis=a))
        case(f'expand_dims {axis}', lambda x, a=axis: tf.expand_dims(x, a), ROWS)
        case(f'reverse {axis}', lambda x, a=axis: tf.reverse(x, axis=[a]))
        case(f'roll {axis}', lambda x, a=axis: tf.roll(x, 2, axis=a))
        case(f'repeat {axis}', lambda x, a=axis: tf.repeat(x, 2, axis=a))
        case(f'l2_normalize {axis}', lambda x, a=axis: tf.nn.l2_normalize(x, axis=a))
        case(f'math.l2_normalize {axis}', lambda x, a=axis: tf.math.l2_normalize(x, a))
        case(f'argmax {axis}', lambda x, a=axis: tf.cast(tf.argmax(x, axis=a), tf.float32))
        case(f'cumsum {axis}', lambda x, a=axis: tf.cumsum(x, axis=a), ROWS)
    for name, function in (('add', tf.add), ('subtract', tf.subtract), ('multiply', tf.multiply), ('divide', tf.divide), ('maximum', tf.maximum), ('minimum', tf.minimum), ('pow', tf.pow)):
        case(f'{name} number', lambda x, f=function: f(x, 2.0))
        case(f'{name} two', lambda x, f=function: f(x, tf.abs(x) + 1.0), PLANE, 0.2, 2)
        case(f'number {name}', lambda x, f=function: f(2.0, x), PLANE, 0.2, 2)
    case('operators', lambda x: (1.0 - x) / (2.0 + tf.abs(x)) * 3.0 - x ** 2)
    case('where', lambda x: tf.where(x > 0.3, x, x * -2.0))
    case('where numbers', lambda x: tf.where(x > 0.3, x, 0.0))
    case('clip', lambda x: tf.clip_by_value(x, -0.5, 1.0))
    case('matmul', lambda x: tf.matmul(x, x, transpose_b=True), ROWS)
    case('matmul a', lambda x: tf.linalg.matmul(x, x, transpose_a=True), ROWS)
    case('einsum', lambda x: tf.einsum('bij,bkj->bik', x, x * 2.0), ROWS)
    case('transpose', lambda x: tf.transpose(x, [0, 3, 1, 2]))
    case('reshape', lambda x: tf.reshape(x, [-1, 16, 12]))
    case('reshape by shape', lambda x: tf.reshape(x, [tf.shape(x)[0], -1, 4]))
    case('squeeze', lambda x: tf.squeeze(tf.reduce_sum(x, 2, keepdims=True), axis=2))
    case('tile', lambda x: tf.tile(x, [1, 2, 3]), ROWS)
    case('pad', lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]]))
    case('pad value', lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]], constant_values=1.5))
    case('pad reflect', lambda x: tf.pad(x, [[0, 0], [1, 2], [2, 1], [0, 0]], mode='REFLECT'))
    case('pad symmetric', lambda x: tf.pad(x, [[0, 0], [1, 2], [2, 1], [0, 0]], 'SYMMETRIC'))
    case('slice', lambda x: tf.slice(x, [0, 1, 2], [1, 3, 4]), ROWS)
    case('getitem', lambda x: x[:, 1:, ::2, -1])
    case('getitem new', lambda x: x[:, tf.newaxis, ..., 1:3])
    case('one_hot', lambda x: tf.one_hot(tf.argmax(x, axis=-1), 8), ROWS)
    case('top_k', lambda x: tf.math.top_k(x, 3)[0], ROWS)
    case('depth_to_space', lambda x: tf.nn.depth_to_space(x, 2))
    case('space_to_depth', lambda x: tf.nn.space_to_depth(x, 2))
    case('identity', lambda x: tf.identity(x) + tf.stop_gradient(x))
    for how in ('bilinear', 'nearest', 'bicubic'):
        for size in ((12, 16), (3, 4), (9, 5)):
            case(f'resize {size} {how}', lambda x, s=size, h=how: tf.image.resize(x, s, method=h))
    case('resize v1', lambda x: tf.compat.v1.image.resize_bilinear(x, (12, 16)))
    case('resize v1 aligned', lambda x: tf.compat.v1.image.resize_bilinear(x, (12, 16), align_corners=True))
    case('resize v1 nearest', lambda x: tf.compat.v1.image.resize_nearest_neighbor(x, (12, 16)))
    return cases


CASES = of_keras_3() if hasattr(keras, 'ops') else of_keras_2()


def judge(tool, folder, number):
    name = list(CASES)[number % len(CASES)]
    shape, function, low, high = CASES[name]
    try:
        x = keras.Input(shape, batch_size=1)
        model = keras.Model(x, function(x))
        values = (np.random.RandomState(number).rand(1, *shape) * (high - low) + low).astype('f4')
        wanted = [np.asarray(y).astype('f4') for y in tf.nest.flatten(model(values))]
    except Exception as e:
        return 'not run', str(e).splitlines()[0][:120]
    path = os.path.join(folder, 'm.keras' if hasattr(keras, 'ops') else 'm.h5')
    model.save(path)
    return drawn.verdict(tool, folder, path, values, wanted)


if __name__ == '__main__':
    drawn.main(__doc__, CASES, judge)
