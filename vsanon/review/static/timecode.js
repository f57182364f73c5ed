// Frames as people read them: SMPTE ST 12-1 timecode where the source has one, else minutes and seconds.
import {store} from "./store.js";

const two = value => String(value).padStart(2, "0");

export function timecode(n) {
  const {clock, fps} = store.clip;
  if (!clock) {
    const seconds = n / fps;
    return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(3).padStart(6, "0")}`;
  }
  const {base, drop, first} = clock;
  let count = first + n;
  if (drop) {
    const gap = base / 15;
    const ten = base * 600 - 9 * gap;
    const tens = Math.floor(count / ten);
    const rest = count % ten;
    count += tens * 9 * gap;
    if (rest >= base * 60) count += gap * (1 + Math.floor((rest - base * 60) / (base * 60 - gap)));
  }
  const frames = count % base;
  const seconds = Math.floor(count / base);
  const minutes = Math.floor(seconds / 60);
  return `${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}:${two(seconds % 60)}${drop ? ";" : ":"}${two(frames)}`;
}

// A frame's number or timecode as somebody typed it; null where it is neither, or not in the clip.
export function frameOf(text) {
  const typed = text.trim();
  if (/^\d{1,9}$/.test(typed)) return Number(typed) < store.clip.frames ? Number(typed) : null;
  const parts = /^(\d\d):(\d\d):(\d\d)[:;.](\d\d)$/.exec(typed);
  if (!parts || !store.clip.clock) return null;
  const {base, drop, first} = store.clip.clock;
  const [hours, minutes, seconds, frames] = parts.slice(1).map(Number);
  const minute = hours * 60 + minutes;
  const gap = drop ? base / 15 : 0;
  const n = (minute * 60 + seconds) * base + frames - gap * (minute - Math.floor(minute / 10)) - first;
  return n >= 0 && n < store.clip.frames && timecode(n).slice(0, 8) === typed.slice(0, 8) ? n : null;
}
