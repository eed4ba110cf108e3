// Sentences of sweeps, updates and ends: what was found, at what cost, and whether differences agree.

import { bracketed } from "../model/formulas.js";
import { arrived } from "../model/frames.js";
import { format } from "../model/numbers.js";
import { agrees, says } from "../model/numerics.js";
import { line, MOST_LINES, name, numberPart, plain, sign } from "./parts.js";
import { some } from "../model/words.js";

const MOST_GRADIENTS = 5;
const MOST_CHECKED = 24;
const MOST_NAMED = 6;

export function sweep(session, say, frame) {
  const { full } = session.level.nodes[frame.node];
  const [k, n] = [frame.sweep + 1, frame.of];
  const number = numberPart("grad", `∂${full}/∂${full}`, "1", say("tangent"));
  return { parts: [name(say("sweep", { k, n })), number], why: [plain(say("sweep_why", { node: full, k, n }))] };
}

// ---- a training step

export function update(session, say) {
  const frames = session.pass.frames.slice(session.now.first, session.i + 1).filter(f => f.do === "update");
  if (frames.length > 1) {
    const lines = frames.slice(-MOST_LINES).map(f => line(...step(session, say, f.node, true)));
    return { parts: lines, why: [plain(say("at_once", { n: frames.length }))] };
  }
  const [{ node }] = frames;
  const why = say("update_why", { node: session.level.nodes[node].full, rate: format(session.rate) });
  return { parts: step(session, say, node, false), why: [plain(why)] };
}

/** w ← w − η · w.grad with its numbers; `bare`: without captions. */
function step(session, say, id, bare) {
  const { full } = session.level.nodes[id];
  const number = (tone, symbol, text, caption = "") => numberPart(tone, bare ? "" : symbol, text, bare ? "" : caption);
  return [
    name(full), sign("←"), number("value", full, format(session.numbers.value[id])), sign("−"),
    number("value", "η", format(session.rate), say("rate")), sign("·"),
    number("grad", `${full}.grad`, bracketed(format(session.finals[id])), say("gradient")), sign("="),
    number("value", say("new_value"), format(session.training.parameters.get(id))),
  ];
}

export function afterUpdate(session, say) {
  const { before, after } = session.training;
  const why = [plain(say("after_why", { before: format(before), after: format(after) }))];
  return { parts: lossParts(session, say), why: [...why, ...rise(session, say)] };
}

/** A warning, if the loss has risen. */
function rise(session, say) {
  const { before, after } = session.training;
  return after > before ? [plain(say("loss_rose", { rate: format(session.rate) }), "bad")] : [];
}

function lossParts(session, say) {
  const { before, after } = session.training;
  const first = numberPart("value", say("loss_before"), format(before));
  const then = numberPart("value", say("loss_after"), format(after));
  return [name(session.level.nodes[session.level.output].full), first, sign("→"), then];
}

// ---- the end

export function done(session, say) {
  const { level, pass, settings } = session;
  if (session.training) {
    return { parts: lossParts(session, say), why: [plain(say("training_done")), ...rise(session, say)] };
  }
  const forward = settings.mode === "forward";
  const swept = new Set(pass.frames.filter(f => f.do === "sweep").map(f => f.node));
  const found = level.inputs.filter(id => !forward || swept.has(id));
  const gradient = id => (forward ? pass.answers.get(id)?.value : arrived(pass, id, session.i)?.after) ?? null;
  const output = level.nodes[level.output].full;
  const shown = found.slice(0, MOST_GRADIENTS);
  const numbers = shown.map(id => numberPart("grad", `∂${output}/∂${level.nodes[id].full}`, format(gradient(id))));
  const parts = numbers.length ? [...numbers, ...(found.length > shown.length ? [sign("…")] : [])] : [name(output)];
  const cost = forward ? costOfSweeps(session, say, swept.size) : costOfReverse(session, say);
  return { parts, why: [plain(cost), ...(settings.bug ? [] : checked(session, say, found, gradient))] };
}

function costOfReverse(session, say) {
  const used = new Set(session.pass.rows.filter(Boolean).map(row => row.edge));
  return say("done", { n: used.size, m: session.level.inputs.length });
}

/** How often arrows were used in all sweeps, and how often in reverse mode. */
function costOfSweeps(session, say, sweeps) {
  const { inputs, passes } = session.level;
  const n = session.pass.rows.filter(Boolean).length;
  const m = passes.reverse.filter(f => f.do === "term").length;
  return say(sweeps < inputs.length ? "done_forward_some" : "done_forward", { sweeps, inputs: inputs.length, n, m });
}

/** What the numeric derivatives say about the gradients: which were checked, which differ, which are at kinks. */
function checked(session, say, inputs, gradient) {
  if (!inputs.length) return [];
  const tried = inputs.slice(0, MOST_CHECKED).map(id => ({ id, check: session.check(id) }));
  const checks = tried.filter(({ check }) => check && (check.kink || says(check)));
  const names = list => some(list.map(({ id }) => session.level.nodes[id].full), MOST_NAMED);
  const kinks = checks.filter(({ check }) => check.kink);
  const smooth = checks.filter(({ check }) => !check.kink);
  const wrong = smooth.filter(({ id, check }) => !agrees(check, gradient(id) ?? 0));
  if (wrong.length) return [plain(say("disagree", { nodes: names(wrong) }), "bad")];
  const told = kinks.length ? [plain(say("at_kink", { nodes: names(kinks) }), "bad")] : [];
  if (!checks.length) return [plain(say("none_checked"))];
  if (!smooth.length) return told;
  const [n, m] = [smooth.length, inputs.length];
  return [...told, plain(n === m ? say("all_agree", { n }) : say("some_agree", { n, m }))];
}
