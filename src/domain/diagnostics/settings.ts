import type { Check, Finding } from './finding.ts'

type Settings = {
  database: string
  reference: string
  user: string
  encoding: string
  isReadOnly: boolean
  isStandby: boolean
  collationVersion: string | null
  actualVersion: string | null
}

/** The database itself: its encoding, whether its collation is still the one that its indexes were made with, whether it can be written. */
export const checkSettings: Check = async (db) => {
  const [settings] = await db.$queryRaw<Settings[]>`
    SELECT datname::text AS database, quote_ident(datname) AS reference, quote_ident(current_user) AS "user", pg_encoding_to_char(encoding)::text AS encoding,
      (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only') AS "isReadOnly",
      pg_is_in_recovery() AS "isStandby",
      to_jsonb(d) ->> 'datcollversion' AS "collationVersion",
      CASE WHEN to_jsonb(d) ? 'datcollversion' THEN pg_database_collation_actual_version(oid) END AS "actualVersion"
    FROM pg_database d WHERE datname = current_database()`
  if (settings === undefined) return []
  return [encodingFinding(settings), readOnlyFinding(settings), versionFinding(settings)].filter((finding) => finding !== null)
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

function versionFinding({ database, reference, collationVersion, actualVersion }: Settings): Finding | null {
  if (collationVersion === null || actualVersion === null || collationVersion === actualVersion) return null
  return {
    severity: 'WARNING',
    object: database,
    kind: 'collation',
    problem: `The database's indexes were made with version ${collationVersion} of its collation, and the machine now has ${actualVersion}: text may be in another order, and what is unique may be found twice or not at all.`,
    fix: `REINDEX DATABASE ${reference};\nALTER DATABASE ${reference} REFRESH COLLATION VERSION;`,
  }
}
