"""Small TensorFlow Lite models, written without TensorFlow.

Each function of MODELS returns a Model; `write(folder)` writes them all. tflite_outputs.tsv holds what TensorFlow Lite's
interpreter computes of the input of `numbers`: tflite_models.py writes it, in a Python with tflite-runtime.
"""
import os
import struct
import sys

try:
    import flatbuffers
except ImportError:  # needed to write models, not to compare
    flatbuffers = None
import numpy as np

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'tflite_outputs.tsv')
TYPES = {'float32': 0, 'float16': 1, 'int32': 2, 'uint8': 3, 'int64': 4, 'int16': 7, 'int8': 9}
OPERATORS = dict(ADD=0, AVERAGE_POOL_2D=1, CONCATENATION=2, CONV_2D=3, DEPTHWISE_CONV_2D=4, DEQUANTIZE=6, FULLY_CONNECTED=9, L2_NORMALIZATION=11, LOGISTIC=14,
                 MAX_POOL_2D=17, MUL=18, RELU=19, RESHAPE=22, RESIZE_BILINEAR=23, SOFTMAX=25, PAD=34, TRANSPOSE=39, GATHER=36, MEAN=40, SUB=41, DIV=42, UNIDIRECTIONAL_SEQUENCE_LSTM=44, STRIDED_SLICE=45, SPLIT=49,
                 PRELU=54, TRANSPOSE_CONV=67, SHAPE=77, FAKE_QUANT=80, REDUCE_PROD=81, PACK=83, RESIZE_NEAREST_NEIGHBOR=97, LEAKY_RELU=98, QUANTIZE=114, HARD_SWISH=117, DENSIFY=124)
SAME, VALID = 0, 1
NONE, RELU, RELU6 = 0, 1, 3


def flexbuffer(options):
    """A FlexBuffer with one map of names to numbers, all values of four bytes."""
    data, places = b'', {}
    for name in sorted(options):
        places[name] = len(data)
        data += name.encode() + b'\0'
    data += b'\0' * (-len(data) % 4)
    data += struct.pack('<I', len(options))
    keys = len(data)
    for name in sorted(options):
        data += struct.pack('<I', len(data) - places[name])
    data += struct.pack('<III', len(data) - keys, 4, len(options))
    values = len(data)
    kinds = {bool: (26, '<I'), int: (1, '<i'), float: (3, '<f')}
    for name in sorted(options):
        data += struct.pack(kinds[type(options[name])][1], options[name])
    data += bytes(kinds[type(options[name])][0] << 2 | 2 for name in sorted(options))
    return data + struct.pack('<BBB', len(data) - values, 9 << 2 | 2, 1)


def numbers(shape, seed=1):
    return (np.random.RandomState(seed).rand(*shape) * 2 - 1).astype('f4')


