"""The command line as scripts see it: exit codes, error texts, no partial files, JSON, and the examples of README, guide and commands."""
import json
import os
import re
import shlex
import socket
import stat
import struct
import subprocess
import sys
import time
import urllib.request

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from PIL import Image

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'conformance'))
import framework_models
import tensorflow_models
from ir_builder import Net


@pytest.fixture
def model(tmp_path):
    """A small classifier as IR: tmp_path/model.xml."""
    net = Net('small')
    x = net.relu(net.conv(net.input(1, 3, 16, 16), 3, 8))
    net.result(net.layer('SoftMax', [net.reshape(net.conv(x, 8, 4, k=16, p=0), 0, -1)], axis=1, name='scores'))
    net.save(str(tmp_path / 'model'))
    return tmp_path / 'model.xml'


@pytest.fixture
def onnx_model(tmp_path):
    """The same as ONNX: tmp_path/model.onnx."""
    r = np.random.RandomState(1)
    weights = [numpy_helper.from_array(r.standard_normal(s).astype(np.float32), n) for n, s in (('w', (8, 3, 3, 3)), ('b', (8,)))]
    nodes = [helper.make_node('Conv', ['input', 'w', 'b'], ['c'], name='conv', pads=[1, 1, 1, 1]), helper.make_node('HardSigmoid', ['c'], ['scores'], name='gate')]
    value = lambda n, s: helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s)
    graph = helper.make_graph(nodes, 'small', [value('input', [1, 3, 16, 16])], [value('scores', [1, 8, 16, 16])], weights)
    path = tmp_path / 'model.onnx'
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 11)]), path)
    return path


@pytest.mark.parametrize('arguments, said, meant', [
    (('convert', 'MODEL', '--shave', 4), "there is no option '--shave'", '--shaves'),
    (('convert', 'MODEL', '--shave=4'), "there is no option '--shave'", '--shaves'),
    (('convert', 'MODEL', '--mean_value', '[1,2,3]'), "there is no option '--mean_value'", '--mean_values'),
    (('convert', 'MODEL', '-outptu', 'y'), "there is no option '-outptu'", '--output'),
    (('convert', '--input_modle', 'MODEL'), "there is no option '--input_modle'", '--input_model'),
    (('compile', '-m', 'MODEL', '-number_of_shave', 4), "there is no option '-number_of_shave'", '--VPU_NUMBER_OF_SHAVES'),
    (('check', 'MODEL', '--jsno'), "there is no option '--jsno'", '--json'),
    (('convert', 'MODEL', '--zzzzzzzzzzzzzz'), "there is no option '--zzzzzzzzzzzzzz'", ''),
    (('convrt', 'MODEL'), "unknown verb 'convrt'", 'convert'),
])
def test_an_unknown_option_names_the_nearest(run, onnx_model, arguments, said, meant):
    done = run(*(onnx_model if a == 'MODEL' else a for a in arguments))
    assert done.returncode == (1 if arguments[0] == 'compile' else 2)  # compile_tool's own code
    assert 'error[BS4001]: ' + said in done.stderr
    assert f'did you mean {meant}?' in done.stderr if meant else 'did you mean' not in done.stderr


def test_convert_takes_the_names_of_model_optimizers_options(run, onnx_model, tmp_path):
    folder = tmp_path / 'made' / 'here'
    done = run('convert', '--input_model', onnx_model, '--mean_values', '[127.5,127.5,127.5]', '--scale_values=[255]', '--data_type', 'FP16',
               '--reverse_input_channels', '--input_shape', '[1,3,32,32]', '-sh', 4, '--output_dir', folder, '--model_name', 'net', '--silent', '--log_level', 'ERROR',
               '--progress')
    assert (done.returncode, done.stdout) == (0, ''), done.stderr
    same = run('convert', onnx_model, '--mean-values', '127.5,127.5,127.5', '--scale-values', 255, '--reverse-input-channels', '--input-shape', '1,3,32,32', '--shaves', 4,
               '-o', tmp_path / 'same.blob')
    assert same.returncode == 0 and (folder / 'net.blob').read_bytes() == (tmp_path / 'same.blob').read_bytes()
    assert run('convert', '-w', onnx_model, '-n', 'other', '-o', folder).returncode == 0 and (folder / 'other.blob').exists()


def test_compile_writes_a_blob(run, model, tmp_path):
    done = run('compile', '-m', model, '-o', tmp_path / 'out.blob', '-ip', 'U8')
    assert done.returncode == 0
    assert re.search(r'Done\. LoadNetwork time elapsed: \d+ ms', done.stdout)
    assert (tmp_path / 'out.blob').read_bytes()[:4] == b'\x7felf'


@pytest.mark.parametrize('arguments,text', [
    (['-m', 'missing.xml'], 'Model file missing.xml cannot be opened!'),
    ([], 'Path to model xml file is required'),
    (['-m', 'MODEL', '-ip', 'Q8'], '"Q8" is not a valid precision'),
    (['-m', 'MODEL', '-c', 'MYRIAD_NO_SUCH_KEY=1'], 'key is not supported for VPU'),
    (['-m', 'MODEL', '-c', 'MYRIAD_NUMBER_OF_SHAVE=1'], 'did you mean MYRIAD_NUMBER_OF_SHAVES?'),
    (['-m', 'MODEL', '-c', 'MYRIAD_HW_DILATION=MAYBE'], 'Unsupported value "MAYBE" for key MYRIAD_HW_DILATION'),
    (['-m', 'MODEL', '-VPU_NUMBER_OF_SHAVES', '9', '-VPU_NUMBER_OF_CMX_SLICES', '9'], 'Cannot allocate "18" shaves: only 16 is available'),
    (['-m', 'MODEL', '-VPU_NUMBER_OF_SHAVES', '4'], 'You should set both option'),
    (['-m', 'MODEL', '-iop', 'nobody:FP16'], 'nobody is not an input neither output'),
    (['-m', 'MODEL', '--no-such-option'], 'no-such-option'),
])
def test_compile_fails_as_compile_tool_does(run, model, tmp_path, arguments, text):
    done = run('compile', '-o', tmp_path / 'out.blob', *[model if a == 'MODEL' else a for a in arguments])
    assert done.returncode == 1
    assert text in done.stderr
    assert not (tmp_path / 'out.blob').exists()


TARGETS = {'2020.4': (2020, 4), '2021.1': (2021, 1), '2021.2': (2021, 2), '2021.3': (2021, 3), '2021.4': (2021, 4), '2022.1': (2022, 1)}


@pytest.mark.parametrize('target', TARGETS)
def test_target_changes_the_version_words_and_what_follows_the_end(run, model, tmp_path, target):
    raw, stamped = tmp_path / 'raw.blob', tmp_path / 'stamped.blob'
    assert run('compile', '-m', model, '-o', raw).returncode == 0
    assert run('compile', '-m', model, '-o', stamped, '--target', target, '--ov_api_1_0').returncode == 0
    a, b = raw.read_bytes(), stamped.read_bytes()
    assert struct.unpack_from('<2I', a, 60) == (6, 0) and struct.unpack_from('<2I', b, 60) == TARGETS[target]
    assert a[:60] + a[68:] == b[:60] + b[68:len(a)]
    assert (len(b) > len(a)) == (target == '2022.1')   # names of inputs and outputs
    facts = json.loads(run('inspect', stamped, '--json').stdout)
    assert facts['header']['version'] == target and facts['account']['complete']


