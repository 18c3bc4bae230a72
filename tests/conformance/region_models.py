"""Small two-stage detectors with the names that TensorFlow's Object Detection API gives its nodes.

As detector_models.py: MODELS: name -> (bytes of a frozen GraphDef, text of pipeline.config, name of the configuration).
"""
import numpy as np

from detector_models import FIRST, SECOND, Detector, results
from tensorflow_models import Type

PIPELINE = """
model {
  faster_rcnn {
    num_classes: 3
    image_resizer { keep_aspect_ratio_resizer { min_dimension: 64 max_dimension: 96 } }
    first_stage_anchor_generator { grid_anchor_generator {
      height: 32 width: 32 height_stride: 8 width_stride: 8
      scales: 0.5 scales: 1.0 aspect_ratios: 0.5 aspect_ratios: 1.0 aspect_ratios: 2.0 } }
    first_stage_nms_score_threshold: 0.0
    first_stage_nms_iou_threshold: 0.7
    first_stage_max_proposals: 8
    initial_crop_size: 6
    maxpool_kernel_size: 2
    maxpool_stride: 2
    second_stage_box_predictor { PREDICTOR }
    second_stage_post_processing {
      batch_non_max_suppression { score_threshold: 0.01 iou_threshold: 0.6 max_detections_per_class: 10 max_total_detections: 10 }
      score_converter: SOFTMAX
    }
  }
}
"""
CLASSES, ANCHORS, PROPOSALS = 3, 6, 8
ENDS = ('map/TensorArrayStack/TensorArrayGatherV3', 'map_2/TensorArrayStack/TensorArrayGatherV3',
        'BatchMultiClassNonMaxSuppression/map/TensorArrayStack_5/TensorArrayGatherV3')
MASK_ENDS = [f'BatchMultiClassNonMaxSuppression_1/map/TensorArrayStack{n}/TensorArrayGatherV3' for n in ('', '_2')]
ENDS_2 = 'stack_3', 'stack_9', 'BatchMultiClassNonMaxSuppression/stack_10'


def pipeline(predictor='mask_rcnn_box_predictor { use_dropout: false }', changes=()):
    text = PIPELINE.replace('PREDICTOR', predictor)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


