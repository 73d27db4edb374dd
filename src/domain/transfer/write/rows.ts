import { type CopiedRows, type CopyBytes, copyText } from '../../../database/copy-rows.ts'
import { Prisma } from '../../../generated/prisma/client.ts'

/** The tables that users are written to, in the order of the foreign keys, and their columns. */
const tables = {
  users: {
    table: 'users',
    columns: [
      ...(['id', 'email', 'email_normal', 'email_verified', 'phone_number', 'phone_number_verified', 'username'] as const),
      ...(['username_normal', 'name_normal', 'external_id', 'invited_at', 'blocked_at', 'blocked_until', 'block_reason'] as const),
      ...(['user_metadata', 'app_metadata', 'version', 'created_at', 'updated_at', 'deleted_at', 'anonymized_at'] as const),
      ...(['last_sign_in_at', 'last_sign_in_ip', 'sign_in_count'] as const),
    ],
  },
  profiles: {
    table: 'profiles',
    columns: [
      ...(['user_id', 'name', 'given_name', 'family_name', 'middle_name', 'nickname', 'preferred_username', 'picture'] as const),
      ...(['website', 'gender', 'birthdate', 'zoneinfo', 'locale', 'address', 'updated_at'] as const),
    ],
  },
  identities: {
    table: 'identities',
    columns: [
      ...(['id', 'user_id', 'provider', 'provider_user_id', 'email', 'email_verified', 'claims', 'created_at'] as const),
      'last_sign_in_at',
    ],
  },
  credentials: { table: 'password_credentials', columns: ['user_id', 'hash', 'updated_at'] },
  sources: { table: 'profile_sources', columns: ['user_id', 'attribute', 'others', 'origin', 'identity_id', 'set_at'] },
} as const satisfies Readonly<Record<string, Pick<CopiedRows, 'table' | 'columns'>>>

type TableName = keyof typeof tables
/** A row, with the names of the columns. */
type Row<Name extends TableName> = Readonly<Record<(typeof tables)[Name]['columns'][number], unknown>>

/** Rows to insert, by their tables. */
export type UserRows = { readonly [Name in TableName]: readonly Row<Name>[] }

/** Those of one user. */
export type NewUserRows = UserRows & Readonly<{ users: readonly [Row<'users'>] }>

export const emptyRows: UserRows = { users: [], profiles: [], identities: [], credentials: [], sources: [] }

/** Rows as they are sent, by their tables. */
export type RowBytes = Readonly<Record<TableName, CopyBytes>>

const names = Object.keys(tables) as TableName[]

/** Writes rows as they are sent, before the transaction that inserts them. */
export function rowBytes(rows: UserRows): RowBytes {
  return byTable((name) => {
    const { columns } = tables[name]
    const texts = rows[name].map((row: Readonly<Record<string, unknown>>) => copyText(columns.map((column) => row[column])))
    return Buffer.from(texts.join(''))
  })
}

/** The rows of all of them, to be copied. Columns are named, for hosts add some. */
export function copiedRows(all: readonly RowBytes[]): CopiedRows[] {
  return names.map((name) => ({ ...tables[name], bytes: all.map((bytes) => bytes[name]).filter(({ length }) => length > 0) }))
}

function byTable<Value>(of: (name: TableName) => Value): Readonly<Record<TableName, Value>> {
  return {
    users: of('users'),
    profiles: of('profiles'),
    identities: of('identities'),
    credentials: of('credentials'),
    sources: of('sources'),
  }
}

/** Updates rows by a key, each with the columns of the first of them. */
export async function updateRows(
  db: Prisma.TransactionClient,
  table: string,
  key: 'id' | 'user_id',
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
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