def test_an_ir_goes_through_the_second_interface_of_2022(run, model, tmp_path):
    """compile_tool 2022.1 makes the types that it is told part of the network."""
    def info(*arguments):
        blob = tmp_path / 'out.blob'
        done = run('compile', '-m', model, '-o', blob, '-ip', 'U8', *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(run('inspect', blob, '--json').stdout)['networkInfo'], done.stdout
    second, printed = info('--target', '2022.1')
    first, before = info('--target', '2022.1', '--ov_api_1_0')
    assert [p['elementType'] for p in second['parameters']] == [14] and [p['elementType'] for p in first['parameters']] == [4]   # U8, FP16
    assert ' : u8 / [...]' in printed and ' : U8 / NCHW' in before


@pytest.mark.parametrize('arguments, text', [
    (['--ov_api_1_0=false'], 'the second runtime interface came with OpenVINO 2022.1'),
    (['--target', '2022.1', '-iop', 'nobody:FP16'], "Model doesn't have input/output with tensor name: nobody"),
    (['--target', '2022.1', '-il', 'NHWC', '-iml', 'NCDW'], 'is not a valid layout'),
])
def test_the_second_interface_refuses(run, model, tmp_path, arguments, text):
    done = run('compile', '-m', model, '-o', tmp_path / 'out.blob', *arguments)
    assert done.returncode == 1 and text in done.stderr and not (tmp_path / 'out.blob').exists()


def test_convert_states_the_version_that_cameras_take(run, model, tmp_path):
    summary = json.loads(run('convert', model, '-o', tmp_path / 'out.blob', '--json').stdout)
    assert summary['target'] == '2022.1' and struct.unpack_from('<2I', (tmp_path / 'out.blob').read_bytes(), 60) == (2022, 1)
    assert run('convert', model, '-o', tmp_path / 'out.blob', '--target', '2021.3').returncode == 0
    assert struct.unpack_from('<2I', (tmp_path / 'out.blob').read_bytes(), 60) == (2021, 3)
    wrong = run('convert', model, '-o', tmp_path / 'none.blob', '--target', '2021.5')
    assert wrong.returncode == 2 and '2021.4, 2022.1' in wrong.stderr and not (tmp_path / 'none.blob').exists()


def test_convert_says_which_stages_compute_which_layers(run, onnx_model, model, tmp_path):
    for file in (onnx_model, model):
        done = run('convert', file, '-o', tmp_path / 'out.blob', '--layers', tmp_path / 'layers.json')
        assert done.returncode == 0, done.stderr
        told = json.loads((tmp_path / 'layers.json').read_text())
        blob = json.loads(run('inspect', tmp_path / 'out.blob', '--json').stdout)
        assert len(told['stages']) == len(blob['stages'])
        layers = {l['name']: l for l in told['layers']}
        assert len(layers) >= 2 and all(l['stages'] for l in layers.values())
        for l in layers.values():
            own = layers[l.get('inside', l['name'])]
            for s in l['stages']:
                assert told['stages'][s]['layer'] == own['name'] or told['stages'][s]['source'] == own['source'], l
    network = Net('fused')
    x = network.conv(network.input(1, 3, 8, 8), 3, 4)
    network.result(network.layer('ReLU', [x], name='relu'))
    network.save(str(tmp_path / 'fused'))
    assert run('convert', tmp_path / 'fused.xml', '-o', tmp_path / 'out.blob', '--layers', tmp_path / 'layers.json').returncode == 0
    conv, relu = json.loads((tmp_path / 'layers.json').read_text())['layers'][-2:]
    assert conv['stages'] == relu['stages'] != [] and ('inside' in conv) != ('inside' in relu)


@pytest.fixture
def troubled_model(tmp_path):
    """EmbeddingBagPackedSum is no stage, HardSigmoid is what convert rewrites, GatherTree comes from an unknown opset."""
    net = Net('troubled')
    x = net.conv(net.input(1, 3, 8, 8), 3, 4)
    fixed = net.layer('HardSigmoid', [x, net.const(0.25), net.const(0.5)], name='fixed')
    state = net.layer('EmbeddingBagPackedSum', [fixed, net.const([[0]], 'i64')], name='first', version='opset3')
    unknown = net.layer('Twist', [state], name='unknown')
    net.result(net.layer('EmbeddingBagPackedSum', [unknown, net.const([[0]], 'i64')], name='second', version='opset3'))
    net.save(str(tmp_path / 'troubled'))
    path = tmp_path / 'troubled.xml'
    dims = ''.join(f'<dim>{d}</dim>' for d in (1, 4, 8, 8))   # which are needed where a layer can't be read
    path.write_text(re.sub(r'(type="Twist".*?<output><port [^/]*)/>', rf'\1>{dims}</port>', path.read_text(), count=1))
    return path


def test_check_tells_every_problem_in_network_order(run, troubled_model):
    done = run('check', troubled_model)
    assert done.returncode == 1
    problems = [l for l in done.stdout.splitlines() if re.match(r'\d+\. error', l)]
    assert [re.search(r'"(first|unknown|second)"|type: (Twist)', l) is not None for l in problems] == [True] * 3
    assert problems[0].startswith('1. error[BS2003]: Failed to compile layer "first": unsupported layer type "EmbeddingBagPackedSum"')
    assert problems[1].startswith('2. error[BS2001]: ') and 'Twist' in problems[1]
    assert problems[2].startswith('3. error[BS2003]: Failed to compile layer "second": unsupported layer type "EmbeddingBagPackedSum"')
    assert 'fixed: HardSigmoid "fixed" becomes Clamp(0.25*x + 0.5, 0, 1)' in done.stdout
    assert "can't be converted: 6 layers, 2 supported, 1 fixed, 3 unsupported" in done.stdout


def test_check_verbose_tells_place_and_hint(run, troubled_model):
    text = run('check', troubled_model, '-v').stdout
    assert re.search(r'--> .*troubled\.xml, layer "first" \(id \d+\), shapes \[1,4,8,8\] -> \[1,4,8,8\]', text)
    assert 'hint: ' in text and re.search(r'supported +Convolution', text)


def test_check_json_has_a_stable_shape(run, troubled_model, model):
    done = run('check', troubled_model, '--json')
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert list(report) == ['model', 'compiles', 'supported', 'fixed', 'unsupported', 'not_checked', 'inputs', 'outputs', 'problems', 'warnings', 'layers']
    assert [(t['type'], t['shape']) for t in report['inputs']] == [('FP32', [1, 3, 8, 8])]
    assert (report['compiles'], report['supported'], report['fixed'], report['unsupported'], report['not_checked']) == (False, 2, 1, 3, 0)
    assert [p['number'] for p in report['problems']] == [1, 2, 3]
    assert [p['layer'] for p in report['problems']] == ['first', 'unknown', 'second']
    assert {'number', 'code', 'message', 'layer', 'type'} <= set(report['problems'][0])
    layer = next(l for l in report['layers'] if l['name'] == 'first')
    assert layer == {'name': 'first', 'type': 'EmbeddingBagPackedSum', 'status': 'unsupported', 'inputs': [[1, 4, 8, 8]], 'outputs': [[1, 4, 8, 8]], 'problems': [1]}
    assert next(l for l in report['layers'] if l['name'] == 'fixed')['fix'] == 'Clamp(0.25*x + 0.5, 0, 1)'
    good = run('check', model, '--json')
    assert good.returncode == 0 and json.loads(good.stdout)['compiles'] is True and json.loads(good.stdout)['problems'] == []


def test_check_without_fixes_judges_as_compile_does(run, troubled_model):
    report = json.loads(run('check', troubled_model, '--no-fix', '--json').stdout)
    assert [p['layer'] for p in report['problems']] == ['fixed', 'first', 'unknown', 'second'] and report['fixed'] == 0


def test_check_of_onnx_goes_on_behind_unknown_operators(run, onnx_model):
    m = onnx.load(onnx_model)
    m.graph.node.extend([helper.make_node('Twist', ['scores'], ['t'], name='twist'), helper.make_node('Relu', ['t'], ['u'], name='behind'), helper.make_node('ExperimentalDetectronPriorGridGenerator', ['priors', 'c', 'c'], ['v'], name='grid', domain='org.openvinotoolkit')])
    m.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros((3, 4), np.float32), 'priors'))
    m.graph.output.extend([helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 8, 16, 16]) for n in 'uv'])
    onnx.save(m, onnx_model)
    report = json.loads(run('check', onnx_model, '--json').stdout)
    assert {p['layer'] for p in report['problems']} == {'twist', 'grid'}
    assert {l['name']: l['status'] for l in report['layers']}['behind'] == 'not checked'
    assert report['fixed'] == 1 and report['not_checked'] == 1


