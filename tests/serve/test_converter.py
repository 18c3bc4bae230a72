"""The original converter's routes: by the unmodified blobconverter 1.4.3, and by hand."""
import hashlib
import json
import os
import re
import shlex
import struct
import sys
import zipfile

import pytest
import requests
from service_process import running

blobconverter = pytest.importorskip('blobconverter')


@pytest.fixture
def client(server, tmp_path, monkeypatch):
    """The package, asking our server; the vendor's store of blobs has none."""
    real = blobconverter.requests.get

    def get(url, *args, **kwargs):
        if url.startswith(server.url):
            return real(url, *args, **kwargs)
        r = requests.models.Response()
        r.status_code = 404
        return r
    monkeypatch.setattr(blobconverter.requests, 'get', get)
    blobconverter.set_defaults(url=server.url, output_dir=tmp_path / 'out', silent=True)
    return blobconverter


def blob_of(run, tmp_path, *arguments):
    r = run('convert', *arguments, '-o', tmp_path / 'expected.blob')
    assert r.returncode == 0, r.stderr
    return (tmp_path / 'expected.blob').read_bytes()


def stamp(blob):
    return struct.unpack_from('<II', blob, 60)


@pytest.fixture(scope='session')
def ir(tool, model, tmp_path_factory):
    import subprocess
    folder = tmp_path_factory.mktemp('ir')
    subprocess.run([tool, 'mo', '--input_model', model, '--output_dir', folder, '--data_type', 'FP16'], check=True, capture_output=True)
    return folder / 'small.xml', folder / 'small.bin'


@pytest.mark.parametrize('version', ['2020.4', '2021.1', '2021.2', '2021.3', '2021.4', '2022.1'])
def test_from_onnx(client, run, model, tmp_path, version):
    path = client.from_onnx(str(model), version=version, shaves=5, optimizer_params=['--mean_values=[127.5,127.5,127.5]', '--scale 255'])
    blob = path.read_bytes() if hasattr(path, 'read_bytes') else open(path, 'rb').read()
    assert os.path.basename(path) == f'small_openvino_{version}_5shave.blob'
    assert blob == blob_of(run, tmp_path, model, '--shaves', 5, '--target', version, '--mean-values', '[127.5,127.5,127.5]', '--scale', 255, '-ip', 'U8')
    assert stamp(blob) == tuple(map(int, version.split('.')))


def test_from_openvino_and_ir(client, run, ir, model, tmp_path):
    path = client.from_openvino(xml=str(ir[0]), bin=str(ir[1]), shaves=3)
    assert open(path, 'rb').read() == blob_of(run, tmp_path, ir[0], '--shaves', 3, '-ip', 'U8')
    path = client.from_onnx(str(model), shaves=2, download_ir=True, optimizer_params=[])
    with zipfile.ZipFile(path) as z:
        assert z.namelist() == ['small.xml', 'small.bin', 'small.blob']
        assert z.read('small.blob') == blob_of(run, tmp_path, model, '--shaves', 2, '-ip', 'U8')


def test_dry_gives_commands_that_run(client, run, model, tmp_path, monkeypatch):
    commands = client.from_onnx(str(model), shaves=4, dry=True, compile_params=['-ip FP16'])
    assert len(commands) == 1
    monkeypatch.chdir(model.parent)
    words = shlex.split(commands[0])
    assert words[0] == 'blobsmith' and run(*words[1:]).returncode == 0
    (model.parent / 'small.blob').unlink()


def test_a_failure_says_why(client, bad_model, capsys):
    with pytest.raises(requests.HTTPError):
        client.from_onnx(str(bad_model), shaves=4, optimizer_params=[])
    said = json.loads(re.search(r'^\{.*^\}', capsys.readouterr().out, re.M | re.S)[0])
    assert said['exit_code'] and 'Det' in said['stderr'] and said['code'].startswith('BS') and said['layer_type'] == 'Det'
    assert said['message'].startswith(f"Command failed with exit code {said['exit_code']}, command: blobsmith convert bad.onnx")


def config(name='small.onnx', arguments=(), framework='onnx', **more):
    lines = [f'framework: {framework}', 'task_type: detection', 'files:', f'- name: FP16/{name}', f'  source: {{$type: http, url: "$REQUEST/{name}"}}',
             f'model_optimizer_args: {json.dumps(["--input_model=$dl_dir/FP16/" + name, *arguments])}']
    return '\n'.join(lines + [f'{k}: {v}' for k, v in more.items()])


