"""The service as a process, for tests and benchmarks, and a small model for it."""
import contextlib
import re
import signal
import subprocess

import numpy
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


class Server:
    """`tool` is a program, or the words that start one."""
    def __init__(self, tool, data, *arguments):
        self.data = str(data)
        self.process = subprocess.Popen([*([tool] if isinstance(tool, str) else tool), 'serve', '--port', '0', '--data', self.data, *map(str, arguments)], text=True,
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
