import type { Prisma } from '../../generated/prisma/client.ts'
import { type Check, enumerate, type Finding, type Severity } from './finding.ts'
import { findHostTriggers, type HostTrigger, runnerOf } from './host-trigger.ts'
import { giveRights, makeDefiner, pinPath } from './trigger-fix.ts'
import { type UsedTable, usedTables } from './used-tables.ts'

/** The operator's triggers on Roster's tables: with whose rights and on which search path their functions run, and whether those suffice. */
export const checkHostTriggers: Check = async (db) => {
  const triggers = (await findHostTriggers(db)).filter(({ onRoster }) => onRoster)
  const findings: Finding[] = []
  for (const trigger of triggers) findings.push(...(await judge(db, trigger)))
  return findings
}

async function judge(db: Prisma.TransactionClient, trigger: HostTrigger): Promise<Finding[]> {
  const tables = await usedTables(db, trigger)
  const lacking = tables.filter(({ grants }) => grants.length > 0)
  const finding = findingOf(trigger)
  if (lacking.length > 0) return [finding('WARNING', lacks(trigger, lacking), giveRights(trigger, lacking) ?? '')]
  if (trigger.isDefiner && trigger.searchPath === null)
    return [
      finding(
        'WARNING',
        `${trigger.function} is security definer and has no search_path of its own: it finds its tables by that of whoever changes a user, who can have others found in their place.`,
        pinPath(trigger, tables),
      ),
    ]
  if (!trigger.isDefiner && worksElsewhere(trigger, tables))
    return [
      finding(
        'INFO',
        `${trigger.function} runs with the rights of Roster's database user, now "${trigger.user}", which suffice. As another user, with fewer rights, changes of users would fail.`,
        makeDefiner(trigger, tables),
      ),
    ]
  return []
}

/** Whether it does more than look at the row at hand. */
function worksElsewhere({ source }: HostTrigger, tables: readonly UsedTable[]): boolean {
  return tables.length > 0 || /\bexecute\b/i.test(source)
}

function lacks(trigger: HostTrigger, tables: readonly UsedTable[]): string {
  const whose = trigger.isDefiner ? 'its owner' : "Roster's database user"
  const names = enumerate(tables.map(({ name }) => name))
  return `${trigger.function} works on ${names} with the rights of ${whose} "${runnerOf(trigger)}", who may not do that: the changes of users that fire it fail.`
}

function findingOf({ name, table }: HostTrigger) {
  return (severity: Severity, problem: string, fix: string): Finding => ({
    severity,
    object: `${name} on ${table}`,
    kind: 'trigger',
    problem,
    fix,
  })
}
