// The picture: where it lies on the screen, and what is drawn over it.
import {boxes, width} from "./pictures.js";
import {clamp, lane, on, store, tell} from "./store.js";

export const COLOURS = ["--o0", "--o1", "--o2", "--o3"]; // by origin: detected, interpolated, held, by hand
const HANDLE = 5;

const canvas = document.getElementById("picture");
const ctx = canvas.getContext("2d");
const stage = document.getElementById("stage");
let shown = {n: -1, view: null, pictures: [], exact: false};
let zoom = 0; // of the picture's own pixels to the screen's; 0 fits it in
let centre = null;

export const draft = {box: null, outline: null}; // what the hand draws at this moment

export const needed = () => {
  const bare = store.state.revealing ? "revealed" : "covered";
  if (store.view === "boxes") return [bare];
  if (store.view === "result") return ["result"];
  return store.view === "covered" ? ["covered"] : [bare, "covered"];
};

const panes = () => {
  const {width: w, height: h} = canvas;
  if (store.view !== "side") return [{x: 0, y: 0, w, h}];
  const half = Math.floor(w / 2);
  return [{x: 0, y: 0, w: half - 1, h}, {x: half + 1, y: 0, w: w - half - 1, h}];
};

function scale() {
  const [pane] = panes();
  const [w, h] = store.clip.size;
  return zoom || Math.min(pane.w / (w * store.clip.sar), pane.h / h) || 1;
}

export const shownWidth = () => width(scale() * store.clip.size[0] * store.clip.sar);

// The corner of the picture on the canvas, in whole pixels, and its scale across and down.
function placed(pane) {
  const s = scale();
  const [w, h] = store.clip.size;
  const [cx, cy] = zoom && centre ? centre : [w / 2, h / 2];
  const sx = s * store.clip.sar;
  return {x: Math.round(pane.x + pane.w / 2 - cx * sx), y: Math.round(pane.y + pane.h / 2 - cy * s), sx, sy: s};
}

// Where on the picture a pointer is.
export function where(event) {
  const box = canvas.getBoundingClientRect();
  const x = (event.clientX - box.left) * canvas.width / box.width;
  const y = (event.clientY - box.top) * canvas.height / box.height;
  const pane = panes().find(p => x >= p.x && x < p.x + p.w) ?? panes()[0];
  const at = placed(pane);
  return {x: (x - at.x) / at.sx, y: (y - at.y) / at.sy, reach: (HANDLE + 3) * devicePixelRatio / at.sy};
}

export function pan(dx, dy) {
  if (!zoom) return;
  const [w, h] = store.clip.size;
  centre = [clamp(centre[0] - dx, 0, w), clamp(centre[1] - dy, 0, h)];
  draw();
}

// Zoom by steps, about the selected box where there is one; 0 fits, 1 shows each pixel as one.
export function zoomTo(wanted, about) {
  const box = boxes(store.frame)?.find(found => found.track === store.selected)?.box;
  const [w, h] = store.clip.size;
  if (wanted && !zoom) centre = about ?? (box ? [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] : [w / 2, h / 2]);
  else if (wanted && about) centre = about;
  zoom = wanted && clamp(wanted, 0.05, 16);
  tell("zoom", "view");
}
export const zoomBy = (factor, about) => zoomTo(scale() * factor, about);
export const zoomed = () => zoom;

export function paint(n, pictures, exact) {
  shown = {n, view: needed().join(), pictures, exact};
  coming(null);
  draw();
}

export function trouble(text) {
  const note = document.getElementById("trouble");
  note.textContent = text;
  note.hidden = !text;
}

// The picture on the screen is that of another frame than the one whose number is told.
export function coming(n) {
  const note = document.getElementById("coming");
  note.textContent = n === null ? "" : `frame ${n} is on its way; this is frame ${shown.n}`;
  note.hidden = n === null;
}

export const isShown = n => shown.n === n;

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name);

