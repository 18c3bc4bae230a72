"""python -m blobsmith: the command-line program that is in the package."""
import os
import sys


def main() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    program = os.environ.get('BLOBSMITH_PROGRAM', os.path.join(here, 'bin', 'blobsmith'))
    if not os.path.exists(program):
        sys.exit(f'{program} is missing: install the package with `pip install .`')
    os.execv(program, [program, *sys.argv[1:]])


if __name__ == '__main__':
    main()
