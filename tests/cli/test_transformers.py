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


def rolled(m, x, axis, by, size):
    part = lambda begin, end: m('Slice', x, np.array([begin]), np.array([end]), np.array([axis]))
    return m('Concat', part(by, size), part(0, by), axis=axis)


def test_rolled_windows_are_one_gather_each_way(tool, tmp_path):
    m = OnnxModel(17, x=[1, 8, 12, 24])
    x = m('LayerNormalization', 'x', GAIN, SHIFT)
    x = rolled(m, rolled(m, x, 1, 2, 8), 2, 3, 12)
    x = m('Reshape', m('Transpose', m('Reshape', x, np.array([1, 2, 4, 3, 4, 24])), perm=[0, 1, 3, 2, 4, 5]), np.array([6, 16, 24]))
    x = m('Add', m('MatMul', x, REAL(24, 24)), REAL(24))
    x = m('Reshape', m('Transpose', m('Reshape', x, np.array([1, 2, 3, 4, 4, 24])), perm=[0, 1, 3, 2, 4, 5]), np.array([1, 8, 12, 24]))
    y = m('Add', rolled(m, rolled(m, x, 1, 6, 8), 2, 9, 12), 'x')
    stages, _ = converted(tool, tmp_path, m, y, [1, 8, 12, 24])
    assert stages.count('Gather') == 2 and 'StridedSlice' not in stages and stages.count('Permute') == 2, stages


def test_patches_that_are_merged_are_one_gather(tool, tmp_path):
    m = OnnxModel(17, x=[1, 8, 12, 24])
    x = m('Tanh', 'x')
    every_second = lambda v, axis, begin: m('Slice', v, np.array([begin]), np.array([100]), np.array([axis]), np.array([2]))
    parts = [every_second(every_second(x, 1, a), 2, b) for b in (0, 1) for a in (0, 1)]
    y = m('LayerNormalization', m('Concat', *parts, axis=-1), np.tile(GAIN, 4), np.tile(SHIFT, 4))
    stages, _ = converted(tool, tmp_path, m, m('MatMul', y, REAL(96, 48) / 4), [1, 8, 12, 24])
    assert stages.count('Gather') == 1 and 'StridedSlice' not in stages, stages


def test_a_few_channels_in_another_order_are_no_gather(tool, tmp_path):
    m = OnnxModel(17, x=[1, 3, 8, 8])
    part = lambda i: m('Slice', 'x', np.array([i]), np.array([i + 1]), np.array([1]))
    y = m('Conv', m('Concat', part(2), part(1), part(0), axis=1), REAL(8, 3, 3, 3))
    stages, _ = converted(tool, tmp_path, m, y, [1, 3, 8, 8])
    assert 'Gather' not in stages, stages


def test_columns_that_keep_eps_are_not_cut_off_before_a_product(tool, tmp_path):
    m = OnnxModel(17, x=[1, 64, 24])
    y = m('MatMul', m('LayerNormalization', m('Tanh', 'x'), GAIN, SHIFT), REAL(24, 16))
    stages, _ = converted(tool, tmp_path, m, y, [1, 64, 24])
    assert 'StridedSlice' not in stages and 'Prod' not in stages, stages


@pytest.mark.parametrize('form', ['queries', 'scores', 'apart', 'keys turned'])
def test_a_factor_of_scores_becomes_part_of_weights(tool, tmp_path, form):
    m = OnnxModel(17, x=[1, 32, 24])
    heads = lambda v: m('Transpose', m('Reshape', v, np.array([1, 32, 3, 8])), perm=[0, 2, 1, 3])
    if form == 'apart':
        queries, keys, values = (heads(m('Add', m('MatMul', 'x', REAL(24, 24)), REAL(24))) for _ in range(3))
    else:
        all_of = m('Reshape', m('Add', m('MatMul', 'x', REAL(24, 72)), REAL(72)), np.array([1, 32, 3, 3, 8]))
        turned = m('Transpose', all_of, perm=[2, 0, 3, 1, 4])
        queries, keys, values = (m('Gather', turned, np.array(i), axis=0) for i in range(3))
    if form in ('queries', 'keys turned'):
        queries = m('Mul', queries, 0.3)
    if form == 'keys turned':
        keys = m('Reshape', m('Transpose', m('Reshape', keys, np.array([3, 32, 8])), perm=[0, 2, 1]), np.array([1, 3, 8, 32]))
    else:
        keys = m('Transpose', keys, perm=[0, 1, 3, 2])
    scores = m('MatMul', queries, keys)
    if form in ('scores', 'apart'):
        scores = m('Div', scores, 3.0)
    y = m('MatMul', m('Softmax', scores, axis=-1), values)
    stages, _ = converted(tool, tmp_path, m, y, [1, 32, 24])
    assert not {'Power', 'Prod', 'ScaleShift'} & set(stages), stages
    assert stages.count('Permute') <= (3 if form == 'apart' else 2), stages


