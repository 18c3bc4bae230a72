"""Small Keras models, written without Keras: model.h5 of Keras 2, and the same as .keras of Keras 3.

Each function of MODELS fills a Model. keras_outputs.tsv holds what Keras computes of the input of `numbers`: keras_models.py
writes it, in a Python with TensorFlow 2.4.
"""
import io
import json
import os
import re
import sys
import zipfile

import h5py
import numpy as np

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'keras_outputs.tsv')


def numbers(shape, seed=1):
    return (np.random.RandomState(seed).rand(*shape) * 2 - 1).astype('f4')


class Model:
    """A functional model: layers are called by their names."""

    def __init__(self, seed=0):
        self.layers, self.inputs, self.outputs, self.weights, self.random = [], [], [], {}, np.random.RandomState(seed)

    def input(self, *shape, dtype='float32'):
        name = f'input_{len(self.inputs) + 1}'
        config = {'batch_input_shape': list(shape), 'dtype': dtype, 'sparse': False, 'ragged': False, 'name': name}
        self.layers.append({'class_name': 'InputLayer', 'config': config, 'name': name, 'inbound_nodes': []})
        self.inputs.append(name)
        return name, 0

    def add(self, class_name, inputs, weights=(), **config):
        """weights: [(name, shape)]"""
        name = f'{class_name.lower()}_{len(self.layers)}'
        self.layers.append({'class_name': class_name, 'config': {'name': name, 'trainable': True, 'dtype': 'float32', **config}, 'name': name, 'inbound_nodes': []})
        self.weights[name] = [(n, (self.random.randn(*s) / max(1, np.prod(s[:-1])) ** 0.5).astype('f4')) for n, s in weights]
        return self.call(name, inputs)

    def call(self, name, inputs, **arguments):
        """arguments: tensors by their names"""
        layer = next(layer for layer in self.layers if layer['name'] == name)
        inputs = inputs if isinstance(inputs, list) else [inputs]
        named = {key: [*tensor, 0] for key, tensor in arguments.items()}
        layer['inbound_nodes'].append([[n, i, 0, named] for n, i in inputs])
        return name, len(layer['inbound_nodes']) - 1

    def conv(self, x, i, o, k=3, **config):
        return self.add('Conv2D', x, [('kernel', (k, k, i, o)), ('bias', (o,))], filters=o, kernel_size=[k, k], **{'strides': [1, 1], 'padding': 'same', 'activation': 'linear', **config})

    def batch_norm(self, x, c):
        x = self.add('BatchNormalization', x, [(n, (c,)) for n in ('gamma', 'beta', 'moving_mean', 'moving_variance')], axis=[3], epsilon=0.001)
        self.weights[x[0]][3] = ('moving_variance', np.abs(self.weights[x[0]][3][1]) + 0.5)
        return x

    def dense(self, x, i, o, activation='linear'):
        return self.add('Dense', x, [('kernel', (i, o)), ('bias', (o,))], units=o, activation=activation)

    def result(self, *tensors):
        self.outputs = list(tensors)
        return self

    def config(self):
        names = lambda tensors: [[n, i, 0] for n, i in tensors]
        return {'class_name': 'Functional',
                'config': {'name': 'model', 'layers': self.layers, 'input_layers': names([(n, 0) for n in self.inputs]), 'output_layers': names(self.outputs)}}

    def h5(self, version='2.4.0', backend='tensorflow'):
        file = io.BytesIO()
        with h5py.File(file, 'w') as f:
            f.attrs['model_config'] = json.dumps(self.config())
            f.attrs['keras_version'], f.attrs['backend'] = version, backend
            g = f.create_group('model_weights')
            g.attrs['layer_names'] = [layer['name'].encode() for layer in self.layers]
            for layer in self.layers:
                weights = self.weights.get(layer['name'], [])
                sub = g.create_group(layer['name'])
                sub.attrs['weight_names'] = [f'{layer["name"]}/{n}:0'.encode() for n, _ in weights]
                for n, values in weights:
                    sub[f'{layer["name"]}/{n}:0'] = values
        return file.getvalue()

    def keras(self, version='3.4.0'):
        """As Keras 3 writes it, and Keras 2 since 2.12: weights by the class of their layer and how many came before."""
        weights, used = io.BytesIO(), {}
        with h5py.File(weights, 'w') as f:
            for layer in self.layers:
                base = re.sub('([a-z])([A-Z])', r'\1_\2', re.sub('(.)([A-Z][a-z]+)', r'\1_\2', layer['class_name'])).lower()
                count = used[base] = used.get(base, -1) + 1
                cell = 'cell/' if layer['class_name'] in ('LSTM', 'GRU', 'SimpleRNN', 'ConvLSTM1D', 'ConvLSTM2D', 'ConvLSTM3D') else ''
                for i, (n, values) in enumerate(self.weights.get(layer['name'], [])):
                    part = n.rsplit('/', 1)[0] if '/' in n else ''
                    per_part = 3 if part.endswith('_cell') else 2
                    inner = f'cell/cells/{part}/' if part.endswith('_cell') else {'': cell, 'attention_output': 'output_dense/'}.get(part, part + '_dense/')
                    if inner.endswith('_dense/') and version.startswith('2.'):
                        inner = '_' + inner
                    f[f'layers/{base}{"_" + str(count) if count else ""}/{inner}vars/{i % per_part if part else i}'] = values
        file = io.BytesIO()
        with zipfile.ZipFile(file, 'w') as z:
            z.writestr('metadata.json', json.dumps({'keras_version': version}))
            z.writestr('config.json', json.dumps(self.config()))
            z.writestr('model.weights.h5', weights.getvalue())
        return file.getvalue()


