import type { JWK } from 'jose'
import { importSigningKey, importVerificationKey, type SigningKey, type SigningKeys, type VerificationKey } from '../crypto/signing-keys.ts'
import type { Database } from '../database/database.ts'
import { DatabaseStartError } from '../database/errors.ts'
import {
  changeSigningKeys,
  type KeyScope,
  lookUpSigningKeys,
  newSigningKey,
  type SigningKeyRecord,
  signingKeyContext,
} from './signing-key/signing-key-record.ts'
import { currentSigningKey } from './signing-key/signing-key-state.ts'

/** What keys are read with. */
type ReadingScope = Omit<KeyScope, 'db'> & Readonly<{ database: Pick<Database, 'prisma' | 'lookUp'> }>

/** The keys as this process knows them. */
export type LoadedSigningKeys = SigningKeys &
  Readonly<{
    /**
     * Reads the table again. When that fails, no key is believed until it was read: one that was dropped must not go on verifying
     * where the table cannot be read.
     */
    refresh: () => Promise<void>
  }>

/** How soon the table is read again for an unknown `kid`: anybody can send one. */
const rereadAfterMs = 10_000

/**
 * Reads the keys that own tokens are signed and verified with, and makes the first one, once for all processes. A key that another
 * process has made since is found by its `kid`.
 *
 * @throws {DatabaseStartError} when the secret is not the one the keys were sealed with
 */
export async function loadSigningKeys(scope: ReadingScope): Promise<LoadedSigningKeys> {
  const { clock } = scope
  const signer = createSigners(scope)
  let loaded = await load(scope)
  let isConfirmed = true
  let askedAtMs = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | null = null
  const read = async (): Promise<void> => {
    try {
      loaded = await load(scope, loaded)
      isConfirmed = true
    } catch (error) {
      isConfirmed = false
      throw error
    }
  }
  const refresh = (): Promise<void> => {
    reading ??= read().finally(() => {
      reading = null
    })
    return reading
  }
  const refreshForUnknown = async (): Promise<void> => {
    const nowMs = clock.now().getTime()
    if (nowMs < askedAtMs + rereadAfterMs) return reading ?? undefined
    askedAtMs = nowMs
    await refresh()
  }
  const current = (now: Date): Promise<SigningKey> => signer(currentSigningKey(loaded.records, now))
  const find = async (kid: string): Promise<VerificationKey | null> => {
    if (!isConfirmed) await refresh()
    else if (!loaded.verifiers.has(kid)) await refreshForUnknown()
    return loaded.verifiers.get(kid) ?? null
  }
  await current(clock.now())
  return Object.freeze({ current, publicJwks: () => [...loaded.verifiers.values()].map(({ jwk }) => jwk), find, refresh })
}

type Loaded = Readonly<{ records: readonly SigningKeyRecord[]; verifiers: ReadonlyMap<string, VerificationKey> }>

/** A key that was known before is not imported again. */
async function load({ database, ...scope }: ReadingScope, before?: Loaded): Promise<Loaded> {
  const kept = await lookUpSigningKeys(database.lookUp)
  const records = kept.length === 0 ? await createFirst({ ...scope, db: database.prisma }) : kept
  const verifiers = records.map(({ id, publicJwk }) => before?.verifiers.get(id) ?? importVerificationKey(id, publicJwk as JWK))
  return { records, verifiers: new Map((await Promise.all(verifiers)).map((verifier) => [verifier.id, verifier])) }
}

async function createFirst(scope: KeyScope): Promise<readonly SigningKeyRecord[]> {
  const data = await newSigningKey(scope, scope.clock.now())
  return changeSigningKeys(scope, async (db, keys) => (keys.length > 0 ? keys : [await db.signingKey.create({ data })]))
}

/** Opens the private half of a key when it is first needed, and remembers the one that was used last. */
function createSigners({ secrets }: ReadingScope): (record: SigningKeyRecord) => Promise<SigningKey> {
  let last: Readonly<{ id: string; key: Promise<SigningKey> }> | null = null
  return ({ id, sealedPrivateJwk }) => {
    if (last?.id !== id) last = { id, key: openKey(secrets, id, sealedPrivateJwk) }
    return last.key
  }
}

async function openKey(secrets: KeyScope['secrets'], id: string, sealedPrivateJwk: string): Promise<SigningKey> {
  let privateJwk: JWK
  try {
    privateJwk = JSON.parse(secrets.unseal(sealedPrivateJwk, signingKeyContext(id)))
  } catch {
    throw new DatabaseStartError(
      'The signing key in this database was sealed with another secret: put back the ROSTER_SECRET, or the file `secret` in the data directory, that it was made with.',
    )
  }
  return importSigningKey(id, privateJwk)
}
