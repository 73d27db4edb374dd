import type { Prisma, PrismaClient } from '../generated/prisma/client.ts'
import type { Clock } from '../ports/clock.ts'
import { changesOf, type KeptChanges } from './difference.ts'
import { RequestError } from './errors.ts'
import { parseRecord, readRecords } from './export/read-records.ts'
import type { Principal } from './principal.ts'

type OwnDataScope = Readonly<{ db: PrismaClient; clock: Clock; principal: Principal }>

/** Rows of a list that are in memory at a time. */
const pageSize = 250

/**
 * All that is held on the caller, as the text of one JSON object, piece by piece: the user with profile, its sources and identities,
 * whether there is a password, sessions, links and codes that were sent without their secrets, and history. What only administrators may
 * read, `appMetadata`, is not in it.
 * @throws {RequestError} UNAUTHENTICATED; FORBIDDEN for a token without a user
 */
export async function readOwnData({ db, clock, principal }: OwnDataScope): Promise<AsyncGenerator<string>> {
  if (principal.kind === 'anonymous') throw new RequestError('UNAUTHENTICATED', 'This needs the token of a user.')
  const { userId } = principal
  if (userId === null) throw new RequestError('FORBIDDEN', 'This token has no user.')
  const now = clock.now()
  const wanted = { filter: { id: { eq: userId } }, now, withPasswordHashes: false, withAppMetadata: false }
  const { value: page } = await readRecords({ query: (sql) => db.$queryRaw(sql) }, wanted).next()
  const [text = null] = page ?? []
  if (text === null) throw new RequestError('FORBIDDEN', 'This token has no user.')
  const password = await db.passwordCredential.findUnique({ where: { userId }, select: { updatedAt: true } })
  const user = { ...parseRecord(text), hasPassword: password !== null, passwordChangedAt: password?.updatedAt ?? null }
  return write(
    { exportedAt: now, user },
    { sessions: sessions(db, userId), oneTimeTokens: tokens(db, userId), history: history(db, userId) },
  )
}

async function* write(members: object, lists: Readonly<Record<string, AsyncIterable<readonly object[]>>>): AsyncGenerator<string> {
  yield JSON.stringify(members).slice(0, -1)
  for (const [name, pages] of Object.entries(lists)) {
    yield `,${JSON.stringify(name)}:[`
    let separator = ''
    for await (const page of pages) {
      yield `${separator}${page.map((row) => JSON.stringify(row)).join(',')}`
      separator = ','
    }
    yield ']'
  }
  yield '}\n'
}

/** Page by page, in the order of ids. */
async function* pages<Row extends { id: string }>(
  read: (page: { take: number; cursor?: { id: string }; skip?: number }) => Promise<Row[]>,
) {
  for (let last: Row | undefined; ; ) {
    const rows: Row[] = await read({ take: pageSize, ...(last && { cursor: { id: last.id }, skip: 1 }) })
    if (rows.length > 0) yield rows
    last = rows.at(-1)
    if (rows.length < pageSize) return
  }
}

const orderBy = { id: 'asc' } as const

function sessions(db: PrismaClient, userId: string) {
  return pages((page) => db.session.findMany({ ...page, where: { userId }, orderBy, omit: { userId: true } }))
}

/** Without what a link or a code can be known by. */
function tokens(db: PrismaClient, userId: string) {
  const omit = { userId: true, tokenHash: true, codeHash: true } satisfies Prisma.OneTimeTokenOmit
  return pages((page) => db.oneTimeToken.findMany({ ...page, where: { userId }, orderBy, omit }))
}

async function* history(db: PrismaClient, userId: string) {
  const omit = { userId: true, subjectId: true } satisfies Prisma.AuditEventOmit
  for await (const events of pages((page) => db.auditEvent.findMany({ ...page, where: { userId }, orderBy, omit })))
    yield events.map((event) => ({ ...event, changes: changesOf(event.changes as KeptChanges).filter(({ path }) => !isAppMetadata(path)) }))
}

function isAppMetadata(path: string): boolean {
  return path === '/appMetadata' || path.startsWith('/appMetadata/')
}
