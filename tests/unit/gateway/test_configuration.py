"""The gateway's configuration follows from the settings."""

from pathlib import Path

import pytest
import yaml

from gateway import write_configuration
from gateway.configuration import dynamic_configuration
from gateway.entry_points import static_configuration
from twinhub.places import Places
from twinhub.settings import parse_settings

BRIDGE = "172.30.0.1"
SERVICE = "{path: /grafana, url: 'http://127.0.0.1:3000'}"


def made(folder: Path, text: str = "") -> Places:
    return Places(folder, parse_settings(text))


def test_only_the_public_ports_are_open_to_other_machines(tmp_path: Path) -> None:
    """The gateway's API, its inner side without limits, and the services must never be reachable from outside."""
    places = made(tmp_path, "{port: 8123, gateway: {tls: local, http_port: 8124}}")
    points = static_configuration(places, BRIDGE)["entryPoints"]
    addresses = {name: point["address"] for name, point in points.items()}
    assert addresses.pop("workspaces") == f"{BRIDGE}:{places.hub_port}"
    outside = {name for name, address in addresses.items() if not address.startswith("127.0.0.1:")}
    assert outside == {"public", "plain", "mqtt"}
    servers = [
        server["url"]
        for service in dynamic_configuration(places)["http"]["services"].values()
        for server in service["loadBalancer"]["servers"]
    ]
    assert all(url.startswith("http://127.0.0.1:") for url in servers)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"gateway: {{services: {{grafana: {SERVICE}}}}}",
        "{domain: hub.lab, gateway: {tls: local, subdomains: true, compression: false}}",
    ],
)
def test_every_route_leads_to_what_is_there(tmp_path: Path, text: str) -> None:
    """Traefik drops a route that names a service or a middleware it does not know, and says so in its log only."""
    http = dynamic_configuration(made(tmp_path, text))["http"]
    for name, router in http["routers"].items():
        assert router["service"] in (*http["services"], "noop@internal"), name
        assert set(router.get("middlewares", ())) <= set(http["middlewares"]), name
        assert router["priority"] > 10_000, name
    for middleware in http["middlewares"].values():
        assert middleware.get("errors", {"service": "twinhub-web"})["service"] in http["services"]


def test_no_mounted_server_ever_wins_over_an_address_of_ours(tmp_path: Path) -> None:
    """It would be handed the passwords that people type on our sign-in page."""
    routers = dynamic_configuration(made(tmp_path, f"gateway: {{services: {{grafana: {SERVICE}}}}}"))["http"]["routers"]
    foreign = [router["priority"] for name, router in routers.items() if "external" in name]
    # The redirects for old links to workspaces are below both: their answers know no secret.
    redirects = [router["priority"] for name, router in routers.items() if "dtaas" in name]
    ours = [router["priority"] for name, router in routers.items() if "external" not in name and "dtaas" not in name]
    assert max(redirects) < min(foreign)
    assert max(foreign) < min(ours)


def test_the_access_log_keeps_no_query_and_no_credentials(tmp_path: Path) -> None:
    """Tokens in a log are tokens in every backup of it."""
    fields = static_configuration(made(tmp_path), BRIDGE)["accessLog"]["fields"]
    assert fields["queryParameters"] == {"defaultMode": "drop"}
    assert fields["headers"] == {"defaultMode": "drop", "names": {"User-Agent": "keep", "X-Request-Id": "keep"}}
    assert fields["defaultMode"] == "drop"
    assert not {"ClientUsername", "RequestLine"} & set(fields["names"])


def test_files_are_written_whole_and_only_when_they_change(tmp_path: Path) -> None:
    """A watching Traefik reads a file the moment it appears."""
    places = made(tmp_path)
    write_configuration(places, BRIDGE)
    file = tmp_path / "gateway" / "dynamic" / "twinhub.yaml"
    before = file.stat().st_mtime_ns
    write_configuration(places, BRIDGE)
    assert file.stat().st_mtime_ns == before
    assert yaml.safe_load(file.read_text())["http"]["routers"]
    assert {entry.name for entry in file.parent.iterdir()} == {"twinhub.yaml"}


def test_plain_http_again_takes_the_certificate_away(tmp_path: Path) -> None:
    """A setting that is taken back leaves nothing behind."""
    write_configuration(made(tmp_path, "gateway: {tls: local}"), BRIDGE)
    file = tmp_path / "gateway" / "dynamic" / "tls.yaml"
    assert file.exists()
    write_configuration(made(tmp_path), BRIDGE)
    assert not file.exists()


def test_devices_that_speak_mqtt_use_the_certificate_of_the_gateway(tmp_path: Path) -> None:
    """A key that a device sends in plain text is everybody's; and the listener must know the device's own address."""
    places = made(tmp_path, "{port: 8123, gateway: {tls: local}}")
    assert static_configuration(places, BRIDGE)["entryPoints"]["mqtt"] == {"address": "0.0.0.0:8883"}
    found = dynamic_configuration(places)["tcp"]
    assert found["routers"]["twinhub-mqtt"]["tls"] == {}
    balancer = found["services"]["twinhub-mqtt"]["loadBalancer"]
    assert balancer["servers"] == [{"address": f"127.0.0.1:{places.mqtt_inner_port}"}]
    assert balancer["proxyProtocol"] == {"version": 2}


@pytest.mark.parametrize(
    "text", ["{}", "{gateway: {tls: local}, realtime: {mqtt_port: 0}}", "realtime: {enabled: false}"]
)
def test_the_gateway_opens_no_port_for_devices_that_it_is_not_asked_for(tmp_path: Path, text: str) -> None:
    """In plain the service listens by itself; where there is no MQTT nobody does."""
    places = made(tmp_path, text)
    assert "mqtt" not in static_configuration(places, BRIDGE)["entryPoints"]
    assert "tcp" not in dynamic_configuration(places)


def test_without_realtime_twins_there_is_no_way_to_them(tmp_path: Path) -> None:
    """A route to a service that does not run would answer 502 to whoever tries it."""
    http = dynamic_configuration(made(tmp_path, "realtime: {enabled: false}"))["http"]
    assert "twinhub-realtime" not in f"{http['routers']}{http['services']}"
