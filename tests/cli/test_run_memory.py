"""`run` needs little more memory than the blob and the memories that it names: large networks beside small ones of the same
kind, so that the program itself does not count."""
import json
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'conformance'))
from ir_builder import Net

pytestmark = pytest.mark.uninstrumented
ALLOWED = 1.2
SPARE = 5 << 18  # pages of code and of the heap more or less: they differ from run to run, and with the libraries linked


def peak_bytes(run, blob):
    return json.loads(run('run', blob, '--random', '--threads', 2, '--json').stdout)['peak_memory']


def promised_bytes(run, blob):
    text = run('inspect', blob).stdout
    sizes = {name: int(re.search(name + r' +(\d+)', text).group(1)) for name in ('inputsSize', 'outputsSize', 'bssSize', 'cmxSlices')}
    return os.path.getsize(blob) + sizes['inputsSize'] + sizes['outputsSize'] + sizes['bssSize'] + sizes['cmxSlices'] * 131072


# Each: from 16 channels of a large plane.
KINDS = {
    'convolutions': lambda n, x, size: n.conv(n.conv(x, 16, 16), 16, 16, k=5),
    'depthwise': lambda n, x, size: n.group_conv(x, 16, 16, 16),
    'lrn': lambda n, x, size: n.layer('LRN', [x, n.ints(1)], alpha=0.0001, beta=0.75, bias=1.0, size=5),
    'normalize': lambda n, x, size: n.layer('NormalizeL2', [x, n.ints(1)], eps=1e-3, eps_mode='add'),
    'softmax': lambda n, x, size: n.layer('SoftMax', [x], axis=1),
    'moments': lambda n, x, size: n.layer('MVN', [x, n.ints(2, 3)], version='opset6', normalize_variance=True, eps=1e-3, eps_mode='outside_sqrt'),
    'pools': lambda n, x, size: n.pool(n.pool(x, 'AvgPool', k=3, s=1, p=1), k=7, s=1, p=3),
    'nearest': lambda n, x, size: n.interpolate(n.pool(x), size, size),
    'linear': lambda n, x, size: n.interpolate(n.pool(x), size, size, 'linear_onnx', 'half_pixel'),
    'reduction': lambda n, x, size: n.reduce(x, 'ReduceMax', 1),
    'deconvolution': lambda n, x, size: n.deconv(n.pool(x), 16, 16),
    'matrix': lambda n, x, size: n.fc(n.reshape(n.reduce(x, 'ReduceMean', 2), 1, -1), 16 * size, 1000),
}


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('engine', (True, False), ids=('engine', 'shaves'))
def test_memory(run, tmp_path, kind, engine):
    blob = tmp_path / 'n.blob'
    options = () if engine else ('-c', 'MYRIAD_ENABLE_HW_ACCELERATION=NO')
    peak, promised = [], []
    for size in (32, 320):
        net = Net('n')
        net.result(net.relu(KINDS[kind](net, net.conv(net.input(1, 3, size, size), 3, 16), size)))
        net.save(str(tmp_path / 'n'))
        done = run('compile', '-m', tmp_path / 'n.xml', '-o', blob, '-ip', 'U8', *options)
        assert done.returncode == 0, done.stderr
        peak.append(peak_bytes(run, blob))
        promised.append(promised_bytes(run, blob))
    assert peak[1] - peak[0] <= ALLOWED * (promised[1] - promised[0]) + SPARE
