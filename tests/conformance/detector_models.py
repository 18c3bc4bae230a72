"""Small detectors with the names that TensorFlow's Object Detection API gives its nodes, written without TensorFlow.

Each of MODELS: name -> (bytes of a frozen GraphDef, text of pipeline.config, name of the configuration). What the API
computes behind the last maps is only hinted at: the configurations replace it. `write(folder)` writes them all.
"""
import os

import numpy as np

from tensorflow_models import Graph, Type

PIPELINE = """# what tells of the network
model {{
  {architecture} {{
    num_classes: 2
    image_resizer {{ {resizer} }}
    box_coder {{ faster_rcnn_box_coder {{ y_scale: 10.0 x_scale: 10.0 height_scale: 5.0 width_scale: 5.0 }} }}
    {anchors}
    post_processing {{
      batch_non_max_suppression {{ score_threshold: 0.01 iou_threshold: 0.600000023842 max_detections_per_class: 10, max_total_detections: 10 }}
      score_converter: {converter}
    }}
  }}
}}
train_config {{ batch_size: 24 fine_tune_checkpoint: "model.ckpt" }}
"""
FIXED = 'fixed_shape_resizer {{ height: {} width: {} }}'.format
SSD_ANCHORS = 'anchor_generator { ssd_anchor_generator { num_layers: 2 min_scale: 0.2 max_scale: 0.95 aspect_ratios: 1.0 aspect_ratios: 0.333299994469 %s } }'
GRID_ANCHORS = 'anchor_generator { multiscale_anchor_generator { min_level: 3 max_level: 4 anchor_scale: 4.0 aspect_ratios: 1.0 aspect_ratios: 0.5 scales_per_octave: 1 } }'


def pipeline(anchors='', converter='SIGMOID', resizer=FIXED(32, 32), architecture='ssd'):
    return PIPELINE.format(architecture=architecture, anchors=anchors, converter=converter, resizer=resizer)