def convnet():
    m = Model()
    x = m.conv(m.input(1, 12, 12, 3), 3, 8, strides=[2, 2], use_bias=False)
    m.weights[x[0]].pop()
    x = m.add('ReLU', m.batch_norm(x, 8), max_value=6.0)
    x = m.add('DepthwiseConv2D', x, [('depthwise_kernel', (3, 3, 8, 1)), ('bias', (8,))], kernel_size=[3, 3], strides=[1, 1], padding='same', depth_multiplier=1, activation='swish')
    return m.result(m.dense(m.add('GlobalAveragePooling2D', x), 8, 5, 'softmax'))


def separable():
    m = Model()
    x = m.add('SeparableConv2D', m.input(1, 9, 9, 4), [('depthwise_kernel', (3, 3, 4, 2)), ('pointwise_kernel', (1, 1, 8, 6)), ('bias', (6,))], filters=6, kernel_size=[3, 3], strides=[1, 1],
              padding='valid', depth_multiplier=2, activation='elu')
    return m.result(m.add('MaxPooling2D', x, pool_size=[2, 2], strides=[2, 2], padding='same'))


def upsampling():
    m = Model()
    x = m.conv(m.input(1, 6, 6, 3), 3, 4, activation='relu')
    a = m.add('UpSampling2D', x, size=[2, 2], interpolation='nearest')
    b = m.add('Conv2DTranspose', x, [('kernel', (3, 3, 4, 4)), ('bias', (4,))], filters=4, kernel_size=[3, 3], strides=[2, 2], padding='same', activation='linear')
    return m.result(m.add('Concatenate', [a, b], axis=-1))


def shared():
    """One layer, called twice."""
    m = Model()
    x = m.conv(m.input(1, 8, 8, 3), 3, 3, activation='tanh')
    y = m.call(x[0], x)
    return m.result(m.add('Add', [x, y]), m.add('Multiply', [x, y]))


def padded():
    m = Model()
    x = m.add('ZeroPadding2D', m.input(1, 7, 7, 3), padding=[[1, 0], [2, 1]])
    x = m.add('PReLU', m.conv(x, 3, 4, padding='valid', dilation_rate=[2, 2]), [('alpha', (1, 1, 4))], shared_axes=[1, 2])
    return m.result(m.add('Cropping2D', x, cropping=[[1, 0], [1, 1]]))


def causal():
    m = Model()
    x = m.add('Conv1D', m.input(1, 10, 4), [('kernel', (3, 4, 6)), ('bias', (6,))], filters=6, kernel_size=[3], strides=[1], padding='causal', dilation_rate=[2], activation='relu')
    x = m.add('MaxPooling1D', x, pool_size=[2], strides=[2], padding='valid')
    return m.result(m.dense(x, 6, 3))


def recurrent():
    m = Model()
    x = m.add('LSTM', m.input(1, 5, 4), [('kernel', (4, 24)), ('recurrent_kernel', (6, 24)), ('bias', (24,))], units=6, activation='tanh', recurrent_activation='sigmoid', return_sequences=True)
    x = m.add('GRU', x, [('kernel', (6, 15)), ('recurrent_kernel', (5, 15)), ('bias', (2, 15))], units=5, activation='tanh', recurrent_activation='sigmoid', reset_after=True)
    return m.result(m.dense(x, 5, 3))


def backwards():
    m = Model()
    x = m.add('GRU', m.input(1, 5, 4), [('kernel', (4, 9)), ('recurrent_kernel', (3, 9)), ('bias', (9,))], units=3, activation='tanh', recurrent_activation='sigmoid', reset_after=False, go_backwards=True,
              return_sequences=True)
    return m.result(m.add('SimpleRNN', x, [('kernel', (3, 4)), ('recurrent_kernel', (4, 4)), ('bias', (4,))], units=4, activation='tanh'))


def dense_head():
    m = Model()
    x = m.add('Flatten', m.add('Permute', m.conv(m.input(1, 4, 6, 3), 3, 4, activation='hard_sigmoid'), dims=[2, 1, 3]))
    x = m.add('LeakyReLU', m.dense(m.add('Dropout', x, rate=0.5), 96, 12), alpha=0.2)
    return m.result(m.add('Softmax', m.add('Reshape', x, target_shape=[3, 4]), axis=-1))


def normalised():
    m = Model()
    x = m.add('Average', [m.input(1, 6, 8), m.input(1, 6, 8)])
    return m.result(m.add('LayerNormalization', x, [('gamma', (8,)), ('beta', (8,))], axis=[2], epsilon=0.001))


