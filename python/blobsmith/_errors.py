"""Errors: what the library found, with the code that `blobsmith explain CODE` and docs/errors.md describe."""
from __future__ import annotations

from typing import Any


class Error(RuntimeError):
    """What went wrong, where, why and what to do.

    Of a model with several problems, the attributes are those of the first; `errors` has all of them.
    """

    def __init__(self, errors: list[dict[str, Any]]):
        first = errors[0] if errors else {'code': 'BS9001', 'message': 'unknown error'}
        self.errors = errors
        self.code: str = first['code']  #: "BS2003"
        self.message: str = first['message']
        self.file: str = first.get('file', '')
        self.layer: str = first.get('layer', '')
        self.layer_type: str = first.get('type', '')
        self.source: str = first.get('source', '')  #: the layer of the user's file
        self.why: str = first.get('why', '')
        self.hint: str = first.get('hint', '')
        super().__init__('\n'.join(_text(e) for e in errors) or self.message)

    def __reduce__(self):
        return type(self), (self.errors,)


class ModelError(Error):
    """The model can't be converted (codes BS2..., BS3..., BS5...)."""


class FileError(Error, OSError):
    """A file is missing, damaged or of an unknown format (codes BS1...)."""


class OptionError(Error, ValueError):
    """An option or a value given by the caller is wrong (codes BS4...)."""


class InternalError(Error):
    """A bug in blobsmith (codes BS9...)."""


_CLASSES = {'1': FileError, '4': OptionError, '9': InternalError}


def _text(e: dict[str, Any]) -> str:
    lines = [f"[{e['code']}] {e['message']}"]
    place = ', '.join(e[k] for k in ('file', 'source') if e.get(k))
    for label, value in (('in', place), ('why', e.get('why')), ('hint', e.get('hint'))):
        if value:
            lines.append(f'  {label}: {value}')
    return '\n'.join(lines)


def from_report(report: dict[str, Any]) -> Error:
    """The exception for a failed call."""
    errors = report.get('errors', [])
    group = errors[0]['code'][2:3] if errors else '9'
    return _CLASSES.get(group, ModelError)(errors)
