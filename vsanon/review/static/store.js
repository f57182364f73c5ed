// What the page knows, and who wants to hear of a change: "state", "frame", "selection", "view", "marks", "job".

export const store = {
  clip: null, // what does not change
  state: null, // what edits change
  frame: 0,
  hand: null, // the frame under a hand that moves over the timeline
  keys: null, // frames that come soon, while others may take longer; null where all do
  passing: 0, // their pictures' width under a moving hand
  selected: null, // a track's number
  view: "covered",
  tool: "select",
  marks: {start: null, stop: null}, // stop is exclusive
  job: null,
  second: null, // the job of a second opinion
  boxMode: false, // the arrows move the selected box
};

const heard = new Map();

export function on(names, listen) {
  for (const name of names.split(" ")) heard.set(name, [...(heard.get(name) ?? []), listen]);
}

export function tell(...names) {
  for (const name of names) for (const listen of heard.get(name) ?? []) listen();
}

export const lane = track => store.state.lanes.find(found => found.track === track);

export const shot = n => {
  const cuts = [0, ...store.clip.cuts, store.clip.frames];
  const k = cuts.findLastIndex(cut => cut <= n);
  return {start: cuts[k], stop: cuts[k + 1] ?? store.clip.frames};
};

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export function range(fallback) {
  const {start, stop} = store.marks;
  if (start === null && stop === null) return fallback;
  return {start: start ?? 0, stop: stop ?? store.clip.frames};
}

export function select(track) {
  store.selected = track;
  store.boxMode = false;
  tell("selection");
}
