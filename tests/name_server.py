"""A name server of ours on loopback: the real protocol over UDP and TCP, a zone in a dictionary."""

import socketserver
import struct
import threading
import time
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer:
    """
    Answers TXT questions from `texts`; `ill` are names whose zone is out of order.

    What is asked for a name in `silent` is not answered at all.
    """

    def __init__(self):
        self.texts = {}
        self.ill = set()
        self.silent = set()
        self.asked = []
        self.port = 0

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def answer(self, wire, *, whole):
        """The answer to a question as bytes; None for silence."""
        query = dns.message.from_wire(wire)
        (question,) = query.question
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        if name in self.silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        if name in self.ill:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif name not in self.texts:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.TXT and self.texts[name]:
            said = [_quoted(text) for text in self.texts[name]]
            response.answer.append(dns.rrset.from_text(question.name, 1, "IN", "TXT", *said))
        made = response.to_wire()
        if whole or len(made) <= 1232:
            return made
        response.answer.clear()
        response.flags |= dns.flags.TC
        return response.to_wire()

    @contextmanager
    def running(self):
        with (
            socketserver.ThreadingTCPServer(("127.0.0.1", 0), _over_tcp(self)) as tcp,
            socketserver.ThreadingUDPServer(tcp.server_address, _over_udp(self)) as udp,
        ):
            self.port = tcp.server_address[1]
            for server in (tcp, udp):
                server.daemon_threads = True
                threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            yield self
            udp.shutdown()
            tcp.shutdown()


def _quoted(text):
    """A text as zone files write it: in strings of at most 255 bytes."""
    return " ".join(f'"{text[at : at + 200]}"' for at in range(0, max(len(text), 1), 200))


def _over_udp(zone):
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            wire, socket = self.request
            made = zone.answer(wire, whole=False)
            if made is not None:
                socket.sendto(made, self.client_address)

    return Handler


def _over_tcp(zone):
    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            (length,) = struct.unpack("!H", self.rfile.read(2))
            made = zone.answer(self.rfile.read(length), whole=True)
            if made is None:
                time.sleep(6)
                return
            self.wfile.write(struct.pack("!H", len(made)) + made)

    return Handler
