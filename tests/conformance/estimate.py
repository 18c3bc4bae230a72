#!/usr/bin/env python3
"""`blobsmith estimate` against the executable reference of the cost model, and against measured devices.

  estimate.py [--tool build/blobsmith] [--count 500] [--networks DIR ...]

Every figure of every blob of the corpus must agree within 0.1 %: throughput, latency, the sum, every stage, and the
parts of the sum. Skipped where the reference (cost_ref.py, in BLOBSMITH_SHARED or ../shared) or the corpus is not there.

--networks: folders with the networks of fps.csv re-created, NAME.xml or NAME@nhwc.xml or NAME@SIZE.xml (zoo/nets.py of
the shared tools writes them; the first folder that has one wins). Each is compiled as it was measured, and
tools/fit_cost_model.py leaves one family after the other out of the fit: median factor at most 1.07, 90 % at most 1.17.
"""
import argparse
import csv
import glob
import json
import os
import re
import statistics
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


def measured_speed(name):
    """FPS of a network in fps.csv and whether an OAK camera was measured, or None. The median over versions 2021.4 and
    later: earlier ones compiled differently. Batches, pipelines and ranges don't count."""
    model, _, variant = name.partition('@')
    with open(os.path.join(SHARED, 'data', 'fps.csv'), newline='') as f:
        rows = [r for r in csv.DictReader(f) if r['model'] == model and r['batch'] == '1' and not r['fps_lo']]
    camera = variant.isdigit()
    if camera:
        rows = [r for r in rows if r['device'] == 'OAK (RVC2)' and r['shaves'] == '8'
                and r['input'] == f'1x3x{variant}x{variant}']
    else:
        rows = [r for r in rows if r['device'] == 'NCS2' and r['toolchain'] >= 'OpenVINO 2021.4'
                and r['input'].endswith('x3') == (variant == 'nhwc')]
    return (statistics.median(float(r['fps']) for r in rows), camera) if rows else None


def predictions(tool, folders):
    """Compiles the networks of `folders` as they were measured and leaves families out of the fit."""
    with open(os.path.join(SHARED, 'tools', 'zoo', 'nets.py')) as f:
        families = dict(re.findall(r"@net\('([^']+)','([^']+)'", f.read()))
    with tempfile.TemporaryDirectory() as work:
        table = os.path.join(work, 'measured.csv')
        with open(table, 'w', newline='') as f:
            out = csv.writer(f)
            out.writerow(['blob', 'fps', 'family', 'streams'])
            for name, family in families.items():
                xml = next((x for x in (os.path.join(d, name + '.xml') for d in folders) if os.path.exists(x)), None)
                measured = measured_speed(name)
                if not xml or not measured:
                    print(f'left out: {name} ({"not measured with 2021.4 or later" if xml else "not there"})')
                    continue
                fps, camera = measured
                blob = f'{name}.blob'
                how = ['--ip', 'U8', '--shaves', '8', '--slices', '8'] if camera else ['--ip', 'FP32', '--op', 'FP32']
                subprocess.run([tool, 'compile', '-m', xml, '-o', os.path.join(work, blob), '--target', '2021.4', *how],
                               check=True, stdout=subprocess.DEVNULL)
                out.writerow([blob, fps, family, 2])
        fit = os.path.join(HERE, '..', '..', 'tools', 'fit_cost_model.py')
        return subprocess.run([sys.executable, fit, table, '--tool', tool, '--limits', '1.07', '1.17']).returncode


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', default=os.path.join(HERE, '..', '..', 'build', 'blobsmith'))
    ap.add_argument('--count', type=int, default=500)
    ap.add_argument('--networks', nargs='+', default=[])
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
    late = predictions(a.tool, a.networks) if a.networks else 0
    return 1 if wrong or late else 0


if __name__ == '__main__':
    sys.exit(main())
