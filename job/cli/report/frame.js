// SPDX-License-Identifier: Apache-2.0
// What stands around a plot: its name, what it shows, a legend, a table of the same numbers.

const tableOf = (columns, rows) => {
  const line = (cells) => html("tr", {}, ...cells);
  const kind = (column) => ({ class: column[1] ? "words" : "" });
  return html("div", { class: "scroll", tabindex: "0" }, html("table", {},
    html("thead", {}, line(columns.map((column) => html("th", { scope: "col", ...kind(column) }, column[0])))),
    html("tbody", {}, ...rows.map((row) => line(row.map((cell, i) => html("td", kind(columns[i]), cell)))))));
};

// Made when it is opened: a thousand rows a plot are for those who want them.
const tableBehind = (plot) => {
  const details = html("details", {}, html("summary", {}, "Table"));
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) details.append(tableOf(plot.columns, plot.cells()));
  });
  return details;
};

const legendOf = (entries) => html("ul", { class: "legend" }, ...entries.map(([colour, words, value]) => html("li", {},
  svg("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, svg("rect", { class: colour, width: 10, height: 10 })),
  words, " ", html("i", {}, value))));

const place = document.getElementById("plots");
const add = (plot) => {
  plot.title = svg("title", { id: `${plot.id}-title` }, plot.name);
  plot.desc = svg("desc", { id: `${plot.id}-desc` }, plot.about);
  plot.root = svg("svg", { id: plot.id, role: "img", "aria-labelledby": `${plot.id}-title ${plot.id}-desc` });
  place.append(html("section", {}, html("h2", {}, plot.name), html("p", { class: "about" }, plot.about),
    ...(plot.legend ? [legendOf(plot.legend)] : []), plot.root, tableBehind(plot)));
  drawn.push(plot);
};
const addTimePlot = (plot) => {
  add(plot);
  plot.redraw = (pixels) => drawTimePlot(plot, pixels);
  plot.root.setAttribute("tabindex", "0");
  addLooking(plot);
};
const addRows = (plot) => {
  add(plot);
  plot.redraw = (pixels) => drawRows(plot, pixels);
};