class Detector(Graph):
    """`scope`: in front of all names but that of the picture."""

    def __init__(self, scope='', seed=1):
        super().__init__(seed)
        self.scope = scope
        self.true_shapes = None  # what the last operator reads of the preprocessor

    def named(self, op, inputs, name, **attributes):
        return self.node(op, inputs, self.scope + name, **attributes)

    def conv_named(self, x, i, o, name, weights, biases, k=1, s=1):
        """`weights`, `biases`: the nodes that hold them; several convolutions may share them."""
        x = self.named('Conv2D', [x, weights], name + '/Conv2D', strides=[1, s, s, 1], dilations=[1] * 4, padding='SAME', data_format='NHWC')
        return self.named('BiasAdd', [x, biases], name + '/BiasAdd', data_format='NHWC')

    def variable(self, name, *shape):
        value = self.random.randn(*shape) / np.sqrt(max(np.prod(shape[:-1]), 1))
        return self.named('Identity', [self.constant(value, name=self.scope + name)], name + '/read')

    def quantized(self, x, name):
        """As training for 8 bits leaves weights, but with so many steps that no value changes visibly."""
        bounds = [self.constant(v, name=f'{self.scope}{name}/{end}') for end, v in (('min', -4), ('max', 4))]
        return self.named('FakeQuantWithMinMaxVars', [x, *bounds], name, num_bits=16, narrow_range=False)

    def picture(self, name='image_tensor', rows=-1, columns=-1):
        return self.node('Placeholder', name=name, dtype=Type(4), shape=(-1, rows, columns, 3))

    def scaled_in_scope(self, x):
        """Preprocessor of TensorFlow 1: a loop over the pictures, then arithmetic."""
        x = self.node('Cast', [x], 'Cast', SrcT=Type(4), DstT=Type(1))
        sizes = [self.node('Shape', [x], f'Preprocessor/map/{name}Shape', out_type=Type(3)) for name in ('', 'TensorArrayUnstack/')]
        array = self.node('TensorArrayScatterV3', [x, *sizes, x], 'Preprocessor/map/TensorArrayUnstack/TensorArrayScatter/TensorArrayScatterV3')
        x = self.node('TensorArrayGatherV3', [array, array, array], 'Preprocessor/map/TensorArrayStack/TensorArrayGatherV3', dtype=Type(1))
        self.true_shapes = self.node('TensorArrayGatherV3', [array, array, array], 'Preprocessor/map/TensorArrayStack_1/TensorArrayGatherV3', dtype=Type(3))
        x = self.node('Mul', [self.constant(2 / 255, name='Preprocessor/mul/x'), x], 'Preprocessor/mul')
        return self.node('Sub', [x, self.constant(1, name='Preprocessor/sub/y')], 'Preprocessor/sub')

    def scaled_between_nodes(self, x):
        """Preprocessor of TensorFlow 2 before 2.4."""
        x = self.named('Cast', [x], 'Cast', SrcT=Type(4), DstT=Type(1))
        x = self.named('Mul', [x, self.constant(2 / 255)], 'Preprocessor/mul')
        x = self.named('Sub', [x, self.constant(1)], 'Preprocessor/sub')
        x = self.named('Unpack', [x], 'Preprocessor/unstack', num=1, axis=0)
        x = self.named('ResizeBilinear', [x, self.ints(32, 32)], 'Preprocessor/ResizeImage', align_corners=False, half_pixel_centers=False)
        return self.named('Pack', [x], 'Preprocessor/stack', N=1, axis=0)

    def features(self, x):
        x = self.conv(x, 3, 8, s=4)
        first = self.node('Relu6', [self.batch_norm(x, 8)])
        return [(first, 8), (self.node('Relu6', [self.conv(first, 8, 12, s=2)]), 12)]

    def heads(self, maps, counts, classes, name='BoxPredictor_{}', kinds=('BoxEncodingPredictor', 'ClassPredictor'), shared=False, quantized=False):
        ends = []
        for kind, size in zip(kinds, (4, classes)):
            parts, variables = [], None
            for i, ((x, channels), count) in enumerate(zip(maps, counts)):
                own = name.format(i) if i or not shared else name.format('').rstrip('_')
                if not variables or not shared:
                    at = f'{own}/{kind}/'
                    variables = self.variable(at + 'weights', 1, 1, channels, count * size), self.variable(at + 'biases', count * size)
                weights, biases = variables
                if quantized:
                    weights = self.quantized(weights, f'{own}/{kind}/weights_quant/FakeQuantWithMinMaxVars')
                y = self.conv_named(x, channels, count * size, f'{own}/{kind}', weights, biases)
                shape = [1, -1, 1, 4] if size == 4 else [1, -1, classes]
                parts.append(self.named('Reshape', [y, self.ints(*shape)], f'{own}/{kind}_reshape', Tshape=Type(3)))
            ends.append(self.named('ConcatV2', [*parts, self.constant(1, 'int32')], 'concat' if size == 4 else 'concat_1', N=len(parts), Tidx=Type(3)))
        return self.named('Squeeze', [ends[0]], 'Squeeze', squeeze_dims=[2]), ends[1]

    def postprocessed(self, boxes, logits, anchors, scores='Postprocessor/scale_logits', more='Postprocessor/Cast_1'):
        """Boxes are decoded and filtered: by operators that no configuration leaves in the network."""
        at = [self.named('Reshape', [boxes, self.ints(-1, 4)], 'Postprocessor/Reshape_1', Tshape=Type(3))]
        if not self.scope:
            at.append(self.named('Shape', [boxes], 'Postprocessor/Shape', out_type=Type(3)))
        logits = self.named('RealDiv', [logits, self.constant(1, name=self.scope + scores + '/y')], scores)
        anchors = self.named('ExpandDims', [self.constant(anchors, name=self.scope + 'anchors'), self.constant(0, 'int32')], 'Postprocessor/ExpandDims', Tdim=Type(3))
        anchors = self.named('Tile', [anchors, self.ints(1, 1, 1)], 'Postprocessor/Tile', Tmultiples=Type(3))
        size = self.named('Cast', [self.true_shapes or self.ints(1, 32, 32, 3)], more, SrcT=Type(3), DstT=Type(1))
        return self.named('CombinedNonMaxSuppression', [*at, self.named('Sigmoid', [logits], 'Postprocessor/convert_scores'), anchors, size], 'Postprocessor/NMS')


def results(g, nms, names):
    for i, name in enumerate(names):
        g.node('Identity', [f'{nms}:{i}' if i else nms], name)


FIRST = ('detection_boxes', 'detection_scores', 'num_detections')
SECOND = [f'StatefulPartitionedCall/Identity{"_" + str(i) if i else ""}' for i in range(8)]


def grid(*maps):
    """Anchors of (cells along a side, their widths and heights in parts of the picture) as y0, x0, y1, x1."""
    return [[(y + 0.5) / n - h / 2, (x + 0.5) / n - w / 2, (y + 0.5) / n + h / 2, (x + 0.5) / n + w / 2]
            for n, sizes in maps for y in range(n) for x in range(n) for w, h in sizes]


# Those that the API makes for SSD_ANCHORS: three on the lowest map, then one for each ratio and one between two scales.
SSD_GRID = grid((8, [(0.1, 0.1), (0.2 * 2 ** 0.5, 0.2 * 0.5 ** 0.5), (0.2 * 0.5 ** 0.5, 0.2 * 2 ** 0.5)]),
                (4, [(0.95, 0.95), (0.95 * 0.333299994469 ** 0.5, 0.95 / 0.333299994469 ** 0.5), (0.95 ** 0.5, 0.95 ** 0.5)]))


