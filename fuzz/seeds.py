#!/usr/bin/env python3
"""Seeds and dictionaries of the fuzzers: seeds.py TOOL DIR.

Writes DIR/<kind>/* and DIR/<kind>.dict; the kinds are ir, options, onnx, tensorflow, archive, tflite, keras, caffe, kaldi, mxnet, blob, superblob, array and picture. The networks are those of
tests/conformance and the small ones of the PyPI package onnx.
"""
import glob
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
from onnx import helper, numpy_helper
from PIL import Image

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'conformance'))
import dynamic_models
import framework_structures
import keras_models
import loop_models
import models
import pattern_models
import single_op_models
import tensorflow_models
import tflite_models
from ir_builder import Net

LARGEST = 12000                 # bytes: large seeds are slow
SINGLE_OPS = single_op_models.CASES + dynamic_models.CASES + pattern_models.CASES + loop_models.CASES


def packed(files):
    """name -> an archive of them: a ZIP file, a tar, a compressed one."""
    made = {'zip': io.BytesIO(), 'tar': io.BytesIO(), 'tgz': io.BytesIO()}
    with zipfile.ZipFile(made['zip'], 'w', zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            z.writestr(name, data)
    for kind, mode in (('tar', 'w'), ('tgz', 'w:gz')):
        with tarfile.open(fileobj=made[kind], mode=mode) as t:
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                t.addfile(info, io.BytesIO(data))
    return {kind: stream.getvalue() for kind, stream in made.items()}


def small_onnx():
    """A network with one of most things that readers look at: initializers, attributes of all kinds, several outputs."""
    r = np.random.RandomState(0)
    constants = {'w': r.standard_normal((4, 3, 3, 3)), 'g': r.standard_normal((4, 1, 3, 3)), 'b': r.standard_normal(4), 'one': np.ones(4), 'shape': np.array([0, -1]), 'scales': np.array([1, 1, 2, 2])}
    integer = {'shape'}
    initializers = [numpy_helper.from_array(v.astype(np.int64 if n in integer else np.float32), n) for n, v in constants.items()]
    nodes = [
        helper.make_node('Conv', ['x', 'w', 'b'], ['c'], pads=[1, 1, 1, 1]),
        helper.make_node('BatchNormalization', ['c', 'one', 'b', 'b', 'one'], ['n'], epsilon=1e-3),
        helper.make_node('LeakyRelu', ['n'], ['l'], alpha=0.1),
        helper.make_node('Conv', ['l', 'g'], ['d'], group=4, auto_pad='SAME_UPPER', strides=[2, 2]),
        helper.make_node('Resize', ['d', '', 'scales'], ['u'], mode='nearest', coordinate_transformation_mode='asymmetric', nearest_mode='floor'),
        helper.make_node('Concat', ['u', 'l'], ['k'], axis=1),
        helper.make_node('Split', ['k'], ['s', 't'], axis=1),
        helper.make_node('MaxPool', ['s'], ['p'], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node('Reshape', ['t', 'shape'], ['f']),
        helper.make_node('Softmax', ['f'], ['y'], axis=1),
        helper.make_node('ReduceMean', ['p'], ['z'], axes=[2, 3], keepdims=0),
    ]
    value = lambda n, s: helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s)
    graph = helper.make_graph(nodes, 'small', [value('x', [1, 3, 8, 8])], [value('y', None), value('z', None)], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 11)]).SerializeToString()


def onnx_node_models():
    for path in sorted(glob.glob(os.path.join(os.path.dirname(onnx.__file__), 'backend', 'test', 'data', 'node', '*', 'model.onnx'))):
        with open(path, 'rb') as f:
            yield os.path.basename(os.path.dirname(path)), f.read()


def small_irs(folder):
    """Names of IRs in `folder`: the networks of models.py, and every operation."""
    names = models.write(folder)
    for number, (op, _, build) in enumerate(SINGLE_OPS):
        net = Net(op, number)
        build(net)
        names.append(f'{op}_{number}'.replace('/', '_'))
        net.save(os.path.join(folder, names[-1]))
    return names


