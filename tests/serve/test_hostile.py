"""A thousand requests that nobody means well with: each is refused, and the server goes on."""
import os
import random
import socket
import time

import pytest
import requests
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
