"""NN archives of depthai 3: a blob or superblob with config.json in a tar file."""
from __future__ import annotations

import os
from typing import Any, Mapping, Optional, Sequence, Union

from . import _library
from ._results import Blob, PathLike, Report


def write(path: PathLike, blob: Union[Blob, bytes, PathLike], *, name: Optional[str] = None,
          dai_type: Optional[str] = None, heads: Optional[Sequence[Mapping[str, Any]]] = None,
          build_info: Optional[Mapping[str, Any]] = None) -> str:
    """Writes an archive (.tar.xz, .tar.gz, .tar.bz2, .tar) of a blob or superblob; returns its path.

    dai_type: frames that a camera is to send ("RGB888p"); heads: for depthai's decoders, objects with "parser",
    "metadata" and "outputs". Inputs and outputs come from the blob itself.
    """
    options = {'path': os.fspath(path), 'name': name, 'dai_type': dai_type, 'heads': heads, 'build_info': build_info}
    if isinstance(blob, (str, os.PathLike)):
        _library.call('nn_archive', {**options, 'model': os.fspath(blob)})
    else:
        _library.call('nn_archive', options, [('model', blob.view() if isinstance(blob, Blob) else blob)])
    return os.fspath(path)


def read(path: PathLike) -> tuple[Report, bytes]:
    """(report with config, model_name and members; the bytes of the blob or superblob)."""
    report, data = _library.take(_library.library.nn_archive_read(_library._json({'path': os.fspath(path)})))
    return Report(report), bytes(data)
