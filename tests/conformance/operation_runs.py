"""What compare_operations.py and reference_operations.py share: arguments, networks judged one by one, differences that are known."""
import argparse
import collections
import json
import os
import re
import subprocess
import tempfile

import numpy as np

import ir_builder
import reference_op_models

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def arguments(documentation, verbose):
    ap = argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', default=os.path.join(ROOT, 'build', 'blobsmith'))
    ap.add_argument('-k', dest='pattern', default='', help='only networks whose "operation variant" matches')
    ap.add_argument('-v', action='store_true', help=verbose)
    return ap.parse_args()


def saved(case, number, folder):
    """The network, which lies in the folder as net.xml."""
    op, _, build = case
    net = ir_builder.Net(op, number)
    build(net)
    net.save(os.path.join(folder, 'net'))
    return net


def inputs(case, number, parameters):
    """Arrays by name. parameters: (name, shape, type) of each."""
    rng = np.random.default_rng(number)
    return {name: reference_op_models.values(case[0], name, shape, kind, rng) for name, shape, kind in parameters}


def call(tool, verb, folder, arrays, *options, timeout):
    """What blobsmith says (--json) of the folder's network with these inputs: (exit code, answer or None, standard error)."""
    path = os.path.join(folder, 'in.npz')
    np.savez(path, **arrays)
    given = ['--input', path] if arrays else []
    r = subprocess.run([tool, verb, os.path.join(folder, 'net.xml'), *given, *options, '--json'], capture_output=True, text=True, timeout=timeout)
    return r.returncode, json.loads(r.stdout) if r.returncode in (0, 4) else None, r.stderr.strip()


def known_reason(known, case):
    """Why this network is known to differ, by the first words of its name."""
    return next((why for name, why in known.items() if f'{case[0]} {case[1]}'.startswith(name)), None)


def judge_all(cases, a, judge, silent):
    """Counts of the verdicts of judge(case, number, folder), a verdict and why; prints them but for the silent ones."""
    counts = collections.Counter()
    for number, case in enumerate(cases):
        name = f'{case[0]} {case[1]}'
        if not re.search(a.pattern, name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            verdict, why = judge(case, number, folder)
        counts[verdict] += 1
        if verdict not in silent:
            print(f'{verdict:5} {name}: {why}', flush=True)
    return counts
