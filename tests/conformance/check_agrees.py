#!/usr/bin/env python3
"""Does `blobsmith check` say what `compile` and `convert` then do? Over a folder of models with an index.

  check_agrees.py [--tool build/blobsmith] [--corpus DIR] [-k REGEX] [-v]

Every IR is compiled and checked (--no-fix), every ONNX file converted and checked. The two agree when both accept the model, or
both refuse it and the first message of the compiler is among the problems that check tells, with the layer named there. Exit
code: 0 when at least 99 % agree, 1 otherwise; nothing is done where there is no corpus.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORPUS = os.path.join(os.environ.get('MYRIAD_CORPUS', os.path.expanduser('~/.cache/myriad-corpus')), 'corpus')
LEAST = 0.99


def call(*command):
    return subprocess.run(command, capture_output=True, text=True, errors='replace', timeout=300)


def first_message(stderr):
    """The text of the first error, which may have several lines."""
    m = re.search(r'^error\[BS\d+\]: (.*?)(?=^error\[BS|^  --> |^  why:  |^  hint: |\Z)', stderr, re.M | re.S)
    return m[1].strip() if m else stderr.strip()


def verdict(made, checked):
    """'' when they agree, else how they don't."""
    if checked.returncode not in (0, 1):
        return '' if made.returncode == checked.returncode or made.returncode == 1 and checked.returncode == 3 else f'check ends with {checked.returncode}: {checked.stderr[:200]}'
    if made.returncode == 0 or checked.returncode == 0:
        if made.returncode == checked.returncode:
            return ''
        return 'check accepts, the compiler refuses: ' + first_message(made.stderr) if checked.returncode == 0 else 'check refuses, the compiler accepts: ' + str([p['message'] for p in json.loads(checked.stdout)['problems']][:1])
    report = json.loads(checked.stdout)
    message = first_message(made.stderr)
    same = [p for p in report['problems'] if p['message'].strip() == message]
    if not same:
        return f'the compiler says "{message}", check {[p["message"] for p in report["problems"]]}'
    if ('"' in message or 'Stage node' in message) and not any(p['layer'] for p in same):
        return f'check names no layer for "{message}"'
    return ''


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--tool', default=os.path.join(ROOT, 'build', 'blobsmith'))
    ap.add_argument('--corpus', default=CORPUS)
    ap.add_argument('-k', default='', help='only models whose name matches')
    ap.add_argument('-v', action='store_true', help='every model that is refused')
    a = ap.parse_args()
    index = os.path.join(a.corpus, 'index.json')
    if not os.path.exists(index):
        print(f'skipped: {index} is missing')
        return 0
    with open(index) as f:
        models = [m for m in json.load(f) if re.search(a.k, m['name'])]
    counts = Counter()
    with tempfile.TemporaryDirectory() as folder:
        blob = os.path.join(folder, 'out.blob')
        for m in models:
            precision = 'FP16' if m.get('int_inputs') else 'U8'
            for kind in ('xml', 'ng', 'onnx'):
                if not m.get(kind):
                    continue
                path = os.path.join(a.corpus, m[kind])
                if kind == 'onnx':
                    made = call(a.tool, 'convert', path, '-o', blob, '--ip', precision)
                    checked = call(a.tool, 'check', path, '--json', '--ip', precision)
                else:
                    made = call(a.tool, 'compile', '-m', path, '-o', blob, *([] if m.get('int_inputs') else ['-ip', precision]), '-VPU_NUMBER_OF_SHAVES', '6', '-VPU_NUMBER_OF_CMX_SLICES', '6')
                    checked = call(a.tool, 'check', path, '--no-fix', '--json', '--ip', precision)
                wrong = verdict(made, checked)
                accepted = 'accepted' if made.returncode == 0 else 'refused'
                counts[kind, accepted, not wrong] += 1
                if wrong or (a.v and made.returncode):
                    print(f'{m["name"]} ({kind}): {wrong or "agree: " + first_message(made.stderr)}')
    total, good = sum(counts.values()), sum(n for k, n in counts.items() if k[2])
    for kind in ('xml', 'ng', 'onnx'):
        for accepted in ('accepted', 'refused'):
            print(f'{kind:5} {accepted:9} agree {counts[kind, accepted, True]:5}  disagree {counts[kind, accepted, False]:3}')
    print(f'{good} of {total} agree ({100 * good / max(total, 1):.2f} %)')
    return 0 if total and good >= LEAST * total else 1


if __name__ == '__main__':
    sys.exit(main())
