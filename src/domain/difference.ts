/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** One changed value: `path` is an RFC 6901 JSON Pointer into the record, as the graph names its fields. */
export type Change = Readonly<{ path: string; before: Json; after: Json }>

/** A record as history sees it: nested objects are compared field by field, arrays as a whole. */
export type Image = { readonly [key: string]: Json }

/** What changed between two images of a record. What is absent on one side is null there. */
export function difference(before: Image | null, after: Image | null, prefix = ''): Change[] {
  const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])
  return [...keys].flatMap((key) => {
    const path = `${prefix}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    return valueDifference(own(before, key), own(after, key), path)
  })
}

function valueDifference(before: Json, after: Json, path: string): Change[] {
  if (isObject(before) && isObject(after)) return difference(before, after, path)
  if (isObject(before) && after === null) return difference(before, {}, path)
  if (before === null && isObject(after)) return difference({}, after, path)
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }]
}

function own(image: Image | null, key: string): Json {
  return image !== null && Object.hasOwn(image, key) ? (image[key] ?? null) : null
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The difference as it is kept. Made before a transaction, it keeps nobody waiting. */
export function changesText(before: Image | null, after: Image | null): string {
  return JSON.stringify(difference(before, after))
}
