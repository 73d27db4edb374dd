import { setImmediate as nextTurn } from 'node:timers/promises'

type Keyed = Readonly<{ id: string }>

/**
 * Looks rows up by what no two of them share, their `id`. Those who ask in the same turn of the event loop are answered by one statement, which begins when all
 * of them have asked, so that none is answered by what was true before.
 */
export function createSharedLookup<Row extends Keyed>(
  read: (ids: readonly string[]) => Promise<Row[]>,
): (id: string) => Promise<Row | null> {
  let asked = new Set<string>()
  let reading: Promise<ReadonlyMap<string, Row>> | null = null
  const readAll = async (): Promise<ReadonlyMap<string, Row>> => {
    await nextTurn()
    const ids = [...asked]
    asked = new Set()
    reading = null
    return new Map((await read(ids)).map((row) => [row.id, row]))
  }
  return async (id) => {
    asked.add(id)
    reading ??= readAll()
    return (await reading).get(id) ?? null
  }
}
