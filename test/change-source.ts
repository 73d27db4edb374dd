import { eachSource, forgetSources } from '../src/domain/profile-source.ts'
import type { PrismaClient, ProfileSource } from '../src/generated/prisma/client.ts'

/** Says of one attribute that is set that it came from elsewhere. */
export async function changeSource(
  prisma: PrismaClient,
  { userId, attribute }: Readonly<{ userId: string; attribute: string }>,
  source: Readonly<Partial<Pick<ProfileSource, 'origin' | 'identityId'>>>,
): Promise<void> {
  const rows = await prisma.profileSource.findMany({ where: { userId } })
  const known = eachSource(rows).find((row) => row.attribute === attribute)
  if (known === undefined) throw new Error(`${attribute} has no source.`)
  await forgetSources(prisma, [{ userId, attributes: [attribute] }])
  await prisma.profileSource.create({ data: { ...known, others: [], ...source } })
}
