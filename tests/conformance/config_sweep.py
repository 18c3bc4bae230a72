#!/usr/bin/env python3
"""Every configuration key that changes a blob, key by key, through both compilers.

  config_sweep.py [--corpus DIR] [-k KEY-REGEX] [--models N] [--effects N] [--most N] [--jobs N] [-v]

For each key and value, networks are compiled until the value has changed the reference's blob in --effects of them (at least
--models are tried, all if need be), and the bytes are compared. Then keys and values that both must refuse, with the reference's
text. Without --corpus: the one-block networks and small nets of the development corpus, else those of models.py. Needs the
reference compiler: --shared or BLOBSMITH_SHARED. Exit code 0 when everything that the reference compiles is identical.
"""
import argparse
import glob
import os
import re
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import compilers
import config_models
import models
from compilers import BOTH_REFUSE, IDENTICAL, REFERENCE_REFUSES, VARIES, Compilers, Options

CORPUS = os.path.expanduser('~/.cache/myriad-corpus/corpus')
ITS_BUG = 'where the reference calls a function that is not there'   # every layer that MYRIAD_NONE_LAYERS names
NO_HARDWARE = {'MYRIAD_ENABLE_HW_ACCELERATION': 'NO'}


def layers(model, types):
    """Names of a network's layers of these types."""
    with open(model) as f:
        return re.findall(rf'<layer [^>]*name="([^"]*)"[^>]*type="(?:{types})"', f.read())


def some_convolutions(model):
    return ','.join(layers(model, 'Convolution|GroupConvolution|MatMul|Add|MaxPool|AvgPool')[::2])   # a bias gives its name to the convolution


def first_input(model):
    """Name and dimensions of the first input, where it has four."""
    with open(model) as f:
        found = re.search(r'<layer [^>]*name="([^"]*)"[^>]*type="Parameter"[^>]*>\s*<data [^>]*shape="([^"]*)"', f.read())
    dims = [int(d) for d in found[2].split(',')] if found else []
    return (found[1], dims) if len(dims) == 4 and dims[0] == 1 else (None, None)


def wide_strides(model, pad):
    """Strides of an FP16 input in NCHW with rows that are `pad` bytes longer."""
    name, dims = first_input(model)
    if not name:
        return None
    row = dims[3] * 2 + pad
    return f'{name}[2,{row},{dims[2] * row},{dims[1] * dims[2] * row}]'


@dataclass
class Case:
    key: str
    value: object                 # text, or a function of the model's file that gives it (None: not for this model)
    more: dict = None             # other keys that it needs; part of what it is compared with
    ip: str = 'U8'
    shaves: int = 6
    slices: int = 6
    family: str = ''              # of config_models.py, beside the usual networks

    def label(self):
        return self.key + '=' + (self.value if isinstance(self.value, str) else self.value.__name__) + ''.join(f' {k}={v}' for k, v in (self.more or {}).items())

    def options(self, model):
        value = self.value if isinstance(self.value, str) else self.value(model)
        return value and Options(self.ip, None, self.shaves, self.slices, {**(self.more or {}), self.key: value})

    def base(self):
        return Options(self.ip, None, self.shaves, self.slices, dict(self.more or {}))


def rows_16_longer(model): return wide_strides(model, 16)
def rows_64_longer(model): return wide_strides(model, 64)


