// Going to frames, playing, and telling the server what was seen.
import {post} from "./api.js";
import {load} from "./pictures.js";
import {coming, needed, paint, shownWidth, trouble} from "./stage.js";
import {clamp, on, shot, store, tell} from "./store.js";

const AHEAD = 4; // pictures on their way while playing
const EXACT_MS = 160; // at rest, every sample is fetched as it is
const TELL_MS = 3000;
const LATE_MS = 80; // a frame that takes longer under a moving hand has the key frame beside it shown first
const SLOW = 4; // one that is near a key frame comes soon, and tells nothing of the next
const REST_MS = 150; // a hand that does not move
const LATE_REST_MS = 800; // one that has not let go either: what takes long is not begun under a slow hand
const COMING_MS = 250; // whoever waits for longer is told
const IDLE_MS = 30000; // who does nothing for longer does not look

let turn = 0;
let aborting = null;
let resting = null;
let speed = 0;

export const playing = () => speed;

async function fetched(n, exact, signal, alone) {
  const width = alone ? store.passing : shownWidth(); // what is passed by is made beforehand, in one width
  return Promise.all(needed().map(view => load(n, view, width, exact, signal, alone)));
}

function ahead(n, step) {
  for (let k = 1; k <= AHEAD; k++) {
    const next = n + k * step;
    if (next >= 0 && next < store.clip.frames) fetched(next, false).catch(() => {});
  }
}

// Show a frame. Resolves to whether it was shown, which it is not where another one was asked for meanwhile.
export async function show(n, {moving = false, passing = false} = {}) {
  n = clamp(n, 0, store.clip.frames - 1);
  if (!passing) store.hand = null;
  const mine = ++turn;
  clearTimeout(resting);
  aborting?.abort();
  aborting = new AbortController();
  const step = n < store.frame ? -1 : 1;
  store.frame = n;
  tell("frame");
  const waiting = setTimeout(() => mine === turn && coming(n), COMING_MS);
  try {
    if (moving) ahead(n, speed || step);
    const pictures = await fetched(n, false, aborting.signal, passing);
    if (mine !== turn || pictures.includes(null)) return false;
    paint(n, pictures, false);
    trouble("");
    saw(n);
  } catch (error) {
    if (error.name === "AbortError" || mine !== turn) return false;
    paint(n, [], false);
    trouble(error.message);
    return false;
  } finally {
    clearTimeout(waiting);
  }
  if (!moving && !passing) {
    resting = setTimeout(async () => {
      try {
        const pictures = await fetched(n, true);
        if (mine === turn && !pictures.includes(null)) paint(n, pictures, true);
        if (mine === turn) fetched(clamp(n + step, 0, store.clip.frames - 1), false).catch(() => {});
      } catch (error) {
        if (mine === turn && error.name !== "AbortError") trouble(error.message);
      }
    }, EXACT_MS);
  }
  return true;
}

export const go = n => {
  pause();
  return show(n);
};

let slow = 0; // how many of the next frames are expected late: the last ones were
let fetching = false;
let rested = false;
let passing = false;
let rest = null;

// Under a moving hand: the frame itself where it comes soon enough, else the key frame beside it, by its own number,
// and the frame itself once the hand rests. One at a time is asked for: what is being decoded can't be called off.
export function scrub(n) {
  pause();
  store.hand = n;
  rested = false;
  clearTimeout(rest);
  rest = setTimeout(lift, slow && store.keys ? LATE_REST_MS : REST_MS);
  tell("frame");
  if (slow && store.keys) pass();
  else reach();
}

export function lift() {
  clearTimeout(rest);
  rested = true;
  reach();
}

async function reach() {
  const n = store.hand;
  if (n === null || fetching) return;
  fetching = true;
  const began = performance.now();
  const late = setTimeout(() => {
    slow = SLOW;
    pass();
  }, LATE_MS);
  await fetched(n, false).catch(() => {}); // shown below, which tells why
  clearTimeout(late);
  fetching = false;
  slow = performance.now() - began > LATE_MS ? SLOW : Math.max(slow - 1, 0);
  if (store.hand === n) show(n);
  else if (rested || !slow || !store.keys) reach();
}

// One after the other, each of where the hand is by then: what is called off each time never comes.
async function pass() {
  if (passing || !store.keys?.length) return;
  passing = true;
  for (let key; store.hand !== null && (key = keyBeside(store.hand)) !== store.frame;) await show(key, {passing: true});
  passing = false;
}

function keyBeside(n) {
  const k = Math.max(store.keys.findLastIndex(key => key <= n), 0);
  const [before, after = Infinity] = store.keys.slice(k, k + 2);
  return after - n < n - before ? after : before;
}

export function pause() {
  speed = 0;
  tell("playing");
}

export async function play(wanted) {
  const before = speed;
  speed = wanted;
  tell("playing");
  if (before) return; // the loop below goes on with the new speed
  while (speed) {
    const began = performance.now();
    const n = store.frame + speed;
    if (n < 0 || n >= store.clip.frames) break;
    await show(n, {moving: true});
    const left = began + 1000 / store.clip.fps - performance.now();
    store.rate = 1000 / store.clip.fps / Math.max(performance.now() - began, 1000 / store.clip.fps);
    await new Promise(done => setTimeout(done, Math.max(left, 0)));
  }
  if (speed) pause();
  show(store.frame);
}

export const transport = {
  step: () => go(store.frame + 1),
  stepBack: () => go(store.frame - 1),
  leap: () => go(store.frame + Math.round(store.clip.fps)),
  leapBack: () => go(store.frame - Math.round(store.clip.fps)),
  first: () => go(0),
  last: () => go(store.clip.frames - 1),
  pause: () => (speed ? go(store.frame) : play(1)),
  hold: () => go(store.frame),
  forward: () => play(speed > 0 ? Math.min(speed * 2, 8) : 1),
  backward: () => play(speed < 0 ? Math.max(speed * 2, -8) : -1),
  cutBefore: () => go(shot(Math.max(store.frame - 1, 0)).start),
  cutAfter: () => go(Math.min(shot(store.frame).stop, store.clip.frames - 1)),
};

// What was seen: frames that stood on the screen, and the time for which somebody was at it.
let seen = new Set();
let seconds = 0;
let lastAct = performance.now();
let lastTick = performance.now();

function saw(n) {
  if (document.visibilityState === "visible") seen.add(n);
}

for (const name of ["keydown", "pointerdown", "pointermove", "wheel"])
  addEventListener(name, () => { lastAct = performance.now(); }, {passive: true, capture: true});

function spans(frames) {
  const found = [];
  for (const n of [...frames].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last?.[1] === n) last[1] = n + 1;
    else found.push([n, n + 1]);
  }
  return found;
}

export async function report(options) {
  const now = performance.now();
  if (document.visibilityState === "visible" && (speed || now - lastAct < IDLE_MS))
    seconds += Math.min(now - lastTick, 2 * TELL_MS) / 1000;
  lastTick = now;
  if (!seen.size) return;
  const body = {spans: spans(seen), seconds: Math.round(seconds * 10) / 10};
  [seen, seconds] = [new Set(), 0];
  try {
    await post("/api/saw", body, options);
  } catch {
    for (const [start, stop] of body.spans) for (let n = start; n < stop; n++) seen.add(n);
    seconds += body.seconds;
  }
}

setInterval(report, TELL_MS);
addEventListener("pagehide", () => report({keepalive: true}));
on("view state", () => store.clip && store.state && !speed && show(store.frame));
