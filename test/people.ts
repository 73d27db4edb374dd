import type { Database } from '../src/database/database.ts'
import type { Prisma } from '../src/generated/prisma/client.ts'

/** A user's columns beside what every one of them has, its identities, and whether it has a password. */
export type Person = Readonly<{
  user: Omit<Prisma.UserUncheckedCreateInput, 'id' | 'profile' | 'identities'>
  identities?: readonly [provider: string, providerUserId: string][]
  password?: boolean
}>

/** Inserts users as rows, and answers their ids by the names given. Their ids sort as they stand. */
export async function insertPeople({ prisma }: Database, people: Readonly<Record<string, Person>>): Promise<ReadonlyMap<string, string>> {
  const ids = new Map(Object.keys(people).map((name, index) => [name, idOf(index)]))
  for (const [name, { user, identities = [], password }] of Object.entries(people)) {
    const id = ids.get(name) ?? ''
    await prisma.user.create({
      data: {
        id,
        ...user,
        profile: { create: {} },
        identities: {
          create: identities.map(([provider, providerUserId], index) => ({ id: idOf(index, id.slice(-4)), provider, providerUserId })),
        },
        ...(password ? { passwordCredential: { create: { hash: 'none' } } } : {}),
      },
    })
  }
  return ids
}

function idOf(index: number, group = '0000'): string {
  return `0190a5b2-0000-7000-${group}-${String(index).padStart(12, '0')}`
}
