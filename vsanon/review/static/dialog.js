// One dialog: a question with answers to choose from, or something to read.

const dialog = document.getElementById("dialog");
const title = document.getElementById("dialog-title");
const body = document.getElementById("dialog-body");
const row = document.getElementById("dialog-row");

export const make = (tag, text, more = {}) => {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = text;
  const {data, aria, ...rest} = more;
  Object.assign(made, rest);
  for (const [name, value] of Object.entries(data ?? {})) made.dataset[name] = value;
  for (const [name, value] of Object.entries(aria ?? {})) made.setAttribute(`aria-${name}`, value);
  return made;
};

function open(heading) {
  title.textContent = heading;
  body.replaceChildren();
  row.replaceChildren();
}

// The answer, chosen or typed; null where the person thinks better of it.
export function ask(question, answers, {only = false} = {}) {
  open(question);
  return new Promise(done => {
    let given = null;
    const choose = answer => {
      given = answer;
      dialog.close();
    };
    for (const answer of answers)
      body.append(make("button", answer, {type: "button", className: "answer", onclick: () => choose(answer)}), " ");
    if (!answers.length) body.append(make("p", "There is none to choose."));
    if (!only) {
      const input = make("input", null, {maxLength: 100, autocomplete: "off", placeholder: "or in your own words"});
      input.setAttribute("aria-label", "or in your own words");
      input.addEventListener("keydown", event => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        if (input.value.trim()) choose(input.value.trim());
      });
      const label = make("p");
      label.append(input);
      body.append(label);
    }
    row.append(make("button", "Cancel", {type: "button", onclick: () => dialog.close()}));
    dialog.addEventListener("close", () => done(given), {once: true});
    dialog.showModal();
  });
}

export function show(heading, content) {
  open(heading);
  body.append(content);
  row.append(make("button", "Close", {className: "main"}));
  dialog.showModal();
}

export const isOpen = () => dialog.open;
