import { type Checks, checkRecord } from './check/check-record.ts'
import type { Draft, FileFormat } from './format/draft.ts'
import { nameOf } from './format/draft.ts'
import { type ImportRecord, identityKey } from './import-record.ts'
import type { Problem } from './problem.ts'
import type { FileRecord } from './read/read-records.ts'
import type { SeenKeys } from './seen-keys.ts'
import { type FreshUser, freshUser } from './write/fresh-user.ts'

/** A record of a file, checked: what is to be written, or what is wrong with it. */
export type PreparedRecord = Readonly<{
  line: number
  end: number
  bytes: Buffer | null
}> &
  (Readonly<{ record: ImportRecord; problems: null; fresh: FreshUser | null }> | Readonly<{ record: null; problems: readonly Problem[] }>)

type Preparing = Readonly<{
  format: FileFormat
  /** What the format makes of the record; a problem when it is none. */
  draft: (content: FileRecord['content']) => Draft | Problem
  checks: Checks
  /** Of the records before it that were well. */
  seen: SeenKeys
  /** Whether users are made ready to be inserted: nobody of them is thought to be there. */
  expectsNew: boolean
}>

/** A file with a hundred mistakes in one record needs no hundred lines. */
const mostProblems = 10

/** Checks a record, and that no record before it was about the same user. */
export function prepareRecord({ format, draft, checks, seen, expectsNew }: Preparing, { content, ...place }: FileRecord): PreparedRecord {
  const made = draft(content)
  if ('code' in made) return { ...place, record: null, problems: [made] }
  const problems: Problem[] = [...made.problems]
  const record = checkRecord(made, checks, (path, message, code = 'INVALID_FORMAT') => {
    problems.push({ code, path: nameOf(format, path), message })
  })
  if (problems.length > 0) return { ...place, record: null, problems: problems.slice(0, mostProblems) }
  const repeated = keysOf(record).find(({ key }) => seen.has(key))
  if (repeated !== undefined) return { ...place, record: null, problems: [repetition(nameOf(format, repeated.path))] }
  for (const { key } of keysOf(record)) seen.add(key)
  const fresh = expectsNew && record.identitiesOf === null ? freshUser(record, checks.now) : null
  return { ...place, record, problems: null, fresh }
}

/** What may be told of one user in a file only, in the form that is compared: addresses in different cases are the same. */
function keysOf({ id, attributes, identities }: ImportRecord): { key: string; path: readonly string[] }[] {
  const { emailNormal, phoneNumber, usernameNormal, externalId } = attributes
  return [
    { key: id, kind: 'id', path: ['id'] },
    { key: externalId, kind: 'externalId', path: ['externalId'] },
    { key: emailNormal, kind: 'email', path: ['email'] },
    { key: phoneNumber, kind: 'phoneNumber', path: ['phoneNumber'] },
    { key: usernameNormal, kind: 'username', path: ['username'] },
    ...identities.map((identity, index) => ({ key: identityKey(identity), kind: 'identity', path: ['identities', String(index)] })),
  ].flatMap(({ key, kind, path }) => (key == null ? [] : [{ key: `${kind} ${key}`, path }]))
}

function repetition(path: string | null): Problem {
  return { code: 'DUPLICATED_USER', path, message: 'A record before this one has the same here; upper and lower case are the same.' }
}
