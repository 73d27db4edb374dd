import type { Prisma } from '../../generated/prisma/client.ts'

/** How bad: worth knowing; may make a change of users fail or go wrong; does. */
export const severities = ['INFO', 'WARNING', 'ERROR'] as const

export type Severity = (typeof severities)[number]

/** Something in the database that can make changes of users fail. */
export type Finding = Readonly<{
  severity: Severity
  /** What it is, by name: `on_user_created on roster.users`. Findings of the same object are about the same thing. */
  object: string
  /** What sort of thing: `trigger`, `foreign key`. */
  kind: string
  /** What is wrong with it, in whole sentences. */
  problem: string
  /** What mends it: statements to paste into psql, as the owner of the tables; a comment where no statement can. */
  fix: string
}>

/** Looks at one thing. `db` is a transaction that only reads, and whose search path is empty, so that names come with their schema. */
export type Check = (db: Prisma.TransactionClient) => Promise<Finding[]>

/** The name as SQL writes it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Several things as a sentence names them. */
export function enumerate(things: readonly string[]): string {
  return things.length < 2 ? things.join('') : `${things.slice(0, -1).join(', ')} and ${things.at(-1)}`
}
