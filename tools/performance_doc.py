#!/usr/bin/env python3
"""Writes the measured speeds of data/fps.csv into docs/performance.md: the table, and the chart in docs/images.

  performance_doc.py [--check]     --check: writes nothing, exit code 1 when a file is not what it would write
"""
import csv
import math
import os
import statistics
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCUMENT, CHART = 'docs/performance.md', 'docs/images/performance.svg'
BEGIN, END = '<!-- tools/performance_doc.py writes from here -->\n', '<!-- to here -->\n'
STYLE = '''<style>text{font:14px system-ui,sans-serif;fill:#1b1f24}.a{stroke:#d4d8dd}.n{fill:#3a6fb0}.o{fill:#c0392b}
circle{opacity:.75}
@media(prefers-color-scheme:dark){text{fill:#e6e8eb}.a{stroke:#3a4048}.n{fill:#7fb0ea}.o{fill:#ff7a6b}}
</style>'''


def networks():
    """[(model, input, GFLOPs, parameters, NCS2 FPS, OAK FPS)] by name; medians of all versions, '' where there is none.
    Demo programs (OAK-D rows) measure a whole pipeline: they aren't in here."""
    rows = {}
    with open(os.path.join(ROOT, 'data', 'fps.csv'), newline='') as f:
        for r in csv.DictReader(f):
            if r['device'] in ('NCS2', 'OAK (RVC2)') and r['input']:
                rows.setdefault((r['model'], r['input']), []).append(r)
    table = []
    for (model, shape), found in sorted(rows.items()):
        speeds = [[float(r['fps']) for r in found if r['device'] == d] for d in ('NCS2', 'OAK (RVC2)')]
        size = [next((float(r[k]) for r in found if r[k]), '') for k in ('gflops', 'mparams')]
        table.append((model, shape, *size, *(statistics.median(s) if s else '' for s in speeds)))
    return table


def number(v):
    return f'{v:.3g}' if v != '' and v < 100 else f'{v:.0f}' if v != '' else ''


def table_text(rows):
    lines = ['| network | input | GFLOPs | million parameters | NCS2, FPS | OAK, FPS |',
             '| --- | --- | --: | --: | --: | --: |']
    lines += ['| ' + ' | '.join((r[0], r[1].replace(',', ', '), *map(number, r[2:]))) + ' |' for r in rows]
    return '\n'.join(lines) + '\n'


def chart(rows):
    """FPS over GFLOPs and over parameters, logarithmic, a point for each network and device."""
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 320" width="840" height="320">', STYLE]
    for left, column, title in ((46, 2, 'GFLOPs'), (476, 3, 'million parameters')):
        def x(v):
            return left + 340 * (math.log10(v) + 2) / 5

        def y(v):
            return 270 - 80 * math.log10(v)

        for e in range(-2, 4):
            out.append(f'<line class="a" x1="{x(10**e):.1f}" x2="{x(10**e):.1f}" y1="30" y2="270"/>'
                       f'<text x="{x(10**e):.1f}" y="288" text-anchor="middle">{10**e:g}</text>')
        for e in range(0, 4):
            out.append(f'<line class="a" x1="{left}" x2="{left + 340}" y1="{y(10**e):.1f}" y2="{y(10**e):.1f}"/>'
                       f'<text x="{left - 6}" y="{y(10**e) + 5:.1f}" text-anchor="end">{10**e}</text>')
        out.append(f'<text x="{left + 170}" y="308" text-anchor="middle">{title}</text>'
                   f'<text x="{left - 44}" y="18">FPS</text>')
        for r in rows:
            for kind, fps in (('n', r[4]), ('o', r[5])):
                if r[column] and fps:
                    out.append(f'<circle class="{kind}" cx="{x(r[column]):.1f}" cy="{y(fps):.1f}" r="4">'
                               f'<title>{r[0]} {r[1]}: {fps:g} FPS</title></circle>')
    out.append('<circle class="n" cx="90" cy="13" r="5"/><text x="100" y="18">Neural Compute Stick 2</text>'
               '<circle class="o" cx="270" cy="13" r="5"/><text x="280" y="18">OAK, 8 SHAVEs</text></svg>')
    return '\n'.join(out) + '\n'


def main():
    rows = networks()
    with open(os.path.join(ROOT, DOCUMENT)) as f:
        before, _, rest = f.read().partition(BEGIN)
    wanted = {DOCUMENT: before + BEGIN + table_text(rows) + END + rest.partition(END)[2], CHART: chart(rows)}
    for path, text in wanted.items():
        full = os.path.join(ROOT, path)
        if '--check' not in sys.argv:
            with open(full, 'w') as f:
                f.write(text)
        elif not os.path.exists(full) or open(full).read() != text:
            print(f'{path} is not what tools/performance_doc.py writes: run it')
            return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
