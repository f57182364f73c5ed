// Pictures and boxes of frames: fetched by number, kept while they are near, and never of another version.
import {get, picture} from "./api.js";
import {store} from "./store.js";

const MOST_BYTES = 192 * 2 ** 20; // of decoded pictures
const CHUNK = 100; // frames of boxes
const MOST_CHUNKS = 40;

const kept = new Map(); // by address; the oldest first
let bytes = 0;

export const width = shown => {
  const wanted = store.clip.widths.find(w => w >= shown);
  return wanted === undefined || wanted >= store.clip.size[0] ? 0 : wanted;
};

function address(n, view, shownWidth, exact) {
  return `/frame/${n}?view=${view}&width=${shownWidth}&exact=${exact ? 1 : 0}&version=${store.state.version}`;
}

export const at = (n, view, shownWidth, exact) => kept.get(address(n, view, shownWidth, exact))?.bitmap;

// `alone`: none of its neighbours is likely asked for next.
export async function load(n, view, shownWidth, exact, signal, alone = false) {
  const path = address(n, view, shownWidth, exact);
  const version = store.state.version;
  let found = kept.get(path);
  if (found) {
    kept.delete(path); // to the end of the order
    kept.set(path, found);
    return found.bitmap;
  }
  found = await picture(alone ? `${path}&alone=1` : path, signal);
  if (found.version !== version || version !== store.state.version) {
    found.bitmap.close();
    return null;
  }
  kept.set(path, found);
  bytes += found.bitmap.width * found.bitmap.height * 4;
  for (const [old, {bitmap}] of kept) {
    if (bytes <= MOST_BYTES || old === path) break;
    kept.delete(old);
    bytes -= bitmap.width * bitmap.height * 4;
    bitmap.close();
  }
  return found.bitmap;
}

export function forget(matches = () => true) {
  for (const [path, {bitmap}] of kept) {
    if (!matches(path)) continue;
    kept.delete(path);
    bytes -= bitmap.width * bitmap.height * 4;
    bitmap.close();
  }
}

let chunks = new Map();
let chunksOf = null;

// The boxes of a frame; null while they are on their way, `then` being called when they are there.
export function boxes(n, then) {
  if (chunksOf !== store.state.version) {
    chunks = new Map();
    chunksOf = store.state.version;
  }
  const k = Math.floor(n / CHUNK);
  const found = chunks.get(k);
  if (found?.boxes) return found.boxes[n - k * CHUNK] ?? [];
  if (found) {
    if (then) found.waiting.push(then);
    return null;
  }
  const entry = {boxes: null, waiting: then ? [then] : []};
  chunks.set(k, entry);
  if (chunks.size > MOST_CHUNKS) chunks.delete(chunks.keys().next().value);
  const version = store.state.version;
  get(`/api/boxes?start=${k * CHUNK}&stop=${(k + 1) * CHUNK}`).then(told => {
    if (told.version !== version) {
      chunks.delete(k);
      return;
    }
    entry.boxes = told.boxes;
    for (const listen of entry.waiting) listen();
  }, () => chunks.delete(k));
  return null;
}
