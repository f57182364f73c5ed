// The lists beside the picture: doubts to tick off, people, edits.
import {apply, covers, exposes, finish, remove, render, second, stop, tick} from "./edits.js";
import {make} from "./dialog.js";
import {go, report} from "./player.js";
import {nameOf} from "./stage.js";
import {lane, on, select, store} from "./store.js";
import {timecode} from "./timecode.js";

const panel = name => document.getElementById(name);
const TABS = ["doubts", "people", "edits", "render"];

export function tab(name, focus = false) {
  for (const other of TABS) {
    const button = panel(`tab-${other}`);
    button.setAttribute("aria-selected", other === name);
    button.tabIndex = other === name ? 0 : -1;
    panel(other).hidden = other !== name;
    if (focus && other === name) button.focus();
  }
}
for (const [k, name] of TABS.entries()) {
  panel(`tab-${name}`).addEventListener("click", () => tab(name));
  panel(`tab-${name}`).addEventListener("keydown", event => {
    const way = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (way) {
      event.preventDefault();
      event.stopPropagation();
      tab(TABS[(k + way + TABS.length) % TABS.length], true);
    }
  });
}

export const doubts = () => store.state.moments.filter(moment => moment.rank <= 1);

// A find of a second opinion is of no track yet.
const isFind = moment => Boolean(moment.range);
const nameAt = moment => (isFind(moment) ? moment.remedy.class : nameOf(moment.track));

export function visit(moment) {
  select(isFind(moment) ? null : moment.track);
  return go(moment.frame);
}

export function nextDoubt(way) {
  const left = doubts().filter(moment => !moment.ticked).sort((a, b) => a.frame - b.frame || a.track - b.track);
  const later = way > 0 ? left.filter(m => m.frame > store.frame) : left.filter(m => m.frame < store.frame).reverse();
  const next = later[0] ?? (way > 0 ? left[0] : left.at(-1));
  return next ? visit(next) : null;
}

const REMEDIES = {keep: "Cover there, too", drop: "It is none: drop it", region: "Cover it"};
const OPINIONS = {thorough: "the finest search (thorough)", yunet_n: "another model for faces (yunet_n)"};

// Made once: what is chosen in it stays when the list is made anew.
let secondCard = null;

function makeSecond() {
  const card = secondCard = make("div", null, {className: "card", id: "second"});
  const row = make("div", null, {className: "row"});
  const name = make("select", null, {id: "second-name", aria: {label: "Which second opinion"}});
  name.append(...Object.entries(store.clip.seconds).map(([value, here]) =>
    make("option", (OPINIONS[value] ?? value) + (here ? "" : ": not on this machine"), {value, disabled: !here})));
  const every = make("input", null, {type: "checkbox", id: "second-every"});
  const label = make("label", null, {title: "Else every eighth, both sides of cuts, and those between that need it"});
  label.append(every, "every frame");
  const bar = make("progress", null, {id: "second-bar", max: 1, value: 0, aria: {label: "Progress of the second opinion"}});
  row.append(name, label,
    make("button", "Search once more", {type: "button", id: "second-start", onclick: () => second(name.value, every.checked)}),
    make("button", "Stop", {type: "button", id: "second-stop", onclick: () => stop(true)}));
  card.append(make("strong", "Second opinion"), make("small", "", {id: "second-told"}), row, bar);
}

function fillSecond() {
  const job = store.second;
  const running = Boolean(job?.running);
  panel("second-start").disabled = running;
  panel("second-stop").hidden = panel("second-bar").hidden = !running;
  panel("second-bar").max = job?.total || 1;
  panel("second-bar").value = running ? job.done : 0;
  const heard = store.state.opinions;
  panel("second-told").textContent = running ? `${job.done} of ${job.total || store.clip.frames} frames; go on meanwhile`
    : job?.error ? job.error
    : heard.length ? `${heard.join("; ")}. What no region covers is listed below.`
    : "None was asked for yet. Another search of the clip lists what no region covers.";
}

const cardOf = new Map();

// Which of the doubts the picture shows.
function markDoubt() {
  for (const [moment, card] of cardOf) {
    const here = moment.frame === store.frame && store.selected === (isFind(moment) ? null : moment.track);
    if (here && !card.hasAttribute("aria-current") && !panel("doubts").hidden) reach(card);
    if (here) card.setAttribute("aria-current", "true");
    else card.removeAttribute("aria-current");
  }
}

