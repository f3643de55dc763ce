"""`trackrecord settings`."""

import sys
from typing import Any

import typer

from . import options, output

app = typer.Typer(add_completion=False)


@app.command()
def settings(
    data: options.Data = None,
    as_json: options.AsJson = False,
) -> None:
    """List every setting and its value. Where that comes from, the default and the meaning stand beside."""
    from ..settings import SECRETS, SETTINGS, load, origins

    now = load({"data": data})
    sources = {**origins(now), **({"data": "--data"} if data else {})}
    rows: list[dict[str, Any]] = []
    for row in SETTINGS:
        value = getattr(now, row.name)
        if row.name in SECRETS and value:
            value = "(set)"  # never shown
        rows.append({"name": row.name, "value": value, "source": sources[row.name], "default": row.default, "meaning": row.meaning})
    if as_json:
        output.json(rows)
        return
    if not sys.stdout.isatty():
        output.table(
            ("setting", "value", "from", "default", "meaning"),
            [(row["name"], _shown(row["value"]), row["source"], _shown(row["default"]), row["meaning"]) for row in rows],
        )
        return
    output.table(("setting", "value", "meaning"), [(row["name"], _value(row), row["meaning"]) for row in rows])
    print(
        "\nTo set one: a flag of serve, --set name=value, TRACKRECORD_NAME, or a line of\n"
        "settings.toml in the data directory; the first of these counts."
    )


def _value(row: dict[str, Any]) -> str:
    """Where a value is not the default, its origin stands beneath it."""
    return _shown(row["value"]) + ("" if row["source"] == "default" else f"\n  {row['source']}")


def _shown(value: object) -> str:
    if value is None:
        return "as the profile"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) or "-"
