"""A wheel in fresh environments of every CPython that is here, depthai on what it writes, and its shape:

    python -m pytest tests/wheel --wheel build/wheel/blobsmith-*.whl --tool build/blobsmith

What comes from PyPI (NumPy, depthai: 0.5 GB) is fetched on the way; the checks themselves run without a network."""
import glob
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import onnx
import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'python'))
from small_networks import long_network, small_network

OLDEST, NEWEST = 8, 14
DEPTHAI = ('2.33.0.0', '3.12.0')


def pythons():
    """minor version -> interpreter: pyenv's, and those on the PATH."""
    found = {}
    for minor in range(OLDEST, NEWEST + 1):
        candidates = glob.glob(os.path.expanduser(f'~/.pyenv/versions/3.{minor}.*/bin/python')) + [f'python3.{minor}']
        for candidate in candidates:
            try:
                told = subprocess.run([candidate, '-c', 'import sys, venv, ensurepip; print(sys.version_info[1])'],
                                      capture_output=True, text=True)
            except OSError:
                continue
            if told.stdout.strip() == str(minor):
                found[minor] = candidate
                break
    return found


@pytest.fixture(scope='session')
def wheel(request):
    path = request.config.getoption('--wheel')
    if not path:
        pytest.skip('no --wheel')
    return os.path.abspath(path)


@pytest.fixture(scope='session')
def models(tmp_path_factory, request):
    folder, tool = tmp_path_factory.mktemp('models'), os.path.abspath(request.config.getoption('--tool'))
    onnx.save(small_network(), str(folder / 'small.onnx'))
    onnx.save(small_network(broken=True), str(folder / 'broken.onnx'))
    onnx.save(long_network(), str(folder / 'long.onnx'))
    for name, shaves in [('small', 6), *((str(n), n) for n in range(1, 17))]:
        subprocess.run([tool, 'convert', '-q', folder / 'small.onnx', '-o', folder / f'{name}.blob', '--shaves', str(shaves)],
                       check=True)
    return folder


def environment(folder, python, *packages):
    """A fresh virtual environment with these packages: its interpreter."""
    subprocess.run([python, '-m', 'venv', folder], check=True)
    inside = os.path.join(folder, 'bin', 'python')
    subprocess.run([inside, '-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--no-compile', *packages], check=True)
    return inside


def without_network():
    """depthai 3 calls its vendor as soon as it is imported."""
    proxies = {name + '_proxy': 'http://127.0.0.1:9' for name in ('http', 'https', 'HTTP', 'HTTPS', 'all')}
    return {**{k: v for k, v in os.environ.items() if not k.startswith('BLOBSMITH') and k != 'PYTHONPATH'}, **proxies}


def arm_environment(folder, wheel):
    """An environment with the wheel and NumPy for aarch64: its interpreter, which runs under qemu."""
    arm = os.path.expanduser('~/.cache/blobsmith/arm64')
    subprocess.run([os.path.join(HERE, 'arm_python.sh'), arm], check=True)
    root, site = os.path.join(arm, 'root'), os.path.join(folder, 'lib', 'python3.11', 'site-packages')
    subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--no-compile', '--target', site,
                    '--python-version', '3.11', '--only-binary', ':all:', '--platform', 'manylinux_2_17_aarch64',
                    '--platform', 'manylinux2014_aarch64', wheel, 'numpy==1.26.4'], check=True)
    shutil.rmtree(os.path.join(site, 'bin'))  # commands for this machine's Python
    with open(os.path.join(folder, 'pyvenv.cfg'), 'w') as f:
        f.write(f'home = {root}/usr/bin\nversion = 3.11\n')
    os.mkdir(os.path.join(folder, 'bin'))
    commands = {name: os.path.join(folder, 'bin', name) for name in ('python', 'blobsmith', 'program')}
    emulated = f'qemu-aarch64-static -L "{root}"'
    # qemu starts no other programs for its processor: they are scripts that start qemu.
    for name, line in (('python', f'export BLOBSMITH_PROGRAM="{commands["program"]}"\n'
                                  f'exec {emulated} -0 "{commands["python"]}" "{root}/usr/bin/python3.11" "$@"'),
                       ('blobsmith', f'exec "{commands["python"]}" -m blobsmith "$@"'),
                       ('program', f'exec {emulated} "{site}/blobsmith/bin/blobsmith" "$@"')):
        with open(commands[name], 'w') as f:
            f.write('#!/bin/sh\n' + line + '\n')
        os.chmod(commands[name], 0o755)
    return commands['python']


