#!/usr/bin/env python3
"""Compiles every network of single_op_models.py and dynamic_models.py with blobsmith and with the reference compiler and compares the blobs.

  single_ops.py --tool build/blobsmith [--shared DIR] [-k REGEX] [--keep DIR] [-v]     (needs the reference compiler: --shared or BLOBSMITH_SHARED)

Verdicts: same (equal bytes), refused (by both), differs, missing (only the reference compiles), extra (only blobsmith does). Exit code 1 when a network differs or is missing.
"""
import argparse
import collections
import concurrent.futures
import filecmp
import os
import re
import shutil
import subprocess
import sys
import tempfile

import dynamic_models
import single_op_models
from ir_builder import Net

CASES = single_op_models.CASES + dynamic_models.CASES
VERDICTS = ('same', 'refused', 'differs', 'missing', 'extra')


def last_line(text):
    lines = [l.strip() for l in text.strip().splitlines() if l.strip()]
    return lines[-1] if lines else ''


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace', timeout=300, check=False)
    return done.returncode == 0, last_line(done.stdout)


def judge(options, folder, number):
    """verdict, what each compiler said"""
    op, _, build = CASES[number]
    base = os.path.join(folder, str(number))
    net = Net(op, number)
    build(net)
    net.save(base)
    wanted, ours = base + '.wanted', base + '.blob'
    theirs_done, theirs_said = run([os.path.join(options.shared, 'oracle', 'compile'), base + '.xml', wanted])
    done, said = run([options.tool, 'compile', '-m', base + '.xml', '-o', ours])
    if theirs_done and done:
        return ('same' if filecmp.cmp(wanted, ours, shallow=False) else 'differs'), '', ''
    return {(True, False): 'missing', (False, True): 'extra', (False, False): 'refused'}[theirs_done, done], theirs_said, said


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', required=True)
    ap.add_argument('--shared', default=os.environ.get('BLOBSMITH_SHARED'))
    ap.add_argument('-k', dest='pattern', default='', help='only networks whose "operation variant" matches')
    ap.add_argument('--keep', help='keep the networks and blobs in this folder')
    ap.add_argument('-v', action='store_true', help='what the compilers said to refused networks')
    options = ap.parse_args()
    if not options.shared:
        sys.exit('single_ops.py: the reference compiler is wanted: --shared or BLOBSMITH_SHARED')
    chosen = [i for i, (op, variant, _) in enumerate(CASES) if re.search(options.pattern, f'{op} {variant}')]
    folder = options.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    table = collections.defaultdict(collections.Counter)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (verdict, theirs, ours) in zip(chosen, pool.map(lambda i: judge(options, folder, i), chosen)):
            op, variant, _ = CASES[number]
            table[op][verdict] += 1
            if verdict in ('differs', 'missing', 'extra') or options.v:
                print(f'{number:4} {verdict:8} {op} {variant}' + (f'\n       reference: {theirs}\n       blobsmith: {ours}' if theirs or ours else ''), flush=True)
    if not options.keep:
        shutil.rmtree(folder)
    print(f'\n{"operation":<52}' + ''.join(f'{v:>9}' for v in VERDICTS))
    for op in sorted(table):
        print(f'{op:<52}' + ''.join(f'{table[op][v] or "":>9}' for v in VERDICTS))
    total = sum(table.values(), collections.Counter())
    print(f'{"":<52}' + ''.join(f'{total[v]:>9}' for v in VERDICTS))
    return 1 if total['differs'] or total['missing'] else 0


if __name__ == '__main__':
    sys.exit(main())
