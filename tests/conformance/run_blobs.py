#!/usr/bin/env python3
"""Runs every blob below a folder on random inputs with --check-memory, whoever made it.

  run_blobs.py FOLDER [--tool build/blobsmith] [-v]

A blob of a format version that can't be read is listed, but counts as refused, not as failed. Exit code 1 when one fails.
"""
import argparse
import os
import pathlib
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNKNOWN_VERSION = 'unknown version'


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('folder')
    ap.add_argument('--tool', default=os.path.join(ROOT, 'build', 'blobsmith'))
    ap.add_argument('-v', action='store_true', help='list the blobs that run too')
    a = ap.parse_args()
    counts = {'runs': 0, 'refused': 0, 'FAILED': 0}
    for blob in sorted(pathlib.Path(a.folder).rglob('*.blob')):
        done = subprocess.run([a.tool, 'run', str(blob), '--random', '--check-memory'], capture_output=True, text=True)
        kind = 'runs' if done.returncode == 0 else 'refused' if UNKNOWN_VERSION in done.stderr else 'FAILED'
        counts[kind] += 1
        if kind != 'runs' or a.v:
            print(f'{kind:8} {blob.relative_to(a.folder)}  {(done.stderr or done.stdout).splitlines()[0] if kind != "runs" else ""}'.rstrip())
    print(', '.join(f'{n} {kind}' for kind, n in counts.items()))
    return 1 if counts['FAILED'] else 0


if __name__ == '__main__':
    sys.exit(main())
