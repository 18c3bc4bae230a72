"""The interface of the PyPI package `blobconverter` 1.4.3, answered on this machine by blobsmith.

>>> import blobsmith.blobconverter as blobconverter
>>> path = blobconverter.from_onnx(model='model.onnx', data_type='FP16', shaves=6)

The same names, defaults and file names. Conversion is local, unless `url=`, set_defaults(url=...) or the environment's
BLOBCONVERTER_URL name a server that speaks the same protocol (needs `requests`). What differs, on purpose: a cached blob
is used only for the same model and options; results are always pathlib.Path; errors are ConversionError with the layer
and a hint; the command prints the path and ends with 0.
"""
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Callable, Optional, Sequence, Union

import blobsmith

__all__ = ['ConfigBuilder', 'ConversionError', 'Versions', 'clear_cache', 'compile_blob', 'from_caffe', 'from_config',
           'from_keras', 'from_kaldi', 'from_mxnet', 'from_onnx', 'from_openvino', 'from_tf', 'from_tflite', 'from_zoo',
           'get_filename', 'is_valid_blob', 'is_valid_name', 'set_defaults', 'show_progress', 'zoo_list']


class Versions:
    """OpenVINO versions that a blob can state."""
    v2022_3_RVC3 = '2022.3_RVC3'
    v2022_1 = '2022.1'
    v2021_4 = '2021.4'
    v2021_3 = '2021.3'
    v2021_2 = '2021.2'
    v2021_1 = '2021.1'
    v2020_4 = '2020.4'
    v2020_3 = '2020.3'
    v2020_2 = '2020.2'
    v2020_1 = '2020.1'
    v2019_R3 = '2019.R3'


class ConversionError(RuntimeError):
    """Why a conversion failed: `layer`, `layer_type`, `hint`, `code`, `stderr` (the whole message), `stage`, `exit_code`."""

    def __init__(self, message: str, *, layer: str = '', layer_type: str = '', hint: str = '', code: str = '',
                 stage: str = 'convert', exit_code: int = 1):
        super().__init__(message)
        self.layer, self.layer_type, self.hint, self.code = layer, layer_type, hint, code
        self.stage, self.exit_code, self.stdout, self.stderr = stage, exit_code, '', message


def show_progress(curr: int, max: int) -> None:
    """Prints a bar of 50 signs."""
    done = int(50 * curr / max) if max else 0
    print(f"\r[{'=' * done}{' ' * (50 - done)}]", end='', flush=True)


_DEFAULTS: dict[str, Any] = {
    'url': None,
    'version': Versions.v2022_1,
    'shaves': 4,
    'output_dir': Path.home() / '.cache' / 'blobconverter',
    'compile_params': ['-ip U8'],
    'optimizer_params': ['--mean_values=[127.5,127.5,127.5]', '--scale_values=[255,255,255]'],
    'data_type': 'FP16',
    'silent': False,
    'zoo_type': 'intel',
    'progress_func': show_progress,
}
_defaults = dict(_DEFAULTS)


def set_defaults(url=None, version=None, shaves=None, output_dir=None, compile_params: Optional[list] = None,
                 optimizer_params: Optional[list] = None, data_type=None, silent=None, zoo_type=None,
                 progress_func=None) -> None:
    """Every value that is not None becomes the default of later calls."""
    given = {k: v for k, v in locals().items() if v is not None}
    if 'output_dir' in given:
        given['output_dir'] = Path(given['output_dir'])
    _defaults.update(given)


def get_filename(url: Union[str, 'os.PathLike[str]']) -> str:
    """The file name in a path or URL, without query and fragment."""
    text = os.fspath(url)
    if '://' in text:
        text = text.split('#')[0].split('?')[0]
    return os.path.basename(text.replace('\\', '/').rsplit(':', 1)[-1])


def is_valid_name(name: str) -> bool:
    """What servers of the original take: at most one "." and no "="."""
    return name.count('.') <= 1 and '=' not in name


