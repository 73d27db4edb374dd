import { Prisma } from '../../generated/prisma/client.ts'

/**
 * What has become another in a JSON column between `before` and `after`, as `roster.json_changes` has it. That function is called only
 * where there is something that it alone can tell, because calling it takes as long as writing the row. `patched`: the members that
 * are meant to change, and most often do, alone.
 */
export function columnDifference(column: string, path: string, patched: readonly string[]): Prisma.Sql {
  const [before, after] = [`before.${column}`, `after.${column}`]
  const whole = Prisma.raw(`roster.json_changes(${before}, ${after}, '${path}')`)
  const [member, ...more] = patched
  const difference =
    member === undefined
      ? whole
      : Prisma.sql`coalesce(${more.length === 0 ? ofMember(before, after, path, member) : Prisma.raw(ofValues(before, after, path))}, ${whole})`
  return Prisma.sql`case when ${Prisma.raw(`${before} = ${after}`)} then '[]'::jsonb else ${difference} end`
}

/** Of objects that differ in this member alone, which is no object; null of others. */
function ofMember(before: string, after: string, path: string, member: string): Prisma.Sql {
  const [from, to, key] = [Prisma.raw(before), Prisma.raw(after), Prisma.sql`${member}::text`]
  const [old, now] = [Prisma.sql`coalesce(${from} -> ${key}, 'null')`, Prisma.sql`coalesce(${to} -> ${key}, 'null')`]
  const place = `${path}/${member.replaceAll('~', '~0').replaceAll('/', '~1')}`
  return Prisma.sql`case when ${from} - ${key} = ${to} - ${key} and ${old} <> ${now} and 'object' not in (jsonb_typeof(${old}), jsonb_typeof(${now}))
    then jsonb_build_array(jsonb_build_object('path', ${place}::text, 'before', ${old}, 'after', ${now})) end`
}

/** Of objects whose members are no objects; null where some that differ are. */
function ofValues(before: string, after: string, path: string): string {
  return `(
    select case when not bool_or('object' in (jsonb_typeof(old), jsonb_typeof(new))) then jsonb_agg(
      jsonb_build_object('path', '${path}/' || replace(replace(name, '~', '~0'), '/', '~1'), 'before', old, 'after', new)
      order by ${before} ? name desc, place
    ) end
    from (
      select name, place, coalesce(${before} -> name, 'null') as old, coalesce(${after} -> name, 'null') as new
      from jsonb_object_keys(${before} || ${after}) with ordinality as member (name, place)
    ) as members where old <> new
  )`
}
