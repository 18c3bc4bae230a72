#!/usr/bin/env python3
"""Numbers of shaves and slices, precisions, hardware on and off over a folder of networks, byte for byte.

  option_sweep.py [--corpus DIR] [-k REGEX] [--count N] [--seed S] [--jobs N] [--json OUT]

Every network is compiled under its share of --count settings: 1 to 16 shaves x at least as many slices up to 19 x input precision x
output precision x hardware on or off, drawn so that every number of shaves and every number of slices comes up equally often.
Without --corpus: the one-block networks of the development corpus, else the networks of models.py. Needs the reference compiler:
--shared or BLOBSMITH_SHARED. Exit code 0 when everything that the reference compiles is identical.
"""
import argparse
import glob
import json
import os
import re
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import compilers
import models
from compilers import BOTH_REFUSE, IDENTICAL, REFERENCE_REFUSES, Compilers, Options

CORPUS = os.path.expanduser('~/.cache/myriad-corpus/corpus/L1')
PAIRS = [(shaves, slices) for shaves in range(1, 17) for slices in range(shaves, 20)]


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--corpus', default=CORPUS)
    ap.add_argument('-k', default='', metavar='REGEX')
    ap.add_argument('--count', type=int, default=2000)
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--jobs', type=int, default=2)
    ap.add_argument('--json')
    compilers.add_arguments(ap)
    return ap.parse_args()


def settings(count, seed):
    """`count` settings; shaves x slices goes round, the rest is drawn."""
    r = np.random.RandomState(seed)
    order = []
    while len(order) < count:
        order += [PAIRS[i] for i in r.permutation(len(PAIRS))]
    for shaves, slices in order[:count]:
        config = {'MYRIAD_ENABLE_HW_ACCELERATION': 'NO'} if r.random_sample() < 0.3 else {}
        if shaves > 8 or slices > 9:
            config['MYRIAD_THROUGHPUT_STREAMS'] = '1'
        yield Options(r.choice(['U8', 'FP16', 'FP32', None]), r.choice(['FP16', 'FP32', None]), shaves, slices, config)


def has_whole_inputs(model):
    with open(model) as f:
        return any(re.search(r'element_type="[iub]', x) for x in re.findall(r'<layer [^>]*type="Parameter"[^>]*>\s*<data [^>]*>', f.read()))


def main():
    a = arguments()
    if not compilers.reference_present(a.shared, a.version):
        print('skipped: no reference compiler')
        return 0
    local = threading.local()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(a.jobs) as pool:
        networks = [m for m in sorted(glob.glob(os.path.join(a.corpus, '*.xml'))) if not m.endswith('.ng.xml')]
        if not networks:
            networks = [os.path.join(folder, name + '.xml') for name in models.write(folder)]
        networks = [m for m in networks if re.search(a.k, os.path.basename(m))]

        def one(job):
            model, options = job
            if has_whole_inputs(model):
                options.ip = None
            if not hasattr(local, 'compilers'):
                local.compilers = Compilers(a.tool, a.shared, tempfile.mkdtemp(dir=folder), a.version)
            return dict(model=os.path.basename(model), options=' '.join(options.reference()), **dict(zip(('verdict', 'detail'), local.compilers.compare(model, options))))

        rows = []
        for row in pool.map(one, ((networks[i % len(networks)], o) for i, o in enumerate(settings(a.count, a.seed)))):
            rows.append(row)
            if row['verdict'] not in (IDENTICAL, BOTH_REFUSE):
                print(f'{row["model"]} {row["options"]}: {row["verdict"]}: {row["detail"][:300]}', flush=True)
    counts = Counter(r['verdict'] for r in rows)
    for verdict, count in counts.most_common():
        print(f'{count:6} {verdict}')
    compiled = len(rows) - counts[BOTH_REFUSE] - counts[REFERENCE_REFUSES]
    print(f'{counts[IDENTICAL]} of {compiled} identical, {len(networks)} networks')
    if a.json:
        with open(a.json, 'w') as f:
            json.dump(rows, f, indent=1)
    return 0 if counts[IDENTICAL] == compiled else 1


if __name__ == '__main__':
    sys.exit(main())