CASES = [
    Case('MYRIAD_ENABLE_HW_ACCELERATION', 'NO'),
    Case('VPU_HW_STAGES_OPTIMIZATION', 'NO'),
    Case('MYRIAD_HW_WHITE_LIST', some_convolutions),
    Case('MYRIAD_HW_BLACK_LIST', some_convolutions),
    Case('MYRIAD_TENSOR_STRIDES', rows_16_longer, ip='FP16'),
    Case('MYRIAD_TENSOR_STRIDES', rows_64_longer, ip='FP16'),
    Case('MYRIAD_TENSOR_STRIDES', rows_16_longer, NO_HARDWARE, ip='FP16'),
    *(Case('MYRIAD_NONE_LAYERS', v) for v in ('Pooling', 'ReLU,SoftMax', 'Convolution', '*')),
    Case('MYRIAD_IGNORE_UNKNOWN_LAYERS', 'YES', family='unknown_layer'),
    Case('MYRIAD_DISABLE_REORDER', 'YES', NO_HARDWARE),
    Case('MYRIAD_DISABLE_CONVERT_STAGES', 'YES'),
    Case('MYRIAD_DISABLE_CONVERT_STAGES', 'YES', ip='FP16'),
    Case('MYRIAD_ENABLE_PERMUTE_MERGING', 'NO'),
    Case('MYRIAD_ENABLE_PERMUTE_MERGING', 'NO', NO_HARDWARE),
    *(Case('MYRIAD_PACK_DATA_IN_CMX', v) for v in ('YES', 'NO')),
    *(Case('MYRIAD_TILING_CMX_LIMIT_KB', v) for v in ('16', '40', '64', '100', '200')),
    *(Case('MYRIAD_THROUGHPUT_STREAMS', v, shaves=5) for v in ('1', '3')),
    *(Case('MYRIAD_THROUGHPUT_STREAMS', '1', shaves=n, slices=n) for n in (12, 16)),
    Case('MYRIAD_HW_EXTRA_SPLIT', 'YES'),
    Case('MYRIAD_HW_EXTRA_SPLIT', 'YES', {'MYRIAD_TILING_CMX_LIMIT_KB': '40'}),
    Case('MYRIAD_HW_DILATION', 'YES', family='dilated'),
    Case('MYRIAD_HW_POOL_CONV_MERGE', 'NO', family='convolution_pool'),
    *(Case('MYRIAD_COPY_OPTIMIZATION', v, family='concatenated') for v in ('YES', 'NO')),
    Case('MYRIAD_COPY_OPTIMIZATION', 'NO', NO_HARDWARE, family='concatenated'),
    *(Case('MYRIAD_HW_INJECT_STAGES', v, family='beside') for v in ('YES', 'NO')),
    Case('MYRIAD_ENABLE_REPL_WITH_SCRELU', 'YES', family='screlu'),
    Case('MYRIAD_ENABLE_REPLACE_WITH_REDUCE_MEAN', 'NO', family='global_average'),
    Case('MYRIAD_ENABLE_REPLACE_WITH_REDUCE_MEAN', 'NO', NO_HARDWARE, family='global_average'),
    Case('MYRIAD_ENABLE_EARLY_ELTWISE_RELU_FUSION', 'NO'),
    Case('MYRIAD_ENABLE_WEIGHTS_ANALYSIS', 'NO'),
    Case('MYRIAD_ENABLE_CUSTOM_RESHAPE_PARAM', 'YES', family='alternative_width'),
    Case('MYRIAD_CHECK_PREPROCESSING_INSIDE_MODEL', 'NO'),
    Case('MYRIAD_FORCE_DEPRECATED_CNN_CONVERSION', 'YES'),
    Case('MYRIAD_DETECT_NETWORK_BATCH', 'NO', family='batched'),
    Case('VPU_DETECT_NETWORK_BATCH', 'NO', family='batched'),
    Case('MYRIAD_ENABLE_FORCE_RESET', 'YES'),
    Case('PERF_COUNT', 'YES'),
]

