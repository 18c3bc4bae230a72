"""TensorIterators and Loops: what is sliced, carried and joined, over which axis and in which direction (front-end spec §6.6, §9).

CASES as in single_op_models.py.
"""
from ir_builder import Net

CASES = []
# With several states the reference orders ports by the addresses of its objects (docs/quirks.md): no model determines the bytes.
ADDRESS_DEPENDENT = {('TensorIterator', 'LSTM and more')}


def case(variant, build, op='TensorIterator'):
    CASES.append((op, variant, build))


def step(axis, direction):
    return f'axis="{axis}" ' + ('start="0" end="-1" stride="1"' if direction > 0 else 'start="-1" end="0" stride="-1"') + ' part_size="1"'


def iterate(n, inputs, body, rules, outputs, back=(), type='TensorIterator', name=None, **data):
    """`rules[i]`: (body parameter, slice or ''); `outputs`: (body result, slice or ''); `back`: (body result, body parameter)."""
    y = n.layer(type, inputs, outputs=len(outputs), version='opset5' if type == 'Loop' else 'opset1', name=name, **data)
    number = y[0][0] if len(outputs) > 1 else y[0]
    ports = ''.join(f'<input external_port_id="{i}" internal_layer_id="{p[0]}" {rule}/>' for i, (p, rule) in enumerate(rules))
    ports += ''.join(f'<output external_port_id="{len(inputs) + i}" internal_layer_id="{r}" {rule}/>' for i, (r, rule) in enumerate(outputs))
    layer = n.layers[number]
    layer.body = body
    layer.inner = f'<port_map>{ports}</port_map><back_edges>{"".join(f"""<edge from-layer="{r}" from-port="0" to-layer="{p[0]}" to-port="0"/>""" for r, p in back)}</back_edges>'
    return y


def result(body, value):
    body.result(value)
    return len(body.layers) - 1


def accumulate(axis=1, direction=1, length=4, size=6, batch=1, last=True, each=True, invariant=False, names=('input', 'state')):
    """h = tanh(x + h / 2 (+ w)): one state."""
    def build(n):
        shape = [batch, length, size] if axis == 1 else [length, batch, size]
        one = [batch, 1, size] if axis == 1 else [1, batch, size]
        body = Net('body', 1)
        x, h = body.input(*one, name='x'), body.input(*one, name='h')
        y = body.add(x, body.mul(h, body.const([[[0.5]]])))
        rules = [(x, step(axis, direction)), (h, '')]
        inputs = [n.input(*shape, name=names[0]), n.input(*one, name=names[1])]
        if invariant:
            w = body.input(*one, name='w')
            y = body.add(y, w)
            rules.append((w, ''))
            inputs.append(n.input(*one, name='weights'))
        y = body.layer('Tanh', [y])
        r = result(body, y)
        outputs = ([(r, step(axis, direction))] if each else []) + ([(result(body, body.relu(y)), '')] if last and each else [(r, '')] if last else [])
        out = iterate(n, inputs, body, rules, outputs, [(r, h)])
        n.result(*(out if len(outputs) > 1 else [out]))
    return build


def cells(kind='LSTM', axis=1, direction=1, length=4, size=6, features=5, states=True, dense=False):
    """A recurrent cell between two Reshapes: what CombineRNNSeq looks for; with `dense`, something more in the body."""
    def build(n):
        body = Net('body', 1)
        x = body.input(*((1, 1, features) if axis else (1, 1, features)), name='x')
        h = [body.input(1, size, name=s) for s in ('h', 'c')[:2 if kind == 'LSTM' else 1]]
        gates = {'LSTM': 4, 'GRU': 3, 'RNN': 1}[kind]
        flat = body.layer('Squeeze', [x, body.ints(axis)])
        flat = body.relu(flat) if dense else flat
        y = body.layer(kind + 'Cell', [flat, *h, body.normal(gates * size, features), body.normal(gates * size, size), body.normal(gates * size, scale=0.1)], version={'LSTM': 'opset4', 'GRU': 'opset3', 'RNN': 'opset1'}[kind], outputs=len(h),
                       hidden_size=size)
        y = y if len(h) > 1 else [y]
        r = result(body, body.layer('Unsqueeze', [y[0], body.ints(axis)]))
        back = [(result(body, v), p) for v, p in zip(y, h)]
        outputs = [(r, step(axis, direction))] + ([(b[0], '') for b in back] if states else [])
        shape = (1, length, features) if axis else (length, 1, features)
        out = iterate(n, [n.input(*shape), *(n.input(1, size, name=s) for s in ('h0', 'c0')[:len(h)])], body, [(x, step(axis, direction)), *((p, '') for p in h)], outputs, back)
        n.result(*(out if len(outputs) > 1 else [out]))
    return build


