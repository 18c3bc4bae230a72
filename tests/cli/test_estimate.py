"""`blobsmith estimate` and `blobsmith fps`: the figures agree with each other, and bad input has an error."""
import csv
import html
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(tool, *args):
    return subprocess.run([str(tool), *map(str, args)], capture_output=True, text=True)


class Builder:
    """An ONNX network, layer by layer; every method returns the name of its result."""

    def __init__(self):
        self.nodes, self.made, self.rng = [], [], np.random.default_rng(1)

    def add(self, op, inputs, **attributes):
        name = f'{op}_{len(self.nodes)}'
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def weights(self, *shape):
        name = f'w{len(self.made)}'
        self.made.append(numpy_helper.from_array(self.rng.normal(0, 0.1, shape).astype(np.float32), name))
        return name

    def conv(self, x, ins, outs, kernel=3, stride=1, groups=1):
        pads = [0, 0, 1, 1] if kernel == 3 and stride == 2 else [kernel // 2] * 4
        x = self.add('Conv', [x, self.weights(outs, ins // groups, kernel, kernel), self.weights(outs)], group=groups,
                     strides=[stride] * 2, pads=pads)
        return self.add('Relu', [x])

    def save(self, path, inputs, output):
        ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()]
        graph = helper.make_graph(self.nodes, 'g', ports, [helper.make_tensor_value_info(output, TensorProto.FLOAT,
                                                                                         None)], self.made)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 11)]), path)
        return path


def small(path, channels=32):
    """Convolutions with something for every part of the time: DDR, NCE, SHAVE, copies."""
    b = Builder()
    x = b.conv('x', 3, channels, stride=2)
    x = b.add('Sigmoid', [b.conv(x, channels, 2 * channels)])
    x = b.conv(b.conv(x, 2 * channels, 2 * channels, groups=2 * channels), 2 * channels, 2 * channels, kernel=1)
    return b.save(path, {'x': [1, 3, 96, 96]}, x)


def mobilenet(path, width=0.5, size=160):
    b, c = Builder(), lambda n: int(n * width)
    x, ins = b.conv('x', 3, c(32), stride=2), c(32)
    for outs, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2),
                         (1024, 1)):
        x, ins = b.conv(b.conv(x, ins, ins, stride=stride, groups=ins), ins, c(outs), kernel=1), c(outs)
    x = b.add('GlobalAveragePool', [x])
    x = b.add('Conv', [x, b.weights(1001, ins, 1, 1), b.weights(1001)])
    return b.save(path, {'x': [1, 3, size, size]}, b.add('Softmax', [b.add('Flatten', [x])]))


def test_fps_lists_measured_networks(tool):
    rows = json.loads(run(tool, 'fps', 'MobileNet', '--json').stdout)
    assert rows and all('mobilenet' in r['model'].lower() and r['fps'] > 0 and r['source'] for r in rows)
    assert 'no measured network' in run(tool, 'fps', 'no-such-network').stdout


def test_what_is_no_blob_is_an_error(tool, tmp_path):
    bad = tmp_path / 'bad.blob'
    bad.write_bytes(b'no blob at all')
    r = run(tool, 'estimate', bad)
    assert r.returncode == 3 and 'not a blob' in r.stderr, r.stderr


def test_a_measured_network_is_recognised_by_its_structure(tool, tmp_path):
    model = mobilenet(tmp_path / 'anything.onnx')
    found = json.loads(run(tool, 'estimate', model, '--json').stdout)
    assert found['measured'] and {m['model'] for m in found['measured']} == {'mobilenet-v1-0.50-160'}
    text = run(tool, 'estimate', model).stdout
    assert 'measured as mobilenet-v1-0.50-160: 262.0 FPS on NCS2, OpenVINO 2021.4' in text
    assert found['by_shaves'][6]['range'][0] < 262 < found['by_shaves'][6]['range'][1]  # measured with 7 SHAVEs
    wider = mobilenet(tmp_path / 'a.onnx', width=0.75)
    for other in (wider, mobilenet(tmp_path / 'mobilenet-v1-0.50-160.onnx', size=96)):
        assert json.loads(run(tool, 'estimate', other, '--json').stdout)['measured'] == []