class RegionDetector(Detector):
    def gathered(self, x, name):
        return self.named('TensorArrayGatherV3', [x, x, x], name, dtype=Type(1))

    def reshaped(self, x, name, *shape):
        return self.named('Reshape', [x, self.ints(*shape)], name, Tshape=Type(3))

    def dense_named(self, x, i, o, name):
        x = self.named('MatMul', [x, self.variable(name + '/weights', i, o)], name + '/MatMul', transpose_a=False, transpose_b=False)
        return self.named('BiasAdd', [x, self.variable(name + '/biases', o)], name + '/BiasAdd', data_format='NHWC')

    def first_stage(self, x, joined=('concat', 'concat_1'), ends=ENDS, sizes=()):
        """Features, and the names of what replaced parts of the network begin and end with."""
        self.picture_shape = self.named('Shape', [x], 'Shape', out_type=Type(3))
        x = self.named('Relu6', [self.conv(x, 3, 8, s=4)], 'FirstStageFeatureExtractor/Conv/Relu6')
        features = self.named('Relu6', [self.batch_norm(self.conv(x, 8, 12, s=2), 12)], 'FirstStageFeatureExtractor/Mixed')
        x = self.conv_named(features, 12, 16, 'Conv', self.variable('Conv/weights', 3, 3, 12, 16), self.variable('Conv/biases', 16), k=3)
        x = self.named('Relu6', [x], 'Conv/Relu6')
        parts = []
        for kind, size, name, end in zip(('BoxEncodingPredictor', 'ClassPredictor'), (4, 2), ('Reshape', 'Reshape_1'), joined):
            at = f'FirstStageBoxPredictor/{kind}'
            y = self.conv_named(x, 16, ANCHORS * size, at, self.variable(at + '/weights', 1, 1, 16, ANCHORS * size), self.variable(at + '/biases', ANCHORS * size))
            y = self.reshaped(y, f'FirstStageBoxPredictor/{name}', *([1, -1, 1, 4] if size == 4 else [1, -1, 2]))
            parts.append(self.named('Identity', [y], end) if end else y)
        anchors = self.named('Identity', [self.constant(np.zeros((4, 4)), name=self.scope + 'anchors')], 'GridAnchorGenerator/Identity')
        sizes = [self.named('Cast', [self.picture_shape], name, SrcT=Type(3), DstT=Type(1)) for name in sizes]
        nms = self.named('CombinedNonMaxSuppression', [*parts, anchors, self.picture_shape, *sizes], 'BatchMultiClassNonMaxSuppression/NMS')
        proposals, _, count = (self.gathered(nms, end) for end in ends)
        return features, proposals, count

    def cropped(self, features, proposals, name='CropAndResize', op='CropAndResize/CropAndResize', size=6):
        """Boxes of [1, n, 4] with the number of their picture, as the API computes it."""
        boxes = self.reshaped(proposals, name + '/boxes', -1, 4)
        shape = self.named('Shape', [proposals], name + '/Shape', out_type=Type(3))
        two = self.named('StridedSlice', [shape, self.ints(0), self.ints(2), self.ints(1)], name + '/strided_slice', T=Type(3), Index=Type(3))
        zeros = self.named('Fill', [two, self.constant(0, 'int32')], name + '/zeros', T=Type(3), index_type=Type(3))
        index = self.named('Reshape', [zeros, self.ints(-1)], name + '/index', T=Type(3), Tshape=Type(3))
        return self.named('CropAndResize', [features, boxes, index, self.ints(size, size)], op, method='bilinear', extrapolation_value=0.0)

    def second_stage(self, features, proposals, shared=False):
        x = self.cropped(features, proposals)
        x = self.named('MaxPool', [x], 'MaxPool2D/MaxPool', ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='VALID', data_format='NHWC')
        x = self.named('Relu6', [self.conv(x, 12, 16)], 'SecondStageFeatureExtractor/Mixed')
        y = self.named('Mean', [x, self.ints(1, 2)], 'SecondStageBoxPredictor/AvgPool', keep_dims=True, Tidx=Type(3))
        y = self.reshaped(y, 'SecondStageBoxPredictor/Flatten/flatten/Reshape', -1, 16)
        boxes = self.dense_named(y, 16, 4 if shared else CLASSES * 4, 'SecondStageBoxPredictor/BoxEncodingPredictor')
        boxes = self.reshaped(boxes, 'SecondStageBoxPredictor/Reshape', -1, 1, 1 if shared else CLASSES, 4)
        classes = self.dense_named(y, 16, CLASSES + 1, 'SecondStageBoxPredictor/ClassPredictor')
        classes = self.reshaped(classes, 'SecondStageBoxPredictor/Reshape_1', -1, 1, CLASSES + 1)
        return x, boxes, classes

    def seconds(self, proposals, boxes, sizes):
        return [self.named('ExpandDims', [proposals, self.constant(2, 'int32')], boxes, Tdim=Type(3)),
                self.named('Cast', [self.ints(1, 64, 64, 3)], sizes, SrcT=Type(3), DstT=Type(1))]

    def postprocessed_in_scope(self, boxes, classes, proposals, end='BatchMultiClassNonMaxSuppression/map/TensorArrayStack/TensorArrayGatherV3'):
        boxes = self.named('Squeeze', [boxes], 'Squeeze_2', squeeze_dims=[1])
        classes = self.named('Squeeze', [classes], 'Squeeze_3', squeeze_dims=[1])
        at = 'SecondStagePostprocessor/'
        parts = [self.reshaped(boxes, at + 'Reshape', 1, PROPOSALS, -1, 4), self.reshaped(classes, at + 'Reshape_1', 1, PROPOSALS, CLASSES + 1),
                 self.named('ExpandDims', [proposals, self.constant(2, 'int32')], at + 'ExpandDims', Tdim=Type(3))]
        return self.gathered(self.named('CombinedNonMaxSuppression', parts, at + 'NMS'), at + end)


