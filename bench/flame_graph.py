# SPDX-License-Identifier: Apache-2.0
"""Stacks as a flame graph: an SVG to look at in a browser, where each box tells its name and share when pointed at.

A box is a function, as wide as the samples in which it or what it called was running; below it stands its caller.
"""

import dataclasses
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape

Stack = tuple[str, ...]  # outermost first

WIDTH = 1600
ROW = 17
HEAD = 40
LETTER = 6.6  # of the font, on average
NARROWEST = 0.4


@dataclasses.dataclass
class Box:
    samples: int = 0
    calls: dict[str, "Box"] = dataclasses.field(default_factory=dict)

    def add(self, stack: Stack, samples: int) -> None:
        self.samples += samples
        if stack:
            self.calls.setdefault(stack[0], Box()).add(stack[1:], samples)

    def depth(self) -> int:
        return 1 + max((box.depth() for box in self.calls.values()), default=0)


def flame_graph(
    title: str, stacks: Mapping[Stack, int], colour_of: Callable[[str], str], shown_as: Callable[[str], str]
) -> str:
    root = Box()
    for stack, samples in stacks.items():
        root.add(stack, samples)
    height = HEAD + ROW * root.depth()
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"',
        ' font-family="monospace" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="8" y="24" font-size="16">{escape(title)}</text>',
    ]

    def draw(name: str, box: Box, left: float, level: int) -> None:
        width = WIDTH * box.samples / root.samples
        if width < NARROWEST:
            return
        top = height - ROW * (level + 1)
        full = shown_as(name) if level else name
        fits = full if len(full) * LETTER < width else full[: max(0, int(width / LETTER) - 1)]
        parts.append(
            f"<g><title>{escape(full)}: {box.samples / root.samples:.1%}</title>"
            f'<rect x="{left:.1f}" y="{top}" width="{width * 0.98:.1f}" height="{ROW - 1}" fill="{colour_of(name)}"/>'
            f'<text x="{left + 2:.1f}" y="{top + 12}">{escape(fits)}</text></g>'
        )
        for callee, inner in sorted(box.calls.items()):
            draw(callee, inner, left, level + 1)
            left += WIDTH * inner.samples / root.samples

    draw("all", root, 0, 0)
    return "\n".join([*parts, "</svg>\n"])
