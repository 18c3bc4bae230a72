"""What calls return: dictionaries with attributes that print well in a terminal and in a notebook."""
from __future__ import annotations

import os
from typing import Any, Optional, Union

PathLike = Union[str, 'os.PathLike[str]']


def _escaped(text: str) -> str:
    from html import escape  # here, as its tables are slow to load and only notebooks want them
    return escape(text)


class Report(dict):
    """The JSON report of a call (as the command prints with --json); members also as attributes."""

    title = 'Report'

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def rows(self) -> list[tuple[str, Any]]:
        """What is shown first: everything short."""
        return [(k, v) for k, v in self.items() if not isinstance(v, (list, dict))]

    def table(self) -> Optional[tuple[list[str], list[list[Any]]]]:
        """(columns, rows) of the details; None where there are none."""
        return None

    def __repr__(self) -> str:
        return f'<{self.title}: ' + ', '.join(f'{k}={_short(v)}' for k, v in self.rows()) + '>'

    def __str__(self) -> str:
        lines = [self.title, *(f'  {k}: {_short(v)}' for k, v in self.rows())]
        table = self.table()
        if table:
            columns, rows = table
            cells = [columns, *[[_short(c) for c in row] for row in rows]]
            widths = [max(len(str(r[i])) for r in cells) for i in range(len(columns))]
            lines += ['  '.join(str(c).ljust(w) for c, w in zip(r, widths)).rstrip() for r in cells]
        return '\n'.join(lines)

    def _repr_html_(self) -> str:
        parts = [f'<b>{_escaped(self.title)}</b><table>']
        parts += [f'<tr><th>{_escaped(str(k))}</th><td>{_escaped(_short(v))}</td></tr>' for k, v in self.rows()]
        parts.append('</table>')
        table = self.table()
        if table:
            columns, rows = table
            parts.append('<table><tr>' + ''.join(f'<th>{_escaped(c)}</th>' for c in columns) + '</tr>')
            parts += ['<tr>' + ''.join(f'<td>{_escaped(_short(c))}</td>' for c in row) + '</tr>' for row in rows]
            parts.append('</table>')
        return ''.join(parts)


class CheckReport(Report):
    """`compiles`, `layers` (name, type, status, inputs, outputs), `problems`, `warnings`."""

    title = 'Check'

    def table(self):
        return ['layer', 'type', 'code', 'problem', 'hint'], [
            [p.get('layer') or '', p.get('type', ''), p['code'], p['message'], p.get('hint', '')]
            for p in self['problems']]


class CompareReport(Report):
    """`outputs_within`, `first_outside`, `layers` (name, relative_error, cosine, within ...), `hints`."""

    title = 'Comparison'

    def table(self):
        worst = sorted(self['layers'], key=lambda l: -(l['relative_error'] or 0))[:15]
        return ['layer', 'type', 'shape', 'relative error', 'cosine', 'within'], [
            [l['name'], l['type'], l['shape'], l['relative_error'], l['cosine'], l['within']] for l in worst]

    def _repr_html_(self) -> str:
        bars = [l['relative_error'] or 0.0 for l in self['layers']]
        top = max([self['tolerance'], *bars]) or 1.0
        width = max(1.0, 600 / max(1, len(bars)))
        shapes = ''.join(
            f'<rect x="{i * width:.1f}" y="{100 - 100 * b / top:.1f}" width="{width:.1f}" height="{100 * b / top:.1f}" '
            f'fill="{"#c0392b" if b > self["tolerance"] else "#3a6fb0"}"><title>{_escaped(l["name"])}: {b:.3g}'
            '</title></rect>' for i, (b, l) in enumerate(zip(bars, self['layers'])))
        return (super()._repr_html_() + '<p>relative error by layer, in order of execution</p>'
                f'<svg viewBox="0 0 600 100" width="600" height="100" role="img">{shapes}</svg>')


class EstimateReport(Report):
    """`fps`, `range`, `latency_ms`, `bound`, `stages`, and of a model `by_shaves` and `best_shaves`."""

    title = 'Estimate'

    def table(self):
        if 'by_shaves' not in self:
            return None
        return ['SHAVEs', 'threads', 'FPS', 'latency ms', 'bound'], [
            [s['shaves'], s.get('streams', ''), s.get('fps', s.get('error', '')), s.get('latency_ms', ''),
             s.get('bound', '')] for s in self['by_shaves']]


class BlobReport(Report):
    """Everything that is in a blob: `header`, `inputs`, `outputs`, `stages`."""

    title = 'Blob'

    def rows(self):
        ports = [(f'{kind} {p["name"]}', f'{p["type"]} {p["order"]} {p["dims"]}')
                 for kind, key in (('input', 'inputs'), ('output', 'outputs')) for p in self.get(key, [])]
        return super().rows() + list(self.get('header', {}).items()) + ports

    def table(self):
        columns = ['#', 'type', 'SHAVEs', 'bytes', 'writes']
        return columns, [[i, s.get('type', ''), s.get('shaves', ''), s.get('bytes', ''), _writes(s)]
                         for i, s in enumerate(self.get('stages', []))]

    def _repr_html_(self) -> str:
        from . import _memory_map
        return super()._repr_html_() + _memory_map.svg(self.get('stages', []))


class Blob:
    """A compiled network: its bytes, and what was said while it was made.

    Attributes: `report` (stages, rewrites, warnings, inputs, outputs). `bytes(blob)`, `blob.save(path)`.
    """

    def __init__(self, data: Any, report: Report):
        self._data = data
        self.report = report

    def __bytes__(self) -> bytes:
        return bytes(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def view(self) -> memoryview:
        """The bytes without a copy."""
        return memoryview(self._data)

    def save(self, path: PathLike) -> str:
        """Writes the file whole or not at all; returns its path."""
        path = os.fspath(path)
        part = f'{path}.{os.getpid()}.part'
        try:
            with open(part, 'wb') as f:
                f.write(self._data)
            os.replace(part, path)
        finally:
            if os.path.exists(part):
                os.remove(part)
        return path

    def __repr__(self) -> str:
        return f'<{type(self).__name__} of {len(self)} bytes, {self.report.get("stages", "?")} stages>'

    def _repr_html_(self) -> str:
        return self.report._repr_html_()


class SuperBlob(Blob):
    """A superblob of depthai 3: one network for 1 to 16 SHAVEs."""

    def blob(self, shaves: int) -> bytes:
        """The blob for a number of SHAVEs."""
        from . import _library
        _, data = _library.call('superblob_extract', {'shaves': shaves}, [('x.superblob', self._data)])
        return bytes(data)


def _writes(stage: dict[str, Any]) -> str:
    """Shapes and places of what a stage writes."""
    return ', '.join(f'{b["type"]} {b["dims"]} in {b["location"]}' for b in stage.get('buffers', [])
                     if b['role'].startswith('out') and 'dims' in b)


def _short(v: Any) -> str:
    if isinstance(v, float):
        return f'{v:.4g}'
    text = str(v)
    return text if len(text) <= 80 else text[:77] + '...'
