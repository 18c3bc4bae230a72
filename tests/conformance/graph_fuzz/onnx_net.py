"""Random ONNX models of what exporters write: layers, their usual chains, and shapes computed inside the model."""
import copy

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

from . import onnx_layers
from .random_net import FLOAT, RandomNet
from .shrink import smallest

TYPES = {TensorProto.FLOAT: FLOAT, TensorProto.INT64: 'i64', TensorProto.INT32: 'i32', TensorProto.BOOL: 'boolean'}
IR_VERSION = 7


class OnnxNet(RandomNet):
    """Values are tensor names. `shape` and `kind` tell what they hold, `live` lists those that nodes may read."""

    def __init__(self, seed):
        super().__init__('net', seed)
        self.opset = self.one_of(9, 10, 11, 11, 11, 12, 13, 13, 14, 15)
        self.inputs, self.outputs, self.nodes, self.tensors, self.info = [], [], [], {}, {}

    # ---- building
    def new_name(self, kind):
        return self.name_style(self, kind, len(self.nodes) + len(self.tensors) + len(self.inputs))

    def note(self, name, info):
        self.info[name] = info
        tensor = info.type.tensor_type
        self.shape[name] = tuple(d.dim_value for d in tensor.shape.dim)
        self.kind[name] = TYPES.get(tensor.elem_type, 'other')

    def parameter(self, shape):
        name = self.new_name('Input')
        self.inputs.append(name)
        self.note(name, helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        self.live.append(name)
        return name

    def const(self, values, type='f32', name=None):
        name = name or self.new_name('Const')
        array = np.asarray(values, dtype={'f32': np.float32, 'i64': np.int64, 'bool': np.bool_}[type])
        self.tensors[name] = numpy_helper.from_array(array, name)
        self.shape[name], self.kind[name] = array.shape, FLOAT if type == 'f32' else type
        return name

    def weights(self, *shape, scale=None):
        return self.const(self.random.standard_normal(shape) * (scale or 1 / max(1, np.sqrt(np.prod(shape[1:])))))

    def node(self, op_type, inputs, outputs=1, **attributes):
        """Adds a node; returns its first output, or all of them where there are several. None: nothing fits its shape."""
        names = [self.new_name(op_type) + (f':{i}' if i else '') for i in range(outputs)]
        if any(n in self.info or n in self.tensors for n in names):
            names = [f'{n}#{len(self.nodes)}' for n in names]
        node = helper.make_node(op_type, inputs, names, name=self.new_name('node') if self.chance(0.5) else '', **attributes)
        infos = self.inferred(node)
        if infos is None:
            return None
        self.nodes.append(node)
        self.layers.append(Layer(op_type, [tuple(d.dim_value for d in i.type.tensor_type.shape.dim) for i in infos]))
        for info in infos:
            self.note(info.name, info)
        self.reads.update(i for i in inputs if i)
        self.live += names
        return names[0] if outputs == 1 else names

    def inferred(self, node):
        """What its outputs hold: shape inference over all that computes its inputs, so that computed shapes are known."""
        graph = helper.make_graph([*self.nodes, node], 'g', [self.info[i] for i in self.inputs], [helper.make_empty_tensor_value_info(o) for o in node.output], list(self.tensors.values()))
        try:
            model = shape_inference.infer_shapes(helper.make_model(graph, opset_imports=[helper.make_opsetid('', self.opset)], ir_version=IR_VERSION), strict_mode=True, data_prop=True)
        except Exception:   # of many types: this draw does not fit
            return None
        known = {v.name: v for v in [*model.graph.value_info, *model.graph.output]}
        infos = [known.get(o) for o in node.output]
        sound = all(i is not None and i.type.tensor_type.HasField('shape') and all(d.HasField('dim_value') and d.dim_value > 0 for d in i.type.tensor_type.shape.dim) for i in infos)
        return infos if sound else None

    def finish(self):
        """Everything that nothing reads is an output, and sometimes a value that is read as well."""
        unread = [v for v in self.live if not self.reads[v] and v not in self.inputs]
        extra = [v for v in self.live if self.reads[v] and v not in self.inputs and self.kind[v] == FLOAT and self.chance(0.03)]
        self.outputs = unread + extra
        return bool(unread)

    # ---- for the fuzzer
    def save(self, path):
        used = {i for n in self.nodes for i in n.input}
        graph = helper.make_graph(self.nodes, 'net', [self.info[i] for i in self.inputs], [self.info[o] for o in self.outputs], [t for n, t in self.tensors.items() if n in used])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', self.opset)], ir_version=IR_VERSION), path + '.onnx')


class Layer:
    """What the fuzzer reads of a layer of random_net."""
    inputs, kinds = (), ()

    def __init__(self, type, shapes):
        self.type, self.shapes = type, shapes


def network(seed, layers=None):
    """The model of this seed; `layers`: how many draws of layers."""
    n = OnnxNet(seed)
    layers = layers or 1 + min(n.random.geometric(0.18), 20)
    first_input(n)
    kinds, weights = list(onnx_layers.LAYERS), np.array(list(onnx_layers.LAYERS.values()))
    made = 0
    for _ in range(6 * layers):
        made += kinds[n.random.choice(len(kinds), p=weights / weights.sum())](n) is not None
        if made >= layers:
            break
    return n if n.finish() else network(seed + 500009, layers)


def first_input(n):
    rank = n.one_of(2, 3) if n.chance(0.15) else 4
    side = n.one_of(8, 13, 16, 20, 24, 28, 32, 40, 56)
    return n.parameter([1, n.one_of(1, 3, 3, 4, 8, 16, 17, 32), side, side if n.chance(0.7) else n.integer(4, 60)] if rank == 4 else [1, *(n.integer(2, 60) for _ in range(rank - 1))])


def ending_in(net, outputs, new_input=None):
    """The part of the model that these tensors need, with `new_input` given instead of computed."""
    needed, kept = set(outputs), []
    for node in reversed(net.nodes):
        if needed & set(node.output) and new_input not in node.output:
            kept.insert(0, node)
            needed |= {i for i in node.input if i}
    made = copy.copy(net)
    made.nodes, made.outputs = kept, list(outputs)
    made.layers = [Layer(node.op_type, [net.shape[o] for o in node.output]) for node in kept]
    made.inputs = [i for i in net.inputs if i in needed] + ([new_input] if new_input in needed else [])
    return made if made.inputs and kept and not set(made.inputs) & set(made.outputs) else None


def candidates(net):
    for node in net.nodes[:-1]:
        for output in node.output:
            yield ending_in(net, [output])
    for output in net.outputs if len(net.outputs) > 1 else ():
        yield ending_in(net, [output])
    for node in reversed(net.nodes):
        for output in node.output:
            if net.kind[output] == FLOAT:
                yield ending_in(net, net.outputs, output)


def smaller_ones(net):
    size = lambda n: (len(n.nodes), len(n.outputs))
    return (smaller for smaller in candidates(net) if smaller is not None and size(smaller) < size(net))


def minimise(net, still, budget=200):
    """The smallest model found for which `still(model)` holds."""
    return smallest(net, smaller_ones, still, budget)


def passes_input(net):
    """Whether an output is an input of the network, under another name."""
    passed = set(net.inputs)
    for node in net.nodes:
        if node.op_type in ('Identity', 'Dropout') and node.input[0] in passed:
            passed.add(node.output[0])
    return not passed.isdisjoint(net.outputs)
