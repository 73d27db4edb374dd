import type { CopyBytes } from '../../../database/copy-rows.ts'
import { eventStart } from '../../change/record-event.ts'
import type { ManyChanged, ManyScope } from '../../change.ts'
import { type FileFormat, nameOf } from '../format/draft.ts'
import type { ImportOptions } from '../import-options.ts'
import type { ImportRecord } from '../import-record.ts'
import type { PreparedRecord } from '../prepare-record.ts'
import type { Problem } from '../problem.ts'
import { changedUser } from './changed-user.ts'
import { type FreshUser, freshUser } from './fresh-user.ts'
import { findKnown, matchUser } from './match-users.ts'
import { copiedRows } from './rows.ts'
import { type AppliedRecord, lockUsers, updateUsers } from './update-users.ts'

/** A record that was refused, and why. */
export type RefusedRecord = Readonly<{ line: number; bytes: Buffer | null; problems: readonly Problem[] }>

/** What became of records: how many, and those that were refused, in the order of the file. */
export type Written = Readonly<{ inserted: number; updated: number; skipped: number; refused: readonly RefusedRecord[] }>

type Work = Readonly<{
  format: FileFormat
  options: Pick<ImportOptions, 'upsert' | 'matchOn' | 'metadataMode'>
  /** Whether it is looked first who is there already; without it the database refuses all of the records when one of them is. */
  looksFirst: boolean
}>
type Taken = Extract<PreparedRecord, { problems: null }>

/** Writes records, inside one change: those that can be, each with an event of its own. */
export async function writeRecords(tx: ManyScope, work: Work, records: readonly PreparedRecord[]): Promise<ManyChanged<Written>> {
  const refused: RefusedRecord[] = []
  const refuse = ({ line, bytes }: PreparedRecord, problems: readonly Problem[]) => refused.push({ line, bytes, problems })
  const taken = records.filter((prepared): prepared is Taken => prepared.problems === null)
  for (const prepared of records) if (prepared.problems !== null) refuse(prepared, prepared.problems)
  const refuseAt = (prepared: Taken, problem: Omit<Problem, 'path'>, path: readonly string[]) =>
    refuse(prepared, [{ ...problem, path: nameOf(work.format, path) }])

  const added: Taken[] = work.looksFirst ? [] : taken
  const found: { prepared: Taken; record: ImportRecord; userId: string }[] = []
  const wanted = work.looksFirst ? taken.map((prepared) => ({ prepared, record: prepared.record() })) : []
  const known = await findKnown(
    tx.db,
    wanted.map(({ record }) => record),
  )
  for (const { prepared, record } of wanted) {
    const match = matchUser(record, known, work.options)
    if ('problem' in match) refuseAt(prepared, match.problem, match.path)
    else if (match.userId === null) added.push(prepared)
    else found.push({ prepared, record, userId: match.userId })
  }
  const inserted = await insertUsers(tx, added, refuseAt)
  const users = await lockUsers(tx.db, [...new Set(found.map(({ userId }) => userId))])
  const applied: AppliedRecord[] = []
  let skipped = 0
  for (const { prepared, record, userId } of found) {
    const user = users.get(userId)
    // Deleted for good since it was found.
    const changed = user === undefined ? null : changedUser(user, record, work.options.metadataMode, tx.now)
    if (changed === null) skipped++
    else if ('problem' in changed) refuseAt(prepared, changed.problem, changed.path)
    else applied.push({ record, changed })
  }
  await updateUsers(tx, applied)
  const updates = applied.map(({ changed: { user, before, after } }) => event(eventStart(user.id, before, after)))
  refused.sort((a, b) => a.line - b.line)
  return { result: { inserted: inserted.length, updated: applied.length, skipped, refused }, events: [...inserted, ...updates] }
}

type RefuseAt = (prepared: Taken, problem: Omit<Problem, 'path'>, path: readonly string[]) => void

async function insertUsers(tx: ManyScope, added: readonly Taken[], refuseAt: RefuseAt): Promise<ManyChanged<unknown>['events']> {
  const fresh: FreshUser[] = []
  for (const prepared of added) {
    const made = prepared.fresh ?? freshUser(prepared.record(), tx.now)
    if (made.unverifiable === null) fresh.push(made)
    else refuseAt(prepared, { code: 'INVALID_FORMAT', message: 'There is nothing that could be verified.' }, [made.unverifiable])
  }
  await tx.copy(copiedRows(fresh.map(({ bytes }) => bytes)))
  return fresh.map(({ event: start }) => event(start))
}

function event(start: CopyBytes): ManyChanged<unknown>['events'][number] {
  return { type: 'user.imported', start }
}
