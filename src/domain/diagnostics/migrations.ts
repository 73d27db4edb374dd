import { type MigrationState, migrationStates } from '../../database/migrate.ts'
import type { Check, Finding } from './finding.ts'

/** The migrations that the database lacks, or has in another way than this build. */
export const checkMigrations: Check = async (db) => {
  const [records] = await db.$queryRaw<{ exist: boolean }[]>`SELECT to_regclass('roster._prisma_migrations') IS NOT NULL AS exist`
  // Reading what is not there would end the transaction.
  const query = async <Row>(sql: string) => (records?.exist ? ((await db.$queryRawUnsafe(sql)) as Row[]) : [])
  const states = await migrationStates({ query })
  return states.flatMap(({ name, state }) => {
    const judgement = judgements[state]
    return judgement === null ? [] : [{ severity: 'ERROR', object: name, kind: 'migration', ...judgement(name) } satisfies Finding]
  })
}

type Judgement = (name: string) => Pick<Finding, 'problem' | 'fix'>

const judgements: { readonly [State in MigrationState['state']]: Judgement | null } = {
  applied: null,
  pending: () => ({
    problem: 'The migration was not applied: tables are not as this version of Roster needs them.',
    fix: '-- Run `roster migrate`.',
  }),
  failed: (name) => ({
    problem: 'The migration failed half-way. Undo what it did, say so with this statement, and run `roster migrate`.',
    fix: `UPDATE roster._prisma_migrations SET rolled_back_at = now() WHERE migration_name = '${name.replaceAll("'", "''")}' AND finished_at IS NULL;`,
  }),
  unknown: () => ({
    problem: 'The migration is of a newer Roster: this version does not know what it changed.',
    fix: '-- Start the version of Roster that migrated the database, or a later one.',
  }),
  changed: () => ({
    problem: 'The migration was applied with another text than this build has.',
    fix: '-- Use the build that migrated the database, or restore the text of the migration.',
  }),
}
