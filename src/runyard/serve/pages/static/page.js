// "/" puts the cursor into the filter.
document.addEventListener("keydown", (event) => {
  const filter = document.getElementById("filter");
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key === "/" && filter && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    filter.focus();
  }
});