function trace(box, at, outline, points) {
  const [x0, y0, x1, y1] = [box[0] * at.sx + at.x, box[1] * at.sy + at.y, box[2] * at.sx + at.x, box[3] * at.sy + at.y];
  ctx.beginPath();
  if (outline === "ellipse") ctx.ellipse((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2, 0, 0, 2 * Math.PI);
  else if (points?.length) {
    for (const [x, y] of points) ctx.lineTo(x0 + x * (x1 - x0), y0 + y * (y1 - y0));
    ctx.closePath();
  } else ctx.rect(x0, y0, x1 - x0, y1 - y0);
}

function stroke(ink, thick, dashes) {
  const unit = devicePixelRatio;
  ctx.setLineDash(dashes.map(d => d * unit));
  ctx.lineWidth = (thick + 2) * unit;
  ctx.strokeStyle = "#000a";
  ctx.stroke();
  ctx.lineWidth = thick * unit;
  ctx.strokeStyle = ink;
  ctx.stroke();
  ctx.setLineDash([]);
}

export const handles = ([x0, y0, x1, y1]) => {
  const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
  return [[x0, y0, "nw"], [cx, y0, "n"], [x1, y0, "ne"], [x1, cy, "e"], [x1, y1, "se"], [cx, y1, "s"], [x0, y1, "sw"], [x0, cy, "w"]];
};

function label(text, box, at) {
  const unit = devicePixelRatio;
  ctx.font = `${12 * unit}px system-ui, sans-serif`;
  const wide = ctx.measureText(text).width + 6 * unit;
  const x = Math.max(Math.min(box[0] * at.sx + at.x, canvas.width - wide + 3 * unit), 3 * unit); // all of it to be read
  const y = Math.max(box[1] * at.sy + at.y - 5 * unit, 14 * unit);
  ctx.fillStyle = "#000a";
  ctx.fillRect(x - 3 * unit, y - 12 * unit, wide, 16 * unit);
  ctx.fillStyle = "#fff";
  ctx.fillText(text, x, y);
}

function drawBox(found, at) {
  const chosen = found.track === store.selected;
  const box = chosen && draft.box ? draft.box : found.box;
  trace(box, at, found.shape, found.points);
  stroke(colour(found.covered ? COLOURS[found.origin] : "--bare"), chosen ? 3 : 2, found.covered ? [] : [5, 4]);
  const unit = devicePixelRatio;
  if (store.view === "boxes" || chosen)
    label(`${found.label} ${found.track} · ${found.score.toFixed(2)}${found.covered ? "" : " · uncovered"}`, box, at);
  if (!chosen) return;
  ctx.fillStyle = store.boxMode ? "#ffd54a" : "#fff";
  for (const [x, y] of handles(box)) {
    ctx.fillRect(x * at.sx + at.x - HANDLE * unit, y * at.sy + at.y - HANDLE * unit, 2 * HANDLE * unit, 2 * HANDLE * unit);
    ctx.strokeStyle = "#000";
    ctx.lineWidth = unit;
    ctx.strokeRect(x * at.sx + at.x - HANDLE * unit, y * at.sy + at.y - HANDLE * unit, 2 * HANDLE * unit, 2 * HANDLE * unit);
  }
}

function between(keys, n) {
  const k = keys.findIndex(key => key.frame >= n);
  const [a, b] = [keys[Math.max(k - 1, 0)], keys[k < 0 ? keys.length - 1 : k]];
  const share = a.frame === b.frame ? 0 : clamp((n - a.frame) / (b.frame - a.frame), 0, 1);
  return a.box.map((v, i) => v + (b.box[i] - v) * share);
}

// What a second opinion sees, and no region covers.
function drawFind({remedy}, at) {
  const box = between(remedy.keys, shown.n);
  trace(box, at, "rectangle");
  stroke(colour("--low"), 2, [7, 4]);
  label(`not covered: ${remedy.class}, by a second opinion`, box, at);
}

export function draw() {
  if (!store.state) return;
  const [w, h] = store.clip.size;
  ctx.fillStyle = "#0b0d0f";
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  // What was fetched for another view, such as without covers, is never shown as this one.
  const pictures = shown.view === needed().join() ? shown.pictures : [];
  const known = boxes(shown.n < 0 ? 0 : shown.n, draw) ?? [];
  panes().forEach((pane, k) => {
    const at = placed(pane);
    ctx.save();
    ctx.beginPath();
    ctx.rect(pane.x, pane.y, pane.w, pane.h);
    ctx.clip();
    ctx.imageSmoothingEnabled = at.sy < 3;
    ctx.imageSmoothingQuality = "high";
    const over = store.view === "wipe" ? pictures[1] : null;
    const under = pictures[store.view === "side" ? k : 0];
    if (under) ctx.drawImage(under, at.x, at.y, w * at.sx, h * at.sy);
    if (over) {
      const x = at.x + w * at.sx * document.getElementById("wiper").value / 1000;
      ctx.save();
      ctx.beginPath();
      ctx.rect(x, pane.y, pane.w, pane.h);
      ctx.clip();
      ctx.drawImage(over, at.x, at.y, w * at.sx, h * at.sy);
      ctx.restore();
      ctx.fillStyle = "#fff";
      ctx.fillRect(x - 1, pane.y, 2, pane.h);
    }
    for (const found of known) if (store.view === "boxes" || found.track === store.selected) drawBox(found, at);
    for (const moment of store.state.moments)
      if (moment.range && !moment.ticked && shown.n >= moment.range[0] && shown.n < moment.range[1]) drawFind(moment, at);
    if (draft.outline) {
      const {box, kind, corners} = draft.outline;
      if (corners) {
        ctx.beginPath();
        for (const [x, y] of corners) ctx.lineTo(x * at.sx + at.x, y * at.sy + at.y);
      } else trace(box, at, kind);
      stroke(colour("--o3"), 2, []);
    }
    ctx.restore();
  });
  canvas.dataset.frame = shown.n;
  canvas.dataset.exact = shown.exact && pictures.length ? "1" : "0";
  const names = known.map(found => `${found.label} ${found.track}${found.covered ? "" : ", uncovered"}`).join("; ");
  canvas.setAttribute("aria-label", `Frame ${shown.n}: ${names || "nothing was found here"}`);
}

export function fitCanvas() {
  const box = stage.getBoundingClientRect();
  const [w, h] = [Math.round(box.width * devicePixelRatio), Math.round(box.height * devicePixelRatio)];
  if (canvas.width !== w || canvas.height !== h) {
    [canvas.width, canvas.height] = [w, h];
    if (store.state) tell("zoom", "view");
    draw();
  }
}

export const nameOf = track => {
  const found = lane(track);
  return found ? `${found.label} ${track}` : `track ${track}`;
};

on("view selection marks zoom draft", draw);
document.getElementById("wiper").addEventListener("input", draw);
