#!/usr/bin/env python3
"""Exports of today's frameworks through `blobsmith convert` and `run`: what converts, how long it takes, how right it is.

  exports.py DIR [--tool build/blobsmith] [-k REGEX] [--table FILE.md] [--json FILE] [--no-run]

DIR holds NAME.onnx beside NAME.npz (in_<input>, out_<output>: inputs and what ONNX Runtime makes of them in FP32).
Open axes but the batch take the sizes of the inputs in NAME.npz; pictures that are no bytes are stated to be FP16.
A network is right when its relative error is at most twice that of ONNX Runtime with every tensor rounded to FP16. Exit code 0 when all convert and are right.
"""
import argparse
import collections
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import time

import numpy as np

FLOOR = 2e-3  # what FP16 output itself and other orders of summation may cost


def relative(got, want):
    """The root of the mean square of the difference, relative to that of the wanted values about their mean."""
    got, want = got.reshape(-1).astype(np.float64), want.reshape(-1).astype(np.float64)
    if got.size != want.size or not np.isfinite(got).all():
        return float('inf')
    scale = np.sqrt(np.mean((want - want.mean()) ** 2)) or np.abs(want).max() or 1
    return float(np.sqrt(np.mean((got - want) ** 2)) / scale)


def halved(model):
    """The model with every constant and every tensor that a node makes rounded to FP16."""
    import onnx
    from onnx import helper, numpy_helper
    float32 = onnx.TensorProto.FLOAT
    inferred = onnx.shape_inference.infer_shapes(model)
    kinds = {v.name: v.type.tensor_type.elem_type
             for v in [*inferred.graph.value_info, *inferred.graph.output, *inferred.graph.input]}
    graph = model.graph

    def rounded(t):
        if t.data_type != float32:
            return t
        with np.errstate(over='ignore'):
            a = np.clip(numpy_helper.to_array(t), -65504, 65504).astype(np.float16).astype(np.float32)
        return numpy_helper.from_array(a, t.name)
    for i, t in enumerate(list(graph.initializer)):
        graph.initializer[i].CopyFrom(rounded(t))
    nodes = []
    for n in graph.node:
        for a in n.attribute:
            if n.op_type == 'Constant' and a.name == 'value':
                a.t.CopyFrom(rounded(a.t))
        casts = []
        for i, o in enumerate(n.output):
            if o and kinds.get(o) == float32 and n.op_type != 'Constant':
                n.output[i] = o + '/unrounded'
                casts += [helper.make_node('Cast', [o + '/unrounded'], [o + '/half'], to=onnx.TensorProto.FLOAT16),
                          helper.make_node('Cast', [o + '/half'], [o], to=float32)]
        nodes += [n, *casts]
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def half_errors(path, inputs, want):
    """Relative error of each output when ONNX Runtime rounds every tensor to FP16; none where it can't run that."""
    import onnx
    import onnxruntime
    try:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        model = halved(onnx.load(path))
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=['CPUExecutionProvider'])
        got = session.run(list(want), inputs)
        return {k: relative(np.asarray(g), want[k]) for k, g in zip(want, got)}
    except Exception as e:
        return {'error': str(e)[:200]}


def open_shapes(path, inputs):
    import onnx
    for i in onnx.load(path, load_external_data=False).graph.input:
        dims = i.type.tensor_type.shape.dim
        if i.name in inputs and any(not d.HasField('dim_value') for d in dims[1:]):
            yield from ('--input-shape', i.name + '=' + ','.join(map(str, inputs[i.name].shape)))


def input_types(inputs):
    """What looks like a picture is taken for bytes; those that hold other numbers are to be stated, as a user would."""
    def is_picture(a):
        return a.ndim == 4 and any(c in (1, 3, 4) and h > 1 and w > 1 for c, h, w in (a.shape[1:], (a.shape[3], *a.shape[1:3])))

    def is_bytes(a):
        return (a == np.round(a)).all() and a.min() >= 0 and a.max() <= 255
    stated = [k + ':FP16' for k, v in inputs.items() if v.dtype.kind == 'f' and is_picture(v) and not is_bytes(v)]
    return ['--iop', ','.join(stated)] if stated else []


def resident(pid):
    """The largest memory of a process so far, MB."""
    try:
        with open(f'/proc/{pid}/status') as f:
            return next((int(line.split()[1]) / 1024 for line in f if line.startswith('VmHWM')), 0)
    except OSError:
        return 0


def measured(command, limit):
    """(exit code or 'slow', text, seconds of CPU, MB)"""
    started = time.time()
    with tempfile.TemporaryFile('w+') as text:
        p = subprocess.Popen(command, stdout=text, stderr=subprocess.STDOUT, text=True)
        mb = 0
        while True:
            mb = max(mb, resident(p.pid))
            pid, status, usage = os.wait4(p.pid, os.WNOHANG)
            if pid:
                p.returncode = os.waitstatus_to_exitcode(status)
                text.seek(0)
                return p.returncode, text.read(), usage.ru_utime + usage.ru_stime, mb
            if time.time() - started > limit:
                p.kill()
                p.wait()
                return 'slow', f'not done after {limit} s', limit, 0
            time.sleep(0.01)


