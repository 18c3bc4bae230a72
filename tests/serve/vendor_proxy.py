"""The vendor's hosts as a machine without internet can have them: a proxy that ends TLS with a certificate of its own."""
import contextlib
import datetime
import http.client
import http.server
import ssl
import threading
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CONVERTER, STORE, BACKUP = 'blobconverter.luxonis.com', 'blobconverter.s3.amazonaws.com', 'artifacts.luxonis.com'


def write_certificate(path, hosts=(CONVERTER, STORE)):
    """With its key, for these hosts, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, hosts[0])])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
                   .not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
                   .add_extension(x509.SubjectAlternativeName([x509.DNSName(h) for h in hosts]), False)
                   .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256()))
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) +
                     certificate.public_bytes(serialization.Encoding.PEM))


@contextlib.contextmanager
def vendor_proxy(server_url, folder):
    """Environment for a client: the vendor's converter is `server_url`, its store of blobs is empty. What was asked for is listed."""
    write_certificate(folder / 'cert.pem')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / 'cert.pem')
    asked = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        host = None

        def log_message(self, *_):
            pass

        def do_CONNECT(self):
            self.send_response(200)
            self.end_headers()
            self.host = self.path.split(':')[0]
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile, self.wfile = self.connection.makefile('rb'), self.connection.makefile('wb', 0)
            self.close_connection = False

        def answer(self):
            host, path = self.host, self.path
            if path.startswith('http'):
                parts = urllib.parse.urlsplit(path)
                host, path = parts.hostname, parts.path
            body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
            asked.append(f'{self.command} {host}{path.split("?")[0]}')
            self.close_connection = True
            if host != CONVERTER:
                self.send_response(200 if (host, path) == (STORE, '/') else 404)
                self.end_headers()
                return
            upstream = http.client.HTTPConnection(urllib.parse.urlsplit(server_url).netloc, timeout=60)
            headers = {k: v for k, v in self.headers.items() if k.lower() != 'connection'}
            upstream.request(self.command, path, body, headers)
            r = upstream.getresponse()
            self.send_response(r.status)
            for k, v in r.getheaders():
                self.send_header(k, v)
            self.end_headers()
            self.wfile.write(r.read())

        do_GET = do_POST = do_HEAD = answer

    proxy = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Proxy)
    threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
    address = f'http://127.0.0.1:{proxy.server_port}'
    try:
        yield {'HTTPS_PROXY': address, 'HTTP_PROXY': address, 'NO_PROXY': '127.0.0.1', 'REQUESTS_CA_BUNDLE': str(folder / 'cert.pem'),
               'AWS_CA_BUNDLE': str(folder / 'cert.pem')}, asked
    finally:
        proxy.shutdown()
        proxy.server_close()
