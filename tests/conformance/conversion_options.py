#!/usr/bin/env python3
"""Cutting and pre-processing of `convert` against Intel's Model Optimizer 2021.4.2: conversion_options.py TOOL MODEL.onnx ...

Each model is converted with several options by MO (a command that takes Model Optimizer's options, --mo or
$BLOBSMITH_MO), its IR compiled, and the blob compared byte for byte with that of `convert --quirks`. Models need one
input [1,3,H,W]. Exit code 1 where a blob differs.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import onnx

MEAN, SCALE = '[123.675,116.28,103.53]', '[58.395,57.12,57.375]'


def options_for(model):
    constants = {t.name for t in model.graph.initializer}
    name = next(i.name for i in model.graph.input if i.name not in constants)
    yield ['--mean_values', MEAN, '--scale_values', SCALE, '--reverse_input_channels']
    yield ['--mean_values', name + MEAN]
    yield ['--scale_values', '[255]']
    yield ['--reverse_input_channels']
    nodes = [n.name or n.output[0] for n in model.graph.node if n.op_type in ('Relu', 'Conv', 'Add', 'MaxPool', 'Clip')]
    if len(nodes) > 3:
        begin, end = nodes[len(nodes) // 3], nodes[2 * len(nodes) // 3]
        yield ['--output', end]
        yield ['--output', '0:' + end]
        yield ['--input', '0:' + begin, '--output', end]


def blob_of_reference(tool, mo, model, options, folder):
    """The blob of Model Optimizer's IR; None where it refuses the model."""
    subprocess.run([mo, '--input_model', model, '--data_type', 'FP16', '--output_dir', folder, '--model_name', 'm', '--silent',
                    *options], capture_output=True, env=dict(os.environ, PYTHONHASHSEED='0'))
    if not (folder / 'm.xml').exists():
        return None
    done = subprocess.run([tool, 'compile', '-m', folder / 'm.xml', '-o', folder / 'r.blob', '-ip', 'U8', '--target', '2021.4',
                           '-VPU_NUMBER_OF_SHAVES', '6', '-VPU_NUMBER_OF_CMX_SLICES', '6'], capture_output=True)
    return (folder / 'r.blob').read_bytes() if done.returncode == 0 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('tool')
    parser.add_argument('models', nargs='+')
    parser.add_argument('--mo', default=os.environ.get('BLOBSMITH_MO', 'mo'))
    args = parser.parse_args()
    same = compared = 0
    for path in args.models:
        for options in options_for(onnx.load(path, load_external_data=False)):
            with tempfile.TemporaryDirectory() as t:
                folder = pathlib.Path(t)
                expected = blob_of_reference(args.tool, args.mo, path, options, folder)
                if expected is None:
                    continue
                done = subprocess.run([args.tool, 'convert', path, '-o', folder / 'c.blob', '-q', '--quirks', '--target', '2021.4',
                                       *options], capture_output=True, text=True)
                compared += 1
                if done.returncode == 0 and (folder / 'c.blob').read_bytes() == expected:
                    same += 1
                else:
                    print('DIFFERS', pathlib.Path(path).name, ' '.join(options), done.stderr.strip()[:200], flush=True)
    print(f'{same} of {compared} identical')
    sys.exit(same != compared)


if __name__ == '__main__':
    main()
