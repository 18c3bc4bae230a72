"""ONNX operators that `convert` spells out, by the ONNX project's own examples (pip package onnx): converted, run, and compared."""
import glob
import json
import os
import subprocess

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

EXAMPLES = os.path.join(os.path.dirname(onnx.__file__), 'backend', 'test', 'data', 'node')
# name -> how many inputs stay inputs; the others become constants
CASES = {
    'mean_example': 3, 'mean_two_inputs': 2, 'mod_broadcast': 2, 'mod_mixed_sign_float32': 2, 'celu': 1, 'selu': 1, 'shrink_hard': 1, 'shrink_soft': 1, 'hardmax_axis_0': 1, 'hardmax_default_axis': 1,
    'hardmax_one_hot': 1, 'gelu_default_1': 1, 'gelu_tanh_2': 1, 'reduce_l1_keep_dims_random': 1, 'reduce_log_sum_asc_axes': 1, 'reduce_log_sum_exp_do_not_keepdims_random': 1, 'reduce_sum_square_keepdims_random': 1,
    'layer_normalization_2d_axis0': 1, 'layer_normalization_3d_axis2_epsilon': 1, 'layer_normalization_4d_axis1': 1, 'group_normalization_example': 1, 'group_normalization_epsilon': 1,
    'split_2d_uneven_split_opset18': 1, 'constant_pad_axes': 1, 'mod_mixed_sign_int32': 2, 'identity': 1, 'cast_FLOAT_to_FLOAT16': 1, 'roialign_aligned_true': 1,
    'quantizelinear': 1, 'quantizelinear_axis': 1, 'compress_1': 1, 'compress_default_axis': 1, 'einsum_batch_matmul': 2, 'einsum_sum': 1,
    'gru_defaults': 1, 'gru_with_initial_bias': 1, 'gru_seq_length': 1, 'simple_rnn_defaults': 1, 'simple_rnn_with_initial_bias': 1, 'rnn_seq_length': 1,
}


def tensor(path):
    t = onnx.TensorProto()
    with open(path, 'rb') as f:
        t.ParseFromString(f.read())
    return numpy_helper.to_array(t)


@pytest.mark.parametrize('case', CASES)
def test_operator(tool, tmp_path, case):
    folder = os.path.join(EXAMPLES, 'test_' + case)
    model = onnx.load(os.path.join(folder, 'model.onnx'))
    data = os.path.join(folder, 'test_data_set_0')
    inputs = [tensor(os.path.join(data, f'input_{i}.pb')) for i in range(len(glob.glob(os.path.join(data, 'input_*.pb'))))]
    names = [i.name for i in model.graph.input]
    for name, values in list(zip(names, inputs))[CASES[case]:]:
        model.graph.initializer.append(numpy_helper.from_array(values, name))
    del model.graph.input[CASES[case]:]
    onnx.save(model, tmp_path / 'model.onnx')
    given = []
    for name, values in list(zip(names, inputs))[:CASES[case]]:
        np.save(tmp_path / f'{name}.npy', values.astype(np.float32))
        given += ['--input', f'{name}={tmp_path}/{name}.npy']
    subprocess.run([tool, 'convert', tmp_path / 'model.onnx', '-o', tmp_path / 'model.blob', '--ip', 'FP16', '-q'], check=True, capture_output=True)
    subprocess.run([tool, 'run', tmp_path / 'model.blob', *given, '--output-dir', tmp_path / 'out'], check=True, capture_output=True)
    for i, output in enumerate(model.graph.output):
        wanted = tensor(os.path.join(data, f'output_{i}.pb')).astype(np.float32)
        got = np.load(tmp_path / 'out' / f'{output.name}.npy')
        np.testing.assert_allclose(got.reshape(wanted.shape), wanted, atol=3e-3 * max(1, np.abs(wanted).max()))


def converted_and_run(tool, folder, nodes, shape, values, constants, kind=onnx.TensorProto.FLOAT):
    """The output y of a network of one input x (shape as declared: None = open), and the summary of its conversion."""
    x = onnx.helper.make_tensor_value_info('x', onnx.TensorProto.FLOAT, shape)
    y = onnx.helper.make_tensor_value_info('y', kind, None)
    made = [numpy_helper.from_array(v, k) for k, v in constants.items()]
    model = onnx.helper.make_model(onnx.helper.make_graph(nodes, 'g', [x], [y], made), opset_imports=[onnx.helper.make_opsetid('', 14)])
    onnx.save(model, folder / 'm.onnx')
    np.save(folder / 'x.npy', values)
    done = subprocess.run([tool, 'convert', folder / 'm.onnx', '-o', folder / 'm.blob', '--ip', 'FP16', '--json'], check=True, capture_output=True, text=True)
    subprocess.run([tool, 'run', folder / 'm.blob', '--input', folder / 'x.npy', '--output-dir', folder / 'out'], check=True, capture_output=True)
    return np.load(folder / 'out' / 'y.npy').reshape(-1), json.loads(done.stdout)


def test_many_rows_are_one_convolution(tool, tmp_path):
    rng = np.random.default_rng(1)
    x, w, b = (rng.standard_normal(s).astype(np.float32) for s in ((1, 197, 24), (24, 16), (16,)))
    nodes = [onnx.helper.make_node('Reshape', ['x', 'shape'], ['r'], allowzero=1), onnx.helper.make_node('MatMul', ['r', 'w'], ['p']), onnx.helper.make_node('Add', ['p', 'b'], ['y'])]
    got, said = converted_and_run(tool, tmp_path, nodes, [None, 197, 24], x, {'w': w, 'b': b, 'shape': np.array([1, 197, 24])})
    np.testing.assert_allclose(got, (x @ w + b).reshape(-1), atol=0.03)
    assert said['stages'] < 15 and any('1x1 convolution' in r['replacement'] for r in said['rewrites'])
    assert any(n['layer'] == 'x' and 'batch' in n['what'] for n in said['not_as_intel'])


def test_remainders_of_indices_are_exact(tool, tmp_path):
    x = np.arange(24000, dtype=np.float32) % 1999
    x[[3, 2049, 12345, 23999]] = 3000, 3010, 3020, 3030
    nodes = [onnx.helper.make_node('TopK', ['x', 'k'], ['v', 'i']), onnx.helper.make_node('Mod', ['i', 'd'], ['y'])]
    got, _ = converted_and_run(tool, tmp_path, nodes, [1, 24000], x.reshape(1, -1), {'k': np.array([4]), 'd': np.array([80])}, onnx.TensorProto.INT64)
    assert got.tolist() == [23999 % 80, 12345 % 80, 2049 % 80, 3]


def test_masks_beyond_half_precision(tool, tmp_path):
    x, mask = np.array([[1, 2, 3, 40]], np.float32), np.array([[0, 0, -1e9, -3.4e38]], np.float32)
    nodes = [onnx.helper.make_node('Add', ['x', 'm'], ['s']), onnx.helper.make_node('Softmax', ['s'], ['y'], axis=-1)]
    got, said = converted_and_run(tool, tmp_path, nodes, [1, 4], x, {'m': mask})
    np.testing.assert_allclose(got, [0.2689, 0.7311, 0, 0], atol=1e-3)
    assert any('FP16' in n['what'] for n in said['not_as_intel'])
