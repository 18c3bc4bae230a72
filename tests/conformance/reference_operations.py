#!/usr/bin/env python3
"""Holds the reference executor (`blobsmith run MODEL`) against OpenVINO's CPU plugin, operation by operation.

  reference_operations.py [--tool build/blobsmith] [-k REGEX] [-v]

The networks are those of single_op_models.py and reference_op_models.py, in single precision. Needs the PyPI package openvino
(requirements.txt; nothing is done where it is missing). Exit code 1 when a network gives other numbers, or blobsmith computes none where OpenVINO does.
"""
import functools
import os
import subprocess
import sys

import numpy as np

try:
    import openvino
except ImportError:
    openvino = None

import ir_builder
import operation_runs
import reference_op_models
import single_op_models

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


def save(case, number, folder):
    """The path of the network in single precision."""
    operation_runs.saved(case, number, folder)
    path = os.path.join(folder, 'net.xml')
    with open(path) as f:
        xml = f.read()
    with open(path, 'w') as f:
        f.write(xml.replace('"f16"', '"f32"').replace('FP16', 'FP32'))
    return path


def parameters(model):
    for p in model.get_parameters():
        yield p.get_friendly_name(), [d.get_length() for d in p.get_partial_shape()], p.get_element_type().to_dtype()


def expected(core, path, arrays):
    compiled = core.compile_model(core.read_model(path), 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
    answer = compiled(arrays)
    return [np.array(answer[o]) for o in compiled.outputs]


def computed(tool, folder, arrays):
    code, answer, problem = operation_runs.call(tool, 'run', folder, arrays, '--output-dir', os.path.join(folder, 'out'), timeout=100)
    if code:
        raise RuntimeError(problem.split('\n')[0] or f'exit code {code}')
    return [np.load(o['file']) for o in answer['outputs']]


def difference(got, want):
    if got.size != want.size:
        return f'{got.shape} instead of {want.shape}'
    got, want = got.astype(np.float64).ravel(), want.astype(np.float64).ravel()
    finite = np.isfinite(want)
    if not np.array_equal(got[~finite], want[~finite], equal_nan=True):
        return 'other places of infinity'
    norm = np.linalg.norm((got - want)[finite]) / max(np.linalg.norm(want[finite]), 1e-6)
    return '' if norm <= LIMIT else f'relative error {norm:.1e}'


def judge(tool, core, case, number, folder):
    path = save(case, number, folder)
    try:
        arrays = operation_runs.inputs(case, number, parameters(core.read_model(path)))
        want = expected(core, path, arrays)
    except RuntimeError as e:
        return 'skip', 'OpenVINO: ' + str(e).strip().split('\n')[-1][:120]
    try:
        got = computed(tool, folder, arrays)
    except (RuntimeError, subprocess.TimeoutExpired) as e:
        return 'FAIL', str(e)
    problems = [d for d in map(difference, got, want) if d]
    if not problems and len(got) == len(want):
        return 'ok', ''
    known = operation_runs.known_reason(KNOWN, case)
    return ('known', known) if known else ('FAIL', '; '.join(problems))


def main():
    a = operation_runs.arguments(__doc__, 'list the networks that agree too')
    if not openvino:
        print('skipped: the Python package openvino is not here')
        return 0
    counts = operation_runs.judge_all(CASES, a, functools.partial(judge, a.tool, openvino.Core()), () if a.v else ('ok',))
    print(f'{counts["ok"]} of {counts["ok"] + counts["FAIL"]} agree, {counts["known"]} are known to differ, {counts["skip"]} OpenVINO does not run')
    return 1 if counts['FAIL'] else 0


if __name__ == '__main__':
    sys.exit(main())
