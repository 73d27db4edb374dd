import { ConfigError } from './config-error.ts'
import { profileSyncs } from './domain/connection/connection-settings.ts'
import { type CreateConnectionInput, connectionProblems } from './domain/connection/create-connection.ts'
import { providers } from './domain/connection/strategy.ts'

/** A connection as the configuration declares it: what is absent is left alone, null is what a new connection has. */
export type DeclaredConnection = CreateConnectionInput

/** Reads a variable of the environment, or the file that `<name>_FILE` names. @throws {Error} when that cannot be read */
export type ReadVariable = (name: string) => string | undefined

type Check = Readonly<{ is: (value: unknown) => boolean; says: string }>

const text: Check = { is: (value) => typeof value === 'string', says: 'must be text' }
const truth: Check = { is: (value) => typeof value === 'boolean', says: 'must be true or false' }
const texts: Check = { is: (value) => Array.isArray(value) && value.every(text.is), says: 'must be a list of texts' }
const object: Check = { is: isObject, says: 'must be an object' }
const oneOf = (choices: readonly string[]): Check => ({
  is: (value) => choices.includes(value as string),
  says: `must be one of ${choices.join(', ')}`,
})

const required: Readonly<Record<string, Check>> = { key: text, strategy: oneOf([...Object.keys(providers), 'PASSWORD']) }
const optional: Readonly<Record<string, Check>> = {
  clientId: text,
  verifierUrl: text,
  issuer: text,
  displayName: text,
  enabled: truth,
  clientSecret: text,
  clientSecretVariable: text,
  scopes: texts,
  profileSync: oneOf(profileSyncs),
  attributeMap: object,
  linkByVerifiedEmail: truth,
  allowSignUp: truth,
}

/**
 * Reads CONNECTIONS. A client secret may stand in another variable, `clientSecretVariable`, so that the file can be in git.
 * @throws {ConfigError} with everything that is wrong, each with its path: `0.scopes`
 */
export function parseConnections(json: string, readVariable: ReadVariable): readonly DeclaredConnection[] {
  const entries = parse(json)
  const problems: string[] = []
  const connections = entries.flatMap((entry, index) => {
    const wrong = shapeProblems(entry)
    const connection = wrong.length === 0 ? toConnection(entry as Record<string, unknown>, readVariable, wrong) : null
    if (connection !== null) wrong.push(...domainProblems(connection))
    problems.push(...wrong.map((problem) => `${index}${problem}`))
    return connection === null ? [] : [connection]
  })
  connections.forEach(({ key }, index) => {
    if (connections.findIndex((other) => other.key === key) < index) problems.push(`the key "${key}" is there twice`)
  })
  if (problems.length > 0) throw new ConfigError(problems)
  return connections
}

function parse(json: string): readonly unknown[] {
  try {
    const entries: unknown = JSON.parse(json)
    if (Array.isArray(entries)) return entries
  } catch {
    // The parser's own message quotes what may be a secret.
  }
  throw new ConfigError(['must be a JSON array'])
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is not of the type it has to be, with its path in the entry. */
function shapeProblems(entry: unknown): string[] {
  if (!isObject(entry)) return [' must be an object']
  const needed = entry['strategy'] === 'PASSWORD' ? { verifierUrl: text } : { clientId: text }
  const unknown = Object.keys(entry).filter((name) => !Object.hasOwn({ ...required, ...optional }, name))
  const rest = Object.entries(optional).filter(([name]) => !Object.hasOwn(needed, name))
  return [
    ...unknown.map((name) => `.${name.slice(0, 64)} is not known`),
    ...Object.entries({ ...required, ...needed }).flatMap(([name, { is, says }]) => (is(entry[name]) ? [] : [`.${name} ${says}`])),
    ...rest.flatMap(([name, { is, says }]) => (entry[name] == null || is(entry[name]) ? [] : [`.${name} ${says}`])),
  ]
}

function toConnection(entry: Record<string, unknown>, readVariable: ReadVariable, wrong: string[]): DeclaredConnection {
  const { clientSecretVariable, ...connection } = entry as { clientSecretVariable?: string | null } & DeclaredConnection
  if (clientSecretVariable == null) return connection
  if (connection.clientSecret != null) wrong.push('.clientSecretVariable: there is a clientSecret already')
  try {
    const clientSecret = readVariable(clientSecretVariable)
    if (clientSecret !== undefined) return { ...connection, clientSecret }
    wrong.push('.clientSecretVariable: this variable is not set')
  } catch (error) {
    wrong.push(`.clientSecretVariable: ${(error as Error).message}`)
  }
  return connection
}

function domainProblems(connection: DeclaredConnection): string[] {
  return connectionProblems(connection).map(
    ({ path, message }) =>
      `${path
        .slice(1)
        .map((step) => `.${step}`)
        .join('')}: ${message}`,
  )
}
