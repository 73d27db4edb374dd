/** How often a statement is sent before it is worth a name. */
const worthwhile = 30
/** Each named statement takes some 30 KB of the server's memory on each connection, for as long as the connection stands. */
const maxNamed = 200
/** Statements of which it is not yet known whether they come again; callers can make up any number. */
const maxCounted = 1000

/**
 * Put in a statement that PostgreSQL shall plan anew each time: how many rows it finds is up to the values, and a plan that is good for
 * few is bad for many.
 */
export const plannedEachTime = '/* planned each time */'

/** The names of statements, on all connections of a pool. */
export type StatementNames = Readonly<{
  nameOf: (statement: { sql: string }) => string
  /** Gives other names from now on, so that what was prepared is prepared again. */
  renew: () => void
}>

/**
 * Gives a name to statements that are sent often. PostgreSQL parses a named statement once for each connection, and plans it once where
 * the plan does not depend on the values. An empty name is none.
 */
export function createStatementNames(): StatementNames {
  const names = new Map<string, string>()
  const counts = new Map<string, number>()
  let generation = 1
  const nameOf: StatementNames['nameOf'] = ({ sql }) => {
    const name = names.get(sql)
    if (name !== undefined) return name
    if (names.size >= maxNamed || !mayBeNamed(sql)) return ''
    const count = (counts.get(sql) ?? 0) + 1
    counts.delete(sql)
    if (count < worthwhile) {
      counts.set(sql, count)
      const [oldest] = counts.keys()
      if (counts.size > maxCounted && oldest !== undefined) counts.delete(oldest)
    } else names.set(sql, `roster_${generation}_${names.size + 1}`)
    return names.get(sql) ?? ''
  }
  const renew = (): void => {
    generation++
    names.clear()
  }
  return { nameOf, renew }
}

/** BEGIN and its like need no plan. */
function mayBeNamed(sql: string): boolean {
  return sql.includes(' ') && !sql.includes(plannedEachTime)
}