for axis in (0, 1):
    for direction in (1, -1):
        case(f'one state, axis {axis} direction {direction}', accumulate(axis, direction))
        case(f'LSTM, axis {axis} direction {direction}', cells('LSTM', axis, direction))
case('one state, batch', accumulate(batch=3))
case('one state, last only', accumulate(each=False))
case('one state, each only', accumulate(last=False))
case('one state, one step', accumulate(length=1))
case('one state, invariant', accumulate(invariant=True))
case('LSTM, only the sequence', cells(states=False))
case('LSTM and more', cells(dense=True))
case('GRU', cells('GRU'))
case('RNN', cells('RNN'))


def parallel(n):
    """No state: each slice on its own."""
    body = Net('body', 1)
    x = body.input(1, 1, 6, name='x')
    r = result(body, body.relu(body.fc(x, 6, 4)))
    n.result(iterate(n, [n.input(1, 5, 6)], body, [(x, step(1, 1))], [(r, step(1, 1))]))


case('no state', parallel)


def inside(n):
    """Between other layers."""
    body = Net('body', 1)
    x, h = body.input(1, 1, 6, name='x'), body.input(1, 1, 6, name='h')
    r = result(body, body.layer('Tanh', [body.add(x, h)]))
    y = iterate(n, [n.relu(n.input(1, 5, 6)), n.const([[[0.0] * 6]])], body, [(x, step(1, 1)), (h, '')], [(r, step(1, 1))], [(r, h)])
    n.result(n.layer('Sigmoid', [y]))


case('inside', inside)


def loop(condition=True, carried=False, trips=4):
    def build(n):
        body = Net('body', 1)
        go, x = body.const(True, 'boolean'), body.input(1, 1, 6, name='x')
        rules = [(x, step(1, 1))]
        inputs = [n.const(trips, 'i64'), n.const(condition, 'boolean'), n.input(1, 4, 6)]
        y = body.relu(x)
        back = []
        if carried:
            h = body.input(1, 1, 6, name='h')
            y = body.add(y, h)
            rules.append((h, ''))
            inputs.append(n.input(1, 1, 6, name='state'))
        r = result(body, y)
        c = result(body, go)
        if carried:
            back = [(r, h)]
        out = n.layer('Loop', inputs, version='opset5')
        layer = n.layers[out[0]]
        layer.body = body
        ports = ''.join(f'<input external_port_id="{i + 2}" internal_layer_id="{p[0]}" {rule}/>' for i, (p, rule) in enumerate(rules))
        ports += f'<output external_port_id="-1" internal_layer_id="{c}" purpose="execution_condition"/><output external_port_id="{len(inputs)}" internal_layer_id="{r}" {step(1, 1)}/>'
        layer.inner = f'<port_map>{ports}</port_map><back_edges>{"".join(f"""<edge from-layer="{a}" from-port="0" to-layer="{p[0]}" to-port="0"/>""" for a, p in back)}</back_edges>'
        n.result(out)
    return build


case('slices', loop(), 'Loop')
case('condition false', loop(False), 'Loop')
case('carried', loop(carried=True), 'Loop')
case('endless', loop(trips=-1), 'Loop')
