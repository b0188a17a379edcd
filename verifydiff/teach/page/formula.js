// Formulas: shown, and typed.
//
// MathLive sets a formula as a string of markup. It is parsed into a document that runs nothing, and what is known to be harmless is
// copied over element by element.

import { MathfieldElement, convertLatexToMarkup, convertLatexToSpeakableText } from "/vendor/mathlive/mathlive.min.mjs";
import { el } from "./dom.js";
import { typesAsWritten } from "./typing.js";
import { say } from "./words.js";

MathfieldElement.fontsDirectory = "/vendor/mathlive/fonts";
MathfieldElement.soundsDirectory = null;

const TAGS = new Set(["span", "svg", "path", "line", "g", "rect"]);
const ATTRIBUTES = new Set(["class", "style", "viewbox", "d", "width", "height", "preserveaspectratio", "x", "y", "x1", "x2", "y1", "y2"]);
const UNSAFE = /\\(href|url|html|class|cssId|style|htmlData|htmlStyle|htmlClass|data|includegraphics|unicode)(?![a-z])/i;
const LONGEST = 2000;

// MathLive takes the lunate epsilon from a font that does not have it; the other one is the same letter to the judge
const drawn = (latex) => latex.replace(/\\epsilon(?![a-zA-Z])/g, "\\varepsilon");

export function shown(latex, { display = false } = {}) {
  const node = el("span", { class: display ? "formula display" : "formula", role: "math", "data-latex": latex });
  if (latex.length > LONGEST || UNSAFE.test(latex)) return plainly(node, latex);
  try {
    const markup = convertLatexToMarkup(drawn(latex), { defaultMode: display ? "math" : "inline-math" });
    node.append(...copied(new DOMParser().parseFromString(markup, "text/html").body));
    node.setAttribute("aria-label", aloud(latex));
  } catch {
    return plainly(node, latex);
  }
  return node;
}

function plainly(node, latex) {
  node.append(el("code", {}, latex.slice(0, LONGEST)));
  return node;
}

function copied(parent) {
  const found = [];
  for (const child of parent.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) found.push(document.createTextNode(child.data));
    else if (child.nodeType === Node.ELEMENT_NODE && TAGS.has(child.localName)) found.push(copy(child));
  }
  return found;
}

function copy(source) {
  const node = document.createElementNS(source.namespaceURI, source.localName);
  for (const { name, value } of source.attributes) {
    if (!ATTRIBUTES.has(name.toLowerCase())) continue;
    if (name === "style") {
      if (!/url|expression|import/i.test(value)) node.style.cssText = value; // by the object model, which the policy allows
    } else node.setAttribute(name, value);
  }
  node.append(...copied(source));
  return node;
}

export const aloud = (latex) => convertLatexToSpeakableText(latex);

const SHORTCUTS = {
  abar: "\\bar{\\alpha}",
  eps: "\\varepsilon",
  btilde: "\\tilde{\\beta}",
  mutilde: "\\tilde{\\mu}",
  xhat: "\\hat{x}",
  grad: "\\nabla",
  EE: "\\mathbb{E}",
  NN: "\\mathcal{N}",
  log: "\\log",
  dx: "dx",
  dt: "dt",
};

const PALETTE = [
  ["\\bar\\alpha_t", "\\bar{\\alpha}_t"],
  ["\\bar\\alpha_{t-1}", "\\bar{\\alpha}_{t-1}"],
  ["\\alpha_t", "\\alpha_t"],
  ["\\beta_t", "\\beta_t"],
  ["x_t", "x_t"],
  ["x_{t-1}", "x_{t-1}"],
  ["x_0", "x_0"],
  ["\\epsilon", "\\epsilon"],
  ["\\epsilon_\\theta", "\\epsilon_{\\theta}(x_t, t)"],
  ["\\sigma_t", "\\sigma_t"],
  ["\\sqrt{\\,\\cdot\\,}", "\\sqrt{#0}"],
  ["\\frac{a}{b}", "\\frac{#@}{#?}"],
  ["a^2", "#@^2"],
  ["\\nabla \\log p", "\\nabla_{x_t} \\log p(x_t)"],
];

export function palette(field) {
  const keys = PALETTE.map(([face, latex]) =>
    el(
      "button",
      {
        type: "button",
        class: "key",
        title: latex.replaceAll("#@", "…").replaceAll("#0", "…").replaceAll("#?", "…"),
        onpointerdown: (event) => event.preventDefault(), // the field keeps its caret
        onclick: () => {
          field.insert(drawn(latex), { focus: true, selectionMode: "placeholder" });
          field.dispatchEvent(new Event("input", { bubbles: true }));
        },
      },
      shown(face),
    ),
  );
  return el("div", { class: "palette", role: "group", "aria-label": say("palette") }, keys);
}

export function field(latex, { label, oninput, readonly = false }) {
  const made = new MathfieldElement();
  made.classList.add("field");
  made.setAttribute("aria-label", label);
  made.mathVirtualKeyboardPolicy = "manual";
  made.readOnly = readonly;
  made.value = drawn(latex);
  made.addEventListener("input", oninput);
  made.addEventListener("mount", () => {
    made.menuItems = [];
    made.inlineShortcuts = { ...made.inlineShortcuts, ...SHORTCUTS };
    made.smartFence = false;
  });
  typesAsWritten(made);
  return made;
}

// the same formula as its source, for who would rather type that, or paste it
export function source(made, changed) {
  const area = el("textarea", { class: "source", rows: 2, spellcheck: "false", autocapitalize: "off", "aria-label": "LaTeX" });
  area.value = made.value;
  made.addEventListener("input", () => {
    if (document.activeElement !== area) area.value = made.value;
  });
  area.addEventListener("input", () => {
    const refused = UNSAFE.test(area.value);
    area.setAttribute("aria-invalid", refused);
    if (refused) return;
    made.value = area.value;
    changed();
  });
  const box = el("details", { class: "latex" }, el("summary", {}, say("source")), area);
  box.refresh = () => (area.value = made.value);
  return box;
}
