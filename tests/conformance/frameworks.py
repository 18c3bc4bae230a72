#!/usr/bin/env python3
"""Models of frameworks against Intel's Model Optimizer 2021.4.2: frameworks.py TOOL CASES [-k REGEX] [-v]

CASES holds a folder for each framework with a folder for each case: the model, cmd.txt (first line: the command line of
Model Optimizer), model.xml (Intel's IR), ir_io.npz ("in:<input>": numbers for its inputs), compile.txt and model.blob (Intel's
compiler on Intel's IR). Each model goes through `TOOL mo`; counted are the IRs whose outputs equal those of Intel's IR, both
computed by `TOOL run` (largest difference relative to the largest value 1e-5), the blobs that `TOOL compile` makes of them with
the same bytes, and the blobs whose outputs, compiled with FP16 inputs, agree with those of the IR (2e-2). Exit code 1 where one
differs.
"""
import argparse
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

import numpy as np

IR_TOLERANCE, BLOB_TOLERANCE = 1e-5, 2e-2


def command_of(case):
    return shlex.split((case / 'cmd.txt').read_text().splitlines()[0])[1:]


def call(args, cwd=None):
    done = subprocess.run([str(a) for a in args], cwd=cwd, capture_output=True, text=True, errors='replace')
    return done.returncode, (done.stderr + done.stdout).strip()


def difference(expected, found):
    """Largest difference of outputs; they are paired by name where names are equal, else in order."""
    names = list(found)
    if set(names) != set(expected):
        names = [n for n in found if n not in expected]
    worst = 0.0
    for i, (name, e) in enumerate(sorted(expected.items())):
        key = name if name in found else sorted(names)[0] if len(names) == 1 else None
        if key is None or found[key].size != e.size:
            return float('inf')
        f, e = found[key].reshape(-1).astype('f8'), e.reshape(-1).astype('f8')
        both = np.isfinite(e) & np.isfinite(f)
        if not np.array_equal(np.isfinite(e), np.isfinite(f)):
            return float('inf')
        if both.any():
            worst = max(worst, np.abs(f - e)[both].max() / max(1.0, np.abs(e[both]).max()))
    return worst


def run(tool, file, io, folder):
    folder.mkdir(exist_ok=True)
    np.savez(folder / 'in.npz', **{k[3:]: io[k] for k in io.files if k.startswith('in:')})
    out = folder / (file.suffix[1:] + '_out')
    code, text = call([tool, 'run', file, '--input', folder / 'in.npz', '--output-dir', out])
    if code:
        return None, text
    return {p.stem: np.load(p) for p in out.glob('*.npy')}, ''


def check(tool, case, folder):
    """Verdicts on IR, bytes and outputs: True, False, or None where Intel has nothing to compare with; and why."""
    code, text = call([tool, 'mo', *[str(folder) if a == 'OUT' else a for a in command_of(case)], '--silent'], cwd=case)
    has_blob = (case / 'model.blob').exists()
    if code:
        return (False, False if has_blob else None, False if has_blob else None), 'mo: ' + text.splitlines()[0]
    io = np.load(case / 'ir_io.npz')
    expected, text = run(tool, case / 'model.xml', io, folder / 'intel')
    if expected is None:
        return (None, None, None), 'Intel\'s IR: ' + text.splitlines()[0]
    xml, blob = folder / 'model.xml', folder / 'model.blob'
    found, text = run(tool, xml, io, folder)
    error = difference(expected, found) if found else float('inf')
    ir, why = error <= IR_TOLERANCE, '' if error <= IR_TOLERANCE else f'IR off by {error:.1e} {text[:200]}'
    if not has_blob:
        return (ir, None, None), why
    options = shlex.split((case / 'compile.txt').read_text().splitlines()[0])[3:]
    options = [{'-shaves': '-VPU_NUMBER_OF_SHAVES', '-slices': '-VPU_NUMBER_OF_CMX_SLICES'}.get(o, o) for o in options]
    code, text = call([tool, 'compile', '-m', xml, '-o', blob, *options])
    same = code == 0 and blob.read_bytes() == (case / 'model.blob').read_bytes()
    if not same:
        why += ' bytes: ' + (text.splitlines()[0] if code else 'differ')
    half = folder / 'half.blob'
    code, text = call([tool, 'compile', '-m', xml, '-o', half, *['FP16' if o == 'U8' else o for o in options]])
    found, text = run(tool, half, io, folder) if code == 0 else (None, text)
    error = difference(expected, found) if found else float('inf')
    if error > BLOB_TOLERANCE:
        why += f' blob off by {error:.1e} {text[:100]}'
    return (ir, same, error <= BLOB_TOLERANCE), why


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('tool', type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument('cases', type=pathlib.Path)
    parser.add_argument('-k', default='')
    parser.add_argument('-v', action='store_true', help='cases that are equal, too')
    args = parser.parse_args()
    totals = {}
    for command in sorted(args.cases.resolve().glob('*/*/cmd.txt')):
        case = command.parent
        name = f'{case.parent.name}/{case.name}'
        if not re.search(args.k, name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            verdicts, why = check(args.tool, case, pathlib.Path(folder))
        counts = totals.setdefault(case.parent.name, [[0, 0], [0, 0], [0, 0]])
        for count, verdict in zip(counts, verdicts):
            if verdict is not None:
                count[0] += verdict
                count[1] += 1
        if args.v or False in verdicts:
            words = ['-' if v is None else 'yes' if v else 'NO' for v in verdicts]
            print(f'{name:40} IR {words[0]:4} bytes {words[1]:4} outputs {words[2]:4} {why}', flush=True)
    for framework, (ir, same, run_) in totals.items():
        print(f'{framework}: {ir[0]} of {ir[1]} IR equal, {same[0]} of {same[1]} bytes, {run_[0]} of {run_[1]} outputs')
    return any(n != of for counts in totals.values() for n, of in counts)


if __name__ == '__main__':
    sys.exit(main())