def is_valid_blob(blob_path: Union[str, 'os.PathLike[str]']) -> bool:
    """True for a MyriadX blob that is not cut off."""
    try:
        with open(blob_path, 'rb') as f:
            head = f.read(60)
        size = os.path.getsize(blob_path)
    except OSError:
        return False
    if len(head) < 60:
        return False
    return int.from_bytes(head[52:56], 'little') == 9709 and int.from_bytes(head[56:60], 'little') <= size


class ConfigBuilder:
    """A model.yml of the Open Model Zoo, as the server takes it for raw configurations."""

    def __init__(self, precision: str = 'FP16'):
        self.precision = precision
        self.config: dict[str, Any] = {'description': 'User-defined config', 'license': 'License', 'files': []}

    def task_type(self, task_type: str) -> 'ConfigBuilder':
        self.config['task_type'] = task_type
        return self

    def framework(self, framework: str) -> 'ConfigBuilder':
        self.config['framework'] = framework
        return self

    def model_optimizer_args(self, args: Sequence[str]) -> 'ConfigBuilder':
        self.config['model_optimizer_args'] = list(args)
        return self

    def with_file(self, name: str, path=None, url: Optional[str] = None, google_drive: Optional[str] = None,
                  size: Optional[int] = None, sha256: Optional[str] = None) -> 'ConfigBuilder':
        entry: dict[str, Any] = {'name': name}
        if path is not None:
            path = Path(path)
            entry.update(size=path.stat().st_size, sha256=_sha256(path.read_bytes()))
            entry['source'] = {'$type': 'http', 'url': '$REQUEST/' + name}
        elif google_drive is not None:
            entry['source'] = {'$type': 'google_drive', 'id': google_drive}
        elif url is not None:
            entry['source'] = {'$type': 'http', 'url': url}
        else:
            raise RuntimeError('No file source specified!')
        entry.update({k: v for k, v in (('size', size), ('sha256', sha256)) if v is not None})
        self.config['files'].append(entry)
        return self

    def build(self) -> Path:
        """Path of the YAML file (JSON is YAML), which the caller removes."""
        handle, path = tempfile.mkstemp(suffix='.yml')
        with os.fdopen(handle, 'w') as f:
            json.dump(self.config, f, indent=2)
        return Path(path)


# ---- conversion -------------------------------------------------------------------------------------------------------


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _words(params: Union[str, Sequence[str], None]) -> list[str]:
    """Arguments as a shell splits them; a list may hold several in one text."""
    if params is None:
        return []
    if isinstance(params, str):
        params = [params]
    return [w for p in params for w in shlex.split(str(p))]


_OPTION_NAMES = {'mean_values': 'mean_values', 'scale_values': 'scale_values', 'input': 'inputs', 'output': 'outputs',
                 'reverse_input_channels': 'reverse_input_channels', 'input_shape': 'shapes', 'batch': 'batch', 'b': 'batch',
                 'scale': 'scale', 's': 'scale'}
_NO_MEANING = {'data_type', 'input_model', 'input_proto', 'model_name', 'output_dir', 'framework', 'silent', 'progress',
               'log_level', 'disable_fusing', 'finegrain_fusing', 'compress_to_fp16', 'keep_shape_ops',
               'static_shape', 'disable_gfusing', 'disable_resnet_optimization', 'enable_concat_optimization'}
_FLAGS = {'reverse_input_channels', 'silent', 'progress', 'disable_fusing', 'keep_shape_ops', 'static_shape',
          'disable_gfusing', 'disable_resnet_optimization', 'enable_concat_optimization', 'compress_to_fp16'}


def _pairs(words: Sequence[str], flags: set) -> list[tuple[str, str]]:
    """--name=value, --name value and --flag as pairs."""
    pairs, i = [], 0
    while i < len(words):
        word = words[i]
        if not word.startswith('-'):
            raise ConversionError(f'"{word}" is no option: options begin with a dash', stage='options', exit_code=2)
        name, equals, value = word.lstrip('-').partition('=')
        i += 1
        if not equals and name not in flags and i < len(words):
            value, i = words[i], i + 1
        pairs.append((name, value))
    return pairs


