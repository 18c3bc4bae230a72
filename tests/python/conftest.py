"""The Python package of this tree with the library of the build under test; or the installed one, with --installed."""
import os
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'conformance'))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import onnx
from small_networks import small_network


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
