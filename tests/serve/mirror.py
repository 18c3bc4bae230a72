"""A server of one file, as good or bad as a test wants it."""
import contextlib
import hashlib
import http.server
import json
import ssl
import threading


class Files(http.server.BaseHTTPRequestHandler):
    """The file at every address; goes on in the middle of it, or can't."""
    data, goes_on, pause, breaks, endless, asked, open = b'', True, 0, [], False, [], None

    def log_message(self, *_):
        pass

    def do_GET(self):
        begin = self.headers.get('Range')
        self.asked.append(begin)
        at = int(begin[6:-1]) if begin and self.goes_on else 0
        if at >= len(self.data):
            return self.send_error(416)
        self.send_response(206 if at else 200)
        if at:
            self.send_header('Content-Range', f'bytes {at}-{len(self.data) - 1}/{len(self.data)}')
        if not self.endless:
            self.send_header('Content-Length', str(len(self.data) - at))
        self.end_headers()
        end = self.breaks.pop(0) if self.breaks else len(self.data)
        try:
            for chunk in range(at, end, 1000):
                self.wfile.write(self.data[chunk:min(chunk + 1000, end)])
                self.open.wait(self.pause) if self.pause else None
            while self.endless:
                self.wfile.write(self.data)
        except OSError:
            pass   # the other side has gone


@contextlib.contextmanager
def files(data, certificate=None, **how):
    """Address and ranges that were asked for. `pause`: seconds after each 1000 bytes, until `open` is set. With a `certificate`
    for localhost it is https."""
    handler = type('Handler', (Files,), {'data': data, 'asked': [], 'open': threading.Event(), **how})
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    server.daemon_threads = True
    scheme, host = 'http', '127.0.0.1'
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme, host = 'https', 'localhost'
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f'{scheme}://{host}:{server.server_port}', handler.asked
    finally:
        handler.open.set()
        server.shutdown()


def make_zoo(folder, data, name='net', **more):
    """A folder with a model that has to be fetched."""
    (folder / name).mkdir(parents=True)
    (folder / name / 'model.yml').write_text(json.dumps({
        'description': 'one convolution', 'task_type': 'classification', 'framework': 'onnx', 'license': 'MIT',
        'files': [{'name': 'net.onnx', 'size': len(data), 'sha256': hashlib.sha256(data).hexdigest(), 'source': 'http://127.0.0.1:1/net.onnx', **more}],
        'model_optimizer_args': ['--input_model=$dl_dir/net.onnx']}))
    return folder