def _optimizer_options(params: Union[str, Sequence[str], None]) -> dict[str, Any]:
    """Options of Model Optimizer as blobsmith names them."""
    options: dict[str, Any] = {}
    for name, value in _pairs(_words(params), _FLAGS):
        if name in _NO_MEANING:
            continue
        if name not in _OPTION_NAMES:
            raise ConversionError(f'Model Optimizer\'s option --{name} is not known here', stage='options', exit_code=2,
                                  hint='known: ' + ', '.join('--' + n for n in sorted(_OPTION_NAMES)))
        key = _OPTION_NAMES[name]
        options[key] = True if key == 'reverse_input_channels' else int(value) if key == 'batch' else value
    if 'scale' in options:
        options.setdefault('scale_values', f"[{options.pop('scale')}]")
    return options


def _compile_options(params: Union[str, Sequence[str], None]) -> dict[str, Any]:
    """Options of compile_tool as blobsmith names them."""
    names = {'ip': 'input_precision', 'op': 'output_precision', 'iop': 'io_precision', 'input_precision': 'input_precision',
             'output_precision': 'output_precision'}
    options: dict[str, Any] = {}
    for name, value in _pairs(_words(params), set()):
        if name in ('il', 'ol', 'iol'):
            raise ConversionError(f'-{name} has no meaning here: layouts follow the model', stage='options', exit_code=2)
        if name not in names:
            raise ConversionError(f'compile_tool\'s option -{name} is not known here', stage='options', exit_code=2,
                                  hint='known: -ip, -op, -iop')
        if name == 'iop':
            options['io_precision'] = dict(pair.rsplit(':', 1) for pair in value.replace(' ', '').split(','))
        else:
            options[names[name]] = value
    return options


class _Cache:
    """.config.json in the output folder: hash of all that decides a blob -> its path. Safe for several processes."""

    def __init__(self, folder: Path):
        self.file = folder / '.config.json'

    def _read(self) -> dict[str, str]:
        try:
            entries = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return {}
        return {k: v for k, v in entries.items() if isinstance(v, str)} if isinstance(entries, dict) else {}

    def find(self, key: str) -> Optional[Path]:
        path = self._read().get(key)
        return Path(path) if path and Path(path).exists() else None

    def add(self, key: str, path: Path) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self.file.with_suffix('.lock')):
            entries = {k: v for k, v in self._read().items() if Path(v).exists()}
            # One path holds one blob: older entries for it are of a blob that is overwritten now.
            entries = {k: v for k, v in entries.items() if Path(v) != path.resolve()}
            entries[key] = str(path.resolve())
            part = self.file.with_suffix(f'.{os.getpid()}.part')
            part.write_text(json.dumps(entries))
            os.replace(part, self.file)


@contextlib.contextmanager
def _locked(path: Path):
    import fcntl
    with open(path, 'w') as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def clear_cache() -> None:
    """Forgets and removes all blobs of the default output folder."""
    cache = _Cache(Path(_defaults['output_dir']))
    for path in cache._read().values():
        Path(path).unlink(missing_ok=True) if hasattr(Path, 'unlink') and os.path.exists(path) else None
    if cache.file.exists():
        cache.file.unlink()


def _default(name: str, value: Any) -> Any:
    return _defaults[name] if value is None else value


