#!/usr/bin/env python3
"""What compile_tool 2022.1 does by default, over OpenVINO 2022.1's Python interface: one job a line, JSON on stdin and stdout.

  in   {"model": "m.xml", "blob": "m.blob", "ip": "U8", "config": {"MYRIAD_NUMBER_OF_SHAVES": "6"}}
       (also op, il, ol, iml, oml, and iop, iol, ioml by the names of tensors, "x:U8,y:FP16"; "ir": "read.xml" writes the network
  as it is handed to the compiler)
  out  {"error": ""}

Runs in a Python of its own that has openvino 2022.1 with the MYRIAD plugin of that release (tests/README.md). Every job has a
process of its own: names of nodes hold numbers that count all nodes of a process.
"""
import json
import os
import sys

from openvino.preprocess import PrePostProcessor
from openvino.runtime import Core, Layout, Type
from openvino.runtime.passes import Manager

TYPES = {'U8': Type.u8, 'FP16': Type.f16, 'FP32': Type.f32, 'I32': Type.i32, 'I64': Type.i64}
WITHOUT_A_DEVICE = {'MYRIAD_ENABLE_MX_BOOT': 'NO'}


def prepared(core, job):
    """The network with the types and layouts that are told of its tensors; FP16 where it has FP32."""
    model = core.read_model(job['model'])
    process = PrePostProcessor(model)
    for ports, side, type_, layout, model_layout in ((model.inputs, process.input, 'ip', 'il', 'iml'), (model.outputs, process.output, 'op', 'ol', 'oml')):
        for i, port in enumerate(ports):
            if port.get_element_type() == Type.f32:
                side(i).tensor().set_element_type(Type.f16)
            if job.get(type_):
                side(i).tensor().set_element_type(TYPES[job[type_]])
            if job.get(layout):
                side(i).tensor().set_layout(Layout(job[layout]))
            if job.get(model_layout):
                side(i).model().set_layout(Layout(job[model_layout]))
    for option, set_value in (('iop', lambda info, value: info.tensor().set_element_type(TYPES[value])), ('iol', lambda info, value: info.tensor().set_layout(Layout(value))), ('ioml', lambda info, value: info.model().set_layout(Layout(value)))):
        for pair in filter(None, job.get(option, '').split(',')):
            name, value = pair.rsplit(':', 1)
            set_value(named(model, process, name), value)
    return process.build()


def named(model, process, name):
    for ports, side in ((model.inputs, process.input), (model.outputs, process.output)):
        for i, port in enumerate(ports):
            if name in port.get_names():
                return side(i)
    raise ValueError("Model doesn't have input/output with tensor name: " + name)


def run(core, job):
    model = prepared(core, job)
    if job.get('ir'):
        manager = Manager()
        manager.register_pass('Serialize', job['ir'], job['ir'][:-3] + 'bin')
        manager.run_passes(model)
    blob = core.compile_model(model, 'MYRIAD', WITHOUT_A_DEVICE | job.get('config', {})).export_model()
    with open(job['blob'], 'wb') as f:
        f.write(blob)


def in_a_process(core, job):
    """'' or what went wrong"""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            run(core, job)
            os.write(write, b'done')
        except BaseException as e:
            os.write(write, (' '.join(str(e).split()) or type(e).__name__)[:2000].encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as f:
        said = f.read()
    os.waitpid(child, 0)
    return '' if said == 'done' else said or 'crashed'


def main():
    core = Core()
    for line in sys.stdin:
        print(json.dumps({'error': in_a_process(core, json.loads(line))}), flush=True)


if __name__ == '__main__':
    main()