def arrays():
    """.npy files of every type and order, .npz archives both stored and deflated."""
    def saved(save, *args, **named):
        file = io.BytesIO()
        save(file, *args, **named)
        return file.getvalue()
    for kind in ('f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1', '>f4', '>i2'):
        yield f'{kind.replace(">", "big_")}.npy', saved(np.save, (np.arange(24) - 3).astype(kind).reshape(2, 3, 4))
    yield 'fortran.npy', saved(np.save, np.asfortranarray(np.arange(24, dtype=np.float32).reshape(2, 3, 4)))
    yield 'scalar.npy', saved(np.save, np.float32(1.5))
    yield 'empty.npy', saved(np.save, np.zeros((3, 0, 2), np.float32))
    yield 'version_2.npy', saved(lambda f, a: np.lib.format.write_array(f, a, version=(2, 0)), np.ones(3, np.float16))
    for name, save in (('stored', np.savez), ('deflated', np.savez_compressed)):
        yield f'{name}.npz', saved(save, scores=np.arange(40, dtype=np.float32), boxes=np.zeros((10, 4), np.int64))


def pictures():
    r = np.random.RandomState(0)
    rgb = Image.fromarray(r.randint(0, 256, (11, 13, 3), np.uint8))
    for mode in ('RGB', 'RGBA', 'L', 'LA', 'P', '1', 'I;16'):
        picture = Image.fromarray(r.randint(0, 65536, (11, 13), np.uint16)) if mode == 'I;16' else rgb.convert(mode)
        yield f'{mode.replace(";", "_")}.png', picture, {}
    for mode in ('RGB', 'L', 'CMYK'):
        yield f'{mode}.jpg', rgb.convert(mode), {}
        yield f'{mode}_progressive.jpg', rgb.convert(mode), dict(progressive=True)
    yield 'coarse.jpg', rgb, dict(quality=20, subsampling=2, optimize=True)


def configuration_keys():
    with open(os.path.join(ROOT, 'src', 'vpu', 'options', 'options.cpp')) as f:
        return sorted(set(re.findall(r'"([A-Z][A-Z_]{5,})"', f.read())))


def configurations():
    """One file with many keys, and one for each kind of value."""
    switches = ['HW_EXTRA_SPLIT', 'HW_DILATION', 'DISABLE_CONVERT_STAGES', 'ENABLE_REPL_WITH_SCRELU', 'COPY_OPTIMIZATION', 'HW_INJECT_STAGES', 'PACK_DATA_IN_CMX', 'IGNORE_UNKNOWN_LAYERS', 'FORCE_PURE_TENSOR_ITERATOR']
    yield ''.join(f'MYRIAD_{k} YES\n' for k in switches)
    yield '# no hardware\nMYRIAD_ENABLE_HW_ACCELERATION NO\nMYRIAD_DISABLE_REORDER YES\nMYRIAD_NUMBER_OF_SHAVES 4\nMYRIAD_NUMBER_OF_CMX_SLICES 5\nMYRIAD_THROUGHPUT_STREAMS 1\n'
    yield 'MYRIAD_TILING_CMX_LIMIT_KB 40\nMYRIAD_HW_WHITE_LIST convolution_2,add_4\nMYRIAD_NONE_LAYERS Pooling\nLOG_LEVEL LOG_INFO\n'
    yield 'MYRIAD_TENSOR_STRIDES input[2,128,5120,20480]\nMYRIAD_ENABLE_HW_ACCELERATION NO\n'


def words(pattern, texts):
    return sorted({w for text in texts for w in re.findall(pattern, text)})


