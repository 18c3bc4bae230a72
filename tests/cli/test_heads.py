"""Detectors: what is said of their heads, what depthai's decoders are told, outputs that the camera decodes."""
import json
import os
import sys
import tarfile

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from onnx_model import OnnxModel

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'conformance'))
from ir_builder import Net  # noqa: E402

RNG = np.random.default_rng(3)
STRIDES = (8, 16, 32)
ANCHORS = [[10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119], [116, 90, 156, 198, 373, 326]]


class Yolo(OnnxModel):
    """Convolutions of one step for each stride, and what a head makes of them, for pictures of 64 x 96."""

    def __init__(self, height=64, width=96):
        super().__init__(13)
        self.height, self.width = height, width

    def convolution(self, stride, channels):
        w = RNG.standard_normal((channels, 3, stride, stride)) / stride / 60
        return self('Conv', 'images', w, RNG.standard_normal(channels), kernel_shape=[stride, stride], strides=[stride, stride])

    def cells(self, stride):
        h, w = self.height // stride, self.width // stride
        y, x = np.meshgrid(np.arange(h), np.arange(w), indexing='ij')
        return np.stack([x, y], -1).reshape(-1, 2).T + 0.5  # [2, cells]

    def save(self, path, *outputs, metadata=None, shape=None):
        shapes = [shape or (1, 3, self.height, self.width)]
        graph = helper.make_graph(self.nodes, 'net', [helper.make_tensor_value_info('images', TensorProto.FLOAT, s) for s in shapes],
                                  [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', self.opset)], ir_version=8)
        helper.set_model_props(model, metadata or {})
        onnx.save(model, path)


def distances_head(m, classes, extra=0, bins=16):
    """As Ultralytics has it since version 8: [1, 4 + classes + extra, cells]."""
    boxes, scores, more = [], [], []
    for s in STRIDES:
        boxes.append(m('Reshape', m.convolution(s, 4 * bins), np.array([1, 4 * bins, -1])))
        scores.append(m('Reshape', m.convolution(s, classes), np.array([1, classes, -1])))
        if extra:
            more.append(m('Reshape', m.convolution(s, extra), np.array([1, extra, -1])))
    box, score = m('Split', m('Concat', m('Concat', *boxes, axis=2), m('Concat', *scores, axis=2), axis=1), np.array([4 * bins, classes]), axis=1, outputs=2)
    shares = m('Softmax', m('Transpose', m('Reshape', box, np.array([1, 4, bins, -1])), perm=[0, 2, 1, 3]), axis=1)
    sides = m('Reshape', m('Conv', shares, np.arange(bins, dtype=np.float32).reshape(1, bins, 1, 1)), np.array([1, 4, -1]))
    low, high = m('Split', sides, np.array([2, 2]), axis=1, outputs=2)
    cells = np.concatenate([m.cells(s) for s in STRIDES], 1)[None]
    steps = np.concatenate([np.full(m.cells(s).shape[1], s) for s in STRIDES])[None, None].astype(np.float32)
    first, last = m('Sub', cells, low), m('Add', cells, high)
    box = m('Mul', m('Concat', m('Div', m('Add', first, last), np.array(2.0)), m('Sub', last, first), axis=1), steps)
    parts = [box, m('Sigmoid', score)] + ([m('Concat', *more, axis=2)] if extra else [])
    return m('Concat', *parts, axis=1)


def anchors_head(m, classes, exponential=False):
    """As YOLO v5 and v7 have it, or v3: [1, 3 * cells, 5 + classes]."""
    lists = []
    for s, anchors in zip(STRIDES, ANCHORS):
        h, w = m.height // s, m.width // s
        y = m('Transpose', m('Reshape', m.convolution(s, 3 * (5 + classes)), np.array([1, 3, 5 + classes, h, w])), perm=[0, 1, 3, 4, 2])
        grid = m.cells(s).T.reshape(1, 1, h, w, 2) - 0.5
        sides = np.array(anchors, np.float32).reshape(1, 3, 1, 1, 2)
        if exponential:
            xy, wh, rest = m('Split', y, np.array([2, 2, 1 + classes]), axis=4, outputs=3)
            xy, wh, rest = m('Mul', m('Add', m('Sigmoid', xy), grid), np.array(float(s))), m('Mul', m('Exp', wh), sides), m('Sigmoid', rest)
        else:
            xy, wh, rest = m('Split', m('Sigmoid', y), np.array([2, 2, 1 + classes]), axis=4, outputs=3)
            xy = m('Mul', m('Add', m('Mul', xy, np.array(2.0)), grid - 0.5), np.array(float(s)))
            wh = m('Mul', m('Pow', m('Mul', wh, np.array(2.0)), np.array(2.0)), sides)
        lists.append(m('Reshape', m('Concat', xy, wh, rest, axis=4), np.array([1, -1, 5 + classes])))
    return m('Concat', *lists, axis=1)


def converted(run, tmp_path, *options):
    done = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--json-config', tmp_path / 'c.json', *options)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((tmp_path / 'c.json').read_text())


def outputs_of(run, tmp_path, picture):
    np.save(tmp_path / 'x.npy', picture)
    done = run('run', tmp_path / 'm.blob', '--input', tmp_path / 'x.npy', '--output-dir', tmp_path / 'out', '--json')
    assert done.returncode == 0, done.stderr
    return {o['name']: np.load(o['file']) for o in json.loads(done.stdout)['outputs']}


@pytest.mark.parametrize('classes,extra', [(3, 0), (1, 0), (3, 32)])
def test_boxes_become_what_the_camera_decodes(run, tmp_path, classes, extra):
    m = Yolo()
    output = distances_head(m, classes, extra)
    more = [m.convolution(4, 32)] if extra else []
    m.save(tmp_path / 'm.onnx', output, *more, metadata={'names': str({i: f"it's {i}" for i in range(classes)})})
    text, config = converted(run, tmp_path)
    assert f'YOLOv8 (or v9, 11, 12), {classes} class' in text and '--yolo-head' in text and config['nn_config'] == {'output_format': 'raw', 'input_size': '96x64'}
    text, config = converted(run, tmp_path, '--yolo-head')
    assert "depthai's YoloDetectionNetwork" in text
    assert config['nn_config']['NN_specific_metadata'] == {'classes': classes, 'coordinates': 4, 'anchors': [], 'anchor_masks': {}, 'iou_threshold': 0.5, 'confidence_threshold': 0.5}
    assert config['mappings']['labels'] == [f"it's {i}" for i in range(classes)]
    picture = RNG.integers(0, 256, (1, 3, 64, 96)).astype(np.float32)
    got = outputs_of(run, tmp_path, picture)
    names = [f'output{i}_yolov6r2' for i in (1, 2, 3)]
    assert set(got) == {*names, *([f'output{i}_masks' for i in (1, 2, 3)] + ['protos_output'] if extra else [])}
    decoded = []
    for name, s in zip(names, STRIDES):
        y = got[name]
        assert y.shape == (1, 5 + classes, 64 // s, 96 // s)
        y = y.reshape(5 + classes, -1)
        np.testing.assert_array_equal(y[4], y[5:].max(0))
        first, last = m.cells(s) - y[:2], m.cells(s) + y[2:4]
        decoded.append(np.concatenate([(first + last) / 2 * s, (last - first) * s, y[5:]]))
    wanted = onnxruntime.InferenceSession(str(tmp_path / 'm.onnx')).run(None, {'images': picture})[0][0, :4 + classes]
    np.testing.assert_allclose(np.concatenate(decoded, 1), wanted, atol=0.6)
    np.testing.assert_allclose(np.concatenate(decoded, 1)[4:], wanted[4:], rtol=2e-3, atol=4e-3)


@pytest.mark.parametrize('exponential', [False, True])
def test_anchors_are_read_off_the_network(run, tmp_path, exponential):
    m = Yolo()
    m.save(tmp_path / 'm.onnx', anchors_head(m, 2, exponential))
    text, _ = converted(run, tmp_path)
    assert ('YOLOv3 or v4' if exponential else 'YOLOv5 or v7') in text and '2 classes' in text
    text, config = converted(run, tmp_path, '--yolo-head')
    told = config['nn_config']['NN_specific_metadata']
    assert told['anchors'] == sum(ANCHORS, []) and told['anchor_masks'] == {'side12': [0, 1, 2], 'side6': [3, 4, 5], 'side3': [6, 7, 8]}
    got = outputs_of(run, tmp_path, RNG.integers(0, 256, (1, 3, 64, 96)).astype(np.float32))
    ending = 'yolov3' if exponential else 'yolov5'
    assert {k: v.shape for k, v in got.items()} == {f'output{i + 1}_{ending}': (1, 21, 64 // s, 96 // s) for i, s in enumerate(STRIDES)}
    assert exponential or all((v >= 0).all() and (v <= 1).all() for v in got.values())
    assert run('compare', tmp_path / 'm.onnx', '--yolo-head').returncode == 0


def test_planes_of_cells_are_decoded_as_they_are(run, tmp_path):
    m = Yolo()
    m.save(tmp_path / 'm.onnx', *(m.convolution(s, 3 * 9) for s in STRIDES))
    text, config = converted(run, tmp_path)
    assert 'YOLOv3 or v4, 4 classes' in text and 'those of COCO' in text and config['nn_config']['NN_specific_metadata']['classes'] == 4


def test_regions_say_what_they_are(run, tmp_path):
    net = Net('regions')
    x = net.input(1, 3, 64, 96)
    for s, mask in ((32, [3, 4, 5]), (16, [1, 2, 3])):
        y = net.conv(x, 3, 21, s, s, p=0)
        net.result(net.layer('RegionYolo', [y], anchors='10,14,23,27,37,58,81,82,135,169,344,319', axis=1, classes=2, coords=4, do_softmax=False, end_axis=3, mask=mask, num=6))
    net.save(str(tmp_path / 'net'))
    done = run('convert', tmp_path / 'net.xml', '-o', tmp_path / 'm.blob', '--json-config', tmp_path / 'c.json')
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / 'c.json').read_text())['nn_config']['NN_specific_metadata']
    assert told['anchors'] == [23, 27, 37, 58, 81, 82, 81, 82, 135, 169, 344, 319] and told['anchor_masks'] == {'side6': [0, 1, 2], 'side3': [3, 4, 5]}


def test_archives_have_heads(run, tmp_path):
    m = Yolo()
    m.save(tmp_path / 'm.onnx', anchors_head(m, 2))
    assert run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.tar.xz', '--shaves', '4', '--yolo-head').returncode == 0
    with tarfile.open(tmp_path / 'm.tar.xz') as t:
        model = json.load(t.extractfile('config.json'))['model']
    head, = model['heads']
    assert head['parser'] == 'YOLO' and head['metadata']['subtype'] == 'yolov5' and head['metadata']['n_classes'] == 2 and head['metadata']['anchors'][0] == [[10, 13], [16, 30], [33, 23]]
    assert head['outputs'] == head['metadata']['yolo_outputs'] and set(head['outputs']) == {o['name'] for o in model['outputs']}


def sides_and_scores(m, classes, bins=16):
    """[1, 4, cells] from the middle of the cell, in cells; [1, classes, cells] between 0 and 1; middles of cells; steps."""
    boxes, scores = [], []
    for s in STRIDES:
        boxes.append(m('Reshape', m.convolution(s, 4 * bins), np.array([1, 4 * bins, -1])))
        scores.append(m('Reshape', m.convolution(s, classes), np.array([1, classes, -1])))
    shares = m('Softmax', m('Transpose', m('Reshape', m('Concat', *boxes, axis=2), np.array([1, 4, bins, -1])), perm=[0, 2, 1, 3]), axis=1)
    sides = m('Reshape', m('Conv', shares, np.arange(bins, dtype=np.float32).reshape(1, bins, 1, 1)), np.array([1, 4, -1]))
    cells = np.concatenate([m.cells(s) for s in STRIDES], 1)[None].astype(np.float32)
    steps = np.concatenate([np.full(m.cells(s).shape[1], s) for s in STRIDES])[None, None].astype(np.float32)
    return sides, m('Sigmoid', m('Concat', *scores, axis=2)), cells, steps


def by_level(m, channels):
    return m('Concat', *(m('Reshape', m.convolution(s, channels), np.array([1, channels, -1])) for s in STRIDES), axis=2)


@pytest.mark.parametrize('twice', [True, False])
def test_key_points_are_handed_over_in_pixels(run, tmp_path, twice):
    """As YOLOv8 has them, or YOLO26, whose points start in the middle of a cell."""
    m, points = Yolo(), 2
    sides, scores, cells, steps = sides_and_scores(m, 1)
    low, high = m('Split', sides, np.array([2, 2]), axis=1, outputs=2)
    first, last = m('Sub', cells, low), m('Add', cells, high)
    box = m('Mul', m('Concat', m('Div', m('Add', first, last), np.array(2.0)), m('Sub', last, first), axis=1), steps)
    xy, visible = m('Split', m('Reshape', by_level(m, 3 * points), np.array([1, points, 3, -1])), np.array([2, 1]), axis=2, outputs=2)
    xy = m('Mul', xy, np.array(2.0)) if twice else xy
    xy = m('Mul', m('Add', xy, (cells - 0.5 if twice else cells)[None]), steps[None])
    together = m('Reshape', m('Concat', xy, m('Sigmoid', visible), axis=2), np.array([1, 3 * points, -1]))
    m.save(tmp_path / 'm.onnx', m('Concat', box, scores, together, axis=1))
    text, _ = converted(run, tmp_path, '--yolo-head')
    assert '2 key points' in text
    picture = RNG.integers(0, 256, (1, 3, 64, 96)).astype(np.float32)
    got = outputs_of(run, tmp_path, picture)
    wanted = onnxruntime.InferenceSession(str(tmp_path / 'm.onnx')).run(None, {'images': picture})[0][0, 5:]
    decoded = np.concatenate([got[f'kpt_output{i}'].reshape(3 * points, -1) for i in (1, 2, 3)], 1)
    decoded[2::3] = 1 / (1 + np.exp(-decoded[2::3]))
    np.testing.assert_allclose(decoded, wanted, atol=0.6)
    assert run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.tar.xz', '--shaves', '4', '--yolo-head').returncode == 0
    with tarfile.open(tmp_path / 'm.tar.xz') as t:
        head, = json.load(t.extractfile('config.json'))['model']['heads']
    assert head['parser'] == 'YOLOExtendedParser' and head['metadata']['n_keypoints'] == 2
    assert head['metadata']['keypoints_outputs'] == ['kpt_output1', 'kpt_output2', 'kpt_output3']


@pytest.mark.parametrize('plain', [False, True])
def test_boxes_may_be_turned(run, tmp_path, plain):
    """The angle as YOLOv8 has it, or as the convolution gives it (YOLO26)."""
    m = Yolo()
    sides, scores, cells, steps = sides_and_scores(m, 2)
    angle = by_level(m, 1)
    if not plain:
        angle = m('Mul', m('Sub', m('Sigmoid', angle), np.array(0.25)), np.array(np.pi))
    low, high = m('Split', sides, np.array([2, 2]), axis=1, outputs=2)
    dx, dy = m('Split', m('Div', m('Sub', high, low), np.array(2.0)), np.array([1, 1]), axis=1, outputs=2)
    cos, sin = m('Cos', angle), m('Sin', angle)
    middle = m('Concat', m('Sub', m('Mul', dx, cos), m('Mul', dy, sin)), m('Add', m('Mul', dx, sin), m('Mul', dy, cos)), axis=1)
    box = m('Mul', m('Concat', m('Add', middle, cells), m('Add', low, high), axis=1), steps)
    m.save(tmp_path / 'm.onnx', m('Concat', box, scores, angle, axis=1))
    text, _ = converted(run, tmp_path, '--yolo-head')
    assert 'rotated boxes, 2 classes' in text
    picture = RNG.integers(0, 256, (1, 3, 64, 96)).astype(np.float32)
    got = outputs_of(run, tmp_path, picture)
    wanted = onnxruntime.InferenceSession(str(tmp_path / 'm.onnx')).run(None, {'images': picture})[0][0]
    assert set(got) == {'output1_yolov6r2', 'output2_yolov6r2', 'output3_yolov6r2', 'angle_output'}
    np.testing.assert_allclose(got['angle_output'].reshape(-1), wanted[6], rtol=2e-3, atol=4e-3)


@pytest.mark.parametrize('decoded', [False, True])
def test_yolox_is_decoded_from_offsets(run, tmp_path, decoded):
    m, classes = Yolo(), 3
    lists = [m('Reshape', m('Concat', m.convolution(s, 4), m('Sigmoid', m.convolution(s, 1)), m('Sigmoid', m.convolution(s, classes)), axis=1),
               np.array([1, 5 + classes, -1])) for s in STRIDES]
    y = m('Transpose', m('Concat', *lists, axis=2), perm=[0, 2, 1])
    cells = (np.concatenate([m.cells(s) for s in STRIDES], 1).T - 0.5)[None].astype(np.float32)
    steps = np.concatenate([np.full(m.cells(s).shape[1], s) for s in STRIDES])[None, :, None].astype(np.float32)
    if decoded:
        xy, wh, rest = m('Split', y, np.array([2, 2, 1 + classes]), axis=2, outputs=3)
        y = m('Concat', m('Mul', m('Add', xy, cells), steps), m('Mul', m('Exp', wh), steps), rest, axis=2)
    m.save(tmp_path / 'm.onnx', y)
    text, _ = converted(run, tmp_path)
    assert 'YOLOX, 3 classes' in text and '--yolo-head' in text
    text, config = converted(run, tmp_path, '--yolo-head')
    assert "depthai's YoloDetectionNetwork" in text and config['nn_config']['NN_specific_metadata']['anchors'] == []
    picture = RNG.integers(0, 256, (1, 3, 64, 96)).astype(np.float32)
    got = outputs_of(run, tmp_path, picture)
    wanted = onnxruntime.InferenceSession(str(tmp_path / 'm.onnx')).run(None, {'images': picture})[0]
    numbers = np.concatenate([got[f'output{i}_yolov6'].reshape(1, 5 + classes, -1) for i in (1, 2, 3)], 2).transpose(0, 2, 1)
    if decoded:
        numbers = np.concatenate([(numbers[..., :2] + cells) * steps, np.exp(numbers[..., 2:4]) * steps, numbers[..., 4:]], 2)
    np.testing.assert_allclose(numbers, wanted, rtol=0.02, atol=0.2 if decoded else 0.01)


def test_nanodet_is_told_apart(run, tmp_path):
    m, classes, bins = Yolo(), 3, 8
    lists = []
    for s in STRIDES:
        scores, sides = m('Split', m.convolution(s, classes + 4 * bins), np.array([classes, 4 * bins]), axis=1, outputs=2)
        lists.append(m('Reshape', m('Concat', m('Sigmoid', scores), sides, axis=1), np.array([1, classes + 4 * bins, -1])))
    m.save(tmp_path / 'm.onnx', m('Transpose', m('Concat', *lists, axis=2), perm=[0, 2, 1]))
    text, _ = converted(run, tmp_path)
    assert 'NanoDet (8 bins for each side), 3 classes, strides 8, 16, 32' in text
    done = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--yolo-head')
    assert done.returncode == 2 and 'NanoDet' in done.stderr


def test_what_the_camera_can_not_decode_is_refused(run, tmp_path):
    m = Yolo()
    m.save(tmp_path / 'm.onnx', distances_head(m, 2, extra=51))
    done = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--yolo-head')
    assert done.returncode == 2 and 'key points' in done.stderr and not (tmp_path / 'm.blob').exists()
    net = Yolo()
    net.save(tmp_path / 'm.onnx', net('Relu', net.convolution(8, 4)))
    for option in (['--yolo-head'], ['--json-config', tmp_path / 'c.json']):
        done = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', *option)
        assert done.returncode == 2 and 'recognised' in done.stderr, option


def test_sizes_that_strides_do_not_divide(run, tmp_path):
    m = Yolo()
    m.save(tmp_path / 'm.onnx', distances_head(m, 2), metadata={'stride': '32'}, shape=(1, 3, 'h', 'w'))
    done = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--input-shape', 'images=1,3,300,416')
    assert done.returncode == 1 and 'multiples of 32' in done.stderr and '288x416 and 320x416' in done.stderr


def test_a_number_beside_a_plane_is_no_detector(run, tmp_path):
    """A loss and the logarithms that it is made of: one output has no axes at all."""
    nodes = [helper.make_node('LogSoftmax', ['x'], ['plane'], axis=1), helper.make_node('ReduceMean', ['plane'], ['loss'], keepdims=0)]
    for order in (['loss', 'plane'], ['plane', 'loss']):
        graph = helper.make_graph(nodes, 'g', [helper.make_tensor_value_info('x', TensorProto.FLOAT, [1, 5, 2, 7])],
                                  [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in order])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)]), tmp_path / 'm.onnx')
        done = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob')
        assert done.returncode == 0, done.stderr


