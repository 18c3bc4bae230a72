"""Data of earlier versions: jobs that wait go on, those that ended are shown, the tables become today's. tables-N.sql is what the program of
tables N left: one job done, one failed, one waiting."""
import hashlib
import sqlite3
import subprocess

import pytest
import requests
from service_process import conv_model, running
from test_service import wait
from test_shared import postgres  # noqa: F401: a fixture

WAITING, DONE, FAILED = '6damz4vf6zvojfrjfxf2rxne2u', 'm64iic2qgcpco4ifonrhabyegr', 'a4esara5fpeulmhu5vapqg32ku'
BLOB = '11bcf530f70bd12aecb2aaa3d61042ecb0dd796f14306f77d693e0d9820a80aa'
TABLES = [1]


def tables(number, folder):
    return (folder / f'tables-{number}.sql').read_text()


def contents():
    """By key: of the model, and the blob that was made of it."""
    model = conv_model(channels=1, size=4, kernel=1).SerializeToString()
    return {hashlib.sha256(model).hexdigest(): model, BLOB: b'a blob of before'}


def check(s):
    job = lambda name: requests.get(f'{s.api}/jobs/{name}').json()
    assert wait(s, job(WAITING))['state'] == 'done' and len(requests.get(f'{s.api}/jobs/{WAITING}/result').content) > 1000
    assert job(DONE)['state'] == 'done' and requests.get(f'{s.api}/jobs/{DONE}/result').content == b'a blob of before'
    assert job(FAILED)['state'] == 'failed' and job(FAILED)['errors'][0]['code'] == 'BS1020'


@pytest.mark.parametrize('number', TABLES)
def test_a_data_folder_of_before(serve_tool, request, tmp_path, number):
    data = tmp_path / 'd'
    for key, content in contents().items():
        (data / 'objects' / key[:2]).mkdir(parents=True)
        (data / 'objects' / key[:2] / key).write_bytes(content)
    with sqlite3.connect(data / 'jobs.sqlite') as c:
        c.executescript(tables(number, request.path.parent))
    with running(serve_tool, data, '--keep-days', 100000) as s:
        check(s)
    with running(serve_tool, tmp_path / 'new'):
        pass
    columns = [sqlite3.connect(d / 'jobs.sqlite').execute("SELECT name, type FROM pragma_table_info('jobs')").fetchall() for d in (data, tmp_path / 'new')]
    assert columns[0] == columns[1]


@pytest.mark.parametrize('number', TABLES)
def test_a_shared_database_of_before(serve_tool, request, postgres, tmp_path, number):  # noqa: F811
    fill = ''.join(f"INSERT INTO object_bytes VALUES ('{key}', 0, decode('{content.hex()}', 'hex'));" for key, content in contents().items())
    make = 'CREATE TABLE object_bytes (object TEXT NOT NULL, number INTEGER NOT NULL, bytes BYTEA NOT NULL, PRIMARY KEY (object, number));'
    subprocess.run(['psql', '-q', '-v', 'ON_ERROR_STOP=1', postgres.url], input=tables(number, request.path.parent) + make + fill, text=True, check=True)
    with running(serve_tool, tmp_path / 'd', '--database', postgres.url, '--keep-days', 100000) as s, running(
            serve_tool, tmp_path / 'e', '--database', postgres.url, '--keep-days', 100000):
        check(s)


def test_a_newer_program_has_used_it(serve_tool, tmp_path):
    with running(serve_tool, tmp_path / 'd'):
        pass
    with sqlite3.connect(tmp_path / 'd' / 'jobs.sqlite') as c:
        newest, = c.execute('SELECT version FROM schema_version').fetchone()
        c.execute('UPDATE schema_version SET version = 1000')   # one that leaves what is there as it was
    with running(serve_tool, tmp_path / 'd'):
        pass
    with sqlite3.connect(tmp_path / 'd' / 'jobs.sqlite') as c:
        c.execute('UPDATE schema_version SET oldest = ?', [newest + 1])
    done = subprocess.run([serve_tool, 'serve', '--port', '0', '--data', tmp_path / 'd'], capture_output=True, text=True, timeout=20)
    assert done.returncode == 3 and 'upgraded by a newer version of blobsmith' in done.stderr, done.stderr
