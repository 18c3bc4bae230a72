"""libblobsmith.so by ctypes (include/blobsmith/blobsmith.h). Calls release the interpreter's lock while they run."""
from __future__ import annotations

import ctypes
import json
import os
from typing import Any, Callable, Optional, Sequence

from . import _errors

ABI_MAJOR = 1
CANCELLED = 'BS6001'


class _File(ctypes.Structure):
    _fields_ = [('name', ctypes.c_char_p), ('data', ctypes.c_void_p), ('size', ctypes.c_size_t)]


_PROGRESS = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_double)
_Handle = ctypes.c_void_p
_CALL = [ctypes.c_char_p, ctypes.POINTER(_File), ctypes.c_size_t]
_WATCHED = [*_CALL, _PROGRESS, ctypes.c_void_p]
_SIGNATURES = {
    'abi': (ctypes.c_int, []),
    'version': (ctypes.c_char_p, []),
    'code': (ctypes.c_int, [_Handle]),
    'report': (ctypes.c_char_p, [_Handle]),
    'count': (ctypes.c_size_t, [_Handle]),
    'data': (ctypes.c_void_p, [_Handle, ctypes.c_size_t]),
    'size': (ctypes.c_size_t, [_Handle, ctypes.c_size_t]),
    'free': (None, [_Handle]),
    'convert': (_Handle, _WATCHED),
    'superblob': (_Handle, _WATCHED),
    'compile': (_Handle, _WATCHED),
    'check': (_Handle, _WATCHED),
    'compare': (_Handle, _WATCHED),
    'estimate': (_Handle, _WATCHED),
    'inspect': (_Handle, _CALL),
    'superblob_extract': (_Handle, _CALL),
    'nn_archive': (_Handle, _CALL),
    'nn_archive_read': (_Handle, [ctypes.c_char_p]),
    'measured_speeds': (_Handle, []),
    'emulator_open': (_Handle, [*_CALL, ctypes.POINTER(_Handle)]),
    'emulator_set': (_Handle, [_Handle, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t]),
    'emulator_set_integers': (_Handle, [_Handle, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t]),
    'emulator_run': (_Handle, [_Handle, _PROGRESS, ctypes.c_void_p]),
    'emulator_output': (_Handle, [_Handle, ctypes.c_char_p]),
    'emulator_close': (None, [_Handle]),
}


def _path() -> str:
    """BLOBSMITH_LIBRARY, else the library inside of the package."""
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib', 'libblobsmith.so')
    return os.environ.get('BLOBSMITH_LIBRARY', here)


class _Library:
    """Loaded at the first call, so that importing the package costs nothing."""

    def __init__(self) -> None:
        self._functions: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if not self._functions:
            self._load()
        return self._functions[name]

    def _load(self) -> None:
        path = _path()
        try:
            library = ctypes.CDLL(path)
        except OSError as e:
            raise ImportError(f'{path} can\'t be loaded ({e}); build it with `pip install .`, or set BLOBSMITH_LIBRARY '
                              'to a libblobsmith.so') from e
        functions = {}
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, 'blobsmith_' + name)
            function.restype, function.argtypes = result, arguments
            functions[name] = function
        if functions['abi']() // 1000 != ABI_MAJOR:
            raise ImportError(f'{path} has the interface {functions["abi"]()}, this package needs {ABI_MAJOR}xxx')
        self._functions = functions


library = _Library()


class _Owner:
    """Frees a result when nobody reads its bytes any more."""

    def __init__(self, result: int):
        self.result = result

    def __del__(self) -> None:
        library.free(self.result)


def _bytes_of(result: int) -> Any:
    """The bytes of a result, without a copy: an array that keeps the result alive."""
    size = library.size(result, 0)
    array = (ctypes.c_uint8 * size).from_address(library.data(result, 0)) if size else (ctypes.c_uint8 * 0)()
    array.owner = _Owner(result)
    return array


def _files(files: Sequence[tuple[str, Any]]) -> tuple[Any, list[Any]]:
    """An array of files in memory, and what has to live as long as it is used."""
    array, alive = (_File * max(1, len(files)))(), []
    for slot, (name, data) in zip(array, files):
        view = memoryview(data).cast('B')
        try:
            raw = (ctypes.c_uint8 * len(view)).from_buffer(view)
        except TypeError:  # read only, as bytes are
            raw = ctypes.c_char_p(bytes(view))
        slot.name, slot.size = name.encode(), len(view)
        slot.data = ctypes.cast(raw, ctypes.c_void_p)
        alive.append(raw)
    return array, alive


def take(result: Optional[int]) -> tuple[dict[str, Any], Optional[Any]]:
    """The report of a result and its bytes; raises what it says."""
    if not result:
        raise MemoryError
    code = library.code(result)
    report = json.loads(library.report(result).decode())
    if code == 0 and library.count(result):
        return report, _bytes_of(result)
    library.free(result)
    if code:
        raise _errors.from_report(report)
    return report, None


def call(name: str, options: dict[str, Any], files: Sequence[tuple[str, Any]] = ()) -> tuple[dict, Optional[Any]]:
    """A function that is done at once."""
    array, alive = _files(files)
    result = take(getattr(library, name)(_json(options), array, len(files)))
    del alive
    return result


class _Interrupts:
    """Ctrl-C while foreign code runs: noted, and raised when that has ended. Python's own handler raises wherever it
    happens to be, which may be a place of a callback from where nothing can be raised."""

    def __init__(self) -> None:
        self.seen = False
        self._before: Any = None

    def __enter__(self) -> '_Interrupts':
        import signal
        import threading
        if threading.current_thread() is threading.main_thread() \
                and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, _number: int, _frame: Any) -> None:
        self.seen = True

    def __exit__(self, *_: Any) -> None:
        if self._before is not None:
            import signal
            signal.signal(signal.SIGINT, self._before)
        if self.seen:
            raise KeyboardInterrupt


def watched(start: Callable[[Any], Optional[int]], progress: Optional[Callable[[str, float], Any]]):
    """start(callback) with progress. What `progress` raises, or Ctrl-C, stops the call and is raised here."""
    raised: list[BaseException] = []

    def step(_user: Any, phase: bytes, fraction: float) -> int:
        try:
            if progress:
                progress(phase.decode(), fraction)
        except BaseException as e:  # it may not pass through foreign code
            raised.append(e)
        return 1 if raised or interrupts.seen else 0

    callback = _PROGRESS(step)
    with _Interrupts() as interrupts:
        try:
            return take(start(callback))
        except _errors.Error as e:
            if raised:
                raise raised[0] from None
            if e.code == CANCELLED:  # a handler of signals raised within the callback, outside of step()
                raise KeyboardInterrupt from None
            raise


def call_watched(name: str, options: dict[str, Any], files: Sequence[tuple[str, Any]] = (), progress=None):
    array, alive = _files(files)
    result = watched(lambda callback: getattr(library, name)(_json(options), array, len(files), callback, None), progress)
    del alive
    return result


def _json(options: dict[str, Any]) -> bytes:
    return json.dumps({k: v for k, v in options.items() if v is not None}).encode()
