"""Byte identity with the reference compiler, by the sums of golden.tsv."""
import hashlib
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import golden

GOLDEN = golden.read()


@pytest.fixture(scope='session')
def networks(tmp_path_factory):
    return golden.write(str(tmp_path_factory.mktemp('networks')))


def test_every_network_has_its_sums(networks):
    assert set(GOLDEN) == {(name, o) for name, (_, option_sets) in networks.items() for o in option_sets}


@pytest.mark.parametrize('network,options', sorted(GOLDEN))
def test_blob_is_identical_and_uses_memory_soundly(run, networks, tmp_path, network, options):
    """No stage reads what none has written, loses what is still needed, or leaves its buffers."""
    path, option_sets = networks[network]
    blob = tmp_path / 'out.blob'
    done = run('compile', '-m', path, '-o', blob, *option_sets[options])
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(blob.read_bytes()).hexdigest() == GOLDEN[network, options]
    done = run('run', blob, '--random', '--threads', '1', '--check-memory', '--json')
    if done.returncode != 0:
        pytest.fail(done.stderr or json.dumps(json.loads(done.stdout)['memory'], indent=1))
