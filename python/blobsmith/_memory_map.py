"""The memory of a blob as a picture: which stage writes which bytes, and until when they are read."""
from __future__ import annotations

import html
from typing import Any

WIDTH, HEIGHT = 600, 140
LANES = (('BSS', 'memory outside of the chip'), ('CMX', 'memory on the chip'))


class _Life:
    """Bytes of one place, from the stage that writes them to the last one that reads them."""

    def __init__(self, begin: int, size: int, stage: int, what: str):
        self.begin, self.end, self.first, self.last, self.what = begin, begin + size, stage, stage, what


def _lives(stages: list[dict[str, Any]], location: str) -> list[_Life]:
    done: list[_Life] = []
    alive: list[_Life] = []
    for index, stage in enumerate(stages):
        for part in (stage, stage.get('injected') or {}):
            buffers = [b for b in part.get('buffers', []) if b['location'] == location and b.get('dims')]
            for b in sorted(buffers, key=lambda b: b['role'].startswith('out')):  # what is read comes first
                begin, size = b['offset'], b['dims'][0] * b['strides'][0]
                touched = [a for a in alive if a.begin < begin + size and begin < a.end]
                if not b['role'].startswith('out'):
                    for a in touched:
                        a.last = index
                    continue
                done += touched  # what was there is not read any more
                alive = [a for a in alive if a not in touched]
                alive.append(_Life(begin, size, index, f'{part["type"]}: {b["dims"]}, {size} bytes at {begin}'))
    return done + alive


def svg(stages: list[dict[str, Any]]) -> str:
    """One picture for each memory: stages from left to right, addresses from bottom to top. '' where nothing is known."""
    pictures = []
    for location, words in LANES:
        lives = _lives(stages, location)
        if not lives:
            continue
        top = max(a.end for a in lives)
        step = WIDTH / len(stages)
        boxes = ''.join(
            f'<rect x="{a.first * step:.1f}" y="{HEIGHT * (1 - a.end / top):.1f}" '
            f'width="{max(1.0, (a.last - a.first + 1) * step):.1f}" '
            f'height="{max(0.5, HEIGHT * (a.end - a.begin) / top):.1f}" fill="#3a6fb0" fill-opacity="0.55" '
            f'stroke="#fff" stroke-width="0.3"><title>{html.escape(a.what)}, stages {a.first} to {a.last}</title></rect>'
            for a in lives)
        pictures.append(f'<p>{words} ({location}), {top / 1024:.0f} KiB, by stage</p><svg viewBox="0 0 {WIDTH} {HEIGHT}" '
                        f'width="{WIDTH}" height="{HEIGHT}" role="img">{boxes}</svg>')
    return ''.join(pictures)
