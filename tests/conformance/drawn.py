"""Single operators of a framework with drawn attributes, for the *_attributes.py beside this file: the tool's outputs against the framework's.

Case N is operator N modulo their number, drawn by a random generator of the seed N, so any case can be repeated alone.
"""
import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile

import numpy as np


def outputs(tool, network, values, folder, options):
    """(outputs, what the tool says where it fails); the values are one array, or those of several inputs by name"""
    out, given = os.path.join(folder, 'out'), os.path.join(folder, 'x.npz' if isinstance(values, dict) else 'x.npy')
    np.savez(given, **values) if isinstance(values, dict) else np.save(given, values)
    done = subprocess.run([tool, 'run', network, '--input', given, '--output-dir', out, *options], capture_output=True, text=True)
    if done.returncode:
        return [], f'run of {os.path.basename(network)} ends with {done.returncode}: {(done.stderr.splitlines() or [""])[0][:150]}'
    found = [np.load(os.path.join(out, n)).astype('f8') for n in os.listdir(out)]  # named after layers
    for n in os.listdir(out):
        os.remove(os.path.join(out, n))
    return found, None


def difference(found, wanted):
    """Of the output that is nearest, in either order of axes, as a part of the largest value."""
    wanted, least = wanted.astype('f8').ravel(), np.inf
    for y in found:
        for turned in [y] + ([np.moveaxis(y, 1, -1)] if y.ndim > 3 else []):
            if turned.size == wanted.size:
                least = min(least, np.abs(turned.ravel() - wanted).max() / max(1e-3, np.abs(wanted).max()))
    return least


def verdict(tool, folder, network, values, wanted, limits=(3e-4, 1e-2), options=()):
    """What the network in FP32 and its blob make of the values: 'right', 'wrong', 'refused', 'crash', and what to say."""
    blob = os.path.join(folder, 'm.blob')
    done = subprocess.run([tool, 'convert', network, '-o', blob, '--ip', 'FP16', '-q', *options], capture_output=True, text=True)
    if done.returncode:
        return 'crash' if done.returncode < 0 else 'refused', (done.stderr.splitlines() or [''])[0][:200]
    for what, limit in ((network, limits[0]), (blob, limits[1])):
        more = options if what == network else ()
        turned = network.endswith(('.pb', '.tflite', '.keras', '.h5')) and values.ndim > 3
        found, said = outputs(tool, what, np.moveaxis(values, -1, 1) if turned else values, folder, more)
        if said and turned:  # it keeps the order
            found, said = outputs(tool, what, values, folder, more)
        if said:
            return 'wrong', said
        for i, want in enumerate(wanted):
            worst = difference(found, want)
            if not worst <= limit:
                return 'wrong', f'output {i} of the {"model" if what == network else "blob"} differs by {worst:.2g} of its largest value'
    return 'right', ''


def main(description, operators, judge):
    """judge(tool, folder, number) -> (verdict, what to say)"""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('tool')
    parser.add_argument('--count', type=int, default=5 * len(operators))
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('-k', default='', help='only operators whose name matches')
    parser.add_argument('--folder', help='keep the models here')
    parser.add_argument('-v', action='store_true', help='also what is refused, or not run by the framework')
    a = parser.parse_args()
    verdicts, names = collections.Counter(), list(operators)
    for number in range(a.seed, a.seed + a.count):
        if not re.search(a.k, names[number % len(names)]):
            continue
        with tempfile.TemporaryDirectory() as temporary:
            folder = os.path.join(a.folder, str(number)) if a.folder else temporary
            os.makedirs(folder, exist_ok=True)
            found, said = judge(os.path.abspath(a.tool), folder, number)
        verdicts[found] += 1
        if found in ('wrong', 'crash') or (a.v and found != 'right'):
            print(f'{found}: {number} {names[number % len(names)]} {said}', flush=True)
    print(', '.join(f'{n} {v}' for v, n in sorted(verdicts.items())))
    sys.exit(1 if verdicts['wrong'] or verdicts['crash'] else 0)
