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
    # functions, sums
    'sin': 1, 'cos': 1, 'asin': 1, 'acos': 1, 'atan': 1, 'sinh': 1, 'cosh': 1, 'asinh': 1, 'acosh': 1, 'atanh': 1, 'sign': 1, 'cumsum_1d': 1, 'cumsum_1d_reverse_exclusive': 1,
    'reduce_prod_keepdims_random': 1, 'reduce_l2_keep_dims_random': 1, 'reduce_log_sum_exp_keepdims_random_expanded': 1, 'isnan': 1, 'isinf': 1, 'prelu_example': 2, 'batchnorm_example_training_mode': 5,
    # integers, conditions, bits
    'and_bcast3v1d': 2, 'or_bcast4v2d': 2, 'xor2d': 2, 'not_2d': 1, 'greater_equal': 2, 'less_equal_bcast': 2, 'max_int32': 2, 'min_uint8': 2, 'mod_mixed_sign_int8': 2, 'mod_uint8': 2, 'mod_int64_fmod': 2,
    'pow_types_int32_int32': 2, 'add_uint8': 2, 'sub_uint8': 2, 'div_uint8': 2, 'bitshift_left_uint8': 2, 'bitshift_right_uint16': 2, 'bitwise_and_i32_2d': 2, 'bitwise_xor_i16_3d': 2, 'bitwise_not_2d': 1,
    'where_long_example': 3, 'clip_default_int8_inbounds': 1,  'tile': 1, 'expand_dim_changed': 1, 'argmax_default_axis_example_select_last_index': 1, 'onehot_negative_indices': 1, 'onehot_with_negative_axis': 1,
    # indices
    'scatternd': 1, 'scatternd_add': 1, 'scatter_elements_with_negative_indices': 1, 'scatter_elements_with_duplicate_indices': 1, 'gather_elements_negative_indices': 2, 'gathernd_example_int32': 2,
    'reversesequence_batch': 1, 'maxunpool_export_without_output_shape': 2,
    # planes
    'gridsample_bicubic': 2, 'gridsample_reflection_padding': 2, 'affine_grid_2d': 1, 'basic_deform_conv_with_padding': 3, 'conv_with_strides_padding': 2, 'convtranspose': 2, 'convtranspose_1d': 1,
    'convtranspose_dilations': 1, 'convtranspose_autopad_same': 1, 'maxpool_2d_dilations': 1, 'maxpool_with_argmax_2d_precomputed_pads': 1, 'averagepool_2d_dilations': 1, 'lppool_2d_same_upper': 1,
    'col2im_strides': 1, 'resize_tf_crop_and_resize': 1, 'resize_downsample_scales_linear': 1, 'resize_downsample_scales_cubic_antialias': 1, 'center_crop_pad_crop_and_pad': 1,
    # losses, signals, triangles, bodies
    'nllloss_NCd1_weight_ii': 2, 'sce_mean_weight_ii_log_prob': 2, 'dft': 1, 'stft': 1, 'tril_neg': 1, 'triu_pos': 1, 'scan9_sum': 2, 'castlike_FLOAT_to_DOUBLE': 2, 'lstm_with_peepholes': 1,
    'lstm_batchwise': 1, 'lstm_defaults': 1, 'gru_batchwise': 1,
    # quantized
    'qlinearconv': 1, 'matmulinteger': 2, 'convinteger_with_padding': 1,
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
        got = np.load(tmp_path / 'out' / f'{output.name}.npy').astype(np.float32)
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


@pytest.mark.parametrize('fill', [-1e4, -1e5, -1e9, -3.4028235e38])
@pytest.mark.parametrize('quantized', [False, True])
def test_masks_of_inputs(tool, tmp_path, fill, quantized):
    """(1 - mask) * fill, which becomes mask * -fill + fill; what a quantizer makes of it has a step beyond FP16."""
    make = onnx.helper.make_node
    scores = np.random.default_rng(9).standard_normal((1, 2, 4, 6)).astype(np.float16).astype(np.float32)
    arrays = {'x': scores, 'mask': np.array([1, 1, 1, 1, 0, 0], np.float32).reshape(1, 1, 1, 6)}
    nodes = [make('Cast', ['mask'], ['m'], to=onnx.TensorProto.INT32), make('Cast', ['m'], ['f'], to=onnx.TensorProto.FLOAT), make('Sub', ['one', 'f'], ['i']), make('Mul', ['i', 'fill'], ['b'])]
    if quantized:
        nodes += [make('QuantizeLinear', ['b', 's', 'z'], ['q']), make('DequantizeLinear', ['q', 's', 'z'], ['d'])]
    nodes += [make('Add', ['x', nodes[-1].output[0]], ['a']), make('Softmax', ['a'], ['y'], axis=-1)]
    constants = {'one': np.array(1, np.float32), 'fill': np.array(fill, np.float32), 's': np.array(-fill / 255, np.float32), 'z': np.array(255, np.uint8)}
    assert against_runtime(tool, tmp_path, nodes, arrays, constants if quantized else dict(list(constants.items())[:2]), 15) < 4e-3


def test_infinite_scales_are_refused(tool, tmp_path):
    """As onnxruntime's calibration leaves them behind a mask of -inf."""
    make = onnx.helper.make_node
    nodes = [make('QuantizeLinear', ['x', 's', 'z'], ['q']), make('DequantizeLinear', ['q', 's', 'z'], ['y'])]
    with pytest.raises(subprocess.CalledProcessError) as e:
        converted_and_run(tool, tmp_path, nodes, [1, 4], np.zeros((1, 4), np.float32), {'s': np.array(np.inf, np.float32), 'z': np.array(0, np.uint8)})
    assert 'scale is not finite' in e.value.stdout + e.value.stderr


