// SPDX-License-Identifier: Apache-2.0
// What the page shows, from the JSON in it.

const told = JSON.parse(document.getElementById("history").textContent);
const { points, totals, workers, reasons } = told;

// The worst first: it gives a mark of several runs its colour and glyph.
const kStates = [
  { name: "failed", glyph: "✕", isBad: true, words: "failed" },
  { name: "unfinished", glyph: "…", isBad: true, words: "not ended: running, or killed" },
  { name: "rejections", glyph: "!", isBad: true, words: "over the reject threshold" },
  { name: "interrupted", glyph: "‖", isBad: true, words: "interrupted, work remains" },
  { name: "ok", glyph: "✓", words: "as planned" },
  { name: "skipped", glyph: "–", words: "nothing to do" },
];
const kStages = ["receive", "decode", "validate", "mask", "stage", "load", "delete"];  // in the order of the JSON

// ---- runs

const runTable = (columns, cells) => ({
  columns: [["Began"], ["Runs"], ["Worker", true], ...columns],
  cells: () => points.map((point) => [moment(point.at), count(point.runs),
    point.workers === 1 ? point.worker : plural(point.workers, "worker"), ...cells(point)]),
});
const addRunPlot = ({ id, name, about, value, words = count, isTime = false, draw = drawBars }) => addTimePlot({
  id, name, about, points, draw, isTime, series: [{ name: id, value }],
  rows: (members) => [[name, words(value(members))]],
  ...runTable([[name]], (point) => [words(value([point]))]),
});

const statesIn = (members) => kStates.map((state) => [state, total(members, (point) => point[state.name])])
  .filter(([, runs]) => runs > 0);
const addStates = () => addTimePlot({
  id: "states", name: "How runs ended", points,
  about: "A higher mark is a run that somebody should look at. One that was refused before it began is not recorded.",
  draw: drawStates, states: kStates, series: [], height: 44,
  legend: statesIn(points).map(([state, runs]) => [state.name, `${state.glyph} ${state.words}`, count(runs)]),
  rows: (members) => statesIn(members).map(([state, runs]) => [`${state.glyph} ${state.words}`, count(runs)]),
  note: (members) => members.find((point) => point.error)?.error,
  ...runTable([["Ended", true], ["Highest exit status"], ["Error", true]], (point) => [
    statesIn([point]).map(([{ words }, runs]) => (point.runs === 1 ? words : `${count(runs)} ${words}`)).join("; "),
    known(point.exit_code) ? String(point.exit_code) : "–", point.error ?? "",
  ]),
});

const addStages = () => {
  const all = kStages.map((name, i) => (
    { name, class: `s${i}`, value: (members) => total(members, (point) => point.stages?.[i]) }));
  if (total(all, (series) => series.value(points)) === null) return;
  addTimePlot({
    id: "stages", name: "Time by stage", points, draw: drawBars, isTime: true, height: 130, series: all,
    about: "Stages run side by side, so they may add up to more than the run. Runs by an older sluice did not tell.",
    legend: all.map((series) => [series.class, series.name, duration(series.value(points))]),
    rows: (members) => all.map((series) => [series.name, duration(series.value(members))]),
    ...runTable(kStages.map((name) => [name]), (point) => all.map((series) => duration(series.value([point])))),
  });
};

const rateOf = (members) => {
  const timed = members.filter((point) => known(point.loaded) && point.seconds > 0);
  return timed.length === 0 ? null : total(timed, (point) => point.loaded) / total(timed, (point) => point.seconds);
};

const addRuns = () => {
  addStates();
  addRunPlot({ id: "rows", name: "Rows loaded", about: "Committed to the tables of the pipeline.",
    value: (members) => total(members, (point) => point.rows) });
  addRunPlot({ id: "rate", name: "Messages per second", about: "Messages loaded, by the time that the runs took.",
    draw: drawLine, value: rateOf });
  addRunPlot({ id: "age", name: "Age of the oldest message", draw: drawLine, isTime: true, words: duration,
    about: "How long the oldest message had waited when a run received it. A run that received none has no point.",
    value: (members) => greatest(members, (point) => point.age) });
  addRunPlot({ id: "duration", name: "Run time", about: "Where runs share a mark: of the longest.", isTime: true,
    words: duration, value: (members) => greatest(members, (point) => point.longest) });
  addRunPlot({ id: "duplicates", name: "Duplicates", about: "Deliveries of known messages, which are not loaded again.",
    value: (members) => total(members, (point) => point.duplicate) });
  addRunPlot({ id: "rejected", name: "Rejections", about: "Messages set apart with a reason.",
    value: (members) => total(members, (point) => point.rejected) });
  addStages();
};

// ---- rejections

