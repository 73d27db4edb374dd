import type { Prisma } from '../generated/prisma/client.ts'
import { checkColumns } from './diagnostics/columns.ts'
import { checkConstraints } from './diagnostics/constraints.ts'
import { explainFailures } from './diagnostics/explain-failures.ts'
import { type Finding, severities } from './diagnostics/finding.ts'
import { checkForeignKeys } from './diagnostics/foreign-keys.ts'
import { checkHostTriggers } from './diagnostics/host-triggers.ts'
import { checkIndexes } from './diagnostics/indexes.ts'
import { checkMigrations } from './diagnostics/migrations.ts'
import { checkOwnTriggers } from './diagnostics/own-triggers.ts'
import { checkPrivileges } from './diagnostics/privileges.ts'
import { checkRowSecurity } from './diagnostics/row-security.ts'
import { checkSettings } from './diagnostics/settings.ts'
import { type TrialScope, tryChanges } from './diagnostics/try-changes.ts'

/** What can make changes of users fail. `ok`: nothing of severity ERROR was found. */
export type Diagnostics = Readonly<{ ok: boolean; findings: readonly Finding[] }>

const basics = [checkSettings, checkPrivileges]

/** As long as there is one of these, everything else fails for the same reason. */
const decisive: ReadonlySet<string> = new Set(['privilege', 'migration', 'setting'])

const others = [checkColumns, checkConstraints, checkIndexes, checkOwnTriggers, checkRowSecurity, checkForeignKeys, checkHostTriggers]

/**
 * Looks in the database's catalogue for what can make changes of users fail, and tries each kind of change on a made-up user, in
 * transactions that are rolled back. Takes some seconds at the most. Findings come the worst first. Where Roster lacks rights or
 * migrations, or cannot write at all, only that is judged: the rest would follow from it.
 */
export async function diagnose(scope: TrialScope): Promise<Diagnostics> {
  const { findings, isWhole } = await scope.db.$transaction(look)
  const tried = isWhole ? await explainFailures(scope.db, await tryChanges(scope), findings) : []
  // What has been seen to fail stands for what was only feared of the same thing.
  const feared = findings.filter(({ object }) => !tried.some((finding) => finding.object === object))
  const all = [...tried, ...feared].toSorted((a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity))
  return { ok: all.every(({ severity }) => severity !== 'ERROR'), findings: all }
}

type Looked = Readonly<{ findings: readonly Finding[]; isWhole: boolean }>

async function look(db: Prisma.TransactionClient): Promise<Looked> {
  await db.$executeRaw`SELECT set_config('search_path', '', true), set_config('statement_timeout', '2000', true)`
  const findings: Finding[] = []
  for (const check of basics) findings.push(...(await check(db)))
  const mayRead = !findings.some(({ object }) => object === 'roster' || object === 'roster._prisma_migrations')
  if (mayRead) findings.push(...(await checkMigrations(db)))
  if (findings.some(({ kind }) => decisive.has(kind))) return { findings, isWhole: false }
  for (const check of others) findings.push(...(await check(db)))
  return { findings, isWhole: true }
}
