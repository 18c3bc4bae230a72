#!/usr/bin/env python3
"""Random networks through both compilers, byte for byte.

  fuzz_graphs.py [--from ir|onnx] [--count N] [--seed S] [--jobs N] [--layers N] [--minimise] [--keep DIR] [--json OUT] [--goal PERCENT]

Each seed makes one network and one set of options; --count takes consecutive seeds from --seed on. --keep writes what is not
identical as DIR/SEED.xml and .bin, or .onnx, with the options in SEED.txt; --minimise shrinks those to the smallest that still behave so
and names the first pass that differs. Needs the reference compiler: --shared or BLOBSMITH_SHARED.
Exit code: 0 when at least --goal percent of what the reference compiles is identical and nothing crashed, else 1.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import compilers
from compilers import BOTH_REFUSE, CRASH, DIFFERS, IDENTICAL, REFERENCE_REFUSES, VARIES, WE_REFUSE, Compilers, Options
from graph_fuzz import generate, shrink

HERE = os.path.dirname(os.path.abspath(__file__))
WORTH_SHRINKING = (DIFFERS, WE_REFUSE, REFERENCE_REFUSES, CRASH)


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--from', dest='form', choices=('ir', 'onnx'), default='ir')
    ap.add_argument('--count', type=int, default=200)
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--jobs', type=int, default=2)
    ap.add_argument('--layers', type=int, help='layers per network (default: drawn, 1 to 20)')
    ap.add_argument('--minimise', action='store_true')
    ap.add_argument('--keep')
    ap.add_argument('--json')
    ap.add_argument('--goal', type=float, default=99.0)
    compilers.add_arguments(ap)
    ap.add_argument('-v', action='store_true', help='also what both refuse')
    return ap.parse_args()


def same_kind(verdict, row):
    """Whether a smaller network still behaves so; a refusal must begin with the same words."""
    if verdict[0] == DIFFERS:
        return row['verdict'] == DIFFERS
    words = [re.sub(r'"[^"]*"|\S*\d\S*', '', text)[:40] for text in (verdict[1], row['detail'])]
    return verdict[0] == row['verdict'] and words[0] == words[1]


class Fuzzer:
    def __init__(self, a, folder):
        self.a, self.folder, self.local = a, folder, threading.local()
        self.network, self.minimise, self.ending, self.passes_input = generate.network, shrink.minimise, '.xml', lambda net: False
        if a.form == 'onnx':
            from graph_fuzz import onnx_net
            self.network, self.minimise, self.ending, self.passes_input = onnx_net.network, onnx_net.minimise, '.onnx', onnx_net.passes_input

    def mine(self):
        """Compilers and files of this thread."""
        if not hasattr(self.local, 'compilers'):
            folder = tempfile.mkdtemp(dir=self.folder)
            self.local.compilers = Compilers(self.a.tool, self.a.shared, folder, self.a.version)
        return self.local.compilers

    def verdict(self, net, options):
        c = self.mine()
        path = os.path.join(c.folder, 'net')
        net.save(path)
        return c.compare(path + self.ending, options)

    def one(self, seed):
        net = self.network(seed, self.a.layers)
        if self.a.form == 'ir' and self.a.version == '2022.1':
            generate.as_version_11(net, seed)
        options = Options(**generate.options(net, seed))
        if options.ip == 'FP32' and not options.op and self.passes_input(net):
            options.op = 'FP32'   # one description for both: compile_tool leaves it at FP32, the reference's driver makes FP16 of it
        verdict, detail = self.verdict(net, options)
        row = dict(seed=seed, verdict=verdict, detail=detail, options=vars(options), layers=Counter(x.type for x in net.layers if x.type not in ('Const', 'Result')))
        if verdict in WORTH_SHRINKING and compilers.ENDLESS not in detail and self.a.minimise:
            self.shrink(net, options, row)
        if self.a.keep and verdict not in (IDENTICAL, BOTH_REFUSE):
            self.keep(net, f'{seed}', options, row)
        return row

    def shrink(self, net, options, row):
        small = self.minimise(net, lambda smaller: same_kind(self.verdict(smaller, options), row))
        for plainer in (Options(), Options(ip='U8'), Options(config=options.config)):
            if same_kind(self.verdict(small, plainer), row):
                options = plainer
                break
        row['detail'] = self.verdict(small, options)[1]
        row['smallest'] = [f'{x.type}{list(x.shapes[0]) if x.shapes else ""}' for x in small.layers if x.type not in ('Const', 'Result')]
        row['smallest options'] = ' '.join(options.reference())
        if self.a.keep:
            self.keep(small, f'{row["seed"]}-small', options, row)
        if row['verdict'] == DIFFERS:
            path = os.path.join(self.mine().folder, 'net')
            small.save(path)
            diff = subprocess.run([sys.executable, os.path.join(HERE, 'passdiff.py'), path + self.ending, '--tool', self.a.tool, '--shared', self.a.shared, '--version', self.a.version, *options.reference()], capture_output=True, text=True)
            row['pass'] = diff.stdout

    def keep(self, net, name, options, row):
        path = os.path.join(self.a.keep, name)
        net.save(path)
        with open(path + '.txt', 'w') as f:
            f.write(f'{" ".join(options.reference())}\n{row["verdict"]}: {row["detail"]}\n{row.get("pass", "")}')


def shown(row, verbose):
    if row['verdict'] == IDENTICAL or row['verdict'] == BOTH_REFUSE and not verbose:
        return
    print(f'{row["seed"]} {row["verdict"]}: {row["detail"][:300]}')
    if 'smallest' in row:
        print('   ', ', '.join(row['smallest']), '|', row['smallest options'])
    if row.get('pass'):
        print('\n'.join('    ' + line[:200] for line in row['pass'].splitlines()[:6]))
    sys.stdout.flush()


def main():
    a = arguments()
    if not compilers.reference_present(a.shared, a.version):
        print('skipped: no reference compiler')
        return 0
    if a.keep:
        os.makedirs(a.keep, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(a.jobs) as pool:
        for row in pool.map(Fuzzer(a, folder).one, range(a.seed, a.seed + a.count)):
            rows.append(row)
            shown(row, a.v)
    counts = Counter(r['verdict'] for r in rows)
    compiled = len(rows) - counts[BOTH_REFUSE] - counts[REFERENCE_REFUSES]
    share = 100 * (counts[IDENTICAL] + counts[VARIES]) / max(compiled, 1)
    for verdict, count in counts.most_common():
        print(f'{count:6} {verdict}')
    print(f'{compiled} of {len(rows)} compiled by the reference ({100 * compiled / len(rows):.1f} %), {share:.2f} % of these identical')
    if a.json:
        with open(a.json, 'w') as f:
            json.dump(rows, f, indent=1)
    return 0 if share >= a.goal and not counts[CRASH] else 1


if __name__ == '__main__':
    sys.exit(main())
