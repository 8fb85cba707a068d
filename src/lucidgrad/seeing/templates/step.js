"use strict";
// Steps through the frames of one training step. All text goes in as text: nothing that came from outside is ever HTML.
(() => {
  const step = JSON.parse(document.getElementById("step").textContent);
  const {frames, arrays, vertices, edges, codes, phrases, languages} = step;
  const at = (id) => document.getElementById(id);
  const phases = ["data", "forward", "backward", "update", "result"].filter((p) => frames.some((f) => f.phase === p));
  const PLAY_MILLISECONDS = 1800;
  let language = step.language, current = 0, zoom = 1, playing = null, showsCode = false;

  const say = (name) => phrases[name][language];
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  function make(tag, options = {}, ...children) {
    const {text, ...attributes} = options;
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  // --- numbers ------------------------------------------------------------------------------------------------------

  // Blue below zero, white at it, orange above: told apart by everyone who can see light from dark, with the sign beside it.
  function colour(heat) {
    const share = Math.min(1, Math.abs(heat) / 100);
    const [r, g, b] = heat < 0 ? [86, 150, 214] : [238, 154, 73];
    const mix = (c) => Math.round(255 + (c - 255) * share * 0.85);
    return `rgb(${mix(r)}, ${mix(g)}, ${mix(b)})`;
  }

  function cells(shown, mark) {
    const body = make("tbody");
    if (shown.columns.length > 1 && shown.rows.length + shown.columns.length > 3) {
      const head = make("tr", {}, make("th"));
      for (const j of shown.columns) head.append(make("th", {scope: "col", text: j === null ? "" : j}));
      body.append(head);
    }
    shown.rows.forEach((i, a) => {
      const row = make("tr");
      if (body.firstChild) row.append(make("th", {scope: "row", text: shown.axes < 2 || i === null ? "" : i}));
      shown.columns.forEach((j, b) => {
        const text = shown.cells[a][b], heat = shown.heat[a][b];
        const cell = make("td", {text: text === null ? (i === null ? "⋮" : "⋯") : text, title: shown.exact[a][b]});
        if (text === null) cell.className = "gap";
        else if (heat === null) cell.className = "odd";
        else cell.style.background = colour(heat);
        if (mark && text !== null && mark[0] === i && mark[1] === j) cell.classList.add("mark");
        row.append(cell);
      });
      body.append(row);
    });
    return make("table", {}, body);
  }

  function picture(shown) {
    const scale = 6, rows = shown.picture.length, columns = rows ? shown.picture[0].length : 0;
    const canvas = make("canvas", {role: "img", "aria-label": say("whole"), title: `${say("whole")}; ${say("heat")}`});
    canvas.width = columns * scale;
    canvas.height = rows * scale;
    const pen = canvas.getContext("2d");
    shown.picture.forEach((line, i) => line.forEach((heat, j) => {
      pen.fillStyle = heat === null ? "#a855c8" : colour(heat);
      pen.fillRect(j * scale, i * scale, scale, scale);
    }));
    return canvas;
  }

  function figure(table) {
    const shown = arrays[table.array];
    const caption = make("figcaption", {}, make("b", {text: table.name}), make("span", {class: "role", text: table.role[language]}),
      make("span", {class: "shape", text: `${shown.shape}  ${shown.dtype}`}));
    const made = make("figure", {class: "array"}, caption, cells(shown, table.mark));
    if (shown.summary) {
      const list = make("dl");
      for (const [name, value] of Object.entries(shown.summary))
        list.append(make("div", {}, make("dt", {text: say(name)}), make("dd", {text: value})));
      made.append(picture(shown), list);
    }
    return made;
  }

  function lines(texts, caption, kind) {
    if (!texts.length) return [];
    return [make("p", {class: "caption", text: say(caption)}), make("div", {class: `lines ${kind}`}, ...texts.map((text) => make("div", {text})))];
  }

  function summary(rows) {
    const [head, ...rest] = rows;
    const first = make("tr", {}, ...head.map((text) => make("th", {scope: "col", text: text[language]})));
    const others = rest.map((row) => make("tr", {}, ...row.map((text) => make("td", {text: text[language]}))));
    return make("table", {class: "summary"}, make("thead", {}, first), make("tbody", {}, ...others));
  }

  const figures = (frame) => [...frame.tables.map(figure), ...(frame.summary.length ? [summary(frame.summary)] : [])];

  // --- the frame ----------------------------------------------------------------------------------------------------

  function show(index, {announce = true} = {}) {
    current = Math.max(0, Math.min(frames.length - 1, index));
    const frame = frames[current];
    document.body.dataset.phase = frame.phase;
    at("phase").replaceChildren(say(frame.phase), make("span", {class: "layer", text: frame.layer ? `  ${frame.layer}` : ""}));
    at("name").textContent = frame.title[language];
    at("text").textContent = frame.text[language];
    at("formulas").replaceChildren(...lines(frame.formulas, "formula", "formula"));
    at("example").replaceChildren(...lines(frame.example, "example", "example"));
    at("tables").replaceChildren(...figures(frame));
    at("frame").scrollTop = 0;
    at("position").textContent = fill(say("position"), {at: current + 1, count: frames.length});
    at("slider").value = current;
    at("slider").setAttribute("aria-valuetext", `${say(frame.phase)}: ${frame.title[language]}`);
    for (const id of ["first", "previous"]) at(id).disabled = current === 0;
    for (const id of ["next", "last"]) at(id).disabled = current === frames.length - 1;
    for (const button of document.querySelectorAll("#phases button"))
      if (button.dataset.phase === frame.phase) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    if (announce) at("said").textContent = [say(frame.phase), frame.title[language], frame.text[language], ...frame.formulas].join(". ");
    if (current === frames.length - 1) stop();
    showGraph(frame);
    showCode(frame);
  }

  const graph = () => document.querySelector(`#graph .picture[data-language="${language}"]`);

  function showGraph(frame) {
    const shown = graph();
    const onVertices = new Set(frame.vertices.map((v) => step.drawn_vertices[v]));
    const onEdges = new Set(frame.edges.map((e) => step.drawn_edges[e]));
    for (const box of shown.querySelectorAll("[data-vertex]")) {
      const known = vertices[box.dataset.vertex];
      box.classList.toggle("valued", known.value !== null && known.value <= current);
      box.classList.toggle("graded", known.gradient !== null && known.gradient <= current);
      box.classList.toggle("now", onVertices.has(Number(box.dataset.vertex)));
    }
    for (const line of shown.querySelectorAll("[data-edge]")) {
      const known = edges[line.dataset.edge], back = line.classList.contains("backward") || line.tagName === "g";
      line.classList.toggle("passed", known.value !== null && known.value <= current);
      line.classList.toggle("returned", known.gradient !== null && known.gradient <= current);
      line.classList.toggle("now", onEdges.has(Number(line.dataset.edge)) && back === (frame.phase === "backward"));
    }
    const boxes = [...shown.querySelectorAll("[data-vertex].now")];
    if (boxes.length) bringIntoView(frame.phase === "data" ? boxes.slice(0, 1) : boxes);
  }

  // All boxes where they fit into the pane together, else the first.
  function bringIntoView(boxes) {
    const pane = at("graph"), outer = pane.getBoundingClientRect(), gap = 24;
    const around = boxes.map((box) => box.getBoundingClientRect());
    const [left, top] = ["left", "top"].map((side) => Math.min(...around.map((r) => r[side])));
    const [right, bottom] = ["right", "bottom"].map((side) => Math.max(...around.map((r) => r[side])));
    if (boxes.length > 1 && (bottom - top > outer.height || right - left > outer.width)) return bringIntoView(boxes.slice(0, 1));
    if (top < outer.top + gap || bottom > outer.bottom - gap) pane.scrollTop += (top + bottom - outer.top - outer.bottom) / 2;
    if (left < outer.left + gap || right > outer.right - gap) pane.scrollLeft += (left + right - outer.left - outer.right) / 2;
  }

  function setZoom(value) {
    zoom = Math.max(0.2, Math.min(3, value));
    for (const svg of document.querySelectorAll("#graph svg")) {
      const box = svg.viewBox.baseVal;
      svg.setAttribute("width", box.width * zoom);
      svg.setAttribute("height", box.height * zoom);
    }
    showGraph(frames[current]);
  }

  function fit() {
    const box = graph().querySelector("svg").viewBox.baseVal, pane = at("graph");
    setZoom(Math.min((pane.clientWidth - 8) / box.width, (pane.clientHeight - 60) / box.height, 1));
  }

  // --- the native kernel --------------------------------------------------------------------------------------------

  function showCode(frame) {
    document.querySelector("main").classList.toggle("with-code", showsCode);
    at("code").hidden = !showsCode;
    at("code-button").setAttribute("aria-expanded", showsCode);
    if (!showsCode) return;
    const code = frame.kernel === null ? null : codes[frame.kernel];
    const reason = step.no_program === null ? say("no_code") : fill(say("no_program"), {reason: step.no_program});
    at("code-words").textContent = code ? `${code.name}: ${code.words}. ${say("code_text")}` : reason;
    at("code-text").hidden = !code;
    at("code-text").textContent = code ? code.text : "";
    at("code-rest").textContent = code && code.left_out ? fill(say("left_out"), {count: code.left_out}) : "";
  }

  function toggleCode() {
    showsCode = !showsCode;
    show(current, {announce: false});
  }

  // --- moving -------------------------------------------------------------------------------------------------------

  const group = (frame) => `${frame.phase} ${frame.layer}`;

  function toNextLayer() {
    let i = current;
    while (i < frames.length - 1 && group(frames[i]) === group(frames[current])) i++;
    show(i);
  }

  function toPreviousLayer() {
    const first = (i) => {
      while (i > 0 && group(frames[i - 1]) === group(frames[i])) i--;
      return i;
    };
    const here = first(current);
    show(here < current ? here : first(Math.max(0, current - 1)));
  }

  function toPhase(name) {
    const first = frames.findIndex((f) => f.phase === name);
    if (first >= 0) show(first);
  }

  function stop() {
    clearInterval(playing);
    playing = null;
    showPlay();
  }

  function togglePlay() {
    if (playing !== null) {
      stop();
      return;
    }
    if (current === frames.length - 1) show(0);
    playing = setInterval(() => show(current + 1), PLAY_MILLISECONDS);
    showPlay();
  }

  function showPlay() {
    at("play-sign").textContent = playing === null ? "▶" : "❚❚";
    at("play-word").textContent = say(playing === null ? "play" : "pause");
    at("play").setAttribute("aria-pressed", playing !== null);
  }

  function setLanguage(chosen) {
    language = chosen;
    document.documentElement.lang = language;
    document.title = `${say("title")}: ${step.where[language]}`;
    at("where").textContent = `${step.where[language]} · ${step.settings} · ${step.ran[language]}`;
    for (const place of document.querySelectorAll("[data-phrase]")) place.textContent = say(place.dataset.phrase);
    for (const place of document.querySelectorAll("[data-label]")) {
      place.setAttribute("aria-label", say(place.dataset.label));
      if (place.tagName === "BUTTON") place.title = say(place.dataset.label);
    }
    at("slider").setAttribute("aria-label", say("title"));
    at("language-button").lang = languages[(languages.indexOf(language) + 1) % languages.length];
    for (const shown of document.querySelectorAll("#graph .picture")) shown.hidden = shown.dataset.language !== language;
    at("phases").replaceChildren(...phases.map((name) => {
      const button = make("button", {type: "button", "data-phase": name, text: say(name)});
      button.addEventListener("click", () => toPhase(name));
      const share = frames.filter((f) => f.phase === name).length;
      const item = make("li", {}, button);
      item.style.flex = `${share} 1 0`;
      item.style.setProperty("--own", `var(--${name})`);
      return item;
    }));
    showPlay();
    show(current, {announce: false});
  }

  const nextLanguage = () => setLanguage(languages[(languages.indexOf(language) + 1) % languages.length]);
  const help = () => (at("help").open ? at("help").close() : at("help").showModal());

  const keys = {
    ArrowRight: () => show(current + 1), ArrowLeft: () => show(current - 1),
    ArrowDown: toNextLayer, ArrowUp: toPreviousLayer,
    Home: () => show(0), End: () => show(frames.length - 1), " ": togglePlay,
    k: toggleCode, l: nextLanguage, "?": help,
    "+": () => setZoom(zoom * 1.2), "=": () => setZoom(zoom * 1.2), "-": () => setZoom(zoom / 1.2), 0: () => setZoom(1),
    1: () => toPhase("data"), 2: () => toPhase("forward"), 3: () => toPhase("backward"),
    4: () => toPhase("update"), 5: () => toPhase("result"),
  };
  const named = {KeyK: "k", KeyL: "l"}; // by the place of the key, as a Korean keyboard types other letters there

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (at("help").open && event.key !== "?") return;
    if (event.key === " " && event.target.tagName === "BUTTON") return; // a button is pressed by it
    const act = keys[named[event.code] ?? event.key];
    if (!act) return;
    event.preventDefault();
    if (event.key !== " ") stop();
    act();
  });
  const clicks = {
    first: keys.Home, previous: keys.ArrowLeft, play: togglePlay, next: keys.ArrowRight, last: keys.End,
    "code-button": toggleCode, "language-button": nextLanguage, "help-button": help,
    "zoom-in": keys["+"], "zoom-out": keys["-"], "zoom-fit": fit,
  };
  for (const [id, act] of Object.entries(clicks)) at(id).addEventListener("click", act);
  at("slider").addEventListener("input", () => show(Number(at("slider").value)));

  // --- paper: the graph, and every frame one after the other --------------------------------------------------------

  window.addEventListener("beforeprint", () => {
    const drawn = graph().cloneNode(true);
    drawn.querySelectorAll(".now").forEach((n) => n.classList.remove("now"));
    const sections = frames.map((frame) => {
      const made = make("section", {}, make("p", {class: "caption", text: [say(frame.phase), frame.layer].filter(Boolean).join(" · ")}),
        make("h2", {text: frame.title[language]}), make("p", {text: frame.text[language]}),
        ...lines(frame.formulas, "formula", "formula"), ...lines(frame.example, "example", "example"));
      const tables = make("div", {class: "tables"}, ...figures(frame));
      made.append(tables);
      made.style.setProperty("--own", `var(--${frame.phase})`);
      return made;
    });
    at("paper").replaceChildren(drawn, ...sections);
  });
  window.addEventListener("afterprint", () => at("paper").replaceChildren());

  at("slider").max = frames.length - 1;
  setLanguage(language);
})();