def compile_blob(blob_name: str, version: Optional[str] = None, shaves: Optional[int] = None,
                 req_data: Optional[dict] = None, req_files: Optional[dict] = None,
                 output_dir: Union[str, Path, None] = None, url: Optional[str] = None, use_cache: bool = True,
                 compile_params: Optional[Sequence[str]] = None, data_type: Optional[str] = None,
                 download_ir: bool = False, zoo_type: Optional[str] = None, dry: bool = False, *,
                 superblob: bool = False, report: Union[str, Path, None] = None,
                 on_log: Optional[Callable[[str], Any]] = None, timeout: Optional[float] = None,
                 output: Union[str, Path, None] = None) -> Union[Path, list]:
    """A model to NAME_openvino_VERSION_Nshave.blob in output_dir; its Path (of a .zip with download_ir).

    req_files: {"model": path} of ONNX and others, {"proto", "model"} of Caffe, {"xml", "bin"} of OpenVINO IR. Beside
    the original's parameters: superblob (NAME_openvino_VERSION.superblob), report (path of a JSON report), on_log
    (called with every line that is printed), output (the exact file). Raises ConversionError.
    """
    if req_data is None:
        raise TypeError('req_data must be a dictionary')
    version = str(_default('version', version))
    shaves = int(_default('shaves', shaves))
    folder = Path(_default('output_dir', output_dir))
    params = _default('compile_params', compile_params)
    data_type = _default('data_type', data_type)
    url = url or _defaults['url'] or os.environ.get('BLOBCONVERTER_URL')
    suffix = f'_openvino_{version}.superblob' if superblob else f'_openvino_{version}_{shaves}shave.blob'
    path = Path(output) if output else folder / (blob_name + suffix)
    if download_ir:
        path = path.with_suffix('.zip')
    if dry:
        return _commands(blob_name, version, shaves, req_data, req_files or {}, params)

    def say(line: str) -> None:
        if on_log:
            on_log(line)
        if not _defaults['silent']:
            print(line)

    if url:
        from . import _server
        return _server.convert(url, path, version=version, shaves=shaves, req_data=req_data, req_files=req_files or {},
                               compile_params=params, data_type=data_type, use_cache=use_cache, download_ir=download_ir,
                               zoo_type=_default('zoo_type', zoo_type), timeout=timeout, say=say,
                               progress=None if _defaults['silent'] else _defaults['progress_func'])
    files = {k: Path(v) for k, v in (req_files or {}).items()}
    for file in files.values():
        if not file.exists():
            raise FileNotFoundError(f'{file} does not exist')
    key = _key(files, [blobsmith.version(), version, shaves, sorted(req_data.items(), key=str), _words(params), data_type,
                       download_ir, superblob])
    cache = _Cache(Path(_defaults['output_dir']))
    if use_cache:
        found = cache.find(key)
        if found and found == path.resolve() and (download_ir or superblob or is_valid_blob(found)):
            return path
    path.parent.mkdir(parents=True, exist_ok=True)
    say(f'Converting to {path}')
    made = _convert_here(files, version, shaves, req_data, params, download_ir, superblob, path, blob_name)
    if report is not None:
        Path(report).write_text(json.dumps(made, indent=1))
    cache.add(key, path)
    say('Done')
    return path


def _key(files: dict, rest: list) -> str:
    h = hashlib.sha256()
    for name, file in sorted(files.items()):
        h.update(f'{name}:{file.name}:{_sha256(file.read_bytes())}\n'.encode())
    h.update(json.dumps(rest, default=str).encode())
    return h.hexdigest()


def _model_path(files: dict) -> Path:
    """The file that names the model to blobsmith, which finds what belongs to it beside it."""
    for name in ('xml', 'model'):
        if name in files:
            return files[name]
    raise RuntimeError('No conversion source specified!')


