"""Runs the reference compiler and blobsmith on one network with the same options, and compares the files."""
import os
import re
import shutil
import struct
import subprocess
import time
from dataclasses import dataclass, field, replace

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get('BLOBSMITH_SHARED', os.path.join(ROOT, '..', 'shared'))
IDENTICAL, DIFFERS, WE_REFUSE, REFERENCE_REFUSES, BOTH_REFUSE, CRASH, VARIES = 'identical', 'differs', 'only blobsmith refuses', 'only the reference refuses', 'both refuse', 'crash', 'the reference varies'

REFERENCES = {'2021.4': 'compile', '2022.1': 'compile22'}   # programs of the shared folder, by OpenVINO version
VERSION_AT = 60                                             # of a blob: the version that it states


def add_arguments(ap):
    """--tool, --shared, --version"""
    ap.add_argument('--tool', default=os.path.join(ROOT, 'build', 'blobsmith'))
    ap.add_argument('--shared', default=SHARED)
    ap.add_argument('--version', choices=REFERENCES, default='2021.4', help="of OpenVINO, whose compiler is the reference; with 2022.1 by way of its first runtime interface, in one stream. From an IR it needs that release's reader (tests/README.md)")


def target(version):
    """Our arguments and the configuration for this version's reference."""
    return ([], {}) if version == '2021.4' else (['--target', version, '--ov_api_1_0'], {'MYRIAD_THROUGHPUT_STREAMS': '1'})


def stamped(blob, version):
    """The compilers state version 6.0, whatever they are; blobsmith the version that it was asked for."""
    return blob if version == '2021.4' else blob[:VERSION_AT] + struct.pack('<2I', *map(int, version.split('.'))) + blob[VERSION_AT + 8:]


def without_addresses(blob):
    """2022.1 names what stands for a nameless ONNX function by its place in memory, which no run repeats."""
    return re.sub(rb'(?<=Loss)0x7ff[0-9a-f]{9}', b'', blob)


@dataclass
class Options:
    ip: str = None
    op: str = None
    shaves: int = 6
    slices: int = 6
    config: dict = field(default_factory=dict)

    def precisions(self):
        return [x for flag, v in (('-ip', self.ip), ('-op', self.op)) if v for x in (flag, str(v))]

    def reference(self):
        return ['-shaves', str(self.shaves), '-slices', str(self.slices), *self.precisions(), *(x for k, v in self.config.items() for x in ('-c', f'{k}={v}'))]

    def ours(self, folder):
        arguments = ['-VPU_NUMBER_OF_SHAVES', str(self.shaves), '-VPU_NUMBER_OF_CMX_SLICES', str(self.slices), *self.precisions()]
        if self.config:
            path = os.path.join(folder, 'config')
            with open(path, 'w') as f:
                f.write(''.join(f'{k} {v}\n' for k, v in self.config.items()))
            arguments += ['-c', path]
        return arguments


def reference(shared=SHARED, version='2021.4'):
    return os.path.join(shared, 'oracle', REFERENCES[version])


def reference_present(shared=SHARED, version='2021.4'):
    return os.path.exists(reference(shared, version))


CPU_SECONDS = 5   # some networks send the reference into an endless loop
ENDLESS = f'ran for {CPU_SECONDS} s'


def run(command, blob):
    """(blob or None, why not)"""
    if os.path.exists(blob):
        os.remove(blob)
    start = time.monotonic()
    done = subprocess.run(['/bin/sh', '-c', f'ulimit -t {CPU_SECONDS}; exec "$@"', 'sh', *command], capture_output=True, text=True, errors='replace')
    if done.returncode == 0 and os.path.exists(blob):
        with open(blob, 'rb') as f:
            return f.read(), ''
    if not done.stderr.strip() and time.monotonic() - start > CPU_SECONDS:
        return None, ENDLESS
    # the shell gives 128 + the number of the signal
    killed = 'crashed: ' if done.returncode < 0 or done.returncode in (134, 135, 136, 139) else ''
    return None, killed + ' '.join(done.stderr.split())


