"""Draws a network and the options to compile it with."""
import numpy as np

from . import arithmetic, blocks, dense, detection, movement, windows
from .random_net import INT, RandomNet

LAYERS = {**windows.LAYERS, **arithmetic.LAYERS, **movement.LAYERS, **dense.LAYERS, **detection.LAYERS, **blocks.LAYERS}
# configuration keys that change the program
CONFIG = [('MYRIAD_COPY_OPTIMIZATION', 'NO'), ('MYRIAD_HW_INJECT_STAGES', 'NO'), ('MYRIAD_PACK_DATA_IN_CMX', 'NO'), ('MYRIAD_TILING_CMX_LIMIT_KB', '64'), ('MYRIAD_TILING_CMX_LIMIT_KB', '256'),
          ('MYRIAD_HW_EXTRA_SPLIT', 'YES'), ('MYRIAD_HW_DILATION', 'YES'), ('MYRIAD_DETECT_NETWORK_BATCH', 'NO'), ('MYRIAD_ENABLE_PERMUTE_MERGING', 'NO'), ('MYRIAD_CHECK_PREPROCESSING_INSIDE_MODEL', 'NO')]


def first_input(n):
    batch = n.one_of(2, 3, 4) if n.chance(0.08) else 1
    rank = n.one_of(1, 2, 3, 5) if n.chance(0.15) else 4
    if rank == 4:
        side = n.one_of(5, 8, 13, 16, 20, 24, 28, 32, 40, 56, 64, 100) if n.scale == 1 else n.one_of(7, 14, 28, 64, 112, 160, 224, 300)
        c = n.one_of(1, 3, 3, 3, 4, 8, 16, 17, 32, 64) if side <= 40 else 3
        c *= n.one_of(1, 4, 8) if n.scale > 1 else 1
        return n.parameter([batch, c, side, side if n.chance(0.6) else n.integer(1, 80 if side > 20 else 40)])
    return n.parameter([batch, *(n.integer(1, {1: 1, 2: 300, 3: 40, 5: 9}[rank]) for _ in range(rank - 1))] if rank > 1 else [n.integer(2, 500)])


def network(seed, layers=None):
    """The network of this seed; `layers`: how many draws of layers."""
    n = RandomNet('net', seed)
    layers = layers or 1 + min(n.random.geometric(0.18), 20)
    first_input(n)
    if n.chance(0.12):
        first_input(n)
    kinds, weights = list(LAYERS), np.array(list(LAYERS.values()))
    made = 0
    for _ in range(8 * layers):
        if LAYERS and kinds[n.random.choice(len(kinds), p=weights / weights.sum())](n) is not None:
            made += 1
        if made >= layers:
            break
    return n if n.finish() else network(seed + 500009, layers)


def as_version_11(n, seed):
    """One network in four becomes an IR of version 11, whose inputs and outputs may say what earlier interfaces see of them."""
    r = np.random.RandomState(seed ^ 0x01DA)
    if r.random_sample() > 0.25:
        return
    n.version = 11
    for x in n.layers:
        if x.type not in ('Parameter', 'Result'):
            continue
        shape, kind = (x.shapes[0], x.kinds[0]) if x.type == 'Parameter' else (n.shape[x.inputs[0]], n.kind[x.inputs[0]])
        told = {}
        if r.random_sample() < 0.4 and len(shape) > 1:
            told['old_api_map_order'] = ','.join(map(str, [0, *(1 + r.permutation(len(shape) - 1))] if r.random_sample() < 0.8 else r.permutation(len(shape))))
        if r.random_sample() < 0.3 and x.type == 'Parameter' and kind == 'float':
            told['old_api_map_element_type'] = r.choice(['f16', 'f16', 'f32'])
        x.inner = '<rt_info>' + ''.join(f'<attribute name="{k}" version="0" value="{v}"/>' for k, v in told.items()) + '</rt_info>'


def options(n, seed):
    """Options of a compilation: a dictionary for `compilers.Options`."""
    r = np.random.RandomState(seed ^ 0x5EED)
    slices = int(r.choice([6, 6, 6, r.randint(1, 20)]))
    shaves = slices if slices <= 16 and r.random_sample() < 0.6 else int(r.randint(1, min(slices, 16) + 1))
    config = {} if r.random_sample() < 0.8 else dict([CONFIG[r.randint(len(CONFIG))]])
    # without the hardware the reference fails at a Concat of constants
    joins_constants = any(x.type == 'Concat' and any(n.layers[i].type == 'Const' for i, _ in x.inputs) for x in n.layers)
    if r.random_sample() < 0.15 and not joins_constants:
        config['MYRIAD_ENABLE_HW_ACCELERATION'] = 'NO'
    if shaves > 8 or slices > 9:
        config['MYRIAD_THROUGHPUT_STREAMS'] = '1'
    whole = any(x.type == 'Parameter' and x.kinds[0] == INT for x in n.layers)
    whole_out = any(n.kind.get(v) != 'float' for x in n.layers if x.type == 'Result' for v in x.inputs)
    return dict(ip=None if whole else r.choice(['U8', 'U8', 'FP16', 'FP32', None]), op=None if whole_out else r.choice(['FP16', 'FP32', None, None]), shaves=shaves, slices=slices, config=config)
