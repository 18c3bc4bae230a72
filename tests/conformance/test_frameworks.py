"""Models of frameworks through `mo` and `compile`: byte identity with Intel's chain, by the sums of framework_golden.tsv."""
import hashlib
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import framework_golden
import framework_networks

GOLDEN = framework_golden.read()
DIFFERS = {  # known differences from Intel's blob
    'kaldi_nnet3_tdnn_f': 'Model Optimizer numbers several memories by chance: by the seed of its hashes',
}


@pytest.fixture(scope='session')
def cases(tmp_path_factory):
    return framework_networks.write(str(tmp_path_factory.mktemp('frameworks')))


def absolute(case, arguments):
    return [os.path.join(case, a) if os.path.exists(os.path.join(case, a)) else a for a in arguments]


def test_every_case_has_its_sum(cases):
    assert set(GOLDEN) == set(cases)


@pytest.mark.parametrize('name', sorted(GOLDEN))
def test_blob_is_identical(request, run, cases, tmp_path, name):
    if name in DIFFERS:
        request.applymarker(pytest.mark.xfail(reason=DIFFERS[name], strict=True))
    case, arguments = cases[name]
    done = run('mo', *absolute(case, arguments), '--output_dir', tmp_path, '--model_name', 'm', '--silent')
    assert done.returncode == 0, done.stderr
    if GOLDEN[name] == '-':
        return  # Intel's tools refuse it
    blob = tmp_path / 'm.blob'
    done = run('compile', '-m', tmp_path / 'm.xml', '-o', blob, '-ip', 'U8', '-VPU_NUMBER_OF_SHAVES', '6', '-VPU_NUMBER_OF_CMX_SLICES', '6')
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(blob.read_bytes()).hexdigest() == GOLDEN[name]


@pytest.mark.parametrize('name', sorted(GOLDEN))
def test_blob_agrees_with_the_model(run, cases, tmp_path, name):
    case, arguments = cases[name]
    options = [a for a in arguments if a.startswith('--remove')]
    if '--input_shape' in arguments:
        options += ['--input-shape', arguments[arguments.index('--input_shape') + 1]]
    done = run('compare', absolute(case, arguments)[1], *options, '--ip', 'FP16')
    assert done.returncode == 0, done.stdout + done.stderr
