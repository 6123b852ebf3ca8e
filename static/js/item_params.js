/* Admin, item form: shows the parameters of the chosen automation only, and keeps fields and string in step. */
"use strict";

(() => {
  const handler = document.getElementById("id_handler");
  const string = document.getElementById("id_params");
  if (!handler || !string) return;
  const fields = () => [...document.querySelectorAll(`[data-handler="${handler.value}"]`)];
  const encode = (text) => encodeURIComponent(text).replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/\*/g, "*");

  const showHandler = () => {
    for (const set of document.querySelectorAll(".handler-params")) {
      set.hidden = !set.classList.contains(`handler-params-${handler.value}`);
    }
  };

  const fieldsToString = () => {
    string.value = fields()
      .filter((field) => field.value.trim())
      .map((field) => `${field.dataset.param}=${encode(field.value.trim())}`)
      .join("&");
  };

  let waiting;
  const stringToFields = () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const address = new URL("../../params/", window.location.href);
      if (window.location.pathname.endsWith("/add/")) address.href = new URL("../params/", window.location.href);
      address.search = new URLSearchParams({ handler: handler.value, params: string.value });
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const { texts = {}, errors = [] } = await answer.json();
      for (const field of fields()) field.value = texts[field.dataset.param] || "";
      string.setCustomValidity(errors.map((error) => `${error.key}: ${error.message}`).join("\n"));
      string.reportValidity();
    }, 400);
  };

  handler.addEventListener("change", () => {
    showHandler();
    fieldsToString();
  });
  string.addEventListener("input", stringToFields);
  document.addEventListener("input", (event) => {
    if (event.target.dataset.handler === handler.value) {
      string.setCustomValidity("");
      fieldsToString();
    }
  });
  showHandler();
})();
