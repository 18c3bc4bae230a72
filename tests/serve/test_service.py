"""The service's own API, its limits and its sandbox."""
import concurrent.futures
import ctypes
import errno
import io
import json
import os
import select
import socket
import struct
import subprocess
import time
import zipfile

import onnx
import pytest
import requests
from service_process import running


def submit(server, *paths, **options):
    files = [('file', (os.path.basename(p), open(p, 'rb'))) for p in paths]
    return requests.post(server.api + '/jobs', files=files or {'none': (None, '')}, data={'options': json.dumps(options)})


def wait(server, job, seconds=60):
    end = time.time() + seconds
    while job['state'] in ('queued', 'running'):
        assert time.time() < end, job
        time.sleep(0.05)
        job = requests.get(f"{server.api}/jobs/{job['id']}").json()
    return job


def test_a_conversion_gives_the_bytes_of_the_command_line(server, run, model, tmp_path):
    r = submit(server, model, shaves=4, ir=True)
    assert r.status_code == 202
    job = wait(server, r.json())
    assert job['state'] == 'done', job
    assert job['command'] == 'blobsmith convert small.onnx -o small.blob --shaves 4 --ir ir'
    run('convert', model, '-o', tmp_path / 'x.blob', '--shaves', 4)
    result = requests.get(server.url + job['results'][0]['url'])
    assert result.content == (tmp_path / 'x.blob').read_bytes()
    assert result.headers['content-disposition'] == 'attachment; filename=small.blob'
    assert requests.get(f"{server.api}/jobs/{job['id']}/result").content == result.content
    members = zipfile.ZipFile(io.BytesIO(requests.get(f"{server.api}/jobs/{job['id']}/results/ir").content)).namelist()
    assert members == ['small.xml', 'small.bin']
    assert requests.get(f"{server.api}/jobs/{job['id']}/results/report").json()['stages'] > 0
    again = submit(server, model, shaves=4, ir=True).json()
    assert again['cached'] and again['state'] == 'done' and again['id'] != job['id']


def test_fields_of_a_form(server, model):
    """What the plain page sends: an empty field says nothing."""
    fields = {'shaves': '4', 'ir': 'true', 'batch': '', 'target': '2021.4', 'input_shapes': '{"x": [1, 3, 24, 24]}', 'kind': ''}
    job = requests.post(server.api + '/jobs', data=fields, files={'file': open(model, 'rb')}).json()
    assert job['command'] == 'blobsmith convert small.onnx -o small.blob --shaves 4 --target 2021.4 --input-shape x=1,3,24,24 --ir ir', job
    wrong = requests.post(server.api + '/check', data={'kind': 'convert'}, files={'file': open(model, 'rb')})
    assert wrong.status_code == 400 and 'is for the kind' in wrong.json()['message']


