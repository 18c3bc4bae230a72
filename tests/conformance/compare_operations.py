#!/usr/bin/env python3
"""Compares every small network's blob with the network in FP32 (`blobsmith compare`): what differs must be a known fault of Intel's compiler.

  compare_operations.py [--tool build/blobsmith] [-k REGEX] [-v]

The networks are those of single_op_models.py, reference_op_models.py, dynamic_models.py, pattern_models.py, loop_models.py and avoided_models.py. Exit
code 1 when one differs of which neither `compare` nor the list below says why.
"""
import functools
import sys

import numpy as np

import avoided_models
import dynamic_models
import ir_builder
import loop_models
import operation_runs
import pattern_models
import reference_op_models
import single_op_models

CASES = [case for module in (single_op_models, reference_op_models, dynamic_models, pattern_models, loop_models, avoided_models) for case in module.CASES]
KNOWN = {
    'Convert f16 to u8': 'negative numbers have no place in U8',
    'MaxPool k2 s2 p1 ceil': 'windows of nothing but padding',
    'PSROIPooling bilinear, regions': 'the stage takes another number of channels',
}


def parameters(net):
    for layer in net.layers:
        if layer.type == 'Parameter':
            kind = layer.data['element_type']
            yield layer.name, [abs(int(d)) for d in layer.data['shape']], np.float32 if kind == 'f16' else ir_builder.TYPES[kind]


def judge(tool, case, number, folder):
    net = operation_runs.saved(case, number, folder)
    arrays = operation_runs.inputs(case, number, parameters(net))
    code, answer, problem = operation_runs.call(tool, 'compare', folder, arrays, '--ip', 'FP16', timeout=300)
    if code == 1 and 'layer "stage ' not in problem:
        return 'refused', ''
    if code == 0:
        return 'ok', ''
    why = operation_runs.known_reason(KNOWN, case)
    if why:
        return 'known', why
    if not answer:
        return 'FAIL', problem.split('\n')[0]
    if answer['known_faults']:
        return 'known', '; '.join(f['what'] for f in answer['known_faults'])
    return 'FAIL', ', '.join(f'{layer["name"]} {layer["relative_error"]}' for layer in answer['layers'] if not layer['within']) or str(answer['not_compared'])


def main():
    a = operation_runs.arguments(__doc__, 'list the networks with known faults too')
    silent = ('ok', 'refused') if a.v else ('ok', 'refused', 'known')
    counts = operation_runs.judge_all(CASES, a, functools.partial(judge, a.tool), silent)
    print(f'{counts["ok"]} agree, {counts["known"]} are known to differ, {counts["FAIL"]} differ; {counts["refused"]} do not compile')
    return 1 if counts['FAIL'] else 0


if __name__ == '__main__':
    sys.exit(main())
