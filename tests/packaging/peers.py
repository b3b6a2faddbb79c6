"""The servers around a packaged exporter, on loopback: an authority, Twilio with TLS, a name server. It also reads the exporter's values."""

import re
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request

# Everything is on this machine, so the environment's proxy is not used.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Missed(Exception):
    """An expected value is missing."""


def until(what, probe, seconds, every=0.1):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := probe():
            return answer
        time.sleep(every)
    raise Missed(f"not within {seconds} s: {what}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def get(url):
    """The body of a response 200; None otherwise."""
    try:
        with DIRECT.open(url, timeout=12) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def value(text, name):
    """The value of the account's series `name`."""
    found = re.search(rf'^{name}\{{account="default"\}} (\S+)$', text or "", re.M)
    return float(found[1]) if found else None


def scraped(url):
    """The exposition, if the account was read."""
    text = get(url)
    return text if value(text, "twilio_email_up") == 1 else None


class Authority:
    """A certificate authority that nobody trusts."""

    def __init__(self, directory):
        self.directory = directory
        self.certificate, self.key = directory / "authority.crt", directory / "authority.key"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                      "-subj", "/CN=Authority of a test", "-keyout", self.key, "-out", self.certificate)

    def issue(self, name):
        """A certificate for `name` with its key, as one file."""
        key, request, both = (self.directory / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extensions = self.directory / "extensions"
        extensions.write_text(f"subjectAltName=DNS:{name}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                      "-keyout", key, "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                      "-days", "2", "-extfile", extensions, "-out", both)
        both.write_text(both.read_text() + key.read_text())
        return both

    @staticmethod
    def _openssl(*arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise Missed(f"openssl {arguments[0]}: {done.stdout}")


def in_background(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()


class TlsProxy:
    """Ends TLS and passes on what it reads to a port of this machine."""

    def __init__(self, certificate, port):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.behind = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        in_background(self._serve)

    def _serve(self):
        while True:
            client, _ = self.listener.accept()
            in_background(self._connection, client)

    def _connection(self, client):
        try:
            client = self.context.wrap_socket(client, server_side=True)
            server = socket.create_connection(("127.0.0.1", self.behind))
        except OSError:
            # The client refuses the certificate, which some tests expect.
            client.close()
            return
        in_background(self._copy, client, server)
        self._copy(server, client)

    @staticmethod
    def _copy(source, target):
        try:
            while read := source.recv(65536):
                target.sendall(read)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class NameServer:
    """Responds to DNS requests for addresses (A). It has the addresses of some names; other names do not exist."""

    def __init__(self, address, names):
        self.names = names
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        in_background(self._serve)

    def _serve(self):
        while True:
            question, client = self.socket.recvfrom(512)
            labels, at = [], 12
            while length := question[at]:
                labels.append(question[at + 1:at + 1 + length].decode())
                at += 1 + length
            kind = struct.unpack(">H", question[at + 1:at + 3])[0]
            address = self.names.get(".".join(labels).lower())
            answer = b""
            if address and kind == 1:
                answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + socket.inet_aton(address)
            header = question[:2] + struct.pack(">HHHHH", 0x8180 if address else 0x8183, 1, bool(answer), 0, 0)
            self.socket.sendto(header + question[12:at + 5] + answer, client)
