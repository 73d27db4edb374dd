import { Prisma } from '../../../generated/prisma/client.ts'

type Row = Readonly<Record<string, unknown>>

/** Rows to insert, by their tables, with the names of the columns. */
export type UserRows = Readonly<{
  users: readonly Row[]
  profiles: readonly Row[]
  sources: readonly Row[]
  identities: readonly Row[]
  credentials: readonly Row[]
}>

export const emptyRows: UserRows = { users: [], profiles: [], sources: [], identities: [], credentials: [] }

const tables = {
  users: 'users',
  profiles: 'profiles',
  identities: 'identities',
  credentials: 'password_credentials',
  sources: 'profile_sources',
} as const satisfies Record<keyof UserRows, string>

/** Rows as they are sent: JSON, by their tables, with the columns they have. */
export type RowTexts = Readonly<Record<keyof UserRows, Readonly<{ columns: string; rows: readonly string[] }>>>

/** Writes rows as JSON, before the transaction that inserts them. */
export function rowTexts(rows: UserRows): RowTexts {
  return byTable((name) => ({ columns: columnsOf(rows[name]), rows: rows[name].map((row) => JSON.stringify(row)) }))
}

/** The rows of all of them. */
export function joinTexts(all: readonly RowTexts[]): RowTexts {
  return byTable((name) => ({
    columns: all.find((texts) => texts[name].rows.length > 0)?.[name].columns ?? '',
    rows: all.flatMap((texts) => texts[name].rows),
  }))
}

function byTable<Value>(of: (name: keyof UserRows) => Value): Readonly<Record<keyof UserRows, Value>> {
  return {
    users: of('users'),
    profiles: of('profiles'),
    sources: of('sources'),
    identities: of('identities'),
    credentials: of('credentials'),
  }
}

/** Inserts rows of all tables in one statement: foreign keys are looked at when all of it is done. Columns are named, for hosts add some. */
export async function insertTexts(db: Prisma.TransactionClient, texts: RowTexts): Promise<void> {
  const inserts = Object.entries(tables).flatMap(([name, table]) => {
    const { columns, rows } = texts[name as keyof UserRows]
    return rows.length === 0 ? [] : [insert(table, columns, `[${rows.join()}]`)]
  })
  const last = inserts.pop()
  if (last === undefined) return
  const others = inserts.map((statement, index) => Prisma.sql`${Prisma.raw(`rows${index}`)} as (${statement})`)
  await db.$executeRaw`${others.length === 0 ? Prisma.empty : Prisma.sql`with ${Prisma.join(others)}`} ${last}`
}

function insert(table: string, names: string, json: string): Prisma.Sql {
  const [target, columns, row] = [Prisma.raw(`roster.${table}`), Prisma.raw(names), Prisma.raw(`null::roster.${table}`)]
  return Prisma.sql`insert into ${target} (${columns}) select ${columns} from jsonb_populate_recordset(${row}, ${json}::jsonb)`
}

/** Updates rows by a key, each with the columns of the first of them. */
export async function updateRows(db: Prisma.TransactionClient, table: string, key: 'id' | 'user_id', rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return
  const set = Object.keys(rows[0] ?? {}).filter((column) => column !== key)
  const assignments = Prisma.join(set.map((column) => Prisma.raw(`${column} = changed.${column}`)))
  const [target, row, same] = [
    Prisma.raw(`roster.${table}`),
    Prisma.raw(`null::roster.${table}`),
    Prisma.raw(`kept.${key} = changed.${key}`),
  ]
  await db.$executeRaw`
    update ${target} as kept set ${assignments}
    from jsonb_populate_recordset(${row}, ${JSON.stringify(rows)}::jsonb) as changed where ${same}`
}

function columnsOf([first = {}]: readonly Row[]): string {
  return Object.keys(first).join(', ')
}
