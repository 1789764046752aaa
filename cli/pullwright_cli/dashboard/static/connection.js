// Says when the dashboard does not answer any more: what is shown is then old.
const lost = (isLost) => { document.getElementById("lost").hidden = !isLost; };
document.addEventListener("htmx:sendError", () => lost(true));
document.addEventListener("htmx:timeout", () => lost(true));
document.addEventListener("htmx:responseError", () => lost(true));
document.addEventListener("htmx:afterOnLoad", () => lost(false));
