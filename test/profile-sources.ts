import { attributesOf, forgetSources, type SourcedAttributes } from '../src/domain/profile-source.ts'
import type { PrismaClient, ProfileSource } from '../src/generated/prisma/client.ts'

/** Where each attribute came from, whatever rows they share, in the order of their names. */
export function eachSource<Row extends SourcedAttributes>(rows: readonly Row[]): Omit<Row, 'others'>[] {
  return rows
    .flatMap(({ others, ...row }) => attributesOf({ ...row, others }).map((attribute) => ({ ...row, attribute })))
    .sort((one, other) => (one.attribute < other.attribute ? -1 : 1))
}

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
  await prisma.profileSource.create({ data: { ...known, ...source } })
}
