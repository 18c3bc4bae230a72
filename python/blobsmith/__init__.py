"""blobsmith: trained networks to MyriadX blobs, offline, in a second.

>>> import blobsmith
>>> blob = blobsmith.convert('model.onnx', 'model.blob', shaves=6)
>>> blobsmith.run(blob, {'images': picture})

Errors are blobsmith.Error with code, layer, why and hint. The blobconverter package's interface is in
blobsmith.blobconverter.
"""
from . import nnarchive
from ._api import (check, compare, compile, convert, estimate, inspect, measured_speeds, superblob, version)
from ._errors import Error, FileError, InternalError, ModelError, OptionError
from ._results import (Blob, BlobReport, CheckReport, CompareReport, EstimateReport, Report, SuperBlob)
from .emulator import Emulator, Port, run

__all__ = [
    'Blob', 'BlobReport', 'CheckReport', 'CompareReport', 'Emulator', 'Error', 'EstimateReport', 'FileError',
    'InternalError', 'ModelError', 'OptionError', 'Port', 'Report', 'SuperBlob', 'check', 'compare', 'compile',
    'convert', 'estimate', 'inspect', 'measured_speeds', 'nnarchive', 'run', 'superblob', 'version'
]