def output_of(folder, name):
    stem = os.path.join(folder, name.replace('/', '_'))
    return next((np.load(f) for f in (stem + '.npy', stem + '.0.npy') if os.path.exists(f)), None)


def one(path, args):
    name = os.path.basename(path)[:-5]
    data = dict(np.load(path[:-5] + '.npz'))
    inputs = {k[3:]: v for k, v in data.items() if k.startswith('in_')}
    want = {k[4:]: v for k, v in data.items() if k.startswith('out_')}
    row = {'name': name}
    with tempfile.TemporaryDirectory() as folder:
        blob = os.path.join(folder, 'm.blob')
        code, text, cpu, mb = measured([args.tool, 'convert', path, '-o', blob, '--json', *open_shapes(path, inputs),
                                        *input_types(inputs)],
                                       args.limit)
        row.update(seconds=round(cpu, 2), mb=round(mb))
        if code != 0:
            lines = [line for line in text.strip().split('\n') if line]
            return {**row, 'verdict': 'crash' if code != 'slow' and (code < 0 or code == 70) else 'refused',
                    'why': (lines[0] if lines else str(code))[:230]}
        summary = json.loads(text[text.index('{'):])
        row.update(stages=summary['stages'], kb=round(summary['bytes'] / 1024),
                   rewrites=collections.Counter(r['type'] for r in summary['rewrites']))
        if args.no_run:
            return {**row, 'verdict': 'converts', 'why': ''}
        given = []
        for k, v in inputs.items():
            file = os.path.join(folder, f'in{len(given)}.npy')
            np.save(file, v)
            given += ['--input', f'{k}={file}']
        out = os.path.join(folder, 'out')
        code, text, cpu, _ = measured([args.tool, 'run', blob, *given, '--output-dir', out], args.run_limit)
        if code != 0:
            return {**row, 'verdict': 'not run', 'why': text.strip().split('\n')[0][:200]}
        half = half_errors(path, inputs, want)
        errors = {}
        for k, w in want.items():
            g = output_of(out, k)
            errors[k] = float('inf') if g is None else relative(g, w)
        worst = max(errors, key=lambda k: errors[k] / max(half.get(k, 0), FLOOR))
        row.update(error=errors[worst], half=half.get(worst))
        right = all(errors[k] <= max(2 * half.get(k, 0), FLOOR) for k in want)
        return {**row, 'verdict': 'right' if right else 'wrong', 'why': worst + ' ' + half.get('error', '')}


def table(rows):
    yield '| network | stages | s (CPU) | MB | blob, KB | error | FP16 rounding alone | |'
    yield '| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |'
    for r in rows:
        number = lambda k, f='{:.1e}': f.format(r[k]) if r.get(k) is not None else ''
        note = '' if r['verdict'] == 'right' else r['verdict'] + ': ' + r['why'].replace('|', '/')
        yield (f"| {r['name']} | {r.get('stages', '')} | {r['seconds']} | {r['mb']} | {r.get('kb', '')} | {number('error')} |"
               f" {number('half')} | {note} |")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('dir')
    p.add_argument('--tool', default='build/blobsmith')
    p.add_argument('-k', default='')
    p.add_argument('--table')
    p.add_argument('--json')
    p.add_argument('--no-run', action='store_true')
    p.add_argument('--limit', type=float, default=60)
    p.add_argument('--run-limit', type=float, default=300)
    p.add_argument('-j', type=int, default=1)
    args = p.parse_args()
    paths = [f for f in sorted(glob.glob(os.path.join(args.dir, '*.onnx')))
             if re.search(args.k, os.path.basename(f)) and os.path.exists(f[:-5] + '.npz')]
    rows = []
    with concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        for r in pool.map(lambda f: one(f, args), paths):
            rows.append(r)
            print(f"{r['name']:34} {r['verdict']:9} {str(r.get('stages', '')):>6} stages {r['seconds']:7.2f} s {r['mb']:5} MB "
                  f"{r.get('error', float('nan')):.1e} / {r.get('half') or float('nan'):.1e}  {r['why']}", flush=True)
    counts = collections.Counter(r['verdict'] for r in rows)
    print(dict(counts), 'of', len(rows))
    if args.json:
        with open(args.json, 'w') as f:
            json.dump(rows, f, indent=1)
    if args.table:
        with open(args.table, 'w') as f:
            f.write('\n'.join(table(rows)) + '\n')
    return 0 if counts['right'] + counts['converts'] == len(rows) else 1


if __name__ == '__main__':
    sys.exit(main())