def post(server, model, query='version=2021.4', text=None, files=(), **fields):
    sent = {'config': ('tmpab12', text if text is not None else config()), **dict(files)}
    if model:
        sent['small.onnx'] = ('small.onnx', open(model, 'rb'))
    return requests.post(f'{server.url}/compile?{query}', data={'name': 'small', **fields}, files=sent)


def test_the_hash_is_the_clients(server, model):
    fields = {'version': '2021.4', 'no_cache': False, 'name': 'small', 'myriad_shaves': '4'}
    text = config()
    r = requests.post(f'{server.url}/compile?version=2021.4&no_cache=False', data={'name': 'small', 'myriad_shaves': '4'},
                      files={'config': ('c', text), 'small.onnx': ('small.onnx', open(model, 'rb'))})
    wanted = hashlib.sha256(json.dumps(fields).encode() + text.encode() + model.read_bytes()).hexdigest()
    assert r.status_code == 200 and r.headers['x-hash'] == wanted
    assert requests.get(f'{server.url}/cache/{wanted}.blob').content == r.content
    assert requests.get(f'{server.url}/cache/{"0" * 64}.blob').status_code == 404
    assert r.headers['content-type'] == 'application/octet-stream' and int(r.headers['content-length']) == len(r.content)


@pytest.mark.parametrize('change, status, words', [
    ({'query': 'version=2022.3_RVC3'}, 400, 'RVC3 is not a Myriad X target'),
    ({'query': 'version=7'}, 400, 'unknown version'),
    ({'zoo_type': 'other'}, 400, 'zoo type'),
    ({'name': ''}, 400, 'Parameter "name" is empty!'),
    ({'name': 'a/../../b'}, 400, 'can\'t be a model\'s'),
    ({'myriad_shaves': 'many'}, 400, 'from 1 to 16'),
    ({'myriad_params_advanced': '- i p   F P 1 6'}, 400, 'letter by letter'),
    ({'text': 'a: ['}, 400, 'no valid YAML'),
    ({'text': 'framework: onnx'}, 400, '"files" property is missing in model config file'),
    ({'text': 'files: [{name: a}]'}, 400, 'Each file needs to have "source" param'),
    ({'text': 'files: [{name: a, source: {$type: http, url: http://a/b}}]'}, 400, 'You need to supply "size" parameter for file when using a remote source'),
    ({'text': 'files: [{name: a, size: 3, source: {$type: http, url: http://a/b}}]'}, 400, 'You need to supply "sha256"'),
    ({'text': 'files: [{name: a, size: 3, source: {$type: google_drive, id: 3}}]'}, 400, '"sha256"'),
    ({'text': 'files: [{name: a, size: 3, source: http://127.0.0.1/a}]'}, 400, '"sha256"'),
    ({'text': config(framework='cobol')}, 400, 'Unknown framework'),
    ({'text': config('other.onnx')}, 400, 'was not sent'),
    ({'text': 'a: &a [1,1]\nb: &b [*a,*a]\n' + ''.join(f'{chr(99 + i)}: &{chr(99 + i)} [{",".join(["*" + chr(98 + i)] * 9)}]\n' for i in range(12))}, 400, 'too many nodes'),
    ({'text': '[' * 5000}, 400, 'YAML'),
])
def test_wrong_requests(server, model, change, status, words):
    r = post(server, model, **change)
    assert r.status_code == status, r.text
    assert words in (r.json()['message'] if r.text.startswith('{') else r.text), r.text


def test_other_statuses(server):
    assert requests.post(server.url + '/compile', data={'name': 'x'}).text == 'File named "config" must be present in the request form'
    assert requests.post(server.url + '/compile', data={'name': 'x', 'use_zoo': 'True'}).text == 'Model x not found in model zoo'
    r = requests.post(server.url + '/compile', headers={'Accept': 'application/json'})
    assert r.status_code == 400 and r.json()['message'] == 'Parameter "name" is empty!'
    r = requests.put(server.url + '/compile')
    assert r.status_code == 405 and set(r.headers['allow'].split(', ')) == {'POST', 'HEAD', 'OPTIONS', 'GET'}
    assert requests.get(server.url + '/nothing').status_code == 404
    assert requests.get(server.url + '/update').json() == {'status': 'Updated'}
    zoo = requests.get(server.url + '/zoo_models').json()
    assert zoo['version'] == '2' and {'name': 'centerface', 'data_types': ['FP16']} in zoo['available'] + zoo['unavailable']


@pytest.mark.parametrize('fields, files, words', [
    ({'compile_type': 'myriad'}, {}, 'File named "definition" must be present in the request form'),
    ({'compile_type': 'other'}, {}, 'Unknown compile type: other'),
])
def test_old_protocol_faults(server, fields, files, words):
    r = requests.post(server.url + '/compile', data=fields, files={'x': ('x', 'x')})
    assert r.status_code == 400 and r.text == words


