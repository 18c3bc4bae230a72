"""Networks of one operation, of each kind that the compiler knows: it compiles them or says what is wrong with them, and is never at fault itself."""
import os

import pytest
from ir_builder import Net
from single_ops import CASES

PARTS = 8


@pytest.mark.parametrize('part', range(PARTS))
def test_no_single_operation_is_an_internal_error(run, tmp_path, part):
    faults = []
    for number in range(part, len(CASES), PARTS):
        op, variant, build = CASES[number]
        net = Net(op, number)
        build(net)
        net.save(str(tmp_path / 'net'))
        done = run('compile', '-m', tmp_path / 'net.xml', '-o', tmp_path / 'net.blob')
        if done.returncode not in (0, 1) or 'BS9001' in done.stderr:
            faults.append(f'{op}, {variant}: {done.stderr}')
    assert not faults, '\n'.join(faults)
    assert os.path.exists(tmp_path / 'net.blob')
