"""The notebook runs from top to bottom, and shows what it says."""
import os

import pytest
from conftest import ROOT


def test_notebook(package, tmp_path):
    nbformat, nbclient = pytest.importorskip('nbformat'), pytest.importorskip('nbclient')
    notebook = nbformat.read(os.path.join(ROOT, 'examples', 'convert_and_compile.ipynb'), as_version=4)
    assert all(not c.get('outputs') for c in notebook.cells)  # clean in the repository
    nbclient.NotebookClient(notebook, timeout=120, resources={'metadata': {'path': str(tmp_path)}}).execute()
    shown = ' '.join(str(o) for c in notebook.cells for o in c.get('outputs', []))
    for text in ('blob right:', 'Check', 'Estimate', 'Comparison', '<svg'):
        assert text in shown
    assert (tmp_path / 'corners.rvc2.tar.xz').exists() and (tmp_path / 'corners.superblob').exists()
