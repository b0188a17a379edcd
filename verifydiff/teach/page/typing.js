// Typing a formula as one would write it: x_t=..., x_{t-1} and p(x|y) come out as they are meant.
//
// MathLive stays in an index until it is left by an arrow or a space. Here a sign that no index begins with leaves it, and braces
// or brackets around an index, which LaTeX would want, may be typed and are not shown.

const LEAVES = new Set("=+/()[]|;*<>,\\");
const ACCENTED = /^\\(bar|tilde|hat|overline)\{[^{}]+\}_\{[^{}]+\}$/;
const OPENS = { "{": "}", "(": ")" };

export function typesAsWritten(field) {
  let index = null; // null outside; "fresh" after _ or ^; "open" within; or what closes it

  field.addEventListener("pointerdown", () => (index = null));
  field.addEventListener("blur", () => (index = null));
  field.addEventListener(
    "keydown",
    (event) => {
      const key = event.key;
      if (event.ctrlKey || event.metaKey || event.isComposing) return;
      if (field.mode === "latex") return;
      if (key === "_" || key === "^") index = "fresh";
      else if (index === "fresh" && key in OPENS) {
        index = OPENS[key];
        event.preventDefault();
        event.stopPropagation();
      } else if (index !== null && index === key) {
        leave();
        event.preventDefault();
        event.stopPropagation();
      } else if (index === "open" && LEAVES.has(key)) {
        leave();
        if (key === "|") bar(event);
        if (key === "/") takeAccent();
      } else if (key === "|") bar(event);
      else if (key === " " || key.length > 1) index = key === "Shift" || key === "AltGraph" ? index : null;
      else if (index === "fresh") index = "open";
    },
    { capture: true },
  );

  const leave = () => {
    field.executeCommand("moveAfterParent");
    index = null;
  };

  // a fraction takes what stands before it: of a letter with a bar and an index, MathLive alone would take the index
  const takeAccent = () => {
    const to = field.position;
    for (let from = to - 1; from >= Math.max(0, to - 12); from--)
      if (ACCENTED.test(field.getValue(from, to, "latex"))) {
        field.selection = { ranges: [[from, to]] };
        return;
      }
  };

  const bar = (event) => {
    event.preventDefault();
    event.stopPropagation();
    field.insert("\\mid ", { focus: true });
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
}

// a field with gaps: who enters it stands in the first gap that is empty
export function entersGaps(field) {
  field.addEventListener("focusin", () =>
    setTimeout(() => {
      const gaps = field.getPrompts();
      const ranges = gaps.map((one) => field.getPromptRange(one));
      if (ranges.some(([from, to]) => field.position >= from && field.position <= to)) return;
      const empty = gaps.findIndex((one) => !field.getPromptValue(one).trim());
      field.position = ranges[Math.max(empty, 0)][1];
    }),
  );
}
