// Edits: each becomes the same line of the track file that the command line writes, at once.
import {get, post} from "./api.js";
import {ask} from "./dialog.js";
import {boxes} from "./pictures.js";
import {clamp, lane, range, select, shot, store, tell} from "./store.js";

const USUAL = {
  move: "the box did not fit", keep: "not covered by the search", drop: "a false detection", region: "brand or sign",
  split: "two in one track", merge: "the same one in several tracks",
};
const UNCOVERS = ["consent given", "asked for by the person"]; // a house has its own
const JOIN_S = 2; // key frames of one track that lie closer become one edit

const chosen = new Map(); // reasons that were given in this page, by kind of edit
const typed = document.getElementById("reason");

export function say(text, bad = false) {
  const line = document.getElementById("said");
  line.textContent = text;
  line.classList.toggle("bad", bad);
}

export function take(state) {
  store.state = state;
  if (store.selected !== null && !lane(store.selected)) store.selected = null;
  tell("state", "selection");
}

export async function refresh() {
  take(await get("/api/state"));
}

async function reasonFor(op) {
  if (typed.value.trim()) return typed.value.trim();
  if (chosen.has(op)) return chosen.get(op);
  const house = store.clip.reasons;
  if (op !== "expose" && (!store.clip.house || house.includes(USUAL[op]))) return USUAL[op];
  const answers = op === "expose" && !store.clip.house ? UNCOVERS : house;
  const reason = await ask(op === "expose" ? "Why may it be seen?" : "Why this edit?", answers);
  if (reason) chosen.set(op, reason);
  return reason;
}

let before = Promise.resolve();

export const idle = () => before;

// One after the other, each against the state that the one before has left: who holds Ctrl+Z conflicts with nobody.
function send(path, body) {
  const mine = before.then(() => sendNow(path, body));
  before = mine;
  return mine;
}

async function sendNow(path, body) {
  try {
    const state = await post(path, {version: store.state.version, ...body});
    take(state);
    return state;
  } catch (error) {
    say(error.status === 409 ? `${error.message}. Nothing was overwritten; this is the newest state.` : error.message, true);
    if (error.status === 409) await refresh();
    return null;
  }
}

async function commit(changes, replaces = [], kind = changes[0].op) {
  const reason = await reasonFor(kind);
  if (!reason) return null;
  const state = await send("/api/edit", {changes, reason, replaces});
  if (state) {
    const made = state.edits.filter(edit => state.added.includes(edit.number));
    say(`${made.map(edit => `edit ${edit.number}: ${edit.what}`).join("; ")} (${reason})`);
  }
  return state;
}

export async function undo() {
  const state = await send("/api/undo", {});
  if (state) say("undone");
  return state?.frame ?? null;
}

export async function redo() {
  const state = await send("/api/redo", {});
  if (state) say("done again");
  return state?.frame ?? null;
}

export const remove = number => send("/api/remove", {number});

const plain = ({frame, box, points, tracked}) => ({frame, box, ...(points ? {points} : {}), ...(tracked ? {tracked} : {})});
const keyed = edit => edit.keys.map(plain);
const own = track => store.state.edits.filter(edit => edit.mine && edit.track === track && edit.keys).reverse();

function near(edit, n) {
  const {start, stop} = shot(n);
  const reach = JOIN_S * store.clip.fps;
  return edit.keys.some(key => key.frame >= start && key.frame < stop && Math.abs(key.frame - n) <= reach);
}

// The author's own edit whose key frames one at `n` joins; its number stays.
function joined(track, n, apart) {
  const inside = own(track).find(edit => edit.op === "region" || (n >= edit.range[0] && n < edit.range[1]));
  return inside ?? (apart ? undefined : own(track).find(edit => near(edit, n)));
}

export async function moveBox(track, box, {apart = false} = {}) {
  const n = store.frame;
  const here = box.map(v => Math.round(v * 8) / 8);
  const marks = range({start: n, stop: n + 1});
  const span = n >= marks.start && n < marks.stop ? marks : {start: n, stop: n + 1};
  const old = joined(track, n, apart);
  if (!old) return commit([{op: "move", track, range: [span.start, span.stop], keys: [{frame: n, box: here}]}]);
  const points = old.keys[0].points;
  const keys = [...keyed(old).filter(key => key.frame !== n), {frame: n, box: here, ...(points ? {points} : {})}];
  keys.sort((a, b) => a.frame - b.frame);
  const wide = [Math.min(old.range[0], span.start), Math.max(old.range[1], span.stop)];
  const change = {...similar(old), range: wide, keys};
  const state = await commit([change], [old.number]);
  if (state && keys.length > 1 && old.op === "move")
    say(`edit ${old.number} has ${keys.length} key frames now, linear between them; with Alt a box stays apart`);
  return state;
}

function similar(edit) {
  const {op, track} = edit;
  return op === "region" ? {op, track, class: edit.class, shape: edit.shape} : {op, track};
}

