"""The unmodified blobconverter 1.4.3: every function and every form of its command line, byte by byte what the program makes."""
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import requests
from service_process import running
from test_converter import config, ir, write_zoo  # noqa: F401

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'conformance'))
import framework_models  # noqa: E402
import tensorflow_models  # noqa: E402

blobconverter = pytest.importorskip('blobconverter')
vendor_proxy = pytest.importorskip('vendor_proxy')

USUAL = ('--mean-values', '[127.5,127.5,127.5]', '--scale-values', '[255,255,255]', '--ip', 'U8')


@pytest.fixture(scope='module')
def models(tmp_path_factory, model, ir):  # noqa: F811
    """A model of every framework; a zoo that has the ONNX one."""
    folder = tmp_path_factory.mktemp('models')
    for path in (model, *ir):
        shutil.copy(path, folder)
    (folder / 'graph.pb').write_bytes(tensorflow_models.residual())
    caffe = framework_models.write(str(folder / 'frameworks'))['caffe_residual'][0]
    for name in os.listdir(caffe):
        shutil.copy(os.path.join(caffe, name), folder / f'caffe{os.path.splitext(name)[1]}')
    write_zoo(folder, model)
    (folder / 'raw.yml').write_text(
        (folder / 'models' / 'public' / 'small' / 'model.yml').read_text().replace('source: "https:', 'source: {$type: http, url: "https:')
        .replace('small.onnx"}', 'small.onnx"}}'))
    return folder


@pytest.fixture(scope='module')
def zoo_server(serve_tool, models, tmp_path_factory):
    with running(serve_tool, tmp_path_factory.mktemp('client') / 'data', '--zoo', models / 'models', '--zoo', f'depthai={models / "models"}',
                 '--mirror', models / 'mirror', '--host', vendor_proxy.CONVERTER) as s:
        yield s