class Picture:
    """A plot of the page, read with the numbers at its axes."""

    def __init__(self, page, name):
        self.svg = ET.fromstring(re.search(rf'<svg id="{name}".*?</svg>', page, re.S)[0])
        self.logarithmic = name.startswith('fps')
        self.scale = {c: [(float(t.get(c)) - (5 if c == 'y' else 0), float(t.text)) for t in self.svg.iter('text')
                          if t.get('class') == c] for c in 'xy'}

    def value(self, axis, at):
        (p, a), (q, b) = self.scale[axis][0], self.scale[axis][-1]
        part = (float(at) - p) / (q - p)
        return a * (b / a) ** part if self.logarithmic else a + (b - a) * part

    def points(self, kind):
        return [(self.value('x', c.get('cx')), self.value('y', c.get('cy')), c[0].text) for c in self.svg.iter('circle')
                if c.get('class') == kind]

    def bars(self, colour):
        """[(left, right, height)]"""
        path = next(p for p in self.svg.iter('path') if p.get('class') == 'bars' and colour in p.get('fill'))
        bars = re.findall(r'M([\d.]+) ([\d.]+)H([\d.]+)V([\d.]+)', path.get('d'))
        return [(self.value('x', a), self.value('x', b), self.value('y', top) - self.value('y', low))
                for a, low, b, top in bars]

    def highest(self, colour):
        path = next(p for p in self.svg.iter('path') if p.get('class') == 'steps' and colour in p.get('stroke'))
        return max(self.value('y', y) for y in re.findall(r'(?:^M[\d.]+ |V)([\d.]+)', path.get('d')))


def test_the_pictures_show_the_numbers_of_the_json(tool, tmp_path):
    model, page = small(tmp_path / 'm.onnx'), tmp_path / 'm.html'
    whole = json.loads(run(tool, 'estimate', model, '--json', '--html', page).stdout)
    text = page.read_text()
    assert 'http' not in text  # nothing from elsewhere
    assert f'<b>{whole["fps"]:.1f} FPS</b>' in text

    for name, size in (('fps-gflops', 'gflops'), ('fps-mparams', 'mparams')):
        picture = Picture(text, name)
        [(x, y, title)] = picture.points('you')
        assert (x, y) == pytest.approx((max(whole[size], 0.01), min(whole['fps'], 1000)), rel=0.02)
        assert f'{whole["fps"]:.1f} FPS' in title
        measured = [m for m in json.loads(run(tool, 'fps', '--json').stdout) if m[size] > 0]
        assert len(picture.points('dot')) == len(measured)
        for (x, y, title), m in zip(picture.points('dot'), measured):
            assert (x, y) == pytest.approx((m[size], m['fps']), rel=0.02) and m['model'] in title

    timeline, stages = Picture(text, 'timeline'), whole['stages']
    shares = {'nce': 'nce', 'ddr': 'ddr', 'shave': 'shave', 'over': 'overhead'}
    drawn = {part: sum((right - left) * height for left, right, height in timeline.bars(f'--{colour}'))
             for colour, part in shares.items()}
    for part, area in drawn.items():  # width: ms of the stage; height: us of the part
        assert area == pytest.approx(sum(s['us'] / 1000 * s['parts'][part] for s in stages), rel=0.02, abs=0.01), part
    bars = timeline.bars('--over')
    assert len(bars) == len(stages) and bars[-1][1] == pytest.approx(whole['sum_ms'], rel=0.01)
    for (left, right, _), s in zip(bars, stages):
        assert right - left == pytest.approx(s['us'] / 1000, abs=0.002 * whole['sum_ms'])

    memory = Picture(text, 'memory')
    for colour, place in (('--nce', 'cmx'), ('--ddr', 'ddr')):
        assert memory.highest(colour) == pytest.approx(whole['peak_bytes'][place] / 1e6, rel=0.02)
        assert whole['peak_bytes'][place] == max(s['live_bytes'][place] for s in stages)

    assert sum(len(c['stages']) for c in whole['costliest']) <= len(stages)
    for c in whole['costliest']:
        assert c['us'] == pytest.approx(sum(stages[i]['us'] for i in c['stages']))
        assert {stages[i]['layer'] for i in c['stages']} == {c['layer']}  # of a conversion of the input: none
        assert not c['layer'] or f'>{html.escape(c["layer"])}: ' in text
    assert any('Conv_' in c['layer'] for c in whole['costliest'])

    rows = re.findall(r'<tr[^>]*><td>(\d+)</td><td>(\d)</td><td>([\d.]+)</td>', text)
    assert [(int(a), int(b), float(c)) for a, b, c in rows] == [
        (s['shaves'], s['streams'], pytest.approx(s['fps'], abs=0.06)) for s in whole['by_shaves']]


def test_live_memory_fits_the_memory_of_the_blob(tool, tmp_path):
    model, blob = mobilenet(tmp_path / 'm.onnx'), tmp_path / 'm.blob'
    assert run(tool, 'convert', model, '-o', blob, '--shaves', 3).returncode == 0
    peak = json.loads(run(tool, 'estimate', blob, '--json').stdout)['peak_bytes']
    intermediate = json.loads(run(tool, 'inspect', blob, '--json').stdout)['header']['bssSize']
    input_bytes, output_bytes = 160 * 160 * 3, 1001 * 2
    assert 0 < peak['cmx'] <= 3 * 128 * 1024
    assert input_bytes <= peak['ddr'] <= intermediate + input_bytes + output_bytes + 128  # padded
    assert peak['constants'] > 1.3e6