export async function unkey() {
  const n = store.frame;
  const old = own(store.selected).find(edit => edit.keys.some(key => key.frame === n));
  if (!old) return say("there is no key frame of yours here", true);
  const keys = keyed(old).filter(key => key.frame !== n);
  if (!keys.length) return remove(old.number);
  const reach = old.op === "region" ? old.range : [keys[0].frame, keys.at(-1).frame + 1];
  return commit([{...similar(old), range: reach, keys}], [old.number]);
}

export async function addRegion(shape, box, corners) {
  const n = store.frame;
  const span = range(shot(n));
  if (n < span.start || n >= span.stop) return say("this frame lies outside of the marked range", true);
  const label = await ask("What is it?", ["logo", "face", "plate", "tattoo", "screen", "badge", "region"]);
  if (!label) return null;
  const key = {frame: n, box: box.map(v => Math.round(v * 8) / 8)};
  if (corners) key.points = corners.map(([x, y]) => [share(x, box[0], box[2]), share(y, box[1], box[3])]);
  const state = await commit([
    {op: "region", track: null, range: [span.start, span.stop], class: label, shape, keys: [key]},
  ]);
  if (state) select(state.edits.find(edit => edit.number === state.added[0]).track);
  return state;
}

const share = (value, low, high) => clamp((value - low) / (high - low), 0, 1);

const whole = track => {
  const {spans} = lane(track);
  return {start: spans[0][0], stop: spans.at(-1)[1]};
};

const bare = track => { // where it is uncovered, as ranges
  const found = [];
  for (const [start, stop, , , covered] of lane(track).spans) {
    if (covered) continue;
    if (found.at(-1)?.[1] === start) found.at(-1)[1] = stop;
    else found.push([start, stop]);
  }
  return found;
};

export const covers = tracks => tracks.flatMap(track => bare(track).map(span => ({op: "keep", track, range: span})));

export const exposes = tracks => tracks.map(track => ({op: "expose", track, range: [0, store.clip.frames]}));

// `kind`: of edit whose reasons fit.
export const apply = (changes, kind) => (changes.length ? commit(changes, [], kind) : say("that is so already"));

function needsSelection() {
  if (store.selected !== null) return false;
  say("select a box or a track first", true);
  return true;
}

export const actions = {
  keep() {
    if (needsSelection()) return null;
    const marked = range(null);
    const back = covers([store.selected]);
    if (!marked && back.length) return commit(back);
    const {start, stop} = marked ?? whole(store.selected);
    return commit([{op: "keep", track: store.selected, range: [start, stop]}]);
  },
  expose() {
    if (needsSelection()) return null;
    const {start, stop} = range({start: 0, stop: store.clip.frames});
    return commit([{op: "expose", track: store.selected, range: [start, stop]}]);
  },
  drop: () => (needsSelection() ? null : commit([{op: "drop", track: store.selected}])),
  split() {
    if (needsSelection()) return null;
    return commit([{op: "split", track: store.selected, frame: store.frame, into: null}]);
  },
  async merge() {
    if (needsSelection()) return null;
    const others = store.state.lanes.filter(found => found.track !== store.selected && !found.manual);
    const names = others.map(found => `${found.track} ${found.label}`);
    const name = await ask(`Which one is the same as ${store.selected}?`, names, {only: true});
    return name ? commit([{op: "merge", track: store.selected, others: [Number.parseInt(name, 10)]}]) : null;
  },
  unkey: () => (needsSelection() ? null : unkey()),
  async follow() {
    if (needsSelection()) return null;
    const track = store.selected;
    const n = store.frame;
    let edit = joined(track, n, true) ?? own(track).find(found => found.range[1] === n || near(found, n));
    if (!edit) {
      const box = boxes(n)?.find(found => found.track === track)?.box;
      if (!box) return say("the box is not in this frame: go to where it is", true);
      const state = await moveBox(track, box, {apart: true});
      if (!state) return null;
      edit = state.edits.find(found => found.number === state.added[0]);
    }
    const last = edit.keys.findLast(key => !key.tracked).frame;
    const stop = store.marks.stop !== null && store.marks.stop > last ? store.marks.stop : shot(last).stop;
    try {
      await post("/api/follow", {version: store.state.version, number: edit.number, stop});
      say("following …");
      tell("working");
    } catch (error) {
      say(error.message, true);
    }
    return null;
  },
};

export async function render(name) {
  try {
    await post("/api/render", {name});
    say(`rendering ${name} …`);
    tell("working");
  } catch (error) {
    say(error.message, true);
  }
}

export async function second(name, every) {
  try {
    await post("/api/second", {name, every});
    say("the clip is searched once more; go on meanwhile");
    tell("working");
  } catch (error) {
    say(error.message, true);
  }
}

export const stop = (second = false) => post("/api/stop", {second}).catch(error => say(error.message, true));

export async function tick(moment, ticked) {
  const {frame, track, kind} = moment;
  await send("/api/tick", {frame, track, kind, on: ticked});
}

export async function reveal(wanted) {
  const state = await send("/api/reveal", {on: wanted, frame: store.frame});
  if (state) say(wanted ? "the covers are off: that is recorded, with every frame that is shown so" : "the covers are on");
}

export async function finish() {
  const state = await send("/api/finish", {});
  if (state) say(state.reviews.at(-1).what);
}
