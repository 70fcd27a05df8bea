// "/" puts the cursor into the filter, "j" and "k" go down and up the rows of a table.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  if (event.target.tagName === "INPUT" && event.target.type !== "checkbox") return;
  const filter = document.getElementById("filter");
  if (event.key === "/" && filter) {
    event.preventDefault();
    filter.focus();
  } else if (event.key === "j" || event.key === "k") {
    const rows = [...document.querySelectorAll("tbody tr")].filter((row) => row.querySelector("a"));
    const now = rows.findIndex((row) => row.contains(document.activeElement));
    const next = rows[event.key === "j" ? now + 1 : now - 1];
    if (next) next.querySelector("a").focus();
  }
});
