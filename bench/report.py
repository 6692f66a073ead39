# SPDX-License-Identifier: Apache-2.0
"""What a bench shows: a table for the terminal, a file of JSON, a chart of bars as SVG.

    table(headings, rows)           Markdown; cells are text
    write_json(path, figures)       with the date and the machine
    write_bars(path, title, bars)   each bar a label and its parts, a name and a number each
"""

import datetime
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

# Told apart by those who see no red or green, and on light and dark grounds alike (Okabe and Ito).
COLOURS = ("#999999", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#a6761d")
STYLE = """<style>
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 15px }
  .faint { fill: #57606a }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .faint { fill: #9198a1 } }
</style>"""
WIDTH, LABELS, NUMBERS, ROW, BAR, LEGEND = 860, 260, 90, 26, 18, 20


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[at]) for row in (headings, *rows)) for at in range(len(headings))]

    def line(cells: Sequence[str]) -> str:
        first, *others = (cell.ljust(width) if at == 0 else cell.rjust(width)
                          for at, (cell, width) in enumerate(zip(cells, widths)))  # fmt: skip
        return "| " + " | ".join((first, *others)) + " |"

    rule = "|" + "|".join("-" * (width + 1) + ("-" if at == 0 else ":") for at, width in enumerate(widths)) + "|"
    return "\n".join((line(headings), rule, *map(line, rows)))


def machine() -> str:
    models = [line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return f"{os.cpu_count()} × {models[0] if models else platform.machine()}, Linux {platform.release()}"


def write_json(path: Path, figures: Mapping[str, object]) -> None:
    when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    path.write_text(json.dumps({"date": when, "machine": machine(), **figures}, indent=1, ensure_ascii=False) + "\n")


Bars = Sequence[tuple[str, Sequence[tuple[str, float]]]]


def write_bars(path: Path, title: str, bars: Bars) -> None:
    names = list(dict.fromkeys(name for _, parts in bars for name, _ in parts))
    colour = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(names)}
    longest = max(sum(number for _, number in parts) for _, parts in bars)
    scale = (WIDTH - LABELS - NUMBERS) / longest
    drawn = [f'<text class="title" x="8" y="22">{escape(title)}</text>']
    at, line = LABELS, 36
    for name in names:
        width = 34 + 7 * len(name)
        if at + width > WIDTH:
            at, line = LABELS, line + LEGEND
        drawn.append(f'<rect x="{at}" y="{line}" width="11" height="11" rx="2" fill="{colour[name]}"/>')
        drawn.append(f'<text class="faint" x="{at + 16}" y="{line + 10}">{escape(name)}</text>')
        at += width
    begin = line + LEGEND + 4
    for number, (label, parts) in enumerate(bars):
        top, left = begin + number * ROW, float(LABELS)
        drawn.append(f'<text x="{LABELS - 10}" y="{top + 14}" text-anchor="end">{escape(label)}</text>')
        for name, value in parts:
            width = value * scale
            hint = f"<title>{escape(name)}: {value:.1f}</title>"
            drawn.append(f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BAR}" '
                         f'fill="{colour[name]}">{hint}</rect>')  # fmt: skip
            left += width
        drawn.append(f'<text x="{left + 6:.1f}" y="{top + 14}">{sum(value for _, value in parts):,.1f}</text>')
    height = begin + len(bars) * ROW + 8
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">'
    path.write_text("\n".join((opening, STYLE, *drawn, "</svg>")) + "\n")
