"""A thousand requests that nobody means well with: each is refused, and the server goes on."""
import gzip
import io
import json
import os
import random
import socket
import sqlite3
import time
import zipfile

import onnx
import pytest
import requests
from onnx import TensorProto, helper
from service_process import running

NAMES = ['../../etc/passwd', '/etc/passwd', '..', '.', '', 'a\x00b', 'a/../b', '-rf', '~root', 'commands.json', 'x' * 5000, '\u202e.onnx', 'con', '$HOME', '`id`',
         "'; DROP TABLE jobs; --", '%2e%2e%2f', '\\..\\..\\x', '{{7*7}}', '<script>', '\xff\xfe', '\U0001f4a9']
VALUES = [*NAMES, '0', '-1', '17', '1e9', 'NaN', 'true', 'null', '[]', '{}', '{"a":' * 500, '9' * 400, '\n', ' ', '-ip', '--help', '-o /tmp/x', 'U8 -o ../../x']
FIELDS = ['name', 'version', 'myriad_shaves', 'myriad_params_advanced', 'use_zoo', 'zoo_type', 'data_type', 'download_ir', 'no_cache', 'dry', 'compile_type',
          'model_type', 'compiler_params', 'model_name']
OPTIONS = ['shaves', 'target', 'input_shapes', 'kind', 'model', 'blob', 'job', 'zoo', 'config', 'inputs', 'preset', 'mean_file', 'heads', 'ir_version', '__proto__', 'no such']
PATHS = ['/', '/compile', '/zoo_models', '/cache/x.blob', '/api/v1/jobs', '/api/v1/check', '/api/v1/jobs/x', '/api/v1/jobs/x/events', '/api/v1/jobs/x/results/blob', '/health',
         '/netron/../../etc/passwd', '/..%2f..%2fetc/passwd', '/%00', '//', '/jobs/../../x', '/assets/%2e%2e/x', '/api/v1/jobs?ids=' + ',' * 5000]


def body(r):
    """A model.yml, or what somebody may take for one."""
    return r.choice([b'', b'framework: onnx\nfiles: []', b'files: [{name: ../../x, source: {$type: http, url: "$REQUEST/../../x"}}]',
                     b'files: {a: b}', b'- 1', b'\x00\x01', b'a: &a [*a]', b'!!python/object:os.system x', b'&a ' * 1000, b'{' * 3000,
                     b'framework: tf\nmodel_optimizer_args: ["; id", "--input_model=/etc/passwd"]\nfiles: [{name: a.pb, source: {$type: http, url: $REQUEST/a.pb}}]',
                     b'framework: onnx\nfiles: [{name: a, source: {$type: http, url: "file:///etc/passwd"}}]'])