def test_a_factor_that_others_read_without_stays(tool, tmp_path):
    m = OnnxModel(17, x=[1, 32, 24])
    queries = m('Reshape', m('MatMul', 'x', REAL(24, 24)), np.array([1, 32, 3, 8]))
    y = m('Add', m('Mul', queries, 0.3), m('Tanh', queries))
    stages, _ = converted(tool, tmp_path, m, y, [1, 32, 24])
    assert 'Power' in stages, stages


def test_a_bias_of_positions_and_a_mask_are_one_summand(tool, tmp_path):
    m = OnnxModel(17, x=[1, 1536])
    x = m('Reshape', 'x', np.array([4, 3, 16, 8]))
    scores = m('MatMul', m('Tanh', x), m('Transpose', x, perm=[0, 1, 3, 2]))
    scores = m('Add', scores, REAL(1, 3, 16, 16))
    scores = m('Add', m('Reshape', scores, np.array([1, 4, 3, 16, 16])), np.where(REAL(1, 4, 1, 16, 16) > 0.4, -100, 0).astype(np.float32))
    y = m('Softmax', m('Reshape', scores, np.array([4, 3, 16, 16])), axis=-1)
    stages, _ = converted(tool, tmp_path, m, y, [1, 1536])
    assert stages.count('Sum') == 1, stages


def test_activations_of_turned_rows_are_those_of_the_plane(tool, tmp_path):
    m = OnnxModel(17, x=[1, 8, 6, 6])
    x = m('Conv', 'x', REAL(8, 1, 3, 3), group=8, pads=[1, 1, 1, 1])
    x = m('Transpose', m('Reshape', x, np.array([1, 8, 36])), perm=[0, 2, 1])
    x = m('Mul', m('Add', m('Erf', m('Div', x, np.float32(2 ** 0.5))), 1.0), m('Mul', x, 0.5))
    stages, _ = converted(tool, tmp_path, m, m('Add', m('MatMul', x, REAL(8, 24)), REAL(24)), [1, 8, 6, 6])
    assert stages.count('Permute') == 1, stages


def test_equal_rows_become_a_plane_once(tool, tmp_path):
    m = OnnxModel(17, x=[1, 36, 24])
    x = m('Tanh', 'x')
    y = m('Concat', *(m('Relu', m('MatMul', x, REAL(24, 8))) for _ in range(3)), axis=2)
    stages, _ = converted(tool, tmp_path, m, y, [1, 36, 24])
    assert stages.count('Permute') <= 4, stages


def stream(m, s, blocks, size=1.0):
    """Blocks that normalise a stream and add to it, behind each other."""
    for _ in range(blocks):
        h = m('Tanh', m('Add', m('MatMul', m('LayerNormalization', s, GAIN, SHIFT), REAL(24, 32)), REAL(32)))
        s = m('Add', s, m('Add', m('MatMul', h, REAL(32, 24) * np.float32(size)), REAL(24) * np.float32(size)))
    return s


