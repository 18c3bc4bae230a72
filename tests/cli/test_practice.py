"""Networks of the kinds that users have reported trouble with: each is converted, run and compared, or refused in words that help."""
import os
import sys

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto
from onnx_model import OnnxModel

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'conformance'))
from ir_builder import Net  # noqa: E402

RNG = np.random.default_rng(11)
REAL, WHOLE = TensorProto.FLOAT, TensorProto.INT64


def weights(*shape):
    return (RNG.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


def pictures(*shape):
    return RNG.integers(0, 256, shape).astype(np.float32)


def check(run, folder, model, arrays, *outputs, options=(), tolerance=4e-3):
    """Converts, runs beside ONNX Runtime, compares; what convert prints."""
    proto = model.save(folder / 'm.onnx', *outputs)
    np.savez(folder / 'in.npz', **arrays)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=['CPUExecutionProvider'])
    wanted = session.run(None, arrays)
    done = run('convert', folder / 'm.onnx', '-o', folder / 'm.blob', *options)
    assert done.returncode == 0, done.stderr
    assert run('run', folder / 'm.blob', '--input', folder / 'in.npz', '--output-dir', folder / 'out').returncode == 0
    for (name, kind), w in zip(outputs, wanted):
        got = np.load(folder / 'out' / f'{name}.npy').reshape(-1)
        assert got.size == w.size
        if kind == WHOLE:
            assert (got != w.reshape(-1)).mean() <= 0.01, name
        else:
            np.testing.assert_allclose(got, w.reshape(-1), atol=tolerance * max(1, np.abs(w).max()), err_msg=name)
    compared = run('compare', folder / 'm.onnx', '--input', folder / 'in.npz', *options)
    assert compared.returncode == 0, compared.stdout + compared.stderr
    return done.stdout


def test_difference_of_two_frames(run, tmp_path):
    m = OnnxModel(12, before=[1, 3, 40, 40], after=[1, 3, 40, 40])
    d = m('Squeeze', m('ReduceSum', m('Abs', m('Sub', 'before', 'after')), axes=[1], keepdims=0), axes=[0])
    said = check(run, tmp_path, m, {'before': pictures(1, 3, 40, 40), 'after': pictures(1, 3, 40, 40)}, (d, REAL))
    assert 'FP16 input' not in said


def test_softmax_over_the_last_axis_of_pictures_in_rows(run, tmp_path):
    m = OnnxModel(13, x=[1, 16, 16, 3])
    y = m('Conv', m('Transpose', 'x', perm=[0, 3, 1, 2]), weights(4, 3, 3, 3) / 50, strides=[2, 2], pads=[0, 0, 1, 1])
    u = m('Resize', y, '', '', np.array([1, 4, 16, 16]), mode='linear', coordinate_transformation_mode='half_pixel')
    a = m('Softmax', m('Transpose', u, perm=[0, 2, 3, 1]))
    b = m('Softmax', m('Reshape', m('Transpose', y, perm=[0, 2, 3, 1]), np.array([1, 64, 4])))
    check(run, tmp_path, m, {'x': pictures(1, 16, 16, 3)}, (a, REAL), (b, REAL))


def test_a_batch_in_every_shape(run, tmp_path):
    m = OnnxModel(10, x=[4, 3, 32, 16])
    y = m('LeakyRelu', m('Conv', 'x', weights(8, 3, 4, 4) / 50, strides=[4, 4]), alpha=0.1)
    r = m('Expand', m('Reshape', y, np.array([4, 8, 8, 1, 4, 1])), np.array([4, 8, 8, 2, 4, 2]))
    r = m('Conv', m('Reshape', r, np.array([4, 8, 16, 8])), weights(6, 8, 1, 1))
    y = m('Transpose', m('Reshape', r, np.array([4, 3, 2, 16, 8])), perm=[0, 1, 3, 4, 2])
    check(run, tmp_path, m, {'x': pictures(4, 3, 32, 16)}, (y, REAL))


def test_labels_are_labels(run, tmp_path):
    m = OnnxModel(11, x=[1, 3, 24, 32])
    y = m('Conv', 'x', weights(7, 3, 3, 3), strides=[4, 4], pads=[1, 1, 1, 1])
    y = m('Resize', y, np.zeros(0, np.float32), np.zeros(0, np.float32), np.array([1, 7, 24, 32]), mode='linear', coordinate_transformation_mode='align_corners')
    check(run, tmp_path, m, {'x': pictures(1, 3, 24, 32)}, (m('ArgMax', y, axis=1, keepdims=0), WHOLE))


