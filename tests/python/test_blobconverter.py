"""blobsmith.blobconverter: names, defaults and files of the original package, answered on this machine."""
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture
def converter(package, tmp_path, capsys):
    import blobsmith.blobconverter as bc
    before = dict(bc._defaults)
    bc.set_defaults(output_dir=tmp_path / 'cache', silent=True)
    yield bc
    bc._defaults.clear()
    bc._defaults.update(before)


def test_from_onnx(converter, package, model, tmp_path):
    path = converter.from_onnx(model=str(model), data_type='FP16', shaves=6, optimizer_params=[])
    assert path == tmp_path / 'cache' / 'small_openvino_2022.1_6shave.blob' and converter.is_valid_blob(path)
    assert path.read_bytes() == bytes(package.convert(model, shaves=6, input_precision='U8'))
    scaled = converter.from_onnx(model=model, shaves=6)  # the original's defaults: mean and scale 127.5, 255
    assert scaled.read_bytes() == bytes(package.convert(model, shaves=6, input_precision='U8',
                                                        mean_values=[127.5] * 3, scale_values=[255] * 3))


def test_from_openvino(converter, package, model, tool, tmp_path):
    ir = tmp_path / 'ir'
    subprocess.run([tool, 'convert', model, '-o', tmp_path / 'x.blob', '--ir', ir], check=True, capture_output=True)
    path = converter.from_openvino(xml=ir / 'small.xml', bin=ir / 'small.bin', shaves=4)
    assert path.name == 'small_openvino_2022.1_4shave.blob' and converter.is_valid_blob(path)
    (tmp_path / 'weights').mkdir()
    apart = (ir / 'small.bin').rename(tmp_path / 'weights' / 'other.bin')
    assert converter.from_openvino(ir / 'small.xml', apart, shaves=4, use_cache=False).read_bytes() == path.read_bytes()


def test_the_cache_is_of_the_model_and_the_options(converter, model, tmp_path):
    import onnx
    from small_networks import small_network
    made = []
    say = made.append
    first = converter.from_onnx(model, optimizer_params=[], on_log=say)
    count = len(made)
    converter.from_onnx(model, optimizer_params=[], on_log=say)
    assert len(made) == count  # nothing was done
    bytes_before = first.read_bytes()
    onnx.save(small_network(size=32), str(model))
    assert converter.from_onnx(model, optimizer_params=[], on_log=say).read_bytes() != bytes_before
    assert len(made) > count
    config = json.loads((tmp_path / 'cache' / '.config.json').read_text())
    assert all(len(k) == 64 for k in config) and list(config.values()) == [str(first)]
    converter.clear_cache()
    assert not first.exists()


def test_download_ir_dry_superblob_report(converter, model, tmp_path):
    path = converter.from_onnx(model, optimizer_params=[], download_ir=True)
    assert sorted(zipfile.ZipFile(path).namelist()) == ['small.bin', 'small.blob', 'small.xml']
    commands = converter.from_onnx(model, optimizer_params=['--scale_values=[255,255,255]'], dry=True)
    assert commands and commands[0].startswith('blobsmith convert ')
    assert converter.from_onnx(model, superblob=True).name == 'small_openvino_2022.1.superblob'
    converter.from_onnx(model, report=tmp_path / 'r.json', use_cache=False)
    assert json.loads((tmp_path / 'r.json').read_text())['stages'] > 0


def test_errors(converter, broken, tmp_path):
    with pytest.raises(converter.ConversionError) as e:
        converter.from_onnx(broken, optimizer_params=[])
    assert 'NoSuchOperator' in str(e.value) and e.value.code.startswith('BS2')
    with pytest.raises(FileNotFoundError):
        converter.from_onnx(tmp_path / 'none.onnx')
    with pytest.raises(converter.ConversionError, match='not known'):
        converter.from_onnx(broken, optimizer_params=['--no_such_option=1'])
    with pytest.raises(converter.ConversionError, match='server'):
        converter.from_zoo('mobilenet-ssd')
    with pytest.raises(TypeError):
        converter.compile_blob('x')
    assert not list((tmp_path / 'cache').glob('*.blob'))


def test_small_functions(converter, tmp_path):
    assert converter.get_filename('https://host/a/b.onnx?x=1#y') == 'b.onnx'
    assert converter.get_filename(Path('/a/b.onnx')) == 'b.onnx'
    assert converter.is_valid_name('a.onnx') and not converter.is_valid_name('a.b.onnx')
    (tmp_path / 'x').write_bytes(bytes(100))
    assert not converter.is_valid_blob(tmp_path / 'x') and not converter.is_valid_blob(tmp_path / 'none')
    assert converter.Versions.v2022_1 == '2022.1'
    path = converter.ConfigBuilder().task_type('detection').framework('onnx').model_optimizer_args(['--a=1']).with_file(
        'FP16/x', path=str(tmp_path / 'x')).build()
    config = json.loads(path.read_text())
    assert config['framework'] == 'onnx' and config['files'][0]['size'] == 100
    path.unlink()


def test_command(converter, model, tmp_path):
    call = lambda *a: subprocess.run([sys.executable, '-m', 'blobsmith.blobconverter', *map(str, a)], capture_output=True,
                                     text=True)
    done = call('-onnx', model, '-sh', 7, '-o', tmp_path / 'out', '--optimizer-params', '--scale_values=[255,255,255]',
                '--compile-params', '-ip FP16')
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == tmp_path / 'out' / 'small_openvino_2022.1_7shave.blob'
    assert converter.is_valid_blob(done.stdout.strip())
    nothing = call()
    assert nothing.returncode == 2 and 'No conversion source specified!' in nothing.stderr
    half = call('-ox', 'x.xml')
    assert half.returncode == 2 and 'Both OpenVINO xml and bin needs to be supplied!' in half.stderr


def test_a_server(converter, model, tmp_path):
    """The form that the original sends, to a server that answers with a blob, and with an error."""
    pytest.importorskip('requests')
    import http.server
    import threading
    requests_seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers['Content-Length']))
            requests_seen.append((self.path, body))
            fails = b'bad.onnx' in body
            answer = b'{"message": "Command failed", "stderr": "why", "hint": "do"}' if fails else b'BLOB'
            self.send_response(400 if fails else 200)
            self.send_header('Content-Length', str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f'http://127.0.0.1:{server.server_port}'
    path = converter.from_onnx(model, url=url, shaves=5)
    assert path.read_bytes() == b'BLOB'
    where, body = requests_seen[0]
    assert where.startswith('/compile?version=2022.1') and b'name="myriad_shaves"\r\n\r\n5' in body
    assert b'$REQUEST/small.onnx' in body and b'name="small.onnx"; filename="small.onnx"' in body
    bad = model.rename(tmp_path / 'bad.onnx')
    with pytest.raises(converter.ConversionError, match='why') as e:
        converter.from_onnx(bad, url=url)
    assert e.value.hint == 'do'
    server.shutdown()
