"""Networks on which configuration keys have an effect that the usual ones lack: a family per key, each of COUNT variants."""
import os

from ir_builder import Net

COUNT = 24


def dilated(i):
    net = Net(f'dilated{i}', seed=i)
    size, c, d = 16 + 8 * (i % 4), 16 * (1 + i % 3), 2 + i % 3
    net.result(net.relu(net.conv(net.conv(net.input(1, 3, size, size), 3, c), c, 16 + 8 * (i % 5), d=d)))
    return net


def batched(i):
    net = Net(f'batched{i}', seed=i)
    x = net.conv(net.input(2 + i % 3, 3, 12 + 2 * (i % 6), 16), 3, 8 * (1 + i % 3))
    net.result(net.pool(x) if i % 2 else net.relu(x))
    return net


def screlu(i):
    net = Net(f'screlu{i}', seed=i)
    c, size = 8 * (1 + i % 4), 12 + 4 * (i % 5)
    x = net.conv(net.input(1, 3, size, size), 3, c)
    both = net.concat(x, net.mul(x, net.const([[[[-1.0]]]])))
    net.result(net.relu(net.add(net.mul(both, net.normal(1, 2 * c, 1, 1, scale=1)), net.normal(1, 2 * c, 1, 1, scale=1))))
    return net


def global_average(i):
    net = Net(f'average{i}', seed=i)
    size, c = 10 + 3 * (i % 8), 8 * (1 + i % 4)
    net.result(net.pool(net.conv(net.input(1, 3, size, size), 3, c), 'AvgPool', k=size, s=1))
    return net


def convolution_pool(i):
    net = Net(f'pooled{i}', seed=i)
    c, size = 16 * (1 + i % 4), 16 + 4 * (i % 6)
    net.result(net.pool(net.relu(net.conv(net.input(1, 3, size, size), 3, c)) if i % 2 else net.conv(net.input(1, 3, size, size), 3, c)))
    return net


def concatenated(i):
    net = Net(f'concat{i}', seed=i)
    size, c = 8 + 4 * (i % 5), 8 * (1 + i % 3)
    x = net.conv(net.input(1, 3, size, size), 3, 16)
    y = net.concat(net.conv(x, 16, c), net.conv(x, 16, 16, k=1), net.pool(x, k=3, s=1, p=1))
    net.result(net.conv(y, c + 32, 8, k=1))
    return net


def beside(i):
    """A SHAVE stage that can run beside a hardware stage."""
    net = Net(f'beside{i}', seed=i)
    size, c = 12 + 4 * (i % 5), 16 * (1 + i % 3)
    x = net.conv(net.input(1, 3, size, size), 3, c)
    net.result(net.add(net.conv(x, c, c), net.layer('Sigmoid' if i % 2 else 'Tanh', [x])))
    return net


def alternative_width(i):
    net = Net(f'width{i}', seed=i)
    size, c = 16 + 8 * (i % 4), 16 * (1 + i % 3)
    x = net.conv(net.input(1, 3, size, size), 3, c)
    y = net.layer('Convolution', [x, net.normal(32, c, 1, 1)], strides=[1, 1], dilations=[1, 1], pads_begin=[0, 0], pads_end=[0, 0], auto_pad='explicit', alt_width=size * (2 if i % 2 else 4))
    net.result(net.add(y, net.normal(1, 32, 1, 1)))
    return net


def unknown_layer(i):
    net = Net(f'unknown{i}', seed=i)
    x = net.conv(net.input(1, 3, 8 + 2 * (i % 4), 8), 3, 8)
    net.result(net.conv(net.layer(('Sin', 'Cos', 'Sign')[i % 3], [x]), 8, 8))
    return net


FAMILIES = {f.__name__: f for f in (dilated, batched, screlu, global_average, convolution_pool, concatenated, beside, alternative_width, unknown_layer)}


def write(folder, family):
    paths = []
    for i in range(COUNT):
        path = os.path.join(folder, f'{family}{i}')
        FAMILIES[family](i).save(path)
        paths.append(path + '.xml')
    return paths