def ssd(quantized=False):
    """Of TensorFlow 1, with the anchors of pipeline.config."""
    g = Detector()
    maps = g.features(g.scaled_in_scope(g.picture()))
    boxes, logits = g.heads(maps, (3, 3), 3, quantized=quantized)
    results(g, g.postprocessed(boxes, logits, SSD_GRID), FIRST)
    return g.bytes, pipeline(SSD_ANCHORS % ''), 'ssd_support_api_v1.15'


def ssd_quantized():
    """The same, as it is trained for 8 bits."""
    return ssd(quantized=True)


def ssd_all_ratios():
    """No fewer boxes on the lowest map, a base that isn't square, scores that exclude each other."""
    g = Detector()
    maps = g.features(g.scaled_in_scope(g.picture()))
    boxes, logits = g.heads(maps, (2, 2), 3)
    results(g, g.postprocessed(boxes, logits, SSD_GRID, more='Postprocessor/ToFloat'), FIRST)
    anchors = SSD_ANCHORS % 'reduce_boxes_in_lowest_layer: false interpolated_scale_aspect_ratio: 0.0 base_anchor_width: 0.8'
    return g.bytes, pipeline(anchors, 'SOFTMAX', FIXED(32, 48)), 'ssd_v2_support'


def ssd_shared_heads():
    """Maps of one width, whose predictors share their weights."""
    g = Detector()
    first = g.node('Relu6', [g.conv(g.scaled_in_scope(g.picture()), 3, 8, s=4)])
    maps = [(first, 8), (g.node('Relu6', [g.conv(first, 8, 8, s=2)]), 8)]
    boxes, logits = g.heads(maps, (2, 2), 3, 'WeightSharedConvolutionalBoxPredictor_{}', ('BoxPredictor', 'ClassPredictor'), shared=True)
    results(g, g.postprocessed(boxes, logits, SSD_GRID, more='Postprocessor/Cast'), FIRST)
    return g.bytes, pipeline(GRID_ANCHORS), 'ssd_support_api_v1.14'


def ssd_2():
    """Of TensorFlow 2 before 2.4: the anchors are constants of the graph."""
    g = Detector('StatefulPartitionedCall/')
    maps = g.features(g.scaled_between_nodes(g.picture('input_tensor')))
    boxes, logits = g.heads(maps, (3, 3), 3, 'BoxPredictor/Head_{}')
    results(g, g.postprocessed(boxes, logits, SSD_GRID), SECOND)
    return g.bytes, pipeline(SSD_ANCHORS % ''), 'ssd_support_api_v2.0'


def efficientdet():
    """Of the AutoML repository: shared separable predictors, anchors of the configuration."""
    g = Detector()
    x = g.node('Placeholder', name='image_arrays', dtype=Type(4), shape=(1, 64, 64, 3))
    x = g.node('Cast', [x], 'Cast', SrcT=Type(4), DstT=Type(1))
    x = g.node('StridedSlice', [x, g.ints(0, 0, 0, 0), g.ints(1, 64, 64, 3), g.ints(1, 1, 1, 1)], 'strided_slice_1', Index=Type(3))
    x = g.node('Sub', [x, g.constant([[[[0.485 * 255, 0.456 * 255, 0.406 * 255]]]])], 'sub')
    x = g.node('RealDiv', [x, g.constant([[[[0.229 * 255, 0.224 * 255, 0.225 * 255]]]])], 'truediv')
    x = g.node('ResizeBilinear', [x, g.ints(64, 64)], 'ResizeImage', align_corners=False, half_pixel_centers=False)
    maps = [g.conv(x, 3, 8, s=8)]
    maps.append(g.conv(g.node('Relu6', [maps[0]]), 8, 8, s=2))
    for net, last, size, joined in (('class_net', 'class-predict', 90, 'concat'), ('box_net', 'box-predict', 4, 'concat_1')):
        depthwise, pointwise, bias = (g.variable(f'{net}/{last}/{n}', *shape)
                                      for n, shape in (('depthwise_kernel', (3, 3, 8, 1)), ('pointwise_kernel', (1, 1, 8, 9 * size)), ('bias', (9 * size,))))
        parts = []
        for i, y in enumerate(maps):
            name = f'{net}/{last}' + (f'_{i}' if i else '')
            y = g.node('DepthwiseConv2dNative', [y, depthwise], name + '/separable_conv2d/depthwise', strides=[1, 1, 1, 1], dilations=[1] * 4, padding='SAME', data_format='NHWC')
            y = g.node('Conv2D', [y, pointwise], name + '/separable_conv2d', strides=[1, 1, 1, 1], dilations=[1] * 4, padding='VALID', data_format='NHWC')
            y = g.node('BiasAdd', [y, bias], name + '/BiasAdd', data_format='NHWC')
            parts.append(g.reshape(y, 1, -1, size))
        g.node('ConcatV2', [*parts, g.constant(1, 'int32')], joined, N=2, Tidx=Type(3))
    g.node('CombinedNonMaxSuppression', ['concat', 'concat_1'], 'detections')
    return g.bytes, '', 'automl_efficientdet'


