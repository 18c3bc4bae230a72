"""`import blobconverter` is blobsmith.blobconverter."""
import sys

import blobsmith.blobconverter

sys.modules[__name__] = blobsmith.blobconverter
