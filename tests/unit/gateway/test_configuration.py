"""The gateway's configuration follows from the settings."""

from pathlib import Path

import yaml

from gateway import write_configuration
from gateway.configuration import dynamic_configuration, static_configuration
from twinhub.places import Places
from twinhub.settings import Settings


def test_only_the_public_port_is_open_to_other_machines(tmp_path: Path) -> None:
    """The gateway's API and the services must never be reachable from outside."""
    places = Places(tmp_path, Settings(port=8123))
    addresses = {name: point["address"] for name, point in static_configuration(places)["entryPoints"].items()}
    assert addresses == {"public": "0.0.0.0:8123", "internal": f"127.0.0.1:{places.gateway_api_port}"}
    servers = [
        server["url"]
        for service in dynamic_configuration(places)["http"]["services"].values()
        for server in service["loadBalancer"]["servers"]
    ]
    assert all(url.startswith("http://127.0.0.1:") for url in servers)


def test_every_route_leads_to_a_service_and_beats_the_hubs(tmp_path: Path) -> None:
    """A route of the hub that covers ours would take the Library off the net."""
    http = dynamic_configuration(Places(tmp_path, Settings()))["http"]
    for router in http["routers"].values():
        assert router["service"] in http["services"]
        assert router["priority"] > 10_000


def test_files_are_written_whole_and_only_when_they_change(tmp_path: Path) -> None:
    """A watching Traefik reads a file the moment it appears."""
    places = Places(tmp_path, Settings())
    write_configuration(places)
    file = tmp_path / "gateway" / "dynamic" / "twinhub.yaml"
    before = file.stat().st_mtime_ns
    write_configuration(places)
    assert file.stat().st_mtime_ns == before
    assert yaml.safe_load(file.read_text())["http"]["routers"]
    assert {entry.name for entry in file.parent.iterdir()} == {"twinhub.yaml"}
