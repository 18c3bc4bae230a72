"""`blobsmith mo`: the command line and the messages of Intel's Model Optimizer."""
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'conformance'))
import framework_models
import tflite_models


@pytest.fixture(scope='session')
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp('models')
    return {name: os.path.join(case, arguments[1]) for name, (case, arguments) in framework_models.write(str(folder)).items()}


def faq(number):
    return f'question #{number}.'


def test_writes_ir_and_mapping(run, models, tmp_path):
    done = run('mo', '--input_model', models['caffe_residual'], '--output_dir', tmp_path / 'a', '-n', 'net', '--data_type', 'half')
    assert done.returncode == 0, done.stderr
    assert 'Model Optimizer arguments:' in done.stdout and '[ SUCCESS ] Generated IR version 10 model.' in done.stdout
    net = ET.parse(tmp_path / 'a' / 'net.xml').getroot()
    assert net.find('layers/layer[@type="Parameter"]/data').get('element_type') == 'f16'
    stated = {e.tag: e.get('value') for e in net.find('meta_data/cli_parameters')}
    assert stated['data_type'] == 'half' and stated['input_model'] == 'DIR/model.caffemodel'
    assert ET.parse(tmp_path / 'a' / 'net.mapping').getroot().find('map/framework') is not None
    assert run('mo', '-m', models['caffe_residual'], '-o', tmp_path / 'b', '--silent').stdout == ''
    assert run('mo', '--version').stdout.startswith('Version of Model Optimizer is:')


def test_links_behave_as_the_tool(tool, models, tmp_path):
    for name, options in (('mo', []), ('mo.py', []), ('mo_caffe.py', [])):
        link = tmp_path / name
        link.symlink_to(os.path.abspath(tool))
        done = subprocess.run([link, '--input_model', models['caffe_residual'], '--output_dir', tmp_path / 'o', *options], capture_output=True, text=True)
        assert done.returncode == 0 and 'SUCCESS' in done.stdout, done.stderr


@pytest.mark.parametrize('arguments,words,number', [
    (['--framework', 'tea', '-m', '{caffe_residual}'], 'Framework tea is not a valid target', 15),
    (['-m', '{caffe_residual}', '--input_shape', '[1,3,16,16]', '-b', '2'], 'Both --input_shape and --batch were provided', 56),
    (['-m', '{caffe_residual}', '--scale', '2', '--scale_values', '[2]'], 'Both --scale and --scale_values are defined', 19),
    (['-m', '{caffe_residual}', '--output', 'nowhere'], 'No node with name nowhere', 51),
    (['-m', '{caffe_residual}', '--mean_values', '[1],[2]'], 'Numbers of inputs and mean/scale values do not match', 61),
    (['-m', '{caffe_residual}', '--mean_file', '{caffe_residual}', '--mean_values', '[1,2,3]'], 'Both --mean_file and mean_values', 17)])
def test_words_and_questions_of_the_faq(run, models, tmp_path, arguments, words, number):
    done = run('mo', *[a.format(**models) for a in arguments], '--output_dir', tmp_path, '--silent')
    assert done.returncode != 0 and '[ ERROR ]  ' in done.stderr and words in done.stderr and faq(number) in done.stderr, done.stderr


def test_all_unknown_layers_are_listed(run, models, tmp_path):
    prototxt = tmp_path / 'deploy.prototxt'
    prototxt.write_text(framework_models.image(3, 4, 4) + framework_models.text('a', 'Foo', 'data', 'a') + framework_models.text('b', 'Foo', 'a', 'b') + framework_models.text('c', 'Bar', 'b', 'c'))
    done = run('mo', '-m', models['caffe_residual'], '-d', prototxt, '-o', tmp_path, '--silent')
    assert done.returncode == 1
    assert 'List of operations that cannot be converted' in done.stderr and 'Foo (2)' in done.stderr and 'Bar (1)' in done.stderr and faq(24) in done.stderr


def test_a_missing_description_is_asked_for(run, tmp_path):
    model = tmp_path / 'x.caffemodel'
    model.write_bytes(b'')
    done = run('mo', '-m', model, '-o', tmp_path, '--silent')
    assert 'Cannot find prototxt file' in done.stderr and faq(20) in done.stderr


def test_what_has_no_meaning_is_refused_by_name(run, models, tmp_path):
    for option, value in (('--extensions', 'dir'), ('--tensorboard_logdir', 'dir')):
        done = run('mo', '-m', models['caffe_residual'], '-o', tmp_path, option, value, '--silent')
        assert done.returncode == 1 and value.split('[')[0] in done.stderr + value and ('not supported' in done.stderr or 'not available' in done.stderr)
    done = run('mo', '-m', models['caffe_residual'], '-o', tmp_path, '--progress', '--stream_output', '--keep_shape_ops', '--silent')
    assert done.returncode == 0, done.stderr


def test_low_latency_leaves_networks_without_loops(run, models, tmp_path):
    files = []
    for options in [], ['--transform', 'LowLatency2[use_const_initializer=False]']:
        done = run('mo', '-m', models['caffe_residual'], '-o', tmp_path, '-n', 'n', '--silent', *options)
        assert done.returncode == 0, done.stderr
        files.append((tmp_path / 'n.bin').read_bytes())
    assert files[0] == files[1]
    done = run('mo', '-m', models['caffe_residual'], '-o', tmp_path, '--transform', 'Pruning')
    assert done.returncode != 0 and 'are not available' in done.stderr