@pytest.mark.parametrize('form', ['rows', 'channels', 'plane', 'computed'])
def test_dynamically_quantized_products(tool, tmp_path, form):
    """As onnxruntime.quantization.quantize_dynamic writes them: sums of integers beyond FP16."""
    make = onnx.helper.make_node
    rng = np.random.default_rng(10)
    is_plane = form == 'plane'
    shape = {'plane': (1, 16, 20), 'computed': (1, 12, 12)}.get(form, (1, 9, 64))
    x = rng.standard_normal(shape).astype(np.float16).astype(np.float32)
    constants = {'w': rng.integers(0, 256, (6, 16, 3) if is_plane else (64, 24), np.uint8), 'zw': np.array(121, np.uint8), 'sw': np.array(0.004, np.float32)}
    weights = ['w', 'zw', 'sw']
    nodes = [make('DynamicQuantizeLinear', ['x'], ['q', 's', 'z'])]
    if form == 'channels':
        constants |= {'zw': rng.integers(118, 132, 24, np.uint8), 'sw': rng.uniform(0.002, 0.005, 24).astype(np.float32)}
    if form == 'computed':
        weights, constants = ['q', 'z', 's'], {}
    nodes += [make('ConvInteger' if is_plane else 'MatMulInteger', ['q', weights[0], 'z', weights[1]], ['i']), make('Cast', ['i'], ['f'], to=onnx.TensorProto.FLOAT),
              make('Mul', ['s', weights[2]], ['ss']), make('Mul', ['f', 'ss'], ['y'])]
    assert against_runtime(tool, tmp_path, nodes, {'x': x}, constants, 15) < 5e-3


def test_numbers_of_16_bits(tool, tmp_path):
    """Quantized activations that FP16 has fewer digits than; weights of 4 bits in blocks, as ONNX has them since opset 21."""
    make, kinds = onnx.helper.make_node, onnx.TensorProto
    rng = np.random.default_rng(12)
    x = rng.standard_normal((1, 7, 64)).astype(np.float32)
    uint4 = 21  # the onnx package of the tests is older than the type
    packed = onnx.TensorProto(name='w', data_type=uint4, dims=(64, 10), raw_data=rng.bytes(320))
    zeros = onnx.TensorProto(name='zw', data_type=uint4, dims=(2, 10), raw_data=rng.bytes(10))
    scales = rng.uniform(0.01, 0.1, (2, 10)).astype(np.float32)
    nodes = [make('QuantizeLinear', ['x', 's', 'z'], ['q']), make('Reshape', ['q', 'shape'], ['r']), make('DequantizeLinear', ['r', 's', 'z'], ['d']),
             make('DequantizeLinear', ['w', 'sw', 'zw'], ['dw'], axis=0, block_size=32), make('MatMul', ['d', 'dw'], ['y'])]
    constants = {'s': np.array(6 / 65535, np.float32), 'z': np.array(32768, np.uint16), 'shape': np.array([1, 7, 64]), 'sw': scales}
    made = [packed, zeros] + [numpy_helper.from_array(v, k) for k, v in constants.items()]
    given, result = onnx.helper.make_tensor_value_info('x', kinds.FLOAT, x.shape), onnx.helper.make_tensor_value_info('y', kinds.FLOAT, (1, 7, 10))
    model = onnx.helper.make_model(onnx.helper.make_graph(nodes, 'g', [given], [result], made), opset_imports=[onnx.helper.make_opsetid('', 21)], ir_version=10)
    onnx.save(model, tmp_path / 'm.onnx')
    np.save(tmp_path / 'x.npy', x)
    subprocess.run([tool, 'convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--ip', 'FP16', '-q'], check=True, capture_output=True)
    subprocess.run([tool, 'run', tmp_path / 'm.blob', '--input', tmp_path / 'x.npy', '--output-dir', tmp_path / 'out'], check=True, capture_output=True)
    four = lambda t, shape: np.array([[b & 15, b >> 4] for b in t.raw_data], np.float32).reshape(shape)
    weights = (four(packed, (64, 10)) - np.repeat(four(zeros, (2, 10)), 32, 0)) * np.repeat(scales, 32, 0)
    wanted = np.clip(x, -32768 * 6 / 65535, 32767 * 6 / 65535) @ weights
    np.testing.assert_allclose(np.load(tmp_path / 'out' / 'y.npy').reshape(wanted.shape), wanted, atol=4e-3 * np.abs(wanted).max())


def test_what_meets_one_number(tool, tmp_path):
    """A reduction to no dimensions leaves tensors of three as they are."""
    make = onnx.helper.make_node
    x = np.random.default_rng(11).standard_normal((1, 4, 20)).astype(np.float16).astype(np.float32)
    nodes = [make('ReduceMax', ['x'], ['m'], keepdims=0), make('Div', ['x', 'm'], ['d']), make('Conv', ['d', 'w'], ['y'])]
    assert against_runtime(tool, tmp_path, nodes, {'x': x}, {'w': np.ones((2, 4, 3), np.float32)}, 15) < 2e-3


