import type { Secrets } from '../../crypto/secrets.ts'
import { generateSigningKey, signingAlgorithm } from '../../crypto/signing-keys.ts'
import type { RunRead } from '../../database/database.ts'
import type { Prisma, PrismaClient, SigningKey } from '../../generated/prisma/client.ts'
import type { Clock } from '../../ports/clock.ts'

/** What keys are made and kept with. */
export type KeyScope = Readonly<{ db: PrismaClient; clock: Clock; secrets: Secrets }>

/** A key as it is kept. */
export type SigningKeyRecord = SigningKey

/** Serialises all changes of the keys; the migrations hold another number. */
const advisoryLock = 0x6b657973

/** The keys, the one that begins to sign last first. */
export function readSigningKeys(db: Prisma.TransactionClient): Promise<SigningKeyRecord[]> {
  return db.signingKey.findMany({ orderBy: [{ activatesAt: 'desc' }, { id: 'asc' }] })
}

/** The same, past Prisma and past a pool whose connections are all taken. */
export function lookUpSigningKeys(lookUp: RunRead): Promise<SigningKeyRecord[]> {
  return lookUp<SigningKeyRecord>(allKeys, [])
}

const allKeys = `
  select
    id, algorithm, public_jwk as "publicJwk", sealed_private_jwk as "sealedPrivateJwk",
    created_at as "createdAt", activates_at as "activatesAt"
  from roster.signing_keys
  order by activates_at desc, id`

/** Changes the keys in one transaction, which nobody else does meanwhile. */
export function changeSigningKeys<Result>(
  { db }: Pick<KeyScope, 'db'>,
  work: (db: Prisma.TransactionClient, keys: readonly SigningKeyRecord[]) => Promise<Result>,
): Promise<Result> {
  return db.$transaction(async (tx) => {
    await tx.$executeRaw`select pg_advisory_xact_lock(${advisoryLock})`
    return work(tx, await readSigningKeys(tx))
  })
}

/** A new key, not yet kept, that begins to sign at this time. */
export async function newSigningKey({ clock, secrets }: Omit<KeyScope, 'db'>, activatesAt: Date): Promise<Prisma.SigningKeyCreateInput> {
  const { id, publicJwk, privateJwk } = await generateSigningKey()
  const sealedPrivateJwk = secrets.seal(JSON.stringify(privateJwk), signingKeyContext(id))
  return { id, algorithm: signingAlgorithm, publicJwk, sealedPrivateJwk, createdAt: clock.now(), activatesAt }
}

/** What the private key is sealed as. */
export function signingKeyContext(id: string): string {
  return `signing-key:${id}`
}
