"""Networks of Kaldi's nnet3 with splices, convolutions and i-vectors: frame by frame what nnet3 defines."""
import pytest
from kaldi_networks import difference

SEEDS = [7, 11, 29, 33]  # convolutions that read not all heights, groups, splices of splices, an i-vector


@pytest.mark.parametrize('seed', SEEDS)
def test_network_of_frames(tool, seed):
    worst, late = difference(tool, seed, frames=18)
    assert worst is not None and worst < 2e-3, late
