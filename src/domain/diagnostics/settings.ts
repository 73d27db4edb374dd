import type { Prisma } from '../../generated/prisma/client.ts'
import type { Check, Finding } from './finding.ts'

type Settings = {
  database: string
  reference: string
  user: string
  encoding: string
  isReadOnly: boolean
  isStandby: boolean
  /** Whether the server can tell the version of a database's collation: from 15 on. */
  knowsVersion: boolean
}

/** Of the database's collation: when its indexes were made, and now. Null where the collation has none. */
type Versions = { made: string | null; now: string | null }

/** The database itself: its encoding, whether its collation is still the one that its indexes were made with, whether it can be written. */
export const checkSettings: Check = async (db) => {
  const [settings] = await db.$queryRaw<Settings[]>`
    SELECT datname::text AS database, quote_ident(datname) AS reference, quote_ident(current_user) AS "user", pg_encoding_to_char(encoding)::text AS encoding,
      (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only') AS "isReadOnly",
      pg_is_in_recovery() AS "isStandby",
      to_regproc('pg_database_collation_actual_version') IS NOT NULL AS "knowsVersion"
    FROM pg_database WHERE datname = current_database()`
  if (settings === undefined) return []
  const versions = settings.knowsVersion ? await readVersions(db) : null
  return [encodingFinding(settings), readOnlyFinding(settings), versionFinding(settings, versions)].filter((finding) => finding !== null)
}

function encodingFinding({ database, reference, encoding }: Settings): Finding | null {
  if (encoding === 'UTF8') return null
  return {
    severity: 'ERROR',
    object: database,
    kind: 'encoding',
    problem: `The database is encoded in ${encoding}, not in UTF8: a name with a character that ${encoding} lacks cannot be written.`,
    fix: `-- The encoding of a database cannot be changed: dump this one with pg_dump, and restore it into\nCREATE DATABASE ${reference.replace(/"?$/, '_utf8$&')} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;`,
  }
}

function readOnlyFinding({ database, reference, user, isReadOnly, isStandby }: Settings): Finding | null {
  if (!isReadOnly && !isStandby) return null
  return {
    severity: 'ERROR',
    object: database,
    kind: 'setting',
    problem: isStandby
      ? 'The server is a standby: nothing can be changed on it.'
      : 'Transactions are read-only here: nothing can be changed.',
    fix: isStandby
      ? '-- Let DATABASE_URL name the primary server.'
      : `ALTER ROLE ${user} IN DATABASE ${reference} SET default_transaction_read_only = off;`,
  }
}

async function readVersions(db: Prisma.TransactionClient): Promise<Versions | null> {
  const [versions] = await db.$queryRaw<Versions[]>`
    SELECT datcollversion AS made, pg_database_collation_actual_version(oid) AS "now" FROM pg_database WHERE datname = current_database()`
  return versions ?? null
}

function versionFinding({ database, reference }: Settings, versions: Versions | null): Finding | null {
  const { made, now } = versions ?? { made: null, now: null }
  if (made === null || now === null || made === now) return null
  return {
    severity: 'WARNING',
    object: database,
    kind: 'collation',
    problem: `The database's indexes were made with version ${made} of its collation, and the machine now has ${now}: text may be in another order, and what is unique may be found twice or not at all.`,
    fix: `REINDEX DATABASE ${reference};\nALTER DATABASE ${reference} REFRESH COLLATION VERSION;`,
  }
}
