"""Operators of ai.onnx.ml, as converters of scikit-learn and XGBoost write them: converted, run, and compared with ONNX Runtime."""
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

RNG = np.random.default_rng(7)
COLUMNS, ROWS = 5, 4


def grid(*shape):
    return RNG.integers(-4, 5, shape).astype(np.float32) / 2


def checked(tool, folder, node, outputs, initializers=(), tolerance=4e-3):
    """The outputs that are tensors, of ONNX Runtime; those of the blob are compared with them."""
    x = helper.make_tensor_value_info('x', TensorProto.FLOAT, [ROWS, COLUMNS])
    made = [onnx.numpy_helper.from_array(v, k) for k, v in initializers]
    graph = helper.make_graph([node], 'g', [x], [helper.make_tensor_value_info(k, t, None) for k, t in outputs.items()], made)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 15), helper.make_opsetid('ai.onnx.ml', 3)], ir_version=8)
    onnx.save(model, folder / 'm.onnx')
    data = grid(ROWS, COLUMNS)
    np.save(folder / 'x.npy', data)
    done = subprocess.run([tool, 'convert', folder / 'm.onnx', '-o', folder / 'm.blob'], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    subprocess.run([tool, 'run', folder / 'm.blob', '--input', folder / 'x.npy', '--output-dir', folder / 'out'], check=True, capture_output=True)
    wanted = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider']).run(None, {'x': data})
    for name, want in zip(outputs, wanted):
        got = np.load(folder / 'out' / f'{name}.npy').reshape(-1)
        want = np.asarray(want)
        if want.dtype.kind in 'if':
            np.testing.assert_allclose(got, want.reshape(-1), rtol=tolerance, atol=tolerance * max(1e-3, np.abs(want).max()), err_msg=name)
    return dict(zip(outputs, wanted)), done.stderr + done.stdout


ML = {'domain': 'ai.onnx.ml'}
REAL, LABEL = TensorProto.FLOAT, TensorProto.INT64


@pytest.mark.parametrize('op, attributes', [('Scaler', {'offset': [.5, 1, -1, 0, 2], 'scale': [2., 1, .5, 3, 1]}), ('Scaler', {'offset': [.5], 'scale': [2.]}), ('Normalizer', {'norm': 'L1'}),
                                            ('Normalizer', {'norm': 'L2'}), ('Binarizer', {'threshold': .3}), ('LinearRegressor', {'coefficients': list(grid(10)), 'intercepts': [1., -1], 'targets': 2}),
                                            ('LinearRegressor', {'coefficients': list(grid(5))})])
def test_of_columns(tool, tmp_path, op, attributes):
    checked(tool, tmp_path, helper.make_node(op, ['x'], ['y'], **attributes, **ML), {'y': REAL})


def test_chosen_columns(tool, tmp_path):
    got, _ = checked(tool, tmp_path, helper.make_node('ArrayFeatureExtractor', ['x', 'at'], ['y'], **ML), {'y': REAL}, [('at', np.array([[3, 1, 1]], np.int64))])
    assert got['y'].shape == (ROWS, 3)


@pytest.mark.parametrize('kernel, parameters', [('LINEAR', [0., 0., 0.]), ('RBF', [.1, 0, 0]), ('POLY', [.05, 1., 2.]), ('SIGMOID', [.1, .2, 0])])
def test_support_vectors(tool, tmp_path, kernel, parameters):
    node = helper.make_node('SVMRegressor', ['x'], ['y'], kernel_type=kernel, n_supports=6, support_vectors=list(grid(6 * COLUMNS)), coefficients=list(grid(6)), rho=[.25],
                            kernel_params=parameters, **ML)
    checked(tool, tmp_path, node, {'y': REAL}, tolerance=1e-2)


@pytest.mark.parametrize('transform', ['NONE', 'SOFTMAX', 'LOGISTIC'])
def test_linear_classifier(tool, tmp_path, transform):
    node = helper.make_node('LinearClassifier', ['x'], ['label', 'p'], coefficients=list(grid(15) / 4), intercepts=[.5, 0, -.5], classlabels_ints=[7, 5, 9], post_transform=transform, **ML)
    got, _ = checked(tool, tmp_path, node, {'label': LABEL, 'p': REAL})
    assert len(set(got['label'])) > 1


def test_labels_that_are_texts(tool, tmp_path):
    node = helper.make_node('LinearClassifier', ['x'], ['label', 'p'], coefficients=list(grid(15)), intercepts=[.5, 0, -.5], classlabels_strings=['a', 'b', 'c'], **ML)
    got, said = checked(tool, tmp_path, node, {'label': TensorProto.STRING, 'p': REAL})
    assert 'their positions are given' in said
    np.testing.assert_array_equal(np.load(tmp_path / 'out' / 'label.npy').reshape(-1), ['abc'.index(v) for v in got['label']])


def test_list_of_maps(tool, tmp_path):
    """A tensor instead."""
    x = helper.make_tensor_value_info('x', REAL, [1, 3])
    kind = helper.make_sequence_type_proto(helper.make_map_type_proto(LABEL, helper.make_tensor_type_proto(REAL, [])))
    nodes = [helper.make_node('Softmax', ['x'], ['p'], axis=1), helper.make_node('ZipMap', ['p'], ['y'], classlabels_int64s=[0, 1, 2], **ML)]
    graph = helper.make_graph(nodes, 'g', [x], [helper.make_value_info('y', kind)])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 15), helper.make_opsetid('ai.onnx.ml', 3)], ir_version=8), tmp_path / 'm.onnx')
    np.save(tmp_path / 'x.npy', np.array([[1, 2, 3]], np.float32))
    done = subprocess.run([tool, 'convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob'], capture_output=True, text=True)
    assert done.returncode == 0 and 'not a list of maps' in done.stderr + done.stdout, done.stderr
    subprocess.run([tool, 'run', tmp_path / 'm.blob', '--input', tmp_path / 'x.npy', '--output-dir', tmp_path / 'out'], check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / 'out' / 'y.npy').reshape(-1), [.09, .2447, .6652], atol=1e-3)


