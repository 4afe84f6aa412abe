// What pages do with JavaScript that they can't do without: copying commands, setting colours at once, buttons by the space bar,
// leaving a question by Escape.

function select(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

// Where the browser gives no clipboard (plain http), the command is selected.
async function copy(button) {
  const command = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(command.textContent);
    button.textContent = "Copied";
  } catch {
    select(command);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

function showCopyButtons(within) {
  for (const button of within.querySelectorAll("button.copy")) button.hidden = false;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.copy");
  if (button) copy(button);
});

// What is called a button does what buttons do, though without JavaScript it is a link.
document.addEventListener("keydown", (event) => {
  const button = event.key === " " && event.target.closest("a[role=button]");
  if (!button) return;
  event.preventDefault();
  button.click();
});

// A question is a page of its own: Escape goes where Cancel does.
document.addEventListener("keydown", (event) => {
  const cancel = document.querySelector("dialog[open] .cancel");
  if (event.key === "Escape" && cancel) cancel.click();
});

const theme = document.getElementById("theme");
if (theme) {
  theme.form.querySelector("button").hidden = true;
  theme.addEventListener("change", () => theme.form.submit());
}

showCopyButtons(document);
document.addEventListener("htmx:after:swap", () => showCopyButtons(document));
