#!/usr/bin/env python3
"""Compares every small network's blob with the network in FP32 (`blobsmith compare`): what differs must be a known fault of Intel's compiler.

  compare_operations.py [--tool build/blobsmith] [-k REGEX] [-v]

The networks are those of single_op_models.py, reference_op_models.py, dynamic_models.py, pattern_models.py, loop_models.py and avoided_models.py. Exit
code 1 when one differs of which neither `compare` nor the list below says why.
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

import avoided_models
import dynamic_models
import ir_builder
import loop_models
import pattern_models
import reference_op_models
import single_op_models

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CASES = [case for module in (single_op_models, reference_op_models, dynamic_models, pattern_models, loop_models, avoided_models) for case in module.CASES]
KNOWN = {
    'Convert f16 to u8': 'negative numbers have no place in U8',
    'MaxPool k2 s2 p1 ceil': 'windows of nothing but padding',
    'PSROIPooling bilinear, regions': 'the stage takes another number of channels',
}


def inputs(op, net, rng):
    arrays = {}
    for layer in net.layers:
        if layer.type == 'Parameter':
            shape = [abs(int(d)) for d in layer.data['shape']]
            kind = np.float32 if layer.data['element_type'] == 'f16' else ir_builder.TYPES[layer.data['element_type']]
            arrays[layer.name] = reference_op_models.values(op, layer.name, shape, kind, rng)
    return arrays


def judge(tool, number, folder):
    op, variant, build = CASES[number]
    net = ir_builder.Net(op, number)
    build(net)
    net.save(os.path.join(folder, 'net'))
    np.savez(os.path.join(folder, 'in.npz'), **inputs(op, net, np.random.default_rng(number)))
    r = subprocess.run([tool, 'compare', os.path.join(folder, 'net.xml'), '--input', os.path.join(folder, 'in.npz'), '--ip', 'FP16', '--json'], capture_output=True, text=True, timeout=300)
    if r.returncode == 1 and 'layer "stage ' not in r.stderr:
        return 'refused', ''
    if r.returncode == 0:
        return 'ok', ''
    why = next((why for name, why in KNOWN.items() if f'{op} {variant}'.startswith(name)), None)
    if why:
        return 'known', why
    if r.returncode != 4:
        return 'FAIL', r.stderr.strip().split('\n')[0]
    answer = json.loads(r.stdout)
    if answer['known_faults']:
        return 'known', '; '.join(f['what'] for f in answer['known_faults'])
    return 'FAIL', ', '.join(f'{layer["name"]} {layer["relative_error"]}' for layer in answer['layers'] if not layer['within']) or str(answer['not_compared'])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', default=os.path.join(ROOT, 'build', 'blobsmith'))
    ap.add_argument('-k', dest='pattern', default='', help='only networks whose "operation variant" matches')
    ap.add_argument('-v', action='store_true', help='list the networks with known faults too')
    a = ap.parse_args()
    counts = collections.Counter()
    for number, (op, variant, _) in enumerate(CASES):
        if not re.search(a.pattern, f'{op} {variant}'):
            continue
        with tempfile.TemporaryDirectory() as folder:
            verdict, why = judge(a.tool, number, folder)
        counts[verdict] += 1
        if verdict == 'FAIL' or (a.v and verdict == 'known'):
            print(f'{verdict:5} {op} {variant}: {why}', flush=True)
    print(f'{counts["ok"]} agree, {counts["known"]} are known to differ, {counts["FAIL"]} differ; {counts["refused"]} do not compile')
    return 1 if counts['FAIL'] else 0


if __name__ == '__main__':
    sys.exit(main())