def test_check_goes_on_behind_a_layer_without_its_inputs(run, tmp_path):
    net = Net('blocks')
    net.result(net.layer('BatchToSpace', [net.input(4, 10), net.layer('Power', name='hollow'), net.ints(0, 0), net.ints(0, 0)], version='opset2'))
    net.save(str(tmp_path / 'net'))
    done = run('check', tmp_path / 'net.xml')
    assert done.returncode == 1 and 'Power layer hollow with id: 1 is inconsistent!' in done.stdout


def test_check_of_what_is_no_model(run, tmp_path):
    assert run('check', tmp_path / 'missing.onnx').returncode == 3
    assert run('check').returncode == 2


def test_layers_finds_operations(run):
    rows = json.loads(run('layers', '--json').stdout)
    assert {r['framework'] for r in rows} >= {'onnx', 'tf', 'openvino', 'vpu', 'stages'}
    support = {(r['framework'], r['name']): r['support'] for r in rows}
    assert support['openvino', 'Convolution'] == 'yes' and support['openvino', 'Sin'] == 'by convert' and support['openvino', 'EmbeddingBagPackedSum'] == 'no' and support['onnx', 'Conv'] == 'yes'
    assert support['openvino', 'HardSigmoid'] == 'by convert' and support['vpu', 'Pooling'] == 'yes' and support['stages', 'MyriadXHwOp'] == 'yes'
    one = json.loads(run('layers', '--framework', 'openvino', '--op', 'pad', '--json').stdout)
    assert [r['name'] for r in one] == ['Pad'] and one[0]['opsets'] and one[0]['limits']
    assert run('layers', '--op', 'NoSuchThing').returncode == 1
    assert run('layers', '--framework', 'tea').returncode == 2


def test_explain_tells_of_a_code(run):
    assert 'no such layer' in run('explain', 'BS2003').stdout
    assert run('explain', '2003').stdout == run('explain', 'bs2003').stdout
    assert {r['code'] for r in json.loads(run('explain', '--json').stdout)} >= {'BS1001', 'BS9001'}
    assert run('explain', 'BS1').returncode == 2


@pytest.mark.parametrize('document,command', [('supported-layers.md', ['layers', '--markdown']), ('errors.md', ['explain', '--markdown'])])
def test_generated_documents_are_fresh(run, document, command):
    with open(os.path.join(ROOT, 'docs', document)) as f:
        assert f.read() == run(*command).stdout, f'blobsmith {" ".join(command)} > docs/{document}'


def test_table_of_known_faults_is_fresh(run):
    with open(os.path.join(ROOT, 'docs', 'quirks.md')) as f:
        assert run('explain', '--faults').stdout in f.read(), 'blobsmith explain --faults, in docs/quirks.md'


def test_unsupported_layers_are_named_all_at_once(run, tmp_path):
    net = Net('bad')
    x = net.conv(net.input(1, 3, 8, 8), 3, 4)
    net.result(net.layer('Sin', [x], name='first'), net.layer('Cos', [x], name='second'))
    net.save(str(tmp_path / 'bad'))
    done = run('compile', '-m', tmp_path / 'bad.xml', '-o', tmp_path / 'bad.blob')
    assert done.returncode == 1
    for layer, kind in (('first', 'Sin'), ('second', 'Cos')):
        assert f'Failed to compile layer "{layer}": unsupported layer type "{kind}"' in done.stderr
    assert not (tmp_path / 'bad.blob').exists()


def test_weights_that_are_missing_or_cut_off(run, model, tmp_path):
    weights = model.with_suffix('.bin')
    data = weights.read_bytes()
    weights.write_bytes(data[:100])
    assert 'Incorrect weights in bin file!' in run('compile', '-m', model, '-o', tmp_path / 'o.blob').stderr
    weights.unlink()
    assert 'Empty weights data in bin file or bin file cannot be found!' in run('compile', '-m', model, '-o', tmp_path / 'o.blob').stderr
    assert not (tmp_path / 'o.blob').exists()


