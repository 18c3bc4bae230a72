"""Networks with shapes that depend on the data: as many rows of a table as a mask says, and what may follow them (front-end spec §5.7).

CASES as in single_op_models.py.
"""
CASES = []


def case(variant, build):
    CASES.append(('dynamic', variant, build))


def indices(n, size, name='mask', type='i32'):
    """[K]: where a mask isn't zero."""
    return n.layer('Squeeze', [n.layer('NonZero', [n.input(size, name=name)], version='opset3', output_type=type), n.ints(0)])


def rows(n, shape=(8, 6), axis=0, name='table', type='i32'):
    """FP16 rows of a table, as many as the data says: [K, ...]."""
    return n.layer('Gather', [n.input(*shape, name=name), indices(n, shape[axis], name + '_mask', type), n.const(axis, 'i64')])


def after(variant, build, **more):
    case(variant, lambda n: n.result(build(n, rows(n, **more))))


def both(variant, build, **more):
    """build() gets the rows twice, the second time through a ReLU."""
    def network(n):
        x = rows(n, **more)
        n.result(build(n, x, n.relu(x)))
    case(variant, network)


UNARY = {'ReLU': 1, 'Sigmoid': 1, 'Exp': 1, 'Log': 1, 'Sqrt': 1, 'Floor': 1, 'Ceiling': 1, 'Tanh': 1, 'Abs': 1, 'Erf': 1, 'Gelu': 2, 'HSwish': 4, 'Mish': 4, 'SoftPlus': 4, 'Swish': 4, 'Negative': 1, 'HSigmoid': 5}
for op, opset in UNARY.items():
    after(op, lambda n, x, op=op, opset=opset: n.layer(op, [x], version=f'opset{opset}'))
after('Clamp', lambda n, x: n.layer('Clamp', [x], min=0, max=6))
after('Elu', lambda n, x: n.layer('Elu', [x], alpha=1.0))
after('SoftMax', lambda n, x: n.layer('SoftMax', [x], axis=1))
after('LogSoftmax', lambda n, x: n.layer('LogSoftmax', [x], version='opset5', axis=1))
after('Round', lambda n, x: n.layer('Round', [x], version='opset5', mode='half_to_even'))
after('Convert', lambda n, x: n.layer('Convert', [x], destination_type='f32'))
after('Gather', lambda n, x: x)
after('Gather by i64', lambda n, x: x, type='i64')
after('Gather axis 1', lambda n, x: x, shape=(3, 8, 6), axis=1)
case('NonZero', lambda n: n.result(n.layer('NonZero', [n.input(4, 6)], version='opset3', output_type='i64')))
for op in ('Add', 'Multiply', 'Subtract', 'Divide', 'Maximum', 'Minimum', 'Power', 'Equal', 'Greater', 'Less', 'SquaredDifference'):
    after(f'{op} constant', lambda n, x, op=op: n.layer(op, [x, n.const([2.5])], auto_broadcast='numpy'))
    after(f'{op} row', lambda n, x, op=op: n.layer(op, [x, n.normal(6)], auto_broadcast='numpy'))
    both(f'{op} twice', lambda n, x, y, op=op: n.layer(op, [x, y], auto_broadcast='numpy'))
after('Add of another rank', lambda n, x: n.add(n.input(3, 1, 6, name='x'), x))
both('Select', lambda n, x, y: n.layer('Select', [n.layer('Greater', [x, n.const([0.5])]), x, y]))
after('Transpose', lambda n, x: n.transpose(x, 1, 0))
after('Transpose 3d', lambda n, x: n.transpose(x, 2, 0, 1), shape=(8, 6, 4))
after('Squeeze', lambda n, x: n.layer('Squeeze', [x, n.ints(1)]), shape=(8, 1, 6))
after('Unsqueeze', lambda n, x: n.layer('Unsqueeze', [x, n.ints(0)]))
after('Unsqueeze twice', lambda n, x: n.layer('Unsqueeze', [x, n.ints(0, 3)]))
after('Concat static', lambda n, x: n.concat(x, n.input(2, 6, name='more'), axis=0))
both('Concat', lambda n, x, y: n.concat(x, y, axis=0))
both('Concat mixed', lambda n, x, y: n.concat(n.input(2, 6, name='more'), x, y, axis=0))
both('Concat axis 1', lambda n, x, y: n.concat(x, y, axis=1))
for op in ('ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceSum'):
    for keep in (True, False):
        after(f'{op} {"keep" if keep else "drop"}', lambda n, x, op=op, keep=keep: n.reduce(x, op, 1, keep=keep))
after('ReduceMax of the rows', lambda n, x: n.reduce(x, 'ReduceMax', 0))
after('MatMul constant', lambda n, x: n.fc(x, 6, 5))
after('MatMul', lambda n, x: n.layer('MatMul', [x, n.input(5, 6, name='b')], transpose_a=False, transpose_b=True))
after('MatMul 3d', lambda n, x: n.layer('MatMul', [x, n.input(8, 6, 5, name='b')], transpose_a=False, transpose_b=False), shape=(8, 4, 6))
for keep in ((0, 1), (0,)):
    case(f'Split {keep}', lambda n, keep=keep: (lambda y: n.result(*(y[i] for i in keep)))(n.layer('Split', [rows(n), n.const(1, 'i64')], outputs=2, num_splits=2)))
