"""Conversions that Intel's Model Optimizer 2021.4.2 refuses, of models that make sense: `mo` and `convert` do them, and the
network computes what the model says. What makes no sense is refused in its words."""
import os
import struct
import sys

import numpy as np
import onnxruntime
import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'cli')]
from framework_models import Symbol, save
from onnx_model import OnnxModel
from tensorflow_models import Graph, Type, field, shape_proto, varint

RANDOM = np.random.RandomState(7)
X = RANDOM.uniform(-1, 1, (1, 3, 6, 6)).astype('f4')


def mean_of_mxnet(folder):
    s = Symbol(1)
    symbol, parameters = s.files(s('mean', 'mean0', s('negative', 'n', s.variable('data')), axis='(2, 3)', keepdims=True))
    save(folder, '.', {'m-symbol.json': symbol, 'm-0000.params': parameters})
    return ['m-0000.params', '--input_shape', '[1,3,6,6]'], {'data': X}, -X.mean((2, 3), keepdims=True)


def value_of_a_placeholder_with_default(folder):
    g = Graph()
    keep = g.node('PlaceholderWithDefault', [g.constant(1.0)], name='keep', dtype=Type(1), shape=())
    g.node('Relu', [g.node('Mul', [g.input(1, 4, name='a'), keep])])
    save(folder, '.', {'m.pb': g.bytes})
    x = np.array([[1, -2, 3, 4]], 'f4')
    return ['m.pb', '--input', 'a,keep->3.0'], {'a': x}, np.maximum(3 * x, 0)


def checksum(data):
    """CRC-32C, turned and shifted as LevelDB keeps it."""
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    crc ^= 0xffffffff
    return struct.pack('<I', (crc >> 15 | crc << 17 & 0xffffffff) + 0xa282ead8 & 0xffffffff)


def table(entries):
    """A table of one block as LevelDB writes it: keys share nothing with the one before."""
    def block(pairs):
        data, starts = b'', []
        for key, value in pairs:
            starts.append(len(data))
            data += varint(0) + varint(len(key)) + varint(len(value)) + key + value
        data += struct.pack(f'<{len(starts) + 1}I', *starts, len(starts)) + b'\0'
        return data + checksum(data)

    def handle(offset, data):
        return varint(offset) + varint(len(data) - 5)
    data, nothing = block(sorted(entries.items())), block([])
    index = block([(b'\xff', handle(0, data))])
    footer = handle(len(data), nothing) + handle(len(data + nothing), index)
    return data + nothing + index + footer.ljust(40, b'\0') + struct.pack('<Q', 0xdb4775248b80fb57)


def data_of_a_checkpoint(folder):
    """--input_checkpoint names the file of values instead of the checkpoint."""
    weights = RANDOM.uniform(-1, 1, (4, 5)).astype('f4')
    g = Graph()
    g.node('VariableV2', name='w', dtype=Type(1), shape=(4, 5))
    g.node('MatMul', [g.input(1, 4, name='a'), g.node('Identity', ['w'])], transpose_a=False, transpose_b=False)
    header = field(1, 1)
    entry = field(1, 1) + field(2, shape_proto((4, 5))) + field(5, weights.nbytes)
    save(folder, '.', {'m.pb': g.bytes, 'm.ckpt.index': table({b'': header, b'w': entry}), 'm.ckpt.data-00000-of-00001': weights.tobytes()})
    x = RANDOM.uniform(-1, 1, (1, 4)).astype('f4')
    return ['m.pb', '--input_checkpoint', 'm.ckpt.data-00000-of-00001'], {'a': x}, x @ weights


def layer_normalization_of_keras(folder):
    """As TensorFlow 2.4 writes it: moments by a FusedBatchNorm that trains, over a tensor of a row per pixel, its sizes computed."""
    g = Graph()
    x = g.node('Neg', [g.input(-1, 6, 6, 3)])
    shape = g.node('Shape', [x], out_type=Type(3))
    at = [g.node('StridedSlice', [shape, g.ints(i), g.ints(i + 1), g.ints(1)], Index=Type(3), T=Type(3), shrink_axis_mask=1) for i in range(4)]
    rows = g.constant(1, 'int32')
    for size in at[:3]:
        rows = g.node('Mul', [rows, size], T=Type(3))
    one = g.constant(1, 'int32')
    y = g.node('Reshape', [x, g.node('Pack', [one, rows, at[3], one], N=4, axis=0, T=Type(3))], Tshape=Type(3))
    filled = [g.node('Fill', [g.node('Pack', [rows], N=1, axis=0, T=Type(3)), g.constant(v)], index_type=Type(3)) for v in (1.0, 0.0)]
    empty = g.constant([])
    y = g.node('FusedBatchNormV3', [y, *filled, empty, empty], U=Type(1), epsilon=0.001, is_training=True, data_format='NCHW')
    gamma, beta = np.array([.5, 1, 2], 'f4'), np.array([.1, .2, .3], 'f4')
    y = g.node('Mul', [g.node('Reshape', [y, shape], Tshape=Type(3)), g.constant(gamma)])
    g.node('AddV2', [y, g.constant(beta)])
    save(folder, '.', {'m.pb': g.bytes})
    wanted = -(X - X.mean(1, keepdims=True)) / np.sqrt(X.var(1, keepdims=True) + 0.001)
    return ['m.pb', '--input_shape', '[1,6,6,3]'], {'input': X}, wanted * gamma.reshape(3, 1, 1) + beta.reshape(3, 1, 1)


