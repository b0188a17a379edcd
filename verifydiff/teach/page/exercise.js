// One exercise of any kind: the field, the verdict, the hints, the numbers.

import { latest, Refused } from "./ask.js";
import { el, later } from "./dom.js";
import { field, palette, shown, source } from "./formula.js";
import { Hints } from "./hints.js";
import { Board } from "./play.js";
import { attempt, kept, remember } from "./store.js";
import { entersGaps } from "./typing.js";
import { VerdictStrip } from "./verdict.js";
import { say, told } from "./words.js";

const PAUSE = 350;

export function exercisePage(exercise, { chapter, before, after, solved }) {
  const made = { misprint: misprint, complete: complete, derive: derive }[exercise.kind](exercise, solved);
  const step = (one, word, arrow) => (one ? el("a", { href: `#/exercise/${one.id}`, class: arrow }, say(word)) : el("span"));
  return el(
    "article",
    { class: "exercise" },
    el("p", { class: "kind" }, `${chapter} · ${say(exercise.kind)}`),
    el("h1", {}, told(exercise.title)),
    el("p", { class: "task" }, told(exercise.task)),
    exercise.given.length
      ? el("p", { class: "given" }, el("span", { class: "label" }, say("given")), exercise.given.map((one) => shown(one)))
      : null,
    made,
    el("nav", { class: "turn", "aria-label": say("exercises") }, step(before, "previous", "back"), step(after, "next", "on")),
  );
}

// what all kinds do when something was typed: ask, tell, keep
function judging(exercise, { strip, board, asked, tell, solved }) {
  const ask = latest();
  const judge = async (typed) => {
    const question = asked();
    if (!question) {
      strip.clear();
      board.hide();
      return;
    }
    strip.wait();
    try {
      const verdict = await ask("answer", { exercise: exercise.id, ...question });
      tell(verdict);
      if (typed) attempt(exercise.id, verdict);
      if (verdict.solved) solved();
      if (["holds", "fails"].includes(verdict.status)) await board.of(verdict.judged ?? verdict.latex, exercise.given);
      else board.hide();
    } catch (error) {
      if (error.name === "AbortError") return; // something newer is being judged
      if (!(error instanceof Refused)) throw error;
      strip.refuse(error.message);
      board.hide();
    }
  };
  return { now: () => judge(false), soon: later(PAUSE, () => judge(true)) };
}

const hintsOf = (exercise, question) => new Hints(question, { taken: (count) => remember("hints", exercise.id, Math.max(count, kept().hints[exercise.id] ?? 0)) });

// -- find the misprint ------------------------------------------------------------------------------------------------------

function misprint(exercise, solved) {
  const strip = new VerdictStrip();
  const board = new Board();
  const hints = hintsOf(exercise, () => ({ exercise: exercise.id }));
  const made = field(kept().drafts[exercise.id] ?? exercise.shown, { label: say("yours"), oninput: () => changed() });
  const written = source(made, () => changed());
  const tell = (verdict) => {
    strip.tell(verdict, verdict.solved ? say("solved") : "");
    verdict.solved ? hints.hide() : hints.again();
  };
  const judge = judging(exercise, { strip, board, asked: () => ({ latex: made.value }), tell, solved });
  const changed = () => {
    remember("drafts", exercise.id, made.value);
    judge.soon();
  };
  judge.now();
  return el(
    "div",
    { class: "work" },
    el("div", { class: "paper" }, el("span", { class: "label" }, say("printed")), shown(exercise.shown, { display: true })),
    el("div", { class: "desk" }, el("span", { class: "label" }, say("yours")), made, palette(made), written),
    strip.node,
    hints.node,
    board.node,
  );
}

// -- complete the formula ------------------------------------------------------------------------------------------------------

