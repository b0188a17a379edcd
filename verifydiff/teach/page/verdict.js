// The verdict on what stands in a field, told to eye and ear.

import { el } from "./dom.js";
import { say } from "./words.js";

const SIGNS = { holds: "✓", fails: "✗", notation: "≈", definition: "≔", not_understood: "?", nothing: "…", other: "…", refused: "?" };

export class VerdictStrip {
  constructor() {
    this.node = el("div", { class: "verdict idle", role: "status", "aria-live": "polite" });
    this.clear();
  }

  clear() {
    this.show("idle", "…", say("nothing"), "");
  }

  wait() {
    this.node.classList.add("waiting");
  }

  tell(verdict, more = "") {
    const words = more && verdict.solved ? "" : verdict.reason;
    this.show(verdict.status, SIGNS[verdict.status] ?? "?", more || say(verdict.status), words);
  }

  refuse(error) {
    this.show("refused", "?", say(error === "offline" ? "offline" : "refused"), error === "offline" ? "" : error);
  }

  show(kind, sign, word, reason) {
    this.node.className = `verdict ${kind}`;
    this.node.replaceChildren(
      el("span", { class: "sign", "aria-hidden": "true" }, sign),
      el("span", { class: "said" }, el("strong", {}, word), reason ? el("span", { class: "reason" }, ` ${reason}`) : null),
    );
  }
}
