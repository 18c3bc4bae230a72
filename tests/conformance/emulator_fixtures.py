#!/usr/bin/env python3
"""Runs the blobs of real conversions and holds the results against what OpenVINO computed from the same IR on a CPU.

  emulator_fixtures.py [--tool build/blobsmith] [--shared DIR] [-k NAME] [-v]

A fixture is a folder with model.xml, model.blob (of the reference compiler) and ir_io.npz ("in:NAME", "out:NAME"). Where the
inputs don't fit the bytes that the blob takes, the IR is compiled again with FP16 inputs. Exit 1 if a result is wrong
that is not among the known ones below.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
RELATIVE, ABSOLUTE = 2e-2, 2e-3

# What the blobs themselves get wrong (docs/quirks.md, docs/emulator.md): folder -> why.
OVERHANG = 'windows of an average pool that hang over: by the whole kernel (OpenVINO) or by what is inside (ONNX Runtime)'
KNOWN = {
    'caffe/lenet': OVERHANG,
    'caffe/lenet_preproc': OVERHANG,
    'caffe/lenet_shape': OVERHANG,
    'caffe/mean_file': OVERHANG,
    'mxnet/ssd': 'boxes whose scores differ by less than FP16 can tell trade places',
    'mxnet/symbolic': 'the groups of a grouped deconvolution get each other\'s kernels',
    'mxnet/upsample_in': 'MVN with eps inside the square root is executed with eps outside',
    'onnx/avgpool_pads': 'average pools of the hardware count padding, also where it is excluded',
    'tf/l2norm': 'eps of 1e-12 becomes 0 in the blob: a vector of zeros gives 0/0',
}


def call(*args):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=600)


def fits_bytes(value):
    return np.array_equal(value, np.clip(np.rint(value), 0, 255))


def blob_for(tool, folder, inputs, work):
    """The reference compiler's blob, or one of ours with FP16 inputs; (path, error)."""
    given = os.path.join(folder, 'model.blob')
    if os.path.exists(given):
        facts = json.loads(call(tool, 'inspect', given, '--json').stdout)
        if all(fits_bytes(inputs[i['name']]) for i in facts['inputs'] if i['type'] == 'U8' and i['name'] in inputs):
            return given, None
    blob = os.path.join(work, 'model.blob')
    done = call(tool, 'compile', '-m', os.path.join(folder, 'model.xml'), '-o', blob, '-ip', 'FP16')
    return (blob, None) if done.returncode == 0 else (None, done.stderr.strip().splitlines()[0])


def check(tool, folder, work):
    """(verdict, text): 'ok', 'wrong', 'refused', 'skipped'"""
    if not os.path.exists(os.path.join(folder, 'ir_io.npz')):
        return 'skipped', 'no reference'
    with np.load(os.path.join(folder, 'ir_io.npz')) as z:
        inputs = {k[3:]: z[k] for k in z if k.startswith('in:')}
        outputs = {k[4:]: z[k] for k in z if k.startswith('out:')}
    blob, error = blob_for(tool, folder, inputs, work)
    if not blob:
        return 'refused', error
    archive = os.path.join(work, 'in.npz')
    np.savez(archive, **inputs)
    done = call(tool, 'run', blob, '--input', archive, '--output-dir', work, '--json')
    if done.returncode:
        return 'wrong', done.stderr.strip().splitlines()[0]
    worst = (0.0, 'no output in common')
    for out in json.loads(done.stdout)['outputs']:
        if out['name'] not in outputs:
            return 'wrong', f'an output {out["name"]}, expected {sorted(outputs)}'
        got, want = np.load(out['file']).astype(np.float64).ravel(), outputs[out['name']].astype(np.float64).ravel()
        if got.size != want.size:
            return 'wrong', f'{out["name"]}: {got.size} values, expected {want.size}'
        relative, largest = np.linalg.norm(got - want) / (np.linalg.norm(want) + 1e-12), np.abs(got - want).max(initial=0)
        if not (relative <= RELATIVE or largest <= ABSOLUTE):
            return 'wrong', f'{out["name"]}: relative error {relative:.2g}, largest {largest:.2g}'
        worst = max(worst, (relative, f'relative error {relative:.1e}'))
    return 'ok', worst[1]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', default='build/blobsmith')
    ap.add_argument('--shared', default=os.environ.get('BLOBSMITH_SHARED', os.path.join(HERE, '..', '..', '..', 'shared')))
    ap.add_argument('-k', default='')
    ap.add_argument('-v', action='store_true')
    a = ap.parse_args()
    root = os.path.join(a.shared, 'fixtures', 'mo')
    if not os.path.isdir(root):
        print('skipped: no fixtures')
        return 0
    count, bad = {}, 0
    for xml in sorted(glob.glob(os.path.join(root, '*', '*', 'model.xml'))):
        folder = os.path.dirname(xml)
        name = os.path.relpath(folder, root)
        if not re.search(a.k, name):
            continue
        with tempfile.TemporaryDirectory() as work:
            verdict, text = check(a.tool, folder, work)
        if verdict == 'wrong' and name in KNOWN:
            verdict, text = 'known', KNOWN[name]
        count[verdict] = count.get(verdict, 0) + 1
        bad += verdict == 'wrong'
        if a.v or verdict != 'ok':
            print(f'{verdict:8} {name:40} {text}')
    print(', '.join(f'{n} {v}' for v, n in sorted(count.items())))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
