"""The random networks themselves, and what blobsmith does with them where there is no reference compiler."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compilers
from graph_fuzz import generate, onnx_net, shrink

HERE = os.path.dirname(os.path.abspath(__file__))


def files(net, folder):
    net.save(str(folder / 'net'))
    return (folder / 'net.xml').read_bytes(), (folder / 'net.bin').read_bytes()


def test_a_seed_determines_the_network_and_its_options(tmp_path):
    once, again, other = (generate.network(seed) for seed in (7, 7, 8))
    assert files(once, tmp_path) == files(again, tmp_path) != files(other, tmp_path)
    assert generate.options(once, 7) == generate.options(again, 7)


@pytest.mark.parametrize('seed', range(40))
def test_a_random_network_is_compiled_or_refused(run, tmp_path, seed):
    net = generate.network(seed)
    files(net, tmp_path)
    done = run('compile', '-m', tmp_path / 'net.xml', '-o', tmp_path / 'net.blob', *compilers.Options(**generate.options(net, seed)).ours(tmp_path))
    assert done.returncode in (0, 1), done.stderr
    assert (tmp_path / 'net.blob').exists() == (done.returncode == 0)


@pytest.mark.parametrize('seed', range(12))
def test_a_random_onnx_model_is_compiled_or_refused(run, tmp_path, seed):
    once, again = onnx_net.network(seed, 4), onnx_net.network(seed, 4)
    once.save(str(tmp_path / 'net'))
    again.save(str(tmp_path / 'again'))
    assert (tmp_path / 'net.onnx').read_bytes() == (tmp_path / 'again.onnx').read_bytes()
    done = run('compile', '-m', tmp_path / 'net.onnx', '-o', tmp_path / 'net.blob', '--target', '2022.1', '--ov_api_1_0')
    assert done.returncode in (0, 1), done.stderr
    assert (tmp_path / 'net.blob').exists() == (done.returncode == 0)


def test_minimise_keeps_the_layer_in_question_and_little_else():
    net = next(n for n in map(generate.network, range(100)) if sum(x.type == 'Convolution' for x in n.layers) > 3)
    small = shrink.minimise(net, lambda n: any(x.type == 'Convolution' for x in n.layers))
    assert sorted(x.type for x in small.layers) == ['Const', 'Convolution', 'Parameter', 'Result']


@pytest.mark.parametrize('program', ['fuzz_graphs.py', 'option_sweep.py'])
def test_without_the_reference_compiler_nothing_is_claimed(program, tmp_path):
    done = subprocess.run([sys.executable, os.path.join(HERE, program), '--shared', str(tmp_path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, 'skipped: no reference compiler\n')


def test_the_first_difference_names_the_section(run, tmp_path):
    net = generate.network(3)
    files(net, tmp_path)
    blob = tmp_path / 'net.blob'
    assert run('compile', '-m', tmp_path / 'net.xml', '-o', blob).returncode == 0
    ours = blob.read_bytes()
    name, start, end = compilers.sections(ours)[-1]
    assert (name, end) == ('constants', len(ours))
    theirs = ours[:start + 5] + bytes([ours[start + 5] ^ 1]) + ours[start + 6:]
    assert compilers.first_difference(ours, theirs) == 'constants + 5'
