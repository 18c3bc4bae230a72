#!/usr/bin/env python3
"""`blobsmith estimate` against the executable reference of the cost model, on blobs of the corpus.

  estimate.py [--tool build/blobsmith] [--count 500]

Every figure of every blob must agree within 0.1 %: throughput, latency, the sum, every stage, and the parts of the sum.
Skipped where the reference (cost_ref.py, in BLOBSMITH_SHARED or ../shared) or the corpus is not there.
"""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.environ.get('BLOBSMITH_SHARED', os.path.join(HERE, '..', '..', '..', 'shared'))
CORPUS = os.environ.get('MYRIAD_CORPUS', os.path.expanduser('~/.cache/myriad-corpus'))


def differences(mine, reference):
    """[(what, mine, reference)] of all that is more than 0.1 % off."""
    pairs = [(k, mine[k], reference[k]) for k in ('fps', 'latency_ms', 'sum_ms', 'ddr_bytes')]
    pairs += [(k, mine['parts_ms'][k], reference['parts_ms'][k]) for k in ('NCE', 'DDR', 'SHAVE', 'overhead')]
    if len(mine['stages']) != len(reference['stages']):
        return [('stages', len(mine['stages']), len(reference['stages']))]
    for s, r in zip(mine['stages'], reference['stages']):
        pairs.append((f"stage {s['index']} {s['kind']}", s['us'], r['total']))
    return [(w, a, b) for w, a, b in pairs if abs(a - b) > 1e-3 * abs(b) + 1e-9]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', default=os.path.join(HERE, '..', '..', 'build', 'blobsmith'))
    ap.add_argument('--count', type=int, default=500)
    a = ap.parse_args()
    models = sorted(m for m in glob.glob(os.path.join(CORPUS, 'corpus', 'L*', '*.xml')) if not m.endswith('.ng.xml'))
    if not os.path.exists(os.path.join(SHARED, 'tools', 'cost_ref.py')) or not models:
        print('skipped: no reference of the cost model, or no corpus')
        return 0
    sys.path.insert(0, os.path.join(SHARED, 'tools'))
    import cost_ref
    compared = wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        blob = os.path.join(folder, 'x.blob')
        for model in models:
            if compared == a.count:
                break
            shaves = str(1 + compared % 8)
            if subprocess.run([a.tool, 'convert', model, '-o', blob, '--shaves', shaves, '-q'],
                              capture_output=True).returncode:
                continue
            mine = json.loads(subprocess.run([a.tool, 'estimate', blob, '--json'], check=True, capture_output=True,
                                             text=True).stdout)
            with open(blob, 'rb') as f:
                off = differences(mine, cost_ref.estimate(f.read(), mine['streams']))
            compared += 1
            if off:
                wrong += 1
                print(os.path.basename(model), *off[0])
    print(f'{compared - wrong} of {compared} blobs equal the reference within 0.1 %')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