def attention():
    m = Model()
    x, y = m.input(1, 6, 8), m.input(1, 5, 8)
    heads = [(f'{part}/{n}', s) for part in ('query', 'key', 'value') for n, s in (('kernel', (8, 2, 4)), ('bias', (2, 4)))]
    m.add('MultiHeadAttention', x, heads + [('attention_output/kernel', (2, 4, 8)), ('attention_output/bias', (8,))], num_heads=2, key_dim=4, value_dim=4, dropout=0.0,
          use_bias=True, output_shape=None, attention_axes=None)
    name = m.layers[-1]['name']
    m.layers[-1]['inbound_nodes'].clear()
    return m.result(m.add('AdditiveAttention', [m.add('Attention', [m.call(name, x, value=y), x]), y], [('scale', (8,))], use_scale=True, causal=False, dropout=0.0))


def swapped():
    """Layers whose names are those of each other's weights in a .keras file."""
    m = Model()
    x = m.input(1, 4)
    for name in ('dense_1', 'dense'):
        old, _ = x = m.dense(x, 4, 4, 'tanh')
        m.layers[-1]['name'] = m.layers[-1]['config']['name'] = name
        m.weights[name] = m.weights.pop(old)
        x = name, 0
    return m.result(x)


def cells():
    """Cells in a row, in one layer."""
    m = Model()
    cell = lambda class_name, name, **config: {'class_name': class_name, 'config': {'name': name, 'activation': 'tanh', 'recurrent_activation': 'sigmoid', **config}}
    own = {'class_name': 'StackedRNNCells', 'config': {'name': 'stacked', 'cells': [cell('LSTMCell', 'lstm_cell', units=4), cell('GRUCell', 'gru_cell', units=3, reset_after=True)]}}
    weights = [(f'{kind}/{n}', shape) for kind, i, o, bias in (('lstm_cell', 6, 16, (16,)), ('gru_cell', 4, 9, (2, 9)))
               for n, shape in (('kernel', (i, o)), ('recurrent_kernel', (o // (4 if kind == 'lstm_cell' else 3), o)), ('bias', bias))]
    return m.result(m.add('RNN', m.input(1, 5, 6), weights, cell=own, return_sequences=True, go_backwards=True))


def conv_lstm():
    m = Model()
    weights = [('kernel', (3, 3, 2, 12)), ('recurrent_kernel', (3, 3, 3, 12)), ('bias', (12,))]
    x = m.add('ConvLSTM2D', m.input(1, 3, 8, 8, 2), weights, filters=3, kernel_size=[3, 3], strides=[2, 2], padding='same', activation='tanh', recurrent_activation='sigmoid')
    return m.result(m.dense(m.add('Flatten', x), 48, 3))


def conv_lstm_1():
    m = Model()
    weights = [('kernel', (5, 3, 8)), ('recurrent_kernel', (5, 2, 8)), ('bias', (8,))]
    more = dict(filters=2, kernel_size=[5], strides=[2], padding='valid', activation='tanh', recurrent_activation='sigmoid')
    return m.result(m.add('ConvLSTM1D', m.input(1, 4, 12, 3), weights, return_sequences=True, go_backwards=True, **more))


def conv_lstm_3():
    m = Model()
    weights = [('kernel', (3, 2, 3, 2, 8)), ('recurrent_kernel', (3, 2, 3, 2, 8)), ('bias', (8,))]
    x = m.input(1, 2, 5, 4, 6, 2)
    return m.result(m.add('ConvLSTM3D', x, weights, filters=2, kernel_size=[3, 2, 3], padding='same', activation='tanh', recurrent_activation='sigmoid'))


MODELS = [cells, conv_lstm, conv_lstm_1, conv_lstm_3, convnet, separable, upsampling, shared, padded, causal, recurrent, backwards, dense_head, normalised, attention, swapped]


def write(folder):
    """(name, ending) -> path"""
    paths = {}
    for model in MODELS:
        m = model()
        for ending, data in (('h5', m.h5()), ('keras', m.keras())):
            paths[model.__name__, ending] = os.path.join(folder, f'keras_{model.__name__}.{ending}')
            with open(paths[model.__name__, ending], 'wb') as f:
                f.write(data)
    return paths


def main():
    import tensorflow as tf
    from tflite_models import digest
    with open(FILE, 'w') as f:
        f.write('# model, number of the output, what Keras gives; made by keras_models.py\n')
        for written in MODELS:
            m = written()
            model = tf.keras.models.model_from_json(json.dumps(m.config()))
            for layer in model.layers:
                layer.set_weights([values for _, values in m.weights.get(layer.name, [])])
            outputs = model([numbers(i.shape, k + 1) for k, i in enumerate(model.inputs)])
            for i, y in enumerate(outputs if isinstance(outputs, (list, tuple)) else [outputs]):
                f.write(f'{written.__name__}\t{i}\t' + ' '.join(f'{v:.9g}' for v in digest(y.numpy())) + '\n')


if __name__ == '__main__':
    sys.exit(main())
