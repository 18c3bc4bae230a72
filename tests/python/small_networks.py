"""Networks that the tests of the Python package and of the wheel convert."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper


def long_network(layers=60):
    """Convolutions that take a while."""
    random = np.random.default_rng(2)
    nodes, weights, last = [], [], 'x'
    for i in range(layers):
        weights.append(numpy_helper.from_array(random.normal(size=(64, 64 if i else 3, 3, 3)).astype(np.float32), f'w{i}'))
        nodes.append(helper.make_node('Conv', [last, f'w{i}'], [f'c{i}'], kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
        last = f'c{i}'
    value = lambda name, channels: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 64, 64])
    graph = helper.make_graph(nodes, 'long', [value('x', 3)], [value(last, 64)], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8)


def small_network(channels=3, size=16, broken=False):
    """Convolution, ReLU, average: one picture in, four numbers out."""
    weights = np.random.default_rng(1).normal(size=(4, channels, 3, 3)).astype(np.float32)
    nodes = [helper.make_node('Conv', ['x', 'w'], ['c'], name='conv', kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
             helper.make_node('NoSuchOperator' if broken else 'Relu', ['c'], ['r'], name='activation'),
             helper.make_node('GlobalAveragePool', ['r'], ['y'], name='mean')]
    graph = helper.make_graph(nodes, 'small', [helper.make_tensor_value_info('x', TensorProto.FLOAT, [1, channels, size, size])],
                              [helper.make_tensor_value_info('y', TensorProto.FLOAT, [1, 4, 1, 1])],
                              [numpy_helper.from_array(weights, 'w')])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8)
