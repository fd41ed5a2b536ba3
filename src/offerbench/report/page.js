"use strict";
// Tables sort by a click on a header, or by its key: headers become buttons. Without this script
// the tables stand in the order that they were written in.
for (const table of document.querySelectorAll("table.sortable")) {
  const headers = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  headers.forEach((header, column) => {
    const isNumber = [...body.rows].some((row) => row.cells[column].dataset.number !== undefined);
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    header.classList.toggle("number", isNumber);
    button.addEventListener("click", () => {
      const first = isNumber ? "descending" : "ascending";
      const other = isNumber ? "ascending" : "descending";
      const order = header.getAttribute("aria-sort") === first ? other : first;
      headers.forEach((each) => each.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      body.append(...[...body.rows].sort((a, b) => compare(a.cells[column], b.cells[column], isNumber, sign)));
    });
  });
}
function compare(a, b, isNumber, sign) {
  if (!isNumber) return sign * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
  const [x, y] = [a, b].map((cell) => cell.dataset.number ?? "");
  if (x === "" || y === "") return (x === "") - (y === "");  // a missing value stands last either way
  return sign * (Number(x) - Number(y));
}