def microsoft_cases():
    rng = np.random.default_rng(3)
    real = lambda *shape: rng.standard_normal(shape).astype(np.float32) / 2
    node = lambda op, inputs, outputs=('y',), **a: onnx.helper.make_node(op, inputs, outputs, domain='com.microsoft', **a)
    scale, zero = np.float32(0.05), np.uint8(128)
    yield 'FusedMatMul', node('FusedMatMul', ['x', 'b'], alpha=0.5, transB=1), (3, 8), {'b': real(5, 8)}
    yield 'BiasGelu', node('BiasGelu', ['x', 'b']), (2, 8), {'b': real(8)}
    yield 'FastGelu', node('FastGelu', ['x', 'b']), (2, 8), {'b': real(8)}
    yield 'QuickGelu', node('QuickGelu', ['x']), (2, 8), {}
    yield 'SkipLayerNormalization', node('SkipLayerNormalization', ['x', 's', 'g', 'b'], epsilon=1e-5), (1, 3, 16), {'s': real(1, 3, 16), 'g': real(16), 'b': real(16)}
    yield 'Attention', node('Attention', ['x', 'w', 'b'], num_heads=2), (1, 5, 8), {'w': real(8, 24), 'b': real(24)}
    yield 'causal Attention', node('Attention', ['x', 'w', 'b'], num_heads=2, unidirectional=1), (1, 5, 8), {'w': real(8, 24), 'b': real(24)}
    yield 'MultiHeadAttention', node('MultiHeadAttention', ['x', 'k', 'v', 'b'], num_heads=2), (1, 5, 8), {'k': real(1, 6, 8), 'v': real(1, 6, 8), 'b': real(24)}
    yield 'FusedConv', node('FusedConv', ['x', 'w', 'b'], activation='Relu', pads=[1, 1, 1, 1]), (1, 3, 8, 8), {'w': real(4, 3, 3, 3), 'b': real(4)}
    packed = rng.integers(0, 256, (6, 2, 8), np.uint8)
    yield 'MatMulNBits of one block', node('MatMulNBits', ['x', 'w', 's', 'z'], K=16, N=6, bits=4, block_size=16), (3, 16), {'w': packed[:, :1], 's': real(6), 'z': rng.integers(0, 256, 6, np.uint8)}
    yield 'MatMulNBits', node('MatMulNBits', ['x', 'w', 's'], K=32, N=6, bits=4, block_size=16), (3, 32), {'w': packed, 's': real(12)}
    linear = lambda op, *inputs, **a: node(op, inputs, ('q',), **a)
    ends = {'s': scale, 'z': zero, 'ps': np.float32(1 / 256), 'pz': np.uint8(0)}
    yield 'QLinearSoftmax', [linear('QLinearSoftmax', 'xq', 's', 'z', 'ps', 'pz', axis=-1, opset=13)], (2, 3, 8), ends
    yield 'QLinearAveragePool', [linear('QLinearAveragePool', 'xq', 's', 'z', 's', 'z', kernel_shape=[2, 2], strides=[2, 2])], (1, 3, 8, 8), ends
    yield 'QGemm', [linear('QGemm', 'xq', 's', 'z', 'w', 'ws', 'wz', 'b', 's', 'z', transB=1)], (3, 8), ends | {'w': rng.integers(-9, 9, (5, 8), np.int8), 'ws': real(5) ** 2 / 8 + np.float32(0.01), 'wz': np.zeros(5, np.int8), 'b': rng.integers(-99, 99, 5, np.int32)}
    gates = {'w': rng.integers(-90, 90, (1, 4, 24), np.int8), 'r': rng.integers(-90, 90, (1, 6, 24), np.int8), 'b': real(1, 48), 's': np.full(1, 0.01, np.float32), 'z': np.zeros(1, np.int8)}
    yield 'DynamicQuantizeLSTM', node('DynamicQuantizeLSTM', ['x', 'w', 'r', 'b', '', '', '', '', 's', 'z', 's', 'z'], hidden_size=6), (5, 1, 4), gates
    yield 'DynamicQuantizeMatMul', node('DynamicQuantizeMatMul', ['x', 'w', 's', 'z']), (3, 8), {'w': rng.integers(0, 256, (8, 6), np.uint8), 's': scale.reshape(1), 'z': zero.reshape(1)}


@pytest.mark.parametrize('case', list(microsoft_cases()), ids=lambda c: c[0])
def test_operators_of_optimized_exports(tool, tmp_path, case):
    """What ONNX Runtime computes (pip package onnxruntime)."""
    runtime = pytest.importorskip('onnxruntime')
    _, operator, shape, constants = case
    values = np.random.default_rng(4).standard_normal(shape).astype(np.float32)
    x = onnx.helper.make_tensor_value_info('x', onnx.TensorProto.FLOAT, shape)
    y = onnx.helper.make_tensor_value_info('y', onnx.TensorProto.FLOAT, None)
    made = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    nodes, step = [operator], 0
    if isinstance(operator, list):  # of quantized numbers, which FP16 may round to the next step
        scale, zero = operator[0].input[-2:] if operator[0].op_type != 'QGemm' else ('s', 'z')
        step = 1.01 * float(constants[scale])
        nodes = [onnx.helper.make_node('QuantizeLinear', ['x', 's', 'z'], ['xq']), *operator, onnx.helper.make_node('DequantizeLinear', ['q', scale, zero], ['y'])]
    opsets = [onnx.helper.make_opsetid('', 17), onnx.helper.make_opsetid('com.microsoft', 1)]
    model = onnx.helper.make_model(onnx.helper.make_graph(nodes, 'g', [x], [y], made), opset_imports=opsets, ir_version=8)
    wanted = runtime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider']).run(None, {'x': values})[0]
    onnx.save(model, tmp_path / 'm.onnx')
    np.save(tmp_path / 'x.npy', values)
    subprocess.run([tool, 'convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--ip', 'FP16', '-q'], check=True, capture_output=True)
    subprocess.run([tool, 'run', tmp_path / 'm.blob', '--input', f'x={tmp_path}/x.npy', '--output-dir', tmp_path], check=True, capture_output=True)
    got = np.load(tmp_path / 'y.npy').reshape(wanted.shape)
    np.testing.assert_allclose(got, wanted, atol=max(step, 1e-2 * max(1, np.abs(wanted).max())))


@pytest.mark.parametrize('factor', (1e6, 2e-7))
def test_factors_that_half_precision_does_not_hold(tool, tmp_path, factor):
    values = np.linspace(-1, 1, 64, dtype=np.float32).reshape(1, 64) * np.float32(1e-2 if factor > 1 else 6e4)
    nodes = [onnx.helper.make_node('Mul', ['x', 'k'], ['y'])]
    got, _ = converted_and_run(tool, tmp_path, nodes, [1, 64], values, {'k': np.array([factor], np.float32)})
    np.testing.assert_allclose(got.reshape(values.shape), values * np.float32(factor), rtol=2e-3, atol=1e-4 * abs(factor * values).max())


def sampled(mode, padding, aligned):
    return onnx.helper.make_node('GridSample', ['x', 'g'], ['y'], mode=mode, padding_mode=padding, align_corners=aligned)


