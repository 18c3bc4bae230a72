#!/usr/bin/env python3
"""Holds the reference executor (`blobsmith run MODEL`) against OpenVINO's CPU plugin, operation by operation.

  reference_operations.py [--tool build/blobsmith] [-k REGEX] [-v]

The networks are those of single_op_models.py and reference_op_models.py, in single precision. Needs the PyPI package openvino
(requirements.txt; nothing is done where it is missing). Exit code 1 when a network gives other numbers, or blobsmith computes none where OpenVINO does.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

try:
    import openvino
except ImportError:
    openvino = None

import ir_builder
import reference_op_models
import single_op_models

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CASES = single_op_models.CASES + reference_op_models.CASES
LIMIT = 1e-4
# Networks about which current versions of OpenVINO think otherwise, and why.
KNOWN = {
    'Einsum ab,bc': 'without an arrow OpenVINO 2021.4 gives every label once; later ones do as numpy',
    'ROIAlign max': 'the largest weighted pixel, as in OpenVINO 2021.4 and ONNX Runtime; later ones take the largest sample',
    'Gather negative indices': 'counted from the back, as later opsets define',
    'GatherTree inputs': 'parents that do not exist',
    'EmbeddingSegmentsSum indices': 'segments out of order',
    'MaxPool k2 s2 p1 ceil': 'windows of nothing but padding',
    'AvgPool k2 s2 p1 ceil': 'windows of nothing but padding',
    'Interpolate opset4 antialias': 'the CPU plugin leaves antialias out',
    'NonMaxSuppression no thresholds': 'boxes go that overlap by more than the threshold, which is 0; in OpenVINO those that touch nothing go too',
    'LSTMSequence clipped': 'the cell state is clipped in front of its activation too, as ONNX and ONNX Runtime do',
    'CTCLoss plain': 'attributes with a default that OpenVINO leaves without a value',
}
ir_builder.TYPES['f16'] = np.float32  # save() then writes the name of that type


def save(op, build, number, path):
    net = ir_builder.Net(op, number)
    build(net)
    net.save(path)
    with open(path + '.xml') as f:
        xml = f.read()
    with open(path + '.xml', 'w') as f:
        f.write(xml.replace('"f16"', '"f32"').replace('FP16', 'FP32'))


def values(op, parameter, rng):
    return reference_op_models.values(op, parameter.get_friendly_name(), [d.get_length() for d in parameter.get_partial_shape()], parameter.get_element_type().to_dtype(), rng)


def expected(core, path, inputs):
    compiled = core.compile_model(core.read_model(path), 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
    answer = compiled(inputs)
    return [np.array(answer[o]) for o in compiled.outputs]


def computed(tool, path, inputs, folder):
    np.savez(os.path.join(folder, 'in.npz'), **inputs)
    given = ['--input', os.path.join(folder, 'in.npz')] if inputs else []
    r = subprocess.run([tool, 'run', path, *given, '--output-dir', os.path.join(folder, 'out'), '--json'], capture_output=True, text=True, timeout=100)
    if r.returncode:
        raise RuntimeError(r.stderr.strip().split('\n')[0] or f'exit code {r.returncode}')
    return [np.load(o['file']) for o in json.loads(r.stdout)['outputs']]


def difference(got, want):
    if got.size != want.size:
        return f'{got.shape} instead of {want.shape}'
    got, want = got.astype(np.float64).ravel(), want.astype(np.float64).ravel()
    finite = np.isfinite(want)
    if not np.array_equal(got[~finite], want[~finite], equal_nan=True):
        return 'other places of infinity'
    norm = np.linalg.norm((got - want)[finite]) / max(np.linalg.norm(want[finite]), 1e-6)
    return '' if norm <= LIMIT else f'relative error {norm:.1e}'


def judge(tool, core, number, folder):
    op, variant, build = CASES[number]
    path = os.path.join(folder, 'net.xml')
    save(op, build, number, path[:-4])
    try:
        model = core.read_model(path)
        rng = np.random.default_rng(number)
        inputs = {p.get_friendly_name(): values(op, p, rng) for p in model.get_parameters()}
        want = expected(core, path, inputs)
    except RuntimeError as e:
        return 'skip', 'OpenVINO: ' + str(e).strip().split('\n')[-1][:120]
    try:
        got = computed(tool, path, inputs, folder)
    except (RuntimeError, subprocess.TimeoutExpired) as e:
        return 'FAIL', str(e)
    known = next((why for name, why in KNOWN.items() if f'{op} {variant}'.startswith(name)), None)
    problems = [d for d in map(difference, got, want) if d]
    if not problems and len(got) == len(want):
        return 'ok', ''
    return ('known', known) if known else ('FAIL', '; '.join(problems))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', default=os.path.join(ROOT, 'build', 'blobsmith'))
    ap.add_argument('-k', dest='pattern', default='', help='only networks whose "operation variant" matches')
    ap.add_argument('-v', action='store_true', help='list the networks that agree too')
    a = ap.parse_args()
    if not openvino:
        print('skipped: the Python package openvino is not here')
        return 0
    core, counts = openvino.Core(), collections.Counter()
    for number, (op, variant, _) in enumerate(CASES):
        if not re.search(a.pattern, f'{op} {variant}'):
            continue
        with tempfile.TemporaryDirectory() as folder:
            verdict, why = judge(a.tool, core, number, folder)
        counts[verdict] += 1
        if verdict != 'ok' or a.v:
            print(f'{verdict:5} {op} {variant}: {why}', flush=True)
    print(f'{counts["ok"]} of {counts["ok"] + counts["FAIL"]} agree, {counts["known"]} are known to differ, {counts["skip"]} OpenVINO does not run')
    return 1 if counts['FAIL'] else 0


if __name__ == '__main__':
    sys.exit(main())