@pytest.mark.parametrize('start', ['tokens', 'convolution', 'rolled', 'unknown', 'read as well'])
@pytest.mark.parametrize('size', [1.0, 0.004])  # eps matters to the small ones
def test_a_stream_carries_the_means_of_its_rows(tool, tmp_path, start, size):
    small = np.float32(size)
    shape = [1, 3, 12, 12] if start == 'convolution' else [1, 36, 16]
    m = OnnxModel(17, x=shape)
    if start == 'convolution':
        s = m('Conv', 'x', REAL(24, 3, 2, 2) * small, REAL(24) * small, strides=[2, 2])
        s = m('Transpose', m('Reshape', s, np.array([1, 24, 36])), perm=[0, 2, 1])
    elif start == 'unknown':
        s = m('Mul', m('Tanh', m('MatMul', 'x', REAL(16, 24))), small)
    else:
        s = m('MatMul', 'x', REAL(16, 24) * small)
    if start == 'tokens':
        s = m('Add', m('Concat', REAL(1, 1, 24) * small, s, axis=1), REAL(1, 37, 24) * small)
    if start == 'rolled':
        s = m('Add', s, rolled(m, m('MatMul', 'x', REAL(16, 24) * small), 1, 7, 36))
    t = stream(m, s, 3, size)
    y = m('LayerNormalization', t, GAIN, SHIFT)
    if start == 'read as well':
        y = m('Add', m('Mul', y, 0.25), m('Mul', m('Add', t, s), 0.125))
    stages, _ = converted(tool, tmp_path, m, m('Tanh', y), shape)
    assert stages.count('MVN') == 4 and stages.count('ReduceMean') == (start == 'unknown'), stages


def test_means_of_few_normalisations_are_not_worth_their_computing(tool, tmp_path):
    m = OnnxModel(17, x=[1, 36, 24])
    y = m('LayerNormalization', stream(m, m('Tanh', 'x'), 1), GAIN, SHIFT)
    stages, _ = converted(tool, tmp_path, m, m('Relu', y), [1, 36, 24])
    assert stages.count('MVN') == 4 and 'ReduceMean' not in stages, stages


def test_compare_takes_no_tensor_for_one_that_holds_something_else(tool, tmp_path):
    m = OnnxModel(17, x=[1, 36, 24])
    s = m('Add', m('MatMul', 'x', REAL(24, 24)), REAL(24))
    all_of = m('Transpose', m('Reshape', m('MatMul', rolled(m, m('LayerNormalization', s, GAIN, SHIFT), 1, 5, 36), REAL(24, 72)), np.array([1, 36, 3, 3, 8])), perm=[2, 0, 3, 1, 4])
    queries, keys, values = (m('Gather', all_of, np.array(i), axis=0) for i in range(3))
    scores = m('Softmax', m('MatMul', m('Mul', queries, 0.3), m('Transpose', keys, perm=[0, 1, 3, 2])), axis=-1)
    s = m('Add', s, m('MatMul', m('Reshape', m('Transpose', m('MatMul', scores, values), perm=[0, 2, 1, 3]), np.array([1, 36, 24])), REAL(24, 24)))
    m.save(str(tmp_path / 'm.onnx'), (stream(m, s, 2), 1))
    said = subprocess.run([tool, 'compare', tmp_path / 'm.onnx', '--ip', 'FP16'], capture_output=True, text=True)
    assert said.returncode == 0 and 'outside of the tolerance' not in said.stdout, said.stdout


@pytest.mark.parametrize('batch', [2, 3])
def test_rows_of_all_items_of_a_batch_are_one_plane(tool, tmp_path, batch):
    m = OnnxModel(17, x=[batch, 36, 24])
    y = m('LayerNormalization', stream(m, m('Add', m('MatMul', 'x', REAL(24, 24)), REAL(36, 24)), 2), GAIN, SHIFT)
    stages, _ = converted(tool, tmp_path, m, m('Tanh', y), [batch, 36, 24])
    assert len(stages) < 30, stages


def test_items_of_few_rows_are_run_one_by_one(tool, tmp_path):
    m = OnnxModel(17, x=[12, 3, 8, 8])
    y = m('Flatten', m('Relu', m('Conv', 'x', REAL(8, 3, 3, 3), strides=[5, 5])), axis=1)
    _, rewrites = converted(tool, tmp_path, m, m('MatMul', y, REAL(32, 5)), [12, 3, 8, 8])
    assert not [r for r in rewrites if 'rows' in r[1]], rewrites
