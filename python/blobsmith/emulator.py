"""Runs a blob on this machine: NumPy arrays in, NumPy arrays out."""
from __future__ import annotations

import ctypes
import os
import warnings
from typing import Any, Mapping, NamedTuple, Union

from . import _library
from ._errors import ModelError
from ._results import Blob, PathLike

Inputs = Union[Mapping[str, Any], Any]


class Port(NamedTuple):
    """An input or output: shape in framework order (NCHW), type as a blob has it ("U8", "FP16", "FP32", "I32")."""
    name: str
    type: str
    shape: tuple[int, ...]


def _check_order(port: Port, shape: tuple[int, ...]) -> None:
    """Refuses arrays of another layout: the same sizes in another order, as NHWC for NCHW."""
    wanted, given = ([d for d in sizes if d != 1] for sizes in (port.shape, shape))
    if wanted != given and sorted(wanted) == sorted(given):
        raise ModelError([{'code': 'BS3002', 'message': f'input "{port.name}" is {list(port.shape)}, the array {list(shape)}',
                           'hint': 'its axes are in another order: transpose the array'}])


def _warn_of_rounding(port: Port, array: Any) -> None:
    """Says that an input of bytes gets other values, which are rounded and brought into the range of bytes."""
    import numpy as np
    if port.type == 'U8' and not ((array >= 0) & (array <= 255) & (array == np.rint(array))).all():
        warnings.warn(f'input "{port.name}" takes bytes: values that are not whole numbers from 0 to 255 are made such '
                      '(for other values, convert the model with input_precision="FP16")', stacklevel=3)


class Emulator:
    """A blob in memory, to run as often as wanted; for one thread at a time.

    >>> with Emulator('model.blob') as e:
    ...     out = e.run({'x': image})          # or e.run(image) where there is one input

    `inputs`, `outputs`: lists of Port. `milliseconds`: of the last run on this machine, which says nothing of the
    device (see estimate()).
    """

    def __init__(self, blob: Union[PathLike, bytes, Blob], *, threads: int = 0):
        self._handle = ctypes.c_void_p()
        options: dict[str, Any] = {'threads': threads}
        files = []
        if isinstance(blob, (str, os.PathLike)):
            options['blob'] = os.fspath(blob)
        else:
            files = [('x.blob', blob.view() if isinstance(blob, Blob) else blob)]
        array, alive = _library._files(files)
        report, _ = _library.take(_library.library.emulator_open(_library._json(options), array, len(files),
                                                                 ctypes.byref(self._handle)))
        del alive
        self.inputs = [Port(p['name'], p['type'], tuple(p['shape'])) for p in report['inputs']]
        self.outputs = [Port(p['name'], p['type'], tuple(p['shape'])) for p in report['outputs']]
        self.milliseconds = 0.0

    def run(self, inputs: Inputs = None, progress=None) -> dict[str, Any]:
        """One inference. inputs: {name: array}, or one array; those left out keep the values of the run before.

        Arrays of float32 (int32 for inputs of type I32) that are contiguous are not copied first. Returns {name:
        float32 array} in framework order. Warns where an input of bytes gets other values. Raises OptionError for names,
        ModelError for shapes that don't fit.
        """
        import numpy as np
        if inputs is not None and not isinstance(inputs, Mapping):
            if len(self.inputs) != 1:
                raise TypeError(f'{len(self.inputs)} inputs: give {{name: array}}')
            inputs = {self.inputs[0].name: inputs}
        ports = {p.name: p for p in self.inputs}
        for name, values in (inputs or {}).items():
            port = ports.get(name)
            whole = port is not None and port.type == 'I32'
            array = np.ascontiguousarray(values, dtype=np.int32 if whole else np.float32)
            if port is not None:
                _check_order(port, array.shape)
                _warn_of_rounding(port, array)
            setter = _library.library.emulator_set_integers if whole else _library.library.emulator_set
            _library.take(setter(self._open(), name.encode(), array.ctypes.data_as(ctypes.c_void_p), array.size))
        report, _ = _library.watched(lambda callback: _library.library.emulator_run(self._open(), callback, None),
                                     progress)
        self.milliseconds = report['milliseconds']
        return {p.name: self._output(p.name) for p in self.outputs}

    def _output(self, name: str) -> Any:
        import numpy as np
        report, data = _library.take(_library.library.emulator_output(self._open(), name.encode()))
        return np.frombuffer(data, dtype=np.float32).reshape(report['shape'])

    def _open(self) -> ctypes.c_void_p:
        if not self._handle:
            raise ValueError('the emulator is closed')
        return self._handle

    def close(self) -> None:
        """Frees its memory; further runs raise ValueError."""
        handle, self._handle = self._handle, ctypes.c_void_p()
        if handle:
            _library.library.emulator_close(handle)

    def __enter__(self) -> 'Emulator':
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, '_handle', None):
            self.close()

    def __repr__(self) -> str:
        return f'<Emulator: {len(self.inputs)} inputs, {len(self.outputs)} outputs>'


def run(blob: Union[PathLike, bytes, Blob], inputs: Inputs) -> dict[str, Any]:
    """One inference in one call; for many keep an Emulator."""
    with Emulator(blob) as e:
        return e.run(inputs)
