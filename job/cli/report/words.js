// SPDX-License-Identifier: Apache-2.0
// Elements, and words for numbers and times. Whatever they are made of becomes text, never markup.

addEventListener("error", (event) => {
  document.documentElement.dataset.error = event.message;
  document.getElementById("trouble").textContent = `The plots could not be drawn: ${event.message}`;
});

const filled = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const html = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
const svg = (name, attributes = {}, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

// ---- of many points, one number; null when none of them tells it

const known = (value) => value !== null && value !== undefined;
const total = (points, value) => {
  const values = points.map(value).filter(known);
  return values.length === 0 ? null : values.reduce((sum, each) => sum + each, 0);
};
const greatest = (points, value) => {
  const values = points.map(value).filter(known);
  return values.length === 0 ? null : Math.max(...values);
};
const grouping = (rows, keyOf) => {
  const groups = new Map();
  for (const row of rows) {
    const key = keyOf(row);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(row);
  }
  return groups;
};

// ---- numbers

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const count = (value) => (known(value) ? grouped.format(value) : "–");
const plural = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
const kUnits = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
const duration = (seconds) => {
  if (!known(seconds)) return "–";
  const [unit, size] = kUnits.find(([, each]) => seconds >= 2 * each) ?? kUnits.at(-1);
  const value = seconds / size;
  return `${value.toFixed(value >= 10 ? 0 : size === 1 ? 2 : 1)} ${unit}`;
};
const stretch = (seconds) => {
  const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]]
    .find(([, each]) => seconds % each === 0);
  return seconds === size ? unit : `${seconds / size} ${unit}s`;
};

// ---- times, in the zone of whoever reads

const two = (number) => String(number).padStart(2, "0");
const kMonths = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const clock = (date, withSeconds) =>
  `${two(date.getHours())}:${two(date.getMinutes())}${withSeconds ? `:${two(date.getSeconds())}` : ""}`;
const day = (date) => `${date.getDate()} ${kMonths[date.getMonth()]}`;
const moment = (ms) => {
  const date = new Date(ms);
  const here = `${day(date)} ${date.getFullYear()}, ${clock(date, true)}`;
  return date.getTimezoneOffset() === 0 ? `${here} UTC` : `${here} (${date.toISOString().slice(11, 19)} UTC)`;
};