def head_of(run, tmp_path):
    done = run('convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob', '--json', '--json-config', tmp_path / 'm.json')
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)['head'], json.load(open(tmp_path / 'm.json'))['nn_config']['host']


def rows(m, values, *more):
    """[1, k * columns, H, W] of each stride as [1, k * H * W, columns]"""
    return [m('Reshape', m('Transpose', v, perm=[0, 2, 3, 1]), np.array([1, -1, columns])) for v, columns in zip(values, more)]


@pytest.mark.parametrize('normalised', [False, True])
def test_boxes_and_scores_in_two_lists(run, tmp_path, normalised):
    """As PP-YOLOE, PicoDet and DAMO-YOLO are exported: as many boxes as scores, four numbers each."""
    m = Yolo()
    cells = np.concatenate([m.cells(s) * s for s in STRIDES], 1)[None].transpose(0, 2, 1).astype(np.float32)
    sides = m('Concat', *[m('Mul', r, np.float32(s)) for s, r in zip(STRIDES, rows(m, [m.convolution(s, 4) for s in STRIDES], 4, 4, 4))], axis=1)
    low, high = m('Split', sides, np.array([2, 2]), axis=2, outputs=2)
    boxes = m('Concat', m('Sub', cells, low), m('Add', cells, high), axis=2)
    if normalised:
        boxes = m('Div', boxes, np.array([96, 64, 96, 64], np.float32))
    scores = m('Sigmoid', m('Concat', *rows(m, [m.convolution(s, 4) for s in STRIDES], 4, 4, 4), axis=1))
    m.save(tmp_path / 'm.onnx', scores, boxes)
    head, host = head_of(run, tmp_path)
    assert head['classes'] == 4 and not head['camera_decodes'] and head['strides'] == [8, 16, 32] and head['outputs'] == [boxes]
    assert host['scores'] == [scores] and host['boxes'] == [boxes] and host['box_values'] == 'corners in ' + ('parts of the picture' if normalised else 'pixels')


