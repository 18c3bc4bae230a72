"""Pictures on their way into a network: what `convert` says of those that nothing normalises, and what the blob computes where the
options and the model both do."""
import json
import random
import subprocess

import numpy as np
import onnxruntime
import pytest
from onnx_model import OnnxModel

PLANES, PIXELS = [1, 3, 16, 16], [1, 16, 16, 3]
WEIGHTS = np.random.default_rng(1).standard_normal((8, 3, 3, 3)).astype(np.float32) / 5
MEAN = np.array([0.4, 0.5, 0.6], np.float32).reshape(3, 1, 1)
PRESETS = {'imagenet': ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375], True), 'yolo': (0, 255, True), 'unit': (0, 255, False), 'signed': (127.5, 127.5, True), 'caffe': ([103.939, 116.779, 123.68], 1, False)}

# layers in front of the weights, shape, whether pictures come as they are
CASES = {
    'convolution': (lambda m: 'x', PLANES, True),
    'moved': (lambda m: m('Pad', 'x', np.array([0, 0, 1, 1, 0, 0, 1, 1])), PLANES, True),
    'interleaved': (lambda m: m('Transpose', 'x', perm=[0, 3, 1, 2]), PIXELS, True),
    'divided': (lambda m: m('Div', 'x', 255.0), PLANES, False),
    'normalised': (lambda m: m('Sub', m('Div', 'x', 255.0), MEAN), PLANES, False),
    'five channels': (lambda m: m('Concat', 'x', 'x', axis=1), [1, 2, 16, 16], False),
    'no weights': (lambda m: m('Relu', 'x'), PLANES, False),
}


@pytest.mark.parametrize('case', CASES)
def test_pictures_that_nothing_normalises_are_told(tool, tmp_path, case):
    front, shape, told = CASES[case]
    m = OnnxModel(13, x=shape)
    x = front(m)
    y = x if case == 'no weights' else m('Conv', x, np.ones((4, 4, 1, 1), np.float32) if case == 'five channels' else WEIGHTS)
    m.save(str(tmp_path / 'm.onnx'), (y, 1))
    convert = lambda *options: subprocess.run([tool, 'convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', *options], check=True, capture_output=True, text=True).stdout
    raw = lambda *options: [p['layer'] for p in json.loads(convert('--json', *options))['raw_pictures']]
    assert raw() == (['x'] if told else [])
    assert ('input "x": a camera\'s bytes' in convert()) == told
    assert raw('--scale', '255') == raw('--mean', '127.5') == raw('--ip', 'FP16') == []


def random_front(r, m):
    """Normalisation of many kinds inside of the model, up to four layers of it."""
    layers = {
        'div': lambda x: m('Div', x, r.choice([255.0, 127.5])), 'mul': lambda x: m('Mul', x, r.choice([1 / 255, 0.017, 2.0])), 'sub': lambda x: m('Sub', x, r.choice([0.5, 127.5])),
        'add': lambda x: m('Add', np.float32(-3), x), 'mean': lambda x: m('Sub', x, MEAN), 'deviation': lambda x: m('Div', x, MEAN), 'signed': lambda x: m('Sub', m('Mul', x, 2.0), 1.0),
        'pad': lambda x: m('Pad', x, np.array([0, 0, 1, 1, 0, 0, 1, 1])), 'batch': lambda x: m('BatchNormalization', x, *[np.array(v, np.float32) for v in ([0.5, 1, 2], [0, 0.1, 0.2], [0.3, 0.2, 0.1], [1, 2, 3])]),
    }
    names = r.choices(list(layers), k=r.randint(0, 4))
    x = 'x'
    for name in names:
        x = layers[name](x)
    return x, names


def random_options(r):
    """Options, and what they do: mean, scale, whether the channels change places."""
    kind = r.choice(['none', 'preset', 'scale', 'mean', 'both'])
    if kind == 'preset':
        name = r.choice(list(PRESETS))
        return ['--preset', name], *PRESETS[name]
    mean = [round(r.uniform(0, 128), 3) for _ in range(3)] if kind in ('mean', 'both') else 0
    scale = 255 if kind == 'scale' else [round(r.uniform(1, 128), 3) for _ in range(3)] if kind == 'both' else 1
    text = lambda v: r.choice(['', 'x']) + '[' + ','.join(map(str, v)) + ']'
    options = ['--scale', '255'] if kind == 'scale' else ['--mean-values', text(mean)] if kind == 'mean' else ['--mean-values', text(mean), '--scale-values', text(scale)] if kind == 'both' else []
    turned = r.random() < 0.4
    return options + ['--reverse-input-channels'] * turned, mean, scale, turned


@pytest.mark.parametrize('seed', range(16))
def test_normalisation_of_options_and_model_is_both(tool, tmp_path, seed):
    r = random.Random(seed)
    m = OnnxModel(13, x=PLANES)
    x, layers = random_front(r, m)
    y = m('Relu', r.choice([lambda: m('Conv', x, WEIGHTS, pads=[1] * 4), lambda: m('Conv', x, WEIGHTS[:3, :1], group=3), lambda: m('Concat', m('Conv', x, WEIGHTS, pads=[1] * 4), m('MaxPool', x, kernel_shape=[1, 1]), axis=1),
                            lambda: m('MatMul', m('Reshape', x, np.array([1, -1])), np.ones((3 * (16 + 2 * layers.count('pad')) ** 2, 4), np.float32) / 256)])())
    model = m.save(str(tmp_path / 'm.onnx'), (y, 1))
    options, mean, scale, turned = random_options(r)
    picture = np.random.default_rng(seed).integers(0, 256, PLANES).astype(np.uint8)
    np.save(tmp_path / 'x.npy', picture)
    vector = lambda v: np.asarray(v, np.float32).reshape(-1, 1, 1)
    given = (picture[:, ::-1 if turned else 1].astype(np.float32) - vector(mean)) / vector(scale)
    wanted = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider']).run(None, {'x': given.astype(np.float32)})[0]
    subprocess.run([tool, 'convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', *options], check=True, capture_output=True)
    subprocess.run([tool, 'run', tmp_path / 'm.blob', '--input', tmp_path / 'x.npy', '--output-dir', tmp_path], check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / f'{y}.npy').reshape(-1), wanted.reshape(-1), atol=max(0.01 * np.abs(wanted).max(), 1e-4), err_msg=f'{layers} {options}')