def against_runtime(tool, folder, nodes, arrays, constants, opset):
    """A network of several inputs: the blob's output y beside ONNX Runtime's, relative to its largest value."""
    import onnxruntime
    inputs = [onnx.helper.make_tensor_value_info(k, onnx.TensorProto.FLOAT, v.shape) for k, v in arrays.items()]
    y = onnx.helper.make_tensor_value_info('y', onnx.TensorProto.FLOAT, None)
    made = [numpy_helper.from_array(v, k) for k, v in constants.items()]
    model = onnx.helper.make_model(onnx.helper.make_graph(nodes, 'g', inputs, [y], made), opset_imports=[onnx.helper.make_opsetid('', opset)], ir_version=8)
    onnx.save(model, folder / 'm.onnx')
    np.savez(folder / 'in.npz', **arrays)
    subprocess.run([tool, 'convert', folder / 'm.onnx', '-o', folder / 'm.blob', '--ip', 'FP16', '-q'], check=True, capture_output=True)
    subprocess.run([tool, 'run', folder / 'm.blob', '--input', folder / 'in.npz', '--output-dir', folder / 'out'], check=True, capture_output=True)
    wanted = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider']).run(None, arrays)[0]
    got = np.load(folder / 'out' / 'y.npy')
    assert got.size == wanted.size
    return np.abs(got.reshape(-1) - wanted.reshape(-1)).max() / np.abs(wanted).max()


@pytest.mark.parametrize('mode', ['bilinear', 'nearest', 'bicubic'])
@pytest.mark.parametrize('padding', ['zeros', 'border', 'reflection'])
def test_grid_sample(tool, tmp_path, mode, padding):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((1, 5, 6, 8)).astype(np.float16).astype(np.float32)
    g = (np.round(rng.uniform(-1.4, 1.4, (1, 4, 5, 2)) * 64) / 64 + 1 / 256).astype(np.float32)  # FP16 holds its places, none is between two pixels
    for aligned in (0, 1):
        assert against_runtime(tool, tmp_path, [sampled(mode, padding, aligned)], {'x': x, 'g': g}, {}, 16) < 8e-3, (mode, padding, aligned)


@pytest.mark.parametrize('windows, rows', [(64, 9), (16, 49), (4, 21)])
def test_rows_of_windows(tool, tmp_path, windows, rows):
    """Windows of a picture, whose rows become a plane and come back in the order of heads: moved once each way."""
    make = onnx.helper.make_node
    rng = np.random.default_rng(6)
    x = rng.standard_normal((1, rows, windows, 8)).astype(np.float16).astype(np.float32)
    nodes = [make('Transpose', ['x'], ['t'], perm=[2, 1, 0, 3]), make('Reshape', ['t', 'lines'], ['r']), make('MatMul', ['r', 'w'], ['m']), make('Add', ['m', 'b'], ['a']),
             make('Reshape', ['a', 'heads'], ['h']), make('Transpose', ['h'], ['y'], perm=[0, 2, 1, 3])]
    constants = {'w': rng.standard_normal((8, 12)).astype(np.float32), 'b': rng.standard_normal(12).astype(np.float32), 'lines': np.array([windows, rows, 8], np.int64), 'heads': np.array([windows, rows, 3, 4], np.int64)}
    assert against_runtime(tool, tmp_path, nodes, {'x': x}, constants, 15) < 2e-3
    stages = json.loads(subprocess.run([tool, 'inspect', tmp_path / 'm.blob', '--json'], check=True, capture_output=True, text=True).stdout)['stages']
    assert sum(s['type'] == 'Permute' for s in stages) <= 2


def test_quick_gelu_between_products_of_rows(tool, tmp_path):
    """As in CLIP: x sigmoid(1.702 x) on the plane of 17 rows."""
    make = onnx.helper.make_node
    rng = np.random.default_rng(8)
    x = rng.standard_normal((1, 17, 8)).astype(np.float16).astype(np.float32)
    nodes = [make('MatMul', ['x', 'w'], ['m']), make('Add', ['m', 'b'], ['a']), make('Mul', ['a', 'f'], ['s']), make('Sigmoid', ['s'], ['g']), make('Mul', ['a', 'g'], ['q']), make('MatMul', ['q', 'v'], ['y'])]
    constants = {'w': rng.standard_normal((8, 12)).astype(np.float32), 'b': rng.standard_normal(12).astype(np.float32), 'f': np.array(1.702, np.float32), 'v': rng.standard_normal((12, 8)).astype(np.float32)}
    assert against_runtime(tool, tmp_path, nodes, {'x': x}, constants, 15) < 2e-3


def test_many_outputs_of_rows(tool, tmp_path):
    """A plane that the convolution engine can be given in tiles: none of 112 by 7."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((1, 784, 32)).astype(np.float16).astype(np.float32)
    weights = (rng.standard_normal((32, 2304)) / 6).astype(np.float32)
    assert against_runtime(tool, tmp_path, [onnx.helper.make_node('MatMul', ['x', 'w'], ['y'])], {'x': x}, {'w': weights}, 15) < 2e-3
    stages = json.loads(subprocess.run([tool, 'inspect', tmp_path / 'm.blob', '--json'], check=True, capture_output=True, text=True).stdout)['stages']
    assert not any(s['type'] == 'Conv' for s in stages)


def test_lengths_that_shapes_decide(tool, tmp_path):
    """As tf2onnx writes the backward half of Keras' Bidirectional."""
    make = onnx.helper.make_node
    nodes = [make('Shape', ['x'], ['shape']), make('Gather', ['shape', 'zero'], ['steps']), make('Gather', ['shape', 'one'], ['items']), make('Expand', ['steps', 'items'], ['lengths']),
             make('ReverseSequence', ['x', 'lengths'], ['r'], time_axis=0, batch_axis=1), make('Add', ['r', 'x'], ['y'])]
    x = np.random.default_rng(5).standard_normal((6, 3, 4)).astype(np.float16).astype(np.float32)
    assert against_runtime(tool, tmp_path, nodes, {'x': x}, {'zero': np.array([0], np.int64), 'one': np.array([1], np.int64)}, 15) < 2e-3


