/** A time as people read it, to the minute; null is `never`. */
export function formatTime(value: Date | null): string {
  return value === null ? 'never' : `${value.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** Columns as wide as their widest cell. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return `${rows.map(line).join('\n')}\n`
}