@pytest.mark.parametrize('arguments,words', [
    (['-b', '0'], 'expected a positive integer value'),
    (['-b', '2', '--input', 'data[1 3 24 24]'], 'using both --input and --batch'),
    (['--mean_file', 'none.binaryproto'], 'must be existing file/directory'),
    (['-k', 'none.xml'], 'must be existing file/directory'),
    (['--input', 'data->1.0'], 'Can not reshape value 1.0 to shape'),
])
def test_words_without_a_number(run, models, tmp_path, arguments, words):
    done = run('mo', '-m', models['caffe_residual'], '-o', tmp_path, '--silent', *arguments)
    assert done.returncode != 0 and words in done.stderr, done.stderr


def test_means_are_for_the_inputs_that_are_left(run, models, tmp_path):
    done = run('mo', '-m', models['caffe_two_outputs'], '-o', tmp_path, '-n', 'n', '--silent', '--input', 'z_box', '--mean_values', '[5]')
    assert done.returncode == 0, done.stderr


def test_fusing_can_be_switched_off(run, models, tmp_path):
    def layers(*options):
        assert run('mo', '-m', models['caffe_residual'], '-o', tmp_path, '-n', 'm', '--silent', *options).returncode == 0
        return [layer.get('type') for layer in ET.parse(tmp_path / 'm.xml').getroot().find('layers')]
    fused = layers()
    assert layers('--disable_fusing').count('Multiply') > fused.count('Multiply')
    assert layers('--finegrain_fusing', 'sc').count('Multiply') > fused.count('Multiply')


def test_every_verb_reads_every_format(run, models, tmp_path):
    for name, options in (('caffe_residual', []), ('kaldi_nnet1_deep', []), ('mxnet_residual', ['--input-shape', '[1,3,12,12]'])):
        assert run('check', models[name], *options).returncode == 0
        assert run('convert', models[name], *options, '-o', tmp_path / 'm.blob', '-q').returncode == 0
        done = run('run', models[name], *options, '--random')
        assert done.returncode == 0, done.stderr


def quantised(layers, channels=192):
    """Convolutions whose weights of 8 bits are four times as large in an IR."""
    m = tflite_models.Model()
    x = m.input(1, 8, 8, channels)
    for i in range(layers):
        q = m.random.randint(-127, 128, (channels, 3, 3, channels)).astype('int8')
        weights = m.constant(q, 'int8', scale=[0.001 * (i + 1)] * channels, zero=[0] * channels)
        x = m.add('CONV_2D', [x, weights, m.weights(channels)], (1, 8, 8, channels), (0, 'b', tflite_models.SAME), (1, 'i', 1), (2, 'i', 1), (3, 'b', 0), (4, 'i', 1), (5, 'i', 1), kind=1)
    return m.result(x).data()


@pytest.mark.uninstrumented
@pytest.mark.parametrize('type', ['FP32', 'FP16'])
def test_quantised_weights_are_never_all_in_memory(tool, tmp_path, type):
    code = 'import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)'
    peak, files = [], []
    for layers in (2, 12):
        model = tmp_path / f'{layers}.tflite'
        model.write_bytes(quantised(layers))
        done = subprocess.run([sys.executable, '-c', code, tool, 'mo', '-m', model, '-o', tmp_path, '--data_type', type, '--silent'], capture_output=True, text=True, check=True)
        peak.append(int(done.stdout))
        files.append(os.path.getsize(model))
    assert peak[1] - peak[0] <= 1.3 * (files[1] - files[0])


def test_weights_are_written_alike_for_both_types_of_ir(run, tmp_path):
    """Large constants are made when they are written, and equal ones share a place."""
    m = tflite_models.Model()
    q = m.random.randint(-127, 128, (192, 192)).astype('int8')
    x = m.input(1, 192)
    for _ in range(2):
        x = m.add('FULLY_CONNECTED', [x, m.constant(q, 'int8', scale=[0.01], zero=[3])], (1, 192), (0, 'b', 0), kind=8)
    (tmp_path / 'm.tflite').write_bytes(m.result(x).data())
    wanted = (q.astype('f4') - 3) * np.float32(0.01)
    for type, dtype in (('FP32', 'f4'), ('FP16', 'f2')):
        assert run('mo', '-m', tmp_path / 'm.tflite', '-o', tmp_path / type, '--data_type', type).returncode == 0
        net = ET.parse(tmp_path / type / 'm.xml')
        places = [(int(d.get('offset')), int(d.get('size'))) for d in net.iterfind('.//layer/data') if d.get('size') == str(wanted.size * np.dtype(dtype).itemsize)]
        assert len(places) == 2 and len(set(places)) == 1
        values = np.frombuffer((tmp_path / type / 'm.bin').read_bytes(), dtype, wanted.size, places[0][0]).reshape(192, 192)
        assert any(np.array_equal(values, w.astype(dtype)) for w in (wanted, wanted.T))
