"""The functions of the package. A model is a path, or bytes together with `name` ("model.onnx")."""
from __future__ import annotations

import os
from typing import Any, Callable, Iterable, Mapping, Optional, Sequence, Union

from . import _library
from ._results import Blob, BlobReport, CheckReport, CompareReport, EstimateReport, PathLike, Report, SuperBlob

Model = Union[PathLike, bytes, bytearray, memoryview]
Progress = Callable[[str, float], Any]
Shapes = Mapping[str, Sequence[int]]


def version() -> str:
    """Version of the library, "0.1.0"."""
    return _library.library.version().decode()


def _model(model: Model, name: Optional[str], weights: Optional[bytes], options: dict[str, Any]):
    """Fills in options["model"], or gives the files in memory."""
    if isinstance(model, (str, os.PathLike)):
        options['model'] = os.fspath(model)
        return []
    if not name:
        raise TypeError('a model given as bytes needs its name="model.onnx", whose ending says what it is')
    files = [(name, model)]
    if weights is not None:
        files.append((os.path.splitext(name)[0] + '.bin', weights))
    return files


def _values(v: Union[str, Sequence[float], None]) -> Optional[str]:
    """[104, 117, 123] as Model Optimizer writes it."""
    return v if v is None or isinstance(v, str) else '[' + ','.join(repr(float(x)) for x in v) + ']'


def _conversion(o: Mapping[str, Any]) -> dict[str, Any]:
    return {
        'input_shapes': {k: [int(d) for d in v] for k, v in o['input_shapes'].items()} if o['input_shapes'] else None,
        'inputs': o['inputs'], 'outputs': o['outputs'],
        'mean_values': _values(o['mean_values']), 'scale_values': _values(o['scale_values']),
        'reverse_input_channels': o['reverse_input_channels'], 'layout': o['layout'],
        'yolo_head': o.get('yolo_head'),
    }


def _camera(o: Mapping[str, Any]) -> dict[str, Any]:
    return {k: o[k] for k in ('shaves', 'slices', 'input_precision', 'output_precision', 'io_precision', 'config')}


class _Bar:
    """Progress as a bar of tqdm."""

    def __init__(self, tqdm: Any):
        self._bar = tqdm(total=100, unit='%', leave=False)

    def __call__(self, phase: str, fraction: float) -> None:
        self._bar.set_description(phase)
        self._bar.update(int(100 * fraction) - self._bar.n)

    def end(self, done: bool) -> None:
        if done:
            self._bar.update(100 - self._bar.n)
        self._bar.close()


def _watched(name: str, options: Mapping[str, Any], files: Any, progress: Union[Progress, bool, None]) -> Any:
    """A call of the library. `progress` True: a bar of tqdm where that is installed."""
    if progress is not True:
        return _library.call_watched(name, options, files, progress or None)
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _library.call_watched(name, options, files)
    bar, done = _Bar(tqdm), False
    try:
        result = _library.call_watched(name, options, files, bar)
        done = True
        return result
    finally:
        bar.end(done)