function reach(card) { // without moving the page itself
  const [list, at] = [panel("doubts"), card.getBoundingClientRect()];
  const within = list.getBoundingClientRect();
  if (at.top < within.top) list.scrollTop -= within.top - at.top;
  else if (at.bottom > within.bottom) list.scrollTop += at.bottom - within.bottom;
}

function fillDoubts() {
  cardOf.clear();
  const all = doubts();
  const left = all.filter(moment => !moment.ticked).length;
  const cards = all.map(moment => {
    const card = make("div", null, {className: moment.ticked ? "card done" : "card", data: {rank: moment.rank}});
    cardOf.set(moment, card);
    const look = make("button", `${timecode(moment.frame)} · ${nameAt(moment)}`, {type: "button", onclick: () => visit(moment)});
    const row = make("div", null, {className: "row"});
    const box = make("input", null, {type: "checkbox", checked: moment.ticked, onchange: () => tick(moment, box.checked)});
    const label = make("label");
    label.append(box, "looked at");
    row.append(label);
    if (REMEDIES[moment.remedy?.op])
      row.append(make("button", REMEDIES[moment.remedy.op], {type: "button", onclick: () => apply([moment.remedy], isFind(moment) ? "keep" : moment.remedy.op)}));
    card.append(look, make("small", `frame ${moment.frame}: ${moment.why}`), row);
    return card;
  });
  if (!secondCard) makeSecond();
  const done = make("button", "Finish the review", {type: "button", className: "main", onclick: () => report().then(finish)});
  const last = store.state.reviews.at(-1);
  panel("doubts").replaceChildren(
    make("p", `${left} of ${all.length} doubtful moments are left; those where misses hide come first.`), secondCard, ...cards, done,
    ...(last ? [make("p", `${last.by}: ${last.what} (${last.reason})`)] : []),
  );
  fillSecond();
  markDoubt();
}

const thumbnail = track => make("img", null, {src: `/thumbnail/${track}?version=${store.state.version}`, alt: `${nameOf(track)}, covered`, loading: "lazy"});

const refused = new Set(); // proposals that are none

function proposed() {
  return store.state.proposals.filter(group => !refused.has(group.join())).map(group => {
    const card = make("div", null, {className: "card"});
    const row = make("div", null, {className: "row"});
    row.append(
      make("button", "One person", {type: "button", onclick: () => apply([{op: "merge", track: group[0], others: group.slice(1)}])}),
      make("button", "Not the same", {type: "button", onclick: () => { refused.add(group.join()); fillPeople(); }}),
    );
    const faces = make("div", null, {className: "row faces"});
    faces.append(...group.map(thumbnail));
    card.append(faces, make("strong", group.map(nameOf).join(", ")), make("small", "look alike by colours and size: one person?"), row);
    return card;
  });
}

const ticked = new Set(); // tracks whose cards are chosen

function fillPeople() {
  const {lanes} = store.state;
  for (const track of ticked) if (!lane(track)) ticked.delete(track);
  const cards = lanes.filter(found => !found.manual).map(found => {
    const {track} = found;
    const card = make("div", null, {className: "card person"});
    const image = thumbnail(track);
    const box = make("input", null, {
      type: "checkbox", checked: ticked.has(track),
      onchange: () => (box.checked ? ticked.add(track) : ticked.delete(track), fillButtons()),
    });
    const label = make("label");
    label.append(box, nameOf(track));
    const seconds = (found.frames / store.clip.fps).toFixed(1);
    const how = found.covered === found.frames ? "covered" : found.covered ? `covered in ${found.covered} of ${found.frames} frames` : "uncovered";
    const row = make("div", null, {className: "row"});
    row.append(
      make("button", "Show", {type: "button", onclick: () => { select(track); go(found.spans[0][0]); }}),
      found.covered
        ? make("button", "Uncover", {type: "button", onclick: () => apply(exposes([track]))})
        : make("button", "Cover", {type: "button", onclick: () => apply(covers([track]))}),
    );
    card.append(image, label, make("small", `${seconds} s on screen, ${how}`), row);
    return card;
  });
  const rows = make("div", null, {className: "row", id: "people-row"});
  panel("people").replaceChildren(make("p", "One card for each; what belongs together can be made one, and split again."), rows, ...proposed(), ...cards);
  fillButtons();
}

