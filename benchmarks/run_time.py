#!/usr/bin/env python3
"""Time and memory of one inference: a blob in the emulator beside its ONNX model in ONNX Runtime (FP32), five times in turn,
two threads each; the memory beside what the blob asks for.

  run_time.py [--tool build/blobsmith] [--corpus DIR] [-n RUNS] [-k REGEX]

Needs onnxruntime and a folder of pairs X.onnx, X.xml (--corpus; default: the whole networks of the development corpus).
Prints a Markdown table: of each side the best of its five medians, as others use the machine too. Exit code 1 when a network
takes more than three times as long, or more than 1.2 times the memory of its blob, inputs, outputs, DDR and CMX and a megabyte. The
program itself, measured by a network of next to nothing, does not count; the megabyte is for the code that other networks use.
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
sys.path.insert(0, os.path.join(ROOT, 'tests', 'conformance'))
from ir_builder import Net
GOAL = 3.0
MEMORY_GOAL = 1.2
CODE_MB = 1
THREADS = 2
ROUNDS = 5


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


def emulator_run(tool, blob, runs):
    """(median milliseconds, peak memory in MB)"""
    done = subprocess.run([tool, 'run', blob, '--random', '--threads', str(THREADS), '--repeat', str(runs), '--json'], capture_output=True, check=True)
    report = json.loads(done.stdout)
    return report['latency']['median'], report['peak_memory'] / 2**20


def asked_mb(tool, blob):
    """(the blob and what its header asks for, CMX alone)"""
    text = subprocess.run([tool, 'inspect', blob], capture_output=True, text=True, check=True).stdout
    inputs, outputs, bss, slices = (int(re.search(name + r' +(\d+)', text).group(1)) for name in ('inputsSize', 'outputsSize', 'bssSize', 'cmxSlices'))
    cmx = slices * 131072
    return (os.path.getsize(blob) + inputs + outputs + bss + cmx) / 2**20, cmx / 2**20


def program_mb(tool, folder):
    net = Net('small')
    net.result(net.pool(net.relu(net.conv(net.input(1, 3, 8, 8), 3, 8))))
    net.save(os.path.join(folder, 'small'))
    blob = os.path.join(folder, 'small.blob')
    subprocess.run([tool, 'convert', os.path.join(folder, 'small.xml'), '-o', blob, '--quiet'], check=True)
    asked, cmx = asked_mb(tool, blob)  # nearly nothing of the CMX is used, so it takes no memory
    return statistics.median(emulator_run(tool, blob, 2)[1] for _ in range(5)) - (asked - cmx)


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
    print('| network | emulator ms | ONNX Runtime ms | ratio | emulator MB | blob and memories MB | ratio |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |')
    ratios, memory_ratios, within = [], [], True
    with tempfile.TemporaryDirectory() as folder:
        blob = os.path.join(folder, 'out.blob')
        program = program_mb(a.tool, folder)
        for m in models:
            subprocess.run([a.tool, 'convert', m + '.xml', '-o', blob, '--quiet'], check=True)
            rounds = []
            for _ in range(ROUNDS):
                ours, memory = emulator_run(a.tool, blob, a.n)
                with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as apart:
                    rounds.append((ours, apart.submit(framework_ms, m + '.onnx', a.n).result()))
            ours, theirs = (min(times) for times in zip(*rounds))
            ratios.append(ours / theirs)
            memory, asked = memory - program, asked_mb(a.tool, blob)[0]
            memory_ratios.append(memory / asked)
            within = within and memory <= MEMORY_GOAL * asked + CODE_MB
            print(f'| {os.path.basename(m)} | {ours:.1f} | {theirs:.1f} | {ours / theirs:.1f} | {memory:.1f} | {asked:.1f} | {memory / asked:.2f} |', flush=True)
    print(f'\nmedian: {statistics.median(ratios):.1f} times the time of ONNX Runtime (slowest network {max(ratios):.1f}), '
          f'{statistics.median(memory_ratios):.2f} times the memory that the blob asks for (most {max(memory_ratios):.2f}); the program itself takes {program:.1f} MB')
    return 0 if max(ratios) <= GOAL and within else 1


if __name__ == '__main__':
    sys.exit(main())
