#!/usr/bin/env python3
"""Holds the reference executor (`blobsmith run MODEL`) against ONNX Runtime, over a corpus of models.

  reference_executor.py [CORPUS] [--tool build/blobsmith] [--level 0,1] [-k REGEX] [--from onnx,ir] [-v]

CORPUS is a folder with index.json: a list of {"name", "level", "onnx", "xml"}, paths relative to the folder; nothing is done where there is
none. The ONNX file must
agree to 1e-4 (relative, L2), the IR, whose constants are FP16, to 2e-2. Exit code: 0 when all agree but those that are known not to.
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
import onnx
import onnxruntime

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORPUS = os.path.join(os.environ.get('MYRIAD_CORPUS', os.path.expanduser('~/.cache/myriad-corpus')), 'corpus')
# (source, model) -> why its numbers are others.
KNOWN = {
    ('ir', 'softmax_ax1'): 'Model Optimizer flattens the Softmax of opset 13 (docs/quirks.md)',
    ('ir', 'softmax_ax2'): 'Model Optimizer flattens the Softmax of opset 13 (docs/quirks.md)',
    ('onnx', 'cast_f32_10'): 'a conversion to FP16, which is computed in FP32',
    ('onnx', 'eyelike'): 'only the shape of its input is used: the network has no input',
    ('ir', 'eyelike'): 'only the shape of its input is used: the network has no input',
    ('ir', 'argmax_seg'): 'FP16 constants: classes of nearly the same score trade places',
}
LIMITS = {'onnx': 1e-4, 'ir': 2e-2}
TYPES = {'tensor(float)': np.float32, 'tensor(float16)': np.float16, 'tensor(double)': np.float64, 'tensor(int64)': np.int64, 'tensor(int32)': np.int32, 'tensor(bool)': np.bool_, 'tensor(uint8)': np.uint8}


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('corpus', nargs='?', default=CORPUS)
    ap.add_argument('--tool', default=os.path.join(ROOT, 'build', 'blobsmith'))
    ap.add_argument('--level', default='0,1,2,3')
    ap.add_argument('-k', default='')
    ap.add_argument('--from', dest='sources', default='onnx,ir')
    ap.add_argument('-v', action='store_true', help='list the models that agree too')
    return ap.parse_args()


def regions(path):
    """Inputs [image, x1, y1, x2, y2]."""
    return {n.input[1] for n in onnx.load(path, load_external_data=False).graph.node if n.op_type == 'MaxRoiPool'}


def make_inputs(session, path):
    rng = np.random.default_rng(1)
    arrays = {}
    for i in session.get_inputs():
        shape = [d if isinstance(d, int) else 1 for d in i.shape]
        kind = TYPES[i.type]
        arrays[i.name] = (rng.random(shape) * 2 - 1).astype(kind) if np.issubdtype(kind, np.floating) else rng.integers(0, 2, shape).astype(kind)
    for name in regions(path) & arrays.keys():
        corners = np.sort(rng.uniform(0, 30, (len(arrays[name]), 2, 2)), axis=1).reshape(-1, 4)
        arrays[name] = np.concatenate([np.zeros((len(corners), 1)), corners], axis=1).astype(np.float32)
    return arrays


def relative_error(got, expected):
    got, expected = got.astype(np.float64).ravel(), expected.astype(np.float64).ravel()
    if got.size != expected.size:
        return float('inf')
    special = ~np.isfinite(expected)
    if not np.array_equal(got[special], expected[special], equal_nan=True):
        return float('inf')
    got, expected = got[~special], expected[~special]
    difference = np.linalg.norm(got - expected)
    return 0.0 if difference == 0 else float(difference / max(np.linalg.norm(expected), 1e-6))


def run_tool(tool, model, inputs, folder):
    np.savez(folder + '/in.npz', **inputs)
    r = subprocess.run([tool, 'run', model, '--input', folder + '/in.npz', '--output-dir', folder + '/out', '--json'], capture_output=True, text=True, timeout=600)
    if r.returncode:
        raise RuntimeError(r.stderr.strip().split('\n')[0])
    answer = json.loads(r.stdout)
    return answer['milliseconds'], [(o['name'], np.load(o['file'])) for o in answer['outputs']]


def compare(names, expected, got):
    """Outputs by name; those named otherwise in the order that remains."""
    got, worst = list(got), 0.0
    pairs, rest = [], []
    for name, value in zip(names, expected):
        match = next((g for g in got if g[0] == name), None)
        if match:
            got.remove(match)
            pairs.append((value, match[1]))
        else:
            rest.append(value)
    for value in rest:
        match = next((g for g in got if g[1].size == value.size), None)
        if not match:
            return float('inf')
        got.remove(match)
        pairs.append((value, match[1]))
    for value, mine in pairs:
        worst = max(worst, relative_error(mine, value))
    return worst


def check(a, entry, source, session, inputs, expected, names):
    path = entry['onnx'] if source == 'onnx' else entry['xml']
    with tempfile.TemporaryDirectory() as folder:
        try:
            ms, got = run_tool(a.tool, os.path.join(a.corpus, path), inputs, folder)
        except (RuntimeError, subprocess.TimeoutExpired) as e:
            return str(e), 0
    error = compare(names, expected, got)
    return (None if error <= LIMITS[source] else f'relative error {error:.2e}'), ms


def main():
    a = arguments()
    levels = {int(x) for x in a.level.split(',')}
    counts = {s: collections.Counter() for s in a.sources.split(',')}
    index = os.path.join(a.corpus, 'index.json')
    if not os.path.exists(index):
        print(f'skipped: {index} is missing')
        return
    with open(index) as f:
        entries = json.load(f)
    for entry in entries:
        if entry['level'] not in levels or 'onnx' not in entry or not re.search(a.k, entry['name']):
            continue
        try:
            session = onnxruntime.InferenceSession(os.path.join(a.corpus, entry['onnx']), providers=['CPUExecutionProvider'])
            inputs = make_inputs(session, os.path.join(a.corpus, entry['onnx']))
            names = [o.name for o in session.get_outputs()]
            expected = [np.asarray(v) for v in session.run(None, inputs)]
        except Exception as e:  # ONNX Runtime has many types of its own
            print(f'skip {entry["name"]}: ONNX Runtime: {str(e)[:150]}')
            continue
        for source in counts:
            if source == 'ir' and 'xml' not in entry:
                continue
            problem, ms = check(a, entry, source, session, inputs, expected, names)
            known = KNOWN.get((source, entry['name']))
            verdict = 'ok' if not problem else 'known' if known else 'FAIL'
            counts[source][verdict] += 1
            if verdict == 'FAIL' or a.v:
                print(f'{verdict:5} {source:4} L{entry["level"]} {entry["name"]}: {problem or ""} {known if problem and known else ""} {ms:.0f} ms', flush=True)
    for source, count in counts.items():
        print(f'{source}: {count["ok"]} agree, {count["known"]} are known to differ, {count["FAIL"]} differ')
    sys.exit(1 if any(count['FAIL'] for count in counts.values()) else 0)


if __name__ == '__main__':
    main()
