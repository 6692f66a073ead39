// SPDX-License-Identifier: Apache-2.0
// Where values and times stand, and which of them are named.

const kLeft = 50, kRight = 6, kTop = 8, kAxis = 32;  // around a plot, in pixels
const kSlotWidth = 4;  // pixels that the runs of one mark share at least
const kWidestBar = 28;
const kMinute = 60, kHour = 3600, kDay = 86400;  // in seconds
const kRound = [1, 2, 5, 10, 15, 30, kMinute, 2 * kMinute, 5 * kMinute, 10 * kMinute, 30 * kMinute, kHour, 2 * kHour,
  3 * kHour, 6 * kHour, 12 * kHour, kDay];
const roundSeconds = (least) => kRound.find((each) => each >= least) ?? Math.ceil(least / kDay) * kDay;

// ---- values

// The least of 1, 2 or 5 times a power of ten.
const roundNumber = (least) => {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= least);
};

// From 0 up to `most`, in three steps at the most.
const valueAxis = (most, isTime) => {
  if (most <= 0) return { top: 1, ticks: [{ at: 0, label: "0" }] };
  const least = most / 3;
  const step = !isTime ? Math.max(1, roundNumber(least)) : least < 1 ? roundNumber(least) : roundSeconds(least);
  const [unit, size] = kUnits.find(([, each]) => step % each === 0) ?? kUnits.at(-1);
  const label = (value) => (isTime && value > 0 ? `${+(value / size).toFixed(3)} ${unit}` : compact.format(value));
  const steps = Math.ceil(most / step - 1e-9);
  const ticks = Array.from({ length: steps + 1 }, (_, i) => ({ at: i * step, label: label(i * step) }));
  return { top: steps * step, ticks };
};

// ---- times

// A step counts in one field of a local date, from the year down; so many seconds it takes at the most.
const kTickSteps = [
  [5, 1, 1], [5, 5, 5], [5, 15, 15], [4, 1, kMinute], [4, 5, 5 * kMinute], [4, 15, 15 * kMinute], [4, 30, 30 * kMinute],
  [3, 1, kHour], [3, 3, 3 * kHour], [3, 6, 6 * kHour], [3, 12, 12 * kHour], [2, 1, kDay], [2, 2, 2 * kDay],
  [2, 7, 7 * kDay], [2, 14, 14 * kDay], [1, 1, 31 * kDay], [1, 3, 92 * kDay], [1, 6, 184 * kDay], [0, 1, 366 * kDay],
  [0, 2, 731 * kDay], [0, 5, 1827 * kDay],
];
const timeTicks = (from, to, most) => {
  const [field, step] = kTickSteps.find(([, , seconds]) => (to - from) / 1000 / seconds <= most) ?? kTickSteps.at(-1);
  const date = new Date(from);
  const fields = [date.getFullYear(), date.getMonth(), date.getDate(), date.getHours(), date.getMinutes(),
    date.getSeconds()].map((value, i) => (i <= field ? value : i === 2 ? 1 : 0));
  if (field !== 2) fields[field] -= fields[field] % step;
  const ticks = [];
  for (let tick = new Date(...fields); tick <= to; fields[field] += step, tick = new Date(...fields)) {
    if (tick >= from) ticks.push(tick);
  }
  // The second line says what the first leaves open, where it changes.
  const first = (tick) =>
    [String(tick.getFullYear()), kMonths[tick.getMonth()], day(tick)][field] ?? clock(tick, field === 5);
  const second = (tick) => (field === 0 ? "" : field <= 2 ? String(tick.getFullYear()) : day(tick));
  return ticks.map((tick, i) => ({
    at: tick.getTime(), first: first(tick),
    second: i === 0 || second(tick) !== second(ticks[i - 1]) ? second(tick) : "",
  }));
};

// Time on a line of pixels. Points that would stand on top of one another share a slot.
const timeLine = (points, pixels, leastSeconds) => {
  const left = kLeft + kWidestBar / 2, inner = pixels - kRight - kWidestBar / 2 - left;
  const first = points[0].at, last = points.at(-1).at;
  const span = last > first ? Math.max((last - first) / 1000, 10) : kHour;
  const seconds = Math.max(leastSeconds, roundSeconds((span * kSlotWidth) / inner));
  const step = seconds * 1000;
  let from = Math.floor(first / step) * step, to = (Math.floor(last / step) + 1) * step;
  const missing = Math.max(0, span * 1000 - (to - from));
  from -= missing / 2;
  to += missing / 2;
  const x = (ms) => left + ((ms - from) / (to - from)) * inner;
  const slots = [...grouping(points, (point) => Math.floor(point.at / step))]
    .map(([key, members]) => ({ at: key * step, x: x((key + 0.5) * step), points: members }));
  const gap = slots.reduce((least, slot, i) => (i === 0 ? least : Math.min(least, slot.x - slots[i - 1].x)), inner);
  return { from, to, x, slots, seconds, barWidth: Math.min(kWidestBar, Math.max(1, gap * 0.8)) };
};
