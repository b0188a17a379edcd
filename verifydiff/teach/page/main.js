// The page: where one is, what is done, and in which language.

import { anyFormulaPage } from "./anyformula.js";
import { ask } from "./ask.js";
import { el } from "./dom.js";
import { exercisePage } from "./exercise.js";
import { explorerPage } from "./explorer.js";
import { exported, forget, kept, remember } from "./store.js";
import { say, speak, spoken, told } from "./words.js";

const top = document.getElementById("top");
const main = document.getElementById("main");
let course = { version: "", sets: [] };

const chapterOf = (exercise) => told(course.sets.find((one) => one.exercises.includes(exercise)).title);
const everyExercise = () => course.sets.flatMap((one) => one.exercises);

function head() {
  const [where] = route();
  const tab = (name) => el("a", { href: `#/${name}`, "aria-current": where === name ? "page" : null }, say(name));
  top.replaceChildren(
    el("a", { class: "brand", href: "#/exercises" }, el("img", { src: "/icon.svg", alt: "", width: 26, height: 26 }), "verifydiff"),
    el("nav", { class: "tabs", "aria-label": "verifydiff" }, ["exercises", "formula", "explorer"].map(tab)),
    el(
      "div",
      { class: "tools" },
      el("button", { type: "button", class: "quiet-button", onclick: save }, say("export")),
      el("button", { type: "button", class: "quiet-button", onclick: startOver }, say("forget")),
      el("button", { type: "button", class: "quiet-button", lang: spoken() === "zh" ? "en" : "zh-Hans", onclick: otherLanguage }, say("language")),
    ),
  );
  document.querySelector(".skip").textContent = say("skip");
}

function route() {
  const [, where = "exercises", id = ""] = location.hash.split("/");
  return where === "exercise" ? ["exercises", decodeURIComponent(id)] : [where, ""];
}

function show({ focus = true } = {}) {
  const [where, id] = route();
  head();
  if (where === "formula") main.replaceChildren(anyFormulaPage());
  else if (where === "explorer") main.replaceChildren(explorerPage());
  else main.replaceChildren(exercises(id));
  if (focus) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

function exercises(id) {
  const all = everyExercise();
  const wanted = all.findIndex((one) => one.id === id);
  const unsolved = all.findIndex((one) => !kept().solved[one.id]);
  const place = wanted >= 0 ? wanted : Math.max(unsolved, 0);
  return el(
    "div",
    { class: "course" },
    contents(all[place]?.id),
    all[place] ? exercisePage(all[place], { chapter: chapterOf(all[place]), before: all[place - 1], after: all[place + 1], solved: () => tick(all[place].id) }) : null,
  );
}

function contents(current) {
  const all = everyExercise();
  const done = all.filter((one) => kept().solved[one.id]).length;
  const entry = (one) =>
    el(
      "li",
      { class: kept().solved[one.id] ? "done" : null, "data-id": one.id },
      el("a", { href: `#/exercise/${one.id}`, "aria-current": one.id === current ? "true" : null }, told(one.title)),
    );
  return el(
    "details",
    { class: "contents", open: matchMedia("(min-width: 60rem)").matches },
    el("summary", {}, el("span", { class: "count" }, say("solvedOf", done, all.length)), el("progress", { max: all.length, value: done, "aria-hidden": "true" })),
    course.sets.map((one) => el("section", {}, el("h2", { title: told(one.about) }, told(one.title)), el("ol", {}, one.exercises.map(entry)))),
  );
}

function tick(id) {
  for (const item of document.querySelectorAll(".contents li")) if (item.dataset.id === id) item.classList.add("done");
  const all = everyExercise();
  const done = all.filter((one) => kept().solved[one.id]).length;
  document.querySelector(".contents .count").textContent = say("solvedOf", done, all.length);
  document.querySelector(".contents progress").value = done;
}

function save() {
  const content = JSON.stringify(exported(course.version, everyExercise()), null, 2);
  const link = el("a", { href: URL.createObjectURL(new Blob([content], { type: "application/json" })), download: "answers.json" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function startOver() {
  if (!confirm(say("forgetting"))) return;
  forget();
  show();
}

function otherLanguage() {
  const chosen = spoken() === "zh" ? "en" : "zh";
  remember("language", null, chosen);
  speak(chosen);
  show({ focus: false });
}

async function begin() {
  speak(kept().language ?? (navigator.language.startsWith("zh") ? "zh" : "en"));
  head();
  try {
    course = await ask("exercises");
  } catch {
    main.replaceChildren(el("p", { class: "notice" }, say("offline")));
    return;
  }
  addEventListener("hashchange", () => show());
  show({ focus: false });
}

begin();