def faster_rcnn():
    """Of TensorFlow 1."""
    g = RegionDetector()
    features, proposals, _ = g.first_stage(g.scaled_in_scope(g.picture()), ('concat/concat', 'concat_1/concat'))
    _, boxes, classes = g.second_stage(features, proposals)
    results(g, g.postprocessed_in_scope(boxes, classes, proposals), FIRST)
    return g.bytes, pipeline(), 'faster_rcnn_support_api_v1.15'


def faster_rcnn_first_version():
    """Boxes are cut before they are filtered, one box for all classes, scores that don't exclude each other."""
    g = RegionDetector()
    ends = [e.replace('map_2', 'map_1').replace('Stack_5', 'Stack_4') for e in ENDS]
    features, proposals, _ = g.first_stage(g.scaled_in_scope(g.picture()), (None, None), ends)
    _, boxes, classes = g.second_stage(features, proposals, shared=True)
    results(g, g.postprocessed_in_scope(boxes, classes, proposals), FIRST)
    changes = (('SOFTMAX', 'SIGMOID'), ('keep_aspect_ratio_resizer { min_dimension: 64 max_dimension: 96 }', 'fixed_shape_resizer { height: 48 width: 64 }'))
    return g.bytes, pipeline('mask_rcnn_box_predictor { share_box_across_classes: true }', changes), 'faster_rcnn_support'


def faster_rcnn_concat():
    """One scale of anchors, numbers of proposals in a constant, variances of its own."""
    g = RegionDetector()
    g.constant(300, name='mul/y')
    features, proposals, _ = g.first_stage(g.scaled_in_scope(g.picture()), ('concat', 'concat_1'))
    _, boxes, classes = g.second_stage(features, proposals)
    results(g, g.postprocessed_in_scope(boxes, classes, proposals), FIRST)
    changes = (('second_stage_box_predictor', 'box_coder { faster_rcnn_box_coder { y_scale: 8.0 x_scale: 8.0 height_scale: 4.0 width_scale: 4.0 } } second_stage_box_predictor'),
               ('max_dimension: 96', 'max_dimension: 96 pad_to_max_dimension: true'))
    return g.bytes, pipeline(changes=changes), 'faster_rcnn_support_api_v1.14'


def faster_rcnn_2():
    """Of TensorFlow 2 before 2.4."""
    g = RegionDetector('StatefulPartitionedCall/')
    x = g.scaled_between_nodes(g.picture('input_tensor'))
    features, proposals, _ = g.first_stage(x, ('concat/concat', 'concat_1/concat'), ENDS_2, ('Cast_1', 'Cast_2'))
    _, boxes, classes = g.second_stage(features, proposals)
    results(g, g.postprocessed_in_scope(boxes, classes, proposals, 'Cast_3'), SECOND)
    return g.bytes, pipeline(), 'faster_rcnn_support_api_v2.0'


