// Folds and unfolds the layers of a picture: rows get lower or higher, and what is below them moves.
function (name, plan) {
  const apart = 4; // of the two lines of an edge, from the middle between them
  const air = 16; // around a folded layer, for the arrows
  for (const root of document.getElementsByClassName(name)) {
    if (root.dataset.ready) continue;
    root.dataset.ready = "yes";
    const svg = root.querySelector("svg");
    const all = (selector) => [...svg.querySelectorAll(selector)];
    const [, , wide, high] = svg.getAttribute("viewBox").split(" ").map(Number);
    const turned = ([across, along]) => (plan.right ? [along, across] : [across, along]);
    const open = {};
    for (const k in plan.layers) open[k] = plan.unfolded;

    const heights = () => {
      const found = plan.fixed.slice();
      for (const [k, layer] of Object.entries(plan.layers))
        found[layer.row] = Math.max(found[layer.row], open[k] ? layer.high : layer.folded + air);
      return found;
    };
    const middles = (found) => {
      let top = 0;
      return found.map((h) => { const y = top + h / 2; top += h + plan.gap; return y; });
    };
    const full = plan.fixed.slice();
    for (const layer of Object.values(plan.layers)) full[layer.row] = Math.max(full[layer.row], layer.high);
    const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

    const folded = (k) => k >= 0 && !open[k];
    const clamp = (x, layer) => Math.min(Math.max(x, layer.x - layer.wide / 2 + 12), layer.x + layer.wide / 2 - 12);

    function route(line, y) {
      const [first, last] = [line[0][3], line[line.length - 1][3]];
      if (folded(first) && first === last) return null;
      const move = ([x, at, row]) => [x, row < 0 ? at + between(at, y) : at + y[row] - plan.rows[row]];
      const points = line.filter((p) => !folded(p[3])).map(move);
      if (folded(first)) {
        const layer = plan.layers[first];
        const port = line.filter((p) => p[3] === first).pop();
        points.unshift([clamp(port[0], layer), y[layer.row] + layer.folded / 2]);
      }
      if (folded(last)) {
        const layer = plan.layers[last];
        const port = line.find((p) => p[3] === last);
        points.push([clamp(port[0], layer), y[layer.row] - layer.folded / 2]);
      }
      return points;
    }
    function between(at, y) { // a point in a row of its own, where a long line passes
      let r = 0;
      while (r + 1 < plan.rows.length && plan.rows[r + 1] <= at) r += 1;
      return y[r] - plan.rows[r];
    }
    function curve(points, shift) {
      const at = (x, y) => turned([x + shift, y]).join(" ");
      let path = `M${at(...points[0])}`;
      for (let i = 1; i < points.length; i += 1) {
        const [[ax, ay], [bx, by]] = [points[i - 1], points[i]];
        const middle = (ay + by) / 2;
        path += `C${at(ax, middle)} ${at(bx, middle)} ${at(bx, by)}`;
      }
      return path;
    }

    function draw() {
      const found = heights();
      const y = middles(found);
      for (const g of all("[data-row]")) {
        const row = Number(g.dataset.row);
        g.setAttribute("transform", `translate(${turned([0, Number((y[row] - plan.rows[row]).toFixed(1))]).join(" ")})`);
        const hidden = g.dataset.whole === undefined ? g.dataset.in !== undefined && !open[g.dataset.in] : open[g.dataset.whole];
        g.style.display = hidden ? "none" : "";
      }
      const drawn = new Set(); // lines between the same boxes are one line
      for (const g of all("[data-line]")) {
        const line = plan.lines[g.dataset.line];
        const ends = [line[0], line[line.length - 1]].map((p) => (folded(p[3]) ? `in ${p[3]}` : `${p[0]} ${p[1]}`));
        const back = g.querySelector(".backward");
        const key = `${ends} ${back ? "back" : ""}`;
        const again = drawn.has(key) && (folded(line[0][3]) || folded(line[line.length - 1][3]));
        drawn.add(key);
        const points = again ? null : route(line, y);
        g.style.display = points ? "" : "none";
        if (!points) continue;
        g.querySelector(".forward").setAttribute("d", curve(points, back ? -apart : 0));
        if (back) back.setAttribute("d", curve(points, apart));
      }
      const now = Math.max(plan.extent + sum(found) - sum(full), plan.least).toFixed(0);
      const [width, height] = plan.right ? [now, high] : [wide, now];
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.setAttribute("width", width);
      svg.setAttribute("height", height);
    }
    function turn(k, focused) {
      open[k] = !open[k];
      draw();
      if (focused) svg.querySelector(open[k] ? `[data-turn="${k}"][data-in]` : `[data-whole="${k}"]`).focus();
    }
    for (const g of all("[data-turn]")) {
      g.addEventListener("click", () => turn(g.dataset.turn, false));
      g.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation(); // a notebook would run the cell
        turn(g.dataset.turn, true);
      });
    }
    for (const button of root.querySelectorAll("[data-all]"))
      button.addEventListener("click", () => {
        for (const k in open) open[k] = button.dataset.all === "unfolded";
        draw();
      });
    draw();
  }
}