# Keys and values that both refuse. VPU_NUMBER_OF_SHAVES and VPU_NUMBER_OF_CMX_SLICES are not among them: blobsmith takes these
# names of OpenVINO 2020.4 as well.
REFUSED = [
    ('MYRIAD_NO_SUCH_KEY', 'YES'), ('myriad_hw_dilation', 'YES'), ('MYRIAD_ENABLE_ASYNC_DMA', 'YES'), ('MYRIAD_HW_DILATION', 'MAYBE'), ('MYRIAD_HW_DILATION', 'yes'), ('MYRIAD_HW_DILATION', ''),
    ('MYRIAD_PACK_DATA_IN_CMX', '1'), ('MYRIAD_NUMBER_OF_SHAVES', 'six'), ('MYRIAD_NUMBER_OF_SHAVES', '-2'), ('MYRIAD_NUMBER_OF_SHAVES', '0'), ('MYRIAD_NUMBER_OF_SHAVES', '7'), ('MYRIAD_NUMBER_OF_SHAVES', '17'),
    ('MYRIAD_NUMBER_OF_SHAVES', '-1'), ('MYRIAD_NUMBER_OF_CMX_SLICES', '20'), ('MYRIAD_NUMBER_OF_CMX_SLICES', '99999999999'), ('MYRIAD_THROUGHPUT_STREAMS', '0'), ('MYRIAD_THROUGHPUT_STREAMS', '4'), ('MYRIAD_THROUGHPUT_STREAMS', '3'),
    ('MYRIAD_TILING_CMX_LIMIT_KB', 'x'), ('MYRIAD_TILING_CMX_LIMIT_KB', '-5'), ('MYRIAD_TENSOR_STRIDES', 'input[1,2'), ('MYRIAD_TENSOR_STRIDES', 'input'), ('MYRIAD_TENSOR_STRIDES', 'nobody[2,4,8,16]'),
    ('MYRIAD_CUSTOM_LAYERS', '/no/such/file.xml'), ('LOG_LEVEL', 'LOUD'), ('MYRIAD_WATCHDOG', 'MAYBE'), ('MYRIAD_PROTOCOL', 'MYRIAD_AIR'), ('MYRIAD_POWER_MANAGEMENT', 'SOME'), ('MYRIAD_DDR_TYPE', 'X'),
    ('MYRIAD_DEVICE_CONNECT_TIMEOUT', 'x'), ('PERF_COUNT', 'MAYBE'), ('MYRIAD_DDR_TYPE', ''), ('LOG_LEVEL', ''), ('MYRIAD_TENSOR_STRIDES', ''), ('MYRIAD_ENABLE_MEMORY_TYPES_ANNOTATION', 'YES'), ('MYRIAD_PERF_REPORT_MODE', 'X'), ('EXCLUSIVE_ASYNC_REQUESTS', 'X'), ('VPU_MYRIAD_PLATFORM', 'VPU_MYRIAD_1'), ('MYRIAD_DUMP_ALL_PASSES', 'X'),
    ('MYRIAD_SCALES_PATTERN', '['), ('MYRIAD_IR_WITH_SCALES_DIRECTORY', '/tmp'), ('MYRIAD_ENABLE_MX_BOOT', 'NO'),
]


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--corpus', default=CORPUS)
    ap.add_argument('-k', default='', metavar='KEY-REGEX')
    ap.add_argument('--models', type=int, default=40)
    ap.add_argument('--effects', type=int, default=20)
    ap.add_argument('--most', type=int, default=10 ** 6, help='networks that are tried per value at most')
    ap.add_argument('--jobs', type=int, default=2)
    ap.add_argument('-v', action='store_true', help='what both refuse as well')
    compilers.add_arguments(ap)
    return ap.parse_args()


def chosen_networks(corpus, folder):
    networks = [m for level in ('L1', 'L2') for m in sorted(glob.glob(os.path.join(corpus, level, '*.xml'))) if not m.endswith('.ng.xml')]
    networks = [m for m in networks if not has_whole_inputs(m)]
    return networks or [os.path.join(folder, name + '.xml') for name in models.write(folder)]


def has_whole_inputs(model):
    with open(model) as f:
        return any(re.search(r'element_type="[iub]', x) for x in re.findall(r'<layer [^>]*type="Parameter"[^>]*>\s*<data [^>]*>', f.read()))


