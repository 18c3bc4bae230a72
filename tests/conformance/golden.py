#!/usr/bin/env python3
"""Writes golden.tsv: the SHA-256 of the reference compiler's blob for every network of models.py and onnx_models.py under every option set.
Option sets with `--target 2022.1` are those of OpenVINO 2022.1's compiler.

  golden.py [--shared DIR]      (needs the reference compiler: --shared or BLOBSMITH_SHARED)
"""
import argparse
import hashlib
import os
import subprocess
import tempfile

import compilers
import models
import onnx_models

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = os.path.join(HERE, 'golden.tsv')
FLAGS = {'-VPU_NUMBER_OF_SHAVES': '-shaves', '-VPU_NUMBER_OF_CMX_SLICES': '-slices', '-c': '-c', '-ip': '-ip', '-op': '-op'}


def reference_blob(shared, path, arguments, blob):
    version = '2021.4'
    if '--target' in arguments:
        at = arguments.index('--target')
        version, arguments = arguments[at + 1], arguments[:at] + arguments[at + 2:]
    subprocess.run([compilers.reference(shared, version), path, blob] + [FLAGS.get(x, x) for x in arguments], check=True, stdout=subprocess.DEVNULL)
    with open(blob, 'rb') as f:
        return compilers.stamped(f.read(), version)


def read():
    """(network, options) -> SHA-256"""
    with open(FILE) as f:
        return {tuple(line.split()[:2]): line.split()[2] for line in f if not line.startswith('#')}


def write(folder):
    """network -> its file and the option sets under which it is compiled"""
    networks = {name: (os.path.join(folder, name + '.xml'), models.OPTIONS) for name in models.write(folder)}
    for name, path in onnx_models.write(folder).items():
        networks[name] = (path, {o: arguments for o, arguments in onnx_models.OPTIONS.items() if o != '2022.1' or name not in onnx_models.NOT_2022_1})
    return networks


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--shared', default=os.environ.get('BLOBSMITH_SHARED', os.path.join(HERE, '..', '..', '..', 'shared')))
    a = ap.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (path, option_sets) in write(folder).items():
            for options, arguments in option_sets.items():
                content = reference_blob(a.shared, path, arguments, os.path.join(folder, 'out.blob'))
                rows.append(f'{name}\t{options}\t{hashlib.sha256(content).hexdigest()}\n')
    with open(FILE, 'w') as f:
        f.write('# network, options, SHA-256 of the blob that OpenVINO 2021.4.2 (2022.1) writes; made by golden.py\n' + ''.join(rows))


if __name__ == '__main__':
    main()
