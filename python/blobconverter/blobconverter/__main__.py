"""python -m blobconverter"""
import sys

from blobsmith.blobconverter.__main__ import main

if __name__ == '__main__':
    sys.exit(main())
