// SPDX-License-Identifier: Apache-2.0
// Marks and axes, as SVG. A series is one path, each mark of it one subpath.

// `spanOf` a slot: where its bar begins and ends above the base line.
const barsOf = (slots, barWidth, bottom, spanOf) => slots.map((slot) => {
  const [from, to] = spanOf(slot);
  return `M${(slot.x - barWidth / 2).toFixed(1)} ${(bottom - from).toFixed(1)}h${barWidth.toFixed(1)}` +
    `V${(bottom - to).toFixed(1)}h${(-barWidth).toFixed(1)}z`;
}).join("");

// Several series are stacked. What is more than nothing can be seen.
const drawBars = (plot, y, bottom) => {
  const heights = new Map(plot.line.slots.map((slot) => [slot, 0]));
  return plot.series.map((series) => {
    const slots = plot.line.slots.filter((slot) => known(series.value(slot.points)));
    const d = barsOf(slots, plot.line.barWidth, bottom, (slot) => {
      const from = heights.get(slot), height = bottom - y(series.value(slot.points));
      heights.set(slot, from + (height > 0 ? Math.max(1, height) : 0));
      return [from, heights.get(slot)];
    });
    return svg("path", { class: `bar ${series.class ?? ""}`, "data-series": series.name, d });
  });
};

const drawLine = (plot, y) => {
  const [series] = plot.series;
  const spots = plot.line.slots.map((slot) => [slot.x, series.value(slot.points)]).filter(([, value]) => known(value))
    .map(([x, value]) => `${x.toFixed(1)} ${y(value).toFixed(1)}`);
  return [
    svg("path", { class: "line", d: spots.length > 1 ? `M${spots.join("L")}` : "" }),
    svg("path", { class: "dots", "data-series": series.name, "stroke-width": spots.length > 150 ? 2.5 : 6,
      d: spots.map((spot) => `M${spot}h0`).join("") }),
  ];
};

// As high as it is bad, so that colour is not alone; the glyph stands above where there is room.
const drawStates = (plot, y, bottom) => {
  const { slots, barWidth } = plot.line;
  const worst = (slot) => plot.states.find((state) => total(slot.points, (point) => point[state.name]) > 0);
  const height = (state) => (state.isBad ? 26 : 14);
  const paths = plot.states.map((state) => svg("path", { class: state.name, "data-series": state.name,
    d: barsOf(slots.filter((slot) => worst(slot) === state), barWidth, bottom, () => [0, height(state)]) }));
  const glyphs = [];
  let last = -Infinity;
  for (const slot of slots) {
    const state = worst(slot);
    if ((!state.isBad && barWidth < 12) || slot.x - last < 11) continue;
    last = slot.x;
    glyphs.push(svg("text", { class: "glyph", x: slot.x, y: bottom - height(state) - 4 }, state.glyph));
  }
  return [...paths, ...glyphs];
};

const drawAxes = (line, ticks, y, pixels, bottom) => {
  const marks = [];
  for (const tick of ticks) {
    const at = y(tick.at);
    marks.push(
      svg("line", { class: tick.at === 0 ? "base" : "grid", x1: kLeft, x2: pixels - kRight, y1: at, y2: at }),
      svg("text", { class: "end", x: kLeft - 6, y: at + 4 }, tick.label));
  }
  for (const tick of timeTicks(line.from, line.to, pixels / 85)) {
    const x = line.x(tick.at);
    const anchor = x > pixels - 28 ? "end" : "middle";
    marks.push(
      svg("line", { class: "base", x1: x, x2: x, y1: bottom, y2: bottom + 4 }),
      svg("text", { class: anchor, x, y: bottom + 16 }, tick.first),
      svg("text", { class: anchor, x, y: bottom + 29 }, tick.second));
  }
  return marks;
};

const drawTimePlot = (plot, pixels) => {
  const { height = 96, leastSeconds = 1 } = plot;
  const bottom = kTop + height;
  const line = timeLine(plot.points, pixels, leastSeconds);
  const most = greatest(line.slots, (slot) => total(plot.series, (series) => series.value(slot.points)));
  const axis = plot.states ? { top: 1, ticks: [{ at: 0, label: "" }] } : valueAxis(most ?? 0, plot.isTime);
  const y = (value) => bottom - (value / axis.top) * height;
  plot.line = line;
  plot.cursor = svg("line", { class: "cursor", y1: kTop, y2: bottom, visibility: "hidden" });
  plot.root.setAttribute("viewBox", `0 0 ${pixels} ${bottom + kAxis}`);
  plot.root.replaceChildren(plot.title, plot.desc, ...drawAxes(line, axis.ticks, y, pixels, bottom),
    ...plot.draw(plot, y, bottom), plot.cursor,
    // Its own empty title keeps the browser from showing the plot's as a tip.
    svg("rect", { class: "over", x: 0, y: 0, width: pixels, height: bottom + kAxis }, svg("title")));
};

// A line of text and a bar below it for each row; a part of the row before is indented.
const drawRows = (plot, pixels) => {
  const kIndent = 14;
  const most = greatest(plot.bars, (row) => row.value);
  let y = 0;
  const marks = plot.bars.flatMap((row) => {
    y += row.isPart ? 28 : 36;
    const x = row.isPart ? kIndent : 0;
    const room = Math.floor((pixels - x - 90) / 7.5);
    const name = row.name.length > room ? `${row.name.slice(0, room - 1)}…` : row.name;
    const length = most > 0 ? Math.max(row.value > 0 ? 1 : 0, ((pixels - kIndent) * row.value) / most).toFixed(1) : 0;
    return [
      svg("text", { class: row.isPart ? "part" : "name", x, y: y - 13 }, name),
      svg("text", { class: "end", x: pixels, y: y - 13 }, count(row.value)),
      svg("path", { class: row.isPart ? "bar light" : "bar", "data-series": "rows",
        d: `M${x} ${y - 8}h${length}v${row.isPart ? 4 : 7}h-${length}z` }),
    ];
  });
  plot.root.setAttribute("viewBox", `0 0 ${pixels} ${y + 2}`);
  plot.root.replaceChildren(plot.title, plot.desc, ...marks);
};
