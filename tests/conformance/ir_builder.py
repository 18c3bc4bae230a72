"""Writes small OpenVINO IRs (version 10) with seeded weights: just enough for test networks."""
import numpy as np


class Net:
    """A network under construction. Every method adds a layer and returns its output as (layer, port)."""

    def __init__(self, name, seed=0):
        self.name, self.random = name, np.random.RandomState(seed)
        self.layers, self.edges, self.weights = [], [], bytearray()

    # ---- the general form
    def layer(self, type, inputs=(), name=None, version='opset1', outputs=1, **data):
        number = len(self.layers)
        attributes = ' '.join(f'{k.replace("exclude_pad", "exclude-pad")}="{self.text(v)}"' for k, v in data.items())
        ports = len(inputs)
        xml = f'<layer id="{number}" name="{name or f"{type.lower()}_{number}"}" type="{type}" version="{version}">'
        xml += f'<data {attributes}/>' if attributes else ''
        xml += '<input>' + ''.join(f'<port id="{i}"/>' for i in range(ports)) + '</input>' if ports else ''
        xml += '<output>' + ''.join(f'<port id="{ports + i}" precision="FP16"/>' for i in range(outputs)) + '</output>' if outputs else ''
        self.layers.append((xml + '</layer>', ports))
        for port, (source, output) in enumerate(inputs):
            self.edges.append((source, self.layers[source][1] + output, number, port))
        return [(number, i) for i in range(outputs)] if outputs > 1 else (number, 0)

    @staticmethod
    def text(v):
        if isinstance(v, bool):
            return str(v).lower()
        return ','.join(map(str, v)) if isinstance(v, (list, tuple)) else v

    def const(self, values, type='f16', name=None):
        array = np.array(values, {'f16': np.float16, 'f32': np.float32, 'i64': np.int64, 'i32': np.int32}[type], order='C')
        offset = len(self.weights)
        self.weights += array.tobytes()
        return self.layer('Const', name=name, element_type=type, shape=list(array.shape), offset=offset, size=array.nbytes)

    def ints(self, *values):
        return self.const(values, 'i64')

    def normal(self, *shape, scale=None):
        """Random weights of a size that keeps activations near 1."""
        fan_in = int(np.prod(shape[1:])) or 1
        return self.const(self.random.standard_normal(shape) * (scale or fan_in ** -0.5))

    def save(self, path):
        edges = ''.join('<edge from-layer="%d" from-port="%d" to-layer="%d" to-port="%d"/>' % e for e in self.edges)
        with open(path + '.xml', 'w') as f:
            f.write(f'<?xml version="1.0"?><net name="{self.name}" version="10"><layers>{"".join(x for x, _ in self.layers)}</layers><edges>{edges}</edges></net>')
        with open(path + '.bin', 'wb') as f:
            f.write(self.weights or b'\0')

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
