// Begins: asks for the clip, wires buttons and keys, and listens for what others change.
import {get} from "./api.js";
import {make} from "./dialog.js";
import {actions, idle, redo, refresh, reveal, say, take, tick, undo} from "./edits.js";
import {help, listen} from "./keys.js";
import {doubts, nextDoubt} from "./panels.js";
import {boxes, forget} from "./pictures.js";
import {go, playing, show, transport} from "./player.js";
import {boxByKeys, closePolygon, drawByKeys, leaveBox, nudge, use} from "./pointer.js";
import {draft, fitCanvas, zoomBy, zoomed, zoomTo} from "./stage.js";
import {lane, on, select, store, tell} from "./store.js";
import {frameOf, timecode} from "./timecode.js";
import {drawTimeline, legend} from "./timeline.js";

const at = id => document.getElementById(id);
const VIEWS = {covered: "Covered", boxes: "Boxes", side: "Side by side", wipe: "Wipe", result: "Result"};
const TOOLS = {select: "Select", rectangle: "Rectangle", ellipse: "Ellipse", polygon: "Polygon"};
const PULSE_MS = 1000;

function radios(group, names, chosen, choose) {
  at(group).replaceChildren(...Object.entries(names).map(([name, text]) => {
    const button = make("button", text, {type: "button", data: {name}, onclick: () => choose(name)});
    button.setAttribute("role", "radio");
    button.addEventListener("keydown", event => {
      const way = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
      if (!way) return;
      event.preventDefault();
      const all = [...at(group).children];
      const next = all[(all.indexOf(button) + way + all.length) % all.length];
      next.focus();
      next.click();
    });
    return button;
  }));
  mark(group, chosen);
}

function mark(group, chosen) {
  for (const button of at(group).children) {
    button.setAttribute("aria-checked", button.dataset.name === chosen);
    button.tabIndex = button.dataset.name === chosen ? 0 : -1;
  }
}

function view(name) {
  if (name === "result" && !store.state.rendered) return say("nothing was rendered yet: see Render", true);
  store.view = name;
  at("wipe").hidden = name !== "wipe";
  mark("views", name);
  if (["side", "wipe"].includes(name) && !store.state.revealing) say("press Reveal to see the source beside it; that is recorded");
  tell("view");
}

function markIn() {
  store.marks = {start: store.frame, stop: store.marks.stop !== null && store.marks.stop > store.frame ? store.marks.stop : null};
  tell("marks");
}
function markOut() {
  store.marks = {start: store.marks.start !== null && store.marks.start <= store.frame ? store.marks.start : null, stop: store.frame + 1};
  tell("marks");
}
function unmark() {
  store.marks = {start: null, stop: null};
  tell("marks");
}

const own = edge => {
  const found = store.selected === null ? null : lane(store.selected);
  return found ? go(edge(found.spans)) : null;
};

function neighbour(way) {
  const here = boxes(store.frame) ?? [];
  if (!here.length) return;
  const k = here.findIndex(found => found.track === store.selected);
  select(here[(k < 0 ? (way > 0 ? 0 : here.length - 1) : k + way + here.length) % here.length].track);
}

async function tickHere() {
  const here = doubts().filter(m => !m.ticked && m.frame === store.frame && (store.selected === null || (!m.range && m.track === store.selected)));
  if (!here.length) return say("there is no doubt to tick off in this frame", true);
  for (const moment of here) await tick(moment, true);
  return say("ticked off");
}

const went = async frame => {
  const n = await frame;
  if (n !== null && n !== undefined) go(n);
};

const acts = {
  ...transport, ...actions, markIn, markOut, unmark,
  doubtAfter: () => nextDoubt(1), doubtBefore: () => nextDoubt(-1),
  trackIn: () => own(spans => spans[0][0]), trackOut: () => own(spans => spans.at(-1)[1] - 1),
};

const arrows = (dx, dy, otherwise) => resize => big => () => (store.boxMode ? nudge(dx, dy, resize, big) : otherwise?.(resize));

function keys() {
  const table = {
    j: acts.backward, k: acts.hold, l: acts.forward, " ": acts.pause, Home: acts.first, End: acts.last,
    n: acts.doubtAfter, "Shift+n": acts.doubtBefore, t: tickHere, i: markIn, o: markOut, x: unmark, "[": acts.trackIn, "]": acts.trackOut,
    ".": () => neighbour(1), ",": () => neighbour(-1), r: () => use("rectangle"), e: () => use("ellipse"), p: () => use("polygon"), v: () => use("select"),
    f: actions.follow, c: actions.keep, u: actions.expose, Delete: actions.drop, Backspace: actions.unkey, s: actions.split, m: actions.merge,
    1: () => view("covered"), 2: () => view("boxes"), 3: () => view("side"), 4: () => view("wipe"), 5: () => view("result"), g: () => reveal(!store.state.revealing),
    "+": () => zoomBy(1.5), "=": () => zoomBy(1.5), "-": () => zoomBy(1 / 1.5), 0: () => zoomTo(0), 9: () => zoomTo(1),
    "Ctrl+z": () => went(undo()), "Ctrl+Shift+z": () => went(redo()), "Ctrl+y": () => went(redo()), "?": help,
    d: () => document.querySelector("[role=tab][aria-selected=true]").focus(),
    Enter: () => (store.boxMode ? leaveBox(true) : store.tool !== "select" ? drawByKeys() : boxByKeys()),
    Escape: () => (store.boxMode ? leaveBox(false) : draft.outline || store.tool !== "select" ? use("select") : select(null)),
  };
  const moves = {
    ArrowLeft: arrows(-1, 0, far => (far ? acts.leapBack() : acts.stepBack())), ArrowRight: arrows(1, 0, far => (far ? acts.leap() : acts.step())),
    ArrowUp: arrows(0, -1, acts.cutBefore), ArrowDown: arrows(0, 1, acts.cutAfter),
  };
  for (const [key, move] of Object.entries(moves)) {
    table[key] = move(false)(false);
    table[`Shift+${key}`] = move(true)(false);
    table[`Ctrl+${key}`] = move(false)(true);
    table[`Ctrl+Shift+${key}`] = move(true)(true);
  }
  listen(table);
}

