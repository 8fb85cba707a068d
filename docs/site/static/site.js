// Copies a block of code; shows what was found around a search word also when the site is opened as files.
document.addEventListener("DOMContentLoaded", () => {
  const korean = document.documentElement.lang === "ko";
  document.querySelectorAll("div.highlight").forEach((block) => {
    const button = document.createElement("button");
    button.className = "copy";
    button.type = "button";
    button.textContent = korean ? "복사" : "copy";
    button.addEventListener("click", async () => {
      // Of an example with its output (>>> ...) only what is typed.
      const lines = block.querySelector("pre").innerText.split("\n");
      const typed = lines.filter((line) => /^(>>>|\.\.\.) ?/.test(line));
      const text = (typed.length ? typed.map((line) => line.replace(/^(>>>|\.\.\.) ?/, "")) : lines).join("\n");
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const area = document.body.appendChild(document.createElement("textarea"));
        area.value = text;
        area.select();
        document.execCommand("copy");
        area.remove();
      }
      button.textContent = korean ? "복사됨" : "copied";
      setTimeout(() => (button.textContent = korean ? "복사" : "copy"), 1200);
    });
    block.appendChild(button);
  });
});

if (location.protocol === "file:") {
  const fetched = window.fetch;
  window.fetch = (address, ...options) => {
    const text = (window.SITE_TEXTS || {})[String(address).replace(/^\.\//, "").replace(/#.*/, "")];
    return text === undefined ? fetched(address, ...options) : Promise.resolve(new Response(text));
  };
  document.addEventListener("DOMContentLoaded", () => {
    if (typeof Search !== "undefined") Search.htmlToText = (text) => text;
  });
}