function complete(exercise, solved) {
  const strip = new VerdictStrip();
  const board = new Board();
  const hints = hintsOf(exercise, () => ({ exercise: exercise.id }));
  const count = exercise.pieces.length - 1;
  const drafts = kept().drafts[exercise.id];
  const filled = (k) => (Array.isArray(drafts) ? (drafts[k] ?? "") : "");
  const latex = exercise.pieces.map((piece, k) => piece + (k < count ? `\\placeholder[gap${k}]{${filled(k)}}` : "")).join("");
  const made = field(latex, { label: say("fill"), oninput: () => changed(), readonly: true });
  const gaps = () => Array.from({ length: count }, (_, k) => made.getPromptValue(`gap${k}`));
  const tell = (verdict) => {
    strip.tell(verdict, verdict.solved ? say("solved") : "");
    verdict.solved ? hints.hide() : hints.again();
  };
  const asked = () => (gaps().every((one) => one.trim()) ? { gaps: gaps() } : null);
  const judge = judging(exercise, { strip, board, asked, tell, solved });
  const changed = () => {
    remember("drafts", exercise.id, gaps());
    judge.soon();
  };
  made.addEventListener("mount", () => judge.now());
  entersGaps(made);
  return el(
    "div",
    { class: "work" },
    el("div", { class: "desk gaps" }, el("span", { class: "label" }, say("fill")), made, palette(made)),
    strip.node,
    hints.node,
    board.node,
  );
}

// -- derive the next line ------------------------------------------------------------------------------------------------------

function derive(exercise, solved) {
  const strip = new VerdictStrip();
  const board = new Board();
  const lines = [...(kept().lines[exercise.id] ?? [])];
  const hints = hintsOf(exercise, () => ({ exercise: exercise.id, lines }));
  const sheet = el("div", { class: "sheet" });
  const bar = el("progress", { max: 1, value: 0, "aria-label": say("goal") });
  const made = field(kept().drafts[exercise.id] ?? "", { label: say("nextLine"), oninput: () => changed() });
  const written = source(made, () => changed());
  const desk = el("div", { class: "desk" }, el("span", { class: "label" }, say("nextLine")), made, palette(made), written);
  let last = null;

  const take = el("button", { type: "button", class: "main-button", disabled: true, onclick: () => taken() }, say("take"));
  const back = el("button", { type: "button", class: "quiet-button", onclick: () => takenBack() }, say("takeBack"));

  const tell = (verdict) => {
    last = verdict;
    take.disabled = !verdict.accepted;
    const way = verdict.solved ? say("atGoal") : verdict.accepted ? `${say("lineFollows")} ${say(verdict.nearer ? "nearer" : "noNearer")}` : "";
    strip.tell({ ...verdict, reason: verdict.accepted ? "" : verdict.reason }, way);
  };
  const asked = () => (made.value.trim() ? { latex: made.value, lines } : null);
  const judge = judging(exercise, { strip, board, asked, tell, solved });
  const changed = () => {
    take.disabled = true;
    remember("drafts", exercise.id, made.value);
    judge.soon();
  };
  made.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !take.disabled) taken();
  });

  const taken = () => {
    if (!last?.accepted) return;
    lines.push(last.latex);
    bar.value = last.far;
    const ended = last.solved;
    again("");
    if (ended) finish();
    else made.focus();
  };
  const takenBack = () => {
    const line = lines.pop();
    bar.value = lines.length ? bar.value : 0;
    desk.hidden = take.hidden = false;
    again(line ?? "");
  };
  const again = (draft) => {
    remember("lines", exercise.id, lines);
    remember("drafts", exercise.id, draft);
    made.value = draft;
    written.refresh();
    take.disabled = true;
    last = null;
    hints.clear();
    write();
    judge.now();
  };
  const finish = () => {
    strip.show("holds", "✓", say("atGoal"), "");
    desk.hidden = take.hidden = true;
    hints.hide();
  };
  const write = () => {
    const row = (latex, k) =>
      el("div", { class: "row" }, shown(k === 0 ? exercise.head : "\\phantom{=}"), shown(`= ${latex}`, { display: true }));
    sheet.replaceChildren(...[exercise.start, ...lines].map(row));
    back.hidden = lines.length === 0;
  };

  write();
  if (kept().solved[exercise.id] && lines.length) {
    bar.value = 1;
    queueMicrotask(finish);
  } else judge.now();
  return el(
    "div",
    { class: "work" },
    el("div", { class: "paper goal" }, el("span", { class: "label" }, say("goal")), shown(exercise.goal, { display: true }), bar),
    sheet,
    desk,
    strip.node,
    el("div", { class: "actions" }, take, back),
    hints.node,
    board.node,
  );
}
