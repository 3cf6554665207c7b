"""Who may choose which workspace, and what it is made of."""

import pytest

from twinhub.profiles import ProfileNotAllowed, ProfileUnknown, choose_profile, find_profile, profiles_for
from twinhub.settings import Settings, SettingsError, parse_settings

SETTINGS = """
workspaces:
  memory: 1G
  disk_gb: 20
  profiles:
    large: {description: For big models, memory: 8G, groups: [researchers]}
    roomy: {disk_gb: null, idle_stop_minutes: 0}
"""


@pytest.fixture
def settings() -> Settings:
    return parse_settings(SETTINGS)


def test_the_standard_profile_comes_first_and_is_for_everybody(settings: Settings) -> None:
    """A person without any group must still get a workspace."""
    assert [one.name for one in profiles_for(settings, [])] == ["standard", "roomy"]
    assert find_profile(settings, "standard").memory == "1G"
    assert [one.name for one in profiles_for(Settings(), [])] == ["standard"]


def test_a_profile_takes_from_the_section_what_it_leaves_out(settings: Settings) -> None:
    """The operator writes down the difference, not everything again."""
    large, roomy = find_profile(settings, "large"), find_profile(settings, "roomy")
    assert (large.memory, large.disk_gb, large.idle_stop_minutes) == ("8G", 20, 120)
    assert (roomy.memory, roomy.disk_gb, roomy.idle_stop_minutes) == ("1G", None, 0)


def test_groups_open_a_profile_and_administrators_may_use_all(settings: Settings) -> None:
    """Memory of the large kind is scarce."""
    assert choose_profile(settings, "large", ["guests", "researchers"]).memory == "8G"
    assert choose_profile(settings, "large", [], admin=True).memory == "8G"
    with pytest.raises(ProfileNotAllowed, match="groups that you are not in"):
        choose_profile(settings, "large", ["guests"])


def test_an_unknown_profile_is_refused_with_those_one_may_choose(settings: Settings) -> None:
    """A wish comes from the API as it likes; the answer stays short and tells nothing of others' profiles."""
    with pytest.raises(ProfileUnknown) as refusal:
        choose_profile(settings, "x" * 10_000, [])
    assert len(str(refusal.value)) < 200
    assert "standard, roomy" in refusal.value.fix
    assert "large" not in refusal.value.fix


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("workspaces: {profiles: {standard: {memory: 1G}}}", "keys of 'workspaces' describe"),
        ("workspaces: {profiles: {Big: {memory: 1G}}}", "Big"),
        (
            "workspaces: {profiles: {big: {memroy: 1G}}}",
            "unknown key 'workspaces.profiles.big.memroy'. Allowed here: desc",
        ),
        ("library: {repositories: {ada: {adress: x, url: y}}}", "unknown key 'library.repositories.ada.adress'"),
        ("workspaces: {profiles: {big: {groups: [7]}}}", "workspaces.profiles.big.groups.0"),
    ],
)
def test_a_bad_profile_names_the_key(text: str, words: str) -> None:
    """A slip in the file must not start a platform with the wrong limits."""
    with pytest.raises(SettingsError) as refusal:
        parse_settings(text)
    assert words in str(refusal.value)