case('VariadicSplit', lambda n: n.result(*n.layer('VariadicSplit', [rows(n), n.const(1, 'i64'), n.ints(2, 4)], outputs=2)))
for opset in (1, 3):
    case(f'TopK opset{opset}', lambda n, opset=opset: n.result(*n.layer('TopK', [rows(n), n.const(3, 'i64')], version=f'opset{opset}', outputs=2, axis=1, mode='max', sort='value')))


def slice_(variant, begin, end, strides, open_begin, open_end, shrink=None):
    zeros = [0] * len(begin)
    after('StridedSlice ' + variant, lambda n, x: n.layer('StridedSlice', [x, n.ints(*begin), n.ints(*end), n.ints(*strides)], begin_mask=open_begin, end_mask=open_end, new_axis_mask=zeros, shrink_axis_mask=shrink or zeros, ellipsis_mask=zeros))


slice_('columns', (0, 1), (0, 4), (1, 1), [1, 0], [1, 0])
slice_('rows', (0, 0), (3, 0), (1, 1), [0, 1], [0, 1])
slice_('from the end', (-3, 0), (-1, 0), (1, 1), [0, 1], [0, 1])
slice_('backwards', (0, 0), (0, 0), (-1, 1), [1, 1], [1, 1])
slice_('shrink', (0, 1), (0, 2), (1, 1), [1, 0], [1, 0], [0, 1])
slice_('step', (1,), (4,), (2,), [0], [0])
after('Reshape', lambda n, x: n.reshape(x, -1, 3, 2))
after('Reshape zero', lambda n, x: n.reshape(x, 0, 3, 2))
after('ROIAlign', lambda n, x: n.layer('ROIAlign', [n.input(1, 8, 12, 16, name='f'), x, indices(n, 8, 'images')], version='opset3', pooled_h=3, pooled_w=4, sampling_ratio=2, spatial_scale=0.0625, mode='avg'), shape=(8, 4))
after('GatherND of rows', lambda n, x: n.layer('GatherND', [x, n.input(3, 1, name='i', type='i32')], version='opset5', batch_dims=0))
case('GatherND', lambda n: n.result(n.layer('GatherND', [n.input(4, 6), n.transpose(n.layer('NonZero', [n.input(4, 6, name='m')], version='opset3', output_type='i32'), 1, 0)], version='opset5', batch_dims=0)))
case('GatherElements', lambda n: n.result(n.layer('GatherElements', [n.input(8, 6, name='x'), n.layer('Gather', [n.input(8, 6, name='i', type='i32'), indices(n, 8), n.const(0, 'i64')])], version='opset6', axis=0)))
after('ScatterElementsUpdate', lambda n, x: n.layer('ScatterElementsUpdate', [x, n.input(2, 6, name='i', type='i32'), n.input(2, 6, name='u'), n.const(0, 'i64')], version='opset3'))
after('ScatterUpdate', lambda n, x: n.layer('ScatterUpdate', [x, n.input(2, name='i', type='i32'), n.input(2, 6, name='u'), n.const(0, 'i64')], version='opset3'))
after('Broadcast both ways', lambda n, x: n.layer('Broadcast', [x, n.ints(3, 1, 6)], version='opset3', mode='bidirectional'), type='i64')
after('Interpolate', lambda n, x: n.interpolate(x, 12, 12), shape=(8, 3, 6, 6))
after('MaxPool', lambda n, x: n.pool(x), shape=(8, 3, 6, 6))
after('Tile', lambda n, x: n.layer('Tile', [x, n.ints(1, 2)]))
after('Pad', lambda n, x: n.layer('Pad', [x, n.ints(0, 1), n.ints(0, 1), n.const(0.0)], pad_mode='constant'))
after('MVN', lambda n, x: n.layer('MVN', [x, n.ints(1)], version='opset6', eps=1e-5, eps_mode='inside_sqrt', normalize_variance=True))


def boxes(n, type='i64'):
    """indices, scores and count of non-maximum suppression."""
    return n.layer('NonMaxSuppression', [n.input(1, 30, 4, name='boxes'), n.input(1, 2, 30, name='scores'), n.const(5, 'i64'), n.const(0.5), n.const(0.1)], version='opset5', outputs=3, box_encoding='corner', sort_result_descending=False,
                   output_type=type)


case('NonMaxSuppression, scores', lambda n: n.result(*boxes(n)[:2]))
case('NonMaxSuppression, all', lambda n: n.result(*boxes(n)))
case('NonMaxSuppression, count', lambda n: n.result(boxes(n)[2]))
case('NonMaxSuppression, Gather', lambda n: n.result(n.layer('Gather', [n.input(30, 6, name='t'), n.layer('Squeeze', [n.layer('Gather', [boxes(n)[0], n.ints(2), n.const(1, 'i64')]), n.ints(1)]), n.const(0, 'i64')])))
