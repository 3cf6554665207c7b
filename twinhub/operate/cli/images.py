"""`twinhub image`: what workspaces are made from."""

from __future__ import annotations

import dataclasses
import json

import click

from twinhub.images import Variant
from twinhub.operate.cli.options import json_option, places_of
from twinhub.operate.image import build_rest, ensure_image, list_images
from twinhub.operate.layout import ensure_layout
from twinhub.operate.report import Report


@click.group("image")
def image() -> None:
    """Build and look at the images that workspaces are made from."""


@image.command("list")
@json_option
@click.pass_context
def image_list(ctx: click.Context, as_json: bool) -> None:
    """Show each variant: whether it is there, its size, how long its build took, what a build is doing."""
    rows = list_images(places_of(ctx))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(row) for row in rows]))
        return
    for row in rows:
        size = f"{row.size_mb:>6} MB" if row.size_mb is not None else f"{'-':>9}"
        took = f"built in {row.build_s:.0f} s" if row.build_s is not None else ""
        click.echo(f"  {row.variant:<8} {row.state:<9} {size}  {took:<16} {row.note}".rstrip())


@image.command("build")
@click.argument("variant", type=click.Choice([str(variant) for variant in Variant]))
@click.pass_context
def image_build(ctx: click.Context, variant: str) -> None:
    """Build VARIANT now, unless it is up to date; waits for a build that is under way.

    \b
    Example: twinhub image build full
    """
    places, report = places_of(ctx), Report()
    ensure_layout(places)
    with report.step(f"Workspace image '{variant}'"):
        result = ensure_image(places, Variant(variant), report.detail)
    how = f"built in {result.took_s:.0f} s" if result.built else "up to date"
    click.echo(f"{variant}: {result.size_mb} MB, {how}")


@image.command("build-rest", hidden=True)
@click.pass_context
def image_build_rest(ctx: click.Context) -> None:
    """Build what is wanted and missing, in the background, until all is there."""
    build_rest(places_of(ctx), click.echo)
