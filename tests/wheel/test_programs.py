"""What `make dist` leaves behind:

    python -m pytest tests/wheel/test_programs.py --made dist --tool build/blobsmith

A program for another processor runs under qemu."""
import glob
import hashlib
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tarfile
import time

import onnx
import pytest
import requests

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in ('python', 'conformance', 'serve'):
    sys.path.insert(0, os.path.join(os.path.dirname(HERE), folder))
import golden
from service_process import running
from small_networks import small_network

DEBIAN = {'x86_64': 'amd64', 'aarch64': 'arm64'}


@pytest.fixture(params=sorted(DEBIAN))
def made(request):
    """(processor, folder, how the program for it starts)"""
    folder, arch = request.config.getoption('--made'), request.param
    if not folder:
        pytest.skip('no --made')
    program = os.path.abspath(os.path.join(folder, f'blobsmith-linux-{arch}'))
    if not os.path.exists(program):
        pytest.skip(f'nothing for {arch}')
    return arch, folder, [program] if arch == platform.machine() else [f'qemu-{arch}-static', program]


def test_sums(made):
    _, folder, _ = made
    with open(os.path.join(folder, 'SHA256SUMS')) as f:
        sums = dict(reversed(line.split()) for line in f)
    assert sorted(sums) == sorted(set(os.listdir(folder)) - {'SHA256SUMS'})
    for name, told in sums.items():
        with open(os.path.join(folder, name), 'rb') as f:
            assert hashlib.sha256(f.read()).hexdigest() == told, name


def test_one_file_for_any_linux(made):
    """No interpreter that loads libraries, no symbols; threads have room for deep recursions (musl's default is 128 KiB)."""
    program = made[2][-1]
    told = subprocess.check_output(['readelf', '-lW', program], text=True)
    assert 'INTERP' not in told
    stack, = re.findall(r'GNU_STACK +\S+ \S+ \S+ \S+ (\S+)', told)
    assert int(stack, 16) >= 8 << 20, stack
    assert '.symtab' not in subprocess.check_output(['readelf', '-SW', program], text=True)


def test_starts_at_once(made):
    """Processor time, the best of many: other programs may be at work."""
    arch, _, start = made
    if arch != platform.machine():
        pytest.skip('emulated')

    def used():
        u = resource.getrusage(resource.RUSAGE_CHILDREN)
        return u.ru_utime + u.ru_stime
    best = 1
    for _ in range(20):
        before = used()
        subprocess.run([*start, '--version'], check=True, stdout=subprocess.DEVNULL)
        best = min(best, used() - before)
    assert best < 3e-3, best


def test_same_blobs(made, tool, tmp_path):
    _, _, start = made
    onnx.save(small_network(), str(tmp_path / 'small.onnx'))
    for name, program in (('a', [tool]), ('b', start)):
        subprocess.run([*program, 'convert', '-q', '--superblob', tmp_path / 'small.onnx', '-o', tmp_path / name], check=True)
    assert (tmp_path / 'a').read_bytes() == (tmp_path / 'b').read_bytes()


def test_errors(made, tmp_path):
    """Exceptions arrive, whatever allocator is in the program."""
    (tmp_path / 'bad.onnx').write_bytes(b'no model')
    for name in ('bad.onnx', 'none.onnx'):
        done = subprocess.run([*made[2], 'convert', tmp_path / name, '-o', tmp_path / 'x.blob'], stderr=subprocess.PIPE)
        assert done.returncode > 0 and done.stderr.startswith(b'error[BS'), done
    assert not (tmp_path / 'x.blob').exists()


def test_bytes_of_the_reference_compiler(made, tmp_path):
    """The sums of golden.tsv, by this program and its processor."""
    networks, blob, different = golden.write(str(tmp_path)), tmp_path / 'out.blob', []
    for (network, options), told in sorted(golden.read().items()):
        path, option_sets = networks[network]
        subprocess.run([*made[2], 'compile', '-m', path, '-o', blob, *option_sets[options]], check=True, stdout=subprocess.DEVNULL)
        if hashlib.sha256(blob.read_bytes()).hexdigest() != told:
            different.append((network, options))
    assert not different


def unpacked(root, arch, tmp_path):
    """Starts the service of an unpacked package. Programs for another processor run under qemu, which starts no others for it: what
    the server starts becomes a script."""
    server, program = root / 'libexec' / 'blobsmith' / 'blobsmith-server', root / 'bin' / 'blobsmith'
    if arch == platform.machine():
        return [str(program)]
    program.rename(tmp_path / 'emulated')
    program.write_text(f'#!/bin/sh\nexec qemu-{arch}-static "{tmp_path}/emulated" "$@"\n')
    program.chmod(0o755)
    return [f'qemu-{arch}-static', str(server)]


def test_packages(made, tool, tmp_path):
    """The same programs in both, with the licences of what they contain; the service answers a conversion, in a sandbox."""
    arch, folder, start = made
    with open(start[-1], 'rb') as f:
        program = f.read()
    deb, = glob.glob(os.path.join(folder, f'blobsmith_*_{DEBIAN[arch]}.deb'))
    fields = subprocess.check_output(['dpkg-deb', '-f', deb, 'Architecture', 'Depends'], text=True)
    assert fields.strip() == f'Architecture: {DEBIAN[arch]}'
    onnx.save(small_network(), str(tmp_path / 'small.onnx'))
    subprocess.run([tool, 'convert', '-q', tmp_path / 'small.onnx', '-o', tmp_path / 'a.blob', '--shaves', '5'], check=True)
    subprocess.run(['dpkg-deb', '-x', deb, tmp_path / 'deb'], check=True)
    tar, = glob.glob(os.path.join(folder, f'blobsmith-*-linux-{arch}.tar.gz'))
    with tarfile.open(tar) as t:
        t.extractall(tmp_path / 'tar')
    inside, = (tmp_path / 'tar').iterdir()
    roots = (tmp_path / 'deb' / 'usr', inside)
    for root in roots:
        assert (root / 'bin' / 'blobsmith').read_bytes() == program
        licences = {f.name for f in (root / 'share' / 'doc' / 'blobsmith' / 'licenses').iterdir()}
        assert {'musl', 'libc++', 'mimalloc', 'protobuf', 'hdf5', 'openssl', 'postgresql-15', 'libseccomp'} <= licences, licences
    assert len({(root / 'libexec' / 'blobsmith' / 'blobsmith-server').read_bytes() for root in roots}) == 1
    with running(unpacked(roots[0], arch, tmp_path), tmp_path / 'data') as s:
        if arch == platform.machine():
            assert s.sandbox.startswith('sandbox: session, rlimits, no_new_privileges, landlock, seccomp'), s.sandbox
        job = requests.post(s.api + '/jobs', data={'options': json.dumps({'shaves': 5})},
                            files={'file': open(tmp_path / 'small.onnx', 'rb')}).json()
        end = time.time() + 60
        while job['state'] in ('queued', 'running') and time.time() < end:
            time.sleep(0.05)
            job = requests.get(f"{s.api}/jobs/{job['id']}").json()
        assert job['state'] == 'done', job
        assert requests.get(f"{s.api}/jobs/{job['id']}/results/blob").content == (tmp_path / 'a.blob').read_bytes()
        assert requests.get(s.api + '/zoo').json()['models']
