"""Configuration: what is wrong is named, with what was given and what is allowed."""

from pathlib import Path

import pytest

from twinhub.settings import Settings, SettingsError, example, parse_settings, read_settings


def test_an_empty_file_means_all_defaults() -> None:
    """An operator who configures nothing gets a working platform."""
    assert parse_settings("") == Settings()


def test_the_example_is_itself_a_valid_file_of_defaults() -> None:
    """An operator who saves the example as it is must not have changed anything."""
    assert parse_settings(example()) == Settings()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("prot: 80", ["unknown key 'prot'", "port"]),
        ("workspaces: {memroy: 1G}", ["unknown key 'workspaces.memroy'", "memory"]),
        ("port: 70000", ["'port'", "70000", "65535"]),
        ("workspaces: {memory: lots}", ["'workspaces.memory'", "'lots'"]),
        ("accounts: {admin: ../etc}", ["'accounts.admin'", "../etc"]),
        ("workspaces: {common: rw}", ["'rw'", "read-write", "read-only"]),
        ("- a list", ["list"]),
        ("a: [unclosed", ["not YAML"]),
    ],
)
def test_a_bad_file_names_the_key_the_value_and_what_is_allowed(text: str, named: list[str]) -> None:
    """An operator with a typing slip must find it without reading our code."""
    with pytest.raises(SettingsError) as caught:
        parse_settings(text)
    for word in named:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_an_error_and_a_missing_one_is_not(tmp_path: Path) -> None:
    """Falling back to defaults because of a wrong mode would silently move ports and limits."""
    assert read_settings(tmp_path / "none.yaml") == Settings()
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings(tmp_path)


def test_internal_ports_stay_below_65536_for_every_public_port() -> None:
    """A high public port must not make the platform unable to start."""
    for port in (1, 80, 8000, 55_000, 55_001, 65_535):
        assert 0 < Settings(port=port).first_internal_port < 65_500
