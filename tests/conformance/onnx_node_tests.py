#!/usr/bin/env python3
"""Byte identity of `blobsmith compile -m X.onnx` on the ONNX project's own models (pip package onnx, backend/test/data).

  onnx_node_tests.py [--tool build/blobsmith] [--shared DIR] [-k REGEX] [--sets node,simple,...] [--minimum PERCENT] [-v]

Every model goes through both compilers under every option set; what the reference compiler refuses is counted apart. Prints
one line for each model that is not identical, with the first part that differs, and a table. Needs the reference compiler:
--shared or BLOBSMITH_SHARED; its results are cached by content. Exit code 0 when at least PERCENT of what it compiles is
identical and nothing crashes, 1 otherwise.
"""
import argparse
import collections
import concurrent.futures
import glob
import hashlib
import os
import re
import sys
import tempfile

import compilers

OPTIONS = {'default': compilers.Options(), 'fp16': compilers.Options(ip='FP16', op='FP16')}
SETS = 'node,simple,pytorch-operator,pytorch-converted'
VERDICTS = (compilers.IDENTICAL, compilers.DIFFERS, compilers.WE_REFUSE, compilers.BOTH_REFUSE, compilers.REFERENCE_REFUSES, compilers.CRASH)


class Cached(compilers.Compilers):
    """The reference compiler's results are kept: they never change."""

    def __init__(self, tool, shared, folder, version, cache):
        super().__init__(tool, shared, folder, version)
        self.cache = cache

    def reference(self, model, options):
        with open(model, 'rb') as f:
            key = hashlib.sha256(f.read() + ' '.join(options.reference()).encode() + self.version.encode() * (self.version != '2021.4')).hexdigest()[:40]
        blob, refusal = os.path.join(self.cache, key + '.blob'), os.path.join(self.cache, key + '.txt')
        if os.path.exists(blob):
            with open(blob, 'rb') as f:
                return f.read(), ''
        if os.path.exists(refusal):
            with open(refusal) as f:
                return None, f.read()
        made, why = super().reference(model, options)
        unfinished = os.path.join(self.folder, 'cached')
        with open(unfinished, 'wb') as f:
            f.write(why.encode() if made is None else made)
        if why != compilers.ENDLESS:  # only slow, perhaps
            os.replace(unfinished, refusal if made is None else blob)
        return made, why


def models(sets, pattern):
    import onnx
    data = os.path.join(os.path.dirname(onnx.__file__), 'backend', 'test', 'data')
    for kind in sets.split(','):
        for path in sorted(glob.glob(os.path.join(data, kind, '*', 'model.onnx'))):
            name = os.path.basename(os.path.dirname(path))
            if re.search(pattern, name):
                yield name, path


def judge(a, model, options):
    with tempfile.TemporaryDirectory(dir=a.cache) as folder:
        verdict, detail = Cached(a.tool, a.shared, folder, a.version, a.cache).compare(model, options)
    return (compilers.CRASH, detail) if 'error[BS9' in detail else (verdict, detail)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    compilers.add_arguments(ap)
    ap.add_argument('--cache', default=os.path.join(os.environ.get('XDG_CACHE_HOME', os.path.expanduser('~/.cache')), 'blobsmith', 'onnx-node-tests'))
    ap.add_argument('--sets', default=SETS, help='folders of backend/test/data')
    ap.add_argument('-k', default='', help='only models whose name matches this regular expression')
    ap.add_argument('-v', action='store_true', help='also what the compilers said where both refuse')
    ap.add_argument('--jobs', type=int, default=os.cpu_count())
    ap.add_argument('--minimum', type=float, default=99)
    a = ap.parse_args()
    if not compilers.reference_present(a.shared, a.version):
        print('skipped: no reference compiler')
        return 0
    os.makedirs(a.cache, exist_ok=True)
    jobs = [(name, option, path) for name, path in models(a.sets, a.k) for option in OPTIONS]
    counts = {option: collections.Counter() for option in OPTIONS}
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for (name, option, _), (verdict, detail) in zip(jobs, pool.map(lambda j: judge(a, j[2], OPTIONS[j[1]]), jobs)):
            counts[option][verdict] += 1
            if verdict not in (compilers.IDENTICAL, compilers.BOTH_REFUSE) or (a.v and verdict != compilers.IDENTICAL):
                print(f'{name:<56} {option:<8} {verdict:<28} {detail[:300]}', flush=True)
    print(f'\n{"options":<10}' + ''.join(f'{v:>28}' for v in VERDICTS))
    for option, c in counts.items():
        print(f'{option:<10}' + ''.join(f'{c[v]:>28}' for v in VERDICTS))
    total = sum(counts.values(), collections.Counter())
    compiled = total[compilers.IDENTICAL] + total[compilers.DIFFERS] + total[compilers.WE_REFUSE]
    percent = 100 * total[compilers.IDENTICAL] / max(compiled, 1)
    print(f'\n{total[compilers.IDENTICAL]} of {compiled} byte-identical ({percent:.1f} %)')
    return 0 if compiled and percent >= a.minimum and not total[compilers.CRASH] else 1


if __name__ == '__main__':
    sys.exit(main())
