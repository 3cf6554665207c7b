"""The plant's address space and the way to it: OPC UA, signed and encrypted (Basic256Sha256), both sides pinned by certificate."""

import asyncio
import logging
import os

from asyncua import Client, Server, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from cryptography.x509.oid import ExtendedKeyUsageOID

NAMESPACE = "urn:example:water-treatment"
SENSORS = {  # what the plant tells, and its unit
    "Raw.Level": "m", "Raw.Inflow": "m³/h", "Clean.Level": "m", "Clean.Outflow": "m³/h", "Filter.Flow": "m³/h",
    "Filter.Pressure": "kPa", "Filter.Backwash": "m³/h", "Filter.Temperature": "°C", "Clean.Chlorine": "mg/l",
    "Dosing.Dose": "mg/l",
}  # fmt: skip
CLOCK = "Clock"  # written last: with it a sample is complete
TWIN = {"Twin.SeenTime": -1.0, "Twin.Level": 0.0, "Twin.UseLevel": False, "Twin.Stop": False}  # what the twin may write
NOT_YET, OVER = -2.0, -1.0  # the clock's value before the first sample and after the last one

# Each certificate is checked against the only one that is trusted, so the library need not warn of certificates that are self-signed.
logging.getLogger("asyncua").setLevel(logging.ERROR)


async def make_certificates(folder):
    """Make a key and a certificate for each side, unless they are there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, use in (("server", ExtendedKeyUsageOID.SERVER_AUTH), ("client", ExtendedKeyUsageOID.CLIENT_AUTH)):
        trusted = folder / name
        trusted.mkdir(mode=0o700, exist_ok=True)
        before = os.umask(0o077)
        try:
            await setup_self_signed_certificate(
                folder / f"{name}.pem", trusted / "certificate.der", f"{NAMESPACE}:{name}", "localhost", [use],
                {"commonName": f"water treatment {name}"},
            )  # fmt: skip
        finally:
            os.umask(before)


async def server(folder, port):
    """Give a server, not started yet, with all nodes, and the nodes by name. Only the client of this folder is let in."""
    made = Server()
    await made.init()
    made.set_endpoint(f"opc.tcp://127.0.0.1:{port}/water-treatment")
    made.set_server_name("Water treatment plant, stand-in")
    await made.set_application_uri(f"{NAMESPACE}:server")
    made.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
    await made.load_certificate(folder / "server" / "certificate.der")
    await made.load_private_key(folder / "server.pem")
    trusted = TrustStore([folder / "client"], [])
    await trusted.load()
    options = CertificateValidatorOptions.TRUSTED_VALIDATION | CertificateValidatorOptions.PEER_CLIENT
    made.set_certificate_validator(CertificateValidator(options, trusted))
    index, nodes, groups = await made.register_namespace(NAMESPACE), {}, {}
    for name, value in {**dict.fromkeys(SENSORS, 0.0), CLOCK: NOT_YET, **TWIN}.items():
        group = name.rpartition(".")[0]
        if group not in groups:
            groups[group] = await made.nodes.objects.add_object(index, group or "Plant")
        nodes[name] = await groups[group].add_variable(ua.NodeId(name, index), name.rpartition(".")[2], value)
        if name in TWIN:
            await nodes[name].set_writable()
    return made, nodes


async def client(folder, endpoint):
    """Connect to the server whose certificate is in the folder; give the client and the nodes by name."""
    made = Client(endpoint, timeout=20)
    made.application_uri = f"{NAMESPACE}:client"
    await made.set_security(
        SecurityPolicyBasic256Sha256,
        certificate=folder / "client" / "certificate.der",
        private_key=folder / "client.pem",
        server_certificate=str(folder / "server" / "certificate.der"),
    )
    await made.connect()
    index = await made.get_namespace_index(NAMESPACE)
    return made, {name: made.get_node(ua.NodeId(name, index)) for name in (*SENSORS, CLOCK, *TWIN)}


class Samples:
    """What a subscription brings, put together: one dictionary of all values per tick of the clock."""

    def __init__(self, nodes):
        self.names = {node.nodeid: name for name, node in nodes.items()}
        self.values, self.complete = {}, asyncio.Queue()

    def datachange_notification(self, node, value, data):
        name = self.names[node.nodeid]
        self.values[name] = value
        if name == CLOCK and value != NOT_YET:
            self.complete.put_nowait(dict(self.values))

    async def next(self, patience_s=30):
        """Give the next complete sample."""
        return await asyncio.wait_for(self.complete.get(), patience_s)
