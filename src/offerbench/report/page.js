"use strict";
// Tables sort by a click on a header, or by its key: headers become buttons. Without this script
// a table keeps the order that it was written in.
for (const table of document.querySelectorAll("table.sortable")) {
  const headers = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  headers.forEach((header, column) => {
    const isNumber = [...body.rows].some((row) => row.cells[column].classList.contains("number"));
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
      const apart = [...body.rows].filter((row) => row.querySelector("td.apart"));  // stays at the bottom
      const sorted = [...body.rows].sort((a, b) => compare(a.cells[column], b.cells[column], isNumber, sign));
      body.append(...sorted, ...apart);
    });
  });
}
function compare(a, b, isNumber, sign) {
  if (!isNumber) return sign * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
  const [x, y] = [a, b].map((cell) => parseFloat(cell.textContent.replaceAll(",", "")));
  if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);  // a missing value, a dash, is last either way
  return sign * (x - y);
}
