// The hand on the picture: choose, drag and resize boxes, draw regions, pan; and the same by the arrow keys.
import {addRegion, moveBox, say} from "./edits.js";
import {boxes} from "./pictures.js";
import {pause, playing, show} from "./player.js";
import {draft, draw, handles, isShown, pan, where, zoomBy, zoomed} from "./stage.js";
import {clamp, on, select, store, tell} from "./store.js";

const stage = document.getElementById("stage");
const LEAST = 2; // pixels of a side
let drag = null;

const eighth = value => Math.round(value * 8) / 8;

function within([x0, y0, x1, y1], {x, y}) {
  return x >= x0 && x < x1 && y >= y0 && y < y1;
}

export const current = () => boxes(store.frame)?.find(found => found.track === store.selected) ?? null;

// The box moved, or one of its sides or corners: `grip` is a handle's name, or "all".
export function reshaped([x0, y0, x1, y1], grip, dx, dy) {
  if (grip === "all") return [x0 + dx, y0 + dy, x1 + dx, y1 + dy];
  if (grip.includes("w")) x0 = Math.min(x0 + dx, x1 - LEAST);
  if (grip.includes("e")) x1 = Math.max(x1 + dx, x0 + LEAST);
  if (grip.includes("n")) y0 = Math.min(y0 + dy, y1 - LEAST);
  if (grip.includes("s")) y1 = Math.max(y1 + dy, y0 + LEAST);
  return [x0, y0, x1, y1];
}

function gripAt(at) {
  const mine = current();
  if (mine) {
    const handle = handles(mine.box).find(([x, y]) => Math.abs(x - at.x) <= at.reach && Math.abs(y - at.y) <= at.reach);
    if (handle) return {found: mine, grip: handle[2]};
    if (within(mine.box, at)) return {found: mine, grip: "all"};
  }
  const area = ([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0);
  const under = (boxes(store.frame) ?? []).filter(found => within(found.box, at)).sort((a, b) => area(a.box) - area(b.box));
  return under.length ? {found: under[0], grip: "all"} : null;
}

const shapeOf = (a, b) => [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y)].map(eighth);

function inside({x, y}) {
  const [w, h] = store.clip.size;
  return {x: clamp(x, 0, w), y: clamp(y, 0, h)};
}

stage.addEventListener("pointerdown", event => {
  if (event.button !== 0 || event.target.closest("#wipe") || !store.state) return;
  stage.focus({preventScroll: true});
  if (playing()) {
    pause();
    show(store.frame);
  }
  if (!isShown(store.frame)) return say("this is not the frame that the number tells: it is still on its way", true);
  const at = where(event);
  if (store.tool === "polygon") return corner(inside(at), at.reach);
  stage.setPointerCapture(event.pointerId);
  if (store.tool !== "select") {
    drag = {kind: "draw", from: inside(at)};
    return;
  }
  const hit = gripAt(at);
  if (!hit) {
    drag = {kind: "pan", from: at};
    if (!zoomed()) select(null);
    return;
  }
  if (hit.found.track !== store.selected) select(hit.found.track);
  drag = {kind: "box", from: at, grip: hit.grip, box: hit.found.box, moved: false};
});

stage.addEventListener("pointermove", event => {
  if (!drag) {
    if (store.state && store.tool === "select") stage.style.cursor = cursorAt(where(event));
    return;
  }
  const at = where(event);
  if (drag.kind === "pan") {
    pan(at.x - drag.from.x, at.y - drag.from.y);
    drag.from = where(event);
  } else if (drag.kind === "draw") {
    draft.outline = {box: shapeOf(drag.from, inside(at)), kind: store.tool};
    draw();
  } else {
    const [dx, dy] = [at.x - drag.from.x, at.y - drag.from.y];
    drag.moved ||= Math.hypot(dx, dy) > at.reach / 3;
    if (drag.moved) {
      draft.box = reshaped(drag.box, drag.grip, dx, dy).map(eighth);
      draw();
    }
  }
});

const CURSORS = {n: "ns-resize", s: "ns-resize", e: "ew-resize", w: "ew-resize", ne: "nesw-resize", sw: "nesw-resize", nw: "nwse-resize", se: "nwse-resize", all: "move"};

