import { Prisma } from '../../generated/prisma/client.ts'

/**
 * What has become another in a JSON column between `before` and `after`, as `roster.json_changes` has it. That function is called only
 * where there is something that it alone can tell, because calling it takes as long as writing the row. `isPatched`: whether it
 * is likely that there is anything.
 */
export function columnDifference(column: string, path: string, isPatched: boolean): Prisma.Sql {
  const [before, after] = [`before.${column}`, `after.${column}`]
  const whole = `roster.json_changes(${before}, ${after}, '${path}')`
  const difference = isPatched ? `coalesce(${ofValues(before, after, path)}, ${whole})` : whole
  return Prisma.raw(`case when ${before} = ${after} then '[]'::jsonb else ${difference} end`)
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
