/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** One changed value: `path` is an RFC 6901 JSON Pointer into the record, as the graph names its fields. */
export type Change = Readonly<{ path: string; before: Json; after: Json }>

/** A record as history sees it: nested objects are compared field by field, arrays as a whole. */
export type Image = { readonly [key: string]: Json }

/** What changed between two images of a record. What is absent on one side is null there. */
export function difference(before: Image | null, after: Image | null): Change[] {
  const changes: Change[] = []
  compare(before, after, '', changes)
  return changes
}

/** What changed is added to one list: an import compares the images of many. */
function compare(before: Image | null, after: Image | null, prefix: string, changes: Change[]): void {
  // Somebody new has but one side.
  const keys = before === null ? Object.keys(after ?? {}) : new Set([...Object.keys(before), ...Object.keys(after ?? {})])
  for (const key of keys) {
    compareValues(own(before, key), own(after, key), `${prefix}/${pointed(key)}`, changes)
  }
}

function compareValues(before: Json, after: Json, path: string, changes: Change[]): void {
  if (before === null && after === null) return
  if (isObject(before) && (after === null || isObject(after))) compare(before, after ?? {}, path, changes)
  else if (before === null && isObject(after)) compare(null, after, path, changes)
  else if (before === null || JSON.stringify(before) !== JSON.stringify(after)) changes.push({ path, before, after })
}

/** A key as a JSON Pointer has it. */
function pointed(key: string): string {
  return /[~/]/.test(key) ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key
}

function own(image: Image | null, key: string): Json {
  return image !== null && Object.hasOwn(image, key) ? (image[key] ?? null) : null
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What history keeps of a change: what changed, or, of somebody new, what there was then, which is half as long. */
export type KeptChanges = readonly Change[] | Image

/** What is kept of the change between two images. */
export function keptChanges(before: Image | null, after: Image | null): KeptChanges {
  return before === null && after !== null ? after : difference(before, after)
}

/** What changed, of what history has kept. */
export function changesOf(kept: KeptChanges): readonly Change[] {
  return isChanges(kept) ? kept : difference(null, kept)
}

function isChanges(kept: KeptChanges): kept is readonly Change[] {
  return Array.isArray(kept)
}