def write_dictionary(path, entries):
    with open(path, 'w') as f:
        f.write(''.join('"' + ''.join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\' else f'\\x{b:02x}' for b in e) + '"\n' for e in (e.encode('latin-1') for e in entries)))


def model_configs():
    """model.yml as clients send it, and with what YAML has beside."""
    yield 'client', ('files:\n- name: FP16/m.onnx\n  source: {$type: http, url: $REQUEST/m.onnx}\nframework: onnx\ntask_type: detection\n'
                     'model_optimizer_args: ["--mean_values=[127.5]", "--input_model=$dl_dir/FP16/m.onnx"]\n')
    yield 'zoo', ('description: >-\n  A net\n  for tests.\nfiles:\n  - {name: FP16/m.xml, size: 3, checksum: ab12, source: "https://a/b"}\n'
                  'input_info: [{name: x, shape: [1, 3, 8, 8], layout: NCHW}]\nframework: dldt\n')
    yield 'aliases', 'a: &a [1, ~, true, 1.5e3, !!str 3]\nb: [*a, *a]\nfiles: *a\n'


class Seeds:
    def __init__(self, tool, folder):
        self.tool, self.folder = tool, folder

    def put(self, kind, name, data):
        if len(data) <= LARGEST:
            path = os.path.join(self.folder, kind, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as f:
                f.write(data)

    def dictionary(self, kind, entries):
        write_dictionary(os.path.join(self.folder, kind + '.dict'), entries)

    def blob(self, base):
        done = subprocess.run([self.tool, 'compile', '-m', base + '.xml', '-o', base + '.blob'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode == 0:
            with open(base + '.blob', 'rb') as f:
                self.put('blob', os.path.basename(base), f.read())

    def superblob(self, folder):
        """A small network with all its patches: two files in one, as superblob_fuzzer cuts it in half."""
        model, path = os.path.join(folder, 'small.onnx'), os.path.join(folder, 'small.superblob')
        with open(model, 'wb') as f:
            f.write(small_onnx())
        subprocess.run([self.tool, 'convert', '-q', model, '--superblob', '-o', path], check=True)
        with open(path, 'rb') as f:
            self.put('superblob', 'small', f.read())

    def networks(self, folder):
        names, texts = small_irs(folder), []
        for number, name in enumerate(names):
            with open(os.path.join(folder, name + '.xml'), 'rb') as xml, open(os.path.join(folder, name + '.bin'), 'rb') as weights:
                data = xml.read() + b'\0' + weights.read()
            self.put('ir', name, data)
            texts.append(data.decode('latin-1'))
            if name in models.__dict__ or number % 20 == 0:
                for i, text in enumerate(configurations()):
                    self.put('options', f'{name}_{i}', text.encode() + b'\0' + data)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self.blob, (os.path.join(folder, name) for name in names)))
        vocabulary = words(r' ([a-z_-]+=")', texts) + words(r'(type="\w+")', texts) + words(r'(version="\w+")', texts) + words(r'(</?[a-z_-]+)', texts)
        self.dictionary('ir', vocabulary)
        self.dictionary('options', configuration_keys() + ['YES', 'NO', '16', '-1', '[2,', '],', *vocabulary])

    def write(self):
        with tempfile.TemporaryDirectory() as folder:
            self.networks(folder)
            self.superblob(folder)
        self.put('onnx', 'small', small_onnx())
        for name, data in onnx_node_models():
            self.put('onnx', name, data)
        self.dictionary('onnx', sorted({s.name for s in onnx.defs.get_all_schemas()} | {a for s in onnx.defs.get_all_schemas() for a in s.attributes}))
        for model in tensorflow_models.MODELS:
            self.put('tensorflow', model.__name__, model())
        self.dictionary('tensorflow', ['Switch', 'Merge', 'PartitionedCall', 'VariableV2', 'StridedSlice', 'Reshape', 'strides', 'padding', 'value', 'node {', "op: 'Relu'"])
        for name, data in packed({'net/saved_model.pb': b'graph', 'net/variables/variables.index': b'x' * 300, 'net/net.xml': b'<net/>'}).items():
            self.put('archive', name, data)
        for model in tflite_models.MODELS:
            self.put('tflite', model.__name__, model().data())
        self.dictionary('tflite', ['TFL3', 'Convolution2DTransposeBias'])
        for model in keras_models.MODELS:
            self.put('keras', model.__name__, json.dumps(model().config()).encode())
            self.put('keras', model.__name__ + '_archive', model().keras())
        self.dictionary('keras', ['Functional', 'Sequential', 'inbound_nodes', 'config', 'layers', 'class_name', '__keras_tensor__', 'keras_history', 'batch_input_shape', 'Bidirectional', 'TimeDistributed'])
        with tempfile.TemporaryDirectory() as folder:
            for name, (case, _) in framework_structures.write(folder).items():
                files = []
                for file in sorted(os.listdir(case), key=lambda f: not f.endswith(('.prototxt', '.json'))):
                    with open(os.path.join(case, file), 'rb') as f:
                        files.append(f.read())
                self.put(name.split('_')[0], name, b'\0'.join(files))
        for name, text in model_configs():
            self.put('model_config', name, text.encode())
        self.dictionary('model_config', ['files:', '- name: ', 'source: ', '{$type: http, url: ', '$REQUEST/', 'model_optimizer_args:', '&a ', '*a', '!!str', '<<: '])
        for name, data in arrays():
            self.put('array', name, data)
        self.dictionary('array', ["'descr': '<f4'", "'fortran_order': True", "'shape': (", '|b1', '>i8', '\x93NUMPY', 'PK\3\4', 'PK\1\2', 'PK\5\6', '.npy'])
        for name, picture, options in pictures():
            file = io.BytesIO()
            picture.save(file, os.path.splitext(name)[1].replace('.jpg', '.jpeg')[1:], **options)
            self.put('picture', name, file.getvalue())
        self.dictionary('picture', ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND', 'CgBI', '\x89PNG', 'Adobe', *(f'\xff{chr(c)}' for c in (0xC0, 0xC2, 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xE0, 0xEE))])


if __name__ == '__main__':
    Seeds(*sys.argv[1:]).write()
