"""Files that a job's model.yml names are fetched in a stage of the job: progress, cancelling, mirrors that are slow, break off or lie."""
import json
import signal
import threading
import time

import pytest
import requests
from mirror import files, make_zoo
from service_process import conv_model, running
from test_shared import Worker, postgres  # noqa: F401: a fixture
from vendor_proxy import write_certificate


def submit(s, **options):
    r = requests.post(s.api + '/jobs', files={'options': (None, json.dumps({'zoo': 'net', **options}))})
    assert r.status_code == 202, r.text
    return r.json()


def job_of(s, job):
    return requests.get(f"{s.api}/jobs/{job['id']}").json()


def wait(s, job, until=lambda j: j['state'] not in ('queued', 'running'), seconds=30):
    end = time.time() + seconds
    while not until(job):
        assert time.time() < end, job
        time.sleep(0.03)
        job = job_of(s, job)
    return job


@pytest.fixture(scope='module')
def data():
    return conv_model(channels=16, kernel=7).SerializeToString()


def test_a_slow_mirror_holds_nobody_up(serve_tool, data, tmp_path):
    zoo = make_zoo(tmp_path / 'zoo', data)
    opened = threading.Event()
    with files(data, pause=20, open=opened) as (address, _), running(serve_tool, tmp_path / 'd', '--zoo', zoo, '--mirror', address, '--jobs', 1) as s:
        events = []

        def listen():
            for line in requests.get(f"{s.api}/jobs/{job['id']}/events", stream=True).iter_lines():
                events.append(line.decode())
        job = submit(s)
        listener = threading.Thread(target=listen)
        listener.start()
        there = wait(s, job, lambda j: j['phase'] == 'downloading' and j['fraction'] > 0)
        assert there['state'] == 'running' and there['fraction'] < 0.5
        quick = requests.post(s.url + '/compile', data={'name': 'x'}, files={
            'config': b'framework: onnx\nfiles: [{name: x.onnx, source: {$type: http, url: $REQUEST/x.onnx}}]\n', 'x.onnx': conv_model().SerializeToString()})
        assert quick.status_code == 200 and job_of(s, job)['phase'] == 'downloading'
        opened.set()
        job = wait(s, job)
        assert job['state'] == 'done' and job['files'][0]['size'] == len(data), job
        assert job['log'][0]['text'] == f'fetched net.onnx, {len(data)} bytes'
        listener.join(10)
        phases = [json.loads(e[6:])['phase'] for e, name in zip(events[1:], events) if name == 'event: progress']
        fractions = [json.loads(e[6:])['fraction'] for e, name in zip(events[1:], events) if name == 'event: progress']
        assert phases[0] == 'downloading' and phases[-1] == 'writing' and fractions == sorted(fractions)
        # The next finds it here.
        assert submit(s)['cached']
        assert wait(s, submit(s, shaves=4))['state'] == 'done'


def test_a_download_is_cancelled(serve_tool, data, tmp_path):
    zoo = make_zoo(tmp_path / 'zoo', data)
    with files(data, pause=20) as (address, asked), running(serve_tool, tmp_path / 'd', '--zoo', zoo, '--mirror', address) as s:
        job = wait(s, submit(s), lambda j: j['fraction'] > 0)
        begun = time.time()
        requests.delete(f"{s.api}/jobs/{job['id']}")
        assert wait(s, job)['state'] == 'cancelled' and time.time() - begun < 5
        # Whoever waits for the same file can be cancelled too.
        first, second = submit(s), submit(s, shaves=3)
        wait(s, first, lambda j: j['fraction'] > 0)
        requests.delete(f"{s.api}/jobs/{second['id']}")
        assert wait(s, second)['state'] == 'cancelled' and job_of(s, first)['state'] == 'running'


def test_a_transfer_that_breaks_off_is_gone_on_with(serve_tool, data, tmp_path):
    zoo = make_zoo(tmp_path / 'zoo', data)
    with files(data, breaks=[2000, 5000]) as (address, asked), running(serve_tool, tmp_path / 'd', '--zoo', zoo, '--mirror', address) as s:
        assert wait(s, submit(s))['state'] == 'done'
        assert asked == [None, 'bytes=2000-', 'bytes=5000-']


def test_a_server_that_is_killed_goes_on_with_the_download(serve_tool, data, tmp_path):
    zoo = make_zoo(tmp_path / 'zoo', data)
    opened = threading.Event()
    with files(data, pause=20, open=opened) as (address, asked):
        with running(serve_tool, tmp_path / 'd', '--zoo', zoo, '--mirror', address) as s:
            job = wait(s, submit(s), lambda j: j['fraction'] > 0)
            s.stop(signal.SIGKILL)
        opened.set()
        with running(serve_tool, tmp_path / 'd') as s:   # the job knows where from
            assert wait(s, job)['state'] == 'done'
            assert job_of(s, job)['log'][0]['text'].startswith('fetched net.onnx')
        assert len(asked) == 2


@pytest.mark.parametrize('how, more, text', [
    ({'endless': True}, {}, 'larger than stated'), ({}, {'sha256': '0' * 64}, 'another sha256'), ({}, {'size': 7}, 'larger than stated'),
    ({'data': b'short'}, {}, 'has 5 bytes')])
