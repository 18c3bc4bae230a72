"""Writes small OpenVINO IRs (version 10, or another) with seeded weights: just enough for test networks."""
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

import numpy as np

TYPES = {'f16': np.float16, 'f32': np.float32, 'i64': np.int64, 'i32': np.int32, 'u8': np.uint8, 'boolean': np.bool_}


@dataclass
class Layer:
    """One layer. Inputs are (layer number, output) pairs; `array` holds a constant's values, `body` a TensorIterator's."""
    type: str
    name: str
    version: str
    inputs: list
    outputs: int
    data: dict
    array: object = None
    body: object = None
    inner: str = ''                                  # further elements: port map and back edges of the body, rt_info
    shapes: list = field(default_factory=list)       # of the outputs, where the writer of the network keeps them
    kinds: list = field(default_factory=list)


class Net:
    """A network under construction. Every method adds a layer and returns its output as (layer, port)."""

    def __init__(self, name, seed=0, version=10):
        self.name, self.random, self.version = name, np.random.RandomState(seed), version
        self.layers = []

    # ---- the general form
    def layer(self, type, inputs=(), name=None, version='opset1', outputs=1, **data):
        number = len(self.layers)
        self.layers.append(Layer(type, name or f'{type.lower()}_{number}', version, list(inputs), outputs, data))
        return [(number, i) for i in range(outputs)] if outputs > 1 else (number, 0)

    @staticmethod
    def text(v):
        if isinstance(v, bool):
            return str(v).lower()
        return ','.join(map(str, v)) if isinstance(v, (list, tuple)) else str(v)

    def const(self, values, type='f16', name=None):
        array = np.array(values, TYPES[type], order='C')
        number, port = self.layer('Const', name=name, element_type=type, shape=list(array.shape))
        self.layers[number].array = array
        return number, port

    def packed(self, kind, shape, *octets):
        """A constant of a type that numpy lacks, by its bytes."""
        number, port = self.layer('Const', element_type=kind, shape=list(shape))
        self.layers[number].array = np.array(octets, np.uint8)
        return number, port

    def ints(self, *values):
        return self.const(values, 'i64')

    def normal(self, *shape, scale=None):
        """Random weights of a size that keeps activations near 1."""
        fan_in = int(np.prod(shape[1:])) or 1
        return self.const(self.random.standard_normal(shape) * (scale or fan_in ** -0.5))

    # ---- the files
    def save(self, path):
        weights = bytearray()
        xml = self.xml(weights)
        with open(path + '.xml', 'w') as f:
            f.write(f'<?xml version="1.0"?><net name={quoteattr(self.name)} version="{self.version}">{xml}</net>')
        with open(path + '.bin', 'wb') as f:
            f.write(weights or b'\0')

    def xml(self, weights):
        """Layers and edges; appends the constants to `weights`."""
        layers = ''.join(self.layer_xml(i, x, weights) for i, x in enumerate(self.layers))
        edges = ''.join(f'<edge from-layer="{source}" from-port="{len(self.layers[source].inputs) + output}" to-layer="{i}" to-port="{port}"/>'
                        for i, x in enumerate(self.layers) for port, (source, output) in enumerate(x.inputs))
        return f'<layers>{layers}</layers><edges>{edges}</edges>'

    def layer_xml(self, number, x, weights):
        data = dict(x.data)
        if x.array is not None:
            data.update(offset=len(weights), size=x.array.nbytes)
            weights += x.array.tobytes()
        attributes = ' '.join(f'{k.replace("exclude_pad", "exclude-pad")}={quoteattr(self.text(v))}' for k, v in data.items())
        ports = len(x.inputs)
        xml = f'<layer id="{number}" name={quoteattr(x.name)} type="{x.type}" version="{x.version}">'
        xml += f'<data {attributes}/>' if attributes else ''
        xml += '<input>' + ''.join(f'<port id="{i}"/>' for i in range(ports)) + '</input>' if ports else ''
        xml += '<output>' + ''.join(f'<port id="{ports + i}" precision="FP16"/>' for i in range(x.outputs)) + '</output>' if x.outputs else ''
        xml += x.inner + (f'<body>{x.body.xml(weights)}</body>' if x.body else '')
        return xml + '</layer>'

    # ---- layers
    def input(self, *shape, name='input', type='f16'):
        return self.layer('Parameter', name=name, shape=list(shape), element_type=type)

    def result(self, *values):
        for v in values:
            self.layer('Result', [v], outputs=0)

    def conv(self, x, c_in, c_out, k=3, s=1, p=None, d=1, bias=True, name=None):
        p = (k - 1) * d // 2 if p is None else p
        y = self.layer('Convolution', [x, self.normal(c_out, c_in, k, k)], name=name, strides=[s, s], dilations=[d, d], pads_begin=[p, p], pads_end=[p, p], auto_pad='explicit')
        return self.add(y, self.normal(1, c_out, 1, 1, scale=0.1)) if bias else y

    def group_conv(self, x, groups, c_in, c_out, k=3, s=1):
        p = k // 2
        w = self.normal(groups, c_out // groups, c_in // groups, k, k)
        y = self.layer('GroupConvolution', [x, w], strides=[s, s], dilations=[1, 1], pads_begin=[p, p], pads_end=[p, p], auto_pad='explicit')
        return self.add(y, self.normal(1, c_out, 1, 1, scale=0.1))

    def deconv(self, x, c_in, c_out, k=2, s=2, p=0):
        return self.layer('ConvolutionBackpropData', [x, self.normal(c_in, c_out, k, k)], strides=[s, s], dilations=[1, 1], pads_begin=[p, p], pads_end=[p, p], output_padding=[0, 0], auto_pad='explicit')

    def pool(self, x, kind='MaxPool', k=2, s=2, p=0, rounding='floor'):
        more = {'exclude_pad': True} if kind == 'AvgPool' else {}
        return self.layer(kind, [x], kernel=[k, k], strides=[s, s], pads_begin=[p, p], pads_end=[p, p], rounding_type=rounding, auto_pad='explicit', **more)

    def add(self, a, b):
        return self.layer('Add', [a, b], auto_broadcast='numpy')

    def mul(self, a, b):
        return self.layer('Multiply', [a, b], auto_broadcast='numpy')

    def relu(self, x):
        return self.layer('ReLU', [x])

    def concat(self, *values, axis=1):
        return self.layer('Concat', values, axis=axis)

    def reshape(self, x, *pattern):
        return self.layer('Reshape', [x, self.ints(*pattern)], special_zero=True)

    def transpose(self, x, *order):
        return self.layer('Transpose', [x, self.ints(*order)])

    def fc(self, x, c_in, c_out):
        return self.layer('MatMul', [x, self.normal(c_out, c_in)], transpose_a=False, transpose_b=True)

    def reduce(self, x, kind, *axes, keep=True):
        return self.layer(kind, [x, self.ints(*axes)], keep_dims=keep)

    def interpolate(self, x, height, width, mode='nearest', coordinates='asymmetric'):
        scale = self.const([1.0, 1.0], 'f32')
        return self.layer('Interpolate', [x, self.ints(height, width), scale, self.ints(2, 3)], version='opset4', mode=mode, shape_calculation_mode='sizes', coordinate_transformation_mode=coordinates,
                          nearest_mode='floor', antialias=False, pads_begin=[0], pads_end=[0], cube_coeff=-0.75)