function buttons() {
  for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => acts[button.dataset.do]());
  at("undo").addEventListener("click", () => went(undo()));
  at("redo").addEventListener("click", () => went(redo()));
  at("help").addEventListener("click", help);
  at("reveal").addEventListener("click", () => reveal(!store.state.revealing));
  at("smaller").addEventListener("click", () => zoomBy(1 / 1.5));
  at("larger").addEventListener("click", () => zoomBy(1.5));
  at("fit").addEventListener("click", () => zoomTo(0));
  at("stage").addEventListener("dblclick", () => store.tool === "polygon" && closePolygon());
  at("number").addEventListener("click", () => at("number").select());
  at("number").addEventListener("keydown", event => {
    if (event.key === "Escape") at("stage").focus();
    if (event.key !== "Enter") return;
    const n = frameOf(at("number").value);
    if (n === null) say(`${at("number").value}: neither a frame's number nor a timecode of this clip`, true);
    else {
      at("stage").focus();
      go(n);
    }
  });
}

on("frame", () => {
  at("timecode").textContent = timecode(store.frame);
  if (document.activeElement !== at("number")) at("number").value = store.frame;
});
on("frame playing", () => {
  const speed = playing();
  at("speed").textContent = speed ? `${speed}×${store.rate < 0.9 ? `, ${(store.rate).toFixed(1)} of real time` : ""}` : "";
  at("pause").textContent = speed ? "❚❚" : "▶";
});
on("marks", () => {
  const {start, stop} = store.marks;
  at("marks").textContent = start === null && stop === null ? "no range" : `${start ?? 0} to ${(stop ?? store.clip.frames) - 1}`;
});
on("state", () => {
  at("undo").disabled = !store.state.can.undo;
  at("redo").disabled = !store.state.can.redo;
  at("reveal").setAttribute("aria-pressed", store.state.revealing);
  at("reveal").textContent = store.state.revealing ? "Cover again" : "Reveal";
  if (!store.state.revealing) forget(path => path.includes("view=revealed"));
});
on("tool", () => mark("tools", store.tool));
on("zoom", () => { at("zoom").textContent = zoomed() ? `${Math.round(zoomed() * 100)} %` : "fit"; });

let lost = false;
let lastJob = 0;
let lastSecond = 0;

async function pulse() {
  try {
    const told = await get("/api/pulse");
    if (lost) say("the server answers again");
    lost = false;
    if (told.version !== store.state.version || told.revealing !== store.state.revealing) {
      await idle(); // what this page has sent itself is no news
      const known = store.state.version;
      await refresh();
      if (store.state.version !== known && !told.job?.running) say("somebody changed the tracks; this is the newest state");
    }
    [store.job, store.second] = [told.job, told.second];
    tell("job");
    if (told.job?.running) {
      lastJob = 0;
      if (told.job.frame !== undefined) show(told.job.frame);
    } else if (told.job && lastJob !== told.job.number) {
      lastJob = told.job.number;
      ended(told.job);
    }
    if (told.second && !told.second.running && lastSecond !== told.second.number) {
      lastSecond = told.second.number;
      const {error, result} = told.second;
      await refresh();
      say(error ?? `second opinion ${result.what}`, Boolean(error));
    }
  } catch (error) {
    if (!lost) say(error.message, true);
    lost = true;
  }
  setTimeout(pulse, store.job?.running ? PULSE_MS / 4 : PULSE_MS);
}

function ended(job) {
  if (job.error) say(job.error, true);
  else if (job.name === "render") {
    refresh();
    forget(path => path.includes("view=result"));
    say(`${job.result.name} is rendered: ${job.result.passed} of ${job.result.checks} checks passed`);
  } else if (job.name === "follow") {
    const {lost: unsure, reached, number} = job.result;
    go(unsure[0] ?? reached);
    if (unsure.length) say(`edit ${number}: followed to frame ${reached}; unsure from frame ${unsure[0]} on: look, and set the box there`, true);
    else say(`edit ${number}: followed to frame ${reached}`);
  }
}

async function begin() {
  try {
    store.clip = await get("/api/clip");
    const state = await get("/api/state");
    document.title = `${store.clip.name} – vsanon review`;
    at("name").textContent = store.clip.name;
    const {size, fps, frames, by} = store.clip;
    at("facts").textContent = `${size[0]}×${size[1]}, ${frames} frames at ${Number(fps.toFixed(3))} a second; edits go into ${store.clip.tracks}, by ${by}`;
    at("reasons").replaceChildren(...store.clip.reasons.map(reason => make("option", null, {value: reason})));
    lastJob = (await get("/api/pulse")).job?.number ?? 0;
    radios("views", VIEWS, store.view, view);
    radios("tools", TOOLS, store.tool, use);
    legend();
    buttons();
    keys();
    take(state);
    new ResizeObserver(() => {
      fitCanvas();
      drawTimeline();
    }).observe(at("stage"));
    fitCanvas();
    await show(0);
    get("/api/keys").then(told => { [store.keys, store.passing] = [told.frames, told.width]; }, error => say(error.message, true));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawTimeline);
    at("stage").focus();
    pulse();
  } catch (error) {
    say(error.message, true);
  }
}

begin();

