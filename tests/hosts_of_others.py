"""Hosts that the door is sent to: a TLS server of this test, and names that mean what it says."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from contextlib import asynccontextmanager

import httpcore2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "rp.example"
PUBLIC = "93.184.215.14"
OTHER_PUBLIC = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"


class Authority:
    """Signs certificates that are good for *days*; its own is in the file *pem*."""

    def __init__(self, folder, days=1):
        self._folder = folder
        self._days = days
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        own = self._certificate(self._name, self._key, x509.BasicConstraints(True, 0))  # noqa: FBT003
        self.pem = folder / "authority.pem"
        self.pem.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def _certificate(self, name, key, *extensions):
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=self._days))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def context(self, *hosts):
        """A server's TLS, with a certificate for *hosts*."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
            for host in hosts
        ]
        certificate = self._certificate(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])]),
            key,
            x509.SubjectAlternativeName(names),
        )
        path = self._folder / f"{hosts[0]}.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


class Server:
    """Answers each request with what `answer` makes of it, and remembers what it saw."""

    def __init__(self):
        self.requests = []
        self.names = []
        self.connections = 0
        self.sent = 0
        self.port = 0
        self.answer = says(b"{}")

    async def _serve(self, reader, writer):
        self.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == _LENGTH), 0
            )
            self.requests.append(head + await reader.readexactly(length))
            async for part in self.answer(head):
                writer.write(part)
                await writer.drain()
                self.sent += len(part)
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass  # the door hung up, which some tests are about
        finally:
            writer.close()

    def _named(self, _socket, name, _context):
        self.names.append(name)

    @asynccontextmanager
    async def listening(self, tls):
        if tls is not None:
            tls.sni_callback = self._named
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


_LENGTH = b"content-length:"


def says(body, *headers, status="200 OK", content_type="application/json"):
    """An answer with *body*, whole."""

    async def answer(_head):
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", *headers]
        yield "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body

    return answer


def sends(*parts, every=0.0, first=b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"):
    """An answer of raw *parts*, *every* so many seconds."""

    async def answer(_head):
        for part in (first, *parts):
            yield part
            await asyncio.sleep(every)

    return answer


class Names:
    """A name server: each name has a list of answers, of which the last is repeated."""

    def __init__(self, **answers):
        self.asked = []
        self.answers = answers

    def __call__(self, name, _port):
        self.asked.append(name)
        answers = self.answers[name.rstrip(".").replace(".", "_")]
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Rerouted(httpcore2.AsyncNetworkBackend):
    """The Internet, of which all addresses lead to *server*; remembers which were asked for."""

    def __init__(self, server):
        self.addresses = []
        self.dead = set()
        self.server = server
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(self, host, port, *rest):
        self.addresses.append((host, port))
        if host in self.dead:
            raise httpcore2.ConnectError("no route")
        return await self._network.connect_tcp("127.0.0.1", self.server.port, *rest)
