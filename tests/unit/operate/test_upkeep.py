"""What is looked after while the platform runs."""

from pathlib import Path

from tests.support.certificates import make_pair
from twinhub.operate.concerns import with_settings
from twinhub.operate.programs import Program
from twinhub.operate.upkeep import KEPT, Upkeep, put_aside
from twinhub.places import Places
from twinhub.settings import parse_settings


def test_logs_are_put_aside_newest_first_and_only_so_many_are_kept(tmp_path: Path) -> None:
    """A disk that fills with logs stops everybody."""
    file = tmp_path / "access.log"
    for number in range(KEPT + 3):
        file.write_text(str(number))
        put_aside(file)
    kept = sorted(entry.name for entry in tmp_path.iterdir())
    assert kept == [f"access.log.{number}" for number in range(1, KEPT + 1)]
    assert (tmp_path / "access.log.1").read_text() == str(KEPT + 2)


def test_a_bad_pair_is_not_served_and_a_good_one_at_once(tmp_path: Path) -> None:
    """The operator copies two files, one after the other; in between they do not fit."""
    chain, key = make_pair(tmp_path, ["hub.lab"])
    text = f"{{domain: hub.lab, gateway: {{tls: files, certificate: {chain}, certificate_key: {key}}}}}"
    places = Places(tmp_path, parse_settings(text))
    (places.gateway / "dynamic").mkdir(parents=True)
    upkeep, file = Upkeep(places), places.gateway / "dynamic" / "tls.yaml"
    upkeep.tend(0.0)
    first = file.read_text()
    other = tmp_path / "other"
    other.mkdir()
    make_pair(other, ["hub.lab"])
    (other / "server.key").rename(key)
    upkeep.tend(1.0)
    assert file.read_text() == first
    (other / "server.crt").rename(chain)
    upkeep.tend(2.0)
    assert file.read_text() != first


def test_a_change_of_a_limit_restarts_no_hub(tmp_path: Path) -> None:
    """Traefik takes it up while it runs; people shall not notice."""
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "static.yaml").write_text("")

    def marks(text: str) -> dict[str, str]:
        programs = tuple(Program(name, ("true",)) for name in ("gateway", "hub", "web", "libms", "upkeep"))
        made = with_settings(Places(tmp_path, parse_settings(text)), programs)
        return {program.name: program.environment["TWINHUB_STARTED_WITH"] for program in made}

    def changed(text: str) -> set[str]:
        before, after = marks(""), marks(text)
        return {name for name in before if before[name] != after[name]}

    assert changed("gateway: {requests_per_second: 7, hsts_days: 1}") == {"upkeep"}
    assert changed("gateway: {services: {a: {path: /a, url: 'http://a:1'}}}") == {"web", "libms", "upkeep"}
    assert {"hub", "web"} <= changed("{gateway: {tls: local}}")
    assert {"hub", "web", "libms"} <= changed("{domain: a.b, gateway: {tls: local, subdomains: true}}")
