"""A network under random construction: every value keeps its shape and kind, so that the next layer can be chosen to fit."""
import os
import sys
from collections import Counter

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from ir_builder import Net

FLOAT, INT, BOOL = 'float', 'i32', 'boolean'
NAME_STYLES = (
    lambda n, kind, i: f'{kind.lower()}_{i}',
    lambda n, kind, i: f'{n.word()}/{kind}_{i}/{n.word()}',
    lambda n, kind, i: f'{n.word()}{i}',
    lambda n, kind, i: str(1000 - 7 * i),
    lambda n, kind, i: f'{n.word()}.{i}:{n.word()}',
    lambda n, kind, i: f'{kind} {i} {n.word()}',
)


class RandomNet(Net):
    """Values are (layer, port) pairs; `shape` and `kind` tell what they hold, `live` lists those that layers may read."""

    def __init__(self, name, seed):
        super().__init__(name, seed)
        self.shape, self.kind, self.live, self.reads = {}, {}, [], Counter()
        self.float_type = 'f32' if self.chance(0.2) else 'f16'
        self.scale = 12 if self.chance(0.06) else 1  # a few networks are large, so that convolutions are tiled
        self.name_style = NAME_STYLES[min(self.random.geometric(0.4) - 1, len(NAME_STYLES) - 1)]
        self.shared = {}                             # weights by shape, for layers that share them

    # ---- chance
    def chance(self, p):
        return self.random.random_sample() < p

    def integer(self, low, high):
        """Both ends included."""
        return int(self.random.randint(low, high + 1))

    def one_of(self, *options):
        return options[self.random.randint(len(options))]

    def real(self, low, high, digits=3):
        return round(float(self.random.uniform(low, high)), digits)

    def word(self):
        return ''.join(self.one_of(*'abcdefghijklmnopqrstuvwxyzABCXYZ0123_') for _ in range(self.integer(1, 5)))

    def subset(self, items, least=1):
        items = list(items)
        count = self.integer(min(least, len(items)), len(items))
        return sorted(int(items[i]) for i in self.random.permutation(len(items))[:count])

    # ---- layers
    def emit(self, kind_of_layer, inputs, *shapes, kind=FLOAT, kinds=None, version='opset1', live=True, **data):
        """Adds a layer with outputs of these shapes; returns its value, or the list of them."""
        outputs = self.layer(kind_of_layer, inputs, name=self.name_style(self, kind_of_layer, len(self.layers)), version=version, outputs=len(shapes), **data)
        values = (outputs if isinstance(outputs, list) else [outputs])[:len(shapes)]
        kinds = kinds or [kind] * len(values)
        for v, s, k in zip(values, shapes, kinds):
            self.note(v, s, k)
        self.reads.update(inputs)
        if live:
            self.live += values
        return outputs

    def note(self, value, shape, kind):
        self.shape[value], self.kind[value] = tuple(int(d) for d in shape), kind
        x = self.layers[value[0]]
        x.shapes.append(self.shape[value])
        x.kinds.append(kind)

    def const(self, values, type=None, name=None):
        type = type or self.float_type
        v = super().const(values, type, name or self.name_style(self, 'Const', len(self.layers)))
        self.note(v, self.layers[v[0]].array.shape, FLOAT if type[0] == 'f' else type)
        return v

    def parameter(self, shape, kind=FLOAT):
        type = self.float_type if kind == FLOAT else kind
        return self.emit('Parameter', [], shape, kind=kind, shape=list(shape), element_type=type)

    def weights(self, *shape, scale=None):
        """Random weights, now and then those of an earlier layer."""
        if shape in self.shared and self.chance(0.15):
            return self.shared[shape]
        self.shared[shape] = self.normal(*shape, scale=scale or (self.one_of(0.01, 8.0) if self.chance(0.1) else None))
        return self.shared[shape]

    def axis(self, axis, rank):
        """The axis itself, or counted from the end."""
        return axis - rank if self.chance(0.3) else axis

    def is_input(self, value):
        return self.layers[value[0]].type == 'Parameter'

    # ---- choosing what to read
    def pick(self, rank=None, kind=FLOAT, where=None, limit=None):
        """A value that fits, rather a new or unread one; None when there is none."""
        fits = [v for v in self.live if self.kind[v] == kind and (rank is None or len(self.shape[v]) in (rank if isinstance(rank, tuple) else (rank,)))
                and (limit is None or np.prod(self.shape[v]) <= limit * self.scale) and (where is None or where(self.shape[v]))]
        if not fits:
            return None
        weight = np.array([(1 + i) * (3 if self.reads[v] == 0 else 1) for i, v in enumerate(fits)], float)
        return fits[self.random.choice(len(fits), p=weight / weight.sum())]

    def pick_or_input(self, shape, **conditions):
        """A value that fits, else a new input of this shape."""
        v = self.pick(**conditions)
        return v if v is not None else self.parameter(shape)

    def image(self, limit=60000):
        """Any value of rank 4."""
        return self.pick(rank=4, limit=limit)

    def emit_result(self, value):
        self.emit('Result', [value])
        return len(self.layers) - 1

    def finish(self):
        """Everything that nothing reads is a result, and sometimes a value that is read as well."""
        constants = {i for i, x in enumerate(self.layers) if x.type == 'Const'}
        unread = [v for v in self.live if not self.reads[v] and self.layers[v[0]].type != 'Parameter']
        extra = [v for v in self.live if self.reads[v] and self.layers[v[0]].type != 'Parameter' and v[0] not in constants and self.chance(0.03)]
        for v in sorted(unread + extra, key=lambda v: self.random.random_sample() if self.chance(0.3) else 0):
            self.emit_result(v)
        return bool(unread)
