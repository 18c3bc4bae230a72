#!/usr/bin/env python3
"""What a user of the package and the program waits for: import, start, a conversion, a run, a superblob, and the sizes.

  front_door.py [--tool build/blobsmith] [--wheel FILE] [--corpus DIR] [-k REGEX]

Takes the package of this tree with libblobsmith.so beside the program. Prints Markdown tables; times are the best of several,
as others use the machine too, in milliseconds of a clock and of processors. Exit code 1 where a goal is missed.
"""
import argparse
import glob
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'python'))
ROUNDS = 5
NETWORKS = '^(mobilenet2_224|resnet18_224|yolo5n_416|yolo8n_416)$'


def timed(call, rounds=ROUNDS):
    """(milliseconds by the clock, milliseconds of processors), each the best, children included."""
    best = (float('inf'), float('inf'))
    for _ in range(rounds):
        def used():
            return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
        start, before = time.perf_counter(), used()
        call()
        best = min(best[0], 1e3 * (time.perf_counter() - start)), min(best[1], 1e3 * (used() - before))
    return best


def command(*args):
    return lambda: subprocess.run([str(a) for a in args], check=True, stdout=subprocess.DEVNULL)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument('--tool', default=os.path.join(ROOT, 'build', 'blobsmith'))
    arguments.add_argument('--wheel')
    arguments.add_argument('--corpus', default=os.path.expanduser('~/.cache/myriad-corpus/corpus/L3'))
    arguments.add_argument('-k', default=NETWORKS)
    o = arguments.parse_args()
    tool = os.path.abspath(o.tool)
    os.environ['BLOBSMITH_LIBRARY'] = os.path.join(os.path.dirname(tool), 'libblobsmith.so')
    os.environ['PYTHONPATH'] = os.path.join(ROOT, 'python')
    missed = []

    def row(what, value, unit, goal=None):
        if goal is not None and value > goal:
            missed.append(what)
        print(f'| {what} | {value:.4g} {unit} | {"" if goal is None else f"< {goal:g} {unit}"} |')

    print('| what | measured | goal |\n| --- | --- | --- |')
    nothing = timed(command(sys.executable, '-c', 'pass'))[1]
    row('`import blobsmith`, processor time beyond that of Python itself', timed(command(sys.executable, '-c', 'import blobsmith'))[1] - nothing,
        'ms', 50)
    row('start of the program (`--version`)', timed(command(tool, '--version'), 20)[0], 'ms')
    row('size of the program', os.path.getsize(tool) / 1e6, 'MB')
    if o.wheel:
        row('size of the wheel', os.path.getsize(o.wheel) / 1e6, 'MB', 50)

    print('\n| network | blob, KB | one blob, ms (processors) | superblob, ms (processors) | times | superblob / blob | '
          '`Emulator.run`, ms | the command\'s run, ms |\n| --- | --- | --- | --- | --- | --- | --- | --- |')
    import numpy as np
    import blobsmith
    with tempfile.TemporaryDirectory() as folder:
        for model in sorted(glob.glob(os.path.join(o.corpus, '*.onnx'))):
            name = os.path.splitext(os.path.basename(model))[0]
            if not re.search(o.k, name):
                continue
            blob, superblob = os.path.join(folder, name + '.blob'), os.path.join(folder, name + '.superblob')
            one = timed(command(tool, 'convert', '-q', model, '-o', blob))
            many = timed(command(tool, 'convert', '-q', model, '-o', superblob), 3)
            ratio = os.path.getsize(superblob) / os.path.getsize(blob)
            if ratio > 1.1:
                missed.append(name + ', size of the superblob')
            if many[0] > 4 * one[0]:
                missed.append(name + ', time of the superblob')
            with blobsmith.Emulator(blob) as e:
                values = {p.name: np.zeros(p.shape, np.float32) for p in e.inputs}
                run = timed(lambda: e.run(values))[0]
            files = []
            for i, (key, value) in enumerate(values.items()):
                np.save(os.path.join(folder, f'{i}.npy'), value)
                files += ['--input', f'{key}={folder}/{i}.npy']
            whole = timed(command(tool, 'run', blob, *files))[0]
            print(f'| {name} | {os.path.getsize(blob) / 1024:.0f} | {one[0]:.0f} ({one[1]:.0f}) | {many[0]:.0f} ({many[1]:.0f}) | '
                  f'{many[0] / one[0]:.1f} | {ratio:.4f} | {run:.1f} | {whole:.1f} |', flush=True)
    if missed:
        print('\nmissed: ' + '; '.join(missed))
    return bool(missed)


if __name__ == '__main__':
    sys.exit(main())