@pytest.mark.parametrize('name,data', [('empty.onnx', b''), ('text.onnx', b'not a model'), ('empty.xml', b''), ('text.xml', b'<html/>'), ('open.xml', b'<net version="10"><layers>'), ('old.xml', b'<net version="7"/>')])
def test_files_that_are_no_models(run, tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    done = run('convert', tmp_path / name, '-o', tmp_path / 'out.blob')
    assert done.returncode == 3
    assert done.stderr.startswith('error[BS1')
    assert not (tmp_path / 'out.blob').exists()


def test_output_that_can_not_be_written(run, model, tmp_path):
    done = run('convert', model, '-o', tmp_path / 'no' / 'such' / 'folder.blob')
    assert done.returncode == 3
    assert 'cannot be written' in done.stderr


def test_convert_rewrites_what_the_chip_lacks_and_says_so(run, onnx_model, tmp_path):
    done = run('convert', onnx_model, '-o', tmp_path / 'out.blob', '--explain')
    assert done.returncode == 0, done.stderr
    assert re.search(r'rewritten: HardSigmoid ".*" as Clamp\(0\.199951\*x \+ 0\.5, 0, 1\)', done.stdout)
    summary = json.loads(run('convert', onnx_model, '-o', tmp_path / 'out.blob', '--json').stdout)
    assert summary['bytes'] == (tmp_path / 'out.blob').stat().st_size
    assert [r['type'] for r in summary['rewrites']] == ['HardSigmoid']


def test_convert_cuts_and_takes_preprocessing_in(run, onnx_model, tmp_path):
    blob = lambda *options: [run('convert', onnx_model, '-o', tmp_path / 'out.blob', '--ip', 'FP16', '--output', 'conv', '--json', *options), tmp_path / 'out.blob']
    done, out = blob()
    assert json.loads(done.stdout)['rewrites'] == [], 'the HardSigmoid is cut off'
    picture = np.random.RandomState(2).randint(0, 256, (1, 3, 16, 16)).astype(np.float32)
    mean, scale = np.float32([10, 20, 30]).reshape(3, 1, 1), np.float32([2, 4, 8]).reshape(3, 1, 1)
    np.save(tmp_path / 'picture.npy', picture)
    np.save(tmp_path / 'prepared.npy', (picture[:, ::-1] - mean) / scale)
    expected = outputs_of(run, tmp_path / 'a', out, '--input', tmp_path / 'prepared.npy')
    done, out = blob('--mean-values', '[10,20,30]', '--scale_values', 'input[2,4,8]', '--reverse-input-channels')
    assert done.returncode == 0, done.stderr
    got = outputs_of(run, tmp_path / 'b', out, '--input', tmp_path / 'picture.npy')
    np.testing.assert_allclose(got, expected, atol=0.01 * np.abs(expected).max())
    assert blob('--mean', '10,20,30', '--scale', '2')[1].read_bytes() == blob('--mean-values', '[10,20,30]', '--scale-values', '[2]')[1].read_bytes()
    same = blob('--scale-values', '[255]', '--reverse-input-channels')[1].read_bytes()
    assert blob('--preset', 'yolo')[1].read_bytes() == same and blob('--preset', 'nothing')[0].returncode == 2
    refused, _ = blob('--mean-values', '[1,2]')
    assert refused.returncode != 0 and 'does not have 2 channels' in refused.stderr


def test_open_shapes_ask_for_the_option(run, onnx_model, tmp_path):
    m = onnx.load(onnx_model)
    m.graph.input[0].type.tensor_type.shape.dim[2].dim_param = 'height'
    onnx.save(m, onnx_model)
    done = run('convert', onnx_model, '-o', tmp_path / 'out.blob')
    assert done.returncode == 1 and '--input-shape' in done.stderr
    assert run('convert', onnx_model, '-o', tmp_path / 'out.blob', '--input-shape', 'input=1,3,16,16').returncode == 0
    np.savez(tmp_path / 'in.npz', input=np.zeros((1, 3, 16, 16), np.float32))
    assert run('run', onnx_model).returncode == 1
    assert run('run', onnx_model, '--input', tmp_path / 'in.npz').returncode == 0
    assert run('compare', onnx_model, '--input', tmp_path / 'in.npz').returncode == 0


def test_inspect_accounts_for_every_byte(run, model, tmp_path):
    blob = tmp_path / 'out.blob'
    run('compile', '-m', model, '-o', blob)
    facts = json.loads(run('inspect', blob, '--json').stdout)
    assert [i['name'] for i in facts['inputs']] == ['input'] and [o['name'] for o in facts['outputs']] == ['scores']
    assert 'MyriadXHwOp' in run('inspect', blob).stdout


def test_a_damaged_blob_is_refused(run, model, tmp_path):
    blob = tmp_path / 'out.blob'
    run('compile', '-m', model, '-o', blob)
    data = blob.read_bytes()
    for broken in (data[:100], data[:len(data) // 2], b'\0' * len(data)):
        blob.write_bytes(broken)
        done = run('inspect', blob)
        assert done.returncode == 3 and done.stderr.startswith('error[BS1')


def test_run_agrees_with_arithmetic(run, model, tmp_path):
    blob, image = tmp_path / 'out.blob', tmp_path / 'in.npy'
    run('compile', '-m', model, '-o', blob, '-ip', 'U8')
    np.save(image, np.random.RandomState(0).randint(0, 8, (1, 3, 16, 16)).astype(np.uint8))
    done = run('run', blob, '--input', f'input={image}', '--output-dir', tmp_path / 'out', '--json')
    assert done.returncode == 0, done.stderr
    scores = np.load(tmp_path / 'out' / 'scores.npy')
    assert scores.shape == (1, 4) and scores.dtype == np.float32 and abs(scores.sum() - 1) < 1e-2
    assert json.loads(done.stdout)['outputs'][0]['shape'] == [1, 4]


def test_run_names_the_inputs_it_wants(run, model, tmp_path):
    blob = tmp_path / 'out.blob'
    run('compile', '-m', model, '-o', blob)
    done = run('run', blob, '--input', 'wrong=x.npy', '--output-dir', tmp_path / 'out')
    assert done.returncode == 2 and 'the inputs are: input' in done.stderr
    assert 'is missing' in run('run', blob, '--output-dir', tmp_path / 'out').stderr


@pytest.fixture
def blob(run, model, tmp_path):
    """The classifier compiled: tmp_path/model.blob, and tmp_path/in.npy for its input."""
    assert run('compile', '-m', model, '-o', tmp_path / 'model.blob', '-ip', 'U8').returncode == 0
    np.save(tmp_path / 'in.npy', np.random.RandomState(0).randint(0, 8, (1, 3, 16, 16)).astype(np.uint8))
    return tmp_path / 'model.blob'


def test_run_writes_what_chosen_stages_read_and_wrote(run, blob, tmp_path):
    common = ['run', blob, '--input', f'input={tmp_path / "in.npy"}']
    done = run(*common, '--output-dir', tmp_path / 'out', '--dump-stage', 'SoftMax', '--dump-stage', '0', '--json')
    assert done.returncode == 0, done.stderr
    files = [os.path.basename(f) for f in json.loads(done.stdout)['dumped']]
    number = next(f for f in files if 'SoftMax.out' in f).split('-')[0]
    assert f'{number}-SoftMax.in0.npy' in files and any(f.startswith('0-') for f in files)
    written = np.load(tmp_path / 'out' / f'{number}-SoftMax.out0.npy')
    assert np.array_equal(written.ravel(), np.load(tmp_path / 'out' / 'scores.npy').ravel())
    assert run(*common, '--output-dir', tmp_path / 'all', '--dump-stage', 'all').returncode == 0
    wrong = run(*common, '--output-dir', tmp_path / 'none', '--dump-stage', 'LSTMCell')
    assert wrong.returncode == 2 and '--dump-stage LSTMCell' in wrong.stderr
    assert run(*common, '--dump-stage', '0').returncode == 2


def test_run_tells_times(run, blob, tmp_path):
    common = ['run', blob, '--input', f'input={tmp_path / "in.npy"}', '--repeat', '3', '--profile']
    done = run(*common, '--json')
    assert done.returncode == 0 and done.stderr == ''
    facts = json.loads(done.stdout)
    assert facts['latency']['runs'] == 3 and facts['latency']['min'] <= facts['latency']['median'] <= facts['latency']['p95']
    times = [s['milliseconds'] for s in facts['stages']]
    assert times == sorted(times, reverse=True) and all(s['calls'] == 1 for s in facts['stages'])
    ordered = json.loads(run(*common, '--sort', 'order', '--json').stdout)['stages']
    assert [s['stage'] for s in ordered] == sorted(s['stage'] for s in ordered)
    text = run(*common).stdout
    assert 'in all' in text and re.search(r'3 runs: min [\d.]+, median [\d.]+, p95 [\d.]+ ms', text)


@pytest.fixture
def echo(run, tmp_path):
    """Compiles a network that gives back its one input, a picture: echo(input precision, its shape) -> blob."""
    def compiled(precision, *shape):
        net = Net('echo')
        net.result(net.relu(net.input(*(shape or (1, 3, 4, 6)))))
        net.save(str(tmp_path / 'echo'))
        blob = tmp_path / f'echo_{precision}.blob'
        assert run('compile', '-m', tmp_path / 'echo.xml', '-o', blob, '-ip', precision).returncode == 0
        return blob
    return compiled


def outputs_of(run, folder, *arguments):
    done = run('run', *arguments, '--output-dir', folder, '--json')
    assert done.returncode == 0, done.stderr
    return np.load(json.loads(done.stdout)['outputs'][0]['file'])


def test_run_takes_arrays_archives_and_raw_bytes(run, echo, tmp_path):
    x = np.random.RandomState(3).randint(0, 256, (1, 3, 4, 6)).astype(np.uint8)
    np.save(tmp_path / 'x.npy', x)
    np.savez(tmp_path / 'named.npz', input=x, other=x[:, :1])
    np.savez_compressed(tmp_path / 'alone.npz', something=x)
    x.tofile(tmp_path / 'x.raw')
    x.astype(np.float16).tofile(tmp_path / 'x16.raw')
    for precision, argument in (('U8', 'input=x.npy'), ('U8', 'x.npy'), ('U8', 'named.npz'), ('U8', 'input=named.npz'), ('U8', 'alone.npz'), ('U8', 'x.raw'), ('FP16', 'x16.raw'), ('FP16', 'input=x.npy')):
        name, _, file = argument.rpartition('=')
        given = (name + '=' if name else '') + str(tmp_path / file)
        assert np.array_equal(outputs_of(run, tmp_path / 'out', echo(precision), '--input', given), x), (precision, argument)


@pytest.mark.parametrize('name,data,text', [
    ('short.raw', b'12345', 'not the 72 bytes of input'),
    ('cut.npz', b'PK\3\4 and no more', 'not a valid .npz file'),
    ('cut.npy', b'\x93NUMPY\1\0', 'not a valid .npy file'),
    ('cut.png', b'\x89PNG\r\n\x1a\n', 'not a picture'),
])
def test_run_refuses_inputs_that_are_nothing(run, echo, tmp_path, name, data, text):
    (tmp_path / name).write_bytes(data)
    done = run('run', echo('U8'), '--input', tmp_path / name)
    assert done.returncode == 3 and text in done.stderr and name in done.stderr


def test_run_takes_pictures(run, echo, tmp_path):
    rgb = np.random.RandomState(4).randint(0, 256, (4, 6, 3)).astype(np.uint8)
    Image.fromarray(rgb).save(tmp_path / 'p.png')
    planes = rgb.transpose(2, 0, 1)[None].astype(np.float32)
    given = ['--input', f'input={tmp_path / "p.png"}']
    assert np.array_equal(outputs_of(run, tmp_path / 'out', echo('U8'), *given), planes[:, ::-1])
    assert np.array_equal(outputs_of(run, tmp_path / 'out', echo('U8'), *given, '--bgr'), planes[:, ::-1])
    assert np.array_equal(outputs_of(run, tmp_path / 'out', echo('U8'), *given, '--rgb'), planes)
    mean, scale = np.array([1, 2, 3], np.float32).reshape(1, 3, 1, 1), np.float32(2)
    got = outputs_of(run, tmp_path / 'out', echo('FP16'), *given, '--rgb', '--mean', '1,2,3', '--scale', '2')
    assert np.abs(got - np.maximum((planes - mean) / scale, 0)).max() < 0.1
    assert run('run', echo('U8'), *given, '--mean', '5').returncode == 2
    assert run('run', echo('FP16'), *given, '--mean', '1,2').returncode == 2
    Image.fromarray(np.full((40, 40, 3), 200, np.uint8)).save(tmp_path / 'square.jpg')
    boxed = outputs_of(run, tmp_path / 'out', echo('U8'), '--input', f'input={tmp_path / "square.jpg"}', '--letterbox')
    assert (boxed[..., 0] == 114).all() and (boxed[..., 5] == 114).all() and np.abs(boxed[..., 1:5] - 200).max() <= 2


def test_run_takes_random_numbers(run, echo, tmp_path):
    a, b, c = (outputs_of(run, tmp_path / 'out', echo('U8'), '--random', '--seed', seed) for seed in (1, 1, 2))
    assert np.array_equal(a, b) and not np.array_equal(a, c)
    assert a.min() >= 0 and a.max() <= 255 and len(np.unique(a)) > 20


def test_run_holds_outputs_against_files(run, echo, tmp_path):
    x = np.arange(72, dtype=np.float32).reshape(1, 3, 4, 6)
    np.save(tmp_path / 'x.npy', x)
    common = ['run', echo('U8'), '--input', tmp_path / 'x.npy']
    name = json.loads(run(*common, '--json').stdout)['outputs'][0]['name']
    assert run(*common, '--expect', tmp_path / 'x.npy').returncode == 0
    wrong = x.copy()
    wrong[0, 2, 1, 3] = 40
    np.savez(tmp_path / 'wrong.npz', **{name: wrong})
    done = run(*common, '--expect', tmp_path / 'wrong.npz', '--json')
    assert done.returncode == 4
    verdict = json.loads(done.stdout)['expected'][0]
    assert verdict['ok'] is False and verdict['at'] == [0, 2, 1, 3] and verdict['expected'] == 40 and verdict['got'] == 57 and verdict['differing'] == 1
    assert 'NOT as expected, 1 of 72' in run(*common, '--expect', tmp_path / 'wrong.npz').stdout
    assert run(*common, '--expect', tmp_path / 'wrong.npz', '--tolerance', '0.5').returncode == 0
    np.save(tmp_path / 'small.npy', x[:, :1])
    assert run(*common, '--expect', f'{name}={tmp_path / "small.npy"}').returncode == 4
    assert run(*common, '--expect', tmp_path / 'missing.npy').returncode == 3


def test_rows_may_change_places_where_scores_tie(run, echo, tmp_path):
    x = np.float32([[9, 1, 100], [5, 7, 90], [6, 3, 90], [2, 8, 10]]).reshape(1, 1, 4, 3)
    np.save(tmp_path / 'x.npy', x)
    common = ['run', echo('U8', 1, 1, 4, 3), '--input', tmp_path / 'x.npy']
    for rows, scores, code in (([0, 2, 1, 3], (100, 90.1, 90, 10), 0), ([0, 2, 1, 3], (100, 90, 70, 10), 4), ([0, 1, 3, 2], (100, 90.1, 90, 10), 4)):
        wanted = x[:, :, rows].copy()
        wanted[..., 2] = scores
        np.save(tmp_path / 'wanted.npy', wanted)
        done = run(*common, '--expect', tmp_path / 'wanted.npy')
        assert done.returncode == code and (code or 'order of 2 of 4 rows' in done.stdout), (rows, scores)


def test_run_computes_models_too(run, onnx_model, tmp_path):
    x = np.random.RandomState(2).standard_normal((1, 3, 16, 16)).astype(np.float32)
    np.save(tmp_path / 'x.npy', x)
    got = outputs_of(run, tmp_path / 'out', onnx_model, '--input', tmp_path / 'x.npy')
    w, b = (numpy_helper.to_array(t).astype(np.float64) for t in onnx.load(onnx_model).graph.initializer)
    padded = np.pad(x[0].astype(np.float64), ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    conv = np.einsum('chwij,ocij->ohw', windows, w) + b[:, None, None]
    assert np.abs(got[0] - np.clip(0.2 * conv + 0.5, 0, 1)).max() < 1e-5
    refused = run('run', onnx_model, '--random', '--profile')
    assert refused.returncode == 2 and 'of blobs only' in refused.stderr


def test_run_checks_memory(run, echo, tmp_path):
    blob = echo('U8')
    done = run('run', blob, '--random', '--check-memory', '--json')
    assert done.returncode == 0 and json.loads(done.stdout)['memory'] == []
    # The first stage writes somewhere else than the second one reads.
    stage = json.loads(run('inspect', blob, '--json').stdout)['stages'][0]
    data, at = bytearray(blob.read_bytes()), stage['fileOffset'] + stage['bytes'] - 16   # before the trailer
    location, offset = struct.unpack_from('<2I', data, at)
    assert location in (4, 5) and offset == stage['buffers'][-1]['offset']
    struct.pack_into('<2I', data, at, 5, offset + 65536)
    blob.write_bytes(data)
    done = run('run', blob, '--random', '--check-memory', '--json')
    assert done.returncode == 4, done.stderr
    report = json.loads(done.stdout)['memory'][0]
    assert report['kind'] == 'unwritten' and report['stage'] == 1 and report['buffer'] == 'in0' and report['bytes'] == 144
    assert 'read, but written by no stage' in run('run', blob, '--random', '--check-memory').stdout


def test_convert_keeps_a_relu_that_the_reference_compiler_loses(run, tmp_path):
    weights = numpy_helper.from_array(np.random.RandomState(5).standard_normal((8, 1, 3, 3)).astype(np.float32), 'w')
    nodes = [helper.make_node('ConvTranspose', ['x', 'w'], ['d'], group=8, strides=[2, 2]), helper.make_node('Relu', ['d'], ['y'])]
    value = lambda n, s: helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s)
    graph = helper.make_graph(nodes, 'deconvolution', [value('x', [1, 8, 6, 6])], [value('y', [1, 8, 13, 13])], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 11)]), tmp_path / 'd.onnx')
    np.save(tmp_path / 'x.npy', np.random.RandomState(6).randint(0, 8, (1, 8, 6, 6)).astype(np.uint8))
    want = outputs_of(run, tmp_path / 'want', tmp_path / 'd.onnx', '--input', tmp_path / 'x.npy')
    for arguments, lost in (([], False), (['--quirks'], True)):
        done = run('convert', tmp_path / 'd.onnx', '-o', tmp_path / 'd.blob', *arguments)
        assert done.returncode == 0, done.stderr
        got = outputs_of(run, tmp_path / 'got', tmp_path / 'd.blob', '--input', tmp_path / 'x.npy')
        assert (np.abs(got - want).max() > 1) == lost


