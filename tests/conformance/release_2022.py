#!/usr/bin/env python3
"""Byte identity of `blobsmith compile --target 2022.1` on OpenVINO IRs.

  release_2022.py CORPUS [--way second|first|read] [-k REGEX] [-ip U8] [-op FP16] [--shaves 6] [--told N [--seed S]]
                  [--tool build/blobsmith] [-v]
  release_2022.py --golden        writes release_golden.tsv, the sums of the networks of release_models.py, second way

CORPUS is a folder of .xml, or of .onnx for --way read. The ways:
  second  an IR by the second runtime interface, as compile_tool 2022.1 does by default. Needs BLOBSMITH_OPENVINO_2022: a Python
          with openvino 2022.1 and its MYRIAD plugin
  first   an IR by the first (--ov_api_1_0). Needs the reference compiler of 2022.1 with a reader of IRs
  read    an ONNX model as 2022.1 reads it, written as an IR by the reference compiler, compiled by the first; the reference's
          blob is that of the ONNX model. The IR does not keep the order of inputs and outputs, which the end of the blob shows
--told compiles every model under N drawn settings of compile_tool's options: types and layouts of all inputs and outputs and by
name, layouts of the network's, processors, streams, hardware off. tests/README.md says how to get both compilers. Exit code 0 when all that the reference compiles is identical.
"""
import argparse
import glob
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

import compilers
import release_models
from compilers import BOTH_REFUSE, DIFFERS, IDENTICAL, REFERENCE_REFUSES, WE_REFUSE, Options

VERSION = '2022.1'


class SecondInterface:
    def __init__(self, python):
        self.process = subprocess.Popen([python, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'openvino_2022.py')], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def compile(self, model, blob, options, told):
        config = {'MYRIAD_NUMBER_OF_SHAVES': str(options.shaves), 'MYRIAD_NUMBER_OF_CMX_SLICES': str(options.slices), 'MYRIAD_THROUGHPUT_STREAMS': '1'} | options.config
        self.process.stdin.write(json.dumps(dict(model=model, blob=blob, ip=options.ip, op=options.op, config=config) | told) + '\n')
        return json.loads(self.process.stdout.readline())['error']


def whole_inputs(model):
    """Inputs of indices keep their type."""
    if not model.endswith('.xml'):
        return False
    with open(model) as f:
        return bool(re.search(r'type="Parameter"[^>]*>\s*<data [^>]*element_type="[iub]', f.read()))


def ports(model):
    """[(name, rank)] of the inputs, and of the outputs that have a name, of an IR."""
    layers = ElementTree.parse(model).getroot().find('layers')
    inputs, named, results = [], {}, []
    for layer in layers:
        for port in layer.findall('output/port'):
            names = port.get('names', '')
            named[layer.get('id'), port.get('id')] = (names.split(',')[0], len(port.findall('dim')))
            if layer.get('type') == 'Parameter':
                inputs.append((names.split(',')[0] or layer.get('name'), len(port.findall('dim'))))
        if layer.get('type') == 'Result':
            results.append(layer.get('id'))
    edges = ElementTree.parse(model).getroot().find('edges')
    read = {e.get('to-layer'): named.get((e.get('from-layer'), e.get('from-port')), ('', 0)) for e in edges}
    return inputs, [read[r] for r in results if r in read and read[r][0] and ':' not in read[r][0]]


LAYOUTS = {1: ['C', 'N'], 2: ['NC', 'CN', 'HW'], 3: ['CHW', 'HWC', 'NCW', 'NHW', 'NWC'], 4: ['NCHW', 'NHWC', 'NHWC', 'CHWN'], 5: ['NCDHW', 'NDHWC']}


def drawn(model, r):
    """(Options, {option of compile_tool: value}): most as users have them, some odd."""
    inputs, outputs = ports(model)
    ranks = {rank for _, rank in inputs}, {rank for _, rank in outputs}
    told = {}
    whole = whole_inputs(model)
    ip = None if whole else r.choice(['U8', 'U8', 'FP16', 'FP32', None])
    op = r.choice([None, None, 'FP16', 'FP32', 'FP32'] + ([] if r.random() < 0.9 else ['U8', 'I32']))
    by_name = []
    for name, _ in inputs:
        if r.random() < 0.2 and not whole and not re.search('[:,]', name):
            by_name.append(f'{name}:{r.choice(["U8", "FP16", "FP32"])}')
    for name, _ in outputs:
        if r.random() < 0.2 and not re.search('[:,]', name):
            by_name.append(f'{name}:{r.choice(["FP16", "FP32"])}')
    if by_name:
        told['iop'] = ','.join(by_name)
    for of, layout, model_layout in ((ranks[0], 'il', 'iml'), (ranks[1], 'ol', 'oml')):
        if len(of) == 1 and r.random() < 0.5:
            choices = LAYOUTS.get(next(iter(of)), ['NC'])
            told[layout] = r.choice(choices)
            if r.random() < 0.7:
                told[model_layout] = r.choice(choices)
    for option, chance in (('iol', 0.15), ('ioml', 0.15)):
        pairs = [f'{name}:{r.choice(LAYOUTS[rank])}' for name, rank in inputs + outputs if rank in LAYOUTS and not re.search('[:,]', name) and r.random() < chance]
        if pairs:
            told[option] = ','.join(pairs)
    shaves = r.choice([6, 6, 4, 5, 8, 1, 12])
    slices = max(shaves, r.choice([shaves, shaves, shaves + 1, 10]))
    config = {}
    if r.random() < 0.1:
        config['MYRIAD_ENABLE_HW_ACCELERATION'] = 'NO'
    return Options(ip, op, shaves, slices, config), told


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prefix_chars='-')
    ap.add_argument('corpus', nargs='?')
    ap.add_argument('--golden', action='store_true')
    ap.add_argument('--way', choices=('second', 'first', 'read'), default='second')
    ap.add_argument('-k', default='', metavar='REGEX')
    ap.add_argument('-ip', default='U8')
    ap.add_argument('-op')
    ap.add_argument('--shaves', type=int, default=6)
    ap.add_argument('--told', type=int, metavar='N')
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('-v', action='store_true')
    ap.add_argument('--tool', default=os.path.join(compilers.ROOT, 'build', 'blobsmith'))
    ap.add_argument('--shared', default=compilers.SHARED)
    return ap.parse_args()


GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'release_golden.tsv')


def write_golden():
    reference = SecondInterface(os.environ['BLOBSMITH_OPENVINO_2022'])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        blob = os.path.join(folder, 'reference.blob')
        for name, path in release_models.write(folder).items():
            for told in release_models.TOLD[name]:
                words = told.split()
                why = reference.compile(path, blob, Options(), {k[1:]: v for k, v in zip(words[::2], words[1::2])})
                if why:
                    sys.exit(f'{name} {told}: {why}')
                with open(blob, 'rb') as f:
                    rows.append(f'{name}\t{told}\t{hashlib.sha256(compilers.stamped(f.read(), VERSION)).hexdigest()}\n')
    with open(GOLDEN, 'w') as f:
        f.write("# network, options of compile_tool, SHA-256 of OpenVINO 2022.1's blob; made by release_2022.py --golden\n" + ''.join(rows))


class Judge:
    def __init__(self, a, folder):
        self.a, self.folder, self.settings = a, folder, compilers.target(VERSION)[1]
        self.second = SecondInterface(os.environ['BLOBSMITH_OPENVINO_2022']) if a.way == 'second' else None

    def reference(self, model, options, told):
        """(blob or None, why not, the model that blobsmith gets)"""
        blob, read = (os.path.join(self.folder, name) for name in ('reference.blob', 'read.xml'))
        for path in (blob, read):
            if os.path.exists(path):
                os.remove(path)
        if self.second:
            why = self.second.compile(model, blob, options, told)
        else:
            more = ['-ir', read] if self.a.way == 'read' else []
            why = compilers.run([compilers.reference(self.a.shared, VERSION), model, blob, *options.reference(), *more], blob)[1]
        if why or not os.path.exists(blob):
            return None, why, model
        with open(blob, 'rb') as f:
            return compilers.stamped(f.read(), VERSION), '', read if self.a.way == 'read' else model

    def settings_of(self, model):
        """[(Options, what else is told)]"""
        if not self.a.told:
            return [(Options(None if whole_inputs(model) else self.a.ip, self.a.op, self.a.shaves, self.a.shaves, self.settings), {})]
        r = random.Random(f'{self.a.seed} {os.path.relpath(model, self.a.corpus)}')
        return [(replace(options, config=options.config | self.settings), told) for options, told in (drawn(model, r) for _ in range(self.a.told))]

    def verdict(self, model, options, told):
        theirs, why_they, model = self.reference(model, options, told)
        blob = os.path.join(self.folder, 'ours.blob')
        named = [x for option, value in told.items() for x in (f'-{option}', value)]
        ours, why_we = compilers.run([self.a.tool, 'compile', '-m', model, '-o', blob, *options.ours(self.folder), *named, '--target', VERSION, *(() if self.second else ('--ov_api_1_0',))], blob)
        if theirs is None:
            return (BOTH_REFUSE if ours is None else REFERENCE_REFUSES), compilers.plain(why_they)
        if ours is None:
            return WE_REFUSE, why_we
        return (IDENTICAL, '') if ours == theirs else (DIFFERS, compilers.first_difference(ours, theirs))


def main():
    a = arguments()
    if a.golden:
        return write_golden()
    ending = '.onnx' if a.way == 'read' else '.xml'
    models = [m for m in sorted(glob.glob(os.path.join(a.corpus, '**', '*' + ending), recursive=True)) if re.search(a.k, os.path.relpath(m, a.corpus))]
    counts = Counter()
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(a, folder)
        for model in models:
            for options, told in judge.settings_of(model):
                verdict, detail = judge.verdict(os.path.abspath(model), options, told)
                counts[verdict] += 1
                if a.v or verdict not in (IDENTICAL, BOTH_REFUSE):
                    settings = ' '.join(options.reference() + [x for k, v in told.items() for x in (f'-{k}', v)]) if a.told else ''
                    print(f'{os.path.relpath(model, a.corpus):<48} {settings} {verdict}: {detail[:200]}', flush=True)
    for verdict, count in counts.most_common():
        print(f'{count:6} {verdict}')
    compiled = counts[IDENTICAL] + counts[DIFFERS] + counts[WE_REFUSE]
    print(f'{counts[IDENTICAL]} of {compiled} identical ({100 * counts[IDENTICAL] / max(compiled, 1):.1f} %), {a.way} way')
    return 0 if counts[IDENTICAL] == compiled else 1


if __name__ == '__main__':
    sys.exit(main())
