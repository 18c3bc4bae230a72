"""--cut-unsupported: a blob of what can be compiled, models for a host of the rest; all together are the model."""
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'conformance'))
from ir_builder import Net  # noqa: E402
from tflite_models import RELU6, Model  # noqa: E402

RNG = np.random.default_rng(2)


def save(path, nodes, constants, inputs, outputs):
    graph = helper.make_graph(nodes, 'net', [helper.make_tensor_value_info(k, TensorProto.FLOAT, s) for k, s in inputs.items()],
                              [helper.make_tensor_value_info(k, t, None) for k, t in outputs.items()], [numpy_helper.from_array(v, k) for k, v in constants.items()])
    model = onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 16)], ir_version=8))
    onnx.save(model, path)
    return onnxruntime.InferenceSession(model.SerializeToString())


def runs(run, folder, blob, values):
    np.savez(folder / 'in.npz', **values)
    done = run('run', blob, '--input', folder / 'in.npz', '--output-dir', folder / 'out', '--json')
    assert done.returncode == 0, done.stderr
    return {o['name']: np.load(o['file']) for o in json.loads(done.stdout)['outputs']}


def host(path, values):
    session = onnxruntime.InferenceSession(str(path))
    kinds = {'tensor(float)': np.float32, 'tensor(int64)': np.int64, 'tensor(int32)': np.int32, 'tensor(bool)': bool}
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, {i.name: values[i.name].astype(kinds[i.type]) for i in session.get_inputs()})))


@pytest.fixture
def network():
    """x -> Conv, Relu -> Unique -> a difference; beside it labels that the chip gives."""
    nodes = [helper.make_node('Conv', ['x', 'w'], ['c'], name='conv', kernel_shape=[3, 3], pads=[1, 1, 1, 1]), helper.make_node('Relu', ['c'], ['r'], name='relu'),
             helper.make_node('ReduceMax', ['r'], ['top'], name='top', axes=[2, 3], keepdims=0), helper.make_node('Unique', ['top'], ['u'], name='unique', sorted=1),
             helper.make_node('ReduceMin', ['u'], ['least'], name='least', keepdims=0), helper.make_node('Constant', [], ['two'], value=numpy_helper.from_array(np.float32(2))),
             helper.make_node('Mul', ['least', 'two'], ['y'], name='double'), helper.make_node('Mul', ['r', 'two'], ['twice'], name='twice'),
             helper.make_node('ArgMax', ['twice'], ['labels'], name='labels', axis=1, keepdims=0)]
    return nodes, {'w': (RNG.standard_normal((8, 3, 3, 3)) / 900).astype(np.float32)}, {'x': [1, 3, 16, 16]}, {'y': TensorProto.FLOAT, 'labels': TensorProto.INT64}


def test_the_host_computes_what_follows(run, tmp_path, network):
    session = save(tmp_path / 'm.onnx', *network)
    assert run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob').returncode == 1
    done = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--cut-unsupported', '--json')
    assert done.returncode == 0, done.stderr
    cut = json.loads(done.stdout)['cut']
    assert cut['before'] == '' and cut['after'] == str(tmp_path / 'm.after.onnx') and cut['refused'][0]['layer'] == 'unique'
    assert {t['name'] for t in cut['from_chip']} == {'top', 'labels'} and [n.op_type for n in onnx.load(cut['after']).graph.node if n.op_type != 'Constant'] == ['Unique', 'ReduceMin', 'Mul']
    x = RNG.integers(0, 256, (1, 3, 16, 16)).astype(np.float32)
    blob = runs(run, tmp_path, tmp_path / 'm.blob', {'x': x})
    values = {t['name']: blob[t['blob_name']] for t in cut['from_chip']}
    y, labels = session.run(['y', 'labels'], {'x': x})
    np.testing.assert_allclose(host(cut['after'], values)['y'], y, rtol=5e-3)
    assert (values['labels'] != labels).mean() < 0.02
    text = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--cut-unsupported').stdout
    assert 'not in the blob: ' in text and 'm.after.onnx' in text and 'out: ' in text


def test_the_host_computes_what_comes_first(run, tmp_path):
    nodes = [helper.make_node('Det', ['x'], ['d'], name='det'), helper.make_node('Gemm', ['d', 'w'], ['g'], name='gemm'), helper.make_node('Relu', ['g'], ['y'], name='relu')]
    session = save(tmp_path / 'm.onnx', nodes, {'w': RNG.standard_normal((5, 7)).astype(np.float32)}, {'x': [1, 5, 3, 3]}, {'y': TensorProto.FLOAT})
    done = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--cut-unsupported', '--json')
    assert done.returncode == 0, done.stderr
    cut = json.loads(done.stdout)['cut']
    assert cut['after'] == '' and cut['before'] == str(tmp_path / 'm.before.onnx') and cut['to_chip'][0]['name'] == 'd'
    x = RNG.standard_normal((1, 5, 3, 3)).astype(np.float32)
    y = runs(run, tmp_path, tmp_path / 'm.blob', host(cut['before'], {'x': x}))
    np.testing.assert_allclose(next(iter(y.values())), session.run(None, {'x': x})[0], rtol=5e-3, atol=2e-2)


