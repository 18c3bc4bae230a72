"""A program in C against libblobsmith.so; with BLOBSMITH_VALGRIND=1 under valgrind: nothing leaks, nothing is read that was
not written."""
import os
import shutil
import subprocess

import pytest
from conftest import ROOT


def test_a_program_in_c(package, tool, model, broken, tmp_path):
    library, compiler = os.path.join(os.path.dirname(tool), 'libblobsmith.so'), shutil.which('cc')
    if not os.path.exists(library) or not compiler:
        pytest.skip('no library of the tree, or no C compiler')
    program = tmp_path / 'c_interface'
    subprocess.run([compiler, '-std=c11', '-Wall', '-Wextra', '-Werror', '-g', '-I', os.path.join(ROOT, 'include'),
                    os.path.join(ROOT, 'tests', 'python', 'c_interface.c'), '-o', program, library,
                    '-Wl,-rpath,' + os.path.dirname(library)], check=True)
    watched = []
    if os.environ.get('BLOBSMITH_VALGRIND'):
        watched = ['valgrind', '-q', '--error-exitcode=9', '--leak-check=full', '--show-leak-kinds=definite,indirect',
                   '--errors-for-leak-kinds=definite,indirect']
    done = subprocess.run([*watched, program, model, broken, tmp_path], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ['broken.onnx', 'c.tar.xz', 'c_interface', 'small.onnx']
