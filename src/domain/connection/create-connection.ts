import type { AuthenticationScope } from '../authentication.ts'
import { change } from '../change.ts'
import { type DomainError, DomainErrors, invalidInput } from '../errors.ts'
import { newId } from '../id.ts'
import { ownProviders } from '../identity/own-providers.ts'
import { connectionImage, keepClientSecret, readConnection } from './connection-record.ts'
import { type ConnectionSettings, defaultSettings, settingColumns, settingProblems } from './connection-settings.ts'
import { isForeignProvider } from './foreign-providers.ts'
import { isServiceUrl } from './service-url.ts'
import { type ConfiguredStrategy, type ConnectionStrategy, knownBeforehand } from './strategy.ts'

/** A connection to be made. */
export type CreateConnectionInput = ConnectionSettings & Readonly<{ key: string; strategy: ConnectionStrategy; issuer?: string | null }>

/**
 * Makes a connection. The client secret is sealed, and cannot be read again. Writes `connection.created`.
 * @throws {DomainErrors} everything that is wrong with the input
 * @throws {DomainError} CONNECTION_KEY_TAKEN
 */
export async function createConnection(scope: AuthenticationScope, input: CreateConnectionInput): Promise<{ connectionId: string }> {
  const strategy = parseStrategy(input.strategy)
  const issuer = input.issuer ?? knownBeforehand(strategy).issuer
  const problems = [...connectionProblems(input), ...providerProblems(scope, { key: input.key, issuer })]
  if (problems.length > 0) throw new DomainErrors(problems)
  return change(scope, 'connection.created', async (tx) => {
    const id = newId()
    const { key, clientSecret } = input
    const clientId = input.clientId ?? ''
    const settings = { ...defaultSettings(strategy), ...settingColumns(strategy, input) }
    const times = { createdAt: tx.now, updatedAt: tx.now }
    await tx.db.connection.create({ data: { id, key, strategy, issuer, clientId, ...settings, ...times }, select: { id: true } })
    await keepClientSecret(tx, scope.secrets, id, clientSecret)
    return { result: { connectionId: id }, subjectId: id, before: null, after: connectionImage(await readConnection(tx, id)) }
  })
}

/** Everything that is wrong with a connection to be made, each with its path. @throws {DomainError} for a strategy of Roster's own */
export function connectionProblems(input: CreateConnectionInput): DomainError[] {
  const strategy = parseStrategy(input.strategy)
  return [
    ...keyProblems(input.key),
    ...issuerProblems(strategy, input.issuer ?? null),
    ...settingProblems(strategy, required(strategy, input)),
  ]
}

function providerProblems({ trustedProviders }: AuthenticationScope, connection: { key: string; issuer: string | null }): DomainError[] {
  const isForeign = isForeignProvider(trustedProviders, connection)
  return isForeign ? [invalidInput(['input', 'key'], 'Identities of a trusted issuer, another one, have this name.')] : []
}

function parseStrategy(strategy: ConnectionStrategy): ConfiguredStrategy {
  if (strategy === 'EMAIL') throw invalidInput(['input', 'strategy'], 'Roster has this connection by itself.')
  return strategy
}

/** What cannot be left out is null, which it cannot be either. */
function required(
  strategy: ConfiguredStrategy,
  { clientId = null, verifierUrl = null, ...input }: CreateConnectionInput,
): ConnectionSettings {
  return { ...input, verifierUrl, ...(strategy === 'PASSWORD' ? {} : { clientId }) }
}

/** It stands in paths, and is the provider of identities. */
function keyProblems(key: string): DomainError[] {
  const path = ['input', 'key']
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(key))
    return [invalidInput(path, 'A key has 1 to 63 lower-case letters, digits, dashes and underscores, the first a letter or digit.')]
  return ownProviders.includes(key) ? [invalidInput(path, "Identities of Roster's own have this name.")] : []
}

function issuerProblems(strategy: ConfiguredStrategy, issuer: string | null): DomainError[] {
  const { issuerInput } = knownBeforehand(strategy)
  const path = ['input', 'issuer']
  if (issuer === null) return issuerInput === 'required' ? [invalidInput(path, 'OpenID Connect needs the URL of the issuer.')] : []
  if (issuerInput === 'none') return [invalidInput(path, 'This strategy has one provider, which is known.')]
  // OpenID Connect Discovery 1.0 §3.
  return isServiceUrl(issuer) ? [] : [invalidInput(path, 'An issuer is an https URL without user, query and fragment.')]
}