def hostile(server, r):
    """The answer's status."""
    way = r.random()
    if way < 0.4:
        files = {'config': (r.choice(NAMES), body(r))} if r.random() < 0.7 else {}
        for n in r.sample(NAMES, r.randrange(3)):
            files[n] = (n or 'x', r.randbytes(r.randrange(200)))
        fields = {f: r.choice(VALUES) for f in r.sample(FIELDS, r.randrange(5))}
        query = {f: r.choice(VALUES) for f in r.sample(FIELDS, r.randrange(3))}
        return requests.post(server.url + '/compile', params=query, data=fields, files=files or None)
    if way < 0.7:
        files = [('file', (r.choice(NAMES) or 'x', r.randbytes(r.randrange(200)))) for _ in range(r.randrange(3))]
        fields = {o: r.choice(VALUES) for o in r.sample(OPTIONS, r.randrange(1, 4))}
        if r.random() < 0.3:
            fields['options'] = r.choice(VALUES)
        return requests.post(server.api + r.choice(['/jobs', '/check', '/inspect', '/compare', '/estimate']), data=fields, files=files or {'none': (None, '')})
    return requests.request(r.choice(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS', 'PROPFIND']), server.url + r.choice(PATHS), data=r.choice([None, b'x', b'{}']),
                            headers=r.choice([{}, {'Content-Type': 'multipart/form-data'}, {'Content-Type': 'multipart/form-data; boundary=a'},
                                              {'Accept': 'application/json'}, {'Content-Type': 'application/json'}, {'Cookie': 'a' * 3000}]))


def raw(server, data):
    with socket.create_connection(('127.0.0.1', server.port), timeout=15) as s:
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            return s.recv(100)
        except OSError:  # hung up on
            return b''


@pytest.fixture
def server(serve_tool, tmp_path):
    with running(serve_tool, tmp_path / 'data', '--idle-seconds', 1) as s:
        yield s


def test_a_thousand_hostile_requests(server):
    outside = set(os.listdir(os.path.dirname(server.data)))
    began = time.time()
    statuses = {}
    for seed in range(990):
        a = hostile(server, random.Random(seed))
        statuses[a.status_code] = statuses.get(a.status_code, 0) + 1
        assert a.status_code < 500, (seed, a.status_code, a.text[:300])
        if a.request.url.startswith(server.url + '/compile') and a.request.method == 'POST':
            assert a.status_code >= 400, (seed, a.text[:300])
    for text in (b'\xff\xfe', b'a\xc0\x80', b'\xed\xa0\x80'):
        for field in (b'name', b'shaves', b'inputs'):
            bad = b'--abcd\r\nContent-Disposition: form-data; name="' + field + b'"\r\n\r\n' + text + b'\r\n--abcd--\r\n'
            for path in ('/compile', '/api/v1/jobs'):
                a = requests.post(server.url + path, data=bad, headers={'Content-Type': 'multipart/form-data; boundary=abcd'})
                assert a.status_code == 400 and 'UTF-8' in a.text, a.text
    assert requests.get(server.api + '/check').status_code == 405
    for a in (requests.get(server.url + '/%3Cscript%3Ealert(1)%3C/script%3E'), requests.get(server.url + '/zoo_models?zoo_type=<script>'),
              requests.post(server.url + '/compile', data={'compile_type': '<script>&'}, files={'x': b''})):
        assert a.status_code in (400, 404) and '<' not in a.text and '&lt;script&gt;' in a.text and "default-src 'none'" in a.headers['content-security-policy'], a.text
    for data in (b'GET / HTTP/9.9\r\n\r\n', b'\x16\x03\x01' + bytes(100), b'GET ' + b'/' * 100000 + b' HTTP/1.1\r\n\r\n',
                                     b'POST /compile HTTP/1.1\r\nContent-Length: -5\r\n\r\n', b'POST /compile HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n',
                                     b'POST /compile HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n', b'\r\n' * 1000,
                                     b'POST /compile HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=abcd\r\nContent-Length: 40\r\n\r\n--abcd\r\nContent-Disposition: form-data;'):
        line = raw(server, data)
        assert not line or line[9:10] in (b'2', b'4') or line.startswith(b'HTTP/1.1 505'), line
    assert statuses[400] > 300
    assert requests.get(server.url + '/health').json()['status'] == 'ok'
    assert set(os.listdir(os.path.dirname(server.data))) == outside
    assert not os.path.exists('/tmp/x') or os.path.getmtime('/tmp/x') < began
    assert not os.listdir(os.path.join(server.data, 'uploads'))


ATTEMPTS = ['read', 'write', 'connect', 'fork', 'exec', 'memory', 'fill', 'spin', 'sleep', 'hide', 'crash']


def test_workers_that_try_to_get_out(serve_tool, model, tmp_path):
    """Jobs that no request can make: their plans are written into the database. Each fails in its own process, the server takes the next."""
    data, outside = tmp_path / 'd', tmp_path / 'outside'
    with running(serve_tool, data, '--no-worker') as s:
        waiting = requests.post(s.api + '/jobs', files={'file': open(model, 'rb')}).json()['id']
    with sqlite3.connect(data / 'jobs.sqlite') as c:
        for i, what in enumerate(ATTEMPTS):
            plan = {'options': {}, 'files': [], 'commands': [{'words': ['try', what, str(outside)], 'stdout': ''}], 'command': what, 'outputs': [], 'key': ''}
            c.execute("INSERT INTO jobs (id, kind, name, state, created, plan, outcome) VALUES (?, 'convert', ?, 'queued', ?, ?, '{}')", [what, what, i, json.dumps(plan)])
    with running(serve_tool, data, '--jobs', 2, '--job-seconds', 2, '--job-memory', '1G', '--job-file-size', '64M') as s:
        def end_of(job):
            end = time.time() + 90
            while (j := requests.get(f'{s.api}/jobs/{job}').json())['state'] in ('queued', 'running'):
                assert time.time() < end, j
                time.sleep(0.1)
            return j
        for what in ATTEMPTS:
            j = end_of(what)
            said = [line['text'] for line in j['log']]
            assert j['state'] == 'failed' or said == [f'{what} refused'], j
        assert not outside.exists() and end_of(waiting)['state'] == 'done'   # the server stayed up
        assert not os.listdir(data / 'work')
    assert not (tmp_path / 'd.log').read_text()


def yaml_bomb():
    """A thousand million entries by nine lines of aliases."""
    lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'] + [f'a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 10)}]' for i in range(1, 10)]
    return '\n'.join([*lines, 'framework: onnx', 'files: *a9']).encode()