function cursorAt(at) {
  const hit = gripAt(at);
  return hit ? (hit.found.track === store.selected ? CURSORS[hit.grip] : "pointer") : zoomed() ? "grab" : "default";
}

async function ended(event) {
  const done = drag;
  drag = null;
  if (!done) return;
  if (done.kind === "draw") {
    const outline = draft.outline;
    draft.outline = null;
    if (outline && outline.box[2] - outline.box[0] >= LEAST && outline.box[3] - outline.box[1] >= LEAST) {
      const kind = store.tool;
      use("select");
      await addRegion(kind, outline.box);
    }
    draw();
  } else if (done.kind === "box" && done.moved && draft.box) {
    await moveBox(store.selected, draft.box, {apart: event.altKey});
    draft.box = null;
    draw();
  }
}
stage.addEventListener("pointerup", ended);
stage.addEventListener("pointercancel", () => {
  drag = draft.box = draft.outline = null;
  draw();
});

stage.addEventListener("wheel", event => {
  event.preventDefault();
  if (event.ctrlKey || event.metaKey) {
    const at = where(event);
    zoomBy(event.deltaY < 0 ? 1.2 : 1 / 1.2, zoomed() ? undefined : [at.x, at.y]);
  } else show(store.frame + Math.sign(event.deltaY || event.deltaX));
}, {passive: false});

function corner({x, y}, reach) {
  const corners = draft.outline?.corners ?? [];
  const [first] = corners;
  if (corners.length >= 3 && Math.hypot(x - first[0], y - first[1]) <= 2 * reach) return closePolygon();
  draft.outline = {corners: [...corners, [eighth(x), eighth(y)]]};
  return draw();
}

export async function closePolygon() {
  const corners = draft.outline?.corners;
  if (!corners || corners.length < 3) return say("a polygon needs three corners or more", true);
  const [xs, ys] = [corners.map(c => c[0]), corners.map(c => c[1])];
  const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  draft.outline = null;
  use("select");
  if (box[2] - box[0] < LEAST || box[3] - box[1] < LEAST) return say("these corners span no area", true);
  return addRegion("polygon", box, corners);
}

export function use(tool) {
  store.tool = tool;
  draft.outline = null;
  stage.style.cursor = tool === "select" ? "default" : "crosshair";
  tell("tool", "draft");
}

// By keys alone: a box in the middle of the picture, to be moved into its place by the arrows.
export function drawByKeys() {
  if (store.tool === "polygon") return closePolygon();
  const [w, h] = store.clip.size;
  draft.outline = {box: [w * 0.4, h * 0.4, w * 0.6, h * 0.6].map(eighth), kind: store.tool};
  store.boxMode = true;
  tell("draft");
  return say("arrows move it, with Shift they resize it, Ctrl makes larger steps; Enter puts it there, Escape drops it");
}

export function boxByKeys() {
  const mine = current();
  if (!mine) return say("select a box first: . and , go through those of this frame", true);
  draft.box = mine.box;
  store.boxMode = true;
  tell("draft");
  return say("arrows move the box, with Shift they resize it, Ctrl makes larger steps; Enter keeps it, Escape drops that");
}

export function nudge(dx, dy, resize, big) {
  const step = big ? 10 : 1;
  const grip = resize ? "se" : "all";
  if (draft.outline) draft.outline.box = reshaped(draft.outline.box, grip, dx * step, dy * step);
  else if (draft.box) draft.box = reshaped(draft.box, grip, dx * step, dy * step);
  draw();
}

export async function leaveBox(keep) {
  const {box, outline} = draft;
  const kind = store.tool;
  store.boxMode = false;
  if (keep && outline) {
    use("select");
    await addRegion(kind, outline.box);
  } else if (keep && box) await moveBox(store.selected, box);
  draft.box = draft.outline = null;
  tell("draft");
}

on("frame selection", () => {
  if (drag || (!draft.box && !draft.outline)) return;
  store.boxMode = false;
  draft.box = draft.outline = null;
});
