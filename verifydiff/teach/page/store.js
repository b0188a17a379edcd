// What a learner has done. It stays in this browser, and leaves it only as a file that the learner asks for.

const KEY = "verifydiff.teach.1";
const MOST_ATTEMPTS = 3000;

const blank = () => ({ language: null, solved: {}, drafts: {}, lines: {}, hints: {}, attempts: [] });
let state = read();

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    const found = blank();
    for (const name of Object.keys(found)) {
      const fits = Array.isArray(found[name]) === Array.isArray(kept[name]) && typeof kept[name] === typeof found[name];
      if (name === "language" ? typeof kept[name] === "string" : fits && kept[name]) found[name] = kept[name];
    }
    return found;
  } catch {
    return blank();
  }
}

function keep() {
  try {
    localStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    // a full or a forbidden storage: the page works, and forgets
  }
}

export const kept = () => state;

export function remember(name, key, value) {
  if (key === null) state[name] = value;
  else state[name][key] = value;
  keep();
}

export function attempt(exercise, verdict) {
  const last = state.attempts.findLast((one) => one.exercise === exercise);
  if (last && last.latex === verdict.latex && last.status === verdict.status) return;
  state.attempts.push({
    exercise,
    latex: verdict.latex,
    status: verdict.status,
    reason: verdict.reason,
    solved: Boolean(verdict.solved),
    hints: state.hints[exercise] ?? 0,
    at: new Date().toISOString(),
  });
  state.attempts = state.attempts.slice(-MOST_ATTEMPTS);
  if (verdict.solved) state.solved[exercise] = true;
  keep();
}

export function forget() {
  state = { ...blank(), language: state.language };
  keep();
}

export function exported(version, exercises) {
  return {
    made_by: `verifydiff ${version}`,
    exported: new Date().toISOString(),
    exercises: exercises.map(({ id, title }) => ({
      id,
      title: title.en,
      solved: Boolean(state.solved[id]),
      hints: state.hints[id] ?? 0,
      lines: state.lines[id] ?? [],
    })),
    attempts: state.attempts,
  };
}