@pytest.fixture(scope='module')
def expected(tool, models, tmp_path_factory):
    """The bytes that the command line makes."""
    made = tmp_path_factory.mktemp('expected') / 'x.blob'

    def blob(name, *arguments):
        done = subprocess.run([tool, 'convert', models / name, '-o', made, *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return made.read_bytes()
    return blob


@pytest.fixture
def client(zoo_server, tmp_path, monkeypatch):
    with vendor_proxy.vendor_proxy(zoo_server.url, tmp_path) as (environment, asked):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        blobconverter.set_defaults(url=zoo_server.url, output_dir=tmp_path / 'out', silent=True)
        blobconverter.asked = asked
        yield blobconverter


def read(path):
    with open(path, 'rb') as f:
        return f.read()


@pytest.mark.parametrize('version', ['2021.4', '2022.1'])
def test_functions(client, models, expected, version):
    m = {p.name: str(p) for p in models.iterdir()}
    to, zoo_arguments = ('--target', version, '--shaves', 3), ('--mean-values', '1,2,3', '--ip', 'U8')
    common = {'version': version, 'shaves': 3}
    assert read(client.from_onnx(m['small.onnx'], **common)) == expected('small.onnx', *USUAL, *to)
    assert read(client.from_tf(m['graph.pb'], **common)) == expected('graph.pb', *USUAL, *to)
    assert read(client.from_caffe(m['caffe.prototxt'], m['caffe.caffemodel'], **common)) == expected('caffe.caffemodel', *USUAL, *to)
    os.remove(client.from_onnx(m['small.onnx'], **common))  # which an IR of this name would be taken for
    assert read(client.from_openvino(m['small.xml'], m['small.bin'], **common)) == expected('small.xml', '--ip', 'U8', *to)
    zoo = read(client.from_zoo('small', zoo_type='depthai', **common, use_cache=False))
    assert zoo == expected('small.onnx', *zoo_arguments, *to)
    assert read(client.from_config('small', m['raw.yml'], use_cache=False, **common)) == zoo
    own = client.compile_blob('own', req_data={'name': 'small', 'use_zoo': 'True'}, **common)
    assert os.path.basename(own) == f'own_openvino_{version}_3shave.blob' and read(own) == zoo
    assert client.zoo_list() == [{'name': 'small', 'data_types': ['FP16']}]
    assert {a.split()[1].split('/')[0] for a in client.asked} == {vendor_proxy.STORE}


@pytest.mark.parametrize('call', [
    lambda c, m: c.from_onnx(f'{m}/small.onnx', shaves=17),
    lambda c, m: c.from_onnx(f'{m}/small.onnx', version='2022.3_RVC3'),
    lambda c, m: c.from_onnx(f'{m}/small.onnx', compile_params='-ip U8'),
    lambda c, m: c.from_onnx('https://example.invalid/small.onnx', model_size=3, model_sha256='a'),
    lambda c, m: c.from_zoo('no-such', shaves=3),
    lambda c, m: c.from_zoo('small', zoo_type='other'),
])
def test_a_refusal_says_why(client, models, call, capsys):
    with pytest.raises(requests.HTTPError):
        call(client, models)
    said = capsys.readouterr().out
    assert re.search(r'from 1 to 16|RVC3 is not|letter by letter|with --mirror PLACE or --allow-download|not found in model zoo|Unknown zoo type', said), said


# Runs the package as a command, once for each list of words, and says what came of it.
SCRIPT = """
import contextlib, io, json, runpy, sys
results = []
for words in json.loads(sys.argv[1]):
    sys.argv = ['blobconverter', *words]
    out, error = io.StringIO(), ''
    with contextlib.redirect_stdout(out):
        try:
            value = runpy.run_module('blobconverter', run_name='blobconverter')['__run_cli__']()
        except BaseException as e:
            value, error = None, f'{type(e).__name__}: {e}'
    results.append([str(value) if value is not None and not isinstance(value, list) else value, out.getvalue(), error])
print(json.dumps(results))
"""


def test_command_line(client, models, expected, tmp_path, tool):
    m, url = str(models), ['--converter-url', blobconverter_url(client)]
    forms = {
        'onnx': ['-onnx', f'{m}/small.onnx', '-sh', '3', '-v', '2021.4', *url],
        'params': ['-onnx', f'{m}/small.onnx', '-sh', '5', '--optimizer-params', '--scale 255 --input_shape [1,3,24,24]', '--no-cache', *url],
        'tf': ['-tf', f'{m}/graph.pb', '-dt', 'FP16', *url],
        'caffe': ['-cp', f'{m}/caffe.prototxt', '-cm', f'{m}/caffe.caffemodel', *url],
        'openvino': ['-ox', f'{m}/small.xml', '-ob', f'{m}/small.bin', '-sh', '6', *url],
        'zoo': ['-zn', 'small', '-zt', 'depthai', '-sh', '7', *url],
        'ir': ['-onnx', f'{m}/small.onnx', '-sh', '8', '--download-ir', *url],
        'dry': ['-onnx', f'{m}/small.onnx', '--dry', *url],
        'letters': ['-onnx', f'{m}/small.onnx', '-sh', '9', '--compile-params', '-ip FP16', *url],
        # Neither of them takes a url: they ask the vendor's host, which the proxy leads here.
        'raw': ['-rawn', 'small', '-rawc', f'{m}/raw.yml'],
        'list': ['--zoo-list'],
    }
    words = [form if name in ('raw', 'list') else [*form, '-o', str(tmp_path / name)] for name, form in forms.items()]
    (tmp_path / 'home').mkdir()
    done = subprocess.run([sys.executable, '-c', SCRIPT, json.dumps(words)], capture_output=True, text=True, timeout=120,
                          env={**os.environ, 'HOME': str(tmp_path / 'home')})
    assert done.returncode == 0, done.stderr
    results = dict(zip(forms, json.loads(done.stdout.splitlines()[-1])))
    blob = lambda name: read(results[name][0])
    assert not [r for n, r in results.items() if r[2] and n != 'letters'], results
    assert blob('onnx') == expected('small.onnx', '--ip', 'U8', '--shaves', 3, '--target', '2021.4')
    assert blob('params') == expected('small.onnx', '--scale', 255, '--input-shape', '[1,3,24,24]', '--ip', 'U8', '--shaves', 5)
    assert blob('tf') == expected('graph.pb', '--ip', 'U8', '--shaves', 4)
    assert blob('caffe') == expected('caffe.caffemodel', '--ip', 'U8', '--shaves', 4)
    assert blob('openvino') == expected('small.xml', '--ip', 'U8', '--shaves', 6)
    assert blob('zoo') == expected('small.onnx', '--mean-values', '1,2,3', '--ip', 'U8', '--shaves', 7)
    assert results['ir'][0].endswith('.zip') and blob('ir').startswith(b'PK')
    assert results['dry'][0] == ['blobsmith convert small.onnx -o small.blob --target 2022.1 --shaves 4 --framework onnx -ip U8']
    assert 'HTTPError: 400' in results['letters'][2] and 'letter by letter' in results['letters'][1]
    assert blob('raw') == expected('small.onnx', '--mean-values', '1,2,3', '--ip', 'U8', '--shaves', 4)
    assert results['list'][0] == [{'name': 'small', 'data_types': ['FP16']}]
    assert f'POST {vendor_proxy.CONVERTER}/compile' in client.asked and f'GET {vendor_proxy.CONVERTER}/zoo_models' in client.asked


OLD = """
import json, sys
import blobconverter
url, folder, models = sys.argv[1:4]
blobconverter.set_defaults(url=url, output_dir=folder, silent=True)
calls = {
    'onnx': lambda: blobconverter.from_onnx(models + '/small.onnx', shaves=3),
    'tf': lambda: blobconverter.from_tf(models + '/graph.pb', shaves=3),
    'caffe': lambda: blobconverter.from_caffe(models + '/caffe.prototxt', models + '/caffe.caffemodel', shaves=3),
    'openvino': lambda: blobconverter.from_openvino(models + '/small.xml', models + '/small.bin', shaves=5),
    'zoo': lambda: blobconverter.from_zoo('small', shaves=7),
    'ir': lambda: blobconverter.from_onnx(models + '/small.onnx', shaves=4, download_ir=True),
    'dry': lambda: blobconverter.from_onnx(models + '/small.onnx', shaves=6, dry=True),
    'list': lambda: blobconverter.zoo_list(),
}
results = {name: call() for name, call in calls.items()}
print(json.dumps({name: r if isinstance(r, list) else str(r) for name, r in results.items()}))
"""


@pytest.mark.parametrize('version, target', [('1.4.0', '2022.1'), ('1.2.5', '2021.4')])
def test_old_clients(client, models, expected, tmp_path, tool, version, target):
    """They ask the store by boto3, which has to be reachable: by the proxy, it is."""
    folder = os.path.join(os.path.dirname(os.path.abspath(tool)), 'clients', version)
    if not os.path.exists(folder):
        pytest.skip('make python installs it')
    pytest.importorskip('boto3')
    done = subprocess.run([sys.executable, '-c', OLD, blobconverter_url(client), tmp_path / 'old', models], capture_output=True, text=True, timeout=120,
                          env={**os.environ, 'PYTHONPATH': folder, 'HOME': str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout.splitlines()[-1])
    to = ('--target', target, '--shaves')
    assert read(results['onnx']) == expected('small.onnx', *USUAL, *to, 3)
    assert read(results['tf']) == expected('graph.pb', *USUAL, *to, 3)
    assert read(results['caffe']) == expected('caffe.caffemodel', *USUAL, *to, 3)
    assert read(results['openvino']) == expected('small.xml', '--ip', 'U8', *to, 5)
    assert read(results['zoo']) == expected('small.onnx', '--mean-values', '1,2,3', '--ip', 'U8', *to, 7)
    assert read(results['ir']).startswith(b'PK') and results['dry'][0].startswith(f'blobsmith convert small.onnx -o small.blob --target {target} --shaves 6')
    assert results['list'] == [{'name': 'small', 'data_types': ['FP16']}]


def blobconverter_url(client):
    return vars(client)['__defaults']['url']
