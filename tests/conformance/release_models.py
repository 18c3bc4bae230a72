"""Small networks whose bytes under OpenVINO 2022.1 depend on how an IR is read and on what compile_tool is told; their
sums are release_golden.tsv (release_2022.py --golden)."""
import os
import re
from xml.sax.saxutils import quoteattr

import numpy as np

from ir_builder import Net


class NamedNet(Net):
    """A Net whose tensors have names, and whose weights may be stored in FP16 behind a Convert, as Model Optimizer 2022 does it."""

    def __init__(self, name, version, seed=1):
        super().__init__(name, seed, version)
        self.names, self.decompressions, self.layouts = {}, set(), {}

    def called(self, value, *names):
        self.names[value] = names
        return value

    def result_of(self, value, name):
        self.layer('Result', [value], name=name, outputs=0)

    def compressed(self, values):
        x = self.layer('Convert', [self.const(values, 'f16')], destination_type='f32')
        self.decompressions.add(x[0])
        return x

    def weights(self, *shape):
        return self.random.standard_normal(shape) * int(np.prod(shape[1:])) ** -0.5

    def conv_of(self, x, weights, pad, stride=1):
        return self.layer('Convolution', [x, weights], strides=[stride, stride], dilations=[1, 1], pads_begin=[pad, pad], pads_end=[pad, pad], auto_pad='explicit')

    def layer_xml(self, number, x, weights):
        xml = super().layer_xml(number, x, weights)
        for (layer, output), names in self.names.items():
            if layer == number:
                port = f'<port id="{len(x.inputs) + output}" precision="FP16"'
                xml = xml.replace(port + '/>', f'{port} names={quoteattr(",".join(names))}/>')
        if number in self.layouts:
            xml = re.sub(r'(<output><port [^/]*)/>', rf'\1><rt_info><attribute name="layout" version="0" layout="{self.layouts[number]}"/></rt_info></port>', xml)
        return xml.replace('</layer>', '<rt_info><attribute name="decompression" version="0"/></rt_info></layer>') if number in self.decompressions else xml


def detector():
    """Prior boxes, which are FP32 in a network that is computed in FP16, and weights below 2^-45, as real face detectors have them."""
    n = NamedNet('detector', 11)
    x = n.called(n.input(1, 3, 64, 64, type='f32'), 'input')
    y = n.layer('ReLU', [n.conv_of(x, n.compressed(n.weights(16, 3, 3, 3)), 1, 2)])
    y = n.layer('ReLU', [n.conv_of(y, n.const(n.random.standard_normal((16, 16, 1, 1)) * 1e-14, 'f32'), 0)])
    heads = []
    for channels in (8, 4):
        z = n.layer('Transpose', [n.conv_of(y, n.compressed(n.weights(channels, 16, 3, 3)), 1), n.ints(0, 2, 3, 1)])
        heads.append(n.layer('Reshape', [z, n.ints(1, 32 * 32 * channels)], special_zero=False))
    scores = n.layer('Softmax', [n.layer('Reshape', [heads[1], n.ints(1, 32 * 32 * 2, 2)], special_zero=False)], axis=2)
    scores = n.layer('Reshape', [scores, n.ints(1, 32 * 32 * 4)], special_zero=False)
    sizes = [n.layer('StridedSlice', [n.layer('ShapeOf', [v], version='opset3', output_type='i64'), n.ints(2), n.ints(4), n.ints(1)], begin_mask=[0], end_mask=[1]) for v in (y, x)]
    boxes = n.layer('PriorBoxClustered', sizes, width=[9, 25], height=[15, 40], step=2, clip=False, offset=0.5, variance=[0.1, 0.1, 0.2, 0.2])
    boxes = n.layer('Unsqueeze', [boxes, n.ints(0)])
    found = n.layer('DetectionOutput', [heads[0], scores, boxes], name='found', version='opset8', background_label_id=0, top_k=40, keep_top_k=20, code_type='caffe.PriorBoxParameter.CENTER_SIZE', share_location=True, nms_threshold=0.45, confidence_threshold=0.01, normalized=True)
    n.result_of(n.called(found, 'found'), 'found/result')
    return n


