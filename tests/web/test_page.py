"""The page of `blobsmith serve` in Chromium. Skipped where there is no Chromium (make browser installs it), no node or no page."""
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'conformance'))
import framework_models  # noqa: E402
import tensorflow_models  # noqa: E402
from ir_builder import Net  # noqa: E402


def chain(path, layers, size):
    """Convolutions one behind the other."""
    r = np.random.RandomState(1)
    nodes, weights, last = [], [], 'input'
    for i in range(layers):
        weights.append(numpy_helper.from_array(r.standard_normal((8, 3 if i == 0 else 8, 3, 3)).astype(np.float32) / 5, f'w{i}'))
        nodes.append(helper.make_node('Conv', [last, f'w{i}'], [f'c{i}'], name=f'conv{i}', pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node('Relu', [f'c{i}'], [f'r{i}'], name=f'relu{i}'))
        last = f'r{i}'
    value = lambda n, s: helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s)
    graph = helper.make_graph(nodes, 'chain', [value('input', [1, 3, size, size])], [value(last, [1, 8, size, size])], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 11)]), path)


def write_models(folder, run):
    chain(folder / 'model.onnx', 3, 16)
    partly = onnx.load(folder / 'model.onnx')
    partly.graph.node.append(helper.make_node('Bernoulli', ['r2'], ['dice'], name='dice'))
    partly.graph.output[0].name = 'dice'
    partly.opset_import[0].version = 15
    onnx.save(partly, folder / 'partly.onnx')
    chain(folder / 'long.onnx', 200, 320)   # takes long enough to be cancelled
    (folder / 'weights.pt').write_bytes(b'PK\x03\x04')
    net = Net('network')
    net.result(net.layer('ReLU', [net.conv(net.input(1, 3, 8, 8), 3, 4)], name='scores'))
    net.save(str(folder / 'network'))
    net = Net('troubled')
    net.result(net.layer('EmbeddingBagPackedSum', [net.conv(net.input(1, 3, 8, 8), 3, 4), net.const([[0]], 'i64')], name='first', version='opset3'))
    net.save(str(folder / 'troubled'))
    files = framework_models.write(str(folder / 'frameworks'))['caffe_residual'][0]
    for name in os.listdir(files):
        shutil.copy(os.path.join(files, name), folder / f'caffe{os.path.splitext(name)[1]}')
    (folder / 'graph.pb').write_bytes(tensorflow_models.residual())
    (folder / 'saved' / 'variables').mkdir(parents=True)
    (folder / 'saved' / 'saved_model.pb').write_bytes(tensorflow_models.saved_model(tensorflow_models.residual()))
    (folder / 'saved' / 'variables' / 'none.txt').write_text('no model')
    assert run('convert', folder / 'model.onnx', '-o', folder / 'model.blob', '-q').returncode == 0
    assert run('convert', folder / 'model.onnx', '-o', folder / 'many.superblob', '-q').returncode == 0


def write_zoo(folder, model):
    data = model.read_bytes()
    (folder / 'models' / 'small').mkdir(parents=True)
    (folder / 'models' / 'small' / 'small.onnx').write_bytes(data)
    (folder / 'models' / 'small' / 'model.yml').write_text(f"""description: >-
  Three convolutions, for tests
task_type: classification
framework: onnx
license: Apache-2.0
files:
  - name: small.onnx
    size: {len(data)}
    sha256: {hashlib.sha256(data).hexdigest()}
    source: https://example.invalid/small.onnx
model_optimizer_args:
  - --input_model=$dl_dir/small.onnx
""")


def node():
    found = [p for p in (shutil.which('node'), os.path.join(ROOT, 'build', 'web', 'venv', 'bin', 'node')) if p and os.path.exists(p)]
    return found[0] if found else pytest.skip('there is no node')


@pytest.fixture
def models(tmp_path, run):
    write_models(tmp_path, run)
    write_zoo(tmp_path / 'zoo', tmp_path / 'model.onnx')
    return tmp_path


@pytest.fixture
def browser_tests():
    """node, Chromium, and the packages of package-lock.json."""
    chromium = shutil.which('chromium') or shutil.which('chromium-browser') or pytest.skip('there is no Chromium: make browser')
    path = node()
    if not os.path.exists(os.path.join(HERE, 'node_modules', 'puppeteer-core')):
        env = {**os.environ, 'PATH': os.path.dirname(path) + os.pathsep + os.environ['PATH']}
        if subprocess.run(['npm', 'ci', '--no-audit', '--no-fund', '--loglevel=error'], cwd=HERE, env=env).returncode:
            pytest.skip('the packages of tests/web are not to be had')
    return [path, os.path.join(HERE, 'page.mjs')], chromium


@pytest.fixture
def server(tool, models, tmp_path):
    """The address of a server of its own; skipped where the program was built without the page."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    log = open(tmp_path / 'server.log', 'w')
    process = subprocess.Popen([tool, 'serve', '--port', str(port), '--data', tmp_path / 'data', '--zoo', tmp_path / 'zoo'], stdout=log, stderr=log)
    url = f'http://127.0.0.1:{port}/'
    try:
        for _ in range(300):
            try:
                page = urllib.request.urlopen(url, timeout=5).read().decode()
                break
            except OSError:
                assert process.poll() is None, (tmp_path / 'server.log').read_text()
                time.sleep(0.1)
        if 'page.js' not in page:
            pytest.skip('the program was built without the page: make web')
        yield url
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def test_the_page_in_a_browser(models, server, browser_tests):
    command, chromium = browser_tests
    shots = os.environ.get('BLOBSMITH_SCREENSHOTS', '')   # a folder: pictures of the places
    done = subprocess.run([*command, server, str(models), chromium, *([shots] if shots else [])], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr + (models / 'server.log').read_text()[-2000:]
