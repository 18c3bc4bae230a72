"""A server that speaks the original's protocol (docs/service.md); needs the package `requests`."""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable, Optional

from . import ConversionError, _words


def _requests() -> Any:
    try:
        import requests
    except ImportError:
        raise ConversionError('a server needs the package requests', stage='server',
                              hint='pip install requests, or leave url= out to convert on this machine') from None
    return requests


def _raise(answer: Any) -> None:
    """The reason that the server gives, as ConversionError (and requests.HTTPError, which older scripts catch)."""
    if answer.status_code < 400:
        return
    try:
        body = answer.json()
    except ValueError:
        body = {'message': answer.text}

    class ServerError(ConversionError, _requests().HTTPError):
        def __init__(self, text: str, **details: Any):
            ConversionError.__init__(self, text, **details)
            self.response = answer

    text = '\n'.join(str(body[k]) for k in ('message', 'stderr') if body.get(k)) or f'HTTP {answer.status_code}'
    raise ServerError(text, layer=body.get('layer', ''), layer_type=body.get('layer_type', ''),
                      hint=body.get('hint', ''), code=str(body.get('code', '')), stage=body.get('stage', 'server'))


def convert(url: str, path: Path, *, version: str, shaves: int, req_data: dict, req_files: dict, compile_params: Any,
            data_type: str, use_cache: bool, download_ir: bool, zoo_type: str, timeout: Optional[float],
            say: Callable[[str], Any], progress: Optional[Callable[[int, int], Any]]) -> Path:
    """POSTs a model and writes the answer to `path`, whole or not at all."""
    data = {'myriad_shaves': str(shaves), 'myriad_params_advanced': ' '.join(_words(compile_params)),
            'data_type': data_type, 'zoo_type': zoo_type, 'download_ir': 'true' if download_ir else 'false',
            **{k: v for k, v in req_data.items() if isinstance(v, str)}}
    files = _files(req_data, req_files, data_type)
    say(f'Sending to {url}')
    path.parent.mkdir(parents=True, exist_ok=True)
    with _requests().post(url.rstrip('/') + '/compile', data=data, files=files or None, stream=True, timeout=timeout,
                          params={'version': version, 'no_cache': 'false' if use_cache else 'true'}) as answer:
        _raise(answer)
        total = int(answer.headers.get('Content-Length', 0))
        part = path.with_name(f'{path.name}.{os.getpid()}.part')
        try:
            done = 0
            with open(part, 'wb') as f:
                for piece in answer.iter_content(1 << 16):
                    f.write(piece)
                    done += len(piece)
                    if progress and total:
                        progress(done, total)
            if total and done != total:
                raise ConversionError(f'the answer broke off after {done} of {total} bytes', stage='server')
            os.replace(part, path)
        finally:
            if part.exists():
                part.unlink()
    say('\nDone')
    return path


def _files(req_data: dict, req_files: dict, data_type: str) -> dict:
    """The parts of the form: a configuration that names the files, and the files."""
    if not req_files or 'config' in req_files:
        return {k: (Path(v).name, Path(v).read_bytes()) for k, v in req_files.items()}
    names = {k: Path(v).name for k, v in req_files.items()}
    framework = {'openvino': 'dldt'}.get(req_data.get('framework', ''), req_data.get('framework', ''))
    arguments = list(req_data.get('optimizer_params') or [])
    for key, option in (('model', '--input_model'), ('proto', '--input_proto')):
        if key in names:
            arguments.append(f'{option}=$dl_dir/{data_type}/{names[key]}')
    config = {
        'framework': framework, 'task_type': 'detection',
        'files': [{'name': f'{data_type}/{n}', 'source': {'$type': 'http', 'url': f'$REQUEST/{n}'}} for n in names.values()],
    }
    if framework != 'dldt':
        config['model_optimizer_args'] = [f'--data_type={data_type}', *arguments]
    return {'config': ('config.yml', json.dumps(config)),
            **{names[k]: (names[k], Path(v).read_bytes()) for k, v in req_files.items()}}


def zoo_list(url: str, version: str, zoo_type: str) -> list:
    answer = _requests().get(url.rstrip('/') + '/zoo_models', params={'version': version, 'zoo_type': zoo_type}, timeout=60)
    _raise(answer)
    models = answer.json()
    return models.get('available', models) if isinstance(models, dict) else models
