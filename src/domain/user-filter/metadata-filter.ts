import { Prisma } from '../../generated/prisma/client.ts'
import { allOf, existence, given, never } from './condition.ts'
import { isArrayIndex, parsePointer, pointed } from './json-pointer.ts'

/** What a value in metadata must be. What is given must all hold. */
export type MetadataFilter = Readonly<{
  /** An RFC 6901 JSON Pointer; empty: the whole bag. */
  path: string
  eq?: unknown
  in?: readonly unknown[] | null
  contains?: unknown
  gt?: unknown
  lt?: unknown
  exists?: boolean | null
}>

/** The most alternatives that an index looks up for one value: more array indexes in a path than two are not worth it. */
const mostDocuments = 4

/**
 * Compiles a metadata filter. `eq`, `in` and `contains` use the column's index: it answers which bags contain a document, so
 * the value is wrapped into the documents it must stand in. `gt`, `lt` and `exists` read every row that is left.
 */
export function metadataCondition(column: Prisma.Sql, filter: MetadataFilter): Prisma.Sql {
  const pointer = parsePointer(filter.path)
  const value = pointed(column, pointer)
  return allOf([
    ...given(filter.eq, (wanted) => equal(column, pointer, value, [wanted])),
    ...given(filter.in, (wanted) => (wanted.length === 0 ? never : equal(column, pointer, value, wanted))),
    ...given(filter.contains, (wanted) => contained(column, pointer, value, wanted)),
    ...given(filter.gt, (bound) => compared(value, Prisma.sql`>`, bound)),
    ...given(filter.lt, (bound) => compared(value, Prisma.sql`<`, bound)),
    ...given(filter.exists, (exists) => existence(value, exists)),
  ])
}

type Pointer = readonly string[]

function equal(column: Prisma.Sql, pointer: Pointer, value: Prisma.Sql, wanted: readonly unknown[]): Prisma.Sql {
  const documents = wanted.map((one) => wrapped(pointer, [one]))
  const exactly = Prisma.sql`${value} = any(${wanted.map((one) => JSON.stringify(one))}::text[]::jsonb[])`
  return indexed(column, documents.flat(), exactly, isPlain(pointer) && wanted.every(isScalar))
}

/** A scalar is contained in a list that has it, and in itself. */
function contained(column: Prisma.Sql, pointer: Pointer, value: Prisma.Sql, wanted: unknown): Prisma.Sql {
  const documents = wrapped(pointer, isScalar(wanted) ? [wanted, [wanted]] : [wanted])
  const exactly = Prisma.sql`${value} @> ${JSON.stringify(wanted)}::jsonb`
  return indexed(column, documents, exactly, isPlain(pointer))
}

/**
 * Bags that contain one of the documents and, where that says too little, meet the exact condition as well. The planner knows how
 * many bags contain a document, but takes every comparison of an expression for rare; `coalesce` keeps it from multiplying.
 */
function indexed(column: Prisma.Sql, documents: readonly unknown[], exactly: Prisma.Sql, saysAll: boolean): Prisma.Sql {
  if (documents.length === 0) return exactly
  const texts = documents.map((document) => JSON.stringify(document))
  const containment =
    texts.length === 1 ? Prisma.sql`${column} @> ${texts[0]}::jsonb` : Prisma.sql`${column} @> any(${texts}::text[]::jsonb[])`
  return saysAll ? containment : allOf([containment, Prisma.sql`coalesce(${exactly}, false)`])
}

/** The documents that a bag contains one of when one of the values stands at the path. None: too many, or the path is the bag. */
function wrapped(pointer: Pointer, values: readonly unknown[]): unknown[] {
  if (pointer.length === 0 || 2 ** pointer.filter(isArrayIndex).length > mostDocuments) return []
  return pointer.reduceRight<unknown[]>(
    (documents, segment) =>
      documents.flatMap((document) => (isArrayIndex(segment) ? [{ [segment]: document }, [document]] : [{ [segment]: document }])),
    [...values],
  )
}

/** Numbers are compared with numbers, and texts with texts by their code points; a value of another type never matches. */
function compared(value: Prisma.Sql, operator: Prisma.Sql, bound: unknown): Prisma.Sql {
  return typeof bound === 'number'
    ? Prisma.sql`(jsonb_typeof(${value}) = 'number' and ${value} ${operator} ${JSON.stringify(bound)}::jsonb)`
    : Prisma.sql`(jsonb_typeof(${value}) = 'string' and (${value} #>> '{}') collate "C" ${operator} ${String(bound)})`
}

/** A path of keys alone: a bag that contains the wrapped value has it at the path, and nowhere else. */
function isPlain(pointer: Pointer): boolean {
  return pointer.length > 0 && !pointer.some(isArrayIndex)
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object'
}
