"""The installed package in a project of its own; the bar of long calls; Ctrl-C; check beside compile."""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'conformance'))
import loop_models
from ir_builder import Net


def network(path, convolutions, size=16, channels=8):
    net = Net('row')
    x = net.input(1, channels, size, size)
    for _ in range(convolutions):
        x = net.relu(net.conv(x, channels, channels))
    net.result(x)
    net.save(str(path / 'model'))
    return path / 'model.xml'


@pytest.mark.uninstrumented  # the project would have to be as well
def test_the_installed_package_serves_a_project_of_its_own(tool, tmp_path):
    build = os.path.dirname(tool)
    if not os.path.exists(os.path.join(build, 'libblobsmith.a')):
        pytest.skip('the libraries are not built')
    call = lambda *c: subprocess.run(c, check=True, capture_output=True, text=True).stdout
    prefix, guest = tmp_path / 'usr', tmp_path / 'guest'
    call('cmake', '--install', build, '--prefix', prefix)
    call('cmake', '-S', os.path.join(ROOT, 'tests', 'package'), '-B', guest, '-G', 'Ninja', f'-DCMAKE_PREFIX_PATH={prefix}', f'-DEXAMPLES={ROOT}/examples')
    call('cmake', '--build', guest)
    said = call(guest / 'convert_model', network(tmp_path, 2), tmp_path / 'out.blob')
    assert re.match(r'blobsmith \d+\.\d+\.\d+: \d+ stages, 1 outputs', said)
    assert 'slowest stage' in call(guest / 'run_blob', tmp_path / 'out.blob')
    assert not re.search('protobuf|onnx|pugixml|libzip|libpng|turbojpeg', call('ldd', guest / 'run_blob'))
    assert said.split()[1].rstrip(':') in call(prefix / 'bin' / 'blobsmith', '--version')


def test_check_judges_unrolled_loops_as_compile_does(run, tmp_path):
    for op, variant, build in loop_models.CASES[:6]:
        if not variant.endswith('direction 1'):
            continue
        net = Net('loop')
        build(net)
        net.save(str(tmp_path / 'loop'))
        ir = tmp_path / 'loop.xml'
        ir.write_text(ir.read_text().replace('start="0"', 'start="1"'))
        unrolled = ['-c', 'MYRIAD_ENABLE_TENSOR_ITERATOR_UNROLLING=YES']
        made = run('compile', '-m', ir, '-o', tmp_path / 'loop.blob', *unrolled)
        checked = run('check', '--no-fix', ir, '--ip', 'FP16', *unrolled)
        assert made.returncode == checked.returncode == 1, variant
        assert "its slices don't cover the axis" in made.stderr and "its slices don't cover the axis" in checked.stdout


def on_a_terminal(command, until, seconds=30):
    """Runs it with stderr as a terminal, until the pattern came there or so long; returns the exit code and what came."""
    master, slave = pty.openpty()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=slave)
    os.close(slave)
    seen, end, interrupted = b'', time.monotonic() + seconds, False
    while True:
        if not interrupted and (re.search(until, seen) or time.monotonic() > end):
            process.send_signal(signal.SIGINT)
            interrupted = True
        if select.select([master], [], [], 0.05)[0]:
            try:
                part = os.read(master, 4096)
            except OSError:
                part = b''
            if not part:
                break
            seen += part
        elif process.poll() is not None:
            break
    os.close(master)
    return process.wait(), seen.decode(errors='replace')


def test_long_calls_show_a_bar_on_a_terminal_only(tool, tmp_path):
    subprocess.run([tool, 'convert', network(tmp_path, 2, size=64, channels=32), '-o', tmp_path / 'm.blob', '-q'], check=True)
    command = [tool, 'run', tmp_path / 'm.blob', '--random', '--repeat', '1000000', '--threads', '1']
    code, seen = on_a_terminal(command, until=rb'\r\[#* *\] +\d+ % running')
    assert code == 130
    assert re.search(r'\r\[#* *\] +\d+ % running', seen)
    piped = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    piped.send_signal(signal.SIGINT)
    out, err = piped.communicate(timeout=30)
    assert out == '' and 'BS6001' in err and '%' not in err


def test_an_interrupt_leaves_no_partial_file(tool, tmp_path):
    model = network(tmp_path, 120, size=64, channels=64)
    os.makedirs(tmp_path / 'out')
    for delay in (0.05, 0.5, 3):   # on a busy machine the program may not have begun yet
        done = subprocess.Popen([tool, 'convert', model, '-o', tmp_path / 'out' / 'm.blob'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(delay)
        done.send_signal(signal.SIGINT)
        done.communicate(timeout=60)
        if done.returncode != -signal.SIGINT:
            break
    assert done.returncode in (0, 130)
    assert os.listdir(tmp_path / 'out') == (['m.blob'] if done.returncode == 0 else [])
