#!/usr/bin/env python3
"""Networks of Kaldi's nnet3 drawn at random, against what nnet3 defines: kaldi_networks.py TOOL [--seed N] [--count N]

Each is a few components with splices, LSTMs, dim-range-nodes, sums and i-vectors. A network is computed in numpy at any time from
frames at any time; the tool's model, converted with --remove_memory, gets one frame after the other, and its states back as inputs.
Both must agree in the end, the tool's so many frames late as it waits for.
"""
import os
import random
import re
import subprocess
import sys
import tempfile
import threading

import numpy as np

from framework_models import Numbers, component, dim, flag, integers, matrix, nnet3, nodes, real, token, vector, whole
from framework_structures import np_pair

CONTEXT = 60  # frames in front of the first


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


class Network:
    """Lines and components of a file, and what each node computes: node -> function of a time."""

    def __init__(self, seed):
        self.r, self.q = Numbers(seed), random.Random(seed)
        self.lines, self.parts, self.at, self.memo, self.sizes = [], [], {}, {}, {}
        self.inputs, self.last, self.recurrent = {}, 'input', False
        self.add_input('input', self.q.choice([4, 6, 8, 12]))

    def add_input(self, name, size):
        frames = np.random.RandomState(len(self.inputs) + self.q.randrange(1000)).randn(1000, size)
        if name == 'ivector':
            frames[:] = frames[0]
        self.inputs[name], self.sizes[name], self.at[name] = frames, size, lambda t: frames[t + CONTEXT]

    def value(self, name, t):
        if (name, t) not in self.memo:
            self.memo[name, t] = self.at[name](t)
        return self.memo[name, t]

    def before_all(self, name, t):
        """IfDefined: zeros where there is no such frame."""
        return self.value(name, t) if t >= -CONTEXT // 3 else np.zeros(self.sizes[name])

    def name(self, kind):
        return f'{kind}{len(self.at)}'

    @property
    def size(self):
        return self.sizes[self.last]

    def add(self, name, reads, part, size, compute):
        self.lines.append(f'component-node name={name} component={name} input={reads}')
        self.parts.append(part)
        self.at[name], self.sizes[name], self.last = compute, size, name

    def part_of(self, name, source, begin, size):
        self.lines.append(f'dim-range-node name={name} input-node={source} dim-offset={begin} dim={size}')
        self.at[name], self.sizes[name], self.last = lambda t: self.value(source, t)[begin:begin + size], size, name

    def single(self, name, part, function, size=None):
        x = self.last
        self.add(name, x, part, size or self.size, lambda t: function(self.value(x, t)))

    # ---- components ----

    def affine(self):
        name, out = self.name('affine'), self.q.choice([4, 5, 8, 10])
        w, b = self.r(out, self.size), self.r(out)
        self.single(name, component('NaturalGradientAffineComponent', token('LinearParams'), matrix(w), token('BiasParams'), vector(b), name=name), lambda x: w @ x + b, out)

    def function(self):
        name = self.name('f')
        kind, f = self.q.choice([('RectifiedLinear', lambda x: np.maximum(x, 0)), ('Sigmoid', sigmoid), ('Tanh', np.tanh), ('NoOp', lambda x: x), ('Softmax', softmax),
                                 ('LogSoftmax', lambda x: np.log(softmax(x)))])
        self.single(name, dim(kind + 'Component', self.size, name), f)

    def batch_norm(self):
        name = self.name('norm')
        n = self.q.choice([b for b in (self.size, 2) if self.size % b == 0])
        mean, variance = self.r(n), self.r(n, low=0.5, high=2)
        self.single(name, component('BatchNormComponent', token('Dim'), whole(self.size), token('BlockDim'), whole(n), token('Epsilon'), real(0.001), token('TargetRms'), real(0.5), token('TestMode'),
                                    flag(True), token('Count'), real(100), token('StatsMean'), vector(mean), token('StatsVar'), vector(variance), name=name),
                    lambda x: ((x.reshape(-1, n) - mean) * 0.5 / np.sqrt(variance + 0.001)).ravel())

    def normal(self):
        name = self.name('renorm')
        self.single(name, component('NormalizeComponent', token('Dim'), whole(self.size), token('TargetRms'), real(0.5), token('AddLogStddev'), flag(False), name=name),
                    lambda x: 0.5 * x / np.sqrt((x * x).mean()))

    def scale(self):
        name, w = self.name('scale'), self.r(self.size, low=0.5, high=2)
        field, kind, f = self.q.choice([('Scales', 'FixedScaleComponent', lambda x: x * w), ('Params', 'NaturalGradientPerElementScaleComponent', lambda x: x * w),
                                        ('Bias', 'FixedBiasComponent', lambda x: x + w)])
        self.single(name, component(kind, token(field), vector(w), name=name), f)

    def product(self):
        n = self.size // 2
        if self.size == 2 * n:
            name = self.name('product')
            self.single(name, component('ElementwiseProductComponent', token('InputDim'), whole(2 * n), token('OutputDim'), whole(n), name=name), lambda x: x[:n] * x[n:], n)

    def groups(self):
        name, first = self.name('groups'), self.q.choice([1, self.size // 2])
        sizes = [first, self.size - first]
        self.single(name, component('SumGroupComponent', token('Sizes'), integers(sizes), name=name), lambda x: np.array([x[:first].sum(), x[first:].sum()]), 2)

    def window(self):
        name, x, out = self.name('tdnn'), self.last, self.q.choice([4, 6])
        times = self.q.choice([[-1, 0, 1], [-3, 0], [0, 3], [-3, 0, 3], [-2, -1, 0, 1, 2], [-1, 2], [-3, 3], [0, 1], [1, 2], [-2, -1]])
        w, b = self.r(out, self.size * len(times)), self.r(out)
        part = component('TdnnComponent', token('TimeOffsets'), integers(times), token('LinearParams'), matrix(w), token('BiasParams'), vector(b), token('OrthonormalConstraint'), real(0), name=name)
        self.add(name, x, part, out, lambda t: w @ np.concatenate([self.value(x, t + o) for o in times]) + b)

    def splice(self):
        name, x, out = self.name('splice'), self.last, self.q.choice([4, 6])
        times = self.q.choice([[-1, 0, 1], [-3, 0], [-2, -1, 0], [-2, 2], [0, 1], [-4, -2, 0, 2], [1], [-2]])
        reads = [x if t == 0 else f'Offset({x}, {t})' for t in times]
        more = self.q.random() < 0.3
        if more and 'ivector' not in self.inputs:
            self.add_input('ivector', 3)
        reads += ['ReplaceIndex(ivector, t, 0)'] * more
        w, b = self.r(out, self.size * len(times) + 3 * more), self.r(out)
        part = component('NaturalGradientAffineComponent', token('LinearParams'), matrix(w), token('BiasParams'), vector(b), name=name)
        self.add(name, f'Append({", ".join(reads)})' if len(reads) > 1 else reads[0], part, out,
                 lambda t: w @ np.concatenate([self.value(x, t + o) for o in times] + ([self.value('ivector', t)] if more else [])) + b)

    def residual(self):
        x, like = self.last, [n for n in self.at if self.sizes[n] == self.size and n not in (self.last, 'ivector')]
        if like:
            y, name, back = self.q.choice(like), self.name('sum'), self.q.choice([0, -1])
            other = f'Offset({y}, {back})' if back else f'Scale(0.5, {y})'
            self.add(name, f'Sum(Scale(0.66, {x}), {other})', dim('NoOpComponent', self.size, name), self.size,
                     lambda t: np.float32(0.66) * self.value(x, t) + (self.value(y, t + back) if back else 0.5 * self.value(y, t)))

    def part(self):
        if self.size > 3:
            n = self.size // 2
            self.part_of(self.name('part'), self.last, self.q.choice([0, 1, self.size - n]), n)

    def convolution(self):
        name, x, n_in, out = self.name('conv'), self.last, self.q.choice([n for n in (1, 2) if self.size % n == 0]), self.q.choice([2, 3])
        height, step = self.size // n_in, self.q.choice([1, 1, 2])
        times, heights = self.q.choice([[0], [-1, 0, 1], [-1, 0]]), self.q.choice([[-1, 0, 1], [0, 1], [0, 1, 2], [1, 2], [0]])
        height_out = (height - max(heights) - 1) // step + 1 - self.q.choice([0, 0, 1])
        if height_out < 1:
            return
        window = [(t, h) for t in times for h in heights]
        w, b = self.r(out, len(window) * n_in), self.r(out)
        model = [token('NumFiltersIn'), whole(n_in), token('NumFiltersOut'), whole(out), token('HeightIn'), whole(height), token('HeightOut'), whole(height_out), token('HeightSubsampleOut'), whole(step),
                 token('Offsets'), whole(len(window)) + b''.join(np_pair(*p) for p in window), token('RequiredTimeOffsets'), integers(times)]

        def compute(t):
            frames = {dt: np.pad(self.value(x, t + dt).reshape(height, n_in), ((1, 0), (0, 0))) for dt in times}
            rows = [np.concatenate([frames[dt][h * step + dh + 1] for dt, dh in window]) for h in range(height_out)]
            return np.concatenate([w @ row + b for row in rows])
        self.add(name, x, component('TimeHeightConvolutionComponent', token('ConvolutionModel'), *model, token('/ConvolutionModel'), token('LinearParams'), matrix(w), token('BiasParams'), vector(b),
                                    name=name), out * height_out, compute)

    def lstm(self):
        name, x, n, narrow, back = self.name('lstm'), self.last, self.q.choice([3, 4]), 2, self.q.choice([-1, -1, -3])
        self.recurrent = True
        w, b, peep, p, q = self.r(4 * n, self.size + narrow), self.r(4 * n), self.r(3, n), self.r(5, n), self.r(5)
        c, m, trunc = f'{name}.c', f'{name}.m', lambda k, s: component('BackpropTruncationComponent', token('Dim'), whole(s), token('Scale'), real(1), token('ClippingThreshold'), real(30), name=k)
        weights = lambda k, w, b: component('NaturalGradientAffineComponent', token('LinearParams'), matrix(w), token('BiasParams'), vector(b), name=k)
        self.add(f'{name}.W', f'Append({x}, IfDefined(Offset({name}.rt, {back})))', weights(f'{name}.W', w, b), 4 * n,
                 lambda t: w @ np.concatenate([self.value(x, t), self.before_all(f'{name}.rt', t + back)]) + b)

        def cell(t):
            (i, f, g, o), before = self.value(f'{name}.W', t).reshape(4, n), self.before_all(f'{name}.ct', t + back)
            now = sigmoid(f + peep[1] * before) * before + sigmoid(i + peep[0] * before) * np.tanh(g)
            return np.concatenate([now, sigmoid(o + peep[2] * now) * np.tanh(now)])
        self.add(f'{name}.nl', f'Append({name}.W, IfDefined(Offset({name}.ct, {back})))', component('LstmNonlinearityComponent', token('Params'), matrix(peep), name=f'{name}.nl'), 2 * n, cell)
        self.part_of(c, f'{name}.nl', 0, n)
        self.single(f'{name}.ct', trunc(f'{name}.ct', n), lambda v: v)
        self.part_of(m, f'{name}.nl', n, n)
        self.single(f'{name}.rp', weights(f'{name}.rp', p, q), lambda v: p @ v + q, 5)
        self.part_of(f'{name}.r', f'{name}.rp', 0, narrow)
        self.single(f'{name}.rt', trunc(f'{name}.rt', narrow), lambda v: v)
        self.last = f'{name}.rp'

    def file(self):
        inputs = [f'input-node name={n} dim={x.shape[1]}' for n, x in self.inputs.items()]
        return nnet3(nodes(*inputs, *self.lines, f'output-node name=output input={self.last} objective=linear'), *self.parts)


def draw(seed):
    net = Network(seed)
    kinds = [getattr(net, k) for k in 'affine affine function batch_norm normal scale product groups window window splice residual part convolution lstm'.split()]
    for _ in range(net.q.randint(3, 8)):
        net.q.choice(kinds)()
    net.affine()
    return net


def difference(tool, seed, frames=None):
    """Of the last outputs, as a part of the largest, with the number of frames that the tool waits for."""
    net = draw(seed)
    frames = frames or (90 if net.recurrent else 26)
    with tempfile.TemporaryDirectory() as folder:
        model, xml, given, out = (os.path.join(folder, n) for n in ('m.raw', 'm.xml', 'in.npz', 'out'))
        with open(model, 'wb') as f:
            f.write(net.file())
        run = lambda *a: subprocess.run([tool, *a], capture_output=True, text=True)
        done = run('mo', '--framework', 'kaldi', '--input_model', model, '--remove_memory', '--output_dir', folder, '--silent')
        if done.returncode:
            return None, done.stderr
        with open(xml) as f:
            shapes = re.findall(r'name="(\w[^"]*)" type="Parameter"[^>]*>\s*<data shape="(\d+), ?(\d+)"', f.read())
        states, found = {n: np.zeros((int(a), int(b)), 'f4') for n, a, b in shapes if n not in net.inputs}, []
        for t in range(frames):
            np.savez(given, **{n: x[t + CONTEXT][None].astype('f4') for n, x in net.inputs.items()}, **states)
            done = run('run', xml, '--input', given, '--output-dir', out)
            if done.returncode:
                return None, done.stderr
            plain = lambda s: re.sub(r'\W', '_', s)
            values = {plain(n[:-4]): np.load(os.path.join(out, n)) for n in os.listdir(out)}
            for n in states:
                states[n] = values[plain(f'Result_for_{n.split("_for_", 1)[1]}/strided_slice')]
            values = {n: v for n, v in values.items() if not n.startswith('Result_for_')}
            found.append(next(iter(values.values())).ravel())
        best = np.inf, None
        for late in range(22):
            wanted = [net.value(net.last, t - late) for t in range(frames - 4, frames)]
            worst = max(np.abs(f - w).max() / max(1e-2, np.abs(w).max()) for f, w in zip(found[-4:], wanted))
            best = min(best, (worst, late))
        return best


def main():
    import argparse
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('tool', type=os.path.abspath)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--count', type=int, default=60)
    a = parser.parse_args()
    wrong = 0
    for seed in range(a.seed, a.seed + a.count):
        worst, late = difference(a.tool, seed)
        if worst is None or not worst < 2e-3:
            wrong += 1
            print(f'{seed}: {"refused" if worst is None else f"differs by {worst:.2g}"}, {late}', flush=True)
    print(f'{a.count - wrong} of {a.count} right')
    return wrong != 0


if __name__ == '__main__':
    sys.setrecursionlimit(100000)
    threading.stack_size(512 << 20)
    codes = []
    thread = threading.Thread(target=lambda: codes.append(main()))
    thread.start()
    thread.join()
    sys.exit(codes != [False])
