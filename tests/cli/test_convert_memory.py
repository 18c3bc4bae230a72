"""`convert` reads weights where they lie: hardly more memory than the file and the blob, whatever Model Optimizer computes."""
import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

pytestmark = pytest.mark.uninstrumented
ALLOWED = 1.3


def network(path, channels, layers):
    """Convolutions, each with a BatchNormalization, whose factors Model Optimizer multiplies into the weights."""
    rng = np.random.default_rng(1)
    nodes, constants, value = [], [], 'x'
    for i in range(layers):
        weights = {f'w{i}': rng.normal(0, 0.02, (channels, channels, 3, 3)), f's{i}': np.ones(channels),
                   f'b{i}': np.zeros(channels), f'm{i}': np.zeros(channels), f'v{i}': np.full(channels, 0.9)}
        constants += [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()]
        nodes += [helper.make_node('Conv', [value, f'w{i}'], [f'c{i}'], pads=[1, 1, 1, 1]),
                  helper.make_node('BatchNormalization', [f'c{i}', f's{i}', f'b{i}', f'm{i}', f'v{i}'], [f'n{i}'])]
        value = f'n{i}'
    shape = [1, channels, 8, 8]
    graph = helper.make_graph(nodes, 'n', [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(value, TensorProto.FLOAT, shape)], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)]), path)


def peak_bytes(tool, model, blob):
    code = ('import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);'
            'print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)')
    done = subprocess.run([sys.executable, '-c', code, tool, 'convert', model, '-o', blob], capture_output=True, text=True,
                          check=True)
    return int(done.stdout)


def test_convert_needs_little_more_than_file_and_blob(tool, tmp_path):
    peak, promised = [], []
    for layers in (1, 6):
        model, blob = tmp_path / f'{layers}.onnx', tmp_path / f'{layers}.blob'
        network(model, 512, layers)
        peak.append(peak_bytes(tool, model, blob))
        promised.append(os.path.getsize(model) + os.path.getsize(blob))
    assert peak[1] - peak[0] <= ALLOWED * (promised[1] - promised[0])