def _convert_here(files: dict, version: str, shaves: int, req_data: dict, params, download_ir: bool, superblob: bool,
                  path: Path, name: str) -> dict:
    if version not in ('2022.1', '2021.4', '2021.3', '2021.2', '2021.1', '2020.4'):
        raise ConversionError(f'blobs of OpenVINO {version} can\'t be made', stage='options', exit_code=2,
                              hint='2020.4 to 2022.1, for Myriad X')
    if 'zoo' in req_data or str(req_data.get('use_zoo', '')).lower() == 'true':
        raise ConversionError(f'"{name}": models of the Open Model Zoo have to be fetched by a server',
                              hint='give url=..., or download the model and use from_openvino, from_onnx ...')
    options = {**_optimizer_options(req_data.get('optimizer_params', '').split('\n') if isinstance(
        req_data.get('optimizer_params'), str) else req_data.get('optimizer_params')), **_compile_options(params)}
    if 'xml' in files:
        for mo in ('mean_values', 'scale_values', 'reverse_input_channels', 'shapes', 'inputs', 'outputs', 'batch'):
            options.pop(mo, None)
    from blobsmith import _library
    with tempfile.TemporaryDirectory() as folder:
        call: dict[str, Any] = {**options, 'target': version}
        if download_ir:
            call['ir_folder'] = folder
        if not superblob:
            call['shaves'] = shaves
        with _beside(files) as model:
            call['model'] = str(model)
            try:
                report, data = _library.call_watched('superblob' if superblob else 'convert', call)
            except blobsmith.Error as e:
                raise ConversionError(str(e), layer=e.layer, layer_type=e.layer_type, hint=e.hint,
                                      code=e.code) from e
        part = path.with_name(f'{path.name}.{os.getpid()}.part')
        try:
            if download_ir:
                with zipfile.ZipFile(part, 'w', zipfile.ZIP_DEFLATED) as z:
                    for f in sorted(Path(folder).iterdir()):
                        z.write(f, f'{name}{f.suffix}')
                    z.writestr(f'{name}.blob', bytes(data))
            else:
                part.write_bytes(data)
            os.replace(part, path)
        finally:
            if part.exists():
                part.unlink()
    return report


@contextlib.contextmanager
def _beside(files: dict):
    """The model's path, with the files that belong to it beside it under the same stem (links where they are not)."""
    model = _model_path(files)
    other = files.get('bin') if 'xml' in files else files.get('proto')
    if other is None or (other.parent == model.parent and other.stem == model.stem):
        yield model
        return
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / model.name
        first.symlink_to(model.resolve())
        (Path(folder) / (model.stem + other.suffix)).symlink_to(other.resolve())
        yield first


def _commands(name: str, version: str, shaves: int, req_data: dict, files: dict, params) -> list[str]:
    """What `dry` gives: the commands that do the same."""
    model = shlex.quote(str(_model_path(files))) if files else name
    words = ' '.join(shlex.quote(w) for w in _words(req_data.get('optimizer_params')) + _words(params))
    return [f'blobsmith convert {model} -o {name}.blob --target {version} --shaves {shaves} {words}'.rstrip()]


# ---- sources ----------------------------------------------------------------------------------------------------------


def _optimizer(params: Optional[Sequence[str]]) -> list[str]:
    if params is None and not _defaults['silent'] and _defaults['optimizer_params'] == _DEFAULTS['optimizer_params']:
        print('note: no optimizer_params given: the inputs are shifted by 127.5 and divided by 255, '
              'as the original package does; optimizer_params=[] leaves them as they are')
    return list(_default('optimizer_params', params))


def _from_files(framework: str, files: dict, name_of: str, optimizer_params, data_type, kwargs) -> Union[Path, list]:
    name = Path(get_filename(files[name_of])).stem
    data = {'name': name, 'framework': framework, 'data_type': _default('data_type', data_type)}
    if optimizer_params is not None:
        data['optimizer_params'] = optimizer_params
    fetched = {k: _fetched(v) for k, v in files.items()}
    return compile_blob(name, req_data=data, req_files=fetched, data_type=data_type, **kwargs)


