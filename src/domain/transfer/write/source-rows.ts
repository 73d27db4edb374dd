import { type ProfileAttribute, profileAttributes } from '../../profile.ts'
import type { ImportRecord } from '../import-record.ts'

/** Whose attributes: all of the record's when absent. */
type Sourced = Readonly<{
  userId: string
  attributes?: readonly ProfileAttribute[]
  /** The identity's id by its key; null when it is not there. */
  identityId: (key: string) => string | null
  /** ISO 8601. */
  now: string
}>

/** Where the attributes that are set came from, as the record tells or from the import: those that came together are one row. */
export function sourceRows({ profile = {}, sources }: ImportRecord, sourced: Sourced) {
  const { userId, attributes = profileAttributes, identityId, now } = sourced
  const together = new Map<string, [ProfileAttribute, ...ProfileAttribute[]]>()
  for (const attribute of attributes) {
    if (profile[attribute] == null) continue
    const source = sources?.get(attribute)
    const key = source === undefined ? '' : `${source.origin} ${source.setAt.getTime()} ${source.identity}`
    const known = together.get(key)
    if (known === undefined) together.set(key, [attribute])
    else known.push(attribute)
  }
  return Array.from(together.values(), ([attribute, ...others]) => {
    const { origin, identity, setAt } = sources?.get(attribute) ?? { origin: 'IMPORT', identity: null, setAt: now }
    const identity_id = identity === null ? null : identityId(identity)
    // The names of attributes are words, which an array of PostgreSQL has as they are.
    return { user_id: userId, attribute, others: `{${others.join(',')}}`, origin, identity_id, set_at: setAt }
  })
}
