// A formula to play with: knobs for its letters, and what both sides come to. All numbers are the server's.

import { latest } from "./ask.js";
import { el, later } from "./dom.js";
import { aloud, shown } from "./formula.js";
import { number, plot, span } from "./plot.js";
import { say } from "./words.js";

const SCHEDULES = ["linear", "scaled_linear", "cosine"];

export class Board {
  constructor() {
    this.node = el("section", { class: "board", hidden: true });
    this.ask = latest();
    this.asked = null;
    this.refresh = later(60, () => this.load());
  }

  // of another formula; what is turned already stays turned if it is the same one
  async of(latex, given) {
    const same = this.asked && this.asked.latex === latex;
    if (!same) this.asked = { latex, given, at: {} };
    await this.load(!same);
  }

  hide() {
    this.node.hidden = true;
    this.asked = null;
  }

  async load(anew = false) {
    if (!this.asked) return;
    const asked = this.asked;
    let told;
    try {
      told = (await this.ask("play", asked)).play;
    } catch {
      return;
    }
    if (asked !== this.asked) return;
    this.node.hidden = told === null;
    if (told === null) return;
    const names = told.knobs.map((one) => one.name).join();
    if (anew || this.names !== names) this.build(told);
    this.names = names;
    this.update(told);
  }

  build(told) {
    this.knobs = new Map();
    const turned = told.knobs.map((one) => this.knob(one));
    this.rows = el("tbody");
    this.figure = el("div", { class: "drawing" });
    this.caption = el("figcaption");
    this.over = el("figure", { hidden: true }, this.figure, this.caption);
    this.node.replaceChildren(
      el("h2", {}, say("play")),
      el("p", { class: "quiet" }, say("playAbout")),
      told.scheduled ? this.clock() : "",
      el("div", { class: "knobs" }, turned),
      el(
        "table",
        { class: "sides" },
        el("thead", {}, el("tr", {}, ["ofWhat", "left", "right", ""].map((one) => el("th", { scope: "col" }, one ? say(one) : "")))),
        this.rows,
      ),
      this.over,
    );
  }

  knob({ name, latex, low, high, value }) {
    const dial = el("input", { type: "range", min: low, max: high, step: (high - low) / 1000, "aria-label": aloud(latex) });
    dial.value = value;
    const reading = el("output", {}, number(value));
    dial.addEventListener("input", () => {
      this.asked.at[name] = Math.min(high, Math.max(low, Number(dial.value)));
      reading.textContent = number(this.asked.at[name]);
      if (["abar_s", "alpha_t", "abar_t"].includes(name) && this.chosen) {
        this.chosen.value = "";
        this.release();
      }
      this.refresh();
    });
    this.knobs.set(name, { dial, reading });
    return el("label", { class: "knob" }, el("span", { class: "name" }, shown(latex)), dial, reading);
  }

  clock() {
    this.chosen = el(
      "select",
      { "aria-label": say("schedule") },
      el("option", { value: "" }, say("byHand")),
      SCHEDULES.map((one) => el("option", { value: one }, say(one))),
    );
    this.time = el("input", { type: "range", min: 1, max: 1000, step: 1, value: 200, disabled: true, "aria-label": "t" });
    this.timeReading = el("output", {}, "–");
    const turn = () => {
      if (!this.chosen.value) return this.release();
      this.asked.schedule = this.chosen.value;
      this.asked.t = Number(this.time.value);
      this.time.disabled = false;
      this.timeReading.textContent = this.time.value;
      this.refresh();
    };
    this.release = () => {
      delete this.asked.schedule;
      this.time.disabled = true;
      this.timeReading.textContent = "–";
      this.over.hidden = true;
      this.refresh();
    };
    this.chosen.addEventListener("change", turn);
    this.time.addEventListener("input", turn);
    return el(
      "div",
      { class: "clock" },
      el("label", { class: "choice" }, el("span", {}, say("schedule")), this.chosen),
      el("label", { class: "knob" }, el("span", { class: "name" }, shown("t")), this.time, this.timeReading),
    );
  }

  update({ knobs, rows, along }) {
    for (const { name, value } of knobs) {
      const { dial, reading } = this.knobs.get(name);
      if (document.activeElement !== dial) dial.value = value;
      reading.textContent = number(value);
      this.asked.at[name] = Math.min(Number(dial.max), Math.max(Number(dial.min), value));
    }
    this.rows.replaceChildren(...rows.map((one) => this.row(one)));
    this.over.hidden = !along;
    if (along) this.draw(along, this.asked.t);
  }

  row({ of, left, right, agree }) {
    const kind = agree === null ? "unknown" : agree ? "holds" : "fails";
    const word = agree === null ? say("noValue") : agree ? `= ${say("agree")}` : `≠ ${say("differ")}`;
    return el(
      "tr",
      { class: kind },
      el("th", { scope: "row" }, of),
      el("td", { class: "figure" }, number(left)),
      el("td", { class: "figure" }, number(right)),
      el("td", { class: "mark" }, word),
    );
  }

  draw({ of, t, left, right }, now) {
    const [low, high] = span([left, right], { from: 0 });
    const curve = (values) => t.map((one, k) => [one, values[k]]);
    plot(this.figure, {
      label: `${of}: ${say("sidesOverTime")}`,
      height: 220,
      x: { name: "t", low: 1, high: 1000, at: [1, 250, 500, 750, 1000] },
      y: { name: of, low, high },
      lines: [
        { points: curve(right), kind: "two" },
        { points: curve(left), kind: "one" },
        { points: [[now, low], [now, high]], kind: "now" },
      ],
    });
    this.caption.replaceChildren(
      el("span", { class: "legend one" }, say("left")),
      el("span", { class: "legend two" }, say("right")),
    );
  }
}
