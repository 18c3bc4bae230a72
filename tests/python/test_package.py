"""The Python package: the same files as the command's, errors with an address, nothing left behind."""
import json
import subprocess
import sys
import threading
import types
import warnings

import numpy as np
import pytest


def command(tool, *args):
    return subprocess.run([tool, *map(str, args)], check=True, capture_output=True, text=True).stdout


def test_convert_writes_the_commands_bytes(package, tool, model, tmp_path):
    command(tool, 'convert', model, '-o', tmp_path / 'a.blob', '--shaves', 5)
    blob = package.convert(model, tmp_path / 'b.blob', shaves=5)
    assert bytes(blob) == (tmp_path / 'a.blob').read_bytes() == (tmp_path / 'b.blob').read_bytes()
    assert blob.report.stages > 0 and blob.report['inputs'][0]['name'] == 'x'
    assert 'Report' in blob._repr_html_() and str(blob.report)


def test_models_in_memory(package, model):
    assert bytes(package.convert(model.read_bytes(), name='small.onnx')) == bytes(package.convert(model))
    with pytest.raises(TypeError, match='name'):
        package.convert(model.read_bytes())


def test_a_view_outlives_its_blob(package, model):
    whole = bytes(package.convert(model))
    view = package.convert(model).view()
    assert bytes(view) == whole


def test_compile_writes_the_commands_bytes(package, tool, model, tmp_path):
    command(tool, 'compile', '-m', model, '-o', tmp_path / 'a.blob', '-ip', 'U8')
    assert bytes(package.compile(model, input_precision='U8')) == (tmp_path / 'a.blob').read_bytes()


def test_run_agrees_with_the_model(package, model):
    import onnxruntime
    picture = np.random.default_rng(0).integers(0, 255, (1, 3, 16, 16)).astype(np.float32)
    blob = package.convert(model)
    expected, = onnxruntime.InferenceSession(str(model)).run(None, {'x': picture})
    assert np.allclose(package.run(blob, picture)['y'].ravel(), expected.ravel(), rtol=1e-2, atol=1e-2)
    with package.Emulator(bytes(blob), threads=1) as e:
        first = e.run({'x': picture})['y']
        second = e.run()['y']
        assert np.array_equal(first, second) and e.milliseconds > 0
        assert e.inputs[0] == ('x', 'U8', (1, 3, 16, 16))
        with pytest.raises(package.Error):
            e.run({'x': picture[:, :1]})
        with pytest.raises(package.OptionError):
            e.run({'no': picture})
    with pytest.raises(ValueError, match='closed'):
        e.run({'x': picture})


