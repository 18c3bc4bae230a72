"""Makes a network smaller while a property holds: fewer results, parts cut off above and below, layers left out."""
import copy

from .random_net import FLOAT, INT, RandomNet


def without_dead(layers):
    """Drops what no result needs, and numbers the rest anew."""
    needed, stack = set(), [i for i, x in enumerate(layers) if x.type == 'Result']
    while stack:
        i = stack.pop()
        if i not in needed:
            needed.add(i)
            stack += [source for source, _ in layers[i].inputs]
    order = sorted(needed)
    number = {old: new for new, old in enumerate(order)}
    kept = []
    for i in order:
        x = copy.copy(layers[i])
        x.inputs = [(number[source], port) for source, port in x.inputs]
        kept.append(x)
    return kept


def as_net(net, layers):
    made = RandomNet(net.name, 0)
    made.layers, made.float_type = layers, net.float_type
    return made


def parameter(net, layer, port):
    """A network input in place of one output of a layer."""
    kind = net.float_type if layer.kinds[port] == FLOAT else layer.kinds[port]
    x = copy.copy(layer)
    x.type, x.version, x.inputs, x.outputs, x.body, x.inner, x.array = 'Parameter', 'opset1', [], 1, None, '', None
    x.shapes, x.kinds, x.data = [layer.shapes[port]], [layer.kinds[port]], dict(shape=list(layer.shapes[port]), element_type=kind)
    return x


def only_result(layers, i):
    """The network that ends with layer i."""
    kept = [x for x in layers if x.type != 'Result']
    result = next(x for x in layers if x.type == 'Result')
    for port in range(layers[i].outputs):
        end = copy.copy(result)
        end.inputs, end.name = [(i, port)], f'{result.name}_{port}'
        kept.append(end)
    return kept


def redirect(layers, i, target):
    """Readers of layer i's first output read `target` instead."""
    out = []
    for x in layers:
        y = copy.copy(x)
        y.inputs = [target if v == (i, 0) else v for v in x.inputs]
        out.append(y)
    return out


def candidates(net):
    layers = net.layers
    inner = [i for i, x in enumerate(layers) if x.type not in ('Parameter', 'Const', 'Result')]
    results = [i for i, x in enumerate(layers) if x.type == 'Result']
    # results are a suffix of the layers, or at least nothing reads them: numbers stay right when only_result drops them
    tail = layers[:results[0]] + [x for x in layers[results[0]:] if x.type == 'Result']
    if len(tail) == len(layers):
        for i in inner[:-1]:
            yield only_result(layers, i)
    if len(results) > 1:
        for r in results:
            yield [x for i, x in enumerate(layers) if i != r]
    for i in reversed(inner):
        if layers[i].outputs == 1 and layers[i].kinds[0] in (FLOAT, INT):
            cut = list(layers)
            cut[i] = parameter(net, layers[i], 0)
            yield cut
    for i in reversed(inner):
        if layers[i].outputs == 1:
            for source, port in layers[i].inputs:
                if layers[source].type != 'Const' and layers[source].shapes[port] == layers[i].shapes[0] and layers[source].kinds[port] == layers[i].kinds[0]:
                    yield redirect(layers, i, (source, port))
                    break


def smallest(net, smaller_ones, still, budget):
    """`net`, or what is left of it when `smaller_ones` is applied as long as one of them has the property, of at most `budget`."""
    best = net
    while budget > 0:
        for smaller in smaller_ones(best):
            budget -= 1
            if still(smaller):
                best = smaller
                break
            if budget <= 0:
                return best
        else:
            return best
    return best


def minimise(net, still, budget=400):
    """The smallest network found for which `still(net)` holds."""
    tried = set()

    def smaller_ones(best):
        for layers in candidates(best):
            layers = without_dead(layers)
            key = tuple((x.type, x.name, tuple(x.inputs)) for x in layers)
            if len(layers) > len(best.layers) or key in tried or not any(x.type == 'Parameter' for x in layers):
                continue
            tried.add(key)
            yield as_net(best, layers)

    return smallest(net, smaller_ones, still, budget)
