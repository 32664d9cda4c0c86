// A stored line of the input -> the row as clients see it: CSV lines are stored as their cells; clients get them under their
// column names.
export function rowOf(line: string, columns: string[] | null): unknown {
  const row: unknown = JSON.parse(line);
  if (!Array.isArray(row) || !columns) return row;
  return Object.fromEntries(columns.map((column, index) => [column, (row as unknown[])[index] ?? '']));
}