def keras():
    """An output with the names that a SavedModel gives it, two of which share a bucket of the table of names."""
    n = NamedNet('keras', 10)
    x = n.called(n.input(1, 8, 16, 16, name='input_1', type='f32'), 'input_1:0', 'Func/StatefulPartitionedCall/input/_0:0')
    y = n.conv_of(x, n.const(n.weights(8, 8, 3, 3), 'f32'), 1)
    y = n.layer('SoftMax', [y], name='StatefulPartitionedCall/model_1/predictions/Softmax', axis=1)
    n.result_of(n.called(y, 'Func/StatefulPartitionedCall/output/_81:0', 'Identity:0', 'StatefulPartitionedCall/Identity:0', 'StatefulPartitionedCall/model_1/predictions/Softmax:0'), 'Func/StatefulPartitionedCall/output/_81:0')
    return n


def loop():
    """Two outputs of one loop: the second has an automatic name, whose number counts the nodes of the body."""
    n = NamedNet('loop', 10)
    x = n.input(1, 4, 8)
    body = Net('body', 2)
    item, state = body.input(1, 1, 8, name='item'), body.input(1, 8, name='state')
    flat = body.layer('Squeeze', [item, body.ints(1)])
    total = body.add(body.layer('Multiply', [flat, state]), state)
    body.result(body.layer('Unsqueeze', [total, body.ints(1)]), total)
    results = [i for i, layer in enumerate(body.layers) if layer.type == 'Result']
    number, _ = n.layer('TensorIterator', [x, n.const(n.random.standard_normal((1, 8)))], name='loop', outputs=2)[0]
    n.layers[number].body = body
    n.layers[number].inner = (f'<port_map><input axis="1" external_port_id="0" internal_layer_id="{item[0]}" start="0" end="-1" stride="1" part_size="1"/><input external_port_id="1" internal_layer_id="{state[0]}"/>'
                              f'<output axis="1" external_port_id="2" internal_layer_id="{results[0]}" start="0" end="-1" stride="1" part_size="1"/><output external_port_id="3" internal_layer_id="{results[1]}"/></port_map>'
                              f'<back_edges><edge from-layer="{results[1]}" to-layer="{state[0]}"/></back_edges>')
    n.result_of((number, 0), 'all')
    n.result_of((number, 1), 'last')
    return n


def half():
    """A network of FP16 throughout, as Model Optimizer 2021 writes it."""
    n = NamedNet('half', 10)
    x = n.called(n.input(1, 8, 16, 16), 'input')
    n.result_of(n.called(n.layer('ReLU', [n.conv_of(x, n.const(n.weights(16, 8, 3, 3)), 1)], name='relu'), 'relu'), 'relu/result')
    return n


def camera():
    """Mean and scale in front, the weights in FP16, and a layout that the file states of the input, as Open Model Zoo has it."""
    n = NamedNet('camera', 11)
    x = n.called(n.input(1, 3, 32, 32, type='f32'), 'input')
    n.layouts[x[0]] = '[N,C,H,W]'
    y = n.layer('Subtract', [x, n.compressed(np.array([104, 117, 123.]).reshape(1, 3, 1, 1))], auto_broadcast='numpy')
    y = n.layer('Multiply', [y, n.compressed(np.full((1, 1, 1, 1), 0.017))], auto_broadcast='numpy')
    y = n.layer('ReLU', [n.conv_of(y, n.compressed(n.weights(8, 3, 3, 3)), 1, 2)])
    y = n.conv_of(n.layer('Multiply', [y, n.const([[[[0.3]]]], 'f32')]), n.compressed(n.weights(8, 8, 3, 3)), 1)
    n.result_of(n.called(n.layer('ReLU', [y], name='out'), 'out'), 'out/result')
    return n


NETWORKS = (detector, camera, keras, loop, half)

# Options of compile_tool besides six processors and slices, and one stream.
TOLD = {
    'detector': ['-ip U8', '-op FP32 -iol found:NHWC'],
    'camera': ['-ip U8', '-ip FP16', '-ip U8 -il NHWC', '-iol input:CHWN -op FP32'],
    'keras': ['-ip U8', '-ip U8 -op FP32', '-il NHWC -iml NCHW'],
    'loop': ['', '-op FP32'],
    'half': ['-ip U8', '-op FP32 -ol NHWC', '-op FP32 -ol NCHW -oml NCHW', '-ip U8 -il NHWC -iml NCHW -ol NHWC -oml NCHW', '-iop input:U8,relu:FP32', '-ip FP32 -iol relu:NHWC -ioml relu:NCHW'],
}


def write(folder):
    """{network: path of its IR}"""
    paths = {}
    for make in NETWORKS:
        net = make()
        net.save(os.path.join(folder, net.name))
        paths[net.name] = os.path.join(folder, net.name + '.xml')
    return paths