def test_clips_of_pictures_through_an_lstm(run, tmp_path):
    m = OnnxModel(13, x=['n', 5, 16, 16, 3])
    batch = m('Slice', m('Shape', 'x'), np.array([0]), np.array([1]), np.array([0]))
    y = m('Transpose', m('Reshape', 'x', np.array([-1, 16, 16, 3])), perm=[0, 3, 1, 2])
    y = m('Relu', m('Conv', y, weights(8, 3, 3, 3) / 60, strides=[2, 2], auto_pad='SAME_UPPER'))
    y = m('Squeeze', m('GlobalAveragePool', y), np.array([2, 3]))
    y = m('Transpose', m('Reshape', y, m('Concat', batch, np.array([5, 8]), axis=0)), perm=[1, 0, 2])
    _, last, _ = m('LSTM', y, weights(1, 32, 8), weights(1, 32, 8), weights(1, 64), outputs=3, hidden_size=8)
    check(run, tmp_path, m, {'x': pictures(1, 5, 16, 16, 3)}, (m('Softmax', m('Squeeze', last, np.array([0]))), REAL), options=['--input-shape', 'x=1,5,16,16,3'])


def test_anchors_made_of_the_shape(run, tmp_path):
    m = OnnxModel(17, images=['batch', 3, 'height', 'width'])
    f = m('Conv', 'images', weights(6, 3, 8, 8) / 60, strides=[8, 8])
    rows, columns = (m('Gather', m('Shape', f), np.array(k)) for k in (2, 3))
    both = m('Concat', m('Unsqueeze', rows, np.array([0])), m('Unsqueeze', columns, np.array([0])), axis=0)

    def grid(size, shape):
        line = m('Add', m('Cast', m('Range', np.array(0), size, np.array(1)), to=REAL), np.array(0.5))
        return m('Reshape', m('Expand', m('Reshape', line, np.array(shape)), both), np.array([1, 1, -1]))
    places = m('Concat', grid(columns, [1, -1]), grid(rows, [-1, 1]), axis=1)
    low, high = m('Split', m('Reshape', f, np.array([1, 6, -1])), np.array([2, 4]), axis=1, outputs=2)
    y = m('Concat', m('Mul', m('Add', places, low), np.array(8.0)), m('Sigmoid', high), axis=1)
    check(run, tmp_path, m, {'images': pictures(1, 3, 32, 48)}, (y, REAL), options=['--input-shape', 'images=1,3,32,48'])
    asked = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob')
    assert asked.returncode == 1 and '--input-shape images=1,3,?,?' in asked.stderr


def test_pre_processing_inside_an_ir(run, tmp_path):
    net = Net('inside', version=11)
    x = net.layer('Convert', [net.input(1, 12, 16, 3, name='image', type='u8')], destination_type='f32')
    x = net.layer('Transpose', [x, net.ints(0, 3, 1, 2)])
    x = net.layer('Gather', [x, net.ints(2, 1, 0), net.const(1, 'i64')], version='opset8', batch_dims=0)
    mean, scale = np.array([123.7, 116.3, 103.5]).reshape(1, 3, 1, 1), np.array([58.4, 57.1, 57.4]).reshape(1, 3, 1, 1)
    x = net.layer('Divide', [net.layer('Subtract', [x, net.const(mean, 'f32')]), net.const(scale, 'f32')])
    k = weights(4, 3, 1, 1)
    net.result(net.layer('Convolution', [x, net.const(k, 'f32')], strides=[1, 1], dilations=[1, 1], pads_begin=[0, 0], pads_end=[0, 0]))
    net.save(str(tmp_path / 'net'))
    picture = pictures(1, 12, 16, 3)
    np.save(tmp_path / 'in.npy', picture)
    assert run('convert', tmp_path / 'net.xml', '-o', tmp_path / 'net.blob').returncode == 0
    assert run('run', tmp_path / 'net.blob', '--input', tmp_path / 'in.npy', '--output-dir', tmp_path / 'out').returncode == 0
    wanted = np.einsum('oc,bchw->bohw', k[:, :, 0, 0], (picture.transpose(0, 3, 1, 2)[:, ::-1] - mean) / scale)
    np.testing.assert_allclose(next(np.load(f) for f in (tmp_path / 'out').iterdir()), wanted, atol=0.02)


