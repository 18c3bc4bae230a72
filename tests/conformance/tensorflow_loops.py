"""Loops as TensorFlow 1 writes them, node by node: frames, arrays, branches within."""
import numpy as np

from tensorflow_models import Graph, Type

T = Type(1)
I32 = Type(3)


class Frame:
    """`variables`: what the loop starts with, floats or integers by their types."""

    def __init__(self, g, name, variables, types):
        self.g, self.name, self.types = g, name, types
        self.merges = []
        for i, (v, t) in enumerate(zip(variables, types)):
            enter = self.enter(v, t, False, f'{name}/Enter_{i}')
            self.merges.append(g.node('Merge', [enter, f'{name}/NextIteration_{i}'], f'{name}/Merge_{i}', T=t, N=2))

    def enter(self, x, t=T, is_constant=True, name=None):
        return self.g.node('Enter', [x], name, T=t, frame_name=self.name + '/while_context', is_constant=is_constant, parallel_iterations=32)

    def condition(self, c):
        c = self.g.node('LoopCond', [c], self.name + '/LoopCond')
        return [self.g.node('Switch', [m, c], f'{self.name}/Switch_{i}', T=t) + ':1' for i, (m, t) in enumerate(zip(self.merges, self.types))]

    def end(self, *results):
        for i, (r, t) in enumerate(zip(results, self.types)):
            self.g.node('NextIteration', [r], f'{self.name}/NextIteration_{i}', T=t)
        return [self.g.node('Exit', [f'{self.name}/Switch_{i}'], f'{self.name}/Exit_{i}', T=t) for i, t in enumerate(self.types)]


def rnn(steps=4, written=4):
    """h = tanh(x W + h R) along a sequence, of which `written` steps are computed; the others are zeros."""
    g = Graph(3)
    x = g.transpose(g.input(1, steps, 3, name='x'), 1, 0, 2)
    weights = g.random.randn(7, 4) / 3
    size = g.constant(steps, 'int32')
    arrays = [g.node('TensorArrayV3', [size], dtype=T) for _ in range(2)]
    indices = g.node('Range', [g.constant(0, 'int32'), size, g.constant(1, 'int32')], Tidx=I32)
    full = g.node('TensorArrayScatterV3', [arrays[0], indices, x, arrays[0] + ':1'])
    f = Frame(g, 'rnn/while', [g.constant(0, 'int32'), arrays[1] + ':1', g.constant(np.zeros((1, 4)))], [I32, T, T])
    t, flow, h = f.condition(g.node('Less', [f.merges[0], f.enter(g.constant(written, 'int32'), I32)], T=I32))
    now = g.node('TensorArrayReadV3', [f.enter(arrays[0], Type(20)), t, f.enter(full)], dtype=T)
    joined = g.node('ConcatV2', [now, h, g.constant(1, 'int32')], N=2, Tidx=I32)
    h = g.node('Tanh', [g.node('MatMul', [joined, f.enter(g.constant(weights))], transpose_a=False, transpose_b=False)])
    flow = g.node('TensorArrayWriteV3', [f.enter(arrays[1], Type(20)), t, h, flow])
    ends = f.end(g.node('AddV2', [t, g.constant(1, 'int32')], T=I32), flow, h)
    g.node('TensorArrayGatherV3', [arrays[1], indices, ends[1]], 'y', dtype=T)

    def expected(x):
        h, out = np.zeros(4), np.zeros((steps, 4))
        for t in range(written):
            h = out[t] = np.tanh(np.concatenate([x[0, t], h]) @ weights)
        return out
    return g.bytes, expected


def nested():
    """Twice: three times x = tanh(x) + what it was before these; every second time of them it is doubled instead."""
    g = Graph()
    one, two = g.constant(1, 'int32'), g.constant(2, 'int32')
    outer = Frame(g, 'outer', [g.constant(0, 'int32'), g.input(1, 5, name='x')], [I32, T])
    i, a = outer.condition(g.node('Less', [outer.merges[0], outer.enter(two, I32)], T=I32))
    inner = Frame(g, 'inner', [g.constant(0, 'int32'), a], [I32, T])
    j, b = inner.condition(g.node('Less', [inner.merges[0], g.constant(3, 'int32')], T=I32))
    odd = g.node('Equal', [g.node('FloorMod', [j, two], T=I32), one], T=I32)
    side = g.node('Switch', [b, odd])
    doubled = g.node('Mul', [side + ':1', g.constant(2)])
    b = g.node('Merge', [g.node('AddV2', [g.node('Tanh', [side]), inner.enter(a)]), doubled], N=2)
    a = inner.end(g.node('AddV2', [j, one], T=I32), b)[1]
    g.node('Identity', [outer.end(g.node('AddV2', [i, one], T=I32), a)[1]], 'y')

    def expected(x):
        for _ in range(2):
            before = x
            for j in range(3):
                x = x * 2 if j % 2 else np.tanh(x) + before
        return x
    return g.bytes, expected


MODELS = {'rnn': rnn, 'rnn_of_a_part': lambda: rnn(5, 3), 'nested': nested}
