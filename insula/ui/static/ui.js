// Adds what only script can do; every page works without this file.
// Copy buttons come hidden and appear where the browser lets a page copy.
const said = document.createElement("p");
said.className = "vh";
said.setAttribute("role", "status");

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
  document.body.append(said);
}

// Ctrl K searches: in the page's own search where it has one, else where the rail's link leads.
const jump = document.querySelector("[data-jump]");
if (jump) {
  addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const search = document.querySelector("main input[type=search]");
    if (search) search.focus();
    else location.assign(jump.href);
  });
}

// What goes on by itself is looked at again, so long as somebody looks and does nothing else here.
const going = document.querySelector("[data-again]");
if (going) {
  going.textContent = "This page follows by itself.";
  setInterval(() => {
    const idle = !document.activeElement || document.activeElement === document.body;
    const open = document.querySelector("main details[open], [popover]:popover-open");
    if (idle && !open && !document.hidden && getSelection().isCollapsed) location.reload();
  }, going.dataset.again * 1000);
}

// A page inside the page shows what is typed, a moment later; what is secret of the form stays there.
for (const frame of document.querySelectorAll("iframe[data-form]")) {
  const form = document.getElementById(frame.dataset.form);
  let waiting;
  // a control of the form may stand outside of it
  addEventListener("input", (event) => {
    if (event.target.form !== form) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const typed = new URLSearchParams(new FormData(form));
      typed.delete("csrf_token");
      // a picked colour stands in its text too
      for (const name of [...typed.keys()]) if (name.includes(".")) typed.delete(name);
      frame.contentWindow.location.replace(`${frame.getAttribute("src")}?${typed}`);
    }, 300);
  });
}

// A colour is picked beside its text, and each follows the other.
for (const swatch of document.querySelectorAll("[data-text]")) {
  const text = document.getElementById(swatch.dataset.text);
  swatch.addEventListener("input", () => {
    text.value = swatch.value;
  });
  text.addEventListener("input", () => {
    swatch.value = /^#[0-9a-f]{6}$/i.test(text.value) ? text.value : swatch.defaultValue;
  });
}

// A button that uploads one image does not send the others that were chosen beside it.
addEventListener("submit", (event) => {
  const kind = event.submitter?.name === "kind" && event.submitter.value;
  if (!kind) return;
  for (const file of event.target.querySelectorAll("input[type=file]:enabled")) {
    if (file.name === `file.${kind}`) continue;
    file.disabled = true;
    setTimeout(() => { file.disabled = false; }); // what is sent has been gathered by then
  }
});

// After a sign-out applications clean up in frames; when all have, or after 3 s, the way goes on.
const onward = document.querySelector("[data-onward]");
if (onward) {
  // the page has loaded when its frames have
  const done = new Promise((resolve) => addEventListener("load", resolve, { once: true }));
  // its own refresh would wait for a frame that never comes
  const over = new Promise((resolve) => setTimeout(resolve, 3000));
  Promise.race([done, over]).then(() => location.replace(onward.href));
}

async function copy(button) {
  const use = button.querySelector("use");
  const icon = use.getAttribute("href");
  await navigator.clipboard.writeText(button.dataset.copy);
  said.textContent = "Copied";
  use.setAttribute("href", icon.replace(/#.*/, "#check"));
  setTimeout(() => {
    said.textContent = "";
    use.setAttribute("href", icon);
  }, 2000);
}
