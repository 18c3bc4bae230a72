#!/usr/bin/env python3
"""Compiles every network of single_op_models.py, dynamic_models.py, pattern_models.py and loop_models.py with blobsmith and with the reference compiler and compares the blobs.

  single_ops.py [--tool build/blobsmith] [--shared DIR] [-k REGEX] [-ip U8] [-c KEY=VALUE] [--keep DIR] [--jobs N] [-v]

Needs the reference compiler: --shared or BLOBSMITH_SHARED. Exit code 1 when a network differs or only one of the two compiles it.
"""
import argparse
import collections
import concurrent.futures
import os
import re
import sys
import tempfile

import compilers
import dynamic_models
import loop_models
import pattern_models
import single_op_models
from ir_builder import Net

CASES = single_op_models.CASES + dynamic_models.CASES + pattern_models.CASES + loop_models.CASES
VERDICTS = (compilers.IDENTICAL, compilers.BOTH_REFUSE, compilers.DIFFERS, compilers.WE_REFUSE, compilers.REFERENCE_REFUSES, compilers.CRASH, compilers.VARIES)
FINE = (compilers.IDENTICAL, compilers.BOTH_REFUSE, compilers.VARIES)


def judge(arguments, folder, number):
    folder = os.path.join(folder, str(number))
    os.makedirs(folder, exist_ok=True)
    op, _, build = CASES[number]
    net = Net(op, number)
    build(net)
    net.save(os.path.join(folder, 'net'))
    options = compilers.Options(ip=arguments.ip, config=dict(c.split('=', 1) for c in arguments.c))
    return compilers.Compilers(arguments.tool, arguments.shared, folder, arguments.version).compare(os.path.join(folder, 'net.xml'), options)


def print_table(table):
    print(f'\n{"operation":<52}' + ''.join(f'{v.split()[0] if v not in (compilers.WE_REFUSE, compilers.REFERENCE_REFUSES) else v[:14]:>16}' for v in VERDICTS))
    for op in sorted(table):
        print(f'{op:<52}' + ''.join(f'{table[op][v] or "":>16}' for v in VERDICTS))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    compilers.add_arguments(ap)
    ap.add_argument('-k', dest='pattern', default='', help='only networks whose "operation variant" matches')
    ap.add_argument('-ip')
    ap.add_argument('-c', action='append', default=[], metavar='KEY=VALUE')
    ap.add_argument('--keep', help='keep the networks and blobs in this folder')
    ap.add_argument('--jobs', type=int, default=os.cpu_count())
    ap.add_argument('-v', action='store_true', help='also what the compilers said where both refuse')
    arguments = ap.parse_args()
    if not compilers.reference_present(arguments.shared, arguments.version):
        print('skipped: no reference compiler')
        return 0
    chosen = [i for i, (op, variant, _) in enumerate(CASES) if re.search(arguments.pattern, f'{op} {variant}')]
    table = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for number, (verdict, detail) in zip(chosen, pool.map(lambda i: judge(arguments, arguments.keep or scratch, i), chosen)):
            op, variant, _ = CASES[number]
            if verdict == compilers.DIFFERS and (op, variant) in loop_models.ADDRESS_DEPENDENT:
                verdict = compilers.VARIES
            table[op][verdict] += 1
            if verdict not in FINE or arguments.v and detail:
                print(f'{number:4} {op}, {variant}: {verdict}: {detail}', flush=True)
    total = sum(table.values(), collections.Counter())
    print_table({**table, '~ all': total})
    return 0 if all(v in FINE for v in total) else 1


if __name__ == '__main__':
    sys.exit(main())
