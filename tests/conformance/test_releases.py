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


@pytest.mark.parametrize('kind', ['DOUBLE', 'BFLOAT16'])
@pytest.mark.parametrize('way', [(), ('--ov_api_1_0',)])
def test_real_inputs_of_any_width_are_halves(run, tmp_path, kind, way):
    onnx = pytest.importorskip('onnx')
    h, real = onnx.helper, getattr(onnx.TensorProto, kind)
    nodes = [h.make_node('Cast', ['x'], ['y'], to=onnx.TensorProto.FLOAT), h.make_node('Relu', ['y'], ['z'])]
    graph = h.make_graph(nodes, 'g', [h.make_tensor_value_info('x', real, [2, 3])], [h.make_tensor_value_info('z', onnx.TensorProto.FLOAT, [2, 3])])
    onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid('', 13)], ir_version=7), tmp_path / 'x.onnx')
    done = run('compile', '-m', tmp_path / 'x.onnx', '-o', tmp_path / 'x.blob', '--target', '2022.1', *way)
    assert done.returncode == 0, done.stderr
    assert 'x : FP16 / NC' in done.stdout
    done = run('compile', '-m', tmp_path / 'x.onnx', '-o', tmp_path / 'old.blob')
    assert done.returncode == 1 and 'isn\'t supported' in done.stderr and not (tmp_path / 'old.blob').exists()


def test_known_faults_are_avoided_behind_weights_in_half(run, tmp_path):
    """The eps of a layer normalisation stands behind a Convert: still it is found to be inside of the square root."""
    n = release_models.NamedNet('norm', 11)
    x = n.input(1, 16, 64, type='f32')
    mean = n.layer('ReduceMean', [x, n.ints(2)], keep_dims=True)
    centred = n.layer('Subtract', [x, mean])
    variance = n.layer('ReduceMean', [n.layer('Power', [centred, n.compressed([[[2.]]])]), n.ints(2)], keep_dims=True)
    root = n.layer('Sqrt', [n.layer('Add', [variance, n.compressed([[[1e-3]]])])])
    n.result(n.layer('Divide', [centred, root], name='norm'))
    n.save(str(tmp_path / 'norm'))
    done = run('convert', tmp_path / 'norm.xml', '-o', tmp_path / 'out.blob')
    assert done.returncode == 0 and 'eps stays inside of the square root' in done.stdout + done.stderr
