// SPDX-License-Identifier: Apache-2.0
// What a plot tells of the mark under the pointer, the finger or the arrow keys.

const tip = document.getElementById("tip");
const hideTip = () => { tip.hidden = true; };
const showTip = (head, rows, note, x, y) => {
  tip.replaceChildren(html("p", {}, head));
  if (rows.length > 0) {
    tip.append(html("dl", {}, ...rows.flatMap(([name, value]) => [html("dt", {}, name), html("dd", {}, value)])));
  }
  if (note) tip.append(html("p", {}, note));
  tip.hidden = false;
  const { clientWidth, clientHeight } = document.documentElement;
  const left = x + 14 + tip.offsetWidth > clientWidth ? x - 14 - tip.offsetWidth : x + 14;
  const above = y + 14 + tip.offsetHeight > clientHeight ? y - 14 - tip.offsetHeight : y + 14;
  tip.style.left = `${Math.max(4, Math.min(left, clientWidth - tip.offsetWidth - 4))}px`;
  tip.style.top = `${Math.max(4, above)}px`;
};

const headOf = ({ points: members }) => {
  const runs = total(members, (point) => point.runs);
  const from = moment(members[0].at);
  if (runs === null) return from;
  const isOne = members.every((point) => point.workers === 1 && point.worker === members[0].worker);
  const who = isOne ? `, worker ${members[0].worker}` : "";
  if (runs === 1) return `${from}${who}`;
  const until = moment(greatest(members, (point) => point.until));
  return `${from}${until === from ? "" : ` to ${until}`}: ${plural(runs, "run")}${who}`;
};

// Whichever is looked at, the same moment is marked in all plots of the same points.
const drawn = [];
const markAll = (members, slot) => {
  for (const plot of drawn.filter((each) => each.line)) {
    const same = slot && plot.points === members && plot.line.slots.find((each) => each.at === slot.at);
    plot.cursor.setAttribute("visibility", same ? "visible" : "hidden");
    if (same) for (const end of ["x1", "x2"]) plot.cursor.setAttribute(end, same.x);
  }
};

let looked = null;  // the plot that the tip is of
const addLooking = (plot) => {
  const { root } = plot;
  let index = -1;
  const look = (wanted, x, y) => {
    const { slots } = plot.line;
    index = Math.max(0, Math.min(wanted, slots.length - 1));
    const slot = slots[index];
    const box = root.getBoundingClientRect();
    looked = plot;
    markAll(plot.points, slot);
    showTip(headOf(slot), plot.rows(slot.points), plot.note?.(slot.points), x ?? box.left + slot.x, y ?? box.top + 20);
  };
  const leave = () => {
    if (looked !== plot) return;
    looked = null;
    hideTip();
    markAll(plot.points, null);
  };
  const follow = (event) => {
    const at = event.clientX - root.getBoundingClientRect().left;
    const distances = plot.line.slots.map((slot) => Math.abs(slot.x - at));
    look(distances.indexOf(Math.min(...distances)), event.clientX, event.clientY);
  };
  root.addEventListener("pointermove", follow);
  root.addEventListener("pointerdown", follow);
  root.addEventListener("pointercancel", leave);  // the finger scrolls the page
  root.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch") leave();
  });
  addEventListener("pointerdown", (event) => {
    if (!root.contains(event.target)) leave();
  }, true);  // before the next plot shows its own
  root.addEventListener("focus", () => {
    if (root.matches(":focus-visible")) look(index < 0 ? plot.line.slots.length - 1 : index);
  });
  root.addEventListener("blur", leave);
  root.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: plot.line.slots.length - 1 }[event.key];
    if (event.key === "Escape") leave();
    if (to === undefined) return;
    event.preventDefault();
    look(to);
  });
};