def used(python, models, work, slowness=1):
    os.makedirs(work, exist_ok=True)
    done = subprocess.run([python, os.path.join(HERE, 'use_wheel.py'), str(models), str(work), str(slowness)],
                          capture_output=True, text=True, env=without_network(), cwd=work, timeout=600 * slowness)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_shape(wheel):
    """One wheel for every Python, with the program inside."""
    name = os.path.basename(wheel)
    assert re.fullmatch(r'blobsmith-[0-9.]+-py3-none-[\w.]*linux[\w.]*_(x86_64|aarch64)\.whl', name), name
    assert os.path.getsize(wheel) < 50e6
    with zipfile.ZipFile(wheel) as z:
        names = {i.filename: i for i in z.infolist()}
        assert 'blobsmith/lib/libblobsmith.so' in names and 'blobsmith/py.typed' in names
        programs = ['blobsmith/bin/blobsmith']
        if 'manylinux' in name:  # made on any machine it has the service where its libraries are
            programs.append('blobsmith/libexec/blobsmith/blobsmith-server')
            assert any(n.startswith('blobsmith/share/blobsmith/zoo/') for n in names) and 'blobsmith/licenses/openssl' in names
        assert all(names[n].external_attr >> 16 & 0o111 for n in programs)


def test_the_tree_as_it_would_be_installed(tool, models, tmp_path):
    """The same checks without building a wheel, in the Python of the tests."""
    library = os.path.join(os.path.dirname(tool), 'libblobsmith.so')
    if not os.path.exists(library):
        pytest.skip('libblobsmith.so is not built')
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', tmp_path / 'venv'], check=True)
    site, = (tmp_path / 'venv').glob('lib/python*/site-packages')
    shutil.copytree(os.path.join(ROOT, 'python', 'blobsmith'), site / 'blobsmith')
    for folder, file in (('lib', library), ('bin', tool)):
        (site / 'blobsmith' / folder).mkdir()
        os.symlink(file, site / 'blobsmith' / folder / os.path.basename(file))
    os.symlink(tool, tmp_path / 'venv' / 'bin' / 'blobsmith')
    (site / 'numpy.pth').write_text(os.path.dirname(os.path.dirname(np.__file__)))
    used(tmp_path / 'venv' / 'bin' / 'python', models, tmp_path / 'work')


@pytest.mark.parametrize('minor', range(OLDEST, NEWEST + 1))
def test_every_python(wheel, models, tmp_path, minor):
    python = pythons().get(minor)
    if not python:
        pytest.skip(f'no CPython 3.{minor} here')
    if platform.machine() not in wheel:
        pytest.skip('a wheel for another processor')
    inside = environment(str(tmp_path / 'venv'), python, wheel, 'numpy')
    used(inside, models, tmp_path / 'work')


@pytest.mark.parametrize('version', DEPTHAI)
def test_depthai_reads_what_it_writes(wheel, models, tmp_path, version):
    if platform.machine() not in wheel:
        pytest.skip('a wheel for another processor')
    python = pythons().get(11) or pythons().get(10)
    if not python:
        pytest.skip('depthai has no wheel for the CPythons that are here')
    inside = environment(str(tmp_path / 'venv'), python, wheel, 'numpy', f'depthai=={version}')
    used(inside, models, tmp_path / 'work')
    done = subprocess.run([inside, os.path.join(HERE, 'read_with_depthai.py'), str(models), str(tmp_path / 'work')],
                          capture_output=True, text=True, env=without_network(), timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_other_processor(wheel, models, tmp_path):
    """The same checks of the wheel for aarch64, in CPython of Debian's arm64 packages under qemu."""
    if 'aarch64' not in wheel or platform.machine() == 'aarch64':
        pytest.skip('a wheel for this processor')
    if not shutil.which('qemu-aarch64-static'):
        pytest.skip('no qemu-aarch64-static: qemu-user-static is not installed')
    used(arm_environment(str(tmp_path / 'venv'), wheel), models, tmp_path / 'work', slowness=20)
