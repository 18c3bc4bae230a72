#!/usr/bin/env python3
"""Byte identity of `blobsmith compile --target 2022.1` on OpenVINO IRs.

  release_2022.py CORPUS [--way second|first|read] [-k REGEX] [-ip U8] [-op FP16] [--shaves 6] [--tool build/blobsmith] [-v]

CORPUS is a folder of .xml, or of .onnx for --way read. The ways:
  second  an IR by the second runtime interface, as compile_tool 2022.1 does by default. Needs BLOBSMITH_OPENVINO_2022: a Python
          with openvino 2022.1 and its MYRIAD plugin
  first   an IR by the first (--ov_api_1_0). Needs the reference compiler of 2022.1 with a reader of IRs
  read    an ONNX model as 2022.1 reads it, written as an IR by the reference compiler, compiled by the first; the reference's
          blob is that of the ONNX model. The IR does not keep the order of inputs and outputs, which the end of the blob shows
tests/README.md says how to get both. Exit code 0 when all that the reference compiles is identical.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter

import compilers
from compilers import BOTH_REFUSE, DIFFERS, IDENTICAL, REFERENCE_REFUSES, WE_REFUSE, Options

VERSION = '2022.1'


class SecondInterface:
    def __init__(self, python):
        self.process = subprocess.Popen([python, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'openvino_2022.py')], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def compile(self, model, blob, options):
        config = {'MYRIAD_NUMBER_OF_SHAVES': str(options.shaves), 'MYRIAD_NUMBER_OF_CMX_SLICES': str(options.slices), 'MYRIAD_THROUGHPUT_STREAMS': '1'} | options.config
        self.process.stdin.write(json.dumps(dict(model=model, blob=blob, ip=options.ip, op=options.op, config=config)) + '\n')
        return json.loads(self.process.stdout.readline())['error']


def whole_inputs(model):
    """Inputs of indices keep their type."""
    if not model.endswith('.xml'):
        return False
    with open(model) as f:
        return bool(re.search(r'type="Parameter"[^>]*>\s*<data [^>]*element_type="[iub]', f.read()))


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prefix_chars='-')
    ap.add_argument('corpus')
    ap.add_argument('--way', choices=('second', 'first', 'read'), default='second')
    ap.add_argument('-k', default='', metavar='REGEX')
    ap.add_argument('-ip', default='U8')
    ap.add_argument('-op')
    ap.add_argument('--shaves', type=int, default=6)
    ap.add_argument('-v', action='store_true')
    ap.add_argument('--tool', default=os.path.join(compilers.ROOT, 'build', 'blobsmith'))
    ap.add_argument('--shared', default=compilers.SHARED)
    return ap.parse_args()


class Judge:
    def __init__(self, a, folder):
        self.a, self.folder, self.settings = a, folder, compilers.target(VERSION)[1]
        self.second = SecondInterface(os.environ['BLOBSMITH_OPENVINO_2022']) if a.way == 'second' else None

    def reference(self, model, options):
        """(blob or None, why not, the model that blobsmith gets)"""
        blob, read = (os.path.join(self.folder, name) for name in ('reference.blob', 'read.xml'))
        for path in (blob, read):
            if os.path.exists(path):
                os.remove(path)
        if self.second:
            why = self.second.compile(model, blob, options)
        else:
            more = ['-ir', read] if self.a.way == 'read' else []
            why = compilers.run([compilers.reference(self.a.shared, VERSION), model, blob, *options.reference(), *more], blob)[1]
        if why or not os.path.exists(blob):
            return None, why, model
        with open(blob, 'rb') as f:
            return compilers.stamped(f.read(), VERSION), '', read if self.a.way == 'read' else model

    def verdict(self, model):
        options = Options(None if whole_inputs(model) else self.a.ip, self.a.op, self.a.shaves, self.a.shaves, self.settings)
        theirs, why_they, model = self.reference(model, options)
        blob = os.path.join(self.folder, 'ours.blob')
        ours, why_we = compilers.run([self.a.tool, 'compile', '-m', model, '-o', blob, *options.ours(self.folder), '--target', VERSION, *(() if self.second else ('--ov_api_1_0',))], blob)
        if theirs is None:
            return (BOTH_REFUSE if ours is None else REFERENCE_REFUSES), compilers.plain(why_they)
        if ours is None:
            return WE_REFUSE, why_we
        return (IDENTICAL, '') if ours == theirs else (DIFFERS, compilers.first_difference(ours, theirs))


def main():
    a = arguments()
    ending = '.onnx' if a.way == 'read' else '.xml'
    models = [m for m in sorted(glob.glob(os.path.join(a.corpus, '**', '*' + ending), recursive=True)) if re.search(a.k, os.path.basename(m))]
    counts = Counter()
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(a, folder)
        for model in models:
            verdict, detail = judge.verdict(os.path.abspath(model))
            counts[verdict] += 1
            if a.v or verdict not in (IDENTICAL, BOTH_REFUSE):
                print(f'{os.path.basename(model):<48} {verdict}: {detail[:200]}', flush=True)
    for verdict, count in counts.most_common():
        print(f'{count:6} {verdict}')
    compiled = counts[IDENTICAL] + counts[DIFFERS] + counts[WE_REFUSE]
    print(f'{counts[IDENTICAL]} of {compiled} identical ({100 * counts[IDENTICAL] / max(compiled, 1):.1f} %), {a.way} way')
    return 0 if counts[IDENTICAL] == compiled else 1


if __name__ == '__main__':
    sys.exit(main())
