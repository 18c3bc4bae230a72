#!/usr/bin/env python3
"""Time and peak memory of Model Optimizer's command line, source to IR, whole process, blobsmith beside Intel's tool.

  mo_time.py [--tool build/blobsmith] [--mo COMMAND] [-n RUNS] CASE ...

CASE: a folder with cmd.txt, whose first line is the command line of Model Optimizer, or the line itself, quoted. COMMAND takes
the same options (default: $BLOBSMITH_MO, else mo). Prints a Markdown table: medians of RUNS of blobsmith's, one run of Intel's;
memory is the peak of the process, beside the size of the model's files. Exit code 1 when the median ratio misses the goal.
"""
import argparse
import os
import shlex
import statistics
import sys
import tempfile

import compile_time

GOAL = 30.0


def arguments_of(case):
    if not os.path.isdir(case):
        return shlex.split(case), '.'
    with open(os.path.join(case, 'cmd.txt')) as f:
        return shlex.split(f.readline())[1:], case


def size_of(words, folder):
    """Of all files that the command line names, and of what lies in its folders."""
    total = 0
    for path in {os.path.join(folder, w) for w in words if not w.startswith('-')}:
        if os.path.isfile(path):
            total += os.path.getsize(path)
        elif os.path.isdir(path) and os.path.realpath(path) != os.path.realpath(folder):
            total += sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(path) for f in files)
    return total


def measure(command, words, folder):
    with tempfile.TemporaryDirectory() as out:
        words = [out if w == 'OUT' else w for w in words]
        if '--output_dir' not in words and '-o' not in words:
            words = [*words, '--output_dir', out]
        os.chdir(folder)
        return compile_time.measure([*command, *words, '--silent'])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', default=os.path.join(compile_time.ROOT, 'build', 'blobsmith'))
    ap.add_argument('--mo', default=os.environ.get('BLOBSMITH_MO', 'mo'))
    ap.add_argument('-n', type=int, default=5)
    ap.add_argument('cases', nargs='+')
    args = ap.parse_args()
    tool, here, ratios = os.path.abspath(args.tool), os.getcwd(), []
    print('| model | files MB | blobsmith ms | Intel s | times faster | blobsmith MB | Intel MB |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |')
    for case in args.cases:
        os.chdir(here)
        words, folder = arguments_of(case)
        folder = os.path.abspath(folder)
        ours = [measure([tool, 'mo'], words, folder) for _ in range(args.n)]
        theirs = measure(shlex.split(args.mo), words, folder)
        if any(code for *_, code in (*ours, theirs)):
            print(f'| {os.path.basename(case)} | | refused |', file=sys.stderr)
            continue
        seconds, memory = (statistics.median(o[i] for o in ours) for i in (0, 1))
        ratios.append(theirs[0] / seconds)
        name = os.path.basename(folder) if os.path.isdir(os.path.join(here, case)) else os.path.basename(words[1])
        print(f'| {name} | {size_of(words, folder) / 1e6:.1f} | {seconds * 1e3:.0f} | {theirs[0]:.1f} | {ratios[-1]:.0f} | {memory:.0f} | {theirs[1]:.0f} |', flush=True)
    median = statistics.median(ratios) if ratios else 0
    print(f'\nMedian: {median:.0f} times faster (slowest {min(ratios, default=0):.0f}).')
    return median < GOAL


if __name__ == '__main__':
    sys.exit(main())
