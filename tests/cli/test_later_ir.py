"""IR version 11 as OpenVINO writes it since 2022: operations of opset 8 to 16, compressed weights, open shapes; converted, run, compared."""
import json
import os
import subprocess
import sys

import numpy as np
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'conformance'))
from ir_builder import Net  # noqa: E402

RNG = np.random.default_rng(4)
X = RNG.standard_normal((1, 4, 6, 9)).astype(np.float32)
Q, K, V = (RNG.standard_normal((1, 2, 5, 8)).astype(np.float32) for _ in range(3))


def windows(size, places):
    return [(i * size // places, -(-(i + 1) * size // places)) for i in range(places)]


def adaptive(reduce, rows, columns):
    return np.stack([np.stack([reduce(X[:, :, a:b, c:d], (2, 3)) for c, d in windows(9, columns)], -1) for a, b in windows(6, rows)], -2)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def grouped():
    g = X.reshape(1, 2, -1)
    normal = ((g - g.mean(-1, keepdims=True)) / np.sqrt(g.var(-1, keepdims=True) + 1e-3)).reshape(X.shape)
    return normal * np.arange(1, 5).reshape(1, 4, 1, 1) + 0.5


def attention(causal):
    scores = Q @ K.transpose(0, 1, 3, 2) / np.sqrt(8)
    return softmax(np.where(np.tril(np.ones((5, 5))) > 0, scores, -np.inf) if causal else scores) @ V


def pool(first_only):
    """Windows of 2 by 2, the rows also at the padding behind them."""
    padded = np.pad(X, ((0, 0), (0, 0), (0, 0), (0, 1)))
    columns = [padded[..., i:i + 2].sum(-1) / (2 if i < 8 else 1) for i in range(0, 9, 2)]
    y = np.stack(columns, -1)
    return (y[:, :, ::2] + y[:, :, 1::2]) / 2


def changed(places, function, *values):
    """X, where `function` (a ufunc, or None to overwrite) takes `values` at `places`."""
    y = X.copy()
    for v in values:
        function.at(y, places, v) if function else y.__setitem__(places, v)
    return y


def nearest(grid):
    """Pixels nearest to places from -1 to 1, the corners of the plane."""
    at = [np.rint((grid[0, ..., i] + 1) / 2 * (n - 1)).astype(int) for i, n in ((1, 6), (0, 9))]
    return X[:, :, at[0], at[1]]


GRID = RNG.uniform(-1, 1, (1, 3, 5, 2)).astype(np.float32)
BOUNDS = [-0.5, 0.25, 1.5]

# operation -> (opset, attributes, what it reads beside x, what it is to compute)
CASES = {
    'AdaptiveAvgPool': (8, {}, lambda n: [n.ints(4, 5)], adaptive(np.mean, 4, 5)),
    'AdaptiveAvgPool steps': (8, {}, lambda n: [n.ints(3, 3)], adaptive(np.mean, 3, 3)),
    'AdaptiveMaxPool': (8, {'index_element_type': 'i64'}, lambda n: [n.ints(4, 5)], adaptive(np.max, 4, 5)),
    'AdaptiveMaxPool one': (8, {'index_element_type': 'i64'}, lambda n: [n.ints(1, 1)], X.max((2, 3), keepdims=True)),
    'SoftSign': (9, {}, lambda n: [], X / (1 + abs(X))),
    'Interpolate': (11, dict(mode='nearest', shape_calculation_mode='sizes', coordinate_transformation_mode='asymmetric', nearest_mode='floor', antialias=False, pads_begin=[0], pads_end=[0], cube_coeff=-0.75),
                    lambda n: [n.ints(12, 18), n.ints(2, 3)], X.repeat(2, 2).repeat(2, 3)),
    'GroupNormalization': (12, {'num_groups': 2, 'epsilon': 1e-3}, lambda n: [n.const(np.arange(1, 5), 'f32'), n.const([0.5] * 4, 'f32')], grouped()),
    'Pad': (12, {'pad_mode': 'constant'}, lambda n: [n.ints(0, 0, -1, 2), n.ints(0, 0, 1, -3), n.const(2.0, 'f32')], np.pad(X[:, :, 1:, :6], ((0, 0), (0, 0), (0, 1), (2, 0)), constant_values=2)),
    'AvgPool': (14, dict(kernel=[2, 2], strides=[2, 2], pads_begin=[0, 0], pads_end=[0, 1], exclude_pad=True, rounding_type='ceil_torch', auto_pad='explicit'), lambda n: [], pool(False)),
    'Identity': (16, {}, lambda n: [], X),
    'MaxPool gaps': (8, dict(kernel=[2, 2], strides=[1, 1], dilations=[2, 3], pads_begin=[0, 0], pads_end=[0, 0], rounding_type='floor', auto_pad='explicit', index_element_type='i64', axis=0), lambda n: [],
                     np.stack([X[:, :, a:a + 4, b:b + 6] for a in (0, 2) for b in (0, 3)]).max(0)),
    'GridSample': (9, dict(align_corners=True, mode='nearest', padding_mode='border'), lambda n: [n.const(GRID, 'f32')], nearest(GRID)),
    'ScatterElementsUpdate sum': (12, dict(reduction='sum', use_init_val=True), lambda n: [n.const(np.full((1, 4, 6, 2), 3), 'i64'), n.const(np.ones((1, 4, 6, 2)), 'f32'), n.const(3, 'i64')], changed(np.s_[..., 3], np.add, 1, 1)),
    'ScatterElementsUpdate mean': (12, dict(reduction='mean', use_init_val=True), lambda n: [n.const(np.full((1, 4, 6, 2), 3), 'i64'), n.const(np.ones((1, 4, 6, 2)), 'f32'), n.const(3, 'i64')], changed(np.s_[..., 3], None, (X[..., 3] + 2) / 3)),
    'ScatterElementsUpdate alone': (12, dict(reduction='max', use_init_val=False), lambda n: [n.const(np.full((1, 4, 6, 1), 3), 'i64'), n.const(np.full((1, 4, 6, 1), -2.0), 'f32'), n.const(3, 'i64')], changed(np.s_[..., 3], None, -2)),
    'ScatterNDUpdate sub': (15, dict(reduction='sub'), lambda n: [n.const([[0, 2]], 'i64'), n.const(np.ones((1, 6, 9)), 'f32')], changed(np.s_[0, 2], np.subtract, 1)),
    'ScatterUpdate': (8, {}, lambda n: [n.ints(5, 0), n.const(np.ones((1, 4, 6, 2)), 'f32'), n.const(3, 'i64')], changed(np.s_[..., [0, 5]], None, 1)),
    'SliceScatter': (15, {}, lambda n: [n.const(np.ones((1, 4, 2, 9)), 'f32'), n.ints(4), n.ints(-7), n.ints(-2), n.ints(2)], changed(np.s_[:, :, [2, 4]], None, 1)),
    'GatherElements': (8, dict(axis=-1), lambda n: [n.const(np.full((1, 4, 6, 2), 7), 'i64')], X[..., [7, 7]]),
    'Tile': (8, {}, lambda n: [n.ints(2, 1, 1, 1, 3)], np.tile(X, (2, 1, 1, 1, 3))),
    'Tile fewer': (8, {}, lambda n: [n.ints(3)], np.tile(X, 3)),
    'ConvertLike': (8, {}, lambda n: [n.const(1.0, 'f16')], X),
    'Mod': (8, dict(auto_broadcast='numpy'), lambda n: [n.const(0.75, 'f32')], np.fmod(X, 0.75)),
    'Bucketize': (8, dict(output_type='i32', with_right_bound=False), lambda n: [n.const(BOUNDS, 'f32')], np.digitize(X, BOUNDS)),
}


def run_network(tool, folder, net, arrays, *options):
    net.save(str(folder / 'net'))
    np.savez(folder / 'in.npz', **arrays)
    done = subprocess.run([tool, 'convert', folder / 'net.xml', '-o', folder / 'net.blob', '--ip', 'FP16', '--json', *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    subprocess.run([tool, 'run', folder / 'net.blob', '--input', folder / 'in.npz', '--output-dir', folder / 'out'], check=True, capture_output=True)
    subprocess.run([tool, 'compare', folder / 'net.xml', '--input', folder / 'in.npz', '--ip', 'FP16', *options], check=True, capture_output=True)
    return next(np.load(f) for f in (folder / 'out').iterdir()), json.loads(done.stdout)


@pytest.mark.parametrize('case', CASES)
def test_operation(tool, tmp_path, case):
    opset, data, others, wanted = CASES[case]
    net = Net('later', version=11)
    x = net.input(*X.shape, type='f32', name='x')
    before = net.relu(net.mul(x, net.const(-1.0, 'f32')))  # never alone: an input that is an output has a name to keep
    x = net.add(x, net.mul(before, net.const(0.0, 'f32')))
    outputs = 2 if case.startswith('AdaptiveMax') else 1
    y = net.layer(case.split()[0], [x, *(others(net))], version=f'opset{opset}', outputs=outputs, **data)
    net.result(y[0] if outputs > 1 else y)
    got, _ = run_network(tool, tmp_path, net, {'x': X})
    np.testing.assert_allclose(got.reshape(-1), wanted.reshape(-1), atol=8e-3)


@pytest.mark.parametrize('causal', [False, True])
def test_attention(tool, tmp_path, causal):
    net = Net('attention', version=11)
    inputs = [net.input(*Q.shape, name=k, type='f32') for k in 'qkv']
    net.result(net.layer('ScaledDotProductAttention', inputs, version='opset13', causal=causal))
    got, _ = run_network(tool, tmp_path, net, {'q': Q, 'k': K, 'v': V})
    np.testing.assert_allclose(got.reshape(-1), attention(causal).reshape(-1), atol=5e-3)


@pytest.mark.parametrize('clip', [0.0, 0.6])
@pytest.mark.parametrize('kind', ['GRUCell', 'RNNCell'])
def test_cell(tool, tmp_path, kind, clip):
    gates = 3 if kind == 'GRUCell' else 1
    x, h, w, r, b = (RNG.standard_normal(s).astype(np.float32) for s in ((2, 3), (2, 4), (4 * gates, 3), (4 * gates, 4), (4 * gates,)))
    net = Net('cell', version=11)
    inputs = [net.input(*x.shape, name='x', type='f32'), net.input(*h.shape, name='h', type='f32'), *(net.const(v, 'f32') for v in (w, r, b))]
    net.result(net.layer(kind, inputs, version='opset3', hidden_size=4, clip=clip, **({'linear_before_reset': False} if gates > 1 else {})))

    def cut(v):
        return np.clip(v, -clip, clip) if clip else v
    if kind == 'RNNCell':
        wanted = np.tanh(cut(x @ w.T + h @ r.T + b))
    else:
        z, reset = (1 / (1 + np.exp(-cut(x @ w[i:i + 4].T + h @ r[i:i + 4].T + b[i:i + 4]))) for i in (0, 4))
        wanted = np.tanh(cut(x @ w[8:].T + (reset * h) @ r[8:].T + b[8:])) * (1 - z) + z * h
    got, _ = run_network(tool, tmp_path, net, {'x': x, 'h': h})
    np.testing.assert_allclose(got.reshape(-1), wanted.reshape(-1), atol=8e-3)


def test_weights_in_half_are_constants(tool, tmp_path):
    """As OpenVINO saves models: no stage more than with weights in FP32."""
    stages = []
    w = RNG.standard_normal((24, 24)) / 5
    given = RNG.standard_normal((1, 60, 24)).astype(np.float32)
    for kind in ('f32', 'f16'):
        net = Net('half', version=11)
        x = net.input(1, 60, 24, name='x', type='f32')
        for _ in range(2):
            k = net.const(w, kind)
            if kind == 'f16':
                k = net.layer('Convert', [k], destination_type='f32')
                net.layers[k[0]].inner = '<rt_info><attribute name="decompression" version="0"/></rt_info>'
            x = net.relu(net.layer('MatMul', [x, k], transpose_a=False, transpose_b=True))
        net.result(x)
        (tmp_path / kind).mkdir()
        got, told = run_network(tool, tmp_path / kind, net, {'x': given})
        stages.append(told['stages'])
    assert stages[0] == stages[1] < 20


@pytest.mark.parametrize('first', [False, True])
def test_rows_in_columns(tool, tmp_path, first):
    """As OpenVINO writes a Transpose in front of a linear layer: a stage or three, not one for each column."""
    net = Net('columns', version=11)
    w, given = RNG.standard_normal((16, 24)) / 5, RNG.standard_normal((1, 24, 400)).astype(np.float32)
    x, k = net.input(*given.shape, name='x', type='f32'), net.const(w, 'f32')
    y = net.layer('MatMul', [k, x] if first else [x, k], transpose_a=not first, transpose_b=not first)
    net.result(net.relu(y))
    got, told = run_network(tool, tmp_path, net, {'x': given})
    wanted = np.maximum(w @ given[0] if first else given[0].T @ w.T, 0)
    np.testing.assert_allclose(got.reshape(-1), wanted.reshape(-1), atol=8e-3)
    assert told['stages'] < 12


# type -> (bytes, what four elements they are)
PACKED = {'i4': ((0x21, 0x8F), (1, 2, -1, -8)), 'u4': ((0x21, 0x8F), (1, 2, 15, 8)), 'nf4': ((0xF0, 0x37), (-1, 1, 0, -0.394917)), 'f8e4m3': ((0x38, 0xB8, 0x40, 0x01), (1, -1, 2, 2**-9)), 'f8e5m2': ((0x3C, 0xBC, 0x40, 0x38), (1, -1, 2, 0.5)),
          'u8': ((130, 128, 0, 255), (130, 128, 0, 255)), 'bf16': ((0x80, 0x3F, 0x00, 0xC0, 0, 0, 0x20, 0x41), (1, -2, 0, 10))}


@pytest.mark.parametrize('kind', PACKED)
def test_compressed_weights(tool, tmp_path, kind):
    octets, values = PACKED[kind]
    net = Net('packed', version=11)
    x = net.input(1, 3, 4, name='x', type='f32')
    w = net.layer('Convert', [net.packed(kind, (4, 1), *octets)], destination_type='f32')
    w = net.layer('Multiply', [net.layer('Subtract', [w, net.const(1.0, 'f32')]), net.const([[0.5]], 'f32')])
    net.result(net.layer('MatMul', [x, w], transpose_a=False, transpose_b=False))
    given = RNG.standard_normal((1, 3, 4)).astype(np.float32)
    got, _ = run_network(tool, tmp_path, net, {'x': given})
    wanted = given @ ((np.array(values, np.float32).reshape(4, 1) - 1) * 0.5)
    np.testing.assert_allclose(got.reshape(-1), wanted.reshape(-1), atol=4e-3 * np.abs(wanted).max())


@pytest.mark.parametrize('kind', ['i4', 'u4', 'u8'])
def test_weights_compressed_in_groups(tool, tmp_path, kind):
    octets, values = PACKED[kind]
    net = Net('groups', version=11)
    x = net.input(1, 3, 2, name='x', type='f32')
    w = net.layer('Convert', [net.packed(kind, (2, 1, 2), *octets)], destination_type='f16')
    zeros = net.layer('Convert', [net.packed('u4', (2, 1, 1), 0x52)], destination_type='f16')
    w = net.layer('Multiply', [net.layer('Subtract', [w, zeros]), net.const([[[0.5]], [[0.25]]])])
    w = net.layer('Convert', [net.layer('Reshape', [w, net.const([2, 2], 'i64')], special_zero=False)], destination_type='f32')
    net.result(net.layer('MatMul', [x, w], transpose_a=False, transpose_b=True))
    given = RNG.standard_normal((1, 3, 2)).astype(np.float32)
    got, _ = run_network(tool, tmp_path, net, {'x': given})
    wanted = given @ ((np.array(values, np.float32).reshape(2, 2) - [[2], [5]]) * [[0.5], [0.25]]).T
    np.testing.assert_allclose(got.reshape(-1), wanted.reshape(-1), atol=4e-3 * np.abs(wanted).max())


def test_quantized_network(tool, tmp_path):
    net = Net('quantized', version=11)

    def fake(x, low, high, shape=()):
        ends = [net.const(np.full(shape, v), 'f32') for v in (low, high, low, high)]
        return net.layer('FakeQuantize', [x, *ends], levels=256, auto_broadcast='numpy')
    w = RNG.standard_normal((4, 3)).astype(np.float32)
    x = fake(net.input(1, 5, 4, name='x', type='f32'), -1.28, 1.27)
    net.result(net.layer('MatMul', [x, fake(net.const(w, 'f32'), -2.0, 2.0, (1, 1))], transpose_a=False, transpose_b=False))
    given = RNG.standard_normal((1, 5, 4)).astype(np.float32)

    def rounded(v, low, high):
        return np.round((np.clip(v, low, high) - low) / (high - low) * 255) / 255 * (high - low) + low
    got, _ = run_network(tool, tmp_path, net, {'x': given})
    np.testing.assert_allclose(got.reshape(-1), (rounded(given, -1.28, 1.27) @ rounded(w, -2, 2)).reshape(-1), atol=0.03)


@pytest.mark.parametrize('low, high', [(-60000.0, 60000.0), (-3.4e38, 12.75), (-np.inf, 2.0)])
def test_quantized_ranges_beyond_half_precision(tool, tmp_path, low, high):
    """As behind an attention mask: what is far below 0 stays so, the rest is a step of the range."""
    net = Net('wide', version=11)
    ends = [net.const(np.array(v), 'f32') for v in (low, high, low, high)]
    net.result(net.layer('FakeQuantize', [net.input(1, 8, name='x', type='f32'), *ends], levels=256, auto_broadcast='numpy'))
    given = np.array([[-60000, -32768, -20000, -3, 0, 2, 11, 30000]], np.float32)
    net.save(str(tmp_path / 'net'))
    np.savez(tmp_path / 'in.npz', x=given)
    subprocess.run([tool, 'convert', tmp_path / 'net.xml', '-o', tmp_path / 'net.blob', '--ip', 'FP16', '-q'], check=True, capture_output=True)
    subprocess.run([tool, 'run', tmp_path / 'net.blob', '--input', tmp_path / 'in.npz', '--output-dir', tmp_path / 'out'], check=True, capture_output=True)
    got = np.load(next((tmp_path / 'out').glob('*.npy')))
    least = max(low, -60000 if low > -1e5 else -32768 if np.isfinite(low) else -65504)
    step = (high - least) / 255
    np.testing.assert_allclose(got.reshape(-1), np.clip(given, least, high).reshape(-1), atol=0.55 * step + 40)


def open_network(*shape):
    net = Net('open', version=11)
    net.result(net.relu(net.input(*shape, name='x', type='f32')))
    return net


def test_an_open_batch_is_one(tool, tmp_path):
    got, said = run_network(tool, tmp_path, open_network(-1, 4, 6, 9), {'x': X})
    np.testing.assert_allclose(got, np.maximum(X, 0), atol=2e-3)
    assert any('batch' in n['what'] for n in said['not_as_intel'])


@pytest.mark.parametrize('option', ['x=1,4,6,9', 'x[1,4,6,9]', '[1,4,6,9]', '1,4,6,9', '[?,4,6,9]', 'x=1,?,6,9'])
def test_stated_shapes(tool, tmp_path, option):
    got, _ = run_network(tool, tmp_path, open_network(-1, 4, -1, -1), {'x': X}, '--input-shape', option)
    np.testing.assert_allclose(got, np.maximum(X, 0), atol=2e-3)


def test_what_is_left_open_is_named(run, tmp_path):
    open_network(1, 4, -1, -1).save(str(tmp_path / 'net'))
    done = run('convert', tmp_path / 'net.xml', '-o', tmp_path / 'net.blob')
    assert done.returncode == 1 and '--input-shape x=1,4,?,?' in done.stderr
    for wrong, hint in (('y=1,4,6,9', 'its inputs are: x'), ('[1,2],[3,4]', 'its inputs are: x'), ('x=1,4,z,9', 'is not NAME=')):
        done = run('convert', tmp_path / 'net.xml', '-o', tmp_path / 'net.blob', '--input-shape', wrong)
        assert done.returncode != 0 and hint in done.stderr, done.stderr


def test_what_is_not_known_is_named(run, tmp_path):
    net = Net('unknown', version=11)
    net.result(net.layer('Inverse', [net.input(1, 3, 4, 4, name='x', type='f32')], name='inverse', version='opset14'))
    net.save(str(tmp_path / 'net'))
    done = run('convert', tmp_path / 'net.xml', '-o', tmp_path / 'net.blob')
    assert done.returncode == 1 and 'Inverse of opset14' in done.stderr and 'Model Optimizer' not in done.stderr