@pytest.mark.parametrize('size, attributes', [((8, 10, 12), {'mode': 'linear'}), ((7, 9, 8), {'mode': 'linear', 'coordinate_transformation_mode': 'align_corners'}),
                                              ((4, 10, 12), {'mode': 'nearest', 'nearest_mode': 'floor', 'coordinate_transformation_mode': 'asymmetric'}), ((2, 5, 3), {'mode': 'linear'})])
def test_resized_volume(tool, tmp_path, size, attributes):
    x = np.random.default_rng(4).standard_normal((1, 3, 4, 5, 6)).astype(np.float16).astype(np.float32)
    node = onnx.helper.make_node('Resize', ['x', '', '', 'sizes'], ['y'], **attributes)
    assert against_runtime(tool, tmp_path, [node], {'x': x}, {'sizes': np.array((1, 3, *size), np.int64)}, 17) < 3e-3


@pytest.mark.parametrize('group, strides, pads, dilations', [(1, 1, 0, 1), (1, 2, 1, 1), (4, 1, 1, 2), (2, 1, 0, 1)])
def test_convolution_with_computed_weights(tool, tmp_path, group, strides, pads, dilations):
    rng = np.random.default_rng(3)
    x, k = rng.standard_normal((1, 4, 9, 8)).astype(np.float32), rng.standard_normal((4, 4 // group, 3, 2)).astype(np.float32)
    nodes = [onnx.helper.make_node('Relu', ['k'], ['w']), onnx.helper.make_node('Conv', ['x', 'w', 'b'], ['y'], group=group, strides=[strides] * 2, pads=[pads] * 4, dilations=[dilations] * 2)]
    assert against_runtime(tool, tmp_path, nodes, {'x': x, 'k': k}, {'b': rng.standard_normal(4).astype(np.float32)}, 13) < 4e-3


@pytest.mark.parametrize('offset_group', [1, 2])
def test_deformable_convolution(tool, tmp_path, offset_group):
    """Beside the interpolation written down: ONNX Runtime does not have the operator."""
    rng = np.random.default_rng(5)
    x, w = rng.standard_normal((1, 4, 6, 7)).astype(np.float32), rng.standard_normal((3, 4, 3, 3)).astype(np.float32)
    offsets, mask = rng.uniform(-2, 2, (1, offset_group * 18, 6, 7)).astype(np.float32), rng.uniform(0, 1, (1, offset_group * 9, 6, 7)).astype(np.float32)
    padded = np.pad(x, ((0, 0), (0, 0), (3, 3), (3, 3)))
    wanted = np.zeros((1, 3, 6, 7))
    for c, k, i, j in np.ndindex(4, 9, 6, 7):
        g = c // (4 // offset_group)
        v = np.clip(i - 1 + k // 3 + offsets[0, (g * 9 + k) * 2, i, j], -1, 6) + 3
        u = np.clip(j - 1 + k % 3 + offsets[0, (g * 9 + k) * 2 + 1, i, j], -1, 7) + 3
        a, b = int(v), int(u)
        value = sum((1 - abs(v - p)) * (1 - abs(u - q)) * padded[0, c, p, q] for p in (a, a + 1) for q in (b, b + 1))
        wanted[0, :, i, j] += w[:, c, k // 3, k % 3] * value * mask[0, g * 9 + k, i, j]
    node = onnx.helper.make_node('DeformConv', ['x', 'w', 'o', '', 'm'], ['y'], pads=[1] * 4, offset_group=offset_group)
    arrays = {'x': x, 'o': offsets, 'm': mask}
    inputs = [onnx.helper.make_tensor_value_info(k, onnx.TensorProto.FLOAT, v.shape) for k, v in arrays.items()]
    model = onnx.helper.make_model(onnx.helper.make_graph([node], 'g', inputs, [onnx.helper.make_tensor_value_info('y', onnx.TensorProto.FLOAT, None)], [numpy_helper.from_array(w, 'w')]), opset_imports=[onnx.helper.make_opsetid('', 19)])
    onnx.save(model, tmp_path / 'm.onnx')
    np.savez(tmp_path / 'in.npz', **arrays)
    subprocess.run([tool, 'convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--ip', 'FP16', '-q'], check=True, capture_output=True)
    for what in ('m.blob', 'm.onnx'):
        subprocess.run([tool, 'run', tmp_path / what, '--input', tmp_path / 'in.npz', '--output-dir', tmp_path / 'out'], check=True, capture_output=True)
        np.testing.assert_allclose(np.load(tmp_path / 'out' / 'y.npy').reshape(-1), wanted.reshape(-1), atol=0.05 if what == 'm.blob' else 1e-4)


def test_only_pictures_are_bytes(tool, tmp_path):
    shapes = {'nchw': [1, 3, 8, 8], 'nhwc': [1, 8, 6, 4], 'features': [1, 16, 8, 8], 'signal': [1, 1, 1, 64], 'tokens': [1, 7, 8]}
    inputs = [onnx.helper.make_tensor_value_info(k, onnx.TensorProto.FLOAT, v) for k, v in shapes.items()]
    outputs = [onnx.helper.make_tensor_value_info(k + '_out', onnx.TensorProto.FLOAT, None) for k in shapes]
    nodes = [onnx.helper.make_node('Sigmoid', [k], [k + '_out']) for k in shapes]
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph(nodes, 'g', inputs, outputs)), tmp_path / 'm.onnx')

    def types(*options):
        done = subprocess.run([tool, 'convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--json', *options], check=True, capture_output=True, text=True)
        return {i['name']: i['type'] for i in json.loads(done.stdout)['inputs']}
    assert types() == {'nchw': 'U8', 'nhwc': 'U8', 'features': 'FP16', 'signal': 'FP16', 'tokens': 'FP16'}
    assert set(types('--ip', 'U8').values()) == {'U8'} and types('--iop', 'tokens:U8')['tokens'] == 'U8'
    said = subprocess.run([tool, 'convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob'], check=True, capture_output=True, text=True).stdout
    assert '"features" [1,16,8,8]' in said.replace('1x16x8x8', '[1,16,8,8]') and '"nchw"' not in said


def test_functions_that_the_model_brings(tool, tmp_path):
    """As torch's first dynamo exporter writes modules: the body reads an attribute of the call, or its default."""
    from onnx import TensorProto, helper
    elu = helper.make_node('Elu', ['a'], ['t'])
    elu.attribute.append(onnx.AttributeProto(name='alpha', type=onnx.AttributeProto.FLOAT, ref_attr_name='slope'))
    function = helper.make_function('own', 'Block', ['a', 'b'], ['r'], [elu, helper.make_node('Add', ['t', 'b'], ['r'])],
                                    [helper.make_opsetid('', 17)], attribute_protos=[helper.make_attribute('slope', 0.5)])
    nodes = [helper.make_node('Block', ['x', 'x'], ['y'], 'first', domain='own', slope=2.0),
             helper.make_node('Block', ['y', 'x'], ['z'], 'second', domain='own')]
    shape = [1, 3, 4, 4]
    graph = helper.make_graph(nodes, 'g', [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info('z', TensorProto.FLOAT, shape)])
    onnx.save(helper.make_model(graph, functions=[function], opset_imports=[helper.make_opsetid('', 17), helper.make_opsetid('own', 1)]),
              tmp_path / 'model.onnx')
    x = np.random.default_rng(5).normal(0, 2, shape).astype(np.float16)
    np.save(tmp_path / 'x.npy', x)
    for command in (['convert', 'model.onnx', '-o', 'model.blob', '--ip', 'FP16'],
                    ['run', 'model.blob', '--input', 'x.npy', '--output-dir', 'out']):
        done = subprocess.run([tool, *command], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    elu_of = lambda v, alpha: np.where(v > 0, v, alpha * np.expm1(v))
    y = elu_of(x.astype(np.float32), 2) + x
    np.testing.assert_allclose(np.load(tmp_path / 'out' / 'z.npy'), elu_of(y, 0.5) + x, atol=0.03)


def check_against_onnxruntime(run, folder, nodes, constants, tolerance=2e-3, shape=(1, 4, 6, 5)):
    """x between 0 and 1 -> y."""
    import onnxruntime
    from onnx import TensorProto, helper
    graph = helper.make_graph(nodes, 'g', [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info('y', TensorProto.FLOAT, None)], [numpy_helper.from_array(v if np.asarray(v).dtype == np.int64 and np.ndim(v) else np.float32(v), k) for k, v in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8), folder / 'm.onnx')
    x = np.random.default_rng(1).random(shape).astype(np.float32)
    np.save(folder / 'x.npy', x)
    done = run('convert', folder / 'm.onnx', '-o', folder / 'm.blob', '--ip', 'FP16')
    assert done.returncode == 0, done.stderr
    assert run('run', folder / 'm.blob', '--input', folder / 'x.npy', '--output-dir', folder / 'out').returncode == 0
    wanted, = onnxruntime.InferenceSession(str(folder / 'm.onnx')).run(None, {'x': x})
    np.testing.assert_allclose(np.load(folder / 'out' / 'y.npy').reshape(wanted.shape), wanted, atol=tolerance)


@pytest.mark.parametrize('first', [('Sub', ['one', 'x']), ('Neg', ['x']), ('Mul', ['minus', 'x'])])
def test_constants_behind_a_difference(run, tmp_path, first):
    """1 - x + eps, as overlaps of boxes have it."""
    from onnx import helper
    nodes = [helper.make_node(first[0], first[1], ['a']), helper.make_node('Add', ['a', 'eps'], ['b']), helper.make_node('Add', ['b', 'one'], ['c']), helper.make_node('Sigmoid', ['c'], ['y'])]
    check_against_onnxruntime(run, tmp_path, nodes, {'one': 1, 'eps': 0.01, 'minus': -1})


def test_operators_may_stand_in_any_order(run, tmp_path):
    """ONNX Runtime sorts them: converters to FP16 put their Casts at the end."""
    from onnx import TensorProto, helper
    nodes = [helper.make_node('Relu', ['h'], ['r']), helper.make_node('Cast', ['d'], ['y'], to=TensorProto.FLOAT), helper.make_node('Add', ['r', 'h'], ['d']),
             helper.make_node('Cast', ['x'], ['h'], to=TensorProto.FLOAT16)]
    check_against_onnxruntime(run, tmp_path, nodes, {})


@pytest.mark.parametrize('shape', [(1, 3, 4, 5, 5), (2, 3, 2, 4, 5, 5), (1, 2, 3, 2, 3, 4, 4)])
@pytest.mark.parametrize('factor', ['itself', 'matrix', 'one of each item', 'constant'])
def test_products_of_matrices_in_many_axes(run, tmp_path, shape, factor):
    from onnx import helper
    n = shape[-1]
    nodes = [helper.make_node('Sigmoid', ['x'], ['a'])]
    constants = {}
    if factor == 'itself':
        nodes += [helper.make_node('Transpose', ['x'], ['b'], perm=[*range(len(shape) - 2), len(shape) - 1, len(shape) - 2])]
    elif factor == 'constant':
        constants['b'] = np.random.default_rng(2).random((n, 3))
    else:
        axes = list(range(len(shape) - 2 if factor == 'matrix' else 1, len(shape) - 2))
        nodes += [helper.make_node('ReduceMax', ['x'], ['b'], axes=axes or list(range(len(shape) - 2)), keepdims=int(factor != 'matrix'))]
    nodes += [helper.make_node('MatMul', ['a', 'b'], ['c']), helper.make_node('Tanh', ['c'], ['y'])]
    check_against_onnxruntime(run, tmp_path, nodes, constants, shape=shape)


@pytest.mark.parametrize('shape', [(1, 3, 4, 5, 5), (2, 3, 2, 4, 5, 5), (1, 2, 3, 2, 3, 4, 4)])
@pytest.mark.parametrize('kind', ['Mul', 'Add', 'PRelu', 'BatchNormalization', 'InstanceNormalization'])
def test_channels_among_many_axes(run, tmp_path, shape, kind):
    from onnx import helper
    rng = np.random.default_rng(2)
    values = {k: rng.random(shape[1]) + 0.5 for k in 'wbmv'}
    column = values['w'].reshape(-1, *[1] * (len(shape) - 2))
    given = {'BatchNormalization': 'wbmv', 'InstanceNormalization': 'wb'}.get(kind, 'w')
    constants = {k: values[k] if len(given) > 1 else column for k in given}
    check_against_onnxruntime(run, tmp_path, [helper.make_node(kind, ['x', *given], ['y'])], constants, 8e-3, shape)


def test_parts_without_elements(run, tmp_path):
    """What rotary embeddings leave alone, which may be nothing."""
    from onnx import helper
    nodes = [helper.make_node('Constant', [], ['sizes'], value_ints=[5, 0]), helper.make_node('Split', ['x', 'sizes'], ['a', 'rest'], axis=3), helper.make_node('Neg', ['a'], ['b']),
             helper.make_node('Concat', ['b', 'rest'], ['c'], axis=3), helper.make_node('Sigmoid', ['c'], ['y'])]
    check_against_onnxruntime(run, tmp_path, nodes, {})


def stages_of(run, folder):
    done = run('inspect', folder / 'm.blob', '--json')
    return [s['type'] for s in json.loads(done.stdout)['stages']]


@pytest.mark.parametrize('take', ['Gather', 'Slice', 'Split'])
def test_queries_keys_and_values_lie_where_they_are(run, tmp_path, take):
    """An attention over windows: Transposes around a Reshape become one, and no stage takes the three apart."""
    from onnx import helper
    c = lambda name, *values: helper.make_node('Constant', [], [name], value_ints=list(values))  # noqa: E731
    nodes = [c('rows', 1, 24, 3, 2, 4), helper.make_node('Transpose', ['x'], ['t'], perm=[0, 2, 3, 1]), helper.make_node('Reshape', ['t', 'rows'], ['r']),
             helper.make_node('Transpose', ['r'], ['three'], perm=[2, 0, 3, 1, 4]), c('one', 1), c('zero', 0), c('two', 2), c('three_ends', 3)]
    names = ['q', 'k', 'v']
    if take == 'Gather':
        nodes += [helper.make_node('Constant', [], [f'i{i}'], value_int=i) for i in range(3)]
        nodes += [helper.make_node('Gather', ['three', f'i{i}'], [n], axis=0) for i, n in enumerate(names)]
    elif take == 'Slice':
        ends = ['zero', 'one', 'two', 'three_ends']
        nodes += [helper.make_node('Slice', ['three', ends[i], ends[i + 1], 'zero'], [n + '5']) for i, n in enumerate(names)]
        nodes += [helper.make_node('Squeeze', [n + '5', 'zero'], [n]) for n in names]
    else:
        nodes += [helper.make_node('Split', ['three'], [n + '5' for n in names], axis=0)]
        nodes += [helper.make_node('Squeeze', [n + '5', 'zero'], [n]) for n in names]
    nodes += [helper.make_node('Transpose', ['k'], ['kt'], perm=[0, 1, 3, 2]), helper.make_node('MatMul', ['q', 'kt'], ['s']), helper.make_node('Softmax', ['s'], ['p'], axis=3), helper.make_node('MatMul', ['p', 'v'], ['y'])]
    check_against_onnxruntime(run, tmp_path, nodes, {}, shape=(1, 24, 4, 6))
    stages = stages_of(run, tmp_path)
    assert stages.count('Permute') <= 2 and not {'Gather', 'StridedSlice'} & set(stages), stages


def test_a_sum_of_products_is_one_convolution(run, tmp_path):
    from onnx import helper
    nodes = [helper.make_node('Constant', [], ['to'], value_ints=[1, 2, 4, 16, 9]), helper.make_node('Reshape', ['x', 'to'], ['r']), helper.make_node('Einsum', ['r', 'a'], ['e'], equation='nkctv,kvw->nctw'),
             helper.make_node('Relu', ['e'], ['y'])]
    check_against_onnxruntime(run, tmp_path, nodes, {'a': np.random.default_rng(3).random((2, 9, 9)) / 9}, shape=(1, 8, 16, 9))
    assert len(stages_of(run, tmp_path)) < 16


@pytest.mark.parametrize('equation', ['oi, ...ihw -> ...ohw', '...ihw,oi->oh...w', 'bihw,...i->b...hw'])
def test_axes_without_names_in_sums_of_products(run, tmp_path, equation):
    from onnx import helper
    terms = ['a', 'x'] if equation.startswith('oi') else ['x', 'a']
    check_against_onnxruntime(run, tmp_path, [helper.make_node('Einsum', terms, ['e'], equation=equation), helper.make_node('Sigmoid', ['e'], ['y'])], {'a': np.random.default_rng(3).random((3, 4)) / 4})


@pytest.mark.parametrize('target, said', [('2022.1', 'only in a blob of 2022.1: Abs "y": a stage of its own'), ('2021.4', 'rewritten: Abs "y" as Maximum(x, -x)')])
def test_explain_says_what_the_target_is_for(tool, tmp_path, target, said):
    graph = onnx.helper.make_graph([onnx.helper.make_node('Abs', ['x'], ['y'], name='y')], 'net', [onnx.helper.make_tensor_value_info('x', onnx.TensorProto.FLOAT, [1, 8])],
                                   [onnx.helper.make_tensor_value_info('y', onnx.TensorProto.FLOAT, [1, 8])])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid('', 13)], ir_version=8), tmp_path / 'net.onnx')
    command = [tool, 'convert', tmp_path / 'net.onnx', '-o', tmp_path / 'net.blob', '--target', target]
    assert said in subprocess.run([*command, '--explain'], check=True, capture_output=True, text=True).stdout
    assert said not in subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = json.loads(subprocess.run([*command, '--json'], check=True, capture_output=True, text=True).stdout)
    assert [len(rows['of_target']), len(rows['rewrites'])] == ([1, 0] if target == '2022.1' else [0, 1])