def test_compare_judges_both_parts_together(run, tmp_path):
    nodes = [helper.make_node('Conv', ['x', 'w'], ['c'], name='conv', kernel_shape=[3, 3]), helper.make_node('Relu', ['c'], ['r'], name='relu'), helper.make_node('NonZero', ['r'], ['n'], name='nonzero'),
             helper.make_node('Relu', ['c'], ['y'], name='y')]
    save(tmp_path / 'm.onnx', nodes, {'w': (RNG.standard_normal((4, 3, 3, 3)) / 900).astype(np.float32)}, {'x': [1, 3, 8, 8]}, {'y': TensorProto.FLOAT})
    done = run('compare', tmp_path / 'm.onnx', '--cut-unsupported')
    assert done.returncode == 0 and 'outputs agree' in done.stdout, done.stdout + done.stderr


def test_what_can_not_be_cut_is_refused(run, tmp_path, network):
    save(tmp_path / 'm.onnx', *network)
    assert run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--cut-unsupported', '--output', 'relu').returncode == 2
    assert run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.superblob', '--cut-unsupported').returncode == 2
    nodes = [helper.make_node('Unique', ['x'], ['u'], name='unique')]
    save(tmp_path / 'n.onnx', nodes, {}, {'x': [1, 3, 8, 8]}, {'u': TensorProto.FLOAT})
    done = run('convert', tmp_path / 'n.onnx', '-o', tmp_path / 'm.blob', '--cut-unsupported')
    assert done.returncode == 1 and 'Unique' in done.stderr and not (tmp_path / 'm.blob').exists()


def test_what_the_data_decide_is_the_hosts(run, tmp_path):
    """Boxes above a threshold, padded to a fixed number, as detectors with their choice inside have it; key points that it has
    none of are tensors without elements."""
    nodes = [helper.make_node('Conv', ['x', 'w'], ['c'], name='conv', kernel_shape=[4, 4], strides=[4, 4]), helper.make_node('Reshape', ['c', 'rows'], ['r'], name='rows'),
             helper.make_node('Slice', ['r', 'zero', 'one', 'one'], ['s'], name='score'), helper.make_node('Slice', ['r', 'eight', 'eight', 'one'], ['none'], name='none'),
             helper.make_node('Greater', ['s', 'least'], ['g'], name='above'), helper.make_node('Squeeze', ['g', 'one'], ['f'], name='flat'), helper.make_node('NonZero', ['f'], ['nz'], name='where'),
             helper.make_node('Squeeze', ['nz', 'zero'], ['at'], name='at'), helper.make_node('Concat', ['r', 'none'], ['all'], name='all', axis=1), helper.make_node('Gather', ['all', 'at'], ['k'], name='kept'),
             helper.make_node('Shape', ['k'], ['size'], name='size'), helper.make_node('Slice', ['size', 'zero', 'one'], ['count'], name='count'), helper.make_node('Sub', ['most', 'count'], ['missing'], name='missing'),
             helper.make_node('Concat', ['zeros', 'missing', 'zero'], ['pads'], name='pads', axis=0), helper.make_node('Pad', ['k', 'pads'], ['y'], name='pad')]
    whole = {k: np.array(v, np.int64) for k, v in {'rows': [16, 8], 'zero': [0], 'one': [1], 'eight': [8], 'most': [16], 'zeros': [0, 0]}.items()}
    session = save(tmp_path / 'm.onnx', nodes, {'w': (RNG.standard_normal((8, 3, 4, 4)) / 900).astype(np.float32), 'least': np.array([0.0], np.float32), **whole}, {'x': [1, 3, 16, 16]}, {'y': TensorProto.FLOAT})
    done = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--cut-unsupported', '--json')
    assert done.returncode == 0, done.stderr
    cut = json.loads(done.stdout)['cut']
    x = RNG.integers(0, 256, (1, 3, 16, 16)).astype(np.float32)
    blob = runs(run, tmp_path, tmp_path / 'm.blob', {'x': x})
    got = host(cut['after'], {t['name']: blob[t['blob_name']] for t in cut['from_chip']})['y']
    np.testing.assert_allclose(got, session.run(None, {'x': x})[0], atol=5e-3)