def test_an_archive_of_a_model(server, run, model, tmp_path):
    with zipfile.ZipFile(tmp_path / 'model.zip', 'w', zipfile.ZIP_DEFLATED) as z:
        z.write(model, 'folder/small.onnx')
    job = wait(server, submit(server, tmp_path / 'model.zip', shaves=4).json())
    run('convert', model, '-o', tmp_path / 'x.blob', '--shaves', 4)
    assert requests.get(f"{server.api}/jobs/{job['id']}/results/blob").content == (tmp_path / 'x.blob').read_bytes(), job
    with zipfile.ZipFile(tmp_path / 'bomb.zip', 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr('bomb.onnx', bytes(100 << 20))
    bomb = requests.post(server.api + '/check', files={'file': open(tmp_path / 'bomb.zip', 'rb')})
    assert bomb.status_code == 422 and 'unpacks to more' in bomb.text


def test_a_model_is_cut(server, bad_model, model, tmp_path):
    graph = onnx.load(model)
    graph.graph.node.insert(0, onnx.helper.make_node('Bernoulli', ['x'], ['z'], name='dice'))
    graph.graph.node[1].input[0] = 'z'
    graph.opset_import[0].version = 15
    graph.graph.value_info.append(onnx.helper.make_tensor_value_info('z', onnx.TensorProto.FLOAT, [1, 3, 16, 16]))
    onnx.save(graph, tmp_path / 'dice.onnx')
    job = wait(server, submit(server, tmp_path / 'dice.onnx', cut_unsupported=True).json())
    assert [r['kind'] for r in job['results']] == ['blob', 'before', 'layers', 'report'], job
    assert job['results'][1]['name'] == 'dice.before.onnx'
    job = wait(server, submit(server, tmp_path / 'dice.onnx', cut_unsupported=True, json_config=True).json())
    assert job['state'] == 'failed' and 'no head of a detector' in job['errors'][0]['message'] and not job['results'], job


def test_other_sites_and_other_names(server, serve_tool, model, tmp_path):
    def sent(s=server, method='POST', path='/api/v1/jobs', **headers):
        return requests.request(method, s.url + path, files={'file': open(model, 'rb')} if method == 'POST' else None,
                                headers={name.replace('_', '-'): value for name, value in headers.items()}).status_code
    here = f'127.0.0.1:{server.port}'
    for headers in ({}, {'Origin': f'http://{here}'}, {'Sec_Fetch_Site': 'same-origin', 'Origin': f'http://{here}'}, {'Host': 'localhost', 'Origin': 'http://localhost:1'},
                    {'Host': 'inside', 'X_Forwarded_Host': 'outside', 'Origin': 'https://outside'}):
        assert sent(**headers) == (202 if headers.get('Host') != 'inside' else 421), headers
    for headers in ({'Origin': 'http://evil.example'}, {'Origin': 'null'}, {'Sec_Fetch_Site': 'cross-site'}, {'Sec_Fetch_Site': 'same-site', 'Origin': f'http://{here}'}):
        assert sent(**headers) == 403, headers
        assert sent(path='/compile', **headers) == 403 and sent(method='GET', path='/compile?name=x&use_zoo=1', **headers) == 403
        assert sent(method='DELETE', path='/api/v1/jobs/' + 'a' * 26, **headers) == 403
        assert sent(method='GET', path='/health', **headers) == 200
    for host in ('evil.example', 'evil.example:80', 'localhost.evil.example', '127.0.0.1.evil.example'):
        assert sent(method='GET', path='/health', Host=host) == 421, host
    for host in ('LOCALHOST:1', 'a.localhost', '[::1]:80', '192.168.1.4', f'{socket.gethostname()}.'):
        assert sent(method='GET', path='/health', Host=host) == 200, host
    with running(serve_tool, tmp_path / 'd', '--address', '127.0.0.2', '--host', 'outside', '--host', 'Other.example') as s:
        assert sent(s, Host='inside') == 421 and sent(s, Host='other.example:80') == 202
        assert sent(s, Host='localhost', X_Forwarded_Host='outside', Origin='https://outside') == 202


def test_a_blob_out_of_a_superblob(server, run, model, tmp_path):
    run('convert', model, '-o', tmp_path / 'x.blob', '--shaves', 5)
    for options in ({'superblob': True}, {'nn_archive': True}):
        job = wait(server, submit(server, model, **options).json())
        one = wait(server, requests.post(server.api + '/jobs', data={'options': json.dumps({'kind': 'inspect', 'job': job['id'], 'shaves': 5})}).json())
        assert [r['kind'] for r in one['results']] == ['blob', 'report'], one
        assert requests.get(f"{server.api}/jobs/{one['id']}/result").content == (tmp_path / 'x.blob').read_bytes()
        assert requests.get(f"{server.api}/jobs/{one['id']}/results/report").json()['header']['shaves'] == 5
        assert requests.post(server.api + '/estimate', data={'job': one['id']}).json()['shaves'] == 5


@pytest.mark.parametrize('options, kind', [({'superblob': True}, 'superblob'), ({'nn_archive': True}, 'nnarchive')])
def test_other_results(server, model, options, kind):
    job = wait(server, submit(server, model, **options).json())
    assert [r['kind'] for r in job['results']] == [kind, 'report'], job
    report = requests.post(server.api + '/inspect', data={'job': job['id']})
    assert report.status_code == 200 and report.json()['kind'] in ('superblob', 'nn archive', 'archive'), report.text[:300]


def test_reports_are_waited_for(server, model):
    for kind, member in (('check', 'compiles'), ('estimate', 'fps'), ('compare', 'outputs_within')):
        r = requests.post(f'{server.api}/{kind}', files={'file': open(model, 'rb')})
        assert r.status_code == 200 and r.json()[member], r.text
        assert requests.get(server.url + r.headers['location']).json()['state'] == 'done'


def test_errors_name_the_layer(server, bad_model):
    job = wait(server, submit(server, bad_model).json())
    assert job['state'] == 'failed' and any('Det' in e['message'] for e in job['errors'])
    r = requests.get(f"{server.api}/jobs/{job['id']}/result")
    assert r.status_code == 422 and r.json()['errors'] == job['errors']
    assert server.data not in json.dumps(job)


def events_of(url):
    name = ''
    for line in requests.get(url, stream=True, timeout=60).iter_lines(decode_unicode=True):
        if line.startswith('event: '):
            name = line[7:]
        elif line.startswith('data: '):
            yield name, json.loads(line[6:])


def test_events_and_cancel(server, slow_model, model):
    job = submit(server, slow_model, kind='compare').json()
    seen = []
    for name, data in events_of(f"{server.api}/jobs/{job['id']}/events"):
        seen.append(name)
        if name == 'progress' and seen.count('progress') == 1:
            assert requests.delete(f"{server.api}/jobs/{job['id']}").status_code == 200
    assert seen[0] == 'state' and seen[-1] == 'done' and 'progress' in seen
    assert data['state'] == 'cancelled'
    assert requests.get(f"{server.api}/jobs/{job['id']}/result").status_code == 409
    done = wait(server, submit(server, model, shaves=2).json())
    late = [name for name, _ in events_of(f"{server.api}/jobs/{done['id']}/events")]
    assert late[-1] == 'done'
    assert requests.delete(f"{server.api}/jobs/{done['id']}").json()['state'] == 'done'


def test_cancelled_at_any_moment(server, slow_model):
    """While it waits, is taken, starts, runs."""
    for delay in range(10):
        job = submit(server, slow_model, kind='compare', no_cache=True).json()
        time.sleep(delay / 100)
        requests.delete(f"{server.api}/jobs/{job['id']}")
        assert wait(server, job, 6)['state'] == 'cancelled'


@pytest.mark.parametrize('options, status, words', [
    ({'shaves': 17}, 400, 'from 1 to 16'), ({'shavse': 4}, 400, 'did you mean'), ({'target': '2019.R3'}, 400, '2022.1'),
    ({'kind': 'dance'}, 400, 'no kind'), ({'job': 'a' * 26}, 404, 'no job'), ({'model': 'other.onnx'}, 404, 'no file is called'),
    ({'input_shapes': {'x': [1, -3]}}, 400, 'positive'), ({'config': 'nothing'}, 400, 'KEY=VALUE'), ({'kind': 'inspect', 'batch': 3}, 400, 'no meaning'),
    ({'shaves': '4'}, 400, 'not a number'), ({'ir': 'true'}, 400, 'true or false'), ({'no_cache': 1}, 400, 'true or false'), ({'mean_values': None}, 400, 'not a text'),
    ({'zoo': {'called': 'x'}}, 400, 'no member'), ({'layout': '\x01'}, 400, 'control characters'), ({'cut_unsupported': 1}, 400, 'true or false'),
])
def test_wrong_options(server, model, options, status, words):
    r = submit(server, model, **options)
    assert r.status_code == status and words in r.text, r.text


def test_info_and_description_are_true(server, run):
    info = requests.get(server.api + '/info').json()
    for kind in ('convert', 'check', 'compare', 'estimate'):
        words = run(kind, '--help').stdout.replace('_', '-').split()
        for option in info['options']:
            if kind in option['kinds']:
                assert option['flag'].replace('_', '-') in [w.strip(',') for w in words], (kind, option['name'])
    words = ' '.join(run('convert', '--help').stdout.split())
    for f in info['formats']:
        assert f['name'] in words
    assert ', '.join(info['targets']) in words
    description = requests.get(server.api + '/openapi.json').json()
    assert '/jobs/{id}/events' in description['paths']
    assert requests.get(server.url + '/health').json()['status'] == 'ok'
    assert 'blobsmith_jobs_queued 0' in requests.get(server.url + '/metrics').text


def test_nothing_leaves_the_sandbox(serve_tool, tmp_path):
    r = subprocess.run([serve_tool, 'serve', '--data', tmp_path / 'd', '--self-test'], capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stdout + r.stderr
    assert 'read     read refused' in r.stdout and 'spin     killed' in r.stdout


def test_limits(serve_tool, model, slow_model, tmp_path):
    with running(serve_tool, tmp_path / 'd', '--jobs', 1, '--queue', 2, '--max-upload', '2M', '--job-seconds', 2, '--connections-per-address', 40) as s:
        big = requests.post(s.api + '/jobs', files={'file': ('x.onnx', bytes(3 << 20))})
        assert big.status_code == 413
        slow = submit(s, slow_model, kind='compare').json()
        answers = [submit(s, model, shaves=n) for n in range(1, 8)]
        busy = [a for a in answers if a.status_code == 429]
        assert busy and busy[0].headers['retry-after']
        accepted = [a.json() for a in answers if a.status_code == 202]
        slow = wait(s, slow)
        assert slow['state'] == 'failed' and 'longer than 2 seconds' in slow['errors'][0]['message']
        assert accepted and all(wait(s, a)['state'] == 'done' for a in accepted)  # and nobody waits any more
        wait(s, submit(s, model, shaves=3).json())


def test_a_restart_loses_nothing(serve_tool, model, slow_model, tmp_path):
    with running(serve_tool, tmp_path / 'd', '--jobs', 1) as s:
        first = submit(s, slow_model, kind='check').json()
        jobs = [submit(s, model, shaves=n).json() for n in (1, 2, 3)]
        s.stop(9)
    with running(serve_tool, tmp_path / 'd') as s:
        assert wait(s, first)['state'] == 'done'
        for j in jobs:
            assert wait(s, j)['state'] == 'done'
        assert not os.listdir(tmp_path / 'd' / 'work')


def test_who_waits_is_told_of_the_end(serve_tool, slow_model, tmp_path):
    with running(serve_tool, tmp_path / 'd', '--jobs', 1) as s, concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(requests.post, s.api + '/compare', files={'file': open(slow_model, 'rb')}) for _ in range(3)]
        while requests.get(s.url + '/health').json()['queued'] < 2:  # all have arrived
            time.sleep(0.05)
        s.stop()
        assert [a.result().status_code for a in answers] == [503] * 3
    assert open(tmp_path / 'd.log').read() == ''


def test_idle_connections_hold_nobody_up(server, model):
    idle = [socket.create_connection(('127.0.0.1', server.port)) for _ in range(300)]
    for i, s in enumerate(idle):
        if i % 2:
            s.sendall(b'POST /compile HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc' if i % 4 == 1 else b'GET / HT')
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        start = time.time()
        assert all(r.status_code == 200 for r in pool.map(lambda _: requests.get(server.url + '/health'), range(40)))
    assert time.time() - start < 5
    for s in idle:
        s.close()


def test_connections_of_one_address_and_time_outs(serve_tool, tmp_path):
    with running(serve_tool, tmp_path / 'd', '--connections-per-address', 10, '--idle-seconds', 3) as s:
        opened = []
        for i in range(14):
            c = socket.create_connection(('127.0.0.1', s.port))
            c.sendall((b'', b'GET / HT', b'POST /compile HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc')[i % 3])
            opened.append(c)
        time.sleep(0.3)
        assert len(select.select(opened, [], [], 0)[0]) == 4   # the end, or a refusal before it
        end = time.time() + 20
        while len(select.select(opened, [], [], 0)[0]) < 14:
            assert time.time() < end
            time.sleep(0.1)
        assert requests.get(s.url + '/health').status_code == 200


def test_the_quota_drops_the_longest_unused(serve_tool, model, tmp_path):
    with running(serve_tool, tmp_path / 'd', '--quota', 1) as s:
        job = wait(s, submit(s, model, shaves=3).json())
        end = time.time() + 40
        while requests.get(f"{s.api}/jobs/{job['id']}").status_code == 200 and time.time() < end:
            time.sleep(0.5)
        assert requests.get(f"{s.api}/jobs/{job['id']}").status_code == 404


def without_landlock():
    """Calls of landlock_create_ruleset fail from here on, in this process and its children, as on an older kernel."""
    libc = ctypes.CDLL(None, use_errno=True)
    instruction = struct.Struct('HBBI')  # code, jump if true, jump if false, value
    load, equal, end = 0x20, 0x15, 0x06
    program = b''.join(instruction.pack(*i) for i in ((load, 0, 0, 0), (equal, 0, 1, 444), (end, 0, 0, 0x50000 | errno.ENOSYS), (end, 0, 0, 0x7fff0000)))
    code = ctypes.create_string_buffer(program)
    filter_of = ctypes.create_string_buffer(struct.pack('HxxxxxxP', len(program) // instruction.size, ctypes.addressof(code)))
    assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, filter_of, 0, 0) == 0, 'PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP'


def test_a_sandbox_with_fewer_layers_can_be_refused(tool, tmp_path):
    command = [tool, 'serve', '--port', '0', '--data', tmp_path / 'data']
    done = subprocess.run([*command, '--sandbox=require'], capture_output=True, text=True, preexec_fn=without_landlock, timeout=60)
    assert done.returncode != 0 and 'only these layers' in done.stderr and 'landlock' not in done.stderr.split('only these layers')[1], done.stderr
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=without_landlock) as server:
        told = server.stdout.readline()
        assert told.startswith('sandbox: ') and 'seccomp' in told and 'landlock' not in told, 'what holds is said'
        server.terminate()
