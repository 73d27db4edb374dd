/** What a spreadsheet would take for a formula, or for the end of a cell (OWASP: CSV Injection); apostrophes before it hide it. */
const formula = /^'*[=+\-@\t\r]/

/** A text as a cell that no spreadsheet executes: with an apostrophe before it, which `cellText` takes away. */
export function safeCell(text: string): string {
  return formula.test(text) ? `'${text}` : text
}

/** The text of a cell: without the apostrophe of `safeCell`. What a cell holds is never anything but text. */
export function cellText(cell: string): string {
  return cell.startsWith("'") && formula.test(cell) ? cell.slice(1) : cell
}