def _fetched(source) -> Path:
    """A path; of a URL, the file that it gives, in the cache folder."""
    text = os.fspath(source)
    if not re.match(r'^https?://', text):
        return Path(text)
    import urllib.request
    folder = Path(_defaults['output_dir']) / 'downloads' / _sha256(text.encode())[:16]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / get_filename(text)
    if not path.exists():
        part = path.with_name(path.name + f'.{os.getpid()}.part')
        with urllib.request.urlopen(text, timeout=60) as answer, open(part, 'wb') as f:
            while True:
                piece = answer.read(1 << 20)
                if not piece:
                    break
                f.write(piece)
        os.replace(part, path)
    return path


def _check(path, size, sha256) -> None:
    if size is None and sha256 is None:
        return
    data = _fetched(path).read_bytes()
    if size is not None and len(data) != size:
        raise ConversionError(f'{path} has {len(data)} bytes, not {size}', stage='files')
    if sha256 is not None and _sha256(data) != sha256.lower():
        raise ConversionError(f'{path} has another SHA-256 than stated', stage='files')


def from_onnx(model, data_type=None, optimizer_params=None, model_size=None, model_sha256=None, **kwargs):
    """An ONNX model (path or URL)."""
    _check(model, model_size, model_sha256)
    return _from_files('onnx', {'model': model}, 'model', _optimizer(optimizer_params), data_type, kwargs)


def from_tf(frozen_pb, data_type=None, optimizer_params=None, frozen_pb_size=None, frozen_pb_sha256=None, **kwargs):
    """A frozen TensorFlow graph."""
    _check(frozen_pb, frozen_pb_size, frozen_pb_sha256)
    return _from_files('tf', {'model': frozen_pb}, 'model', _optimizer(optimizer_params), data_type, kwargs)


def from_caffe(proto, model, data_type=None, optimizer_params=None, proto_size=None, proto_sha256=None, model_size=None,
               model_sha256=None, **kwargs):
    """A Caffe network: .prototxt and .caffemodel."""
    _check(proto, proto_size, proto_sha256)
    _check(model, model_size, model_sha256)
    return _from_files('caffe', {'proto': proto, 'model': model}, 'proto', _optimizer(optimizer_params), data_type,
                       kwargs)


def from_openvino(xml, bin, xml_size=None, xml_sha256=None, bin_size=None, bin_sha256=None, **kwargs):
    """An OpenVINO IR: .xml and .bin."""
    _check(xml, xml_size, xml_sha256)
    _check(bin, bin_size, bin_sha256)
    return _from_files('openvino', {'xml': xml, 'bin': bin}, 'xml', None, kwargs.pop('data_type', None), kwargs)


def _another(framework: str):
    def convert(model, data_type=None, optimizer_params=None, **kwargs):
        return _from_files(framework, {'model': model}, 'model', _optimizer(optimizer_params), data_type, kwargs)
    convert.__doc__ = f'A {framework} model.'
    convert.__name__ = 'from_' + framework
    return convert


from_tflite, from_keras, from_mxnet, from_kaldi = map(_another, ('tflite', 'keras', 'mxnet', 'kaldi'))
from_pytorch_onnx = from_onnx


def from_zoo(name: str, **kwargs):
    """A model of the Open Model Zoo, by a server (url=)."""
    return compile_blob(name, req_data={'name': name, 'use_zoo': 'True'}, **kwargs)


def from_config(name: str, path, **kwargs):
    """A raw configuration (model.yml), by a server (url=)."""
    return compile_blob(name, req_data={'name': name, 'use_zoo': 'True'}, req_files={'config': path}, **kwargs)


def zoo_list(version: Optional[str] = None, url: Optional[str] = None, zoo_type: str = 'intel') -> list:
    """The models that a server's zoo has."""
    url = url or _defaults['url'] or os.environ.get('BLOBCONVERTER_URL')
    if not url:
        raise ConversionError('the list of the zoo comes from a server', hint='give url=..., or set BLOBCONVERTER_URL')
    from . import _server
    return _server.zoo_list(url, version or _defaults['version'], zoo_type)


def __run_cli__():
    """The command `blobconverter`."""
    from .__main__ import main
    return main()