function fillButtons() {
  const chosen = [...ticked];
  const others = store.state.lanes.filter(found => !found.manual && !ticked.has(found.track)).map(found => found.track);
  const button = (text, changes, enough = chosen.length > 0) =>
    make("button", text, {type: "button", disabled: !enough, onclick: () => apply(changes())});
  const bare = chosen.filter(track => lane(track).covered);
  document.getElementById("people-row").replaceChildren(
    button("Cover", () => covers(chosen)),
    button("Uncover", () => exposes(bare)),
    button("Cover all but these", () => [...exposes(bare), ...covers(others)]),
    button("The same one", () => [{op: "merge", track: chosen[0], others: chosen.slice(1)}], chosen.length > 1),
  );
}

function fillEdits() {
  const cards = [...store.state.edits].reverse().map(edit => {
    const card = make("div", null, {className: "card"});
    const row = make("div", null, {className: "row"});
    const n = edit.keys?.[0].frame ?? edit.range?.[0] ?? edit.frame;
    if (n !== undefined && n < store.clip.frames)
      row.append(make("button", "Show", {type: "button", onclick: () => { if (lane(edit.track)) select(edit.track); go(n); }}));
    row.append(make("button", "Take back", {type: "button", onclick: () => remove(edit.number), title: "Remove this edit, if no other needs it"}));
    card.append(make("strong", `${edit.number}. ${edit.what}`), make("small", `${edit.by}, ${edit.at}: ${edit.reason}`), row);
    return card;
  });
  const reviews = store.state.reviews.map(edit => make("p", `${edit.number}. ${edit.by}, ${edit.at}: ${edit.what} (${edit.reason})`));
  panel("edits").replaceChildren(make("p", cards.length ? "As they stand in the track file, the last one first." : "There are no edits yet."), ...cards, ...reviews);
}

function renderForm() {
  const name = make("input", null, {id: "output", value: store.clip.output, autocomplete: "off", maxLength: 200});
  const label = make("label", "File beside the source ", {className: "inline"});
  label.append(name);
  const row = make("div", null, {className: "row"});
  row.append(
    make("button", "Render", {type: "button", className: "main", id: "render-start", onclick: () => render(name.value.trim())}),
    make("button", "Stop", {type: "button", id: "render-stop", onclick: stop}),
  );
  const bar = make("progress", null, {id: "render-bar", max: 1, value: 0});
  bar.setAttribute("aria-label", "Progress of rendering");
  panel("render").replaceChildren(
    make("p", `As \`vsanon render\` does, with the preset ${store.clip.preset}: the file appears when it is whole and every check has passed.`),
    label, row, bar, make("p", "", {id: "render-told"}),
  );
}

function fillRender() {
  if (!panel("render-start")) renderForm();
  const {job} = store;
  const running = Boolean(job?.running);
  panel("render-start").disabled = running;
  panel("render-stop").disabled = !running;
  if (job?.name !== "render") return;
  const bar = panel("render-bar");
  bar.max = job.total || 1;
  bar.value = running ? job.done : job.result ? bar.max : 0;
  const told = running ? (job.total && job.done === job.total ? "all frames are painted; the file is being checked" : `${job.done} of ${job.total || store.clip.frames} frames`)
    : job.result ? `${job.result.name}: ${job.result.frames} frames, ${job.result.passed} of ${job.result.checks} checks passed; the view Result plays it` : job.error;
  panel("render-told").textContent = told;
}

function fillSelection() {
  const found = store.selected === null ? null : lane(store.selected);
  document.getElementById("selected").textContent = found
    ? `${nameOf(found.track)}: frames ${found.spans[0][0]} to ${found.spans.at(-1)[1] - 1}, best score ${found.score}`
    : "No track is selected";
  for (const button of document.querySelectorAll("#selection [data-do]")) button.disabled = !found;
}

on("state", () => {
  const top = TABS.map(name => panel(name).scrollTop);
  const active = document.activeElement?.closest("[role=tabpanel]")?.id;
  fillDoubts();
  fillPeople();
  fillEdits();
  TABS.forEach((name, k) => { panel(name).scrollTop = top[k]; });
  if (active && document.activeElement === document.body) panel(active).focus({preventScroll: true});
});
on("state selection", fillSelection);
on("state job", () => store.state && fillRender());
on("frame selection", () => store.state && markDoubt());
on("job", () => secondCard && fillSecond());

