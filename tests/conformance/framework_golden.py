#!/usr/bin/env python3
"""Writes framework_golden.tsv: the SHA-256 of the blob that Intel's chain makes of every network of framework_models.py and
framework_networks.py.

  framework_golden.py [--shared DIR] [--mo COMMAND] [-k REGEX]     (-k: only these, the others as they are)

COMMAND takes Model Optimizer's options (default: $BLOBSMITH_MO, else mo); DIR holds oracle/compile.
"""
import argparse
import hashlib
import os
import re
import shlex
import subprocess
import tempfile

import framework_networks

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = os.path.join(HERE, 'framework_golden.tsv')


def read():
    """name -> SHA-256, or "-" where Intel's tools refuse it"""
    if not os.path.exists(FILE):
        return {}
    with open(FILE) as f:
        return dict(line.split() for line in f if not line.startswith('#'))


def sum_of(mo, compiler, case, name, arguments, folder):
    framework = [] if '--framework' in arguments else ['--framework', name.split('_')[0]]
    subprocess.run([*mo, *framework, *arguments, '--output_dir', folder, '--model_name', name, '--silent'], cwd=case, capture_output=True, env=dict(os.environ, PYTHONHASHSEED='0'))
    blob = os.path.join(folder, name + '.blob')
    subprocess.run([compiler, os.path.join(folder, name + '.xml'), blob, '-ip', 'U8', '-shaves', '6', '-slices', '6'], capture_output=True)
    if not os.path.exists(blob):
        return '-'
    with open(blob, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shared', default=os.environ.get('BLOBSMITH_SHARED', os.path.join(HERE, '..', '..', '..', 'shared')))
    parser.add_argument('--mo', default=os.environ.get('BLOBSMITH_MO', 'mo'))
    parser.add_argument('-k', default='')
    args = parser.parse_args()
    sums = read()
    with tempfile.TemporaryDirectory() as folder:
        cases = framework_networks.write(folder)
        for name, (case, arguments) in cases.items():
            if re.search(args.k, name):
                sums[name] = sum_of(shlex.split(args.mo), os.path.join(args.shared, 'oracle', 'compile'), case, name, arguments, folder)
    with open(FILE, 'w') as f:
        f.write('# network, SHA-256 of the blob that Intel\'s Model Optimizer and compiler (2021.4.2) make of it, "-": they refuse it; made by framework_golden.py\n')
        f.writelines(f'{name}\t{sums[name]}\n' for name in cases)


if __name__ == '__main__':
    main()
