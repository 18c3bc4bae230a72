#!/usr/bin/env python3
"""Compiles a model with the reference compiler and with blobsmith, and names the first pass whose graphs differ, and how.

  passdiff.py MODEL.xml [--tool build/blobsmith] [--shared DIR] [--version 2022.1] [-ip U8] [-op FP16] [-shaves 6] [-slices 6] [-c KEY=VALUE]... [--all] [--lines N]

Needs the reference compiler: --shared or BLOBSMITH_SHARED names the folder that holds oracle/compile and tools/passdump.py.
Exit code: 0 no difference, 1 a difference, 2 one of the two refuses the model.
"""
import argparse
import difflib
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import compilers



def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prefix_chars='-')
    ap.add_argument('model')
    compilers.add_arguments(ap)
    ap.add_argument('-ip')
    ap.add_argument('-op')
    ap.add_argument('-shaves', default='6')
    ap.add_argument('-slices', default='6')
    ap.add_argument('-c', action='append', default=[], metavar='KEY=VALUE')
    ap.add_argument('--all', action='store_true', help='show every pass that differs, not only the first')
    ap.add_argument('--lines', type=int, default=40, help='differing lines shown per pass')
    ap.add_argument('--keep', help='keep the dumps in this folder')
    return ap.parse_args()


def plain_name(name):
    """Names carry an address where the reference prints a type."""
    return re.sub(r'copy-for-(0x[0-9a-f]+|\*|[A-Z]\w*)', 'copy-for-*', name)


def number(text):
    try:
        return float(text)
    except ValueError:
        return text


def reference_state(passdump, path):
    datas, order, stages, stage_order, links = passdump.load(path)
    rows = []
    for i in order:
        d = datas[i]
        dims = {k.strip(): int(v) for k, v in (p.split(':') for p in d['dims'].split(',') if ':' in p)}
        strides = {k.strip(): int(v) for k, v in (p.split(':') for p in d['strides'].split(',') if ':' in p)}
        values = [number(v) for v in re.split(r'[,\s]+', d['content'] or '') if v] if d['usage'] == 'Const' and d['type'] == 'FP16' else None   # others are not shown
        rows.append(('data', plain_name(d['name']), d['usage'], d['type'], d['order'], dims, strides, d['mem'], values))
    name = lambda i: plain_name(datas[i]['name'])
    injected = {x[4]: x[3] for x in links if x[0] == 'inj'}
    for i in stage_order:
        s = stages[i]
        rows.append(('stage', s['type'], plain_name(s['name']), [name(x) for x in s['ins']], [name(x) for x in s['outs']], i in injected))
    for x in links:
        if x[0] == 'd2d':
            rows.append(('inside', plain_name(x[1]), plain_name(x[2]), x[5], x[6]))
    return rows


def our_state(path):
    with open(path) as f:
        j = json.load(f)
    rows, name = [], {d['id']: plain_name(d['name']) for d in j['datas']}
    for d in j['datas']:
        rows.append(('data', name[d['id']], d['usage'], d['type'], d['order'], d['dims'], d['strides'], d['memory'], d.get('content') if d['usage'] == 'Const' and d['type'] == 'FP16' else None))
    for s in j['stages']:
        rows.append(('stage', s['type'], plain_name(s['name']), [name[x] for x in s['inputs']], [name[x] for x in s['outputs']], False))
        if 'injected' in s:
            t = s['injected']
            rows.append(('stage', t['type'], plain_name(t['name']), [name[x] for x in t['inputs']], [name[x] for x in t['outputs']], True))
    for d in j['datas']:
        if 'parent' in d:
            p = d['parent']
            rows.append(('inside', name[d['id']], name[p['data']], p['mode'], p['order']))
    return rows


