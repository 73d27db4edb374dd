import type { Secrets } from '../../crypto/secrets.ts'
import type { Prisma } from '../../generated/prisma/client.ts'
import type { ChangeScope } from '../change.ts'
import type { Image, Json } from '../difference.ts'
import { DomainError } from '../errors.ts'
import { isUuid } from '../normalize.ts'

const include = { secret: { select: { updatedAt: true } } } satisfies Prisma.ConnectionInclude

type ConnectionRecord = Prisma.ConnectionGetPayload<{ include: typeof include }>

/**
 * Reads a connection and keeps others from changing it until the transaction ends.
 * @throws {DomainError} CONNECTION_NOT_FOUND
 */
export async function lockConnection({ db }: ChangeScope, id: string): Promise<ConnectionRecord> {
  if (isUuid(id)) await db.$queryRaw`select 1 from roster.connections where id = ${id}::uuid for update`
  const row = isUuid(id) ? await db.connection.findUnique({ where: { id }, include }) : null
  if (row === null) throw new DomainError('CONNECTION_NOT_FOUND', 'There is no such connection.', ['input', 'id'], {})
  return row
}

/** Reads a connection that the same transaction has written. */
export function readConnection({ db }: ChangeScope, id: string): Promise<ConnectionRecord> {
  return db.connection.findUniqueOrThrow({ where: { id }, include })
}

/** Keeps the client secret, sealed; null removes it, undefined leaves it alone. The same one again changes nothing. */
export async function keepClientSecret(
  { db, now }: ChangeScope,
  secrets: Secrets,
  connectionId: string,
  clientSecret: string | null | undefined,
): Promise<void> {
  if (clientSecret === undefined) return
  if (clientSecret === null) {
    await db.connectionSecret.deleteMany({ where: { connectionId } })
    return
  }
  const context = `connection-secret:${connectionId}`
  const kept = await db.connectionSecret.findUnique({ where: { connectionId } })
  if (kept !== null && opens(secrets, kept.sealedClientSecret, context) === clientSecret) return
  const columns = { sealedClientSecret: secrets.seal(clientSecret, context), updatedAt: now }
  await db.connectionSecret.upsert({
    where: { connectionId },
    create: { connectionId, ...columns },
    update: columns,
    select: { connectionId: true },
  })
}

/** Null for what was sealed with another ROSTER_SECRET: it is of no use any more. */
function opens(secrets: Secrets, sealed: string, context: string): string | null {
  try {
    return secrets.unseal(sealed, context)
  } catch {
    return null
  }
}

/** The connection as history sees it: of the secret, when it was changed. */
export function connectionImage({
  id: _id,
  createdAt: _created,
  updatedAt: _updated,
  secret,
  attributeMap,
  ...columns
}: ConnectionRecord): Image {
  return { ...columns, attributeMap: attributeMap as Json, clientSecretChangedAt: secret?.updatedAt.toISOString() ?? null }
}