def test_check_says_what_is_supported_and_where_to_cut(run, tmp_path):
    nodes = [helper.make_node('Relu', ['x'], ['r'], name='relu'), helper.make_node('ReduceMax', ['r'], ['top'], name='top', keepdims=0), helper.make_node('Greater', ['top', 'least'], ['c'], name='above'),
             helper.make_node('If', ['c'], ['y'], name='if', then_branch=helper.make_graph([helper.make_node('Neg', ['r'], ['a'])], 'yes', [], [helper.make_tensor_value_info('a', TensorProto.FLOAT, None)]),
                              else_branch=helper.make_graph([helper.make_node('Exp', ['r'], ['b'])], 'no', [], [helper.make_tensor_value_info('b', TensorProto.FLOAT, None)]))]
    save(tmp_path / 'm.onnx', nodes, {'least': np.float32(0)}, {'x': [1, 3, 8, 8]}, {'y': TensorProto.FLOAT})
    done = run('check', tmp_path / 'm.onnx', '--json')
    problem, = json.loads(done.stdout)['problems']
    assert problem['layer'] == 'if' and problem['nearest'] == 'a condition that constants and static shapes decide' and problem['cut_at'] == ['c', 'r']
    text = run('check', tmp_path / 'm.onnx', '-v').stdout
    assert 'supported: a condition that' in text and 'cut before it: --output "c,r"' in text
    assert run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--output', 'c,r').returncode == 0


def test_a_condition_of_inputs_can_be_frozen(run, tmp_path):
    branch = lambda kind: helper.make_graph([helper.make_node(kind, ['x'], ['a'])], kind, [], [helper.make_tensor_value_info('a', TensorProto.FLOAT, None)])  # noqa: E731
    nodes = [helper.make_node('Greater', ['rate', 'least'], ['c'], name='above'), helper.make_node('If', ['c'], ['y'], name='if', then_branch=branch('Neg'), else_branch=branch('Exp'))]
    save(tmp_path / 'm.onnx', nodes, {'least': np.float32(8000)}, {'x': [1, 3, 8, 8], 'rate': [1]}, {'y': TensorProto.FLOAT})
    done = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob')
    assert done.returncode == 1 and '--freeze-placeholder-with-value "rate->VALUE"' in done.stderr
    done = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--freeze-placeholder-with-value', 'rate->16000')
    assert done.returncode == 0, done.stderr


def test_convert_says_how_to_cut(run, tmp_path, network):
    save(tmp_path / 'm.onnx', *network)
    done = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob')
    assert done.returncode == 1 and done.stderr.count('convert --cut-unsupported') == 1 and 'NonMaxSuppression' not in done.stderr
    assert 'cut-unsupported' not in run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--quirks').stderr
    chosen = [helper.make_node('NonMaxSuppression', ['boxes', 'scores', 'most'], ['i'], name='nms'), helper.make_node('Unique', ['i'], ['u'], name='unique', sorted=1),
              helper.make_node('Cast', ['u'], ['y'], to=TensorProto.FLOAT)]
    save(tmp_path / 'n.onnx', chosen, {'most': np.array([3], np.int64)}, {'boxes': [1, 8, 4], 'scores': [1, 2, 8]}, {'y': TensorProto.FLOAT})
    refused = run('convert', tmp_path / 'n.onnx', '-o', tmp_path / 'n.blob')
    assert refused.returncode == 1 and 'nms=False' in refused.stderr


