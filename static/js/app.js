// Progressive enhancement only: every page works without this file.
// Behaviour hangs on data- attributes; what needs JavaScript to be useful is hidden until it runs.
"use strict";

const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

// --- errors ----------------------------------------------------------------------------------

// The focus goes to the summary of errors, so that it is read first.
function focusErrors(root) {
  root.querySelector("[data-error-summary]")?.focus();
}

// --- menus -----------------------------------------------------------------------------------

const closeMenus = (except) => {
  for (const menu of all("details.menu[open]")) if (menu !== except) menu.open = false;
};

document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("focusin", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// --- numbers with − and + ----------------------------------------------------------------------

function enhanceStepper(stepper) {
  const input = stepper.querySelector("input");
  for (const button of all("[data-step]", stepper)) {
    button.hidden = false;
    button.addEventListener("click", () => {
      if (Number(button.dataset.step) > 0) input.stepUp();
      else input.stepDown();
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}

// --- files -------------------------------------------------------------------------------------

function enhanceFileDrop(zone) {
  const input = zone.querySelector("input[type=file]");
  const over = (on) => zone.classList.toggle("drop--over", on);
  all(".drop__hint", zone).forEach((hint) => (hint.hidden = false));
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  zone.addEventListener("dragleave", () => over(false));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// --- rows of a formset ---------------------------------------------------------------------------

function addRow(prefix) {
  const table = document.querySelector(`[data-rows="${prefix}"]`);
  const total = document.getElementById(`id_${prefix}-TOTAL_FORMS`);
  const body = table.tBodies[0];
  const holder = document.createElement("tbody");
  holder.innerHTML = table.nextElementSibling.innerHTML.replaceAll("__prefix__", total.value);
  const row = holder.firstElementChild;
  row.querySelector(".entry__number").textContent = String(body.rows.length + 1);
  body.append(row);
  total.value = String(Number(total.value) + 1);
  row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}

function enhanceAddRow(button) {
  button.hidden = false;
  button.addEventListener("click", () => addRow(button.dataset.addRow));
}

// --- choosing several rows -------------------------------------------------------------------------

// <input type="checkbox" data-check-all="seat"> checks every box named "seat";
// <span data-checked="seat"> shows how many are checked.
function showChecked(name) {
  const boxes = all(`input[type=checkbox][name="${name}"]`);
  const checked = boxes.filter((box) => box.checked).length;
  for (const place of all(`[data-checked="${name}"]`)) place.textContent = String(checked);
  for (const box of all(`[data-check-all="${name}"]`)) {
    box.checked = boxes.length > 0 && checked === boxes.length;
    box.indeterminate = checked > 0 && checked < boxes.length;
  }
}

function enhanceCheckAll(box) {
  const name = box.dataset.checkAll;
  box.hidden = false;
  box.addEventListener("change", () => {
    for (const other of all(`input[type=checkbox][name="${name}"]:not(:disabled)`)) other.checked = box.checked;
    showChecked(name);
  });
  showChecked(name);
}

document.addEventListener("change", (event) => {
  if (event.target.matches?.("input[type=checkbox][name]")) showChecked(event.target.name);
});

// --- copying ---------------------------------------------------------------------------------------

// <button data-copy="text" data-copied="Copied" hidden>Copy</button>
function enhanceCopy(button) {
  if (!navigator.clipboard) return;
  const words = button.textContent;
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.copied;
    setTimeout(() => (button.textContent = words), 3000);
  });
}

// --- start -------------------------------------------------------------------------------------------

function enhance(root) {
  all("[data-stepper]", root).forEach(enhanceStepper);
  all("[data-file-drop]", root).forEach(enhanceFileDrop);
  all("[data-add-row]", root).forEach(enhanceAddRow);
  all("[data-check-all]", root).forEach(enhanceCheckAll);
  all("[data-copy]", root).forEach(enhanceCopy);
  focusErrors(root);
}

enhance(document);
document.addEventListener("htmx:load", (event) => {
  if (event.target !== document.body) enhance(event.target);
});
