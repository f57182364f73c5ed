// Keys: everything that the page does, without a mouse.
import {make, isOpen, show as showDialog} from "./dialog.js";

export const KEYS = [
  ["← →", "one frame back, on"], ["Shift ← →", "one second back, on"], ["↑ ↓", "to the cut before, after"],
  ["Home End", "to the first, last frame"], ["J K L", "play backward, stop, play; again for faster"], ["Space", "play or pause"],
  ["N, Shift N", "to the next doubtful moment, the one before"], ["T", "tick off the doubts of this frame and track"],
  ["I O X", "mark in, mark out, clear"], ["[ ]", "to the start, the end of the selected track"],
  [". ,", "select the next box of this frame, the one before"], ["Enter", "move the selected box by the arrows"],
  ["R E P", "draw a rectangle, ellipse, polygon; Enter draws without a mouse"], ["F", "follow the picture from the last key frame on"],
  ["C U", "cover, uncover the selected track in the range"], ["Delete", "it is a false detection"], ["Backspace", "remove the key frame here"],
  ["S M", "split here, merge with another"], ["1 2 3 4 5", "covered, boxes, side by side, wipe, what was rendered"], ["G", "reveal, which is recorded"],
  ["+ − 0 9", "zoom in, out, fit, pixel by pixel"], ["Ctrl Z, Ctrl Shift Z", "undo, do again"], ["Ctrl wheel", "zoom"],
  ["D", "to the lists"], ["Escape", "let go of what is begun or selected"], ["?", "this list"],
];

export function help() {
  const table = make("table");
  for (const [keys, does] of KEYS) {
    const row = make("tr");
    const cell = make("td");
    cell.append(make("kbd", keys));
    row.append(cell, make("td", does));
    table.append(row);
  }
  showDialog("Keys", table);
}

const TYPING = "input:not([type=checkbox], [type=range]), textarea, select";

// `table` maps a key, such as "Ctrl+z" or "Shift+ArrowLeft", to what it does.
export function listen(table) {
  addEventListener("keydown", event => {
    const {target} = event;
    if (isOpen() || event.isComposing || target.matches?.(TYPING)) return;
    const pressing = target.closest?.("button, summary, [type=checkbox], [type=range]");
    if (pressing && ["Enter", " ", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].includes(event.key) && target.id !== "stage")
      if (event.key === "Enter" || event.key === " " || target.matches("[type=range], [role=tab], [role=radio]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const name = `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${event.shiftKey && /^[a-z]$|^[A-Z]\w/.test(key) ? "Shift+" : ""}${key}`;
    const act = table[name];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