def test_bytes_as_an_output(run, tmp_path):
    m = OnnxModel(12, rgb=[1, 3, 8, 8])
    r, g, b = m('Split', 'rgb', axis=1, split=[1, 1, 1], outputs=3)
    y = m('Concat', b, g, r, axis=1)
    check(run, tmp_path, m, {'rgb': pictures(1, 3, 8, 8)}, (y, REAL))
    refused = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--op', 'U8')
    assert refused.returncode == 2 and 'take FP16' in refused.stderr


@pytest.mark.parametrize('kind, gates, states', [('LSTM', 4, 2), ('GRU', 3, 1), ('RNN', 1, 1)])
@pytest.mark.parametrize('direction', ['forward', 'reverse', 'bidirectional'])
def test_sequences_of_an_ir(run, tmp_path, kind, gates, states, direction):
    """Of which the last state alone is read."""
    items, steps, size, hidden, ways = 1, 6, 5, 4, 2 if direction == 'bidirectional' else 1
    net = Net('sequence', version=11)
    x = net.input(items, steps, size, name='x', type='f32')
    w, r, b = (RNG.standard_normal(s).astype(np.float32) / 2 for s in ((ways, gates * hidden, size), (ways, gates * hidden, hidden), (ways, gates * hidden)))
    begin = [net.const(np.zeros((items, ways, hidden)), 'f32') for _ in range(states)]
    y = net.layer(f'{kind}Sequence', [x, *begin, net.const([steps], 'i64'), net.const(w, 'f32'), net.const(r, 'f32'), net.const(b, 'f32')], version='opset5', outputs=states + 1,
                  hidden_size=hidden, direction=direction, activations={'LSTM': 'sigmoid,tanh,tanh', 'GRU': 'sigmoid,tanh', 'RNN': 'tanh'}[kind], clip='0', **({'linear_before_reset': False} if kind == 'GRU' else {}))
    net.result(net.layer('Tanh', [y[1]]))
    net.save(str(tmp_path / 'net'))
    given = RNG.standard_normal((items, steps, size)).astype(np.float32)
    np.save(tmp_path / 'x.npy', given)

    def sigmoid(v):
        return 1 / (1 + np.exp(-v))

    def last(way, order):
        h = c = np.zeros((items, hidden))
        for t in order:
            own, back = given[:, t] @ w[way].T, h @ r[way].T
            if kind == 'RNN':
                h = np.tanh(own + back + b[way])
            elif kind == 'LSTM':
                f, i, n, o = np.split(own + back + b[way], 4, -1)
                c = sigmoid(f) * c + sigmoid(i) * np.tanh(n)
                h = sigmoid(o) * np.tanh(c)
            else:
                z, reset = np.split(sigmoid(own[:, :2 * hidden] + back[:, :2 * hidden] + b[way][:2 * hidden]), 2, -1)
                n = np.tanh(own[:, 2 * hidden:] + (reset * h) @ r[way][2 * hidden:].T + b[way][2 * hidden:])
                h = (1 - z) * n + z * h
        return h
    orders = {'forward': [range(steps)], 'reverse': [range(steps - 1, -1, -1)], 'bidirectional': [range(steps), range(steps - 1, -1, -1)]}[direction]
    wanted = np.tanh(np.stack([last(i, order) for i, order in enumerate(orders)], 1))
    for file in ('net.xml', 'net.blob'):
        if file == 'net.blob':
            done = run('convert', tmp_path / 'net.xml', '-o', tmp_path / file)
            assert done.returncode == 0, done.stderr
        assert run('run', tmp_path / file, '--input', tmp_path / 'x.npy', '--output-dir', tmp_path / 'out').returncode == 0
        np.testing.assert_allclose(next(np.load(f) for f in (tmp_path / 'out').iterdir()).reshape(-1), wanted.reshape(-1), atol=6e-3, err_msg=file)