def masks(g, x, features, boxes, classes, names):
    """Boxes of the second stage are cut out of the features again, and masks made of them."""
    nms = g.named('CombinedNonMaxSuppression', [boxes, classes, *names['more']], 'BatchMultiClassNonMaxSuppression_1/NMS')
    found, scores = (g.gathered(nms, end) for end in names['ends'])
    y = g.cropped(features, found, 'CropAndResize_1', names['crop'])
    if names['joined']:
        shape = g.named('Shape', [found], 'CropAndResize_1/Shape_1', out_type=Type(3))
        two = g.named('StridedSlice', [shape, g.ints(0), g.ints(2), g.ints(1)], 'CropAndResize_1/strided_slice_1', T=Type(3), Index=Type(3))
        shape = g.named('ConcatV2', [two, g.ints(6, 6, 12), g.constant(0, 'int32')], 'CropAndResize_1/concat', N=2, T=Type(3), Tidx=Type(3))
        if g.scope:
            shape = g.ints(1, 10, 6, 6, 12)
        y = g.named('Reshape', [y, shape], 'CropAndResize_1/Reshape' + ('' if g.scope else '_2'), Tshape=Type(3))
        y = g.reshaped(y, names['joined'], -1, 6, 6, 12)
    y = g.named('MaxPool', [y], 'MaxPool2D_1/MaxPool', ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='VALID', data_format='NHWC')
    y = g.named('Relu6', [g.conv(y, 12, 16)], 'SecondStageFeatureExtractor_1/Mixed')
    y = g.named('ResizeNearestNeighbor', [y, g.ints(6, 6)], 'Upsampled', align_corners=False, half_pixel_centers=False)
    at = names['masks'].rsplit('/', 1)[0]
    g.conv_named(y, 16, CLASSES, at, g.variable(at + '/weights', 3, 3, 16, CLASSES), g.variable(at + '/biases', CLASSES), k=3)
    return found, scores


def mask_rcnn():
    """Of TensorFlow 1."""
    g = RegionDetector()
    features, proposals, _ = g.first_stage(g.scaled_in_scope(g.picture()), ('concat/concat', 'concat_1/concat'))
    x, boxes, classes = g.second_stage(features, proposals)
    more = g.seconds(proposals, 'ExpandDims_6', 'Cast_5')
    masks(g, x, features, boxes, classes, {
        'more': more, 'ends': MASK_ENDS,
        'crop': 'CropAndResize_1/CropAndResize', 'joined': 'Reshape_10', 'masks': 'SecondStageBoxPredictor_1/Conv_1/BiasAdd'})
    return g.bytes, pipeline(), 'mask_rcnn_support_api_v1.15'


def mask_rcnn_first_version():
    g = RegionDetector()
    ends = [e.replace('map_2', 'map_1').replace('Stack_5', 'Stack_4') for e in ENDS]
    features, proposals, _ = g.first_stage(g.scaled_in_scope(g.picture()), (None, None), ends)
    x, boxes, classes = g.second_stage(features, proposals)
    more = g.seconds(proposals, 'ExpandDims_7', 'ToFloat_6')
    masks(g, x, features, boxes, classes, {
        'more': more, 'ends': MASK_ENDS,
        'crop': 'CropAndResize_1', 'joined': '', 'masks': 'SecondStageBoxPredictor_1/Conv_3/BiasAdd'})
    return g.bytes, pipeline(), 'mask_rcnn_support'


def mask_rcnn_2():
    g = RegionDetector('StatefulPartitionedCall/')
    x = g.scaled_between_nodes(g.picture('input_tensor'))
    features, proposals, _ = g.first_stage(x, ('concat/concat', 'concat_1/concat'), ENDS_2, ('Cast_1', 'Cast_2'))
    x, boxes, classes = g.second_stage(features, proposals)
    boxes = g.reshaped(boxes, 'Reshape_4', 1, PROPOSALS, -1, 4)
    classes = g.reshaped(classes, 'Reshape_5', 1, PROPOSALS, CLASSES + 1)
    more = g.seconds(proposals, 'ExpandDims_6', 'Cast_5')
    masks(g, x, features, boxes, classes, {
        'more': more, 'ends': ['BatchMultiClassNonMaxSuppression_1/stack_8', 'BatchMultiClassNonMaxSuppression_1/stack_6'],
        'crop': 'CropAndResize_1/CropAndResize', 'joined': 'Reshape_10',
        'masks': 'mask_rcnn_keras_box_predictor/mask_rcnn_mask_head/MaskPredictor_last_conv2d/BiasAdd'})
    return g.bytes, pipeline(), 'mask_rcnn_support_api_v2.0'


MODELS = {f.__name__: f for f in (faster_rcnn, faster_rcnn_first_version, faster_rcnn_concat, faster_rcnn_2, mask_rcnn, mask_rcnn_first_version, mask_rcnn_2)}