def forest(mode, trees, results, prefix, weight):
    """Random trees of up to three conditions in a row; thresholds lie between the values of the inputs."""
    a = {k: [] for k in ('nodes_treeids', 'nodes_nodeids', 'nodes_featureids', 'nodes_values', 'nodes_modes', 'nodes_truenodeids', 'nodes_falsenodeids',
                         f'{prefix}_treeids', f'{prefix}_nodeids', f'{prefix}_ids', f'{prefix}_weights')}
    for tree in range(trees):
        count = 0

        def grow(depth):
            nonlocal count
            me = count
            count += 1
            at = len(a['nodes_nodeids'])
            leaf = depth == 0 or (depth < 3 and RNG.random() < .2)
            exact = mode in ('BRANCH_EQ', 'BRANCH_NEQ')
            row = {'treeids': tree, 'nodeids': me, 'featureids': 0 if leaf else int(RNG.integers(COLUMNS)), 'values': 0. if leaf else float(grid(1)[0]) + (0 if exact else 1 / 32),
                   'modes': 'LEAF' if leaf else mode, 'truenodeids': 0, 'falsenodeids': 0}
            for k, v in row.items():
                a['nodes_' + k].append(v)
            if leaf:
                for r in range(results if weight is None else 1):
                    for k, v in {'treeids': tree, 'nodeids': me, 'ids': r, 'weights': float(grid(1)[0] if weight is None else weight())}.items():
                        a[f'{prefix}_{k}'].append(v)
            else:
                a['nodes_truenodeids'][at] = grow(depth - 1)
                a['nodes_falsenodeids'][at] = grow(depth - 1)
            return me
        grow(3)
    return a


@pytest.mark.parametrize('mode', ['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GTE', 'BRANCH_GT', 'BRANCH_EQ', 'BRANCH_NEQ'])
def test_trees(tool, tmp_path, mode):
    node = helper.make_node('TreeEnsembleRegressor', ['x'], ['y'], n_targets=2, base_values=[.5, -.5], **forest(mode, 4, 2, 'target', None), **ML)
    got, _ = checked(tool, tmp_path, node, {'y': REAL})
    assert len(np.unique(got['y'])) > 2


def test_mean_of_many_trees(tool, tmp_path):
    """More than one block."""
    node = helper.make_node('TreeEnsembleRegressor', ['x'], ['y'], n_targets=1, aggregate_function='AVERAGE', **forest('BRANCH_LEQ', 90, 1, 'target', None), **ML)
    checked(tool, tmp_path, node, {'y': REAL})


@pytest.mark.parametrize('transform', ['NONE', 'SOFTMAX'])
def test_tree_classifier(tool, tmp_path, transform):
    node = helper.make_node('TreeEnsembleClassifier', ['x'], ['label', 'p'], classlabels_int64s=[4, 2, 0], post_transform=transform, **forest('BRANCH_LEQ', 3, 3, 'class', None), **ML)
    checked(tool, tmp_path, node, {'label': LABEL, 'p': REAL})


@pytest.mark.parametrize('transform, weight', [('LOGISTIC', lambda: grid(1)[0]), ('NONE', lambda: grid(1)[0]), ('NONE', lambda: RNG.random() / 3)])
def test_one_score_of_trees_for_two_classes(tool, tmp_path, transform, weight):
    node = helper.make_node('TreeEnsembleClassifier', ['x'], ['label', 'p'], classlabels_int64s=[0, 1], post_transform=transform, **forest('BRANCH_LT', 3, 1, 'class', weight), **ML)
    got, _ = checked(tool, tmp_path, node, {'label': LABEL, 'p': REAL})
    assert got['p'].shape == (ROWS, 2)


def test_trees_that_do_not_end(tool, tmp_path):
    trees = forest('BRANCH_LEQ', 1, 1, 'target', None)
    inner = trees['nodes_modes'].index('BRANCH_LEQ')
    for wrong in ({'nodes_truenodeids': [inner] * len(trees['nodes_modes'])}, {'nodes_falsenodeids': [99] * len(trees['nodes_modes'])}, {'nodes_values': [1.]}, {'target_ids': [3] * len(trees['target_ids'])}):
        node = helper.make_node('TreeEnsembleRegressor', ['x'], ['y'], **{**trees, **wrong}, **ML)
        graph = helper.make_graph([node], 'g', [helper.make_tensor_value_info('x', REAL, [1, COLUMNS])], [helper.make_tensor_value_info('y', REAL, None)])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('ai.onnx.ml', 3), helper.make_opsetid('', 15)], ir_version=8), tmp_path / 'm.onnx')
        done = subprocess.run([tool, 'convert', tmp_path / 'm.onnx', '-o', tmp_path / 'm.blob'], capture_output=True, text=True)
        assert done.returncode == 1 and 'error[BS' in done.stderr, (wrong, done)