class Compilers:
    """Both compilers; `folder` holds their files."""

    def __init__(self, tool, shared, folder, version='2021.4'):
        self.tool, self.oracle, self.folder, self.version = os.path.abspath(tool), reference(shared, version), folder, version

    def reference(self, model, options):
        blob = os.path.join(self.folder, 'reference.blob')
        made, why = run([self.oracle, model, blob, *options.reference()], blob)
        return made if made is None else stamped(made, self.version), why

    def ours(self, model, options):
        blob = os.path.join(self.folder, 'ours.blob')
        arguments, settings = target(self.version)
        options = replace(options, config=settings | options.config)
        return run([self.tool, 'compile', '-m', model, '-o', blob, *options.ours(self.folder), *arguments], blob)

    def compare(self, model, options):
        """(verdict, detail)"""
        return self.compare_blobs(model, options)[:2]

    def elsewhere(self, model, options, ours):
        """Whether the reference writes our bytes when the path of the model has another length: addresses of its objects, which
        decide the order of some outputs and ports, follow from it."""
        stem, ending = os.path.splitext(model)
        for length in (1, 8, 18, 32, 49, 70):
            name = os.path.join(self.folder, 'm' * length)
            copies = [(stem + e, name + e) for e in {ending, '.bin'} if os.path.exists(stem + e)]
            for there, here in copies:
                shutil.copy(there, here)
            blob = self.reference(name + ending, options)[0]
            for _, here in copies:
                os.remove(here)
            if blob == ours:
                return True
        return False

    def compare_blobs(self, model, options):
        """(verdict, detail, the reference's blob or None)"""
        theirs, why_they = self.reference(model, options)
        ours, why_we = self.ours(model, options)
        if why_we.startswith('crashed'):
            return CRASH, why_we, theirs
        if theirs is None:
            return (BOTH_REFUSE if ours is None else REFERENCE_REFUSES), plain(why_they) + ('' if ours else ' || ' + why_we), None
        if ours is None:
            return WE_REFUSE, why_we, theirs
        if without_addresses(ours) == without_addresses(theirs):
            return IDENTICAL, '', theirs
        if self.reference(model, options)[0] != theirs or self.elsewhere(model, options, ours):
            return VARIES, first_difference(ours, theirs), theirs
        return DIFFERS, first_difference(ours, theirs), theirs


def plain(message):
    """A message of the reference without its paths and addresses."""
    message = re.sub(r'\[ GENERAL_ERROR \] *|^ERROR: ', '', message)
    return re.sub(r'/\S*/(\w+\.[ch]pp:\d+)', r'\1', message)[:400]


HEADER = ('magic', 'file size', 'major', 'minor', 'inputs', 'outputs', 'stages', 'inputs size', 'outputs size', 'batch', 'bss', 'slices', 'shaves', 'hw', 'shave', 'dma', 'input info', 'output info', 'stage section',
          'constants')
START = 0x34


def sections(blob):
    """Name, start, end of every section of a blob: the header's fields, infos, each stage, constants."""
    header = dict(zip(HEADER, struct.unpack_from(f'<{len(HEADER)}I', blob, START)))
    rows = [(f'header: {name}', START + 4 * i, START + 4 * i + 4) for i, name in enumerate(HEADER) if name not in ('file size', 'input info', 'output info', 'stage section', 'constants')]
    rows += [('input info', header['input info'], header['output info']), ('output info', header['output info'], header['stage section'])]
    at = header['stage section']
    for i in range(header['stages']):
        length, kind = struct.unpack_from('<2I', blob, at)
        rows.append((f'stage {i} (type {kind})', at, at + length))
        at += length
    return rows + [('constants', header['constants'], len(blob))]


def first_difference(ours, theirs):
    try:
        for (mine, a, b), (name, c, d) in zip(sections(ours), sections(theirs)):
            if mine != name:
                return f'{name}: blobsmith has {mine}'
            if ours[a:b] != theirs[c:d]:
                at = next((i for i, (x, y) in enumerate(zip(ours[a:b], theirs[c:d])) if x != y), min(b - a, d - c))
                return f'{name} + {at}'
    except struct.error:
        return 'sections'
    return 'padding'
