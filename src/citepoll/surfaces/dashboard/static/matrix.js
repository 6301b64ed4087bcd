// Arrow keys move through the fields of a table, Escape leaves the panel beside it. Everything works without this, by Tab.
(function () {
  "use strict";
  var table = document.querySelector("table[data-moves]");
  var panel = document.getElementById("panel");
  if (!table || !panel) return;
  var rows = Array.from(table.querySelectorAll("tr")).map(function (row) {
    return Array.from(row.querySelectorAll("td a"));
  }).filter(function (links) { return links.length; });
  var here = null;

  function stand(link) {
    if (here) here.tabIndex = -1;
    link.tabIndex = 0;
    here = link;
  }

  function placeOf(link) {
    var row = rows.findIndex(function (links) { return links.includes(link); });
    return [row, row < 0 ? -1 : rows[row].indexOf(link)];
  }

  function target(event, row, column) {
    var last = rows[row].length - 1;
    switch (event.key) {
      case "ArrowLeft": return [row, column - 1];
      case "ArrowRight": return [row, column + 1];
      case "ArrowUp": return [row - 1, column];
      case "ArrowDown": return [row + 1, column];
      case "Home": return [event.ctrlKey ? 0 : row, 0];
      case "End": return [event.ctrlKey ? rows.length - 1 : row, last];
      default: return null;
    }
  }

  rows.flat().forEach(function (link) { link.tabIndex = -1; });
  if (rows.length) stand(rows[0][0]);

  table.addEventListener("focusin", function (event) {
    if (event.target.matches("td a")) stand(event.target);
  });

  table.addEventListener("keydown", function (event) {
    var place = placeOf(event.target);
    var to = place[0] < 0 ? null : target(event, place[0], place[1]);
    if (!to) return;
    event.preventDefault();
    var link = (rows[to[0]] || [])[to[1]];
    if (link) link.focus();
  });

  function close() {
    panel.replaceChildren();
    if (here) here.focus();
  }

  panel.addEventListener("click", function (event) {
    if (event.target.closest("[data-close]")) close();
  });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && panel.hasChildNodes()) close();
  });

  document.body.addEventListener("htmx:afterSwap", function (event) {
    var head = event.detail.target === panel && panel.querySelector("h2");
    if (head) head.focus();
  });
})();