@pytest.mark.parametrize('version', ['2019.R3', '2020.1', '2020.2', '2020.3'])
def test_versions_with_another_format(server, ir, version):
    r = requests.post(f'{server.url}/compile?version={version}', files={'definition': open(ir[0], 'rb'), 'weights': open(ir[1], 'rb')}, data={'compile_type': 'myriad'})
    assert r.status_code == 400 and r.json()['message'].startswith(f"blobs of OpenVINO {version} can't be made") and '2020.4' in r.json()['hint'], r.text


def test_old_protocol(server, run, ir, tmp_path):
    r = requests.post(server.url + '/compile?version=2021.4', files={'definition': open(ir[0], 'rb'), 'weights': open(ir[1], 'rb')},
                      data={'compile_type': 'myriad', 'compiler_params': '-ip U8 -VPU_NUMBER_OF_SHAVES 4 -VPU_NUMBER_OF_CMX_SLICES 4'})
    assert r.status_code == 200, r.text
    run('compile', '-m', ir[0], '-o', tmp_path / 'x.blob', '-ip', 'U8', '--shaves', 4, '--slices', 4, '--target', '2021.4', '--no-quirks')
    assert r.content == (tmp_path / 'x.blob').read_bytes()


def test_old_protocol_of_the_first_page(server, run, tmp_path, monkeypatch):
    """What its "Use API" text had: values behind blanks, the platform."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'conformance'))
    import framework_models
    import tensorflow_models
    caffe = framework_models.write(str(tmp_path / 'frameworks'))['caffe_residual'][0]
    (tmp_path / 'net.pb').write_bytes(tensorflow_models.residual())
    fields = {'compile_type': 'model', 'intermediate_compiler_params': '--data_type=FP16 --mean_values [127.5,127.5,127.5] --scale_values [255,255,255]',
              'compiler_params': '-ip U8 -VPU_MYRIAD_PLATFORM VPU_MYRIAD_2480 -VPU_NUMBER_OF_SHAVES 4 -VPU_NUMBER_OF_CMX_SLICES 4'}
    files = {os.path.splitext(n)[1]: os.path.join(caffe, n) for n in os.listdir(caffe)}
    for kind, sent, source in (('tf', {'model': tmp_path / 'net.pb'}, tmp_path / 'net.pb'), ('caffe', {'model': files['.caffemodel'], 'proto': files['.prototxt']}, files['.caffemodel'])):
        answers = [requests.post(f'{server.url}/compile?version=2021.4{dry}', data={'model_type': kind, **fields}, files={f: open(p, 'rb') for f, p in sent.items()})
                   for dry in ('', '&dry=true')]
        assert [r.status_code for r in answers] == [200, 200], answers[0].text
        monkeypatch.chdir(os.path.dirname(source))
        for command in answers[1].json():
            assert run(*shlex.split(command)[1:]).returncode == 0, command
        made = os.path.splitext(source)[0] + '.blob'
        with open(made, 'rb') as f:
            assert answers[0].content == f.read()
        assert '--mean_values=[127.5,127.5,127.5]' in answers[1].text
    r = requests.post(server.url + '/compile', data={'compile_type': 'model', 'model_type': 'tf'}, files={'model': ('x.pb', b'no model')})
    assert r.status_code == 500 and r.json()['exit_code'], r.text  # as then
    r = requests.post(server.url + '/compile', data={'compile_type': 'zoo', 'model_name': 'none', 'model_downloader_params': '--precisions FP16 --num_attempts 5'})
    assert r.status_code == 400 and 'not found in model zoo' in r.text


def test_names_with_blanks_and_letters(server, model):
    r = requests.post(server.url + '/compile', data={'name': 'my net'}, files={'config': ('c', config('my net.onnx')), 'm': ('my net.onnx', open(model, 'rb'))})
    assert r.status_code == 200 and r.headers['content-disposition'] == 'attachment; filename=my_net.blob', r.text
    text = config('caf\\u00e9.onnx')
    r = requests.post(server.url + '/compile', data={'name': 'cafe'}, files={'config': ('c', text), 'm': ('café.onnx', open(model, 'rb'))})
    assert r.status_code == 200, r.text


def write_zoo(folder, model, *arguments):
    data = model.read_bytes()
    place = folder / 'models' / 'public' / 'small'
    place.mkdir(parents=True)
    sums = f'size: {len(data)}, sha256: {hashlib.sha256(data).hexdigest()}, checksum: {hashlib.sha384(data).hexdigest()}'
    (place / 'model.yml').write_text(
        f'description: a net\ntask_type: classification\nframework: onnx\nlicense: MIT\n'
        f'files:\n- {{name: small.onnx, {sums}, source: "https://example.invalid/small.onnx"}}\n'
        'model_optimizer_args: ["--input_model=$dl_dir/small.onnx", "--mean_values=[1,2,3]"' + ''.join(f', "{a}"' for a in arguments) + ']\n')
    (place / 'pre-convert.py').write_text(f'open({str(folder / "was_run")!r}, "w")')   # the original would run it
    mirror = folder / 'mirror' / 'small'
    mirror.mkdir(parents=True)
    (mirror / 'small.onnx').write_bytes(data)


def test_zoo(serve_tool, run, model, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    write_zoo(tmp_path, model)
    expected = blob_of(run, tmp_path, model, '--mean-values', '1,2,3', '-ip', 'U8')
    zoo = ('--zoo', tmp_path / 'models', '--mirror', tmp_path / 'mirror')
    listed = run('zoo', *zoo, 'list', '--json')
    assert [m['name'] for m in json.loads(listed.stdout)] == ['small'], listed.stderr
    r = run('zoo', *zoo, 'convert', 'small', '--', '-o', tmp_path / 'z.blob', '--ip', 'U8')
    assert r.returncode == 0 and (tmp_path / 'z.blob').read_bytes() == expected, r.stderr
    with running(serve_tool, tmp_path / 'd', *zoo) as s:
        assert requests.get(s.url + '/zoo_models').json()['available'] == [{'name': 'small', 'data_types': ['FP16']}]
        r = requests.post(s.url + '/compile', data={'name': 'small', 'use_zoo': 'true'})
        assert r.status_code == 200 and r.content == expected, r.text
        r = requests.post(s.url + '/compile', data={'compile_type': 'zoo', 'model_name': 'small', 'model_downloader_params': '--precisions FP16', 'compiler_params': '-ip U8'})
        assert r.status_code == 200 and r.content == expected, r.text
        listed = requests.get(s.api + '/zoo').json()['models'][0]
        assert listed['license'] == 'MIT' and listed['available']
        job = requests.post(s.api + '/jobs', data={'options': json.dumps({'zoo': {'name': 'small'}, 'input_precision': 'U8'})}).json()
        while job['state'] in ('queued', 'running'):
            job = requests.get(f"{s.api}/jobs/{job['id']}").json()
        assert requests.get(f"{s.api}/jobs/{job['id']}/result").content == expected, job
        assert requests.post(s.api + '/check', data={'zoo': 'other'}).status_code == 404
    write_zoo(tmp_path / 'mo', model, '--keep_shape_ops')  # of Model Optimizer alone
    r = run('zoo', '--zoo', tmp_path / 'mo' / 'models', '--mirror', tmp_path / 'mirror', 'convert', 'small', '--', '-o', tmp_path / 'm.blob', '--ip', 'U8')
    by_mo = (tmp_path / 'm.blob').read_bytes()
    with running(serve_tool, tmp_path / 'e', '--zoo', tmp_path / 'mo' / 'models', '--mirror', tmp_path / 'mirror') as s:
        assert requests.post(s.url + '/compile', data={'name': 'small', 'use_zoo': 'true'}).content == by_mo
        checked = requests.post(s.api + '/check', data={'zoo': 'small'})
        assert checked.status_code == 200 and checked.json()['compiles'], checked.text
        job = requests.post(s.api + '/jobs', data={'options': json.dumps({'zoo': 'small', 'input_precision': 'U8', 'ir': True})}).json()
        while job['state'] in ('queued', 'running'):
            job = requests.get(f"{s.api}/jobs/{job['id']}").json()
        assert [r['kind'] for r in job['results']] == ['blob', 'ir', 'layers', 'report'], job
        assert requests.get(f"{s.api}/jobs/{job['id']}/result").content == by_mo
        assert requests.post(s.api + '/compare', data={'job': job['id']}).json()['outputs_within']
    assert not list(tmp_path.rglob('was_run'))
    (tmp_path / 'mirror' / 'small' / 'small.onnx').write_bytes(b'something else')
    r = run('zoo', '--zoo', tmp_path / 'models', '--mirror', tmp_path / 'mirror', 'get', 'small', '-o', tmp_path / 'got')
    assert r.returncode and 'bytes, not' in r.stderr and not list((tmp_path / 'got').rglob('*.onnx'))
