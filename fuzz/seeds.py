#!/usr/bin/env python3
"""Seeds of the fuzzers: seeds.py TOOL DIR writes DIR/ir, DIR/onnx, DIR/blob from small networks."""
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'conformance'))
import models


def small_onnx():
    """A network with one of most things that readers look at: initializers, attributes of all kinds, several outputs."""
    r = np.random.RandomState(0)
    constants = {'w': r.standard_normal((4, 3, 3, 3)), 'g': r.standard_normal((4, 1, 3, 3)), 'b': r.standard_normal(4), 'one': np.ones(4), 'shape': np.array([0, -1]), 'scales': np.array([1, 1, 2, 2])}
    integer = {'shape'}
    initializers = [numpy_helper.from_array(v.astype(np.int64 if n in integer else np.float32), n) for n, v in constants.items()]
    nodes = [
        helper.make_node('Conv', ['x', 'w', 'b'], ['c'], pads=[1, 1, 1, 1]),
        helper.make_node('BatchNormalization', ['c', 'one', 'b', 'b', 'one'], ['n'], epsilon=1e-3),
        helper.make_node('LeakyRelu', ['n'], ['l'], alpha=0.1),
        helper.make_node('Conv', ['l', 'g'], ['d'], group=4, auto_pad='SAME_UPPER', strides=[2, 2]),
        helper.make_node('Resize', ['d', '', 'scales'], ['u'], mode='nearest', coordinate_transformation_mode='asymmetric', nearest_mode='floor'),
        helper.make_node('Concat', ['u', 'l'], ['k'], axis=1),
        helper.make_node('Split', ['k'], ['s', 't'], axis=1),
        helper.make_node('MaxPool', ['s'], ['p'], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node('Reshape', ['t', 'shape'], ['f']),
        helper.make_node('Softmax', ['f'], ['y'], axis=1),
        helper.make_node('ReduceMean', ['p'], ['z'], axes=[2, 3], keepdims=0),
    ]
    value = lambda n, s: helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s)
    graph = helper.make_graph(nodes, 'small', [value('x', [1, 3, 8, 8])], [value('y', None), value('z', None)], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 11)]).SerializeToString()


def main():
    tool, out = sys.argv[1:]
    for kind in ('ir', 'onnx', 'blob'):
        os.makedirs(os.path.join(out, kind), exist_ok=True)
    put = lambda kind, name, data: open(os.path.join(out, kind, name), 'wb').write(data)
    put('onnx', 'small', small_onnx())
    with tempfile.TemporaryDirectory() as folder:
        for name in models.write(folder):
            base = os.path.join(folder, name)
            xml, weights = open(base + '.xml', 'rb').read(), open(base + '.bin', 'rb').read()
            if len(weights) < 60000:
                put('ir', name, xml + b'\0' + weights)
            subprocess.run([tool, 'compile', '-m', base + '.xml', '-o', base + '.blob'], check=True, stdout=subprocess.DEVNULL)
            if os.path.getsize(base + '.blob') < 60000:
                put('blob', name, open(base + '.blob', 'rb').read())


if __name__ == '__main__':
    main()