def test_threads_run_emulators_of_their_own(package, model):
    blob, outputs = package.convert(model), []
    picture = np.full((1, 3, 16, 16), 7, np.float32)
    threads = [threading.Thread(target=lambda: outputs.append(package.run(blob, picture)['y'])) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(outputs) == 4 and all(np.array_equal(outputs[0], o) for o in outputs)


def test_check_compare_estimate_inspect(package, tool, model, broken, tmp_path):
    assert package.check(model).compiles
    bad = package.check(broken)
    assert not bad.compiles and bad.problems[0]['layer'] == 'activation' and 'activation' in str(bad)
    compared = package.compare(model, tolerance=0.05)
    assert compared.outputs_within and '<svg' in compared._repr_html_()
    estimate = package.estimate(model)
    assert len(estimate.by_shaves) == 16 and estimate.fps > 0
    blob = package.convert(model, tmp_path / 'a.blob')
    assert package.estimate(blob).fps == package.estimate(tmp_path / 'a.blob').fps
    told = json.loads(command(tool, 'inspect', tmp_path / 'a.blob', '--json'))
    assert package.inspect(blob) == told == package.inspect(str(tmp_path / 'a.blob'))
    assert package.measured_speeds()[0].fps > 0
    shown = package.inspect(blob)._repr_html_()
    assert shown.count('<svg') in (1, 2) and 'MyriadXHwOp' in shown and 'input x' in shown and '<title>' in shown
    assert 'MyriadXHwOp' in str(package.inspect(blob))


def test_errors_say_what_and_where(package, broken, tmp_path):
    with pytest.raises(package.ModelError) as e:
        package.convert(broken, tmp_path / 'x.blob')
    assert e.value.code.startswith('BS2') and 'NoSuchOperator' in str(e.value)
    with pytest.raises(package.FileError):
        package.convert(tmp_path / 'none.onnx')
    with pytest.raises(OSError):  # as any function of Python that reads files
        package.inspect(tmp_path / 'none.blob')
    with pytest.raises(package.OptionError):
        package.convert(broken, input_precision='U7')
    assert [p.name for p in tmp_path.iterdir()] == ['broken.onnx']


def test_arrays_of_another_layout_are_refused(package, model, tmp_path):
    emulator = package.Emulator(package.convert(model, tmp_path / 'a.blob'))
    shape = emulator.inputs[0].shape
    planes = np.zeros(shape, np.float32)
    emulator.run(planes.reshape(-1))
    with pytest.raises(package.ModelError, match='another order'):
        emulator.run(np.moveaxis(planes, 1, -1))


def test_values_that_bytes_cannot_be_are_told(package, tool, model, tmp_path):
    blob = package.convert(model).save(tmp_path / 'm.blob')
    values = np.full((1, 3, 16, 16), 7, np.float32)
    with package.Emulator(blob) as emulator:
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            emulator.run(values)
        values[0, 0, 0, 0] = 0.5
        with pytest.warns(UserWarning, match='input "x" takes bytes'):
            emulator.run(values)
    np.save(tmp_path / 'x.npy', values)
    done = subprocess.run([tool, 'run', blob, '--input', tmp_path / 'x.npy', '--json'], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)['notes'][0].startswith('input "x" takes bytes: 1 of 768 values')


def test_progress_and_stopping(package, model, tmp_path):
    seen = []
    package.convert(model, progress=lambda phase, fraction: seen.append((phase, fraction)))
    assert seen == sorted(seen, key=lambda s: s[1]) and {'reading', 'passes'} & {p for p, _ in seen}

    class Enough(Exception):
        pass

    def stop(phase, fraction):
        raise Enough

    with pytest.raises(Enough):
        package.convert(model, tmp_path / 'x.blob', progress=stop)
    assert not (tmp_path / 'x.blob').exists()


def test_a_bar_of_tqdm_where_it_is_installed(package, model, monkeypatch):
    bars = []

    class Bar:
        def __init__(self, **_):
            self.n, self.phases, self.closed = 0, [], False
            bars.append(self)

        def set_description(self, phase):
            self.phases.append(phase)

        def update(self, more):
            self.n += more

        def close(self):
            self.closed = True
    monkeypatch.setitem(sys.modules, 'tqdm', types.ModuleType('tqdm'))
    monkeypatch.setitem(sys.modules, 'tqdm.auto', types.SimpleNamespace(tqdm=Bar))
    package.convert(model, progress=True)
    bar, = bars
    assert bar.n == 100 and bar.closed and 'passes' in bar.phases
    monkeypatch.setitem(sys.modules, 'tqdm.auto', None)   # not installed
    assert package.convert(model, progress=True) and len(bars) == 1


def test_superblob_has_the_blob_of_every_number_of_shaves(package, tool, model, tmp_path):
    s = package.superblob(model, tmp_path / 'a.superblob')
    for shaves in range(1, 17):
        assert s.blob(shaves) == bytes(package.convert(model, shaves=shaves)), shaves
    with pytest.raises(package.OptionError):
        s.blob(17)
    command(tool, 'convert', model, '-o', tmp_path / 'b.superblob')
    assert (tmp_path / 'a.superblob').read_bytes() == (tmp_path / 'b.superblob').read_bytes()
    told = json.loads(command(tool, 'inspect', tmp_path / 'b.superblob', '--json'))
    assert [p['blob_shaves'] for p in told['patches']] == list(range(1, 17))


@pytest.mark.parametrize('ending', ['.tar.xz', '.tar.gz', '.tar.bz2', '.tar'])
def test_nn_archive(package, tool, model, tmp_path, ending):
    path = tmp_path / ('a' + ending)
    heads = [{'parser': 'YOLO', 'name': 'h', 'outputs': ['y'], 'metadata': {'classes': ['a'], 'n_classes': 1}}]
    s = package.superblob(model)
    package.nnarchive.write(path, s, name='net', heads=heads, dai_type='RGB888p')
    report, data = package.nnarchive.read(path)
    assert data == bytes(s) and report.members == ['config.json', 'net.superblob', 'buildinfo.json']
    config = report.config
    assert config['config_version'] == '1.0' and config['model']['heads'] == heads
    assert config['model']['inputs'][0] == {
        'name': 'x', 'dtype': 'uint8', 'input_type': 'image', 'shape': [1, 3, 16, 16], 'layout': 'NCHW',
        'preprocessing': {'mean': [0, 0, 0], 'scale': [1, 1, 1], 'reverse_channels': False,
                          'interleaved_to_planar': False, 'dai_type': 'RGB888p', 'resize_mode': None}}
    package.nnarchive.write(tmp_path / ('b' + ending), s, name='net', heads=heads, dai_type='RGB888p')
    assert path.read_bytes() == (tmp_path / ('b' + ending)).read_bytes()
    command(tool, 'convert', model, '-o', tmp_path / ('c' + ending), '--shaves', 3)
    report, data = package.nnarchive.read(tmp_path / ('c' + ending))
    assert report.model_name == 'small.blob' and data == bytes(package.convert(model, shaves=3))
    assert 'small.blob' in command(tool, 'inspect', tmp_path / ('c' + ending))


def test_damaged_packages_are_refused(package, model, tmp_path, tool):
    s = bytes(package.superblob(model))
    archive = tmp_path / 'a.tar.gz'
    package.nnarchive.write(archive, s)
    packed = archive.read_bytes()
    rng = np.random.default_rng(0)
    for k in range(60):
        data = bytearray((s, packed)[k % 2])
        if k % 3 == 0:
            data = data[:rng.integers(0, len(data))]
        else:
            for at in rng.integers(0, min(len(data), 400), 4):
                data[at] ^= int(rng.integers(1, 256))
        path = tmp_path / ('x.superblob' if k % 2 == 0 else 'x.tar.gz')
        path.write_bytes(data)
        done = subprocess.run([tool, 'inspect', path], capture_output=True, text=True, timeout=60)
        assert done.returncode in (0, 1, 2, 3), done.stderr
        assert done.returncode == 0 or 'error[BS' in done.stderr


def test_import_is_quick(package):
    code = 'import time; t = time.process_time(); import blobsmith; print(time.process_time() - t)'
    best = min(float(subprocess.run([sys.executable, '-c', code], check=True, capture_output=True, text=True).stdout)
               for _ in range(3))
    assert best < 0.2  # typically 0.02 s


def test_the_packages_program_is_the_command(package, tool):
    done = subprocess.run([sys.executable, '-m', 'blobsmith', '--version'], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == command(tool, '--version')
