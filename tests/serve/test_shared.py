"""Several servers and workers on one PostgreSQL; blobs in the database, a folder, an S3 store; processes that are killed."""
import contextlib
import glob
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

import mirror
import pytest
import requests
from service_process import Server, running
from test_service import submit, wait

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Postgres:
    """A database of its own, started and killed as the tests like."""

    def __init__(self, folder):
        self.programs = sorted(glob.glob('/usr/lib/postgresql/*/bin'))[-1]
        self.folder, self.port = pathlib.Path(folder), free_port()
        self.user = [] if os.geteuid() else ['runuser', '-u', 'postgres', '--']
        self.folder.mkdir()
        if not os.geteuid():
            shutil.chown(self.folder, 'postgres')
        self.call('initdb', '-D', self.folder / 'db', '-A', 'trust', '-U', 'postgres', '-N')
        self.start()

    def call(self, program, *arguments):
        subprocess.run([*self.user, f'{self.programs}/{program}', *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, cwd='/')

    def start(self):
        self.call('pg_ctl', '-D', self.folder / 'db', '-w', '-l', self.folder / 'log', '-o', f'-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1', 'start')

    def stop(self, how='fast'):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.call('pg_ctl', '-D', self.folder / 'db', '-w', '-m', how, 'stop')

    def kill(self):
        os.kill(int((self.folder / 'db' / 'postmaster.pid').read_text().split()[0]), signal.SIGKILL)
        for attempt in range(40):  # until the killed one's processes are gone
            time.sleep(0.25)
            with contextlib.suppress(subprocess.CalledProcessError):
                return self.start()
        raise AssertionError('the database does not start again')

    @property
    def url(self):
        return f'postgresql://postgres@127.0.0.1:{self.port}/postgres'


@pytest.fixture(scope='module')
def postgres():
    if not glob.glob('/usr/lib/postgresql/*/bin/initdb'):
        pytest.skip('PostgreSQL is not installed')
    import tempfile
    folder = tempfile.mkdtemp(prefix='pg', dir='/tmp')
    os.chmod(folder, 0o755)
    p = Postgres(os.path.join(folder, 'p'))
    yield p
    p.stop('immediate')
    shutil.rmtree(folder)


class Worker:
    def __init__(self, tool, data, *arguments):
        self.process = subprocess.Popen([tool, 'worker', '--data', str(data), *map(str, arguments)], stdout=subprocess.PIPE, text=True,
                                        stderr=open(f'{data}.log', 'a'))
        assert 'sandbox' in self.process.stdout.readline(), open(f'{data}.log').read()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(20)
        self.process.stdout.close()


@pytest.fixture(params=['database', 'folder', 's3'])
def objects(request, tmp_path, monkeypatch):
    if request.param == 'folder':
        yield f'folder:{tmp_path}/objects'
    elif request.param == 'database':
        yield 'database'
    else:
        pytest.importorskip('moto.server')
        port = free_port()
        monkeypatch.setenv('AWS_ACCESS_KEY_ID', 'a')
        monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', 'b')
        server = subprocess.Popen([sys.executable, '-m', 'moto.server', '-p', str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.time() + 60
        while time.time() < end:
            with contextlib.suppress(requests.ConnectionError):
                requests.get(f'http://127.0.0.1:{port}/', timeout=10)  # the bucket comes with the first object
                break
            time.sleep(0.2)
        yield f's3://blobs/some?endpoint=http://127.0.0.1:{port}&region=us-east-1'
        server.kill()
        server.wait()


def test_a_server_and_a_worker(serve_tool, run, postgres, objects, model, tmp_path):
    shared = ('--database', postgres.url, '--objects', objects)
    with running(serve_tool, tmp_path / 'a', '--no-worker', *shared) as a, running(serve_tool, tmp_path / 'b', '--no-worker', *shared) as b:
        worker = Worker(serve_tool, tmp_path / 'w', *shared)
        job = submit(a, model, shaves=3, no_cache=True).json()
        r = requests.get(f"{b.api}/jobs/{job['id']}/events", timeout=60)
        assert 'event: done' in r.text
        run('convert', model, '-o', tmp_path / 'x.blob', '--shaves', 3)
        assert requests.get(f"{b.api}/jobs/{job['id']}/result").content == (tmp_path / 'x.blob').read_bytes()
        assert requests.get(f"{b.api}/jobs/{job['id']}/files/small.onnx").content == model.read_bytes()
        cached = submit(b, model, shaves=3).json()
        assert cached['cached']
        worker.stop()


def commands_of_document(**places):
    """The commands of docs/service.md that back up and restore, for other places."""
    with open(os.path.join(ROOT, 'docs', 'service.md')) as f:
        section = re.search(r'## Backup and upgrade(.*?)\n## ', f.read(), re.S)[1]
    for line in re.findall(r'^(?:sqlite3|cp|pg_dump|pg_restore) .*$', section, re.M):
        for place, own in {'/var/lib/blobsmith': places['data'], '/backup': places['backup'], 'postgresql://blobsmith@db/blobsmith': places['database']}.items():
            line = line.replace(place, str(own))
        yield line.split()[0], shlex.split(line)


def run_all(commands, programs):
    for name, words in commands:
        if name in programs:
            subprocess.run(words, check=True, capture_output=True, timeout=60)


def test_backup_of_one_machine(serve_tool, model, slow_model, tmp_path):
    if not shutil.which('sqlite3'):
        pytest.skip('there is no sqlite3')
    (tmp_path / 'backup').mkdir()
    with running(serve_tool, tmp_path / 'd', '--jobs', 1) as s:
        done = wait(s, submit(s, model, shaves=3).json())
        blob = requests.get(f"{s.api}/jobs/{done['id']}/result").content
        runs, waits = submit(s, slow_model, kind='check').json(), submit(s, model, shaves=4).json()
        run_all(commands_of_document(data=tmp_path / 'd', backup=tmp_path / 'backup', database=''), ('sqlite3', 'cp'))
    with running(serve_tool, tmp_path / 'backup') as s:
        assert requests.get(f"{s.api}/jobs/{done['id']}/result").content == blob
        assert submit(s, model, shaves=3).json()['cached']
        assert wait(s, runs)['state'] == wait(s, waits)['state'] == 'done'


def test_backup_of_a_database(serve_tool, postgres, model, tmp_path):
    (tmp_path / 'backup').mkdir()
    places = {'data': '', 'backup': tmp_path / 'backup', 'database': postgres.url}
    with running(serve_tool, tmp_path / 'a', '--database', postgres.url) as s:
        done = wait(s, submit(s, model, shaves=3).json())
        blob = requests.get(f"{s.api}/jobs/{done['id']}/result").content
        run_all(commands_of_document(**places), ('pg_dump',))
        later = submit(s, model, shaves=9).json()
    run_all(commands_of_document(**places), ('pg_restore',))
    with running(serve_tool, tmp_path / 'b', '--database', postgres.url) as s:
        assert requests.get(f"{s.api}/jobs/{done['id']}/result").content == blob
        assert requests.get(f"{s.api}/jobs/{later['id']}").status_code == 404
        assert wait(s, submit(s, model, shaves=5).json())['state'] == 'done'


def kills(serve_tool, run, postgres, model, tmp_path, count):
    """Jobs go in while servers, workers and the database are killed: each ends once, rightly."""
    random.seed(count)
    expected = {}
    for n in range(1, 9):
        run('convert', model, '-o', tmp_path / f'{n}.blob', '--shaves', n)
        expected[n] = (tmp_path / f'{n}.blob').read_bytes()
    shared = ('--database', postgres.url, '--lease-seconds', 3)
    with mirror.files(model.read_bytes(), pause=0.2) as (address, _):
        for i in range(count):   # models that are fetched meanwhile
            mirror.make_zoo(tmp_path / 'zoo', model.read_bytes(), f'net{i}')
        kill_all(serve_tool, postgres, model, tmp_path, count, expected, shared, ('--no-worker', '--zoo', tmp_path / 'zoo', '--mirror', address, *shared))


def kill_all(serve_tool, postgres, model, tmp_path, count, expected, shared, of_server):
    server = Server(serve_tool, tmp_path / 'a', *of_server)
    workers = [Worker(serve_tool, tmp_path / f'w{i}', *shared, '--jobs', 2) for i in range(2)]
    jobs = []
    for turn in range(count):
        for k in range(3):
            n = random.randint(1, 8)
            with contextlib.suppress(requests.RequestException):
                r = submit(server, *([] if k == 2 else [model]), shaves=n, no_cache=True, **({'zoo': f'net{turn}'} if k == 2 else {}))
                if r.status_code == 202:
                    jobs.append((n, r.json()['id']))
        time.sleep(random.uniform(0, 0.3))
        victim = random.choice(['server', 'worker', 'worker', 'database'])
        if victim == 'server':
            server.stop(signal.SIGKILL)
            server = Server(serve_tool, tmp_path / 'a', *of_server)
        elif victim == 'worker':
            i = random.randrange(2)
            workers[i].stop(signal.SIGKILL)
            workers[i] = Worker(serve_tool, tmp_path / f'w{i}', *shared, '--jobs', 2)
        else:
            postgres.kill()
    end = time.time() + 120
    ended = {}
    while len(ended) < len(jobs) and time.time() < end:
        for n, job in jobs:
            if job not in ended:
                state = requests.get(f'{server.api}/jobs/{job}').json()
                if state.get('state') in ('done', 'failed'):
                    ended[job] = state
        time.sleep(0.2)
    assert len(ended) == len(jobs) and len(jobs) >= count
    for n, job in jobs:
        if ended[job]['state'] == 'done':
            assert requests.get(f'{server.api}/jobs/{job}/result').content == expected[n]
        else:
            assert 'went away' in ended[job]['errors'][0]['message']
    assert sum(j['state'] == 'done' for j in ended.values()) > len(jobs) // 2
    server.stop()
    for w in workers:
        w.stop()


def test_some_kills(serve_tool, run, postgres, model, tmp_path):
    kills(serve_tool, run, postgres, model, tmp_path, 4)


@pytest.mark.skipif('BLOBSMITH_KILLS' not in os.environ, reason='long: make check-all')
def test_many_kills(serve_tool, run, postgres, model, tmp_path):
    kills(serve_tool, run, postgres, model, tmp_path, int(os.environ['BLOBSMITH_KILLS']))
