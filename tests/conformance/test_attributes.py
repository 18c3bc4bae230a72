"""ONNX operators with drawn attributes: a blob of each that is converted computes what ONNX Runtime does."""
import types

import pytest
from onnx_attributes import OPERATORS, judge

PARTS = 4


@pytest.mark.parametrize('part', range(PARTS))
def test_drawn_attributes(tool, tmp_path, part):
    verdicts = [judge(types.SimpleNamespace(tool=tool), str(tmp_path), number) for number in range(part, len(OPERATORS), PARTS)]
    assert not [said for _, verdict, said in verdicts if verdict in ('wrong', 'crash')]
    assert sum(verdict == 'right' for _, verdict, _ in verdicts) > 0.8 * len(verdicts)