@pytest.mark.parametrize('attributes', [{'output_shape': [9, 12]}, {'output_shape': [9, 12], 'auto_pad': 'SAME_UPPER'}, {'output_shape': [11, 12]}, {'auto_pad': 'SAME_LOWER'}])
def test_transposed_convolutions_of_stated_size(run, tmp_path, attributes):
    from onnx import helper
    weights = np.random.default_rng(3).standard_normal((3, 2, 3, 3)).astype(np.float32)
    nodes = [helper.make_node('Relu', ['x'], ['r']), helper.make_node('ConvTranspose', ['r', 'w'], ['y'], kernel_shape=[3, 3], strides=[2, 2], **attributes)]
    check_against_onnxruntime(run, tmp_path, nodes, {'w': weights}, 1e-2, (1, 3, 5, 6))


@pytest.mark.parametrize('kernel, pads', [([1, 2], {'auto_pad': 'SAME_UPPER'}), ([4, 2], {'auto_pad': 'SAME_LOWER'}), ([3, 3], {'pads': [0, 0, 1, 2]}), ([2, 2], {'pads': [1, 0, 0, 1]}), ([3, 3], {'pads': [1, 1, 1, 1]})])
def test_means_count_all_zeros_around_a_plane(run, tmp_path, kernel, pads):
    from onnx import helper
    nodes = [helper.make_node('Relu', ['x'], ['r']), helper.make_node('AveragePool', ['r'], ['y'], kernel_shape=kernel, count_include_pad=1, **pads)]
    check_against_onnxruntime(run, tmp_path, nodes, {}, shape=(1, 3, 13, 12))


