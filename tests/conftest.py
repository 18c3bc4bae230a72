"""Options of the Python tests: pytest tests --tool build/blobsmith."""
import mmap
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

LONGEST = ('tests/web',)
STATES = {}  # of the random numbers of each file, as it was read


def pytest_addoption(parser):
    parser.addoption('--tool', default=os.path.join(ROOT, 'build', 'blobsmith'), help='the program under test')
    parser.addoption('--installed', action='store_true', help='test the installed Python package, not that of the tree')
    parser.addoption('--wheel', help='a wheel to try in every CPython that is here (make test-wheel, make wheels)')
    parser.addoption('--made', help='the folder that make dist has made')


def pytest_configure(config):
    config.addinivalue_line('markers', 'uninstrumented: measures memory or limits it, which sanitizers take a lot of')


def pytest_collection_modifyitems(config, items):
    path = config.getoption('--tool')
    if not os.path.exists(path):
        return
    with open(path, 'rb') as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as program:
        instrumented = program.find(b'__asan_init') >= 0
    for item in items:
        if instrumented and item.get_closest_marker('uninstrumented'):
            item.add_marker(pytest.mark.skip('not under sanitizers'))
    # The longest ones first, so that no processor waits for them at the end: the page is a single test.
    items.sort(key=lambda item: [not item.nodeid.startswith(folder) for folder in LONGEST])


@pytest.fixture(autouse=True)
def same_numbers(request):
    """The random numbers of a test don't depend on which tests of its file ran before it."""
    numbers = getattr(request.module, 'RNG', None)
    if numbers is not None:
        numbers.bit_generator.state = STATES.setdefault(request.module.__name__, numbers.bit_generator.state)


@pytest.fixture(scope='session')
def tool(request):
    path = os.path.abspath(request.config.getoption('--tool'))
    assert os.path.exists(path), f'{path} is missing: make build'
    return path


@pytest.fixture(scope='session')
def shared():
    """The folder with the reference compiler, where it is present."""
    path = os.environ.get('BLOBSMITH_SHARED', os.path.join(ROOT, '..', 'shared'))
    if not os.path.exists(os.path.join(path, 'oracle', 'compile')):
        pytest.skip('the reference compiler is not here')
    return path


@pytest.fixture(scope='session')
def run(tool):
    """Runs the tool; returns the finished process."""
    def call(*args, timeout=120):
        return subprocess.run([tool, *map(str, args)], capture_output=True, text=True, timeout=timeout)
    return call
