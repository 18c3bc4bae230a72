"""IRs under --target 2022.1, byte for byte, by the sums of release_golden.tsv."""
import hashlib
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import release_models

with open(os.path.join(HERE, 'release_golden.tsv')) as f:
    GOLDEN = [line.rstrip('\n').split('\t') for line in f if not line.startswith('#')]


@pytest.fixture(scope='module')
def networks(tmp_path_factory):
    return release_models.write(str(tmp_path_factory.mktemp('networks')))


def test_every_network_has_its_sums():
    assert [row[:2] for row in GOLDEN] == [[make.__name__, told] for make in release_models.NETWORKS for told in release_models.TOLD[make.__name__]]


@pytest.mark.parametrize('network,told,expected', GOLDEN)
def test_blob_is_identical(run, networks, tmp_path, network, told, expected):
    blob = tmp_path / 'out.blob'
    done = run('compile', '-m', networks[network], '-o', blob, '--target', '2022.1', '-VPU_NUMBER_OF_SHAVES', '6', '-VPU_NUMBER_OF_CMX_SLICES', '6', '-c', 'MYRIAD_THROUGHPUT_STREAMS=1', *told.split())
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(blob.read_bytes()).hexdigest() == expected
