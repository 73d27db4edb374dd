import type { Prisma, PrismaClient } from '../../generated/prisma/client.ts'
import type { Clock } from '../../ports/clock.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import { RequestError } from '../errors.ts'
import { newId } from '../id.ts'
import { normalizeEmail } from '../normalize.ts'
import { system } from '../principal.ts'
import type { ReadScope, Scope } from '../scope.ts'
import { type Standing, standingColumns, userStanding } from '../session.ts'
import { readUser, userImage } from '../user/user-record.ts'
import type { IssuerCaller } from './issuer-token.ts'

/** The user of an issuer's subject. */
export type IssuerUser = Readonly<{ userId: string; standing: Standing }>

/** Finds the user by the identity with the issuer's provider and `sub`, never by e-mail address; null when there is none. */
export async function findIssuerUser({ db, clock }: ReadScope, { issuer, subject }: IssuerCaller): Promise<IssuerUser | null> {
  const identity = await db.identity.findUnique({
    where: { provider_providerUserId: { provider: issuer.provider, providerUserId: subject } },
    relationLoadStrategy: 'join',
    select: { userId: true, user: { select: standingColumns } },
  })
  return identity && { userId: identity.userId, standing: userStanding(identity.user, clock.now()) }
}

/**
 * Makes the user of a subject that is seen for the first time, and its identity. The address becomes the user's own only if the
 * issuer has verified it and nobody has it. Writes `user.created` with SYSTEM as its actor. When another request was first, its
 * user is answered.
 *
 * @throws {RequestError} SERVICE_UNAVAILABLE when the database does not answer
 */
export async function createIssuerUser({ db, clock }: { db: PrismaClient; clock: Clock }, caller: IssuerCaller): Promise<IssuerUser> {
  const scope: Scope = { db, clock, caller: { principal: system, ip: null, userAgent: null, requestId: null } }
  for (let attempt = 1; ; attempt++) {
    try {
      return await change(scope, 'user.created', (tx) => insert(tx, caller))
    } catch (error) {
      const first = error instanceof RequestError ? null : await findIssuerUser({ db, clock }, caller)
      if (first !== null) return first
      // Once more, because the address may have been taken in between.
      if (error instanceof RequestError || attempt === 2) throw error
    }
  }
}

async function insert(tx: ChangeScope, caller: IssuerCaller): Promise<Changed<IssuerUser>> {
  const userId = newId()
  const { db, now } = tx
  const times = { createdAt: now, updatedAt: now }
  await db.user.create({ data: { id: userId, ...(await freeEmail(tx, caller)), ...times }, select: { id: true } })
  await db.profile.create({ data: { userId, updatedAt: now }, select: { userId: true } })
  await db.identity.create({ data: { id: newId(), userId, ...identityColumns(caller), createdAt: now }, select: { id: true } })
  const after = userImage(await readUser(db, userId))
  return { result: { userId, standing: 'standing' }, subjectId: userId, userId, before: null, after }
}

function identityColumns({ issuer, subject, email, emailVerified }: IssuerCaller) {
  const normalized = email === null ? null : normalizeEmail(email)
  const claims: Prisma.InputJsonObject = normalized === null ? {} : { email: normalized.email, email_verified: emailVerified }
  const columns = { provider: issuer.provider, providerUserId: subject, email: normalized?.email ?? null }
  return { ...columns, emailVerified: emailVerified && normalized !== null, claims: { sub: subject, ...claims } }
}

async function freeEmail({ db }: ChangeScope, { email, emailVerified }: IssuerCaller) {
  const normalized = email === null || !emailVerified ? null : normalizeEmail(email)
  if (normalized === null) return {}
  const holder = await db.user.findUnique({ where: { emailNormal: normalized.normal }, select: { id: true } })
  return holder === null ? { email: normalized.email, emailNormal: normalized.normal, emailVerified: true } : {}
}