class Model:
    """Tensors by their numbers; an option is (field, type, value) with type i, b (byte) or f."""

    def __init__(self, seed=0):
        self.tensors, self.operators, self.inputs, self.outputs, self.random = [], [], [], [], np.random.RandomState(seed)

    def tensor(self, shape, dtype='float32', data=None, scale=(), zero=(), axis=0, sparsity=None, signature=None):
        self.tensors.append((f't{len(self.tensors)}', list(shape), dtype, data, list(scale), list(zero), axis, sparsity, signature))
        return len(self.tensors) - 1

    def input(self, *shape, signature=None):
        self.inputs.append(self.tensor(shape, signature=signature))
        return self.inputs[-1]

    def constant(self, values, dtype='float32', **quantisation):
        a = np.asarray(values, dtype)
        return self.tensor(a.shape, dtype, a.tobytes(), **quantisation)

    def sparse(self, values, dtype, levels, order, blocked_axes=(), width=1, shape=None):
        """A constant without its zeros, made dense by DENSIFY; `values` are in the order of the levels.

        `levels` are numbers of places, or (segments, indices) in integers of `width` bytes.
        """
        a = np.asarray(values, dtype)
        shape = shape or a.shape
        kept = self.tensor(shape, dtype, a[a != 0].tobytes(), sparsity=(order, blocked_axes, levels, width))
        return self.add('DENSIFY', [kept], shape, dtype=dtype, kind=94)

    def weights(self, *shape):
        return self.constant(self.random.randn(*shape) / np.sqrt(np.prod(shape[1:])))

    def add(self, op, inputs, shape, *options, kind=0, dtype='float32', signature=None):
        out = self.tensor(shape, dtype, signature=signature)
        self.operators.append((OPERATORS[op], inputs, [out], kind, options))
        return out

    def add_custom(self, name, inputs, shapes, options):
        """`options`: bytes, as its own reader takes them."""
        outputs = [self.tensor(shape) for shape in shapes]
        self.operators.append((name, inputs, outputs, 0, options))
        return outputs

    def conv(self, x, h, i, o, k=3, s=1, padding=SAME, activation=NONE):
        size = -(-h // s) if padding == SAME else (h - k) // s + 1
        return self.add('CONV_2D', [x, self.weights(o, k, k, i), self.weights(o)], (1, size, size, o), (0, 'b', padding), (1, 'i', s), (2, 'i', s), (3, 'b', activation),
                        (4, 'i', 1), (5, 'i', 1), kind=1)

    def result(self, *tensors):
        self.outputs = list(tensors)
        return self

    def data(self):
        b = flatbuffers.Builder(1024)

        def vector(values, add, size):
            b.StartVector(size, len(values), size)
            for v in reversed(values):
                add(v)
            return b.EndVector()

        def ints(values):
            return vector(values, b.PrependInt32, 4)

        def offsets(values):
            return vector(values, b.PrependUOffsetTRelative, 4)

        def table(fields):
            """(field, function, value) each"""
            b.StartObject(max((f for f, _, _ in fields), default=-1) + 1)
            for f, add, value in fields:
                add(f, value, None)
            return b.EndObject()

        def offset(f, value, _):
            b.PrependUOffsetTRelativeSlot(f, value, 0)

        def number(f, value, _):
            b.PrependInt32Slot(f, value, 1 << 30)

        def byte(f, value, _):
            b.PrependUint8Slot(f, value, 255)

        def real(f, value, _):
            b.PrependFloat32Slot(f, value, -1e30)

        def sparsity_table(order, blocked_axes, levels, width):
            kind, add = {4: (1, b.PrependInt32), 2: (2, b.PrependUint16), 1: (3, b.PrependUint8)}[width]

            def list_of(values):
                return table([(0, offset, vector(values, add, width))])

            def level(entry):
                if isinstance(entry, int):
                    return table([(0, byte, 0), (1, number, entry)])
                segments, indices = map(list_of, entry)
                return table([(0, byte, 1), (2, byte, kind), (3, offset, segments), (4, byte, kind), (5, offset, indices)])

            return table([(0, offset, ints(order)), (1, offset, ints(blocked_axes)), (2, offset, offsets([level(entry) for entry in levels]))])

        kinds = {'i': number, 'b': byte, 'f': real}
        buffers, tensors = [table([])], []
        for name, shape, dtype, data, scale, zero, axis, sparsity, signature in self.tensors:
            buffer = 0
            if data is not None:
                bytes_ = b.CreateByteVector(data)
                buffers.append(table([(0, offset, bytes_)]))
                buffer = len(buffers) - 1
            fields = [(0, offset, ints(shape)), (1, byte, TYPES[dtype]), (2, number, buffer), (3, offset, b.CreateString(name))]
            if scale:
                scales, zeros = vector(scale, b.PrependFloat32, 4), vector(zero, b.PrependInt64, 8)
                fields.append((4, offset, table([(2, offset, scales), (3, offset, zeros), (6, number, axis)])))
            if sparsity:
                fields.append((6, offset, sparsity_table(*sparsity)))
            if signature:
                fields.append((7, offset, ints(signature)))
            tensors.append(table(fields))
        codes = sorted({op[0] for op in self.operators}, key=str)
        custom = {c: b.CreateString(c) for c in codes if isinstance(c, str)}
        code_tables = [table([(0, byte, 32), (1, offset, custom[c]), (3, number, 32)] if c in custom else [(0, byte, c), (3, number, c)]) for c in codes]
        operators = []
        for code, inputs, outputs, kind, options in self.operators:
            own = (5, offset, b.CreateByteVector(options)) if code in custom else (4, offset, table([(f, kinds[k], v) for f, k, v in options]))
            operators.append(table([(0, number, codes.index(code)), (1, offset, ints(inputs)), (2, offset, ints(outputs)), (3, byte, kind), own]))
        graph = table([(0, offset, offsets(tensors)), (1, offset, ints(self.inputs)), (2, offset, ints(self.outputs)), (3, offset, offsets(operators))])
        root = table([(0, number, 3), (1, offset, offsets(code_tables)), (2, offset, offsets([graph])), (4, offset, offsets(buffers))])
        b.Finish(root, b'TFL3')
        return bytes(b.Output())


def classifier():
    m = Model()
    x = m.conv(m.input(1, 16, 16, 3), 16, 3, 8, s=2, activation=RELU6)
    x = m.add('DEPTHWISE_CONV_2D', [x, m.weights(1, 3, 3, 8), m.weights(8)], (1, 8, 8, 8), (0, 'b', SAME), (1, 'i', 1), (2, 'i', 1), (3, 'i', 1), (4, 'b', RELU), (5, 'i', 1), (6, 'i', 1), kind=2)
    x = m.add('AVERAGE_POOL_2D', [x], (1, 4, 4, 8), (0, 'b', VALID), (1, 'i', 2), (2, 'i', 2), (3, 'i', 2), (4, 'i', 2), (5, 'b', NONE), kind=5)
    x = m.add('MEAN', [x, m.constant([1, 2], 'int32')], (1, 8), (0, 'b', 0), kind=27)
    x = m.add('FULLY_CONNECTED', [x, m.weights(10, 8), m.weights(10)], (1, 10), (0, 'b', NONE), kind=8)
    return m.result(m.add('SOFTMAX', [x], (1, 10), (0, 'f', 1.0), kind=9))


def multiplier():
    m = Model()
    x = m.input(1, 8, 8, 4)
    x = m.add('DEPTHWISE_CONV_2D', [x, m.weights(1, 3, 3, 8), m.weights(8)], (1, 6, 6, 8), (0, 'b', VALID), (1, 'i', 1), (2, 'i', 1), (3, 'i', 2), (4, 'b', NONE), (5, 'i', 1), (6, 'i', 1), kind=2)
    return m.result(m.add('HARD_SWISH', [x], (1, 6, 6, 8), kind=91))


def residual():
    m = Model()
    x = m.conv(m.input(1, 8, 8, 4), 8, 4, 8)
    y = m.conv(m.conv(x, 8, 8, 8, activation=RELU), 8, 8, 8)
    return m.result(m.add('ADD', [x, y], (1, 8, 8, 8), (0, 'b', RELU), kind=11))


def half_weights():
    m = Model()
    weights = m.constant(m.random.randn(6, 3, 3, 4) / 6, 'float16')
    real = m.tensor((6, 3, 3, 4))
    m.operators.append((OPERATORS['DEQUANTIZE'], [weights], [real], 38, ()))
    x = m.add('CONV_2D', [m.input(1, 8, 8, 4), real, m.weights(6)], (1, 8, 8, 6), (0, 'b', SAME), (1, 'i', 1), (2, 'i', 1), (3, 'b', NONE), (4, 'i', 1), (5, 'i', 1), kind=1)
    return m.result(m.add('PRELU', [x, m.constant(m.random.rand(1, 1, 6))], (1, 8, 8, 6)))


def upsampling():
    m = Model()
    x = m.conv(m.input(1, 6, 6, 3), 6, 3, 8, activation=RELU)
    y = m.add('RESIZE_BILINEAR', [x, m.constant([12, 12], 'int32')], (1, 12, 12, 8), (2, 'b', 0), (3, 'b', 1), kind=15)
    z = m.add('RESIZE_NEAREST_NEIGHBOR', [x, m.constant([12, 12], 'int32')], (1, 12, 12, 8), (0, 'b', 0), (1, 'b', 1), kind=74)
    return m.result(m.add('CONCATENATION', [y, z], (1, 12, 12, 16), (0, 'i', 3), (1, 'b', NONE), kind=10))


def deconvolution():
    m = Model()
    x = m.conv(m.input(1, 5, 5, 3), 5, 3, 4)
    return m.result(m.add('TRANSPOSE_CONV', [m.constant([1, 10, 10, 6], 'int32'), m.weights(6, 3, 3, 4), x], (1, 10, 10, 6), (0, 'b', SAME), (1, 'i', 2), (2, 'i', 2), kind=49))


def padded():
    m = Model()
    x = m.add('PAD', [m.input(1, 7, 7, 3), m.constant([[0, 0], [1, 0], [0, 1], [0, 0]], 'int32')], (1, 8, 8, 3), kind=22)
    x = m.conv(x, 8, 3, 6, padding=VALID)
    return m.result(m.add('MAX_POOL_2D', [x], (1, 3, 3, 6), (0, 'b', VALID), (1, 'i', 2), (2, 'i', 2), (3, 'i', 2), (4, 'i', 2), (5, 'b', NONE), kind=5))


def arithmetic():
    m = Model()
    x, y = m.input(1, 4, 4, 4), m.input(1, 4, 4, 4)
    a = m.add('MUL', [x, m.constant([0.5, 2, -1, 3])], (1, 4, 4, 4), (0, 'b', NONE), kind=21)
    b = m.add('SUB', [a, y], (1, 4, 4, 4), (0, 'b', RELU), kind=28)
    c = m.add('DIV', [b, m.constant(4)], (1, 4, 4, 4), (0, 'b', NONE), kind=29)
    return m.result(m.add('LEAKY_RELU', [m.add('SUB', [x, c], (1, 4, 4, 4), (0, 'b', NONE), kind=28)], (1, 4, 4, 4), (0, 'f', 0.1), kind=75), c)


def shapes():
    m = Model()
    x = m.add('TRANSPOSE', [m.input(1, 4, 6, 8), m.constant([0, 2, 1, 3], 'int32')], (1, 6, 4, 8), kind=26)
    x = m.add('STRIDED_SLICE', [x, m.constant([0, 1, 0, 0], 'int32'), m.constant([1, 5, 4, 8], 'int32'), m.constant([1, 2, 1, 1], 'int32')], (1, 2, 4, 8), (0, 'i', 0), (1, 'i', 0), (2, 'i', 0), (3, 'i', 0),
              (4, 'i', 0), kind=32)
    x = m.add('RESHAPE', [x, m.constant([1, 64], 'int32')], (1, 64), kind=17)
    return m.result(m.add('L2_NORMALIZATION', [x], (1, 64), (0, 'b', NONE), kind=12))


def quantised_weights():
    """int8 weights by output channel, activations of real numbers."""
    m = Model()
    q = m.random.randint(-127, 128, (6, 3, 3, 4)).astype('int8')
    weights = m.constant(q, 'int8', scale=[0.01 + 0.001 * i for i in range(6)], zero=[0] * 6, axis=0)
    real = m.tensor((6, 3, 3, 4))
    m.operators.append((OPERATORS['DEQUANTIZE'], [weights], [real], 38, ()))
    x = m.add('CONV_2D', [m.input(1, 8, 8, 4), real, m.weights(6)], (1, 4, 4, 6), (0, 'b', SAME), (1, 'i', 2), (2, 'i', 2), (3, 'b', RELU6), (4, 'i', 1), (5, 'i', 1), kind=1)
    return m.result(m.add('LOGISTIC', [x], (1, 4, 4, 6)))


def rows_of(used):
    """(segments, indices) of a table of what is used."""
    return [0, *np.cumsum(used.sum(1)).tolist()], np.nonzero(used)[1].tolist()


def sparse_weights():
    """FP16 by single values, FP32 by blocks of four columns, FP32 column by column in blocks of two rows."""
    m = Model()
    used = m.random.rand(6, 3, 3, 8) < 0.3
    w = m.random.rand(6, 3, 3, 8) + 0.5
    half = m.sparse(w * used, 'float16', [6, 3, 3, rows_of(used.reshape(54, 8))], [0, 1, 2, 3])
    real = m.add('DEQUANTIZE', [half], (6, 3, 3, 8), kind=38)
    x = m.add('CONV_2D', [m.input(1, 4, 4, 8), real, m.weights(6)], (1, 4, 4, 6), (0, 'b', SAME), (1, 'i', 1), (2, 'i', 1), (3, 'b', NONE), (4, 'i', 1), (5, 'i', 1), kind=1)
    x = m.add('RESHAPE', [x, m.constant([1, 96], 'int32')], (1, 96), kind=17)
    used = m.random.rand(16, 24) < 0.3
    w = (m.random.rand(16, 96) + 0.5) * np.repeat(used, 4, 1)
    x = m.add('FULLY_CONNECTED', [x, m.sparse(w, 'float32', [16, rows_of(used), 4], [0, 1, 2], [1], 2), m.weights(16)], (1, 16), (0, 'b', NONE), kind=8)
    used = m.random.rand(16, 4) < 0.4
    w = (m.random.rand(16, 4, 2) + 0.5) * used[:, :, None]
    columns = m.sparse(w, 'float32', [16, rows_of(used), 2], [1, 0, 2], [0], 4, shape=(8, 16))
    x = m.add('FULLY_CONNECTED', [x, columns, m.weights(8)], (1, 8), (0, 'b', NONE), kind=8)
    return m.result(x)


def open_rows():
    """A product of rows as converters write it where the batch is open: what depends on it is stated as 1."""
    m = Model(12)
    x = m.input(1, 4, 6, 8, signature=[-1, 4, 6, 8])
    shape = m.add('SHAPE', [x], (4,), (0, 'b', 2), kind=55, dtype='int32')
    lead = m.add('GATHER', [shape, m.constant([0, 1, 2], 'int32')], (3,), (0, 'i', 0), kind=23, dtype='int32')
    axis = m.constant([0], 'int32')
    rows = m.add('REDUCE_PROD', [lead, axis], (), (0, 'b', 0), kind=27, dtype='int32')
    columns = m.add('REDUCE_PROD', [m.add('GATHER', [shape, m.constant([3], 'int32')], (1,), (0, 'i', 0), kind=23, dtype='int32'), axis], (), (0, 'b', 0), kind=27, dtype='int32')
    flat = m.add('RESHAPE', [x, m.add('PACK', [rows, columns], (2,), (0, 'i', 2), (1, 'i', 0), kind=59, dtype='int32')], (1, 1), signature=[-1, -1])
    y = m.add('FULLY_CONNECTED', [flat, m.weights(10, 8), -1], (1, 10), (0, 'b', NONE), kind=8, signature=[-1, 10])
    whole = m.add('CONCATENATION', [lead, m.constant([10], 'int32')], (4,), (0, 'i', 0), (1, 'b', NONE), kind=10, dtype='int32')
    y = m.add('RESHAPE', [y, whole], (1, 1, 1, 10), signature=[-1, -1, -1, 10])
    return m.result(m.add('FULLY_CONNECTED', [y, m.weights(5, 10), m.weights(5)], (1, 1, 1, 5), (0, 'b', NONE), (2, 'b', 1), kind=8, signature=[-1, -1, -1, 5]))


MODELS = [classifier, multiplier, residual, half_weights, upsampling, deconvolution, padded, arithmetic, shapes, quantised_weights, sparse_weights, open_rows]


def write(folder):
    """name -> path"""
    paths = {}
    for model in MODELS:
        paths[model.__name__] = os.path.join(folder, f'tflite_{model.__name__}.tflite')
        with open(paths[model.__name__], 'wb') as f:
            f.write(model().data())
    return paths


def digest(a):
    """What is kept of an output: its size, sum, sum of squares and a few of its values."""
    a = np.asarray(a, 'f8').reshape(-1)
    return [float(a.size), a.sum(), (a * a).sum(), *a[::max(1, a.size // 6)][:6]]


def expected():
    """(name, output) -> digest"""
    with open(FILE) as f:
        rows = (line.split('\t') for line in f if not line.startswith('#'))
        return {(name, int(i)): [float(v) for v in values.split()] for name, i, values in rows}


def main():
    from tflite_runtime.interpreter import Interpreter
    with open(FILE, 'w') as f:
        f.write("# model, number of the output, what TensorFlow Lite's interpreter gives; made by tflite_models.py\n")
        for model in MODELS:
            interpreter = Interpreter(model_content=model().data())
            interpreter.allocate_tensors()
            for i, d in enumerate(interpreter.get_input_details()):
                interpreter.set_tensor(d['index'], numbers(d['shape'], i + 1))
            interpreter.invoke()
            for i, d in enumerate(interpreter.get_output_details()):
                f.write(f'{model.__name__}\t{i}\t' + ' '.join(f'{v:.9g}' for v in digest(interpreter.get_tensor(d['index']))) + '\n')


if __name__ == '__main__':
    sys.exit(main())
