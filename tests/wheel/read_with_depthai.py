"""What depthai sees of the files that the wheel wrote: read_with_depthai.py MODELS WORK. depthai 2 knows blobs alone."""
import hashlib
import os
import sys

os.environ['DEPTHAI_LEVEL'] = 'error'  # no words on USB
import depthai as dai

MODELS, WORK = sys.argv[1:]


def digest(data):
    return hashlib.sha256(bytes(bytearray(data))).hexdigest()


def file_digest(folder, name):
    with open(os.path.join(folder, name), 'rb') as f:
        return digest(f.read())


def look_at(blob, shaves):
    x, y = blob.networkInputs['x'], blob.networkOutputs['y']
    assert (blob.numShaves, blob.numSlices) == (shaves, shaves), (blob.numShaves, blob.numSlices)
    assert (x.dataType.name, x.order.name, list(x.dims)) == ('U8F', 'NCHW', [16, 16, 3, 1])
    assert (y.dataType.name, list(y.dims)) == ('FP16', [1, 1, 4, 1]), (y.dataType.name, list(y.dims))
    assert blob.version.name == 'VERSION_2022_1' and blob.stageCount > 0


for n in range(1, 17):
    blob = dai.OpenVINO.Blob(os.path.join(MODELS, '%d.blob' % n))
    look_at(blob, n)
    assert digest(blob.data) == file_digest(MODELS, '%d.blob' % n)
if dai.__version__.startswith('2.'):
    pipeline = dai.Pipeline()
    pipeline.create(dai.node.NeuralNetwork).setBlob(blob)
    assert pipeline.getRequiredOpenVINOVersion().name == 'VERSION_2022_1'
else:
    superblob = dai.OpenVINO.SuperBlob(os.path.join(WORK, 's.superblob'))
    archive = dai.NNArchive(os.path.join(WORK, 's.rvc2.tar.xz'))
    for n in range(1, 17):
        blob = superblob.getBlobWithNumShaves(n)
        look_at(blob, n)
        assert digest(blob.data) == file_digest(MODELS, '%d.blob' % n), n
        again = archive.getSuperBlob().getBlobWithNumShaves(n)
        assert digest(again.data) == digest(blob.data), n
    assert archive.getModelType() == dai.ModelType.SUPERBLOB and archive.getInputSize() == (16, 16)
    assert archive.getConfig().model.metadata.name == 'net'
print(dai.__version__, 'reads all of it')