def test_the_example_of_the_library_runs(tool, blob):
    """examples/emulator.cpp, built beside the tool by the target unit_tests."""
    example = os.path.join(os.path.dirname(tool), 'example_emulator')
    if not os.path.exists(example):
        pytest.skip('example_emulator is not built')
    done = subprocess.run([example, blob], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('scores has 4 values') == 3 and 'slowest stage: ' in done.stdout
    assert subprocess.run([example, tool], capture_output=True, timeout=120).returncode == 1


def test_compare_finds_blob_and_model_agreeing(run, onnx_model, model, tmp_path):
    for path in (onnx_model, model):
        done = run('compare', path, '--seed', 3, '--json')
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert result['outputs_within'] and result['first_outside'] is None and result['traced'] and result['blob'] is None
        assert [k for k in result] == ['model', 'blob', 'tolerance', 'outputs_within', 'first_outside', 'traced', 'model_layers', 'compared_layers', 'milliseconds', 'layers', 'computed_inside', 'not_compared', 'known_faults', 'hints']
        outputs = [layer for layer in result['layers'] if layer['output']]
        assert [layer['name'] for layer in outputs] == ['scores']
        assert all(layer['within'] and layer['relative_error'] < 0.01 and layer['cosine'] > 0.999 for layer in result['layers'])
        assert result['compared_layers'] + len(result['computed_inside']) == result['model_layers']
        assert all(layer['shows_in'] for layer in result['computed_inside'])
    inner = [layer for layer in result['layers'] if not layer['output']]
    assert inner and all(layer['stage'] is not None for layer in inner)


def test_compare_joins_the_parts_of_a_layer(run, tmp_path):
    """One slice: the convolution is done for 32 channels at a time, as far as behind the pool."""
    net = Net('tiles')
    x = net.conv(net.input(1, 16, 28, 28), 16, 128, bias=False, name='conv')
    net.result(net.layer('ReLU', [net.pool(x, k=3, s=2, p=1)], name='out'))
    net.save(str(tmp_path / 'tiles'))
    inspected = run('convert', tmp_path / 'tiles.xml', '-o', tmp_path / 'tiles.blob', '--shaves', 1, '--slices', 1, '--dump-passes', tmp_path / 'passes')
    assert inspected.returncode == 0 and any('conv@tile=1/' in f.read_text() for f in (tmp_path / 'passes').iterdir())
    result = json.loads(run('compare', tmp_path / 'tiles.xml', '--shaves', 1, '--slices', 1, '--json').stdout)
    conv = {layer['name']: layer for layer in result['layers']}['conv']
    assert conv['shape'] == [1, 128, 28, 28] and conv['within'] and conv['cosine'] > 0.999


def test_compare_joins_the_items_of_a_batch(run, tmp_path):
    """The mean over the batch keeps the items together; the engine does one at a time, in a loop or stage by stage."""
    net = Net('items')
    first = x = net.conv(net.input(3, 4, 16, 16), 4, 8, bias=False, name='first')
    for k in ('second', 'third', 'fourth'):
        x = net.conv(x, 8, 8, bias=False, name=k)
    x = net.conv(net.layer('Sigmoid', [net.add(first, x)]), 8, 8, bias=False, name='fifth')
    net.result(net.layer('ReduceMean', [x, net.ints(0)], name='mean', keep_dims=True))
    net.save(str(tmp_path / 'items'))
    result = json.loads(run('compare', tmp_path / 'items.xml', '--json').stdout)
    assert result['outputs_within'] and result['compared_layers'] == result['model_layers'] == 8
    assert {tuple(layer['shape']) for layer in result['layers']} == {(3, 8, 16, 16), (1, 8, 16, 16)}


def test_compare_takes_a_blob(run, model, onnx_model, tmp_path):
    blob = tmp_path / 'x.blob'
    assert run('compile', '-m', model, '-o', blob, '-ip', 'U8', '-VPU_NUMBER_OF_SHAVES', '4', '-VPU_NUMBER_OF_CMX_SLICES', '4').returncode == 0
    done = run('compare', model, blob, '--json')
    assert done.returncode == 0 and json.loads(done.stdout)['traced']
    other = run('compare', onnx_model, blob)
    assert other.returncode == 4 and 'seems to be of another model' in other.stdout


def pooling_model(path, name='pool'):
    net = Net('pool')
    net.result(net.layer('AvgPool', [net.input(1, 8, 28, 28)], name=name, kernel=[3, 3], strides=[1, 1], pads_begin=[1, 1], pads_end=[1, 1], exclude_pad=True, rounding_type='floor', auto_pad='explicit'))
    net.save(str(path.with_suffix('')))
    path.write_text(path.read_text().replace('exclude_pad', 'exclude-pad'))


def test_compare_names_layers_that_intel_computes_otherwise(run, tmp_path):
    path = tmp_path / 'pool.xml'
    pooling_model(path)
    assert run('compare', path).returncode == 0
    done = run('compare', path, '--quirks', '--json')
    assert done.returncode == 4
    result = json.loads(done.stdout)
    assert result['first_outside'] == 'pool' and not result['outputs_within']
    assert [(f['layer'], f['type'], f['avoidable']) for f in result['known_faults']] == [('pool', 'AvgPool', True)]
    assert any('blobsmith convert avoids that' in h for h in result['hints'])
    assert any('the inputs were random' in h for h in result['hints'])
    text = run('compare', path, '--quirks').stdout
    assert 'OUTSIDE' in text and 'outputs do NOT agree' in text
    assert run('compare', path, '--quirks', '--tolerance', '0.9').returncode == 0


def test_a_mean_over_the_batch_is_that_of_all_items(run, tmp_path):
    net = Net('batch')
    x = net.relu(net.conv(net.input(3, 3, 16, 16), 3, 8))
    net.result(net.layer('ReduceMean', [x, net.ints(0)], name='mean', keep_dims=True))
    net.save(str(tmp_path / 'batch'))
    path = tmp_path / 'batch.xml'
    assert run('compare', path).returncode == 0
    converted = json.loads(run('convert', path, '-o', tmp_path / 'batch.blob', '--json').stdout)
    assert [a['layer'] for a in converted['not_as_intel']] == ['mean']
    done = run('compare', path, '--quirks', '--json')
    assert done.returncode == 4
    result = json.loads(done.stdout)
    assert result['first_outside'] == 'mean'
    assert [(f['layer'], f['type'], f['avoidable']) for f in result['known_faults']] == [('mean', 'ReduceMean', True)]


def padded_maximum(net, x):
    x = net.layer('Pad', [net.layer('Tanh', [x]), net.ints(0, 0, 1, 1), net.ints(0, 0, 1, 1), net.const(0.0)], pad_mode='constant')
    return net.layer('MaxPool', [x], name='last', kernel=[2, 2], strides=[2, 2], pads_begin=[0, 0], pads_end=[0, 0], rounding_type='floor', auto_pad='explicit')


def padded_deconvolution(net, x):
    x = net.layer('Pad', [x, net.ints(0, 0, 1, 1), net.ints(0, 0, 1, 1), net.const(0.0)], pad_mode='constant')
    return net.layer('ConvolutionBackpropData', [x, net.normal(8, 8, 3, 3)], name='last', strides=[2, 2], dilations=[1, 1], pads_begin=[1, 1], pads_end=[1, 1], auto_pad='explicit', output_padding=[0, 0])


def normalized(net, x):
    squares = net.layer('ReduceSum', [net.layer('Power', [x, net.const(2.0)]), net.ints(1)], keep_dims=True)
    return net.layer('Divide', [x, net.layer('Add', [net.layer('Sqrt', [squares]), net.const(1e-3)])], name='last')


@pytest.mark.parametrize('layer,type', [(padded_maximum, 'MaxPool'), (padded_deconvolution, 'ConvolutionBackpropData'), (normalized, 'Divide')])
def test_convert_keeps_what_fusions_would_change(run, tmp_path, layer, type):
    net = Net('fused')
    net.result(layer(net, net.conv(net.input(1, 3, 12, 12), 3, 8, bias=False)))
    net.save(str(tmp_path / 'fused'))
    model = tmp_path / 'fused.xml'
    assert run('compare', model, '--ip', 'FP16').returncode == 0
    assert [a['layer'] for a in json.loads(run('convert', model, '-o', tmp_path / 'x.blob', '--target', '2021.4', '--json').stdout)['not_as_intel']] == ['last']
    done = run('compare', model, '--ip', 'FP16', '--quirks', '--json')
    assert done.returncode == 4, 'as Intel computes it'
    assert [(f['layer'], f['type']) for f in json.loads(done.stdout)['known_faults']] == [('last', type)]


def test_compare_tells_what_leaves_half_precision(run, tmp_path):
    net = Net('large')
    x = net.layer('MatMul', [net.input(1, 64), net.const(np.full((64, 8), 30.0))], name='sum', transpose_a=False, transpose_b=False)
    net.result(net.layer('Multiply', [x, net.const([[1e-4]])], name='scaled', auto_broadcast='numpy'))
    net.save(str(tmp_path / 'large'))
    done = run('compare', tmp_path / 'large.xml', '--ip', 'U8', '--json')
    assert done.returncode == 4
    result = json.loads(done.stdout)
    assert result['layers'][0]['overflows'] > 0
    assert any('exceeds the largest of FP16' in h for h in result['hints'])


def test_compare_says_when_inputs_do_not_fit(run, onnx_model, tmp_path):
    np.save(tmp_path / 'x.npy', np.random.RandomState(0).rand(1, 3, 16, 16).astype(np.float32))
    hints = lambda *more: json.loads(run('compare', onnx_model, '--input', tmp_path / 'x.npy', '--json', *more).stdout)['hints']
    assert any('is U8 in the blob' in h for h in hints())
    assert not hints('--ip', 'FP16')


def test_compare_writes_a_page_of_its_own(run, tmp_path):
    path = tmp_path / 'pool.xml'
    pooling_model(path, name='<script>alert("x&y")</script>')
    done = run('compare', path, '--html', tmp_path / 'page.html')
    assert done.returncode == 0, done.stderr
    page = (tmp_path / 'page.html').read_text()
    assert page.startswith('<!doctype html>') and page.count('<svg') == 2
    assert '<script' not in page and '&lt;script&gt;alert(&quot;x&amp;y&quot;)' in page
    assert not re.search(r'(src|href)=|https?:|@import|url\(', page)
    assert 'prefers-color-scheme:dark' in page and 'name="viewport"' in page
    assert page.count('class="wide"') == 3, 'plots and table scroll by themselves in a narrow window'


def test_compile_tool_name(run, tool, model, tmp_path):
    link = tmp_path / 'compile_tool'
    link.symlink_to(tool)
    assert subprocess.run([link, '-m', model, '-o', tmp_path / 'out.blob', '-d', 'MYRIAD'], capture_output=True).returncode == 0


def commands_of(document):
    with open(os.path.join(ROOT, document)) as f:
        return re.findall(r'^\$ ((?:blobsmith|curl) .*)$', f.read(), re.M)


@pytest.fixture
def files_of_examples(onnx_model, model, tmp_path, monkeypatch):
    """The files that the commands of the documents name, in the current folder."""
    monkeypatch.chdir(tmp_path)
    Image.new('RGB', (40, 30), (200, 100, 50)).save('picture.png')
    np.save('values.npy', np.zeros((1, 3, 16, 16), np.float32))
    with open('graph.pb', 'wb') as f:
        f.write(tensorflow_models.residual())
    opened = onnx.load('model.onnx')
    for size in opened.graph.input[0].type.tensor_type.shape.dim[2:]:
        size.ClearField('dim_value')
        size.dim_param = 'side'
    onnx.save(opened, 'open.onnx')
    cases = framework_models.write('frameworks')
    for case, names in (('caffe_residual', {'model.prototxt': 'deploy.prototxt'}), ('mxnet_deconvolution', {})):
        for file in os.listdir(cases[case][0]):
            os.rename(os.path.join(cases[case][0], file), names.get(file, file))


@pytest.fixture
def serve(tool, tmp_path):
    """Starts a server for the words of a command, at a free port instead of 8080; returns the port."""
    processes = []

    def start(words):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        processes.append(subprocess.Popen([tool, *[w.replace('8080', str(port)) for w in words]], stdout=subprocess.DEVNULL, stderr=open(tmp_path / 'server.log', 'w')))
        for _ in range(300):
            try:
                urllib.request.urlopen(f'http://127.0.0.1:{port}/health', timeout=5)
                return port
            except OSError:
                assert processes[-1].poll() is None, (tmp_path / 'server.log').read_text()
                time.sleep(0.1)
        raise AssertionError('the server does not answer')
    yield start
    for p in processes:
        p.terminate()
        p.wait(30)


@pytest.mark.uninstrumented  # a server limits the memory of its jobs
@pytest.mark.parametrize('document, least', [('README.md', 6), ('docs/commands.md', 30), ('docs/guide.md', 25)])
def test_examples_of_documents_run(run, serve, files_of_examples, document, least):
    commands = commands_of(document)
    assert len(commands) >= least
    port = None
    for command in commands:
        program, *words = shlex.split(command)
        if words[-1] == '&':
            port = serve(words[:-1])
            continue
        done = subprocess.run([program, *[w.replace('8080', str(port)) for w in words]], capture_output=True, text=True) if program == 'curl' else run(*words)
        assert done.returncode == 0, f'{command}: {done.stderr}{done.stdout[:500]}'


def test_arrays_of_another_layout_are_refused(run, onnx_model, tmp_path):
    assert run('convert', onnx_model, '-o', tmp_path / 'm.blob').returncode == 0
    values = np.arange(3 * 16 * 16, dtype=np.float32).reshape(1, 3, 16, 16) % 256
    for name, array, fits in (('planes', values, True), ('one', values[0], True), ('flat', values.reshape(-1), True), ('pixels', values.transpose(0, 2, 3, 1), False)):
        np.save(tmp_path / f'{name}.npy', array)
        for file in (tmp_path / 'm.blob', onnx_model):
            done = run('run', file, '--input', f'input={tmp_path}/{name}.npy')
            assert (done.returncode == 0) == fits, done.stderr
            assert fits or '1x3x16x16, the array 1x16x16x3' in done.stderr and 'transpose' in done.stderr


def test_outputs_that_are_no_plain_files_stay_what_they_are(tool, run, onnx_model, tmp_path):
    wanted = tmp_path / 'm.blob'
    assert run('convert', onnx_model, '-o', wanted).returncode == 0
    pipe, full, there, link = (tmp_path / name for name in ('pipe', 'full', 'there.blob', 'link.blob'))
    os.mkfifo(pipe)
    with subprocess.Popen([tool, 'convert', onnx_model, '-o', pipe], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as writer:
        assert pipe.read_bytes() == wanted.read_bytes()
    assert writer.returncode == 0 and stat.S_ISFIFO(pipe.stat().st_mode), 'not a file in its place'
    full.symlink_to('/dev/full')
    done = run('convert', onnx_model, '-o', full)
    assert done.returncode == 3 and 'BS1' in done.stderr and stat.S_ISCHR(full.stat().st_mode)
    there.write_bytes(b'')
    link.symlink_to(there)
    assert run('convert', onnx_model, '-o', link).returncode == 0
    assert link.is_symlink() and there.read_bytes() == wanted.read_bytes()
    subprocess.run(['sh', '-c', f'umask 027; {tool} convert {onnx_model} -o {tmp_path}/own.blob'], check=True, capture_output=True)
    assert (tmp_path / 'own.blob').stat().st_mode & 0o777 == 0o640
    assert not [f for f in os.listdir(tmp_path) if '.blob.' in f]


def test_layers_that_no_rewrite_makes_right_are_told(run, tmp_path):
    net = Net('aligned')
    x = net.layer('DeformablePSROIPooling', [net.input(1, 18, 12, 16), net.input(4, 5, name='rois')], name='regions', output_dim=2, group_size=3, spatial_scale=0.0625, mode='bilinear_deformable', spatial_bins_x=1, spatial_bins_y=1, trans_std=0.1, part_size=3)
    net.result(x)
    net.save(str(tmp_path / 'aligned'))
    model = tmp_path / 'aligned.xml'
    converted = json.loads(run('convert', model, '-o', tmp_path / 'x.blob', '--json').stdout)
    assert [(w['layer'], w['type']) for w in converted['warnings']] == [('regions', 'DeformablePSROIPooling')] and not converted['not_as_intel']
    assert 'warning: the blob computes something else than the model: DeformablePSROIPooling "regions": executed as PSROIPooling' in run('convert', model, '-o', tmp_path / 'x.blob').stdout
    checked = run('check', model, '--json')
    assert checked.returncode == 0
    assert [(w['layer'], w['convert_avoids']) for w in json.loads(checked.stdout)['warnings']] == [('regions', False)]
    assert 'warning: a blob computes something else' in run('check', model).stdout


def test_what_convert_rewrites_is_no_warning(run, tmp_path):
    net = Net('slopes')
    net.result(net.layer('PReLU', [net.input(1, 6, 10), net.normal(6)], name='slopes'))
    net.save(str(tmp_path / 'slopes'))
    model = tmp_path / 'slopes.xml'
    converted = lambda *more: json.loads(run('convert', model, '-o', tmp_path / 'x.blob', '--json', *more).stdout)
    assert [a['layer'] for a in converted()['not_as_intel']] == ['slopes'] and not converted()['warnings']
    assert [w['layer'] for w in converted('--quirks')['warnings']] == ['slopes'] and not converted('--quirks')['not_as_intel']
    warnings = lambda *more: json.loads(run('check', model, '--json', *more).stdout)['warnings']
    assert not warnings() and [w['convert_avoids'] for w in warnings('--no-fix')] == [True]