def convert(model: Model, output: Optional[PathLike] = None, *, name: Optional[str] = None,
            weights: Optional[bytes] = None, shaves: Optional[int] = None, slices: Optional[int] = None,
            input_shapes: Optional[Shapes] = None, inputs: Optional[str] = None, outputs: Optional[str] = None,
            mean_values: Union[str, Sequence[float], None] = None,
            scale_values: Union[str, Sequence[float], None] = None, reverse_input_channels: Optional[bool] = None,
            layout: Optional[str] = None, input_precision: Optional[str] = None,
            output_precision: Optional[str] = None, io_precision: Optional[Mapping[str, str]] = None,
            config: Optional[Mapping[str, str]] = None, yolo_head: bool = False, target: str = '2022.1',
            quirks: bool = False,
            progress: Union[Progress, bool, None] = None) -> Blob:
    """A model to a blob for a camera, as `blobsmith convert` does.

    model: path (.onnx, .xml, ...) or bytes; weights: the .bin of an OpenVINO IR in memory. shaves: 1 to 16 (default 6).
    input_shapes: {input: (1, 3, 224, 224)} where the model leaves sizes open. mean_values, scale_values: by channel of
    the model. layout: "nhwc->nchw" or "x(nhwc->nchw),y(nc)", how the model has the dimensions of inputs and outputs,
    then how its user does. input_precision: "U8", "FP16", "FP32". yolo_head: the outputs that YoloDetectionNetwork
    decodes. progress: called with (phase, fraction 0..1); True shows a bar.

    Returns a Blob, written to `output` if that is given. Raises ModelError naming every layer that can't be converted,
    FileError, OptionError; KeyboardInterrupt and what `progress` raises stop the conversion, which leaves no file.
    """
    o = locals()
    options = {**_conversion(o), **_camera(o), 'target': target, 'quirks': quirks}
    files = _model(model, name, weights, options)
    report, data = _watched('convert', options, files, progress)
    return _made(Blob, data, report, output)


def superblob(model: Model, output: Optional[PathLike] = None, *, name: Optional[str] = None,
              weights: Optional[bytes] = None, input_shapes: Optional[Shapes] = None, inputs: Optional[str] = None,
              outputs: Optional[str] = None, mean_values: Union[str, Sequence[float], None] = None,
              scale_values: Union[str, Sequence[float], None] = None, reverse_input_channels: Optional[bool] = None,
              layout: Optional[str] = None, input_precision: Optional[str] = None,
              output_precision: Optional[str] = None, io_precision: Optional[Mapping[str, str]] = None,
              config: Optional[Mapping[str, str]] = None,
              target: str = '2022.1', quirks: bool = False,
              progress: Union[Progress, bool, None] = None) -> SuperBlob:
    """A model for 1 to 16 SHAVEs in one file, as depthai 3 reads it. Options and errors as of convert()."""
    o = {**locals(), 'shaves': None, 'slices': None}
    options = {**_conversion(o), **_camera(o), 'target': target, 'quirks': quirks}
    files = _model(model, name, weights, options)
    report, data = _watched('superblob', options, files, progress)
    return _made(SuperBlob, data, report, output)


def compile(model: Model, output: Optional[PathLike] = None, *, name: Optional[str] = None,
            weights: Optional[bytes] = None, shaves: Optional[int] = None, slices: Optional[int] = None,
            input_precision: Optional[str] = None, output_precision: Optional[str] = None,
            io_precision: Optional[Mapping[str, str]] = None, input_layout: Optional[str] = None,
            output_layout: Optional[str] = None, io_layout: Optional[Mapping[str, str]] = None,
            config: Optional[Mapping[str, str]] = None, target: str = '', quirks: bool = True,
            progress: Union[Progress, bool, None] = None) -> Blob:
    """An OpenVINO IR or ONNX model to a blob, byte for byte as Intel's compile_tool writes it, with its defaults.

    target: OpenVINO version that the blob states ("" = 6.0, as compile_tool). Raises as convert() does.
    """
    o = locals()
    options = {**_camera(o), 'input_layout': input_layout, 'output_layout': output_layout, 'io_layout': io_layout,
               'target': target, 'quirks': quirks}
    files = _model(model, name, weights, options)
    report, data = _watched('compile', options, files, progress)
    return _made(Blob, data, report, output)


def check(model: Model, *, name: Optional[str] = None, weights: Optional[bytes] = None, fix: bool = True,
          shaves: Optional[int] = None, slices: Optional[int] = None, input_shapes: Optional[Shapes] = None,
          inputs: Optional[str] = None, outputs: Optional[str] = None,
          mean_values: Union[str, Sequence[float], None] = None, scale_values: Union[str, Sequence[float], None] = None,
          reverse_input_channels: Optional[bool] = None, layout: Optional[str] = None,
          input_precision: Optional[str] = None, output_precision: Optional[str] = None,
          io_precision: Optional[Mapping[str, str]] = None,
          config: Optional[Mapping[str, str]] = None, progress: Union[Progress, bool, None] = None) -> CheckReport:
    """Every problem of a model at once, layer by layer, without making a blob.

    fix: False judges as Intel's compiler does. Problems are in the report, not raised; FileError and OptionError are.
    """
    o = locals()
    options = {**_conversion(o), **_camera(o), 'fix': fix}
    files = _model(model, name, weights, options)
    return CheckReport(_watched('check', options, files, progress)[0])


