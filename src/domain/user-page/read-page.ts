import type { RunRead } from '../../database/database.ts'
import { plannedEachTime } from '../../database/statement-names.ts'
import { Prisma } from '../../generated/prisma/client.ts'
import { allOf, anyOf } from '../user-filter/condition.ts'
import type { OrderKey } from '../user-order.ts'
import type { KeyRange } from './key-range.ts'

/** A user's values of the keys of an order, the id last. */
export type KeyRow = Readonly<Record<`k${number}`, unknown>>

/** What is read of each user, whom the statement calls `t`: columns, and the tables that are joined for them. */
export type Selection = Readonly<{ columns: readonly string[]; joins: readonly string[] }>

/** Where rows are looked for: the order, its ranges, and what a row must meet. */
export type Place = Readonly<{ keys: readonly OrderKey[]; ranges: readonly KeyRange[]; meets: Prisma.Sql }>

/** From this many values on, the planner is not trusted to know how many rows a filter leaves. */
const manyValues = 8
/** How many rows of the order are looked through for one of the page; fewer if each is looked up in another table. */
const rowsPerRow = { alone: 100, withLookup: 10 }

/**
 * Reads the first rows of a place. The planner either follows the order's index until the page is full, or collects what the
 * filter's indexes find and sorts it, whichever it takes for less. It takes no condition for rarer than one row in ten
 * thousand, so that of a hundred of them it expects many rows, and would read the whole table in search of none. Such a
 * filter is asked in two steps: along the order, as far as it takes if rows are not rare; then by the filter's indexes.
 */
export async function readPage(read: RunRead, place: Place, limit: number, beside: Selection | null): Promise<KeyRow[]> {
  const selected = beside === null ? columns(place.keys) : Prisma.sql`${columns(place.keys)}, u.*`
  const rows = (page: Prisma.Sql) => {
    const { text, values } = beside === null ? page : withRecords(page, place, beside)
    return read<KeyRow>(text, values)
  }
  if (isForeseeable(place.meets)) return rows(alongOrder(place, selected, limit))
  const near = await rows(nearby(place, selected, limit))
  return near.length === limit ? near : rows(sorted(place, selected, limit))
}

/** The same rows in the same order, each with what is read of its user. The planner knows the order of a single range as it comes. */
function withRecords(page: Prisma.Sql, { keys, ranges }: Place, { columns, joins }: Selection): Prisma.Sql {
  const selected = Prisma.raw([...keys.map((_, index) => `k${index}`), ...columns].join(', '))
  const joined = Prisma.raw(`as t ${joins.join(' ')}`)
  const [range, ...more] = ranges
  const order = range?.keys.map((key) => `k${keys.indexOf(key)}${key.ascending ? '' : ' desc'}`).join(', ')
  return order !== undefined && more.length === 0
    ? Prisma.sql`select ${selected} from (${page}) ${joined} order by ${Prisma.raw(order)}`
    : Prisma.sql`select ${selected} from (select page.*, row_number() over () as place from (${page}) as page) ${joined} order by place`
}

/** Written out: of a parameter the planner knows nothing, expects a tenth of the table, and plans each time anew. */
function atMost(limit: number): Prisma.Sql {
  return Prisma.raw(`limit ${Math.trunc(limit)}`)
}

/** Of few values, and of no other table: along the order that one would be looked into for each row, in search of the page's. */
function isForeseeable(meets: Prisma.Sql): boolean {
  return meets.values.flat().length < manyValues && !looksUp(meets)
}

function looksUp({ sql }: Prisma.Sql): boolean {
  return sql.includes('exists (select')
}

/**
 * The ranges are read one after the other, and no further than the page needs: PostgreSQL appends what `union all` joins in
 * the order given, and does not run it in parallel when it has limits of its own.
 */
function alongOrder({ ranges, meets }: Place, selected: Prisma.Sql, limit: number): Prisma.Sql {
  const parts = ranges.map((range) => ordered(selected, { ...range, conditions: [...range.conditions, meets] }, limit))
  return Prisma.sql`select ${planning(meets)} * from (${Prisma.join(parts, ' union all ')}) as page ${atMost(limit)}`
}

/** The same, but the filter is held against the rows of the order that come first, and no others are read. */
function nearby({ ranges, meets }: Place, selected: Prisma.Sql, limit: number): Prisma.Sql {
  const most = limit * (looksUp(meets) ? rowsPerRow.withLookup : rowsPerRow.alone)
  const parts = ranges.map((range) => ordered(Prisma.sql`*`, range, most))
  return Prisma.sql`
    select ${planning(meets)} ${selected} from (select * from (${Prisma.join(parts, ' union all ')}) as place ${atMost(most)}) as u
    where ${meets} ${atMost(limit)}`
}

/** `offset 0` keeps the planner from following the order's index. */
function sorted({ keys, ranges, meets }: Place, selected: Prisma.Sql, limit: number): Prisma.Sql {
  const place = anyOf(ranges.map(({ conditions }) => allOf(conditions)))
  return Prisma.sql`
    select ${planning(meets)} ${selected} from (select * from roster.users u where ${meets} offset 0) as u
    where ${place} order by ${Prisma.join(keys.map(direction))} ${atMost(limit)}`
}

function ordered(selected: Prisma.Sql, { conditions, keys }: KeyRange, limit: number): Prisma.Sql {
  return Prisma.sql`(
    select ${selected} from roster.users u where ${allOf(conditions)}
    order by ${Prisma.join(keys.map(direction))} ${atMost(limit)}
  )`
}

function direction({ column, ascending }: OrderKey): Prisma.Sql {
  return ascending ? column : Prisma.sql`${column} desc`
}

/** Times are answered as dates, which JSON writes as the cursor wants them. */
function columns(keys: readonly OrderKey[]): Prisma.Sql {
  return Prisma.join(keys.map(({ column }, index) => Prisma.sql`${column} as ${Prisma.raw(`k${index}`)}`))
}

/** Few users may have what a filter asks for, or most of them. */
function planning({ values }: Prisma.Sql): Prisma.Sql {
  return values.length > 0 ? Prisma.raw(plannedEachTime) : Prisma.empty
}
