#!/usr/bin/env python3
"""Byte identity of `blobsmith compile -m X.onnx` on the ONNX project's own node tests (pip package onnx, backend/test/data/node).

  onnx_node_tests.py [--tool build/blobsmith] [--shared DIR] [-k REGEX] [--cache DIR] [--minimum PERCENT]

Every model goes through both compilers under every option set; those that the reference compiler refuses are counted apart.
Prints a table and one line for each model that is not identical, with the first part that differs. Needs the reference
compiler (--shared or BLOBSMITH_SHARED), whose results are cached by content. Exit code: 0 when at least PERCENT of what the
reference compiles is identical and nothing crashes, 1 otherwise.
"""
import argparse
import collections
import concurrent.futures
import glob
import hashlib
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
OPTIONS = {'default': [], 'fp16': ['-ip', 'FP16', '-op', 'FP16']}
VERDICTS = ('identical', 'differs', 'fails', 'both-refuse', 'extra', 'crash')
TIMEOUT = 300


def models(pattern):
    import onnx
    data = os.path.join(os.path.dirname(onnx.__file__), 'backend', 'test', 'data', 'node')
    return {name: path for path in sorted(glob.glob(os.path.join(data, '*', 'model.onnx'))) for name in [os.path.basename(os.path.dirname(path))] if re.search(pattern, name)}


def text_of(error):
    """One line of a message, without the paths of build machines."""
    error = re.sub(r'/\S*/(\w+\.[ch]pp:\d+)', r'\1', ' '.join(error.split()))
    return re.sub(r'\[ GENERAL_ERROR \] *|^ERROR: ', '', error)[:400]


def reference(shared, model, arguments, cache):
    """(blob or None, message) of the reference compiler."""
    with open(model, 'rb') as f:
        key = hashlib.sha256(f.read() + ' '.join(arguments).encode()).hexdigest()[:40]
    blob, message = os.path.join(cache, key + '.blob'), os.path.join(cache, key + '.txt')
    if not os.path.exists(message):
        unfinished = blob + f'.{os.getpid()}'
        done = subprocess.run([os.path.join(shared, 'oracle', 'compile'), model, unfinished] + arguments, capture_output=True, text=True, errors='replace', timeout=TIMEOUT)
        if done.returncode == 0:
            os.replace(unfinished, blob)
        with open(message, 'w') as f:
            f.write(text_of(done.stderr) if done.returncode else '')
    with open(message) as f:
        text = f.read()
    if not os.path.exists(blob):
        return None, text
    with open(blob, 'rb') as f:
        return f.read(), text


def ours(tool, model, arguments, folder):
    """(blob or None, message, exit code)"""
    out = os.path.join(folder, 'out.blob')
    if os.path.exists(out):
        os.remove(out)
    done = subprocess.run([tool, 'compile', '-m', model, '-o', out] + arguments, capture_output=True, text=True, errors='replace', timeout=TIMEOUT)
    if done.returncode:
        return None, done.stderr, done.returncode
    with open(out, 'rb') as f:
        return f.read(), '', 0


def stages(tool, blob, folder):
    path = os.path.join(folder, 'inspect.blob')
    with open(path, 'wb') as f:
        f.write(blob)
    return subprocess.run([tool, 'inspect', path], capture_output=True, text=True, errors='replace').stdout.splitlines()


def first_difference(tool, blob, wanted, folder):
    a, b = stages(tool, blob, folder), stages(tool, wanted, folder)
    for x, y in zip(a, b):
        if x != y:
            return f'{x.strip()[:90]} <> {y.strip()[:90]}'
    if len(a) != len(b):
        return 'more is listed in one than in the other'
    at = next((i for i, (x, y) in enumerate(zip(blob, wanted)) if x != y), min(len(blob), len(wanted)))
    return f'byte {at} of {len(wanted)}'


def judge(a, model, arguments):
    wanted, refusal = reference(a.shared, model, arguments, a.cache)
    with tempfile.TemporaryDirectory() as folder:
        blob, message, code = ours(a.tool, model, arguments, folder)
        if code < 0 or code == 70:
            return 'crash', text_of(message) or f'signal {-code}'
        if wanted is None:
            return ('both-refuse', text_of(message) + ' | ' + refusal) if blob is None else ('extra', 'the reference refuses: ' + refusal)
        if blob is None:
            return 'fails', text_of(message)
        return ('identical', '') if blob == wanted else ('differs', first_difference(a.tool, blob, wanted, folder))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', default=os.path.join(ROOT, 'build', 'blobsmith'))
    ap.add_argument('--shared', default=os.environ.get('BLOBSMITH_SHARED'))
    ap.add_argument('--cache', default=os.path.join(os.environ.get('XDG_CACHE_HOME', os.path.expanduser('~/.cache')), 'blobsmith', 'onnx-node-tests'))
    ap.add_argument('-k', default='', help='only tests whose name matches this regular expression')
    ap.add_argument('-v', action='store_true', help='also list what both refuse')
    ap.add_argument('--jobs', type=int, default=os.cpu_count())
    ap.add_argument('--minimum', type=float, default=96)
    a = ap.parse_args()
    if not a.shared:
        print('skipped: no reference compiler (BLOBSMITH_SHARED)')
        return 0
    os.makedirs(a.cache, exist_ok=True)
    jobs = [(name, option, path) for name, path in models(a.k).items() for option in OPTIONS]
    counts = {option: collections.Counter() for option in OPTIONS}
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for (name, option, _), (verdict, detail) in zip(jobs, pool.map(lambda j: judge(a, j[2], OPTIONS[j[1]]), jobs)):
            counts[option][verdict] += 1
            if verdict not in ('identical', 'both-refuse') or (a.v and verdict != 'identical'):
                print(f'{name:<56} {option:<8} {verdict:<11} {detail}', flush=True)
    print(f'\n{"options":<10}' + ''.join(f'{v:>12}' for v in VERDICTS))
    for option, c in counts.items():
        print(f'{option:<10}' + ''.join(f'{c[v]:>12}' for v in VERDICTS))
    total = sum(counts.values(), collections.Counter())
    compiled = total['identical'] + total['differs'] + total['fails']
    percent = 100 * total['identical'] / max(compiled, 1)
    print(f'\n{total["identical"]} of {compiled} byte-identical ({percent:.1f} %)')
    return 0 if compiled and percent >= a.minimum and not total['crash'] else 1


if __name__ == '__main__':
    sys.exit(main())
