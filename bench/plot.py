"""Draws the growth: events stored on the x axis, one panel a quantity, as an SVG that is readable in light and in dark."""

import math
from typing import NamedTuple

import jinja2

from .figures import Point

WIDTH, PANEL, LEFT, RIGHT, TOP, BOTTOM = 760, 210, 78, 20, 34, 30  # pixels; a panel's height is that with title and ticks
TICKS = 4  # about as many, on each axis
INNER = PANEL - TOP - BOTTOM
COLOURS = "abc"  # classes of the style below

# What is drawn: a title, and the lines under it, each with its name and its field of a Point.
PANELS: tuple[tuple[str, dict[str, str]], ...] = (
    ("events a second", {"store append alone": "append", "whole way, through to the store": "through", "acknowledged": "acknowledged"}),
    ("bytes an event in the store", {"store": "store_bytes"}),
    ("p99 of a page of 50, ms", {"page": "page_p99_ms"}),
)


class Tick(NamedTuple):
    at: float  # pixels
    text: str


class Line(NamedTuple):
    name: str
    colour: str  # a class of the style below
    dots: list[tuple[float, float]]


class Panel(NamedTuple):
    title: str
    top: float
    x: list[Tick]
    y: list[Tick]
    lines: list[Line]


def svg(points: list[Point]) -> str:
    """The whole picture. A flat line is the goal, so each y axis begins at 0."""
    panels = [_panel(title, fields, number * PANEL + TOP, points) for number, (title, fields) in enumerate(PANELS)]
    return _TEMPLATE.render(panels=panels, width=WIDTH, height=len(PANELS) * PANEL, left=LEFT, right=WIDTH - RIGHT, inner=INNER)


def _panel(title: str, fields: dict[str, str], top: float, points: list[Point]) -> Panel:
    most = max(point.events for point in points)
    y_ticks = _ticks(max(getattr(point, field) for field in fields.values() for point in points))

    def x(events: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * events / most

    def y(value: float) -> float:
        return top + INNER * (1 - value / y_ticks[-1])

    return Panel(
        title,
        top,
        [Tick(x(each), _short(each)) for each in _ticks(most) if each <= most],
        [Tick(y(each), _short(each)) for each in y_ticks],
        [
            Line(name, colour, [(x(point.events), y(getattr(point, field))) for point in points])
            for colour, (name, field) in zip(COLOURS, fields.items(), strict=False)
        ],
    )


def _ticks(most: float) -> list[float]:
    """From 0 to `most` or just past it, in steps of one, two or five times a power of ten."""
    rough = most / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough)
    return [step * number for number in range(math.ceil(most / step) + 1)]


def _short(value: float) -> str:
    """`10 M`, `250 k`, `160`."""
    for size, letter in ((1_000_000, " M"), (1_000, " k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


_TEMPLATE = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ width }} {{ height }}" font-family="sans-serif" font-size="12">
  <title>Rates, bytes and latency by events stored</title>
  <style>
    text { fill: #444 } .name { fill: currentColor } .title { font-weight: bold } .grid { stroke: #ccc }
    .a { color: #0969da } .b { color: #bc4c00 } .c { color: #1a7f37 }
    @media (prefers-color-scheme: dark) {
      text { fill: #bbb } .name { fill: currentColor } .grid { stroke: #444 }
      .a { color: #58a6ff } .b { color: #f0883e } .c { color: #3fb950 }
    }
  </style>
{% for panel in panels %}
  <text class="title" x="{{ left }}" y="{{ panel.top - 16 }}">{{ panel.title }}</text>
{% for tick in panel.y %}
  <line class="grid" x1="{{ left }}" x2="{{ right }}" y1="{{ tick.at|round(1) }}" y2="{{ tick.at|round(1) }}"/>
  <text x="{{ left - 8 }}" y="{{ (tick.at + 4)|round(1) }}" text-anchor="end">{{ tick.text }}</text>
{% endfor %}
{% for tick in panel.x %}
  <text x="{{ tick.at|round(1) }}" y="{{ panel.top + inner + 18 }}" text-anchor="middle">{{ tick.text }}</text>
{% endfor %}
{% if panel.lines|length > 1 %}
  <text x="{{ right }}" y="{{ panel.top - 16 }}" text-anchor="end">
{% for line in panel.lines %}
    <tspan class="name {{ line.colour }}" dx="12">● {{ line.name }}</tspan>
{% endfor %}
  </text>
{% endif %}
{% for line in panel.lines %}
  <g class="{{ line.colour }}" fill="currentColor">
    <polyline fill="none" stroke="currentColor" stroke-width="2" points="
{%- for x, y in line.dots %}{{ x|round(1) }},{{ y|round(1) }} {% endfor %}"/>
{% for x, y in line.dots %}
    <circle cx="{{ x|round(1) }}" cy="{{ y|round(1) }}" r="3"/>
{% endfor %}
  </g>
{% endfor %}
{% endfor %}
</svg>
""")
