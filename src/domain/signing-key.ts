import type { JWK } from 'jose'
import { seal, unseal } from '../crypto/sealed-box.ts'
import {
  generateSigningKey,
  importSigningKey,
  importVerificationKey,
  type SigningKey,
  type SigningKeys,
  signingAlgorithm,
  type VerificationKey,
} from '../crypto/signing-keys.ts'
import { DatabaseStartError } from '../database/errors.ts'
import type { Prisma, PrismaClient } from '../generated/prisma/client.ts'
import type { Clock } from '../ports/clock.ts'

type KeyScope = Readonly<{ db: PrismaClient; clock: Clock; secret: string }>

/** How soon the table is read again for an unknown `kid`: anybody can send one. */
const rereadAfterMs = 10_000

/** Serialises the creation of the first key; the migrations hold another number. */
const advisoryLock = 0x6b657973

/**
 * Reads the keys that own tokens are signed and verified with, and makes the first one, once for all processes. The newest
 * signs, all of them verify. A key that another process has made since is found by its `kid`.
 *
 * @throws {DatabaseStartError} when the secret is not the one the keys were sealed with
 */
export async function loadSigningKeys({ db, clock, secret }: KeyScope): Promise<SigningKeys> {
  const row = (await findNewest(db)) ?? (await createFirst({ db, clock, secret }))
  const current = await openKey(secret, row)
  let keys = await readKeys(db)
  let readAtMs = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | null = null
  const reread = async (): Promise<void> => {
    keys = await readKeys(db)
    readAtMs = clock.now().getTime()
  }
  const find = async (kid: string): Promise<VerificationKey | null> => {
    if (!keys.has(kid) && clock.now().getTime() >= readAtMs + rereadAfterMs)
      reading ??= reread().finally(() => {
        reading = null
      })
    if (!keys.has(kid)) await reading
    return keys.get(kid) ?? null
  }
  return Object.freeze({ current, publicJwks: () => [...keys.values()].map(({ jwk }) => jwk), find })
}

type SealedKey = Readonly<{ id: string; sealedPrivateJwk: string }>

const order = [{ createdAt: 'desc' }, { id: 'asc' }] satisfies Prisma.SigningKeyOrderByWithRelationInput[]

function findNewest(db: Prisma.TransactionClient): Promise<SealedKey | null> {
  return db.signingKey.findFirst({ orderBy: order, select: { id: true, sealedPrivateJwk: true } })
}

async function createFirst({ db, clock, secret }: KeyScope): Promise<SealedKey> {
  const { id, publicJwk, privateJwk } = await generateSigningKey()
  const sealedPrivateJwk = seal(secret, JSON.stringify(privateJwk), sealContext(id))
  return db.$transaction(async (tx) => {
    await tx.$executeRaw`select pg_advisory_xact_lock(${advisoryLock})`
    const first = await findNewest(tx)
    if (first !== null) return first
    const data = { id, algorithm: signingAlgorithm, publicJwk, sealedPrivateJwk, createdAt: clock.now() }
    return tx.signingKey.create({ data, select: { id: true, sealedPrivateJwk: true } })
  })
}

async function openKey(secret: string, { id, sealedPrivateJwk }: SealedKey): Promise<SigningKey> {
  let privateJwk: JWK
  try {
    privateJwk = JSON.parse(unseal(secret, sealedPrivateJwk, sealContext(id)))
  } catch {
    throw new DatabaseStartError(
      'The signing key in this database was sealed with another secret: put back the ROSTER_SECRET, or the file `secret` in the data directory, that it was made with.',
    )
  }
  return importSigningKey(id, privateJwk)
}

async function readKeys(db: PrismaClient): Promise<ReadonlyMap<string, VerificationKey>> {
  const rows = await db.signingKey.findMany({ orderBy: order, select: { id: true, publicJwk: true } })
  const keys = await Promise.all(rows.map(({ id, publicJwk }) => importVerificationKey(id, publicJwk as JWK)))
  return new Map(keys.map((key) => [key.id, key]))
}

function sealContext(id: string): string {
  return `signing-key:${id}`
}
