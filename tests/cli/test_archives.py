"""Models that come as a folder, or as an archive of one."""
import os
import shutil
import sys
import tarfile
import zipfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'conformance'))
import framework_models  # noqa: E402
import tensorflow_models  # noqa: E402
from ir_builder import Net  # noqa: E402


def blob_of(run, model, made):
    done = run('convert', model, '-o', made, '-q')
    assert done.returncode == 0, done.stderr
    return made.read_bytes()


def pack(path, folder):
    """Every file under the folder, with names that begin with it."""
    if path.suffix == '.zip':
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as z:
            for p in sorted(folder.rglob('*')):
                z.write(p, p.relative_to(folder.parent))
            z.writestr('__MACOSX/._saved_model.pb', b'noise')
    else:
        with tarfile.open(path, 'w:gz' if path.name.endswith('gz') else 'w') as t:
            t.add(folder, './' + folder.name)
    return path


@pytest.fixture
def folders(tmp_path):
    """A SavedModel, an IR, a Caffe network, each in a folder of its own; the file that is given without an archive."""
    saved, ir = tmp_path / 'saved', tmp_path / 'ir'
    (saved / 'assets').mkdir(parents=True)
    (saved / 'saved_model.pb').write_bytes(tensorflow_models.saved_model(tensorflow_models.residual()))
    (saved / 'assets' / 'other.pb').write_bytes(b'no model')
    ir.mkdir()
    net = Net('net')
    net.result(net.layer('ReLU', [net.conv(net.input(1, 3, 8, 8), 3, 4)]))
    net.save(str(ir / 'net'))
    (ir / 'net.mapping').write_text('')
    caffe = tmp_path / 'caffe'
    shutil.copytree(framework_models.write(str(tmp_path / 'frameworks'))['caffe_residual'][0], caffe)
    return {'saved': (saved, saved), 'ir': (ir, ir / 'net.xml'), 'caffe': (caffe, next(caffe.glob('*.caffemodel')))}


@pytest.mark.parametrize('kind, ending', [('saved', '.zip'), ('saved', '.tar'), ('saved', '.tar.gz'), ('ir', '.zip'), ('ir', '.tgz'), ('caffe', '.zip')])
def test_an_archive_is_the_model_in_it(run, folders, tmp_path, kind, ending):
    folder, model = folders[kind]
    archive = pack(tmp_path / f'packed{ending}', folder)
    expected = blob_of(run, model, tmp_path / 'e.blob')
    assert blob_of(run, archive, tmp_path / 'a.blob') == expected
    assert run('check', archive).returncode == 0
    if kind != 'ir':
        assert run('mo', '--input_model', archive, '--output_dir', tmp_path / 'made').returncode == 0


def test_a_saved_model_whose_files_lie_in_one_folder(run, folders, tmp_path):
    (tmp_path / 'flat').mkdir()
    shutil.copy(folders['saved'][0] / 'saved_model.pb', tmp_path / 'flat')
    assert blob_of(run, tmp_path / 'flat' / 'saved_model.pb', tmp_path / 'a.blob') == blob_of(run, folders['saved'][1], tmp_path / 'e.blob')


@pytest.mark.parametrize('write, words', [
    (lambda z: z.writestr('notes.txt', 'x'), 'holds no model'),
    (lambda z: (z.writestr('a.onnx', b'x'), z.writestr('b.onnx', b'x')), 'holds several models: a.onnx, b.onnx'),
    (lambda z: (z.writestr('a.onnx', b'x'), z.writestr('b.caffemodel', b'x')), 'holds several models'),
    (lambda z: z.writestr('a.onnx', bytes(80 << 20)), 'unpacks to more than blobsmith takes'),
    (lambda z: [z.writestr(f'{i}', b'') for i in range(10001)], 'too many files'),
    (lambda z: z.writestr('a.onnx', b'no model'), 'error'),
])
def test_wrong_archives(run, tmp_path, write, words):
    with zipfile.ZipFile(tmp_path / 'x.zip', 'w', zipfile.ZIP_DEFLATED) as z:
        write(z)
    done = run('convert', tmp_path / 'x.zip', '-o', tmp_path / 'x.blob')
    assert done.returncode == 3 and words in done.stderr and not (tmp_path / 'x.blob').exists(), done.stderr


def test_archives_that_are_cut_off(run, folders, tmp_path):
    whole = pack(tmp_path / 'whole.zip', folders['saved'][0]).read_bytes()
    for size in (0, 3, 100, len(whole) // 2, len(whole) - 30):
        (tmp_path / 'cut.zip').write_bytes(whole[:size])
        done = run('convert', tmp_path / 'cut.zip', '-o', tmp_path / 'x.blob')
        # The list of files stands at the end; without it libarchive reads on as far as it can.
        assert done.returncode in (0, 3) and (done.returncode == 0 or 'error[BS1' in done.stderr), done.stderr


def test_the_blob_inside_of_a_superblob(run, folders, tmp_path):
    model = folders['ir'][1]
    for name, option in (('net.superblob', '--superblob'), ('net.tar.xz', '--nn-archive')):
        assert run('convert', model, '-o', tmp_path / name, option).returncode == 0
        done = run('inspect', tmp_path / name, '--shaves', 3, '--extract', tmp_path / '3.blob')
        assert done.returncode == 0 and 'shaves          3' in done.stdout, done.stderr
        run('convert', model, '-o', tmp_path / 'e.blob', '--shaves', 3)
        assert (tmp_path / '3.blob').read_bytes() == (tmp_path / 'e.blob').read_bytes()
    done = run('inspect', tmp_path / 'e.blob', '--shaves', 4)
    assert done.returncode != 0 and 'the blob is for 3 SHAVEs, not 4' in done.stderr
