"""ONNX operators that `convert` spells out, by the ONNX project's own examples (pip package onnx): converted, run, and compared."""
import glob
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
