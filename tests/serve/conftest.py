"""A server for the tests of this folder, and small models."""
import contextlib
import os
import re
import signal
import subprocess

import numpy
import onnx
import pytest
import requests
from onnx import TensorProto, helper


def conv_model(channels=3, size=16, kernel=3, seed=0):
    """A picture through one convolution and a ReLU."""
    weights = numpy.random.default_rng(seed).normal(0, 0.1, (4, channels, kernel, kernel)).astype(numpy.float32)
    graph = helper.make_graph(
        [helper.make_node('Conv', ['x', 'w'], ['c'], pads=[1] * 4), helper.make_node('Relu', ['c'], ['y'])], 'net',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, [1, channels, size, size])],
        [helper.make_tensor_value_info('y', TensorProto.FLOAT, None)],
        [helper.make_tensor('w', TensorProto.FLOAT, weights.shape, weights.tobytes(), raw=True)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 11)])


@pytest.fixture(autouse=True)
def no_endless_waiting(monkeypatch):
    """A request that is never answered fails."""
    send = requests.Session.request
    monkeypatch.setattr(requests.Session, 'request', lambda *a, **k: send(*a, **{'timeout': 30, **k}))


class Server:
    def __init__(self, tool, data, *arguments):
        self.data = str(data)
        self.process = subprocess.Popen([tool, 'serve', '--port', '0', '--data', self.data, *map(str, arguments)], text=True,
                                        stdout=subprocess.PIPE, stderr=open(f'{data}.log', 'a'))
        self.sandbox = self.process.stdout.readline()
        line = self.process.stdout.readline()
        assert line.startswith('http'), open(f'{data}.log').read()
        self.url = line.strip().rstrip('/')
        self.port = int(re.search(r':(\d+)/?$', self.url)[1])
        self.api = self.url + '/api/v1'

    def stop(self, how=signal.SIGTERM):
        if self.process.stdout.closed:
            return
        self.process.send_signal(how)
        assert self.process.wait(20) in (0, -how)
        self.process.stdout.close()


@contextlib.contextmanager
def running(tool, data, *arguments):
    server = Server(tool, data, *arguments)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope='session')
def serve_tool(tool):
    if not os.path.exists(os.path.join(os.path.dirname(tool), 'blobsmith-server')):
        pytest.skip('built without the service')
    return tool


@pytest.fixture(scope='module')
def server(serve_tool, tmp_path_factory):
    with running(serve_tool, tmp_path_factory.mktemp('serve') / 'data', '--jobs', 2) as s:
        yield s


@pytest.fixture(scope='session')
def model(tmp_path_factory):
    """A small ONNX file."""
    path = tmp_path_factory.mktemp('model') / 'small.onnx'
    onnx.save(conv_model(), path)
    return path


@pytest.fixture(scope='session')
def bad_model(tmp_path_factory):
    """One with an operation that there is no layer for."""
    graph = helper.make_graph([helper.make_node('Det', ['x'], ['y'], name='determinant')], 'bad',
                              [helper.make_tensor_value_info('x', TensorProto.FLOAT, [1, 3, 8, 8])],
                              [helper.make_tensor_value_info('y', TensorProto.FLOAT, [1, 3])])
    path = tmp_path_factory.mktemp('model') / 'bad.onnx'
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 11)]), path)
    return path


@pytest.fixture(scope='session')
def slow_model(tmp_path_factory):
    """One that takes some seconds to compare."""
    path = tmp_path_factory.mktemp('model') / 'slow.onnx'
    onnx.save(conv_model(channels=64, size=1400), path)
    return path
