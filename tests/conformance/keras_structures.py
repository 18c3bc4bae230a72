#!/usr/bin/env python3
"""Structures of Keras models, written by the TensorFlow of this Python as .keras, .h5, SavedModel and .tflite: TOOL's outputs, in FP32 and of the blob, against Keras.

    keras_structures.py TOOL [-k REGEX] [--folder DIR] [--drawn COUNT [--seed FIRST]]

--drawn: instead, so many single layers with drawn arguments (keras_layers.py).

Needs TensorFlow (2.16 or later, for Keras 3; 2.4 writes .h5 and SavedModels). Not part of `make test`.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import tensorflow as tf

K, L = tf.keras, tf.keras.layers
KERAS_3 = hasattr(K, '__version__') and K.__version__.startswith('3')
P = L if hasattr(L, 'Rescaling') else L.experimental.preprocessing
MODEL, BLOB = 2e-5, 2e-2  # largest error, of the largest output or 1
STRUCTURES = {}


def structure(f):
    STRUCTURES[f.__name__] = f
    return f


def tensor(*shape, **more):
    return K.Input(shape=shape, batch_size=1, **more)


def chain(x, *layers):
    for layer in layers:
        x = layer(x)
    return x


@structure
def vgg():
    i = tensor(32, 32, 3)
    return i, chain(i, L.Conv2D(8, 3, activation='relu', padding='same'), L.MaxPooling2D(), L.Dropout(.3), L.Conv2D(16, 3, activation='elu'), L.MaxPooling2D(3, 2, padding='same'), L.Flatten(),
                    L.Dense(32, activation='relu'), L.BatchNormalization(), L.Dense(10, activation='softmax'))


@structure
def preprocessed():
    i = tensor(20, 20, 3)
    x = chain(i, P.Rescaling(1 / 127.5, offset=-1), P.Resizing(16, 24), P.CenterCrop(12, 12), L.Conv2D(8, 3, strides=2, padding='same'), L.ReLU(6.), L.ZeroPadding2D(((0, 1), (0, 1))))
    return i, chain(x, L.DepthwiseConv2D(3, strides=2), L.BatchNormalization(), L.GlobalMaxPooling2D())


@structure
def squeeze_excite():
    i = tensor(16, 16, 8)
    x = L.Conv2D(16, 3, padding='same', activation='swish')(i)
    s = chain(x, L.GlobalAveragePooling2D(), L.Reshape((1, 1, 16)), L.Conv2D(4, 1, activation='swish'), L.Conv2D(16, 1, activation='sigmoid'))
    return i, L.Multiply()([x, s])


@structure
def unet():
    i = tensor(32, 32, 1)
    a = L.Conv2D(8, 3, padding='same', activation='relu')(i)
    b = L.Conv2D(16, 3, padding='same', activation='relu')(L.MaxPooling2D()(a))
    parts = [a, L.Conv2DTranspose(8, 2, strides=2, padding='same')(b), L.UpSampling2D(2)(b), L.UpSampling2D(2, interpolation='bilinear')(b)]
    return i, L.Conv2D(2, 1, activation='softmax')(L.Concatenate()(parts))


@structure
def text():
    i = tensor(20, dtype='int32')
    return i, chain(i, L.Embedding(50, 8), L.GRU(12), L.Dense(3, activation='softmax'))


@structure
def lstms():
    i = tensor(12, 5)
    return i, chain(i, L.LSTM(8, return_sequences=True), L.Bidirectional(L.LSTM(8, return_sequences=True)), L.Bidirectional(L.GRU(6)), L.Dense(2))


@structure
def steps():
    i = tensor(4, 16, 16, 3)
    return i, chain(i, L.TimeDistributed(L.Conv2D(4, 3, activation='relu')), L.TimeDistributed(L.MaxPooling2D()), L.TimeDistributed(L.Flatten()), L.SimpleRNN(6), L.Dense(2))


@structure
def backwards():
    i = tensor(6, 5)
    y, h, c = L.LSTM(4, return_sequences=True, return_state=True, go_backwards=True)(i)
    return i, [y, h, c]


@structure
def transformer():
    i = tensor(10, 16)
    x = L.LayerNormalization(epsilon=1e-6)(L.Add()([L.MultiHeadAttention(2, 8)(i, i), i]))
    return i, L.LayerNormalization()(L.Add()([x, L.Dense(16)(L.Dense(32, activation='gelu' if KERAS_3 else 'relu')(x))]))


@structure
def attention():
    a, b = tensor(6, 8), tensor(5, 8)
    return [a, b], [L.Attention()([a, b]), L.AdditiveAttention()([a, b]), L.Dot((2, 2))([a, b])]


@structure
def sequences():
    i = tensor(32, 4)
    return i, chain(i, L.Conv1D(8, 3, padding='causal', dilation_rate=2, activation='relu'), L.MaxPooling1D(2), L.SeparableConv1D(8, 3, padding='same'), L.AveragePooling1D(2), L.GlobalMaxPooling1D())


@structure
def activations():
    i = tensor(8, 8, 4)
    x = L.Conv2D(4, 1)(i)
    named = [L.Activation(a)(x) for a in ('tanh', 'sigmoid', 'softplus', 'softsign', 'selu', 'hard_sigmoid', 'elu', 'relu')]
    return i, L.Concatenate()(named + [L.LeakyReLU()(x), L.PReLU(shared_axes=[1, 2])(x), L.ELU(.5)(x), L.Softmax()(x)])


@structure
def merges():
    a, b = tensor(8, 8, 4), tensor(8, 8, 4)
    return [a, b], L.Concatenate()([layer()([a, b]) for layer in (L.Subtract, L.Minimum, L.Maximum, L.Average, L.Multiply, L.Add)])


@structure
def moved():
    i = tensor(6, 8, 4)
    return i, chain(i, L.Permute((3, 1, 2)), L.Reshape((4, 48)), L.Dense(5), L.Cropping1D((1, 1)), L.ZeroPadding1D(2), L.UpSampling1D(2))


@structure
def groups():
    i = tensor(8, 8, 4)
    norm = L.GroupNormalization(4) if hasattr(L, 'GroupNormalization') else L.LayerNormalization()
    return i, chain(i, L.Conv2D(8, 3, groups=2, padding='same'), norm, L.Conv2D(3, 3))


@structure
def dilated():
    i = tensor(24, 24, 3)
    parts = [L.Conv2D(4, 3, dilation_rate=d, padding='same')(i) for d in (1, 2, 4)]
    return i, L.Concatenate()(parts + [L.DepthwiseConv2D(3, dilation_rate=2, padding='same')(i), L.SeparableConv2D(4, 5, padding='same', depth_multiplier=2)(i)])


@structure
def shared():
    a, b, c = tensor(8, 8, 3), tensor(8, 8, 3), L.Conv2D(4, 3)
    head = K.Sequential([K.Input((6, 6, 4)), L.Flatten(), L.Dense(5, activation='relu')])
    return [a, b], [L.Dense(2)(L.Concatenate()([head(c(a)), head(c(b))])), L.Subtract()([head(c(a)), head(c(b))])]


@structure
def nested():
    base = K.Sequential([K.Input((16, 16, 3)), L.Conv2D(4, 3, activation='relu'), L.MaxPooling2D(), K.Sequential([L.Conv2D(8, 3), L.BatchNormalization()])])
    i = tensor(16, 16, 3)
    return i, L.Dense(3, activation='softmax')(L.GlobalAveragePooling2D()(base(i)))


@structure
def operations():
    i = tensor(8, 8, 4)
    x = L.Conv2D(4, 3, padding='same')(i)
    if not KERAS_3:
        return i, tf.nn.relu((x * 2. + 1.) / 3.) - x
    o = K.ops
    x = (x - o.mean(x, axis=[1, 2], keepdims=True)) / o.sqrt(o.var(x, axis=[1, 2], keepdims=True) + 1e-3)
    x = o.reshape(o.transpose(o.concatenate([x, o.abs(i)], axis=-1), (0, 3, 1, 2)), (1, 8, 64))[:, 1:7, ::2]
    return i, o.softmax(o.matmul(x, o.transpose(x, (0, 2, 1))), axis=-1)


def has(*names):
    """Layers that not every version has."""
    return all(hasattr(L, n) for n in names)


@structure
def convolution_lstms():
    i = tensor(4, 8, 8, 2)
    x = L.ConvLSTM2D(3, 3, padding='same', return_sequences=True)(i)
    return i, [L.ConvLSTM2D(4, (3, 2), strides=2, recurrent_activation='sigmoid')(x), L.Bidirectional(L.ConvLSTM2D(2, 3, padding='same', activation='relu'))(i)]


if has('ConvLSTM1D', 'ConvLSTM3D'):
    @structure
    def convolution_lstms_1():
        i = tensor(5, 12, 3)
        return i, [L.ConvLSTM1D(4, 3, padding='same', return_sequences=True)(i), L.ConvLSTM1D(2, 5, strides=2, dilation_rate=1)(i)]

    @structure
    def convolution_lstms_3():
        i = tensor(3, 6, 6, 6, 2)
        return i, L.ConvLSTM3D(3, 3, padding='same')(i)


@structure
def masked():
    i = tensor(7, dtype='int32')
    x = L.Embedding(40, 6, mask_zero=True)(i)
    y = L.Bidirectional(L.GRU(3, return_sequences=True))(L.Dropout(.1)(x))
    return i, [L.LSTM(5)(x), y, L.LSTM(4)(L.Dense(4)(y)), L.Bidirectional(L.LSTM(3))(x), L.GlobalAveragePooling1D()(y)]


@structure
def masked_steps():
    i = tensor(6, 4)
    x = L.Masking(0.)(i)
    return i, [L.Dense(2)(L.SimpleRNN(5)(x)), L.LSTM(3, return_sequences=True)(x), L.GRU(3, reset_after=False)(x), L.TimeDistributed(L.Dense(3))(x)]


@structure
def decoder():
    i = tensor(6, 6, 5)
    x = L.UpSampling2D(2, interpolation='bilinear')(L.Conv2DTranspose(4, 3, strides=2, padding='same', activation='relu')(i))
    x = L.ZeroPadding2D(((0, 1), (2, 0)))(L.Cropping2D(((1, 2), (0, 3)))(x))
    return i, [L.Conv2DTranspose(3, (4, 2), strides=(2, 1), output_padding=(1, 0))(x), L.UpSampling2D((3, 1))(x)]


@structure
def depthwise():
    i = tensor(10, 10, 3)
    x = L.DepthwiseConv2D(3, strides=2, depth_multiplier=2, padding='same', activation='relu')(i)
    return i, [L.DepthwiseConv2D((5, 1), padding='valid', use_bias=False)(x), L.SeparableConv2D(8, 3, strides=2, padding='same')(x)]


@structure
def lines():
    i = tensor(20, 4)
    x = L.SeparableConv1D(6, 3, padding='same', depth_multiplier=2)(L.ZeroPadding1D((1, 2))(i))
    for d in (1, 2, 4):
        y = L.SpatialDropout1D(.1)(L.Conv1D(6, 3, padding='causal', dilation_rate=d, activation='relu')(x))
        x = L.Add()([x, L.BatchNormalization()(y)])
    return i, [L.GlobalMaxPooling1D()(x), L.Cropping1D(2)(L.UpSampling1D(2)(L.AveragePooling1D(3, 2, padding='same')(x)))]


if has('DepthwiseConv1D', 'Conv1DTranspose'):
    @structure
    def more_lines():
        i = tensor(12, 4)
        return i, [L.DepthwiseConv1D(3, padding='same', depth_multiplier=2)(i), L.Conv1DTranspose(5, 4, strides=2, padding='same')(i)]


@structure
def volumes():
    i = tensor(8, 8, 8, 2)
    x = L.MaxPooling3D(2)(L.BatchNormalization()(L.Conv3D(4, 3, padding='same', activation='relu')(i)))
    y = L.Conv3D(4, 3, strides=2, padding='same')(i)
    return i, [L.Dense(3)(L.GlobalAveragePooling3D()(L.Add()([x, y]))), L.Flatten()(L.AveragePooling3D(2)(x))]


@structure
def frames():
    i = tensor(4, 12, 12, 3)
    x = L.TimeDistributed(K.Sequential([K.Input((12, 12, 3)), L.Conv2D(4, 3, activation='relu'), L.MaxPooling2D(2), L.Flatten()]))(i)
    return i, L.Dense(3, activation='softmax')(L.LSTM(6)(L.TimeDistributed(L.Dense(8))(x)))


@structure
def siamese():
    a, b = tensor(12, 12, 3), tensor(12, 12, 3)
    base = K.Sequential([K.Input((12, 12, 3)), L.Conv2D(4, 3, activation='relu'), L.GlobalAveragePooling2D(), L.Dense(6)])
    x, y = base(a), base(b)
    return [a, b], [L.Dot(1, normalize=True)([x, y]), L.Dense(1, activation='sigmoid')(L.Multiply()([L.Subtract()([x, y]), L.Subtract()([x, y])]))]


@structure
def mixed_inputs():
    picture, numbers, words = tensor(16, 16, 3, name='picture'), tensor(5, name='numbers'), tensor(6, dtype='int32', name='words')
    p = L.GlobalMaxPooling2D()(L.Conv2D(6, 3, strides=2, activation='relu')(picture))
    w = L.GlobalAveragePooling1D()(L.Embedding(40, 4)(words))
    x = L.Dense(8, activation='tanh')(L.Concatenate()([p, L.BatchNormalization()(numbers), w]))
    return [picture, numbers, words], [L.Dense(3, activation='softmax')(x), L.Dense(1)(x)]


@structure
def bent():
    i = tensor(8, 8, 4)
    x = L.Conv2D(4, 3, padding='same')(i)
    ends = [L.ReLU(6.)(x), L.ReLU(6., .1, 0.)(x), L.LeakyReLU(.3)(x), L.PReLU(shared_axes=[1, 2])(x), L.PReLU()(x), L.ELU(.5)(x), L.Softmax(axis=1)(x), L.Activation('swish')(x)]
    return i, ends


@structure
def shaped():
    i = tensor(4, 6, 3)
    x = L.Permute((2, 1, 3))(i)
    return i, [L.Reshape((-1, 6))(x), L.RepeatVector(3)(L.Dense(4)(L.Flatten()(x))), L.Permute((3, 1, 2))(L.Conv2D(3, 1)(i)), L.Reshape((8, 9))(L.Conv2D(3, 1)(i))]


@structure
def norms():
    i = tensor(6, 6, 4)
    x = L.Conv2D(4, 3, padding='same')(i)
    ends = [L.BatchNormalization(axis=1)(x), L.LayerNormalization(epsilon=1e-2)(x), L.BatchNormalization(scale=False, center=False)(x)]
    if has('GroupNormalization', 'UnitNormalization'):
        ends += [L.GroupNormalization(2)(x), L.UnitNormalization()(x), L.GroupNormalization(-1, scale=False)(x)]
    return i, ends


@structure
def both_ways():
    i = tensor(5, 4)
    ends = [L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode=m)(i) for m in ('sum', 'mul', 'ave')]
    last, h, c = L.LSTM(4, return_state=True)(i)
    return i, ends + [L.GRU(4, reset_after=False, activation='relu')(i), L.LSTM(4)(i, initial_state=[h, c]), L.SimpleRNN(3, go_backwards=True, return_sequences=True)(i)]


@structure
def attentions():
    q, v = tensor(5, 8), tensor(7, 8)
    return [q, v], [L.AdditiveAttention()([q, v]), L.Attention(use_scale=True)([q, v]), L.Dot((2, 2))([q, v])]


@structure
def augmented():
    i = tensor(20, 24, 3)
    x = P.RandomRotation(.1)(P.RandomFlip('horizontal')(i))
    x = L.GaussianNoise(.2)(L.GaussianDropout(.2)(P.Rescaling(2., -1.)(P.CenterCrop(16, 16)(x))))
    return i, L.Conv2D(4, 3, strides=2)(P.Resizing(12, 12, interpolation='nearest')(x))


@structure
def joined():
    a, b = tensor(6, 6, 4), tensor(6, 6, 4)
    x, y = L.Conv2D(4, 1)(a), L.Conv2D(4, 3, padding='same')(b)
    return [a, b], [L.Concatenate(axis=1)([x, y]), L.Concatenate(axis=2)([x, y, x]), L.Minimum()([x, y]), L.Average()([x, y, a]), L.Dot(2)([L.Reshape((36, 4))(x), L.Reshape((36, 4))(y)])]


@structure
def dense_maps():
    i = tensor(4, 5, 6)
    ends = [L.Dense(3, activation='relu')(i), L.Dense(2)(L.Dense(4)(L.Conv2D(6, 3, padding='same')(i)))]
    if hasattr(L, 'EinsumDense'):
        ends.append(L.EinsumDense('abcd,df->abcf', output_shape=(None, 5, 7), bias_axes='f')(i))
    return i, ends


def randomise(model, random):
    for w in model.weights:
        v, name = w.numpy(), getattr(w, 'path', w.name)
        if v.dtype.kind == 'f' and 'variance' in name:
            w.assign(np.abs(random.rand(*v.shape)) + .5)
        elif v.dtype.kind == 'f' and any(n in name for n in ('gamma', 'beta', 'bias', 'mean', 'alpha')):
            w.assign(random.randn(*v.shape) * .3 + (1 if 'gamma' in name else .2 if 'alpha' in name else 0))


def write(name, folder):
    """The model's files; inputs and outputs as Keras has them."""
    K.backend.clear_session()
    random = np.random.RandomState(1)
    model = K.Model(*STRUCTURES[name](), **({'name': 'net'} if KERAS_3 else {}))
    randomise(model, random)
    inputs = []
    for t in model.inputs:
        shape = [1, *t.shape[1:]]
        inputs.append(random.randint(0, 40, shape).astype('i4') if 'int' in str(t.dtype) else (random.rand(*shape) * 2 - 1).astype('f4'))
        if name.startswith('masked'):
            inputs[-1][:, [0, 4, 5]] = 0
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    outputs = [y.numpy() for y in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]
    paths = [os.path.join(folder, n) for n in ('model.h5', 'saved_model', 'model.keras', 'model.tflite')]
    model.save(paths[0])
    if not KERAS_3:
        model.save(paths[1])
        return paths[:2], inputs, outputs
    model.export(paths[1], verbose=False)
    model.save(paths[2])
    with open(paths[3], 'wb') as f:
        f.write(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    return paths, inputs, outputs


def channels_first(x):
    return x.transpose(0, x.ndim - 1, *range(1, x.ndim - 1)) if x.ndim > 3 else x


def error(found, wanted):
    """Of that output found which is nearest, in either order of axes."""
    best = np.inf
    for y in found:
        if y.size != wanted.size:
            continue
        for v in (y, y.transpose(0, *range(2, y.ndim), 1) if y.ndim > 3 else y):
            best = min(best, np.abs(v.ravel().astype('f8') - wanted.ravel()).max() / max(1, np.abs(wanted).max()))
    return best


def check(tool, path, inputs, outputs, folder):
    """A line about one file; None where it is right."""
    blob, ir = os.path.join(folder, 'out.blob'), os.path.join(folder, 'ir')
    done = subprocess.run([tool, 'convert', path, '-o', blob, '-q', '-ip', 'FP16', '--ir', ir], capture_output=True, text=True)
    if done.returncode:
        return done.stderr.split('\n')[0]
    with open(glob.glob(ir + '/*.xml')[0]) as f:
        network = re.sub('<body>.*?</body>', '', f.read(), flags=re.S)
    stated = re.findall(r'<layer id="\d+" name="([^"]*)" type="Parameter".*?shape="([^"]*)"', network, re.S)
    shutil.rmtree(ir)
    arrays, left = {}, list(inputs)
    for name, dims in sorted(stated):  # inputs of one shape are numbered by their names
        shape = tuple(int(d) for d in dims.split(','))
        at = next(i for i, x in enumerate(left) if shape in (x.shape, channels_first(x).shape))
        x = left.pop(at)
        arrays[name] = channels_first(x) if channels_first(x).shape == shape else x
    np.savez(os.path.join(folder, 'in.npz'), **arrays)
    for what, limit in ((path, MODEL), (blob, BLOB)):
        done = subprocess.run([tool, 'run', what, '--input', os.path.join(folder, 'in.npz'), '--output-dir', ir], capture_output=True, text=True)
        if done.returncode:
            return done.stderr.split('\n')[0]
        worst = max(error([np.load(p) for p in glob.glob(ir + '/*.npy')], y) for y in outputs)
        shutil.rmtree(ir)
        if not worst <= limit:
            return f'error {worst:.1e} of {"the blob" if what == blob else "the model"}'
    return None


def draw_layers(first, count):
    """Drawn layers take the place of the structures."""
    from keras_layers import LAYERS, drawn
    STRUCTURES.clear()
    for number in range(first, first + count):
        STRUCTURES[f'{number} {list(LAYERS)[number % len(LAYERS)]}'] = lambda number=number: drawn(number)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('tool')
    parser.add_argument('-k', default='')
    parser.add_argument('--folder', help='keep the models here')
    parser.add_argument('--drawn', type=int)
    parser.add_argument('--seed', type=int, default=0)
    a = parser.parse_args()
    tool, wrong, count = os.path.abspath(a.tool), 0, 0
    if a.drawn:
        draw_layers(a.seed, a.drawn)
    for name in list(STRUCTURES):
        if not re.search(a.k, name):
            continue
        with tempfile.TemporaryDirectory() as temporary:
            folder = os.path.join(a.folder, name) if a.folder else temporary
            os.makedirs(folder, exist_ok=True)
            try:
                paths, inputs, outputs = write(name, folder)
            except Exception as e:  # not all arguments that are drawn go together
                if not a.drawn:
                    raise
                print(f'{name:16} is none: {str(e).splitlines()[0][:120]}', flush=True)
                continue
            for path in paths:
                said = check(tool, path, inputs, outputs, folder)
                count, wrong = count + 1, wrong + (said is not None)
                print(f'{name:16} {os.path.basename(path):12} {said or "right"}', flush=True)
    print(f'{count - wrong} of {count} right')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
