#!/usr/bin/env python3
"""The operators of tensorflow_attributes.py as TFLite files, of floats and quantised: TOOL's outputs, in FP32 and of the blob, against TFLite's interpreter.

    tflite_attributes.py TOOL [--count N] [--seed FIRST] [-k REGEX] [--folder DIR] [-v]

Case N is operator N modulo their number, drawn by a random generator of the seed N; which form the file has (floats, weights of 16 or 8 bits, all of it in
8 bits) is drawn too. Needs TensorFlow 2; not part of `make test`. Exit code 1 when an output is wrong or a command crashes.
"""
import os
import random

import drawn
import numpy as np
import tensorflow_attributes as base
from tensorflow_attributes import OPERATORS, tf

FORMS = ('float', 'float', 'half', 'dynamic', 'int8')


def converted(session, outputs, form, values):
    x = session.graph.get_tensor_by_name('x:0')
    converter = tf.compat.v1.lite.TFLiteConverter.from_session(session, [x], outputs)
    if form != 'float':
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if form == 'half':
        converter.target_spec.supported_types = [tf.float16]
    if form == 'int8':
        converter.representative_dataset = lambda: [[values]]
    return converter.convert()


def judge(tool, folder, number):
    name = list(OPERATORS)[number % len(OPERATORS)]
    case = base.Case(number)
    form = random.Random(f'form {number}').choice(FORMS)
    try:
        _, exact, model = base.evaluated(name, case, lambda session, outputs: converted(session, outputs, form, case.values))
        interpreter = tf.lite.Interpreter(model_content=model, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]['index'], case.values)
        interpreter.invoke()
        wanted = [interpreter.get_tensor(d['index']) for d in interpreter.get_output_details()]
    except Exception as e:
        return 'not run', str(e).splitlines()[0][:120]
    if any(w.size == 0 for w in wanted):
        return 'not run', 'no elements'
    path = os.path.join(folder, 'm.tflite')
    with open(path, 'wb') as f:
        f.write(model)
    operators = ' '.join(d['op_name'] for d in interpreter._get_ops_details() if d['op_name'] != 'DELEGATE')
    # Activations in 8 bits are kept as floats: as far apart as the interpreter and TensorFlow are, and some.
    levels = 0.0
    if form in ('int8', 'dynamic'):
        levels = 0.03 + 3 * max(np.abs(w.astype('f8').ravel() - e.astype('f8').ravel()).max() / max(1e-3, np.abs(w).max()) if w.size == e.size else 0 for w, e in zip(wanted, exact))
    coarse = max(base.COARSE.get(name, 0), levels)
    found, said = drawn.verdict(tool, folder, path, case.values, wanted, (max(1e-4, coarse), max(1e-2, coarse)))
    return found, f'{form} of {list(case.values.shape)}: {operators[:150]}: {said}'


if __name__ == '__main__':
    drawn.main(__doc__, OPERATORS, judge)