def line(row):
    if row[0] == 'data':
        _, name, usage, kind, order, dims, strides, memory, values = row
        # the reference prints six significant digits; -0 shows as 0
        v = '' if values is None else ' ' + ' '.join('%.6g' % (x + 0.0) if isinstance(x, (int, float)) else x for x in values)
        return f'data {name} {usage} {kind} {order} {dims} strides {strides} {memory}{v}'
    if row[0] == 'stage':
        _, kind, name, ins, outs, injected = row
        return f'{"injected " if injected else ""}stage {kind} "{name}" ({", ".join(ins)}) -> ({", ".join(outs)})'
    return 'inside ' + ' '.join(map(str, row[1:]))


def text(rows):
    # the links have no order of their own
    return [line(r) for r in rows if r[0] != 'inside'] + sorted(line(r) for r in rows if r[0] == 'inside')


def dumps(folder, extension):
    found = {}
    for f in glob.glob(os.path.join(folder, '*' + extension)):
        # the reference also writes the final graph, without a pass in its name
        m = re.fullmatch(r'(?:vpu_graph_\d+_.*_)?(\d\d)_([A-Za-z0-9]+)' + re.escape(extension), os.path.basename(f))
        if m:
            found[(int(m[1]), m[2])] = f
    return found


def main():
    a = arguments()
    sys.path.insert(0, os.path.join(a.shared, 'tools'))
    import passdump
    with tempfile.TemporaryDirectory() as scratch:
        base = a.keep or scratch
        theirs, ours = os.path.join(base, 'reference'), os.path.join(base, 'blobsmith')
        os.makedirs(theirs, exist_ok=True)
        os.makedirs(ours, exist_ok=True)
        precision = [x for f, v in (('-ip', a.ip), ('-op', a.op)) if v for x in (f, v)]
        target, settings = compilers.target(a.version)
        settings |= dict(c.split('=', 1) for c in a.c)
        config = os.path.join(base, 'config')
        with open(config, 'w') as f:
            f.write(''.join(f'{k} {v}\n' for k, v in settings.items()))
        ref = subprocess.run([compilers.reference(a.shared, a.version), a.model, os.path.join(base, 'ref.blob'), '-shaves', a.shaves, '-slices', a.slices, '-dump', theirs] + precision + [x for c in a.c for x in ('-c', c)],
                             capture_output=True, text=True)
        our = subprocess.run([a.tool, 'compile', '-m', a.model, '-o', os.path.join(base, 'our.blob'), '-VPU_NUMBER_OF_SHAVES', a.shaves, '-VPU_NUMBER_OF_CMX_SLICES', a.slices, '-c', config, '--dump-passes', ours] + precision + target,
                             capture_output=True, text=True)
        left, right = dumps(theirs, '.dot'), dumps(ours, '.json')
        different = False
        for key in sorted(set(left) | set(right)):
            if key not in left or key not in right:
                print(f'=== {key[0]:02d}_{key[1]}: only {"the reference" if key in left else "blobsmith"} came here')
                different = True
                break
            x, y = text(reference_state(passdump, left[key])), text(our_state(right[key]))
            if x == y:
                continue
            different = True
            print(f'=== {key[0]:02d}_{key[1]} differs (- reference, + blobsmith)')
            rows = [r for r in difflib.unified_diff(x, y, lineterm='', n=0) if not r.startswith(('---', '+++', '@@'))]
            print('\n'.join(r[:400] for r in rows[:a.lines]) + (f'\n… {len(rows) - a.lines} more' if len(rows) > a.lines else ''))
            if not a.all:
                break
        for tool, r in (('reference', ref), ('blobsmith', our)):
            if r.returncode:
                print(f'{tool} refuses: {r.stderr.strip()[:500]}')
        if ref.returncode or our.returncode:
            return 2
        theirs, ours = (open(os.path.join(base, name + '.blob'), 'rb').read() for name in ('ref', 'our'))
        same = compilers.stamped(theirs, a.version) == ours
        print('blobs identical' if same else 'blobs differ')
        return 0 if same and not different else 1


if __name__ == '__main__':
    sys.exit(main())
