"use strict";
(function () {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const details = read("details");
  const text = (places) => places.map((n) => details.lines[n]).join("\n");

  function element(name, className, content) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (content !== undefined) made.textContent = content;
    return made;
  }

  // ---- figures ----
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const printing = window.matchMedia("print");

  function themed(layout) {
    const night = dark.matches && !printing.matches;
    const ink = night ? "#d5dade" : "#2a3138";
    const line = night ? "#353c44" : "#e2e6ea";
    const full = Object.assign({ height: 400 }, layout, {
      font: { family: "system-ui, sans-serif", size: 12, color: ink },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      margin: Object.assign({ l: 64, r: 24, t: 32, b: 52 }, layout.margin),
      hoverlabel: { align: "left" },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: night ? "#7d8791" : "#9aa3ab", activecolor: ink },
    });
    for (const key of Object.keys(full)) {
      if (/^[xy]axis\d*$/.test(key)) {
        full[key] = Object.assign({ gridcolor: line, zerolinecolor: line, linecolor: line }, full[key]);
      }
    }
    return full;
  }

  const plates = read("plates");
  const boxes = Array.from(document.querySelectorAll(".plot"));
  function draw() {
    return Promise.all(boxes.map((box) => {
      const plate = plates[Number(box.dataset.plate)];
      const layout = themed(JSON.parse(JSON.stringify(plate.layout)));
      return Plotly.react(box, plate.data, layout, {
        responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d", "sendChartToCloud", "sendDataToCloud"],
      });
    }));
  }
  if (boxes.length) {
    draw().then(() => { document.body.dataset.drawn = String(boxes.length); });
    dark.addEventListener("change", draw);
    window.addEventListener("beforeprint", draw);
    window.addEventListener("afterprint", draw);
  } else {
    document.body.dataset.drawn = "0";
  }

  // ---- the results table ----
  const table = document.getElementById("jobs");
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  const rows = Array.from(body.rows);
  const shown = document.getElementById("shown");
  const filter = document.getElementById("filter");
  const full = (cell) => cell.title || cell.textContent;
  // the whole value of a cell stands in its title where its text is rounded
  const values = rows.map((row) => Array.from(row.cells, full));
  const numeric = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const asNumber = (value) => (numeric.test(value) ? Number(value) : value === "inf" ? Infinity : value === "-inf" ? -Infinity : null);

  function rank(value) {
    const size = asNumber(value);
    if (size !== null) return [0, size];
    return value === "" || value === "nan" ? [2, 0] : [1, value];
  }

  function closeDetails() {
    body.querySelectorAll("tr.job-detail").forEach((row) => row.remove());
  }

  function sortBy(column) {
    const descending = heads[column].getAttribute("aria-sort") === "ascending";
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", descending ? "descending" : "ascending");
    const ranks = values.map((cells) => rank(cells[column]));
    const order = rows.map((_, n) => n);
    const sign = descending ? -1 : 1;
    order.sort((a, b) => {
      const [kindA, valueA] = ranks[a], [kindB, valueB] = ranks[b];
      if (kindA !== kindB) return kindA - kindB; // empty cells stay last both ways
      return valueA < valueB ? -sign : valueA > valueB ? sign : a - b;
    });
    closeDetails();
    const sorted = document.createDocumentFragment();
    order.forEach((n) => sorted.appendChild(rows[n]));
    body.appendChild(sorted);
  }
  heads.forEach((head, n) => head.querySelector("button").addEventListener("click", () => sortBy(n)));

  const names = heads.map((head) => [head.dataset.name.toLowerCase(), head.textContent.trim().toLowerCase()]);
  const condition = /^(.+?)\s*(<=|>=|!=|==|=|<|>)\s*(.+)$/;
  const tests = {
    "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b,
    "=": (a, b) => a === b, "==": (a, b) => a === b, "!=": (a, b) => a !== b,
  };

  // a condition on a column, or words that all must occur; several parts are separated by commas
  function predicate(part) {
    const found = condition.exec(part);
    if (found) {
      const name = found[1].trim().toLowerCase();
      let column = names.findIndex((known) => known[0] === name);
      if (column < 0) column = names.findIndex((known) => known[1] === name);
      if (column < 0) throw new Error("no column " + found[1].trim());
      const wanted = found[3].trim(), size = asNumber(wanted);
      return (cells) => {
        const own = asNumber(cells[column]);
        if (size !== null && own !== null) return tests[found[2]](own, size);
        return /[<>]/.test(found[2]) ? false : tests[found[2]](cells[column].toLowerCase(), wanted.toLowerCase());
      };
    }
    const words = part.toLowerCase().split(/\s+/);
    return (cells) => { const all = cells.join("\n").toLowerCase(); return words.every((word) => all.includes(word)); };
  }

  function applyFilter() {
    closeDetails();
    shown.className = "";
    let keep;
    try {
      keep = filter.value.split(",").map((part) => part.trim()).filter(Boolean).map(predicate);
    } catch (error) {
      shown.className = "bad";
      shown.textContent = error.message;
      return;
    }
    let count = 0;
    rows.forEach((row, n) => {
      row.hidden = !keep.every((test) => test(values[n]));
      count += row.hidden ? 0 : 1;
    });
    shown.textContent = keep.length ? count + " of " + rows.length + " rows" : rows.length + " rows";
  }
  filter.addEventListener("input", applyFilter);
  applyFilter();

  // ---- a job's config and log ----
  function part(title, content, open) {
    if (!content) return null;
    const box = element("details");
    box.open = open;
    box.append(element("summary", "", title), element("pre", "", content));
    return box;
  }

  function detailRow(job) {
    const row = element("tr", "job-detail");
    const cell = element("td");
    cell.colSpan = heads.length;
    const inner = element("div", "inner");
    const known = details.jobs[job];
    if (!known) {
      inner.append(element("p", "hint", "The page holds no details of this job; see its directory."));
    } else {
      inner.append(element("p", "hint", "Job " + job + ", in " + known.dir + (known.overrides.length ? ": " + known.overrides.join(" ") : "")));
      const log = known.cut ? "Log, its end (" + known.cut.toLocaleString("en") + " bytes before it are left out)" : "Log";
      const parts = [part("Error", text(known.error), true), part("Config", text(known.config), true), part(log, text(known.log), true)];
      parts.forEach((made) => { if (made) inner.append(made); });
      if (!parts.some(Boolean)) inner.append(element("p", "hint", "It left no config and no log."));
    }
    cell.append(inner);
    row.append(cell);
    return row;
  }

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (!row || row.classList.contains("job-detail") || window.getSelection().toString()) return;
    const next = row.nextElementSibling;
    if (next && next.classList.contains("job-detail")) next.remove();
    else row.after(detailRow(row.dataset.job));
  });
  rows.forEach((row) => { row.tabIndex = 0; });
  body.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && event.target.tagName === "TR") { event.preventDefault(); event.target.click(); }
  });

  // ---- what is filled when it is unfolded ----
  document.querySelectorAll("details.cause").forEach((box) => box.addEventListener("toggle", () => {
    box.querySelectorAll("pre.later").forEach((pre) => {
      const known = details.jobs[pre.dataset.job];
      const content = known ? text(known[pre.dataset.part]) : "";
      if (content) pre.textContent = content; else pre.remove();
      pre.classList.remove("later");
    });
  }));
})();
