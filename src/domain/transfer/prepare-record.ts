import { type Checks, checkRecord } from './check/check-record.ts'
import type { Draft, FileFormat } from './format/draft.ts'
import { nameOf } from './format/draft.ts'
import { type ImportRecord, identityKey } from './import-record.ts'
import type { Problem } from './problem.ts'
import type { Content, FileRecord } from './read/read-records.ts'
import type { SeenKeys } from './seen-keys.ts'
import { type FreshUser, freshUser } from './write/fresh-user.ts'

/**
 * A record of a file, checked: what is to be written, or what is wrong with it. `record` answers what it says; `isOfIdentities`: of a
 * user who is there, and of nobody new.
 */
export type PreparedRecord = Readonly<{
  line: number
  end: number
  bytes: Buffer | null
}> &
  (
    | Readonly<{ record: () => ImportRecord; isOfIdentities: boolean; problems: null; fresh: FreshUser | null }>
    | Readonly<{ record: null; problems: readonly Problem[] }>
  )

type Preparing = Readonly<{
  format: FileFormat
  /** What the format makes of the record; a problem when it is none. */
  draft: (content: Content) => Draft | Problem
  checks: Checks
  /** Of the records before it that were well. */
  seen: SeenKeys
  /** Whether users are made ready to be inserted: nobody of them is thought to be there. */
  expectsNew: boolean
  /** Whether it is looked first who is there, which takes what records say. */
  mode: Readonly<{ looksFirst: boolean }>
}>

/** A file with a hundred mistakes in one record needs no hundred lines. */
const mostProblems = 10

/** Checks a record, and that no record before it was about the same user. */
export function prepareRecord(preparing: Preparing, file: FileRecord): PreparedRecord {
  const { format, checks, seen, expectsNew, mode } = preparing
  const { line, end, bytes } = file
  const refused = (problems: readonly Problem[]): PreparedRecord => ({ line, end, bytes, record: null, problems })
  const { record, problems } = check(preparing, file)
  if (problems.length > 0) return refused(problems.slice(0, mostProblems))
  const keys = keysOf(record)
  const repeated = keys.find(({ key }) => seen.has(key))
  if (repeated !== undefined) return refused([repetition(nameOf(format, repeated.path))])
  for (const { key } of keys) seen.add(key)
  const isOfIdentities = record.identitiesOf !== null
  const fresh = expectsNew && !isOfIdentities ? freshUser(record, checks.now) : null
  const kept = fresh === null || mode.looksFirst ? asIs(record) : readAgain(preparing, file)
  return { line, end, bytes, record: kept, isOfIdentities, problems: null, fresh }
}

/** What a record says, which is of use only when nothing is wrong with it. */
function check({ format, draft, checks }: Preparing, { content }: FileRecord): { record: ImportRecord; problems: readonly Problem[] } {
  const made = draft(content())
  if ('code' in made) return { record: nothing, problems: [made] }
  const problems: Problem[] = [...made.problems]
  const record = checkRecord(made, checks, (path, message, code = 'INVALID_FORMAT') => {
    problems.push({ code, path: nameOf(format, path), message })
  })
  return { record, problems }
}

const nothing: ImportRecord = { identitiesOf: null, attributes: {}, identities: [] }

function asIs(record: ImportRecord): () => ImportRecord {
  return () => record
}

/** Few are asked for again, and to keep what all of a batch say costs the garbage collector pauses that everybody notices. */
function readAgain(preparing: Preparing, file: FileRecord): () => ImportRecord {
  return () => check(preparing, file).record
}

/** What may be told of one user in a file only, in the form that is compared: addresses in different cases are the same. */
function keysOf({ id, attributes, identities }: ImportRecord): { key: string; path: readonly string[] }[] {
  const { emailNormal, phoneNumber, usernameNormal, externalId } = attributes
  const keys: { key: string; path: readonly string[] }[] = []
  const add = (name: string, key: string | null | undefined): void => {
    if (key != null) keys.push({ key: `${name} ${key}`, path: [name] })
  }
  add('id', id)
  add('externalId', externalId)
  add('email', emailNormal)
  add('phoneNumber', phoneNumber)
  add('username', usernameNormal)
  // That of the user's own password has the user's id.
  for (const [index, identity] of identities.entries())
    if (identity.provider !== 'password') keys.push({ key: `identity ${identityKey(identity)}`, path: ['identities', String(index)] })
  return keys
}

function repetition(path: string | null): Problem {
  return { code: 'DUPLICATED_USER', path, message: 'A record before this one has the same here; upper and lower case are the same.' }
}