def compare(model: Model, blob: Optional[PathLike] = None, *, name: Optional[str] = None,
            weights: Optional[bytes] = None, tolerance: float = 0.02, seed: int = 0,
            input_files: Iterable[str] = (), threads: int = 0, shaves: Optional[int] = None,
            slices: Optional[int] = None, input_shapes: Optional[Shapes] = None, input_precision: Optional[str] = None,
            output_precision: Optional[str] = None, io_precision: Optional[Mapping[str, str]] = None,
            config: Optional[Mapping[str, str]] = None,
            progress: Union[Progress, bool, None] = None) -> CompareReport:
    """A blob, layer by layer, against the model that it was made of, on random inputs or `input_files` ("NAME=x.npy").

    blob: path; None compiles the model as convert() does. tolerance: of the relative error of a layer.
    """
    o = locals()
    options = {**_camera(o), 'tolerance': tolerance, 'seed': seed, 'threads': threads,
               'input_files': [os.fspath(f) for f in input_files] or None,
               'input_shapes': {k: list(v) for k, v in input_shapes.items()} if input_shapes else None,
               'blob': None if blob is None else os.fspath(blob)}
    files = _model(model, name, weights, options)
    return CompareReport(_watched('compare', options, files, progress)[0])


def estimate(model: Union[Model, Blob], *, name: Optional[str] = None, weights: Optional[bytes] = None,
             shaves: Optional[int] = None, slices: Optional[int] = None, input_shapes: Optional[Shapes] = None,
             inputs: Optional[str] = None, outputs: Optional[str] = None, input_precision: Optional[str] = None,
             output_precision: Optional[str] = None, io_precision: Optional[Mapping[str, str]] = None,
             config: Optional[Mapping[str, str]] = None, constants: Optional[Mapping[str, float]] = None,
             progress: Union[Progress, bool, None] = None) -> EstimateReport:
    """Speed on the device, of a blob, or of a model for every number of SHAVEs: an estimate (docs/performance.md)."""
    if isinstance(model, Blob):
        return EstimateReport(
            _library.call_watched('estimate', {'constants': constants}, [('x.blob', model.view())])[0])
    if isinstance(model, (str, os.PathLike)) and os.fspath(model).endswith('.blob'):
        return EstimateReport(
            _library.call_watched('estimate', {'constants': constants, 'blob': os.fspath(model)})[0])
    o = {**locals(), 'mean_values': None, 'scale_values': None, 'reverse_input_channels': None, 'layout': None}
    options = {**_conversion(o), **_camera(o), 'constants': constants}
    files = _model(model, name, weights, options)
    return EstimateReport(_watched('estimate', options, files, progress)[0])


def inspect(blob: Union[PathLike, bytes, Blob]) -> BlobReport:
    """Everything that is in a blob, of blobsmith or of Intel. Raises FileError for what is none."""
    if isinstance(blob, (str, os.PathLike)):
        return BlobReport(_library.call('inspect', {'blob': os.fspath(blob)})[0])
    return BlobReport(_library.call('inspect', {}, [('x.blob', blob.view() if isinstance(blob, Blob) else blob)])[0])


def measured_speeds() -> list[Report]:
    """Published speeds of common networks: model, device, shaves, fps, source."""
    rows, _ = _library.take(_library.library.measured_speeds())
    return [Report(r) for r in rows]


def _made(cls, data, report, output):
    made = cls(data, Report(report))
    if output is not None:
        made.save(output)
    return made
