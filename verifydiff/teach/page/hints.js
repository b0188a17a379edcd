// Hints before answers: one at a time, and only when asked for.

import { ask, Refused } from "./ask.js";
import { el } from "./dom.js";
import { shown } from "./formula.js";
import { say, told } from "./words.js";

export class Hints {
  // question: what to ask about, or null while there is nothing; taken: told how many were taken
  constructor(question, { taken = () => {} } = {}) {
    this.question = question;
    this.taken = taken;
    this.list = el("ol", { class: "hints" });
    this.button = el("button", { type: "button", class: "quiet-button", onclick: () => this.next() }, say("hint"));
    this.node = el("div", { class: "hinting" }, this.list, this.button);
    this.clear();
  }

  clear() {
    this.number = 0;
    this.hidden = false;
    this.list.replaceChildren();
    this.button.hidden = false;
    this.button.textContent = say("hint");
  }

  hide() {
    this.clear();
    this.button.hidden = true;
    this.hidden = true;
  }

  // after an answer was right and is wrong again; what was shown stays otherwise
  again() {
    if (this.hidden) this.clear();
  }

  async next() {
    const question = this.question();
    if (!question) return;
    let found;
    try {
      found = await ask("hint", { ...question, number: this.number });
    } catch (error) {
      if (error instanceof Refused) this.list.replaceChildren(el("li", {}, error.message));
      return;
    }
    const { hint, of } = found;
    if (!hint) {
      this.list.replaceChildren(el("li", {}, say("noHint")));
      this.button.hidden = true;
      return;
    }
    this.number += 1;
    this.taken(this.number);
    this.list.append(this.item(hint));
    this.button.hidden = this.number >= of;
    this.button.textContent = this.number === of - 1 ? say("showAnswer") : say("hintOf", this.number + 1, of);
  }

  item({ kind, words, latex, slip }) {
    return el(
      "li",
      { class: kind },
      el("span", { class: "label" }, say(kind)),
      el("span", { class: "words" }, told(words), slip ? [" ", el("code", {}, slip)] : null),
      latex ? shown(latex, { display: true }) : null,
    );
  }
}
