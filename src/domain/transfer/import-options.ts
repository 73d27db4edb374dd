import type { MetadataMode } from '../metadata.ts'
import type { WeakHashes } from './check/check-record.ts'
import type { UserDataFormat } from './user-data-format.ts'

/** What a record and a user have in common that makes them the same person. */
export const matchKeys = ['ID', 'EXTERNAL_ID', 'EMAIL', 'PHONE_NUMBER'] as const

export type MatchKey = (typeof matchKeys)[number]

/** How an import is done. */
export type ImportOptions = Readonly<{
  format: UserDataFormat
  /** Whether users who are there already are changed; otherwise their records are refused. */
  upsert: boolean
  /** What to find them by; the first that finds one counts. */
  matchOn: readonly MatchKey[]
  /** How metadata meets what is there. */
  metadataMode: MetadataMode
  /** Whether nothing is kept of it: it only says what would happen. */
  dryRun: boolean
  weakHashes: WeakHashes
}>
