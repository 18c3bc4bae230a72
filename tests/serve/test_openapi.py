"""docs/openapi.yaml held against the server by schemathesis: requests that it allows and that it forbids, and every answer."""
import os
import subprocess
import sys

import pytest
import requests

RUN = '''
import schemathesis
from schemathesis.cli import schemathesis as command

@schemathesis.hook
def before_call(context, case, kwargs):
    """That the files of a request have different names, and which of them is the model, no schema can say: one is sent."""
    if case.meta and case.meta.generation.mode.name == "POSITIVE" and isinstance(case.body, dict) and isinstance(case.body.get("file"), list):
        case.body["file"] = case.body["file"][:1]

command()
'''


# Files that are no models are answered with 422, jobs that have not ended with 409: no schema can say which. A job that is cancelled is still shown.
CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "404", "409", "422", "429"]
[checks.use_after_free]
enabled = false
"""
# Every limit of every option of every kind of jobs takes a minute.
QUICK = """
[[operations]]
include-method = "POST"
phases.coverage.enabled = false
"""
# Of five kinds of options, what breaks the rules of one keeps those of another: the tool takes it for forbidden all the same.
FULL = """
[[operations]]
include-operation-id = "submitJob"
checks.negative_data_rejection.enabled = false
"""


def described(server, tmp_path, configuration, *arguments):
    (tmp_path / 'schemathesis.toml').write_text(configuration)
    done = subprocess.run([sys.executable, '-c', RUN, '--config-file', 'schemathesis.toml', 'run', f'{server.api}/openapi.json', '--seed', '1', '--no-shrink', '--warnings', 'off',
                           '--suppress-health-check', 'all', '--request-timeout', '20', '--no-color', *map(str, arguments)],
                          capture_output=True, text=True, timeout=900, cwd=tmp_path)
    assert done.returncode == 0, ''.join(line[:500] + '\n' for line in done.stdout.splitlines()) + done.stderr[-2000:]
    assert requests.get(server.url + '/health').json()['status'] == 'ok'
    return done.stdout


def test_the_description_holds(server, tmp_path):
    pytest.importorskip('schemathesis')
    said = described(server, tmp_path, CONFIGURATION + QUICK, '--phases', 'coverage,fuzzing', '--max-examples', 4)
    assert 'Tested: 16' in said


@pytest.mark.skipif('BLOBSMITH_DESCRIPTION' not in os.environ, reason='long: make kills')
def test_every_case_of_the_description(server, tmp_path):
    described(server, tmp_path, CONFIGURATION + FULL, '--phases', 'coverage,fuzzing,stateful', '--max-examples', 10)
