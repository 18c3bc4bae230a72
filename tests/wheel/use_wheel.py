"""What an installed wheel is to do, in any CPython from 3.8 on, with nothing but NumPy: use_wheel.py MODELS WORK SLOWNESS.

MODELS has small.onnx, broken.onnx, long.onnx and, as the command of the build under test writes them, small.blob (6 SHAVEs)
and 1.blob ... 16.blob; test_wheel.py makes them. WORK is a folder to write into.
SLOWNESS is how many times slower than here the processor may be, which is emulated where it isn't 1.
"""
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request

MODELS, WORK = sys.argv[1:3]
SLOWNESS = int(sys.argv[3])


def path(name):
    return os.path.join(MODELS, name)


def made(name):
    return os.path.join(WORK, name)


def read(name):
    with open(name, 'rb') as f:
        return f.read()


def raises(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind as e:
        return e
    raise AssertionError('no %s' % kind)


def importing():
    code = 'import time; t = time.process_time(); import blobsmith; print(time.process_time() - t)'
    best = min(float(subprocess.check_output([sys.executable, '-c', code])) for _ in range(3))
    assert best < 0.2 * SLOWNESS, best  # typically 0.02 s
    assert os.path.realpath(sys.prefix) in os.path.realpath(blobsmith.__file__), blobsmith.__file__


def program():
    beside = os.path.join(os.path.dirname(sys.executable), 'blobsmith')
    told = subprocess.check_output([beside, '--version'])
    assert told.decode().startswith('blobsmith ' + blobsmith.version())
    assert told == subprocess.check_output([sys.executable, '-m', 'blobsmith', '--version'])
    subprocess.check_call([beside, 'convert', '-q', path('small.onnx'), '-o', made('p.blob')])
    assert read(made('p.blob')) == read(path('small.blob'))


def converting():
    blob = blobsmith.convert(path('small.onnx'), made('a.blob'), shaves=6)
    assert bytes(blob) == read(made('a.blob')) == read(path('small.blob'))
    assert bytes(blobsmith.convert(read(path('small.onnx')), name='small.onnx')) == bytes(blob)
    assert '<table' in blob.report._repr_html_() and blobsmith.check(path('small.onnx')).compiles
    assert blobsmith.estimate(blob).fps > 0 and blobsmith.inspect(blob)['inputs'][0]['name'] == 'x'


def superblob_and_archive():
    s = blobsmith.superblob(path('small.onnx'), made('s.superblob'))
    for n in range(1, 17):
        assert s.blob(n) == read(path('%d.blob' % n)), n
    blobsmith.nnarchive.write(made('s.rvc2.tar.xz'), s, name='net', dai_type='BGR888p')
    report, data = blobsmith.nnarchive.read(made('s.rvc2.tar.xz'))
    assert data == bytes(s) == read(made('s.superblob')) and report.config['model']['metadata']['name'] == 'net'


def running():
    import numpy as np
    picture = np.arange(3 * 16 * 16).reshape(1, 3, 16, 16).astype(np.float32) % 255
    with blobsmith.Emulator(path('small.blob')) as e:
        first = e.run({'x': picture})['y']
        assert first.shape == (1, 4, 1, 1) and np.array_equal(first, e.run({'x': picture})['y'])
        raises(blobsmith.Error, e.run, {'x': picture[:, :1]})
        raises(blobsmith.OptionError, e.run, {'no': picture})
    raises(ValueError, e.run, {'x': picture})
    outputs = []
    threads = [threading.Thread(target=lambda: outputs.append(blobsmith.run(path('small.blob'), picture)['y']))
               for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(outputs) == 4 and all(np.array_equal(first, o) for o in outputs)
    assert blobsmith.compare(path('small.onnx'), tolerance=0.05).outputs_within


def failing():
    e = raises(blobsmith.ModelError, blobsmith.convert, path('broken.onnx'), made('broken.blob'))
    assert e.code.startswith('BS2') and 'NoSuchOperator' in str(e)
    raises(blobsmith.FileError, blobsmith.convert, path('none.onnx'))
    raises(blobsmith.OptionError, blobsmith.convert, path('small.onnx'), input_precision='U7')
    raises(blobsmith.FileError, blobsmith.inspect, path('broken.onnx'))
    assert not os.path.exists(made('broken.blob'))


def nothing_half_written():
    """No file of the long network, or all of it, where the conversion was quicker than the signal."""
    files = [f for f in os.listdir(WORK) if f.startswith('long')]
    assert files in ([], ['long.superblob']), files
    if files:
        subprocess.check_call([sys.executable, '-m', 'blobsmith', 'inspect', made(files[0])], stdout=subprocess.DEVNULL)
        os.remove(made(files[0]))


def interrupting():
    """Ctrl-C in the midst of a long conversion: KeyboardInterrupt, no file, and the library goes on working."""
    seen = []
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let commands in the background ignore it
    timer = threading.Timer(0.15, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        while True:  # until the signal comes, wherever that is
            blobsmith.superblob(path('long.onnx'), made('long.superblob'), progress=lambda phase, part: seen.append(part))
    except KeyboardInterrupt:
        pass
    timer.join()
    nothing_half_written()
    blobsmith.convert(path('small.onnx'))
    process = subprocess.Popen([os.path.join(os.path.dirname(sys.executable), 'blobsmith'), 'convert', '--superblob',
                                path('long.onnx'), '-o', made('long.superblob')], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    code = process.wait(60 * SLOWNESS)
    assert code in (0, 130, -signal.SIGINT, 1), code  # the latter two before the program has begun, on a busy machine
    nothing_half_written()


def blobconverter():
    """The documented examples of blobconverter 1.4.3, with its defaults but no mean and scale."""
    import blobsmith.blobconverter as blobconverter
    blobconverter.set_defaults(output_dir=made('cache'), silent=True)
    file = blobconverter.from_onnx(model=path('small.onnx'), data_type='FP16', shaves=6, optimizer_params=[])
    assert str(file) == os.path.join(made('cache'), 'small_openvino_2022.1_6shave.blob')
    assert blobconverter.is_valid_blob(file) and read(str(file)) == read(path('small.blob'))
    subprocess.check_call([os.path.join(os.path.dirname(sys.executable), 'blobsmith'), 'convert', '-q', path('small.onnx'),
                           '-o', made('i.blob'), '--ir', made('ir')])
    file = blobconverter.from_openvino(xml=made('ir/small.xml'), bin=made('ir/small.bin'), data_type='FP16', shaves=5)
    assert file.name == 'small_openvino_2022.1_5shave.blob' and blobconverter.is_valid_blob(file)
    done = subprocess.run([sys.executable, '-m', 'blobsmith.blobconverter', '-onnx', path('small.onnx'), '-sh', '7', '-o',
                           made('out')], stdout=subprocess.PIPE, check=True)
    assert done.stdout.decode().strip() == os.path.join(made('out'), 'small_openvino_2022.1_7shave.blob')
    e = raises(blobconverter.ConversionError, blobconverter.from_onnx, path('broken.onnx'), optimizer_params=[])
    assert 'NoSuchOperator' in str(e)


def serving():
    """`blobsmith serve` of the package makes the blob that `blobsmith convert` makes."""
    if SLOWNESS > 1:
        return  # an emulator starts no other program for its processor
    beside = os.path.join(os.path.dirname(sys.executable), 'blobsmith')
    server = subprocess.Popen([beside, 'serve', '--port', '0', '--data', made('data')], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    layers = server.stdout.readline().decode()
    if not layers and b'is not installed' in server.stderr.read():
        server.wait()
        return  # made where the service's libraries weren't
    assert layers.startswith('sandbox: session'), layers
    address = server.stdout.readline().decode().strip()
    web = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    head, tail = ('--boundary\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n', b'\r\n--boundary--\r\n')
    body = (head % ('options', '') + '{"shaves": 6}\r\n' + head % ('file', '; filename="small.onnx"')).encode() + read(path('small.onnx')) + tail
    job = json.loads(web.open(urllib.request.Request(
        address + 'api/v1/jobs', body, {'Content-Type': 'multipart/form-data; boundary=boundary'}), timeout=30).read().decode())
    end = time.time() + 60
    while job['state'] in ('queued', 'running') and time.time() < end:
        time.sleep(0.05)
        job = json.loads(web.open(address + 'api/v1/jobs/' + job['id'], timeout=30).read().decode())
    assert job['state'] == 'done', job
    blob = web.open(address + 'api/v1/jobs/' + job['id'] + '/results/blob', timeout=30).read()
    assert blob == read(path('small.blob'))
    server.terminate()
    assert server.wait(30) == 0
    assert len(subprocess.check_output([beside, 'zoo', 'list']).splitlines()) > 3


if __name__ == '__main__':
    import blobsmith
    for check in (importing, program, converting, superblob_and_archive, running, failing, interrupting, blobconverter, serving):
        start = time.perf_counter()
        check()
        print(json.dumps({'check': check.__name__, 'seconds': round(time.perf_counter() - start, 2)}))
