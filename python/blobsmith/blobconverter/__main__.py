"""python -m blobsmith.blobconverter, and the command `blobconverter`: the original's options."""
from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Optional, Sequence

import blobsmith
from . import (ConversionError, _words, compile_blob, from_caffe, from_config, from_onnx, from_openvino, from_tf,
               from_zoo, set_defaults, zoo_list)

VERSIONS = ['2022.3_RVC3', '2022.1', '2021.4', '2021.3', '2021.2', '2021.1', '2020.4']


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog='blobconverter', description='A model to a MyriadX blob, on this machine.')
    p.add_argument('-zn', '--zoo-name', help='name of a model of a server\'s zoo')
    p.add_argument('-zt', '--zoo-type', default='intel', help='zoo: intel or depthai')
    p.add_argument('-onnx', '--onnx-model', help='path of an ONNX model')
    p.add_argument('-cp', '--caffe-proto', help='path of a .prototxt')
    p.add_argument('-cm', '--caffe-model', help='path of a .caffemodel')
    p.add_argument('-tf', '--tensorflow-pb', help='path of a frozen TensorFlow graph')
    p.add_argument('-ox', '--openvino-xml', help='path of an OpenVINO IR\'s .xml')
    p.add_argument('-ob', '--openvino-bin', help='path of its .bin')
    p.add_argument('-rawn', '--raw-name', help='name of a raw configuration')
    p.add_argument('-rawc', '--raw-config', help='path of a raw configuration')
    p.add_argument('-sh', '--shaves', type=int, choices=range(1, 17), default=4, metavar='1..16', help='SHAVEs (default 4)')
    p.add_argument('-dt', '--data-type', default='FP16')
    p.add_argument('-o', '--output-dir')
    p.add_argument('-v', '--version', choices=VERSIONS, default='2022.1', help='OpenVINO version that the blob states')
    p.add_argument('--optimizer-params', default='', help='"--mean_values=[...] --scale_values=[...]"')
    p.add_argument('--compile-params', nargs='+', help='"-ip U8"')
    p.add_argument('--converter-url', dest='url', help='a server to convert instead of this machine')
    p.add_argument('--no-cache', dest='use_cache', action='store_false')
    p.add_argument('--dry', action='store_true', help='print the commands instead')
    p.add_argument('--zoo-list', action='store_true', help='print the models of a server\'s zoo')
    p.add_argument('--download-ir', action='store_true', help='a .zip with the IR and the blob')
    return p


def _joined(arguments: Sequence[str]) -> list:
    """Values that begin with a dash, as `--optimizer-params --scale 255`, belong to the option before."""
    joined, i = [], 0
    while i < len(arguments):
        if arguments[i] in ('--optimizer-params', '--compile-params') and i + 1 < len(arguments):
            joined.append(f'{arguments[i]}={arguments[i + 1]}')
            i += 2
        else:
            joined.append(arguments[i])
            i += 1
    return joined


def convert(a: argparse.Namespace):
    if a.zoo_list:
        return zoo_list(a.version, a.url, a.zoo_type)
    common = {k: getattr(a, k) for k in ('version', 'shaves', 'output_dir', 'url', 'use_cache', 'download_ir', 'dry')}
    if a.compile_params:
        common['compile_params'] = a.compile_params
    optimizer = _words(a.optimizer_params)
    if a.zoo_name:
        return from_zoo(a.zoo_name, zoo_type=a.zoo_type, **common)
    if a.caffe_proto or a.caffe_model:
        if not (a.caffe_proto and a.caffe_model):
            raise ValueError('Both Caffe proto and model needs to be supplied!')
        return from_caffe(a.caffe_proto, a.caffe_model, a.data_type, optimizer, **common)
    if a.tensorflow_pb:
        return from_tf(a.tensorflow_pb, a.data_type, optimizer, **common)
    if a.onnx_model:
        return from_onnx(a.onnx_model, a.data_type, optimizer, **common)
    if a.openvino_xml or a.openvino_bin:
        if not (a.openvino_xml and a.openvino_bin):
            raise ValueError('Both OpenVINO xml and bin needs to be supplied!')
        return from_openvino(a.openvino_xml, a.openvino_bin, data_type=a.data_type, **common)
    if a.raw_name or a.raw_config:
        if not (a.raw_name and a.raw_config):
            raise ValueError('Both raw config and name needs to be supplied!')
        return from_config(a.raw_name, a.raw_config, **common)
    raise RuntimeError('No conversion source specified!')


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Prints the path (or what --dry and --zoo-list ask for); 0 done, 1 not converted, 2 usage."""
    a = parser().parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
    set_defaults(silent=True)
    try:
        result = convert(a)
    except ConversionError as e:
        print(e, file=sys.stderr)
        return e.exit_code
    except (OSError, blobsmith.Error) as e:
        print(e, file=sys.stderr)
        return 1
    except (ValueError, RuntimeError) as e:
        print(e, file=sys.stderr)
        return 2
    print(result if isinstance(result, (str, Path)) else json.dumps(result, indent=1))
    return 0


if __name__ == '__main__':
    sys.exit(main())
