"""`blobsmith estimate` and `blobsmith fps`: the figures agree with each other, and bad input has an error."""
import json
import subprocess


def run(tool, *args):
    return subprocess.run([str(tool), *map(str, args)], capture_output=True, text=True)


def test_fps_lists_measured_networks(tool):
    rows = json.loads(run(tool, 'fps', 'MobileNet', '--json').stdout)
    assert rows and all('mobilenet' in r['model'].lower() and r['fps'] > 0 and r['source'] for r in rows)
    assert 'no measured network' in run(tool, 'fps', 'no-such-network').stdout


def test_what_is_no_blob_is_an_error(tool, tmp_path):
    bad = tmp_path / 'bad.blob'
    bad.write_bytes(b'no blob at all')
    r = run(tool, 'estimate', bad)
    assert r.returncode == 3 and 'not a blob' in r.stderr, r.stderr
