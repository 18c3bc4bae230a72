#!/usr/bin/env python3
"""Time of one inference: a blob in the emulator beside its ONNX model in ONNX Runtime (FP32), three times in turn, two threads
each.

  run_time.py [--tool build/blobsmith] [--corpus DIR] [-n RUNS] [-k REGEX]

Needs onnxruntime and a folder of pairs X.onnx, X.xml (--corpus; default: the whole networks of the development corpus).
Prints a Markdown table of medians. Exit code 1 when a network takes more than three times as long.
"""
import argparse
import concurrent.futures
import glob
import json
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GOAL = 3.0
THREADS = 2
ROUNDS = 3


def framework_ms(path, runs):
    """Median of ONNX Runtime. Runs in a process of its own, so that its memory does not count for the emulator's."""
    import numpy
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    s = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
    inputs = {i.name: numpy.random.rand(*[d if isinstance(d, int) else 1 for d in i.shape]).astype(numpy.float32) for i in s.get_inputs()}
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        s.run(None, inputs)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[1:])


def emulator_ms(tool, blob, runs):
    """(median milliseconds, peak memory in MB)"""
    child = subprocess.Popen([tool, 'run', blob, '--random', '--threads', str(THREADS), '--repeat', str(runs), '--json'], stdout=subprocess.PIPE)
    report = json.load(child.stdout)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return report['latency']['median'], usage.ru_maxrss / 1024


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', default=os.path.join(ROOT, 'build', 'blobsmith'))
    ap.add_argument('--corpus', default=os.path.expanduser('~/.cache/myriad-corpus/corpus/L3'))
    ap.add_argument('-n', type=int, default=20)
    ap.add_argument('-k', default='')
    a = ap.parse_args()
    models = [m[:-4] for m in sorted(glob.glob(os.path.join(a.corpus, '*.xml'))) if re.search(a.k, os.path.basename(m)) and os.path.exists(m[:-4] + '.onnx')]
    if not models:
        print('skipped: the networks are not here')
        return 0
    print('| network | emulator ms | ONNX Runtime ms | ratio | emulator MB | blob MB |\n| --- | ---: | ---: | ---: | ---: | ---: |')
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        blob = os.path.join(folder, 'out.blob')
        for m in models:
            subprocess.run([a.tool, 'convert', m + '.xml', '-o', blob, '--quiet'], check=True)
            rounds = []
            for _ in range(ROUNDS):
                ours, memory = emulator_ms(a.tool, blob, a.n)
                with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as apart:
                    rounds.append((ours, apart.submit(framework_ms, m + '.onnx', a.n).result()))
            ours, theirs = (statistics.median(times) for times in zip(*rounds))
            ratios.append(ours / theirs)
            print(f'| {os.path.basename(m)} | {ours:.1f} | {theirs:.1f} | {ours / theirs:.1f} | {memory:.0f} | {os.path.getsize(blob) / 2**20:.0f} |', flush=True)
    print(f'\nmedian: {statistics.median(ratios):.1f} times the time of ONNX Runtime (slowest network {max(ratios):.1f})')
    return 0 if max(ratios) <= GOAL else 1


if __name__ == '__main__':
    sys.exit(main())