def xml_bomb():
    entities = ['<!ENTITY a0 "aaaaaaaaaa">'] + [f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10)]
    return f'<?xml version="1.0"?><!DOCTYPE net [{"".join(entities)}]><net name="&a9;" version="10"><layers/><edges/></net>'.encode()


def onnx_model(nodes, initializers=(), **value):
    shape = value.get('shape', [1])
    graph = helper.make_graph(nodes, 'g', [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape)], [helper.make_tensor_value_info('y', TensorProto.FLOAT, None)], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 11)]).SerializeToString()


def onnx_bombs():
    """A shape that has no end, a constant that is larger than any memory, a tensor without the bytes that it states, graphs within graphs."""
    size = helper.make_tensor('s', TensorProto.INT64, [2], [1 << 31, 1 << 31])
    lacking = TensorProto(name='w', data_type=TensorProto.FLOAT, dims=[1 << 40], raw_data=b'1234')
    def field(number, content):
        size, text = len(content), b''
        while size > 127:
            size, text = size >> 7, text + bytes([size & 127 | 128])
        return bytes([number << 3 | 2]) + text + bytes([size]) + content
    graph = b''
    for _ in range(3000):   # more than protobuf's own writer would let through
        graph = field(1, field(4, b'If') + field(5, field(1, b'then_branch') + field(6, graph) + b'\xa0\x01\x05'))
    return {'shape': onnx_model([helper.make_node('Relu', ['x'], ['y'])], shape=[1 << 31, 1 << 31, 1 << 31]),
            'constant': onnx_model([helper.make_node('ConstantOfShape', ['s'], ['c']), helper.make_node('Add', ['x', 'c'], ['y'])], [size]),
            'lacking': onnx_model([helper.make_node('Add', ['x', 'w'], ['y'])], [lacking]),
            'deep': b'\x08\x07' + field(7, graph) + field(8, b'\x10\x0b'),
            'nested': b'\x3a' + b'\xff\xff\xff\xff\x07' + b'\x0a\x7e' * 100000}


def archives():
    """Much in little, names that lead out, an archive within an archive."""
    def packed(**files):
        with (out := io.BytesIO()), zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as z:
            for name, content in files.items():
                z.writestr(name, content)
            z.close()
            return out.getvalue()
    huge = packed(**{'a.onnx': bytes(100 << 20)})
    return {'huge.zip': huge, 'many.zip': packed(**{f'{i}.txt': b'' for i in range(5000)}), 'out.zip': packed(**{'../../out.onnx': b'x'}),
            'within.zip': packed(**{'b.zip': huge}), 'huge.tar.gz': gzip.compress(bytes(100 << 20), 1)}


def test_bombs(serve_tool, tmp_path):
    config = b'framework: onnx\nfiles: [{name: x.onnx, source: {$type: http, url: $REQUEST/x.onnx}}]\n'
    requests_ = {'yaml': ('/compile', {'config': ('c', yaml_bomb()), 'x.onnx': ('x.onnx', b'x')}),
                 'xml': ('/api/v1/check', {'a.xml': ('a.xml', xml_bomb()), 'a.bin': ('a.bin', b'')})}
    for name, content in onnx_bombs().items():
        requests_[f'{name}, old'] = ('/compile', {'config': ('c', config), 'x.onnx': ('x.onnx', content)})
        requests_[name] = ('/api/v1/check', {'file': ('x.onnx', content)})
    for name, content in archives().items():
        requests_[name] = ('/api/v1/check', {'file': (name, content)})
    with running(serve_tool, tmp_path / 'd', '--job-seconds', 20, '--job-memory', '2G') as s:
        for name, (path, files) in requests_.items():
            began = time.time()
            a = requests.post(s.url + path, data={'name': 'x'} if path == '/compile' else {}, files=files)
            refused = 400 <= a.status_code < 500 or (path != '/compile' and a.json()['compiles'] is False)
            assert refused and time.time() - began < 20, (name, a.status_code, a.text[:300])
            assert 'BS9001' not in a.text, (name, a.text)
            with open(f'/proc/{s.process.pid}/status') as f:
                assert next(int(line.split()[1]) for line in f if line.startswith('VmHWM')) < 100_000, name
        assert requests.get(s.url + '/health').json()['status'] == 'ok'