@pytest.mark.parametrize('groups, outputs, kernel, attributes', [(6, 6, (3, 3, 3), {'pads': [1] * 6}), (6, 12, (3, 1, 1), {'strides': [2, 1, 1], 'dilations': [2, 1, 1]}), (2, 4, (2, 3, 3), {'auto_pad': 'SAME_UPPER'})])
def test_volumes_in_groups(run, tmp_path, groups, outputs, kernel, attributes):
    from onnx import helper
    weights = np.random.default_rng(4).standard_normal((outputs, 6 // groups, *kernel)).astype(np.float32) / 4
    check_against_onnxruntime(run, tmp_path, [helper.make_node('Conv', ['x', 'w'], ['y'], kernel_shape=kernel, group=groups, **attributes)], {'w': weights}, shape=(1, 6, 7, 8, 9))


@pytest.mark.parametrize('group, kernel, attributes', [(1, (3, 3, 3), {'strides': [2, 2, 2], 'pads': [1] * 6, 'output_padding': [1, 1, 1]}), (2, (2, 3, 1), {'strides': [1, 2, 3]}),
                                                      (4, (3, 2, 2), {'dilations': [2, 1, 1], 'auto_pad': 'SAME_UPPER'})])
def test_transposed_convolutions_of_volumes(run, tmp_path, group, kernel, attributes):
    from onnx import helper
    weights = np.random.default_rng(5).standard_normal((4, 8 // group, *kernel)).astype(np.float32) / 4
    check_against_onnxruntime(run, tmp_path, [helper.make_node('ConvTranspose', ['x', 'w'], ['y'], kernel_shape=kernel, group=group, **attributes)], {'w': weights}, 1e-2, (1, 4, 3, 5, 4))


@pytest.mark.parametrize('before', [None, 'Relu'])
@pytest.mark.parametrize('operator, constant', [('Expand', [1, 3, 6, 6]), ('Tile', [1, 1, 1, 1]), ('Identity', None)])
def test_outputs_of_what_does_nothing_keep_their_names(run, tmp_path, operator, constant, before):
    from onnx import helper
    nodes = [helper.make_node(before, ['x'], ['r'])] if before else []
    nodes.append(helper.make_node(operator, ['r' if before else 'x'] + (['c'] if constant else []), ['y']))
    check_against_onnxruntime(run, tmp_path, nodes, {'c': np.array(constant)} if constant else {}, shape=(1, 3, 6, 6))


def test_products_whose_batch_lies_inside(run, tmp_path):
    """FusedMatMul as ONNX Runtime writes it of attentions: rows of A and B before the batch."""
    import onnxruntime
    from onnx import TensorProto, helper
    rng = np.random.default_rng(0)
    node = helper.make_node('FusedMatMul', ['a', 'b'], ['y'], domain='com.microsoft', transBatchA=1, transBatchB=1, transB=1, alpha=0.5)
    graph = helper.make_graph([node], 'net', [helper.make_tensor_value_info(k, TensorProto.FLOAT, [n, 3, 8]) for k, n in (('a', 5), ('b', 6))],
                              [helper.make_tensor_value_info('y', TensorProto.FLOAT, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17), helper.make_opsetid('com.microsoft', 1)], ir_version=8)
    onnx.save(model, tmp_path / 'm.onnx')
    values = {k: rng.standard_normal((n, 3, 8)).astype(np.float32) for k, n in (('a', 5), ('b', 6))}
    wanted, = onnxruntime.InferenceSession(model.SerializeToString()).run(None, values)
    np.savez(tmp_path / 'in.npz', **values)
    assert run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob').returncode == 0
    assert run('run', tmp_path / 'm.blob', '--input', tmp_path / 'in.npz', '--output-dir', tmp_path / 'out').returncode == 0
    np.testing.assert_allclose(np.load(tmp_path / 'out' / 'y.npy').reshape(wanted.shape), wanted, rtol=1e-2, atol=1e-2)