class Sweep:
    def __init__(self, a, folder):
        self.a, self.folder, self.local, self.plain = a, folder, threading.local(), {}

    def tools(self):
        if not hasattr(self.local, 'compilers'):
            self.local.compilers = Compilers(self.a.tool, self.a.shared, tempfile.mkdtemp(dir=self.folder), self.a.version)
        return self.local.compilers

    def one(self, job):
        """(model, verdict, detail, whether the value has an effect)"""
        case, model = job
        options = case.options(model)
        if not options:
            return None
        verdict, detail, blob = self.tools().compare_blobs(model, options)
        return os.path.basename(model), verdict, detail, blob != self.without(case, model)

    def without(self, case, model):
        """The reference's blob without the key, which many cases share."""
        base = case.base()
        key = model, ' '.join(base.reference())
        if key not in self.plain:
            self.plain[key] = self.tools().reference(model, base)[0]
        return self.plain[key]

    def case(self, case, networks, pool):
        """Compares until enough networks show an effect; True when all are identical."""
        counts, effects, tried = Counter(), 0, 0
        for at in range(0, min(len(networks), self.a.most), self.a.models):
            if effects >= self.a.effects:
                break
            for row in filter(None, pool.map(self.one, ((case, m) for m in networks[at:at + self.a.models]))):
                model, verdict, detail, effect = row
                tried += 1
                effects += effect
                if verdict == REFERENCE_REFUSES and 'bad_function_call' in detail:
                    verdict = ITS_BUG
                counts[verdict] += 1
                if verdict not in (IDENTICAL, BOTH_REFUSE, VARIES, ITS_BUG) or (self.a.v and verdict == BOTH_REFUSE):
                    print(f'  {model}: {verdict}: {detail[:300]}', flush=True)
        bad = tried - counts[IDENTICAL] - counts[BOTH_REFUSE] - counts[VARIES] - counts[ITS_BUG]
        print(f'{"ok  " if not bad else "BAD "} {case.label()[:90]}: {tried} networks, {effects} with an effect, {counts[IDENTICAL]} identical, {counts[BOTH_REFUSE]} refused by both' + ''.join(f', {counts[v]} {v}' for v in (VARIES, ITS_BUG) if counts[v]), flush=True)
        return not bad

    def refused(self, key, value, model):
        tools = self.tools()
        options = Options('U8', None, 6, 6, {key: value})
        theirs, why_they = tools.reference(model, options)
        ours, why_we = self.ours_with_pairs(tools, model, options)
        if (theirs is None) != (ours is None):
            print(f'BAD  {key}={value}: the reference {"refuses: " + compilers.plain(why_they) if theirs is None else "accepts"}, blobsmith {"refuses: " + why_we if ours is None else "accepts"}')
            return False
        if theirs is not None:
            same = theirs == ours
            print(f'{"ok  " if same else "BAD "} {key}={value}: accepted by both, {"identical" if same else "different"}')
            return same
        text = re.sub(r'^\S*\.[ch]pp:\d+ ?', '', compilers.plain(why_they)).strip()
        same = text in why_we.replace('[ GENERAL_ERROR ] ', '')
        print(f'{"ok  " if same else "TEXT"} {key}={value}: {text}' + ('' if same else f' || {why_we}'))
        return True

    @staticmethod
    def ours_with_pairs(tools, model, options):
        """Values as KEY=VALUE on the command line: a file can't hold empty ones."""
        blob = os.path.join(tools.folder, 'ours.blob')
        arguments, settings = compilers.target(tools.version)
        options = replace(options, config=settings | options.config)
        return compilers.run([tools.tool, 'compile', '-m', model, '-o', blob, '-c', 'MYRIAD_NUMBER_OF_SHAVES=6', '-c', 'MYRIAD_NUMBER_OF_CMX_SLICES=6', '-ip', 'U8', *arguments, *(x for k, v in options.config.items() for x in ('-c', f'{k}={v}'))], blob)


def main():
    a = arguments()
    if not compilers.reference_present(a.shared, a.version):
        print('skipped: no reference compiler')
        return 0
    good = True
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(a.jobs) as pool:
        sweep = Sweep(a, folder)
        networks = chosen_networks(a.corpus, folder)
        for case in CASES:
            if re.search(a.k, case.label()):
                own = config_models.write(folder, case.family) if case.family else []
                good = sweep.case(case, own + networks, pool) and good
        for key, value in REFUSED:
            if re.search(a.k, key):
                good = sweep.refused(key, value, networks[0]) and good
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