@pytest.mark.parametrize('given', ['floats', 'bytes'])
def test_quantization_can_be_left_out(run, tmp_path, given):
    m, w = OnnxModel(13, x=(1, 3, 8, 8)), weights(4, 3, 3, 3)
    scale, zero = np.float32(0.01), np.int8(3)
    q = np.clip(np.round(w / scale) + 3, -128, 127).astype(np.int8)
    weight = m('QuantizeLinear', w, scale, zero) if given == 'floats' else q
    x = m('DequantizeLinear', m('QuantizeLinear', 'x', np.float32(8), np.uint8(0)), np.float32(8), np.uint8(0))
    y = m('Conv', x, m('DequantizeLinear', weight, scale, zero), kernel_shape=[3, 3])
    y = m('DequantizeLinear', m('MaxPool', m('QuantizeLinear', y, np.float32(16), zero), kernel_shape=[2, 2]), np.float32(16), zero)
    plain = OnnxModel(13, x=(1, 3, 8, 8))
    z = plain('MaxPool', plain('Conv', 'x', (q.astype(np.float32) - 3) * scale, kernel_shape=[3, 3]), kernel_shape=[2, 2])
    m.save(tmp_path / 'q.onnx', (y, REAL))
    plain.save(tmp_path / 'p.onnx', (z, REAL))
    np.savez(tmp_path / 'in.npz', x=pictures(1, 3, 8, 8))
    got = []
    for name, options in (('q', ['--strip-quant']), ('p', [])):
        done = run('convert', tmp_path / f'{name}.onnx', '-o', tmp_path / f'{name}.blob', *options)
        assert done.returncode == 0, done.stderr
        assert run('run', tmp_path / f'{name}.blob', '--input', tmp_path / 'in.npz', '--output-dir', tmp_path / name).returncode == 0
        got.append(np.load(next((tmp_path / name).glob('*.npy'))))
    np.testing.assert_allclose(got[0], got[1], rtol=2e-3, atol=1e-2)
    assert run('compare', tmp_path / 'q.onnx', '--strip-quant').returncode == 0


@pytest.mark.parametrize('kind', ['gelu', 'erf', 'scaled'])
def test_planes_stay_planes_between_products(run, tmp_path, kind):
    m = OnnxModel(20, x=(1, 49, 24))
    y = m('Add', m('MatMul', 'x', weights(24, 96)), weights(96))
    if kind == 'gelu':
        y = m('Gelu', y)
    elif kind == 'erf':
        y = m('Mul', m('Mul', y, m('Add', m('Erf', m('Div', y, np.float32(1.4142135))), np.float32(1))), np.float32(0.5))
    else:
        y = m('Mul', m('Relu', m('Add', y, np.float32(0.25))), weights(96))
    check(run, tmp_path, m, {'x': RNG.standard_normal((1, 49, 24)).astype(np.float32)}, (m('MatMul', y, weights(96, 24)), REAL))
    kinds = [line.split()[2] for line in run('inspect', tmp_path / 'm.blob').stdout.splitlines() if line.startswith('stage ')]
    assert kinds.count('Permute') == 2, kinds


@pytest.mark.parametrize('shaves', [1, 6])
def test_a_slice_more_where_stages_find_no_room(run, tmp_path, shaves):
    """Intel's compiler fails at such a network: a grouped convolution's padding has nowhere to go beside its input."""
    m = OnnxModel(13, x=[1, 3, 8, 8])
    a = m('LeakyRelu', m('Conv', 'x', weights(4, 3, 3, 3), pads=[1, 1, 1, 1]), alpha=0.1)
    u = m('Resize', m('Conv', a, weights(4, 1, 3, 3), group=4, auto_pad='SAME_UPPER', strides=[2, 2]), '', np.float32([1, 1, 2, 2]), mode='nearest',
          coordinate_transformation_mode='asymmetric', nearest_mode='floor')
    s, t = m('Split', m('Concat', u, a, axis=1), outputs=2, axis=1)
    p = m('ReduceMean', m('MaxPool', s, kernel_shape=[2, 2], strides=[2, 2]), axes=[2, 3], keepdims=0)
    y = m('Softmax', m('Reshape', t, np.array([0, -1])), axis=1)
    said = check(run, tmp_path, m, {'x': pictures(1, 3, 8, 8)}, (y, REAL), (p, REAL), options=['--shaves', shaves], tolerance=2e-2)
    assert f'no room in {shaves} slices of memory; it takes {shaves + 1}' in said
    assert run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.superblob', '--superblob').returncode == 0
    assert run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--shaves', 1, '--slices', 1).returncode == 1