def joined(g, sizes):
    """Maps of a picture of 64 x 64, with what is predicted for each of four anchors at a place, joined."""
    x = g.node('Placeholder', name='input', dtype=Type(1), shape=(1, 64, 64, 3))
    x = g.relu(g.conv(x, 3, 8, s=8))
    maps = [x, g.relu(g.conv(x, 8, 8, s=2))]
    return [g.node('ConcatV2', [*(g.reshape(g.conv(y, 8, 4 * size), 1, -1, size) for y in maps), g.constant(1, 'int32')], N=2, Tidx=Type(3)) for size in sizes]


CORNERS = np.float32(grid((8, [(0.2, 0.2), (0.3, 0.15), (0.15, 0.3), (0.25, 0.25)]), (4, [(0.5, 0.5), (0.7, 0.35), (0.35, 0.7), (0.6, 0.6)])))[:, [1, 0, 3, 2]]
RETINANET_ANCHORS = 64 * CORNERS  # in pixels


def retinanet():
    """Of keras-retinanet: what filters is only hinted at."""
    g = Detector()
    boxes, scores = joined(g, (4, 3))
    boxes, scores = g.node('Tanh', [boxes], 'regression/concat'), g.node('Sigmoid', [scores], 'classification/concat')
    anchors = g.constant(RETINANET_ANCHORS[None], name='anchors/values')
    anchors = g.node('Mul', [anchors, g.constant(1)], 'anchors/concat')
    g.node('Shape', ['input'], 'clipped_boxes/Shape', out_type=Type(3))
    decoded = g.node('AddV2', [boxes, anchors], 'clipped_boxes/add')
    kept = g.node('NonMaxSuppressionV3', [g.reshape(decoded, -1, 4), g.reshape(g.node('Max', [scores, g.constant(2, 'int32')], keep_dims=False, Tidx=Type(3)), -1), g.constant(300, 'int32'), g.constant(0.5),
                                          g.constant(0.05)], 'filtered_detections/map/while/non_max_suppression/NonMaxSuppressionV3', T_threshold=Type(1))
    size = g.node('Cast', ['clipped_boxes/Shape'], 'clipped_boxes/Cast', SrcT=Type(3), DstT=Type(1))
    for i, x in enumerate((decoded, scores, size)):
        end = 'filtered_detections/map/TensorArrayStack' + (f'_{i}' if i else '')
        g.node('TensorArrayGatherV3', [x, kept, x], end + '/TensorArrayGatherV3', dtype=Type(1))
    return g.bytes, '', 'retinanet'


def ssd_toolbox():
    """Of the toolbox that Intel trains detectors with: boxes, scores and anchors with their variances are outputs."""
    g = Detector()
    boxes, scores = joined(g, (4, 3))
    at = 'SSD/concat_reshape_softmax/'
    g.node('Mul', [boxes, g.constant(1.5)], at + 'mbox_loc_final')
    g.node('Softmax', [scores], at + 'mbox_conf_final')
    priors = g.constant(np.stack([CORNERS, np.tile(np.float32([0.1, 0.1, 0.2, 0.2]), (len(CORNERS), 1))])[None])
    rows = g.node('StridedSlice', [g.node('Shape', ['input'], out_type=Type(3)), g.ints(1), g.ints(2), g.ints(1)], Index=Type(3), shrink_axis_mask=1, T=Type(3))
    g.node('Mul', [priors, g.node('RealDiv', [g.node('Cast', [rows], SrcT=Type(3), DstT=Type(1)), g.constant(64)])], at + 'mbox_priorbox')
    return g.bytes, '', 'ssd_toolbox_multihead_detection_output'


MODELS = {f.__name__: f for f in (retinanet, ssd_toolbox, ssd, ssd_quantized, ssd_all_ratios, ssd_shared_heads, ssd_2, efficientdet)}


def write(folder, models=MODELS):
    """name -> path of the graph, path of pipeline.config, name of the configuration"""
    paths = {}
    for name, model in models.items():
        data, text, config = model()
        path = os.path.join(folder, name)
        with open(path + '.pb', 'wb') as f:
            f.write(data)
        with open(path + '.config', 'w') as f:
            f.write(text or pipeline())
        paths[name] = path + '.pb', path + '.config', config
    return paths


if __name__ == '__main__':
    import sys
    write(sys.argv[1])
