"""What images are built, when, and what is told meanwhile."""

from pathlib import Path

import pytest

from twinhub.images import Variant
from twinhub.operate.image import ImageNotBuilt, build_rest, inputs_of, wanted_variants
from twinhub.operate.image.building import BuildOrder, build_command
from twinhub.operate.image.command import milestone_of, run
from twinhub.operate.image.context import build_context, digest
from twinhub.operate.image.records import BuildRecord, change_record, read_record, write_record
from twinhub.places import Places
from twinhub.settings import parse_settings


def places_with(folder: Path, text: str = "") -> Places:
    places = Places(folder, parse_settings(text))
    places.images.mkdir(exist_ok=True)
    return places


def test_a_change_that_only_full_notices_leaves_minimal_alone(tmp_path: Path) -> None:
    """A new image means a new container for everybody who uses it."""
    places = places_with(tmp_path)
    with build_context(places) as context:
        before = {variant: digest(context, variant, 1000) for variant in Variant}
        (context / "full" / "package.json").write_text("{}")
        assert digest(context, Variant.MINIMAL, 1000) == before[Variant.MINIMAL]
        assert digest(context, Variant.FULL, 1000) != before[Variant.FULL]
        (context / "own" / "profile.sh").write_text("# changed")
        assert digest(context, Variant.MINIMAL, 1000) != before[Variant.MINIMAL]
        assert not context.is_relative_to(tmp_path)
    assert not context.exists()


def test_the_authorities_of_the_network_are_part_of_the_image(tmp_path: Path) -> None:
    """Who changes ca_bundle wants it inside workspaces at their next start."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text("one")
    places = places_with(tmp_path, f"ca_bundle: {bundle}")
    before = inputs_of(places, Variant.MINIMAL)
    bundle.write_text("two")
    assert inputs_of(places, Variant.MINIMAL) != before


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ["minimal", "full"]),
        ("workspaces: {image: minimal}", ["minimal"]),
        ("workspaces: {image: minimal, profiles: {large: {image: full}}}", ["minimal", "full"]),
    ],
)
def test_only_images_that_somebody_may_choose_are_built(tmp_path: Path, text: str, wanted: list[str]) -> None:
    """Two gigabytes and minutes of a small machine are not spent for nobody."""
    assert wanted_variants(places_with(tmp_path, text)) == tuple(wanted)


def test_a_background_build_leaves_the_processor_to_those_who_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People sign in while the large image is under way."""
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    order = BuildOrder(places_with(tmp_path, "name: lab"), Variant.FULL, "abc", background=True)
    command = build_command(order, "base:1")
    assert command[command.index("--cpu-shares") + 1] == "256"
    assert command[command.index("--tag") + 1] == "lab-workspace:full"
    assert command[command.index("--target") + 1] == "full"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Step 4/19 : RUN apt-get update -q", "step 4 of 19: apt-get update -q"),
        ("#7 [code 3/4] RUN npm ci --prefix /opt/code", "step 3 of 4: npm ci --prefix /opt/code"),
        ("#12 [2/9] RUN apt-get update", "step 2 of 9: apt-get update"),
        ("Step 3/19 : ENV LANG=C.UTF-8", ""),
        ("#7 12.3 added 400 packages", ""),
    ],
)
def test_both_builders_tell_how_far_they_are(line: str, words: str) -> None:
    """Minutes without a word look like a hang."""
    assert milestone_of(line) == words


def test_a_command_that_fails_says_its_last_words() -> None:
    """The reason stands at the end of hundreds of lines."""
    script = "for i in $(seq 100); do echo line $i; done; echo no space left on device >&2; exit 3"
    with pytest.raises(ImageNotBuilt, match=r"It failed: .*no space left on device"):
        run(["sh", "-c", script], lambda _: None, "it failed")


def test_a_record_that_was_cut_off_is_no_record(tmp_path: Path) -> None:
    """A full disk must not take `twinhub doctor` down."""
    places = places_with(tmp_path)
    assert read_record(places, Variant.FULL) == BuildRecord()
    write_record(places, Variant.FULL, BuildRecord("building", "step 1", "2026-11-21T10:00:00+00:00", 240.0))
    change_record(places, Variant.FULL, state="failed", doing="no network")
    assert read_record(places, Variant.FULL) == BuildRecord("failed", "no network", "2026-11-21T10:00:00+00:00", 240.0)
    (places.images / "full.json").write_text('{"state": "buil')
    assert read_record(places, Variant.FULL) == BuildRecord()


def test_a_build_that_fails_is_tried_again_ever_less_often(tmp_path: Path) -> None:
    """The network is away for an hour, and nobody sits there to press a key; nor is the machine kept busy."""
    places = places_with(tmp_path, f"ca_bundle: {tmp_path}/not-there.pem")
    pauses: list[float] = []
    words: list[str] = []

    def pause(wait_s: float) -> None:
        pauses.append(wait_s)
        if len(pauses) == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_rest(places, words.append, pause)
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert "The next try comes in 30 s." in words[0]