const fieldOf = (row) => [row.field, row.sqlstate && `SQLSTATE ${row.sqlstate}`].filter(Boolean).join(", ");
const messagesIn = (rows) => total(rows, (row) => row.messages) ?? 0;

// A reason with one field is one bar, else its fields are parts of it.
const barsOfReason = (name, rows) => {
  const fields = rows.filter(fieldOf);
  if (rows.length === 1 && fields.length === 1) {
    return [{ name: `${name}: ${fieldOf(rows[0])}`, value: messagesIn(rows) }];
  }
  return [{ name, value: messagesIn(rows) },
    ...fields.slice(0, 6).map((row) => ({ name: fieldOf(row), value: row.messages, isPart: true }))];
};
const addReasons = () => {
  const groups = [...grouping(reasons, (row) => row.reason)].sort(([, a], [, b]) => messagesIn(b) - messagesIn(a));
  addRows({
    id: "reasons", name: "Rejections by reason and field",
    about: "Counted in sluice.rejected_message, by when they were rejected.",
    bars: groups.slice(0, 10).flatMap(([name, rows]) => barsOfReason(name, rows)),
    columns: [["Reason", true], ["Field", true], ["Messages"], ["Of them replayed"], ["Newest"]],
    cells: () => reasons.map((row) => [
      row.reason, fieldOf(row), count(row.messages), count(row.replayed), moment(row.newest)]),
  });
  addRejectionDays(groups.map(([name]) => name));
};

const addRejectionDays = (names) => {
  const top = names.slice(0, names.length > 7 ? 6 : 7);
  const days = [...grouping(told.days, (row) => row.at)].map(([at, rows]) => ({ at, rows }));
  const seriesOf = (name, i, isWanted) => ({ name, class: `s${i}`,
    value: (members) => messagesIn(members.flatMap((point) => point.rows.filter((row) => isWanted(row.reason)))) });
  const all = top.map((name, i) => seriesOf(name, i, (reason) => reason === name));
  if (top.length < names.length) all.push(seriesOf("other reasons", 6, (reason) => !top.includes(reason)));
  addTimePlot({
    id: "days", name: "Rejections over time", points: days, draw: drawBars, series: all, leastSeconds: told.day_s,
    about: told.day_s === kDay ? "Days of UTC." : `By ${stretch(told.day_s)} of UTC.`,
    legend: all.map((series) => [series.class, series.name, count(series.value(days))]),
    rows: (members) => all.filter((series) => series.value(members) > 0)
      .map((series) => [series.name, count(series.value(members))]),
    columns: [["From"], ...all.map((series) => [series.name])],
    cells: () => days.map((point) => [moment(point.at), ...all.map((series) => count(series.value([point])))]),
  });
};

// ---- workers

const addWorkers = () => addRows({
  id: "workers", name: "Messages loaded by worker",
  about: "In all plots above, workers are added up." + (told.worker_count > workers.length
    ? ` These are the ${workers.length} that loaded most, of ${count(told.worker_count)}.` : ""),
  bars: workers.map((row) => ({ name: row.worker, value: row.loaded ?? 0 })),
  columns: [["Worker", true], ["Runs"], ["Failed"], ["Loaded"], ["Duplicates"], ["Rejected"], ["Time"]],
  cells: () => workers.map((row) => [row.worker, count(row.runs), count(row.failed), count(row.loaded),
    count(row.duplicate), count(row.rejected), duration(row.seconds)]),
});

// ---- the page

const sayHowThinned = () => {
  const line = drawn.find((plot) => plot.points === points)?.line;
  if (!line) return;
  const sentences = [];
  if (told.bucket_s > 0) {
    sentences.push(`${plural(totals.runs, "run")} are ${plural(points.length, "point")}: ` +
      `those that began in the same ${stretch(told.bucket_s)} are one.`);
  }
  if (line.slots.length < points.length) {
    sentences.push(`At this width of the page, a mark is what began in the same ${stretch(line.seconds)}.`);
  }
  document.getElementById("thinned").textContent = sentences.join(" ");
};

const made = document.querySelector("time");
made.textContent = moment(Date.parse(made.dateTime));
if (new Date().getTimezoneOffset() !== 0) {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  document.getElementById("zone").textContent = `Times are in your zone, ${timeZone}; UTC stands beside them.`;
}

if (points.length > 0) addRuns();
if (reasons.length > 0) addReasons();
if (workers.length > 1) addWorkers();

let drawnPixels = 0;
const redraw = () => {
  const pixels = place.clientWidth;
  if (pixels === drawnPixels || pixels === 0) return;
  drawnPixels = pixels;
  hideTip();
  for (const plot of drawn) plot.redraw(pixels);
  sayHowThinned();
};
redraw();
new ResizeObserver(() => requestAnimationFrame(redraw)).observe(place);
document.documentElement.dataset.drawn = drawn.map((plot) => plot.id).join(" ");
