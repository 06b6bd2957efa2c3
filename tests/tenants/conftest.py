"""Domains that can be proven: a name server, a web server with a good certificate, and the door."""

from dataclasses import dataclass

import pytest
from hosts_of_others import PUBLIC, Authority, Rerouted, Server
from name_server import NameServer

from insula.outbound.door import Door
from insula.outbound.settings import OutboundRules
from insula.tenants.domains.proofs import Prover
from insula.tenants.domains.txt_records import TxtRecords

HOST = "login.customer.example"


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def zone():
    """The zone of all domains."""
    with NameServer().running() as server:
        yield server


@dataclass
class Outside:
    """What a prover meets: a zone, and the one web server that all addresses lead to."""

    zone: NameServer
    web: Server
    internet: Rerouted
    prover: Prover


@pytest.fixture
async def outside(authority, zone):
    async with Server().listening(authority.context(HOST)) as web:
        internet = Rerouted(web)
        door = Door(
            OutboundRules(ca_file=authority.pem, failures_to_open=1000),
            look_up=lambda _name, _port: [PUBLIC],
            network=internet,
        )
        records = TxtRecords([("127.0.0.1", zone.port)], seconds=1)
        yield Outside(zone, web, internet, Prover(door, records))
        await door.close()
