"""Load on `blobsmith serve`: cached answers, small conversions, idle connections, a large upload, memory.

python3 benchmarks/serve_load.py --tool build/blobsmith [--seconds N]
"""
import argparse
import contextlib
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'tests', 'serve'))
from service_process import conv_model, running  # noqa: E402


def form(fields, files):
    """A multipart body and its type."""
    parts = [f'--xyz-xyz\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields.items()]
    parts += [f'--xyz-xyz\r\nContent-Disposition: form-data; name="{n}"; filename="{n}"\r\n\r\n'.encode() + d + b'\r\n' for n, d in files.items()]
    return b''.join(parts) + b'--xyz-xyz--\r\n'


def request(path, body, method='POST'):
    return (f'{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=xyz-xyz\r\nContent-Length: {len(body)}\r\n\r\n').encode() + body


class Line:
    """One connection that is kept."""

    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, data):
        self.socket.sendall(data)
        got = b''
        while b'\r\n\r\n' not in got:
            more = self.socket.recv(1 << 16)
            assert more, 'the connection was closed'
            got += more
        head, _, rest = got.partition(b'\r\n\r\n')
        size = next(int(h.split(b':')[1]) for h in head.split(b'\r\n') if h.lower().startswith(b'content-length'))
        while len(rest) < size:
            rest += self.socket.recv(1 << 16)
        return int(head.split(b' ')[1]), rest


def ask_for(port, seconds, data, rate):
    """Latencies of requests, one after the other, at no more than `rate` a second."""
    line, times, end = Line(port), [], time.perf_counter() + seconds
    due = time.perf_counter()
    while time.perf_counter() < end:
        start = time.perf_counter()
        status, _ = line.ask(data)
        times.append(time.perf_counter() - start)
        assert status == 200, status
        due += 1 / rate
        if (pause := due - time.perf_counter()) > 0:
            time.sleep(pause)
    return times


def load(port, clients, seconds, data, rate=1e9):
    with multiprocessing.Pool(clients) as pool:
        runs = pool.starmap(ask_for, [(port, seconds, data, rate / clients)] * clients)
    times = sorted(t for r in runs for t in r)
    return len(times) / seconds, times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000


def convert_some(port, seconds, first, model):
    """Conversions of models that nobody has asked for yet."""
    line, count, end = Line(port), 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        status, answer = line.ask(request('/compile?version=2021.4', form({'name': 'm', 'n': f'{first}-{count}'}, {
            'config': b'framework: onnx\nfiles: [{name: m.onnx, source: {$type: http, url: $REQUEST/m.onnx}}]\n', 'm.onnx': model})))
        assert status == 200, answer
        count += 1
    return count


def memory(pid):
    with open(f'/proc/{pid}/status') as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith('VmHWM'))


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--tool', default='build/blobsmith')
    p.add_argument('--seconds', type=float, default=5)
    a = p.parse_args()
    model = conv_model(size=16).SerializeToString()
    rows = []
    with tempfile.TemporaryDirectory() as folder, running(os.path.abspath(a.tool), os.path.join(folder, 'd'), '--no-bubblewrap', '--max-upload', '2G') as s:
        cached = request('/compile?version=2021.4', form({'name': 'm'}, {
            'config': b'framework: onnx\nfiles: [{name: m.onnx, source: {$type: http, url: $REQUEST/m.onnx}}]\n', 'm.onnx': model}))
        assert Line(s.port).ask(cached)[0] == 200
        rate, half, most = load(s.port, 4, a.seconds, cached)
        rows.append(('cached answers, as fast as they come', f'{rate:.0f}/s', f'p50 {half:.1f} ms, p99 {most:.1f} ms'))
        rate, half, most = load(s.port, 4, a.seconds, cached, 1000)
        rows.append(('cached answers, 1,000 a second asked for', f'{rate:.0f}/s', f'p50 {half:.1f} ms, p99 {most:.1f} ms'))
        with multiprocessing.Pool(4) as pool:
            done = sum(pool.starmap(convert_some, [(s.port, a.seconds, i, model) for i in range(4)]))
        rows.append(('small conversions', f'{done / a.seconds:.0f}/s', ''))
        with contextlib.ExitStack() as stack:
            for i in range(1000):
                c = stack.enter_context(socket.create_connection(('127.0.0.1', s.port)))
                if i % 2:
                    c.sendall(b'POST /compile HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc')
            rate, half, most = load(s.port, 2, a.seconds, cached, 200)
        rows.append(('200 a second beside 1,000 idle or half-sent connections', f'{rate:.0f}/s', f'p50 {half:.1f} ms, p99 {most:.1f} ms'))
        large = os.path.join(folder, 'large.onnx')
        with open(large, 'wb') as f:
            f.truncate(1 << 30)
        start = time.perf_counter()
        subprocess.run(['curl', '-s', '-o', os.devnull, '-F', f'file=@{large}', s.api + '/jobs'], check=True)
        rows.append(('upload of 1 GB', f'{time.perf_counter() - start:.1f} s', ''))
        rows.append(('memory of the server, at most', f'{memory(s.process.pid):.0f} MB', ''))
        metrics = urllib.request.urlopen(s.url + '/metrics').read().decode()
        assert 'blobsmith_jobs_done_total' in metrics
    print('| what | | |\n| --- | --- | --- |')
    for row in rows:
        print(f'| {row[0]} | {row[1]} | {row[2]} |')


if __name__ == '__main__':
    main()
