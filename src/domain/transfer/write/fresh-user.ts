import type { CopyBytes } from '../../../database/copy-rows.ts'
import { eventStart } from '../../change/record-event.ts'
import type { ImportRecord } from '../import-record.ts'
import { newUserRows } from './new-user.ts'
import { newUserImage } from './new-user-image.ts'
import { type RowBytes, rowBytes } from './rows.ts'

/** Somebody new, ready to be sent: the rows, and what history says of it. */
export type FreshUser = Readonly<{ bytes: RowBytes; event: CopyBytes }>

/** Makes it, while the batch before is being written. */
export function freshUser(record: ImportRecord, now: Date): FreshUser {
  const rows = newUserRows(record, now)
  return { bytes: rowBytes(rows), event: eventStart(String(rows.users[0].id), null, newUserImage(record, rows)) }
}