def test_a_mirror_that_lies(serve_tool, data, tmp_path, how, more, text):
    zoo = make_zoo(tmp_path / 'zoo', data, **more)
    with files(**{'data': data, **how}) as (address, _), running(serve_tool, tmp_path / 'd', '--zoo', zoo, '--mirror', address) as s:
        job = wait(s, submit(s))
        assert job['state'] == 'failed' and text in job['errors'][0]['message'] and "can't get net.onnx of net" in job['errors'][0]['message'], job
        assert not [f for f in (tmp_path / 'd').rglob('net.onnx*')]
        old = requests.post(s.url + '/compile', data={'name': 'net', 'use_zoo': 'True'})
        assert old.status_code == 400 and text in old.json()['stderr'] and old.json()['stage'] == 'download', old.text
        assert old.json()['message'] == 'Command failed with exit code 1, command: blobsmith zoo get net'


def test_certificates(serve_tool, data, tmp_path, monkeypatch):
    """Who isn't known to the system is not believed, unless SSL_CERT_FILE says so."""
    zoo = make_zoo(tmp_path / 'zoo', data)
    write_certificate(tmp_path / 'cert.pem', ['localhost'])
    monkeypatch.delenv('SSL_CERT_FILE', raising=False)
    with files(data, certificate=tmp_path / 'cert.pem') as (address, _):
        for file, state, text in ((None, 'failed', 'certificate'), ('none.pem', 'failed', 'none.pem'), ('cert.pem', 'done', '')):
            if file:
                monkeypatch.setenv('SSL_CERT_FILE', str(tmp_path / file))
            with running(serve_tool, tmp_path / 'd', '--zoo', zoo, '--mirror', address) as s:
                job = wait(s, submit(s))
                assert job['state'] == state, job
                assert not text or text in job['errors'][0]['message'] and 'SSL_CERT_FILE' in job['errors'][0]['message'], job


@pytest.mark.parametrize('beside', [True, False])
def test_files_of_this_machine(serve_tool, data, tmp_path, beside):
    """They are read in that stage, too, not while a request waits; what is beside model.yml goes before a mirror."""
    zoo, mirror = make_zoo(tmp_path / 'zoo', data), tmp_path / 'mirror'
    place = (zoo if beside else mirror) / 'net'
    place.mkdir(parents=True, exist_ok=True)
    (place / 'net.onnx').write_bytes(data)
    with running(serve_tool, tmp_path / 'd', '--zoo', zoo, '--mirror', mirror) as s:
        job = wait(s, submit(s))
        assert job['state'] == 'done' and job['log'][0]['text'] == f'fetched net.onnx, {len(data)} bytes', job
        assert submit(s)['cached'] and (place / 'net.onnx').read_bytes() == data
        (place / 'net.onnx').write_bytes(data[:-1] + b'x')
        job = wait(s, submit(s, shaves=3))
        assert job['state'] == 'failed' and 'net.onnx has another sha256; downloads are switched off' in job['errors'][0]['message'], job
        (place / 'net.onnx').unlink()
        refused = requests.post(s.api + '/jobs', files={'options': (None, json.dumps({'zoo': 'net', 'shaves': 2}))})
        assert refused.status_code == 400 and "can't get net.onnx of net" in refused.text


def test_a_server_copies_its_files_for_workers(serve_tool, data, postgres, tmp_path):  # noqa: F811
    """Which may be on machines that don't have them."""
    zoo = make_zoo(tmp_path / 'zoo', data)
    (zoo / 'net' / 'net.onnx').write_bytes(data)
    with running(serve_tool, tmp_path / 's', '--database', postgres.url, '--no-worker', '--zoo', zoo) as s:
        job = submit(s, shaves=7)
        (zoo / 'net' / 'net.onnx').unlink()
        worker = Worker(serve_tool, tmp_path / 'w', '--database', postgres.url, '--lease-seconds', 3)
        try:
            assert wait(s, job)['state'] == 'done'
        finally:
            worker.stop()


def test_a_worker_downloads_for_a_server(serve_tool, data, postgres, tmp_path):  # noqa: F811
    """The server says where from, the worker needs no mirror of its own; cancelling goes by way of the database."""
    zoo = make_zoo(tmp_path / 'zoo', data)
    opened = threading.Event()
    with files(data, pause=20, open=opened) as (address, _), running(serve_tool, tmp_path / 's', '--database', postgres.url, '--no-worker', '--zoo', zoo, '--mirror', address) as s:
        worker = Worker(serve_tool, tmp_path / 'w', '--database', postgres.url, '--lease-seconds', 3)
        try:
            job = wait(s, submit(s), lambda j: j['phase'] == 'downloading' and j['fraction'] > 0)
            requests.delete(f"{s.api}/jobs/{job['id']}")
            assert wait(s, job)['state'] == 'cancelled'
            job = wait(s, submit(s), lambda j: j['fraction'] > 0)
            opened.set()
            assert wait(s, job)['state'] == 'done'
            assert requests.get(f"{s.api}/jobs/{job['id']}/files/net.onnx").content == data
        finally:
            worker.stop()
