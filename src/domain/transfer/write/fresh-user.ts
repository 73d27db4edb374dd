import type { CopyBytes } from '../../../database/copy-rows.ts'
import { eventStart } from '../../change/record-event.ts'
import type { UserAttributes } from '../../user/user-attributes.ts'
import type { ImportRecord } from '../import-record.ts'
import { newUserRows } from './new-user.ts'
import { newUserImage } from './new-user-image.ts'
import { type RowBytes, rowBytes } from './rows.ts'

/**
 * Somebody new, ready to be sent: the rows, and what history says of it. `unverifiable` is the flag of an address or a number that is
 * said to be verified, and is not there: such a user cannot be written.
 */
export type FreshUser = Readonly<{ bytes: RowBytes; event: CopyBytes; unverifiable: string | null }>

/** Makes it, while the batch before is being written. */
export function freshUser(record: ImportRecord, now: Date): FreshUser {
  const rows = newUserRows(record, now)
  const event = eventStart(String(rows.users[0].id), null, newUserImage(record, rows))
  return { bytes: rowBytes(rows), event, unverifiable: unverifiable(record.attributes) }
}

function unverifiable({ emailVerified, emailNormal, phoneNumberVerified, phoneNumber }: UserAttributes): string | null {
  if (emailVerified === true && emailNormal == null) return 'emailVerified'
  return phoneNumberVerified === true && phoneNumber == null ? 'phoneNumberVerified' : null
}
