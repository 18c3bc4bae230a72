"""`convert --layout`: a model of one layout, a user of another."""
import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper


@pytest.fixture
def nhwc(tmp_path):
    """[1, 8, 10, 3] -> Conv -> [1, 8, 10, 4], channels last, as TensorFlow exports; (model, input, output)."""
    rng = np.random.default_rng(3)
    w = rng.normal(0, 0.3, (4, 3, 3, 3)).astype(np.float32)
    nodes = [helper.make_node('Transpose', ['x'], ['a'], perm=[0, 3, 1, 2]),
             helper.make_node('Conv', ['a', 'w'], ['b'], pads=[1] * 4),
             helper.make_node('Transpose', ['b'], ['y'], perm=[0, 2, 3, 1])]
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (('x', [1, 8, 10, 3]),
                                                                               ('y', [1, 8, 10, 4]))]
    graph = helper.make_graph(nodes, 'g', ports[:1], ports[1:], [numpy_helper.from_array(w, 'w')])
    path = tmp_path / 'm.onnx'
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 11)]), path)
    x = rng.uniform(-1, 1, (1, 8, 10, 3)).astype(np.float32)
    padded = np.pad(x[0], ((1, 1), (1, 1), (0, 0)))
    y = np.array([[[np.sum(padded[i:i + 3, j:j + 3].transpose(2, 0, 1) * k) for k in w] for j in range(10)]
                  for i in range(8)])
    return path, x, y[None]


def stages(run, blob):
    return [s['type'] for s in json.loads(run('inspect', blob, '--json').stdout)['stages']]


def test_a_camera_gives_planes_to_a_model_of_pixels(run, nhwc, tmp_path):
    model, x, y = nhwc
    blob, plain = tmp_path / 'm.blob', tmp_path / 'plain.blob'
    assert run('convert', model, '-o', plain, '--ip', 'FP16').returncode == 0
    done = run('convert', model, '-o', blob, '--ip', 'FP16', '--layout', 'x(nhwc->nchw),y([n,h,w,c]->[n,c,h,w])')
    assert done.returncode == 0, done.stderr
    info = json.loads(run('inspect', blob, '--json').stdout)
    assert info['inputs'][0]['dims'] == [1, 3, 8, 10] and info['outputs'][0]['dims'] == [1, 4, 8, 10]
    assert 'Permute' in stages(run, plain) and 'Permute' not in stages(run, blob)  # both transpositions cancel
    np.save(tmp_path / 'x.npy', x.transpose(0, 3, 1, 2))
    done = run('run', blob, '--input', tmp_path / 'x.npy', '--output-dir', tmp_path / 'out', '--json')
    result = np.load(json.loads(done.stdout)['outputs'][0]['file'])
    assert result.astype(np.float32) == pytest.approx(y.transpose(0, 3, 1, 2), abs=0.02)


def test_one_input_needs_no_name(run, nhwc, tmp_path):
    done = run('convert', nhwc[0], '-o', tmp_path / 'm.blob', '--layout', 'nhwc->nchw')
    assert done.returncode == 0, done.stderr
    info = json.loads(run('inspect', tmp_path / 'm.blob', '--json').stdout)
    assert info['inputs'][0]['dims'] == [1, 3, 8, 10] and info['outputs'][0]['dims'] == [1, 8, 10, 4]


@pytest.mark.parametrize('layout, words', [
    ('z(nhwc->nchw)', 'no input or output "z"'), ('x(nhwc->nch)', '4 dimensions'),
    ('x(nhwc->nchx)', 'other dimensions'), ('x(nhwn->nchw)', 'twice'), ('x(nhwc->)', 'empty'), ('x(nhwc', 'open'),
    ('x(nh1c->nchw)', 'letters'), (',', 'empty')])
def test_what_is_no_layout_is_refused(run, nhwc, tmp_path, layout, words):
    done = run('convert', nhwc[0], '-o', tmp_path / 'm.blob', '--layout', layout)
    assert done.returncode != 0 and words in done.stderr, done.stderr
    assert not (tmp_path / 'm.blob').exists()
