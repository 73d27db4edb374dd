import { Prisma } from '../generated/prisma/client.ts'
import type { Json } from './difference.ts'
import { DomainError, invalidInput } from './errors.ts'
import { isStorableText } from './normalize.ts'

/** How a metadata patch meets what is there; see the GraphQL enum of the same name. */
export type MetadataMode = 'MERGE' | 'MERGE_DEEP' | 'REPLACE'

/** Metadata: a JSON object. */
export type Metadata = { readonly [key: string]: Json }

/** 16 KiB: the largest bag after a change, as UTF-8 of its compact JSON. */
export const metadataMaxBytes = 16_384
/** How deeply objects and arrays may nest, the bag itself being the first level. */
export const metadataMaxDepth = 8
const keyMaxLength = 64
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype'])

/** What is wrong with a bag or a patch by itself, all of it, each with its path. */
export function metadataProblems(value: unknown, path: readonly string[]): DomainError[] {
  if (!isPlainObject(value)) return [invalidInput(path, `\`${path.at(-1)}\` must be a JSON object.`)]
  const problems: DomainError[] = []
  checkObject(value, 1, (inner, message) => problems.push(invalidInput([...path, ...inner], message)))
  return problems
}

/** Told of a problem, and of the keys that lead to it from where it is told, the outermost first. */
type Tell = (path: readonly string[], message: string) => void

/** Paths are made where there is a problem: an import checks many bags. */
function checkObject(value: Record<string, unknown>, depth: number, tell: Tell): void {
  if (depth > metadataMaxDepth) tell([], tooDeep)
  else for (const key of Object.keys(value)) checkMember(key, value[key], depth, tell)
}

function checkMember(key: string, value: unknown, depth: number, tell: Tell): void {
  const problem = keyProblem(key)
  if (problem === null) checkValue(value, depth, (inner, message) => tell([key, ...inner], message))
  else tell([key.slice(0, keyMaxLength)], problem)
}

function checkValue(value: unknown, depth: number, tell: Tell): void {
  if (Array.isArray(value)) {
    if (depth >= metadataMaxDepth) tell([], tooDeep)
    else
      for (const [index, item] of value.entries()) checkValue(item, depth + 1, (inner, message) => tell([String(index), ...inner], message))
  } else if (isPlainObject(value)) checkObject(value, depth + 1, tell)
  else if (typeof value === 'string') {
    if (!isStorableText(value)) tell([], 'Text must not hold NUL or a lone surrogate.')
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) tell([], 'A number must be finite.')
  } else if (value !== null && typeof value !== 'boolean') tell([], 'Metadata holds JSON values only.')
}

const tooDeep = `Metadata may nest ${metadataMaxDepth} levels deep at most.`

function keyProblem(key: string): string | null {
  if (key.length === 0 || key.length > keyMaxLength) return `A metadata key has 1 to ${keyMaxLength} characters.`
  if (forbiddenKeys.has(key)) return `A metadata key must not be ${[...forbiddenKeys].join(', ')}.`
  return isStorableText(key) ? null : 'A metadata key must not hold NUL or a lone surrogate.'
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The SQL value a metadata column becomes, computed by the statement that changes the row, so that no parallel change is lost. */
export function patchedMetadata(column: Prisma.Sql, patch: Metadata, mode: MetadataMode): Prisma.Sql {
  const whole = Prisma.sql`${JSON.stringify(patch)}::jsonb`
  if (mode === 'REPLACE') return whole
  if (mode === 'MERGE_DEEP') return Prisma.sql`roster.json_merge_patch(${column}, ${whole})`
  const removed = Object.keys(patch).filter((key) => patch[key] === null)
  const set = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== null))
  return Prisma.sql`(${column} || ${JSON.stringify(set)}::jsonb) - ${removed}::text[]`
}

/** @throws {DomainError} METADATA_TOO_LARGE or INVALID_INPUT when the bag as it stands after the change passes a limit */
export function assertMetadataFits(bag: unknown, path: readonly string[]): void {
  const actual = Buffer.byteLength(JSON.stringify(bag))
  if (actual > metadataMaxBytes) {
    const message = `\`${path.at(-1)}\` would have ${actual} bytes; at most ${metadataMaxBytes} are kept.`
    throw new DomainError('METADATA_TOO_LARGE', message, path, { limit: metadataMaxBytes, actual })
  }
  const [problem] = metadataProblems(bag, path)
  if (problem) throw problem
}

/**
 * The same as `patchedMetadata`, of a bag that was read and is locked: what many rows become in one statement. Keys have been checked,
 * so that none of them is a prototype's.
 */
export function mergeMetadata(bag: Metadata, patch: Metadata, mode: MetadataMode): Metadata {
  if (mode === 'REPLACE') return patch
  const merged: Record<string, Json> = { ...bag }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else merged[key] = mode === 'MERGE_DEEP' && isPlainObject(value) ? mergeDeep(own(bag, key), value as Metadata) : value
  }
  return merged
}

/** RFC 7386: what is no object is taken for an empty one. */
function mergeDeep(value: Json, patch: Metadata): Metadata {
  return mergeMetadata(isPlainObject(value) ? (value as Metadata) : {}, patch, 'MERGE_DEEP')
}

function own(bag: Metadata, key: string): Json {
  return Object.hasOwn(bag, key) ? (bag[key] ?? null) : null
}
