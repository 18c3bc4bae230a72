"""A server for the tests of this folder, and models for it."""
import os

import onnx
import pytest
import requests
from onnx import TensorProto, helper
from service_process import conv_model, running


@pytest.fixture(autouse=True)
def no_endless_waiting(monkeypatch):
    """A request that is never answered fails."""
    send = requests.Session.request
    monkeypatch.setattr(requests.Session, 'request', lambda *a, **k: send(*a, **{'timeout': 30, **k}))


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
