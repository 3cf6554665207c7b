"""Twins described without running them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libms.descriptions.twin import TwinDescription, Use, read_twin

DESCRIPTOR = """\
title: Incubator
description: Keeps 35 °C.
uses:
  models: [incubator.fmu, {path: common/models/plant, version: 1.10}]
  data: measurements
  tools:
parameters: {m: {type: real}}
"""


def test_a_descriptor_and_its_phases_are_read() -> None:
    """The page shows what a twin is made of and what it can do, in the order of its life."""
    twin = read_twin(DESCRIPTOR, ["clean", "execute", "analyse", "notes.txt", "analyze"])
    assert twin == TwinDescription(
        title="Incubator",
        description="Keeps 35 °C.",
        phases=("execute", "analyze", "clean"),
        uses=(
            Use("models", "incubator.fmu"),
            Use("models", "common/models/plant", "1.10"),
            Use("data", "measurements"),
        ),
    )


def test_a_twin_without_a_descriptor_still_has_phases() -> None:
    """The descriptor is optional."""
    assert read_twin(None, ["create"]) == TwinDescription(phases=("create",))
    assert read_twin("", []) == TwinDescription()


@pytest.mark.parametrize("path", ["../x", "a/../b", "[a]", '"a\\0b"', '""', "~", "{version: 1}", "x" * 2000])
def test_what_is_no_asset_path_is_told_and_left_out(path: str) -> None:
    """A descriptor is no way out of the library."""
    twin = read_twin(f"title: t\nuses:\n  models:\n    - {path}\n    - good\n", [])
    assert twin.uses == (Use("models", "good"),)
    assert len(twin.problems) == 1
    assert twin.problems[0].startswith("twin.yaml line 4: ")


@pytest.mark.parametrize("descriptor", ["a: [", "- list", "uses: models", "uses: {cats: [a]}", "a: &a 1\nb: *a"])
def test_a_wrong_descriptor_is_told_with_its_line(descriptor: str) -> None:
    """A typing slip must not take a twin away."""
    twin = read_twin(descriptor, ["execute"])
    assert twin.phases == ("execute",)
    assert "twin.yaml line" in twin.problems[0]


@given(st.text(), st.lists(st.text()))
def test_no_text_makes_describing_a_twin_fail(text: str, names: list[str]) -> None:
    """Whatever is uploaded, the twins can be listed."""
    assert set(read_twin(text, names).phases) <= set(names) | {"analyze"}
    read_twin(f"uses:\n  models: {text}", names)
