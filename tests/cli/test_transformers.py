"""What `convert` makes of the parts of transformers: few stages, the values of ONNX Runtime."""
import json
import subprocess

import numpy as np
import onnxruntime
import pytest
from onnx_model import OnnxModel

RNG = np.random.default_rng(5)
REAL = lambda *shape: (RNG.standard_normal(shape) / 2).astype(np.float32)
GAIN, SHIFT = (1 + REAL(24) / 2), REAL(24)


def converted(tool, folder, m, end, shape):
    """The types of the stages, and what was rewritten how; the values are checked."""
    model = m.save(str(folder / 'm.onnx'), (end, 1))
    x = REAL(*shape)
    np.save(folder / 'x.npy', x)
    wanted = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider']).run(None, {'x': x})[0]
    said = json.loads(subprocess.run([tool, 'convert', folder / 'm.onnx', '-o', folder / 'm.blob', '--ip', 'FP16', '--json'], check=True, capture_output=True, text=True).stdout)
    subprocess.run([tool, 'run', folder / 'm.blob', '--input', folder / 'x.npy', '--output-dir', folder], check=True, capture_output=True)
    np.testing.assert_allclose(np.load(folder / f'{end}.npy').reshape(-1), wanted.reshape(-1), atol=0.01 * np.abs(wanted).max())
    blob = json.loads(subprocess.run([tool, 'inspect', folder / 'm.blob', '--json'], check=True, capture_output=True, text=True).stdout)
    return [s['type'] for s in blob['stages']], [(r['type'], r['replacement']) for r in said['rewrites']]


def windows(m, x):
    return m('Reshape', m('Transpose', m('Reshape', x, np.array([2, 4, 2, 4, 24])), perm=[0, 2, 1, 3, 4]), np.array([1, 64, 24]))


# what lies between a normalisation and the product that reads it, and whether factors and summands of it become part of the product
BETWEEN = {
    'nothing': (lambda m, x: x, True, True), 'windows': (windows, True, True),
    'rolled': (lambda m, x: m('Concat', m('Slice', x, np.array([40]), np.array([64]), np.array([1])), m('Slice', x, np.array([0]), np.array([40]), np.array([1])), axis=1), True, True),
    'rows of zeros': (lambda m, x: m('Pad', x, np.array([0, 0, 0, 0, 8, 0])), True, False), 'columns of zeros': (lambda m, x: m('Pad', x, np.array([0, 0, 0, 0, 0, 2])), False, False),
    'turned': (lambda m, x: m('Transpose', x, perm=[0, 2, 1]), False, False), 'an activation': (lambda m, x: m('Tanh', x), False, False),
    'half of the columns': (lambda m, x: m('Slice', x, np.array([0]), np.array([12]), np.array([2])), False, False),
}


@pytest.mark.parametrize('between', BETWEEN)
def test_what_a_normalisation_multiplies_becomes_weights(tool, tmp_path, between):
    layers, factors, summands = BETWEEN[between]
    m = OnnxModel(17, x=[1, 64, 24])
    x = layers(m, m('LayerNormalization', 'x', GAIN, *[SHIFT][between == 'rows of zeros':]))  # summands can't pass rows of zeros, factors can
    columns = {'columns of zeros': 26, 'turned': 64, 'half of the columns': 12}.get(between, 24)
    y = m('Relu', m('MatMul', x, REAL(columns, 16)))
    _, rewrites = converted(tool, tmp_path, m, y, [1, 64, 24])
    assert [('Multiply', 'factors of the weights behind it') in rewrites, ('Add', 'a part of the bias behind it') in rewrites] == [factors, summands]


def test_what_others_read_too_stays(tool, tmp_path):
    m = OnnxModel(17, x=[1, 64, 24])
    x = m('LayerNormalization', 'x', GAIN, SHIFT)
    y = m('Add', m('MatMul', x, REAL(24, 24)), x)
    _, rewrites = converted(tool, tmp_path, m, y, [1, 64, 24])
    assert not [r for r in rewrites if 'behind it' in r[1]]


def test_products_with_and_without_bias_take_what_they_share(tool, tmp_path):
    m = OnnxModel(17, x=[1, 64, 24])
    x = m('LayerNormalization', 'x', GAIN, SHIFT)
    y = m('Concat', m('Add', m('MatMul', x, REAL(24, 8)), REAL(8)), m('MatMul', x, REAL(24, 8)), axis=-1)
    _, rewrites = converted(tool, tmp_path, m, m('Tanh', y), [1, 64, 24])
    assert ('Multiply', 'factors of the weights behind it') in rewrites and ('Add', 'a part of the bias behind it') in rewrites


def test_queries_by_keys_are_one_product(tool, tmp_path):
    m = OnnxModel(17, x=[1, 3, 40, 16])
    keys = m('Transpose', m('Tanh', 'x'), perm=[0, 1, 3, 2])
    y = m('Softmax', m('MatMul', m('Mul', 'x', 0.5), m('Mul', keys, 0.5)), axis=-1)
    stages, _ = converted(tool, tmp_path, m, y, [1, 3, 40, 16])
    assert stages.count('Permute') == 0 and stages.count('Power') == 1, stages