def fourier(net, x, count, *shape):
    """Sums of waves, of pairs of numbers: no stage does that."""
    pairs = net.reshape(x, 1, count // 2, 2)
    return net.reshape(net.layer('DFT', [pairs, net.ints(1)], name='waves', version='opset7'), *shape)


def test_other_formats_leave_an_ir_for_what_follows(run, tmp_path):
    net = Net('m')
    r = net.relu(net.conv(net.input(1, 3, 16, 16), 3, 8, bias=False))
    net.result(net.mul(fourier(net, net.reduce(r, 'ReduceMax', 2, 3), 8, 1, 8, 1, 1), net.const([[[[3.]]]])), net.mul(r, net.const([[[[2.]]]])))
    net.save(str(tmp_path / 'm'))
    done = run('convert', tmp_path / 'm.xml', '-o', tmp_path / 'm.blob', '--cut-unsupported', '--json')
    assert done.returncode == 0, done.stderr
    cut = json.loads(done.stdout)['cut']
    assert cut['before'] == '' and cut['after'] == str(tmp_path / 'm.after.xml') and [e['layer'] for e in cut['refused']] == ['waves']
    assert len(cut['from_chip']) == 2 and all(t['name'] == t['blob_name'] for t in cut['from_chip'])
    x = RNG.integers(0, 256, (1, 3, 16, 16)).astype(np.float32)
    values = runs(run, tmp_path, tmp_path / 'm.blob', {'input': x})
    wanted = runs(run, tmp_path, tmp_path / 'm.xml', {'input': x})
    after = runs(run, tmp_path, tmp_path / 'm.after.xml', {k: v for k, v in values.items() if k not in wanted})
    for name, w in wanted.items():
        np.testing.assert_allclose({**values, **after}[name].reshape(-1), w.reshape(-1), rtol=5e-3, atol=1)
    assert 'outputs agree' in run('compare', tmp_path / 'm.xml', '--cut-unsupported').stdout


def test_what_a_host_computes_first_is_no_picture_of_bytes(run, tmp_path):
    """Of 3 channels, but halves; compare runs the host's part first."""
    net = Net('m')
    net.result(net.relu(net.conv(net.mul(fourier(net, net.input(1, 3, 8, 8), 192, 1, 3, 8, 8), net.const([[[[0.01]]]])), 3, 8)))
    net.save(str(tmp_path / 'm'))
    done = run('convert', tmp_path / 'm.xml', '-o', tmp_path / 'm.blob', '--cut-unsupported', '--json')
    assert done.returncode == 0, done.stderr
    cut = json.loads(done.stdout)['cut']
    assert cut['after'] == '' and cut['before'] == str(tmp_path / 'm.before.xml') and [t['type'] for t in cut['to_chip']] == ['FP16']
    compared = run('compare', tmp_path / 'm.xml', '--cut-unsupported')
    assert compared.returncode == 0 and 'whole model' in compared.stdout and 'outputs agree' in compared.stdout
    nodes = [helper.make_node('NonZero', ['x'], ['n'], name='nonzero'), helper.make_node('Slice', ['n', 'zero', 'count', 'one'], ['s'], name='first'),
             helper.make_node('Cast', ['s'], ['f'], name='cast', to=TensorProto.FLOAT), helper.make_node('Mul', ['f', 'half'], ['h'], name='halves'),
             helper.make_node('Reshape', ['h', 'shape'], ['p'], name='picture'), helper.make_node('Unique', ['p'], ['u'], name='unique'), helper.make_node('Reshape', ['u', 'shape'], ['q'], name='again'),
             helper.make_node('Conv', ['q', 'w'], ['y'], name='conv', kernel_shape=[3, 3])]
    whole = {'zero': np.array([0], np.int64), 'one': np.array([1], np.int64), 'count': np.array([48], np.int64), 'shape': np.array([1, 3, 8, 8], np.int64), 'half': np.float32(0.5)}
    save(tmp_path / 'n.onnx', nodes, {'w': RNG.standard_normal((4, 3, 3, 3)).astype(np.float32), **whole}, {'x': [4, 48]}, {'y': TensorProto.FLOAT})
    done = run('convert', tmp_path / 'n.onnx', '-o', tmp_path / 'n.blob', '--cut-unsupported', '--json')
    assert done.returncode == 0, done.stderr
    assert {t['type'] for t in json.loads(done.stdout)['cut']['to_chip']} <= {'FP16', 'I32', 'S32'}


def test_what_only_the_framework_knows_is_left_to_it(run, tmp_path):
    model = Model()
    c = model.conv(model.input(1, 16, 16, 3), 16, 3, 8, s=2, activation=RELU6)
    own, = model.add_custom('MyOwnOp', [c], [(1, 8, 8, 8)], b'abc')
    (tmp_path / 'm.tflite').write_bytes(model.result(model.conv(own, 8, 8, 4), model.conv(c, 8, 8, 5)).data())
    assert 'convert --cut-unsupported' in run('convert', tmp_path / 'm.tflite', '-o', tmp_path / 'm.blob').stderr
    done = run('convert', tmp_path / 'm.tflite', '-o', tmp_path / 'm.blob', '--cut-unsupported', '--json')
    assert done.returncode == 0, done.stderr
    cut = json.loads(done.stdout)['cut']
    assert cut['before'] == cut['after'] == '' and len(cut['ends_at'].split(',')) == 2 and len(cut['from_chip']) == 2
    text = run('convert', tmp_path / 'm.tflite', '-o', tmp_path / 'm.blob', '--cut-unsupported').stdout
    assert 'the model itself, from' in text and 'MyOwnOp' in text
    assert 'only the chip' in run('compare', tmp_path / 'm.tflite', '--cut-unsupported').stdout
