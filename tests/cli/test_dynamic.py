"""Networks whose shapes depend on the data, compiled and run: as many rows as the mask says, and the right ones."""
import os
import subprocess
import sys

import numpy as np
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'conformance'))
import dynamic_models  # noqa: E402
import loop_models  # noqa: E402
from ir_builder import Net  # noqa: E402

MASK = np.array([1, 0, 1, 1, 0, 0, 1, 0], np.float16)
TABLE = np.random.RandomState(3).uniform(-1, 1, (8, 6)).astype(np.float16)
ROWS = TABLE[MASK > 0].astype(np.float32)
RELU = np.maximum(ROWS, 0)
WANTED = {
    'Gather': ROWS, 'Sigmoid': 1 / (1 + np.exp(-ROWS)), 'SoftMax': np.exp(ROWS) / np.exp(ROWS).sum(1, keepdims=True), 'Add twice': ROWS + RELU, 'Multiply constant': ROWS * 2.5, 'Select': np.where(ROWS > 0.5, ROWS, RELU),
    'Transpose': ROWS.T, 'Unsqueeze': ROWS[None], 'Concat': np.concatenate([ROWS, RELU]), 'Concat axis 1': np.concatenate([ROWS, RELU], 1), 'ReduceMax keep': ROWS.max(1, keepdims=True), 'ReduceSum drop': ROWS.sum(1),
    'ReduceMax of the rows': ROWS.max(0, keepdims=True), 'StridedSlice columns': ROWS[:, 1:4], 'StridedSlice rows': ROWS[:3], 'StridedSlice from the end': ROWS[-3:-1], 'StridedSlice step': ROWS[1:4:2], 'Reshape': ROWS.reshape(-1, 3, 2),
}


@pytest.mark.parametrize('variant', WANTED)
def test_rows_by_mask(tool, tmp_path, variant):
    net = Net('rows')
    next(build for _, v, build in dynamic_models.CASES if v == variant)(net)
    net.save(str(tmp_path / 'rows'))
    np.save(tmp_path / 'mask.npy', MASK)
    np.save(tmp_path / 'table.npy', TABLE)
    subprocess.run([tool, 'compile', '-m', tmp_path / 'rows.xml', '-o', tmp_path / 'rows.blob'], check=True, capture_output=True)
    subprocess.run([tool, 'run', tmp_path / 'rows.blob', '--input', f'table={tmp_path}/table.npy', '--input', f'table_mask={tmp_path}/mask.npy', '--output-dir', tmp_path / 'out'], check=True, capture_output=True)
    made = [np.load(f) for f in (tmp_path / 'out').glob('*.npy') if '@shape' not in f.name]
    assert len(made) == 1
    assert made[0].shape == WANTED[variant].shape
    np.testing.assert_allclose(made[0].astype(np.float32), WANTED[variant], atol=2e-3)


def test_a_loop_that_outruns_its_input_is_an_error(run, tmp_path):
    net = Net('endless')
    next(build for op, v, build in loop_models.CASES if (op, v) == ('Loop', 'endless'))(net)
    net.save(str(tmp_path / 'net'))
    done = run('run', tmp_path / 'net.xml', '--random')
    assert done.returncode == 1 and 'it runs longer than an input has slices' in done.stderr
