"""The Python package of this tree with the library of the build under test; or the installed one, with --installed."""
import os
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'conformance'))
import onnx
from onnx import TensorProto, helper, numpy_helper


@pytest.fixture(scope='session', autouse=True)
def package(request):
    tool = os.path.abspath(request.config.getoption('--tool'))
    library = os.path.join(os.path.dirname(tool), 'libblobsmith.so')
    if not request.config.getoption('--installed'):
        if not os.path.exists(library):
            pytest.skip('libblobsmith.so is not built')
        os.environ['BLOBSMITH_LIBRARY'] = library
        os.environ['BLOBSMITH_PROGRAM'] = tool
        os.environ['PYTHONPATH'] = os.path.join(ROOT, 'python')
        sys.path.insert(0, os.path.join(ROOT, 'python'))
    import blobsmith
    return blobsmith


def small_network(channels=3, size=16, broken=False):
    """Convolution, ReLU, average: one picture in, four numbers out."""
    import numpy as np
    weights = np.random.default_rng(1).normal(size=(4, channels, 3, 3)).astype(np.float32)
    nodes = [helper.make_node('Conv', ['x', 'w'], ['c'], name='conv', kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
             helper.make_node('NoSuchOperator' if broken else 'Relu', ['c'], ['r'], name='activation'),
             helper.make_node('GlobalAveragePool', ['r'], ['y'], name='mean')]
    graph = helper.make_graph(nodes, 'small', [helper.make_tensor_value_info('x', TensorProto.FLOAT, [1, channels, size, size])],
                              [helper.make_tensor_value_info('y', TensorProto.FLOAT, [1, 4, 1, 1])],
                              [numpy_helper.from_array(weights, 'w')])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / 'small.onnx'
    onnx.save(small_network(), str(path))
    return path


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / 'broken.onnx'
    onnx.save(small_network(broken=True), str(path))
    return path
