import { rosterFields } from '../../transfer/format/roster.ts'
import type { Shape } from './user-writer.ts'

/** Roster's own. */
export const rosterShape: Shape = { members: rosterFields, of: (record) => record }
