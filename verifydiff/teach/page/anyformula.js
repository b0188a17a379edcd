// Any formula at all: does it hold?

import { latest, Refused } from "./ask.js";
import { el, later } from "./dom.js";
import { field, palette, shown, source } from "./formula.js";
import { Hints } from "./hints.js";
import { Board } from "./play.js";
import { kept, remember } from "./store.js";
import { VerdictStrip } from "./verdict.js";
import { say } from "./words.js";

const DRAFT = "any formula";
const GIVEN = "what is given";
const FIRST = "\\tilde\\beta_t = \\frac{1 - \\bar\\alpha_{t-1}}{1 - \\bar\\alpha_t}";
const EXAMPLES = [
  "x_t = \\sqrt{\\bar\\alpha_t} x_0 + (1 - \\bar\\alpha_t) \\epsilon",
  "\\mathbb{E}[x_0 | x_t] = \\frac{x_t + (1 - \\bar\\alpha_t) \\nabla_{x_t} \\log p(x_t)}{\\sqrt{\\bar\\alpha_t}}",
  "dx = \\left[ f(x, t) - g(t)^2 \\nabla_x \\log p_t(x) \\right] dt + g(t)\\, d\\bar w",
  "\\tilde\\epsilon = (1 + w) \\epsilon_\\theta(x_t, c) + w \\epsilon_\\theta(x_t)",
];

export function anyFormulaPage() {
  const strip = new VerdictStrip();
  const board = new Board();
  const ask = latest();
  const hints = new Hints(() => ({ latex: made.value, given: lines() }));
  const given = el("textarea", { class: "source", rows: 2, spellcheck: "false", id: "given" });
  given.value = kept().drafts[GIVEN] ?? "\\bar\\alpha_t = \\prod_{i=1}^t \\alpha_i";
  const lines = () => given.value.split("\n").map((one) => one.trim()).filter(Boolean);
  const made = field(kept().drafts[DRAFT] ?? FIRST, { label: say("tryTitle"), oninput: () => changed() });
  const written = source(made, () => changed());

  const judge = async () => {
    strip.wait();
    hints.clear();
    try {
      const verdict = await ask("judge", { latex: made.value, given: lines() });
      strip.tell(verdict);
      if (verdict.status !== "fails") hints.hide();
      if (["holds", "fails"].includes(verdict.status)) await board.of(made.value, lines());
      else board.hide();
    } catch (error) {
      if (error.name === "AbortError") return; // something newer is being judged
      if (!(error instanceof Refused)) throw error;
      strip.refuse(error.message);
      hints.hide();
      board.hide();
    }
  };
  const soon = later(350, judge);
  const changed = () => {
    remember("drafts", DRAFT, made.value);
    remember("drafts", GIVEN, given.value);
    soon();
  };
  given.addEventListener("input", changed);
  const example = (latex) =>
    el(
      "button",
      {
        type: "button",
        class: "example",
        onclick: () => {
          made.value = latex;
          written.refresh();
          changed();
        },
      },
      shown(latex),
    );
  judge();
  return el(
    "article",
    { class: "exercise" },
    el("h1", {}, say("tryTitle")),
    el("p", { class: "task" }, say("tryAbout")),
    el(
      "div",
      { class: "work" },
      el("div", { class: "desk" }, made, palette(made), written),
      strip.node,
      hints.node,
      board.node,
      el("details", { class: "latex" }, el("summary", {}, say("tryGiven")), el("label", { class: "quiet", for: "given" }, say("tryGiven")), given),
      el("section", { class: "examples" }, el("h2", {}, say("tryExamples")), EXAMPLES.map(example)),
    ),
  );
}
