// Curves as SVG, drawn at the width they are shown at, so that their letters stay legible.

import { svg } from "./dom.js";

const MARGIN = { top: 14, right: 16, bottom: 40, left: 58 };

export function plot(place, { label, height = 260, x, y, lines = [], dots = [], areas = [] }) {
  const draw = () => {
    const width = Math.max(place.clientWidth, 240);
    const across = scale(x, MARGIN.left, width - MARGIN.right);
    const up = scale(y, height - MARGIN.bottom, MARGIN.top);
    place.replaceChildren(
      svg(
        "svg",
        { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "plot" },
        grid(across, up, x, y, width, height),
        areas.map((one) => svg("path", { d: outline(one.points, across, up), class: `area ${one.kind}` })),
        lines.map((one) => svg("path", { d: path(one.points, across, up), class: `line ${one.kind}` })),
        dots.map((one) => dot(one, across, up)),
      ),
    );
  };
  place.redraw = draw;
  if (!place.watched) {
    place.watched = new ResizeObserver(() => place.redraw());
    place.watched.observe(place);
  }
  draw();
}

function dot({ at, kind }, across, up) {
  if (at[1] === null) return null;
  return svg("circle", { cx: across(at[0]), cy: up(at[1]), r: 5, class: `dot ${kind}` });
}

function scale({ low, high, log }, from, to) {
  const f = log ? Math.log : (value) => value;
  const [a, b] = [f(low), f(high)];
  return (value) => from + ((f(value) - a) / (b - a || 1)) * (to - from);
}

function path(points, across, up) {
  let pen = "M";
  return points
    .map(([a, b]) => {
      if (b === null || !Number.isFinite(b)) {
        pen = "M";
        return "";
      }
      const piece = `${pen}${across(a).toFixed(1)} ${up(b).toFixed(1)}`;
      pen = "L";
      return piece;
    })
    .join("");
}

const outline = (points, across, up) => `${path(points, across, up)}Z`;

function grid(across, up, x, y, width, height) {
  const floor = height - MARGIN.bottom;
  const xs = ticks(x, Math.max(3, Math.floor(width / 90)));
  const ys = ticks(y, 5);
  return svg(
    "g",
    { class: "axes", "aria-hidden": "true" },
    ys.map((one) => svg("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: up(one), y2: up(one), class: "grid" })),
    ys.map((one) => svg("text", { x: MARGIN.left - 8, y: up(one) + 4, "text-anchor": "end" }, y.log ? power(one) : number(one))),
    xs.map((one) => svg("line", { x1: across(one), x2: across(one), y1: floor, y2: floor + 4, class: "tick" })),
    xs.map((one) => svg("text", { x: across(one), y: floor + 17, "text-anchor": "middle" }, number(one))),
    svg("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: floor, y2: floor, class: "axis" }),
    svg("text", { x: (MARGIN.left + width - MARGIN.right) / 2, y: height - 5, "text-anchor": "middle", class: "name" }, x.name),
    svg("text", { x: 0, y: 0, "text-anchor": "middle", class: "name", transform: `translate(13 ${(MARGIN.top + floor) / 2}) rotate(-90)` }, y.name),
  );
}

function ticks({ low, high, log, at }, most) {
  if (at) return at;
  if (log) {
    const first = Math.ceil(Math.log10(low) - 1e-9);
    const last = Math.floor(Math.log10(high) + 1e-9);
    const every = Math.max(1, Math.ceil((last - first + 1) / most));
    const found = [];
    for (let k = first; k <= last; k += every) found.push(10 ** k);
    return found;
  }
  const rough = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((one) => one >= rough);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push(k * step);
  return found;
}

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

const raise = (exponent) => String(exponent).replace(/./g, (one) => RAISED[one]);

export function number(value) {
  if (value === null) return "–";
  if (value === 0 || Math.abs(value) < 1e-12) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e5) return String(Number(value.toPrecision(4)));
  const [digits, exponent] = value.toExponential(2).split("e");
  const front = Number(digits);
  return front === 1 ? `10${raise(Number(exponent))}` : `${front}·10${raise(Number(exponent))}`;
}

const power = (value) => (value >= 0.1 && value <= 1000 ? number(value) : `10${raise(Math.round(Math.log10(value)))}`);

// the least and the greatest of some curves, with a little room
export function span(curves, { from = null } = {}) {
  const values = curves.flat().filter((one) => one !== null && Number.isFinite(one));
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (!values.length) [low, high] = [0, 1];
  if (from !== null) low = Math.min(low, from);
  if (low === high) [low, high] = [low - 1, high + 1];
  const room = 0.05 * (high - low);
  return [from !== null && low === from ? low : low - room, high + room];
}
