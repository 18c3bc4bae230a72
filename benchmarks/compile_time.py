#!/usr/bin/env python3
"""Compile time and peak memory, whole process, blobsmith beside the reference compiler, in turn on the same machine.

  compile_time.py [--tool build/blobsmith] [--shared DIR] [--corpus DIR ...] [-n RUNS] [-k REGEX]

Needs the reference compiler (--shared or BLOBSMITH_SHARED) and folders of IRs (--corpus; default: the whole and the real
networks of the development corpus). Prints a Markdown table of medians. Exit code 1 when the median ratio misses the goal.
"""
import argparse
import glob
import os
import re
import statistics
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GOAL = 4.0


def measure(command):
    """(seconds by the clock, peak memory in MB, exit code) of one process and its children."""
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.execvp(command[0], command)
    _, status, usage = os.wait4(child, 0)
    return time.perf_counter() - start, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', default=os.path.join(ROOT, 'build', 'blobsmith'))
    ap.add_argument('--shared', default=os.environ.get('BLOBSMITH_SHARED', os.path.join(ROOT, '..', 'shared')))
    ap.add_argument('--corpus', nargs='+', default=[os.path.expanduser('~/.cache/myriad-corpus/' + f) for f in ('corpus/L3', 'real/L4')])
    ap.add_argument('-n', type=int, default=5)
    ap.add_argument('-k', default='')
    a = ap.parse_args()
    oracle = os.path.join(a.shared, 'oracle', 'compile')
    models = [m for folder in a.corpus for m in sorted(glob.glob(os.path.join(folder, '*.xml'))) if re.search(a.k, os.path.basename(m)) and not m.endswith('.ng.xml')]
    if not os.path.exists(oracle) or not models:
        print('skipped: the reference compiler or the networks are not here')
        return 0
    print('| network | blobsmith ms | reference ms | times faster | blobsmith MB | reference MB |\n| --- | ---: | ---: | ---: | ---: | ---: |')
    ratios, memory = [], []
    with tempfile.TemporaryDirectory() as folder:
        blob = os.path.join(folder, 'out.blob')
        for m in models:
            ours = [os.path.abspath(a.tool), 'compile', '-m', m, '-o', blob, '-ip', 'U8', '-VPU_NUMBER_OF_SHAVES', '6', '-VPU_NUMBER_OF_CMX_SLICES', '6']
            theirs = [oracle, m, blob, '-ip', 'U8', '-shaves', '6', '-slices', '6']
            if measure(ours)[2] or measure(theirs)[2]:   # also the warm-up
                print(f'| {os.path.basename(m)[:-4]} | one of the two refuses it | | | | |')
                continue
            runs = [(measure(ours), measure(theirs)) for _ in range(a.n)]
            x, y = statistics.median(r[0][0] for r in runs), statistics.median(r[1][0] for r in runs)
            p, q = max(r[0][1] for r in runs), max(r[1][1] for r in runs)
            ratios.append(y / x)
            memory.append(p / q)
            print(f'| {os.path.basename(m)[:-4]} | {1e3 * x:.0f} | {1e3 * y:.0f} | {y / x:.1f} | {p:.0f} | {q:.0f} |', flush=True)
    print(f'\nmedian: {statistics.median(ratios):.1f} times faster (slowest network {min(ratios):.1f}), {100 * statistics.median(memory):.0f} % of the memory (worst {100 * max(memory):.0f} %)')
    return 0 if statistics.median(ratios) >= GOAL and max(memory) <= 1 else 1


if __name__ == '__main__':
    sys.exit(main())
