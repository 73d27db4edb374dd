/**
 * The rows of a table whose key is one of the list `$1`, as `name`, and each key as `asked.key`: for a statement that shall be planned once,
 * by the key's index. PostgreSQL would look at the list and plan for that one alone, each time anew, which takes three times as long as
 * the reading; into a subquery it does not look. Of a join it would expect ten rows and read a small table whole.
 */
export function rowsByKey(table: string, name: string, { column, type }: Readonly<{ column: string; type: 'uuid' | 'text' }>): string {
  return `unnest((select $1::${type}[])) as asked (key) cross join lateral (select * from ${table} where ${column} = asked.key limit 1) ${name}`
}
