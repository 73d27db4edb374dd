import type { Prisma } from '../generated/prisma/client.ts'

/** The attributes that a row of `profile_sources` is of: one, and those that came together with it. */
export type SourcedAttributes = Readonly<{ attribute: string; others: readonly string[] }>

/** All of the attributes that a row is of. */
export function attributesOf({ attribute, others }: SourcedAttributes): string[] {
  return [attribute, ...others]
}

/**
 * One for each attribute, in the order of their names. A process of the version before may have written a row of one that another row has
 * among its others: then the row that it names is the newer one.
 */
export function eachSource<Row extends SourcedAttributes>(rows: readonly Row[]): Row[] {
  const named = new Set(rows.map(({ attribute }) => attribute))
  return rows
    .flatMap((row) => [row.attribute, ...row.others.filter((name) => !named.has(name))].map((attribute) => ({ ...row, attribute })))
    .sort((one, other) => (one.attribute < other.attribute ? -1 : 1))
}

/** Forgets where attributes came from, before it is said anew. The users must be locked. */
export async function forgetSources(
  db: Prisma.TransactionClient,
  forgotten: readonly Readonly<{ userId: string; attributes: readonly string[] }>[],
): Promise<void> {
  if (forgotten.length === 0) return
  await db.$executeRaw`
    with gone as (
      select user_id, attribute, array(
        select name from unnest(attribute || others) with ordinality as its (name, place)
        where name <> all(attributes) and not exists (
          select from roster.profile_sources as newer
          where newer.user_id = "userId" and newer.attribute = name and newer.attribute <> profile_sources.attribute
        ) order by place
      ) as remaining
      from jsonb_to_recordset(${JSON.stringify(forgotten)}::jsonb) as forgotten ("userId" uuid, attributes text[])
      join roster.profile_sources on user_id = "userId" and attribute || others && attributes
    ), emptied as (
      delete from roster.profile_sources as kept using gone
      where kept.user_id = gone.user_id and kept.attribute = gone.attribute and remaining = '{}'
    )
    update roster.profile_sources as kept set attribute = remaining[1], others = remaining[2:] from gone
    where kept.user_id = gone.user_id and kept.attribute = gone.attribute and remaining <> '{}'`
}