def test_lists_for_each_stride(run, tmp_path):
    """SCRFD: scores, sides and five key points, two of each for a cell."""
    m = Yolo()
    scores = [m('Sigmoid', r) for r in rows(m, [m.convolution(s, 2) for s in STRIDES], 1, 1, 1)]
    boxes, points = rows(m, [m.convolution(s, 8) for s in STRIDES], 4, 4, 4), rows(m, [m.convolution(s, 20) for s in STRIDES], 10, 10, 10)
    m.save(tmp_path / 'm.onnx', *scores, *boxes, *points)
    head, host = head_of(run, tmp_path)
    assert 'SCRFD' in head['family'] and head['classes'] == 1 and host['boxes_of_cell'] == 2
    assert (host['scores'], host['boxes'], host['key_points']) == (scores, boxes, points) and 'as the convolutions' in host['box_values']


def test_masks_of_prototypes(run, tmp_path):
    """YOLACT: boxes of anchors that the host knows, classes with the background, coefficients, prototypes."""
    m = Yolo()
    lists = lambda channels: m('Concat', *rows(m, [m.convolution(s, 3 * channels) for s in STRIDES], *[channels] * 3), axis=1)  # noqa: E731
    boxes, scores, parts = lists(4), m('Softmax', lists(6), axis=2), m('Tanh', lists(8))
    prototypes = m('Relu', m.convolution(4, 8))
    m.save(tmp_path / 'm.onnx', boxes, scores, parts, prototypes)
    head, host = head_of(run, tmp_path)
    assert head['family'] == 'YOLACT' and head['classes'] == 6 and host['background'] and host['boxes_of_cell'] == 3
    assert host['mask_coefficients'] == [parts] and host['mask_prototypes'] == prototypes and host['scores'] == [scores]
