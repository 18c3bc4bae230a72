"""The Python cells of the guide run, one after the other."""
import os
import re

from conftest import ROOT


def test_python_of_the_guide(package, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model.rename('model.onnx')
    with open(os.path.join(ROOT, 'docs', 'guide.md')) as f:
        cells = re.findall(r'```python\n(.*?)```', f.read(), re.S)
    assert len(cells) >= 2
    names = {}
    for cell in cells:
        exec(compile(cell, 'guide.md', 'exec'), names)
    assert (tmp_path / 'model.blob').exists() and os.path.exists(names['path'])
