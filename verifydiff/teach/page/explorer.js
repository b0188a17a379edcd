// The explorer: a sampler's exact law, its weights and its paths, at any setting.

import { latest, Refused } from "./ask.js";
import { el, later } from "./dom.js";
import { number, plot, span } from "./plot.js";
import { say } from "./words.js";

const SETTING = { eta: 0, steps: 20, schedule: "linear", variance: 0.25, mean: 1 };
const SCHEDULES = ["linear", "scaled_linear", "cosine"];
const MOST = 1000;

export function explorerPage() {
  const setting = { ...SETTING };
  const ask = latest();
  const status = el("p", { class: "quiet", role: "status" }, say("warming"));
  const distance = el("output", { class: "big" }, "–");
  const ends = el("p", { class: "quiet", "aria-live": "polite" });
  const curve = el("div", { class: "drawing" });
  const weights = el("div", { class: "drawing" });
  const paths = el("div", { class: "drawing" });

  const load = async () => {
    try {
      const told = await ask("explore", { ...setting });
      status.textContent = "";
      distance.textContent = number(told.law.distance);
      const law = (mean, variance) => `N(${number(mean)}, ${number(variance)})`;
      ends.textContent = say("endsIn", law(told.law.mean, told.law.variance), law(setting.mean, setting.variance));
      drawCurve(curve, told, setting);
      drawWeights(weights, told.coefficients, setting.steps);
      drawPaths(paths, told.paths, setting.steps);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof Refused)) throw error;
      status.textContent = error.message === "offline" ? say("offline") : error.message;
    }
  };
  const soon = later(80, load);
  const knob = (name, low, high, step, read = Number, write = (value) => value) => {
    const dial = el("input", { type: "range", min: low, max: high, step, "aria-label": say(name), "data-name": name });
    dial.value = write(setting[name]);
    const reading = el("output", {}, number(setting[name]));
    dial.addEventListener("input", () => {
      setting[name] = read(Number(dial.value));
      reading.textContent = number(setting[name]);
      dial.setAttribute("aria-valuetext", number(setting[name]));
      soon();
    });
    return el("label", { class: "knob" }, el("span", { class: "name" }, say(name)), dial, reading);
  };
  const schedule = el("select", { "aria-label": say("schedule") }, SCHEDULES.map((one) => el("option", { value: one }, say(one))));
  schedule.addEventListener("change", () => {
    setting.schedule = schedule.value;
    soon();
  });
  const counted = (share) => Math.round(MOST ** share);
  load();
  const legend = (kind, word) => el("span", { class: `legend ${kind}` }, say(word));
  return el(
    "article",
    { class: "explorer" },
    el("h1", {}, say("exploreTitle")),
    el("p", { class: "task" }, say("exploreAbout")),
    el(
      "div",
      { class: "panel" },
      el(
        "div",
        { class: "knobs" },
        knob("eta", 0, 1, 0.01),
        knob("steps", 0, 1, 0.005, counted, (count) => Math.log(count) / Math.log(MOST)),
        el("label", { class: "choice" }, el("span", { class: "name" }, say("schedule")), schedule),
        knob("variance", 0.01, 4, 0.01),
        knob("mean", -3, 3, 0.05),
      ),
      el("div", { class: "result" }, el("span", { class: "label" }, say("distance")), distance, ends, status),
    ),
    el("figure", { class: "wide" }, el("figcaption", {}, el("strong", {}, say("pathsTitle")), el("span", { class: "quiet" }, say("pathsAbout"))), paths),
    el("div", { class: "pair" },
      el("figure", {}, el("figcaption", {}, el("strong", {}, say("distanceOverSteps"))), curve),
      el("figure", {}, el("figcaption", {}, el("strong", {}, say("weights")), legend("one", "ofState"), legend("two", "ofData"), legend("three", "ofFresh")), weights),
    ),
  );
}

function drawCurve(place, { curve, law }, { steps }) {
  const floor = 1e-9;
  const values = curve.distance.map((one) => Math.max(one, floor));
  const low = 10 ** Math.floor(Math.log10(Math.min(...values, Math.max(law.distance, floor))));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...values)) + 1e-9);
  plot(place, {
    label: `${say("distanceOverSteps")}: ${number(law.distance)} (S = ${steps})`,
    x: { name: say("stepsAxis"), low: 1, high: 1000, log: true },
    y: { name: say("distanceAxis"), low, high: Math.max(high, low * 10), log: true },
    lines: [{ points: curve.steps.map((one, k) => [one, values[k]]), kind: "one" }],
    dots: [{ at: [steps, Math.max(law.distance, floor)], kind: "one" }],
  });
}

function drawWeights(place, { step, x_t, x_0, z }, steps) {
  const [low, high] = span([x_t, x_0, z, [1]], { from: 0 });
  const points = (values) => step.map((one, k) => [one, values[k]]);
  const single = step.length === 1;
  plot(place, {
    label: say("weights"),
    x: { name: say("stepAxis"), low: 1, high: Math.max(steps, 2) },
    y: { name: say("weightAxis"), low, high },
    lines: single ? [] : [["one", x_t], ["two", x_0], ["three", z]].map(([kind, values]) => ({ kind, points: points(values) })),
    dots: single ? [["one", x_t], ["two", x_0], ["three", z]].map(([kind, values]) => ({ kind, at: [1, values[0]] })) : [],
  });
}

function drawPaths(place, { step, x, at, noise, data }, steps) {
  const room = 0.16 * steps;
  const peak = Math.max(...noise, ...data);
  const lobe = (density, from, way) => [
    [from, at[0]],
    ...at.map((one, k) => [from + (way * room * density[k]) / peak, one]),
    [from, at[at.length - 1]],
  ];
  plot(place, {
    label: say("pathsTitle"),
    height: 340,
    x: { name: say("stepAxis"), low: -room * 1.05, high: steps + room * 1.05, at: whole(steps) },
    y: { name: say("stateAxis"), low: -4, high: 4 },
    areas: [
      { points: lobe(noise, 0, -1), kind: "noise" },
      { points: lobe(data, steps, 1), kind: "data" },
    ],
    lines: x.map((path, k) => ({ points: path.map((one, n) => [step[n], Math.abs(one) <= 4.2 ? one : null]), kind: `path p${k % 3}` })),
  });
}

function whole(steps) {
  const parts = Math.min(steps, 4);
  return [...new Set(Array.from({ length: parts + 1 }, (_, k) => Math.round((k * steps) / parts)))];
}
