// Time from left to right: the scrubber with cuts, doubts and marks, and a lane for each track.
import {go, lift, scrub as to} from "./player.js";
import {COLOURS} from "./stage.js";
import {clamp, on, select, store} from "./store.js";
import {timecode} from "./timecode.js";
import {make} from "./dialog.js";

const scrub = document.getElementById("scrub");
const ruler = document.getElementById("ruler");
const lanes = document.getElementById("lanes");
const ink = name => getComputedStyle(document.documentElement).getPropertyValue(name);

function fitted(canvas) {
  const [w, h] = [Math.round(canvas.clientWidth * devicePixelRatio), Math.round(canvas.clientHeight * devicePixelRatio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const ctx = canvas.getContext("2d");
  ctx.clearRect(0, 0, w, h);
  return {ctx, w, h, x: n => n * w / store.clip.frames};
}

function drawRuler() {
  const {ctx, w, h, x} = fitted(ruler);
  const {start, stop} = store.marks;
  ctx.fillStyle = ink("--ground");
  ctx.fillRect(0, 0, w, h);
  if (start !== null || stop !== null) {
    ctx.fillStyle = ink("--mark");
    ctx.fillRect(x(start ?? 0), 0, x(stop ?? store.clip.frames) - x(start ?? 0), h);
  }
  ctx.fillStyle = ink("--soft");
  for (const cut of store.clip.cuts) ctx.fillRect(Math.round(x(cut)), h * 0.55, devicePixelRatio, h * 0.45);
  const left = store.state.moments.filter(moment => !moment.ticked && moment.rank <= 1);
  for (const moment of left.sort((a, b) => b.rank - a.rank)) {
    ctx.fillStyle = ink(moment.rank ? "--o1" : "--low");
    ctx.beginPath();
    ctx.arc(x(moment.frame + 0.5), h * 0.25, 3.5 * devicePixelRatio, 0, 7);
    ctx.fill();
  }
  ctx.fillStyle = ink("--strong");
  ctx.fillRect(Math.round(x(store.frame)), 0, Math.max(2 * devicePixelRatio, x(1)), h);
  if (store.hand === null) return;
  ctx.fillStyle = ink("--soft");
  ctx.fillRect(Math.round(x(store.hand)), 0, devicePixelRatio, h);
}

const painted = new Map(); // canvases by track

function drawLane(found) {
  const canvas = painted.get(found.track);
  if (!canvas) return;
  const {ctx, h, x} = fitted(canvas);
  for (const [start, stop, origin, low, covered] of found.spans) {
    ctx.fillStyle = ink(COLOURS[origin]);
    const [left, wide] = [x(start), Math.max(x(stop) - x(start), 1)];
    if (covered) ctx.fillRect(left, h * 0.2, wide, h * 0.5);
    else {
      ctx.strokeStyle = ink("--bare");
      ctx.lineWidth = devicePixelRatio;
      ctx.strokeRect(left + 0.5, h * 0.2 + 0.5, wide - 1, h * 0.5 - 1);
    }
    if (low) {
      ctx.fillStyle = ink("--low");
      ctx.fillRect(left, h * 0.74, wide, h * 0.12);
    }
  }
  ctx.fillStyle = ink("--ink");
  for (const edit of store.state.edits) {
    if (edit.track !== found.track) continue;
    for (const key of edit.keys ?? []) {
      if (key.tracked) continue;
      const [cx, cy, r] = [x(key.frame + 0.5), h * 0.45, 5 * devicePixelRatio];
      ctx.beginPath();
      ctx.moveTo(cx, cy - r);
      for (const [dx, dy] of [[r, 0], [0, r], [-r, 0]]) ctx.lineTo(cx + dx, cy + dy);
      ctx.closePath();
      ctx.fill();
    }
  }
  ctx.fillStyle = ink("--strong");
  ctx.fillRect(Math.round(x(store.frame)), 0, Math.max(devicePixelRatio, x(1) / 2), h);
}

function listLanes() {
  painted.clear();
  const order = [...store.state.lanes].sort((a, b) => a.spans[0][0] - b.spans[0][0] || a.track - b.track);
  lanes.replaceChildren(...order.map(found => {
    const row = make("div", null, {className: "lane"});
    const name = make("button", `${found.label} ${found.track}`, {
      type: "button", data: {track: found.track}, aria: {pressed: found.track === store.selected},
      title: `covered in ${found.covered} of ${found.frames} frames, best score ${found.score}`,
      onclick: () => choose(found, null),
    });
    const canvas = make("canvas", null, {aria: {hidden: "true"}});
    canvas.addEventListener("pointerdown", event => choose(found, frameAt(canvas, event)));
    painted.set(found.track, canvas);
    row.append(name, canvas);
    return row;
  }));
  if (!order.length) lanes.replaceChildren(make("p", "Nothing was found. Draw what is to be covered."));
}

function choose(found, n) {
  select(found.track);
  const inside = found.spans.some(([start, stop]) => store.frame >= start && store.frame < stop);
  if (n !== null) go(n);
  else if (!inside) go(found.spans[0][0]);
}

const frameAt = (element, event) => {
  const box = element.getBoundingClientRect();
  return clamp(Math.floor((event.clientX - box.left) / box.width * store.clip.frames), 0, store.clip.frames - 1);
};

export function drawTimeline() {
  if (!store.state) return;
  drawRuler();
  for (const found of store.state.lanes) drawLane(found);
}

scrub.addEventListener("pointerdown", event => {
  scrub.setPointerCapture(event.pointerId);
  to(frameAt(scrub, event));
});
scrub.addEventListener("pointermove", event => {
  if (scrub.hasPointerCapture(event.pointerId)) to(frameAt(scrub, event));
});
for (const name of ["pointerup", "pointercancel"]) scrub.addEventListener(name, lift);

on("state", () => {
  listLanes();
  drawTimeline();
});
on("selection", () => {
  for (const button of lanes.querySelectorAll("button")) {
    const chosen = Number(button.dataset.track) === store.selected;
    button.setAttribute("aria-pressed", chosen);
    if (chosen) button.scrollIntoView({block: "nearest"});
  }
});
on("frame marks zoom", drawTimeline);
on("frame", () => {
  scrub.setAttribute("aria-valuenow", store.frame);
  scrub.setAttribute("aria-valuetext", `frame ${store.frame}, ${timecode(store.frame)}`);
});

export function legend() {
  const names = ["detected", "interpolated", "held before or after", "by hand"];
  const entries = [...names.map((name, k) => [COLOURS[k], name]), ["--low", "low score, or a doubt"], ["--bare", "uncovered"]];
  document.getElementById("legend").replaceChildren(...entries.map(([colour, name]) => {
    const entry = make("li");
    const dot = make("i");
    dot.style.background = `var(${colour})`;
    entry.append(dot, name);
    return entry;
  }));
  scrub.setAttribute("aria-valuemax", store.clip.frames - 1);
}