def onnx_case(folder, model, inputs, *outputs):
    path = os.path.join(folder, 'm.onnx')
    model.save(path, *((o, 1) for o in outputs))
    return ['m.onnx'], inputs, onnxruntime.InferenceSession(path).run([outputs[0]], inputs)[0]


def transposed_convolution_without_kernel_shape(folder):
    m = OnnxModel(11, x=X.shape)
    return onnx_case(folder, m, {'x': X}, m('ConvTranspose', 'x', RANDOM.randn(3, 5, 4, 4), RANDOM.randn(5), strides=[2, 2], pads=[1, 1, 1, 1]))


def lstm_without_states(folder):
    m = OnnxModel(11, x=(5, 1, 3))
    y = m('LSTM', 'x', RANDOM.randn(1, 16, 3) / 2, RANDOM.randn(1, 16, 4) / 2, RANDOM.randn(1, 32) / 2, outputs=3, hidden_size=4)
    return onnx_case(folder, m, {'x': RANDOM.uniform(-1, 1, (5, 1, 3)).astype('f4')}, *y)


def lstm_of_a_single_output(folder):
    m = OnnxModel(11, x=(5, 2, 3))
    return onnx_case(folder, m, {'x': RANDOM.uniform(-1, 1, (5, 2, 3)).astype('f4')}, m('LSTM', 'x', RANDOM.randn(1, 16, 3) / 2, RANDOM.randn(1, 16, 4) / 2, hidden_size=4))


CASES = (mean_of_mxnet, value_of_a_placeholder_with_default, data_of_a_checkpoint, layer_normalization_of_keras,
         transposed_convolution_without_kernel_shape, lstm_without_states, lstm_of_a_single_output)


@pytest.mark.parametrize('case', CASES, ids=lambda c: c.__name__)
def test_is_converted(run, tmp_path, monkeypatch, case):
    arguments, inputs, wanted = case(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    np.savez('in.npz', **inputs)
    done = run('mo', '--input_model', *arguments, '--right', '--model_name', 'm', '--output_dir', 'ir', '--silent')
    assert done.returncode == 0, done.stderr
    done = run('convert', *arguments, '-ip', 'FP16', '-o', 'm.blob')
    assert done.returncode == 0, done.stderr
    for model, tolerance in (('ir/m.xml', 2e-6), ('m.blob', 4e-3)):
        done = run('run', model, '--input', 'in.npz', '--output-dir', 'out_' + model[-3:])
        assert done.returncode == 0, done.stderr
        found = [np.load(p) for p in (tmp_path / ('out_' + model[-3:])).iterdir()]
        found = min(found, key=lambda y: np.abs(y.ravel() - wanted.ravel()).max() if y.size == wanted.size else np.inf)
        assert np.abs(found.ravel() - wanted.ravel()).max() <= tolerance * max(1, np.abs(wanted).max())


def test_a_condition_that_is_an_input_is_named(run, tmp_path):
    g = Graph()
    branch = g.node('Switch', [g.input(1, 4), g.node('Placeholder', name='train', dtype=Type(10), shape=())], name='cond')
    g.node('Merge', [g.node('Relu', [branch]), g.node('Tanh', [branch + ':1'])], N=2)
    (tmp_path / 'm.pb').write_bytes(g.bytes)
    for verb in (['mo', '--silent', '--output_dir', tmp_path, '-m'], ['convert', '-o', tmp_path / 'm.blob']):
        done = run(*verb, tmp_path / 'm.pb')
        assert done.returncode == 1 and 'It looks like there are input nodes of boolean type: train' in done.stderr, done.stderr
        assert '--input "train->False" or "train->True"' in done.stderr
        if verb[0] == 'mo':
            assert '[ ANALYSIS INFO ]' in done.stderr and 'Stopped shape/value propagation at "cond" node.' in done.stderr and 'question #38.' in done.stderr
    assert run(*verb, tmp_path / 'm.pb', '--input', 'input,train->False').returncode == 0