def test_a_cable_carries_all_inputs(tool, tmp_path):
    b = Builder()
    model = b.save(tmp_path / 'two.onnx', {'a': [1, 3, 640, 640], 'b': [1, 3, 640, 640]}, b.add('Add', ['a', 'b']))
    found, text = (run(tool, 'estimate', model, *o).stdout for o in (['--json'], []))
    found = json.loads(found)
    assert found['io_bytes'] == 2 * 3 * 640 * 640 + 2 * 3 * 640 * 640  # U8 in, FP16 out
    assert found['usb3_fps'] == pytest.approx(350e6 / found['io_bytes']) and found['usb2_fps'] < found['fps']
    assert 'all inputs, and the outputs' in text and 'over USB 2 the cable decides' in text
    assert 'several cameras' in text


def test_what_it_cannot_cover_is_said(tool, tmp_path):
    b = Builder()
    model = b.save(tmp_path / 'nonzero.onnx', {'x': [1, 3, 8, 8]}, b.add('NonZero', ['x']))
    r = run(tool, 'estimate', model)
    assert r.returncode == 0, r.stderr
    assert 'known at run time only' in r.stdout and 'its time is a guess' in r.stdout


def test_two_blobs_are_compared(tool, tmp_path):
    blobs = [tmp_path / 'two.blob', tmp_path / 'eight.blob']
    for blob, shaves in zip(blobs, (2, 8)):
        run(tool, 'convert', small(tmp_path / 'm.onnx'), '-o', blob, '--shaves', shaves)
    both = json.loads(run(tool, 'estimate', blobs[0], '--compare', blobs[1], '--json').stdout)
    for key, blob in zip('ab', blobs):
        assert both[key]['fps'] == json.loads(run(tool, 'estimate', blob, '--json').stdout)['fps']
    assert (both['a']['shaves'], both['b']['shaves']) == (2, 8) and both['b']['fps'] > both['a']['fps']
    text = run(tool, 'estimate', blobs[0], '--compare', blobs[1]).stdout
    [line] = [x for x in text.splitlines() if x.startswith('throughput')]
    assert [float(x) for x in line.split()[1:3]] == pytest.approx([both[k]['fps'] for k in 'ab'], abs=0.006)


def test_constants_that_are_none_are_refused(tool, tmp_path):
    run(tool, 'convert', small(tmp_path / 'm.onnx'), '-o', tmp_path / 'm.blob')
    for text in ('{"speed": 3}', '{"base": -1}', '{"base": "fast"}', '[1]', 'no JSON'):
        (tmp_path / 'c.json').write_text(text)
        done = run(tool, 'estimate', tmp_path / 'm.blob', '--constants', tmp_path / 'c.json')
        assert done.returncode == 2 and 'm.blob' not in done.stderr, (text, done.stderr)


def test_constants_are_fitted_to_measured_devices(tool, tmp_path):
    """A device that starts an inference in twice the time, and takes twice as long for a SHAVE stage, is found out."""
    truth = tmp_path / 'truth.json'
    truth.write_text(json.dumps({'base': 4620.0, 's_ovh': 92.6}))
    with open(tmp_path / 'measured.csv', 'w', newline='') as f:
        table = csv.writer(f)
        table.writerow(['blob', 'fps', 'family'])
        for i, channels in enumerate((8, 16, 24, 32, 48, 64)):
            blob = tmp_path / f'{i}.blob'
            run(tool, 'convert', small(tmp_path / f'{i}.onnx', channels), '-o', blob)
            fps = json.loads(run(tool, 'estimate', blob, '--json', '--constants', truth).stdout)['fps']
            table.writerow([blob.name, fps, 'ab'[i % 2]])
    fit = [sys.executable, os.path.join(ROOT, 'tools', 'fit_cost_model.py'), tmp_path / 'measured.csv', '--tool', tool,
           '-o', tmp_path / 'mine.json']
    done = subprocess.run(fit, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shipped, fitted, left_out = (float(x) for x in re.findall(r'median factor ([\d.]+)', done.stdout))
    assert shipped > 1.3 and fitted < 1.05 and left_out < 1.1, done.stdout
    ours, theirs = (json.loads(run(tool, 'estimate', tmp_path / '3.blob', '--json', '--constants', c).stdout)['fps']
                    for c in (tmp_path / 'mine.json', truth))
    assert ours == pytest.approx(theirs, rel=0.05)
    assert subprocess.run([*fit, '--limits', '1.0', '1.0'], capture_output=True).returncode == 1
    (tmp_path / 'measured.csv').write_text('blob,fps\nnothing.blob,10\n')
    missing = subprocess.run(fit, capture_output=True, text=True)
    assert missing.returncode != 0 and 'nothing.blob' in missing.stderr and 'Traceback' not in missing.stderr
