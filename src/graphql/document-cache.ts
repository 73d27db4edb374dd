import type { DocumentNode } from 'graphql'

/** What the parsed documents that are kept may weigh together, in bytes, by estimate. */
const maxWeight = 16_000_000
/** About what a token weighs when it is parsed. */
const tokenWeight = 400

/** Parsed documents by their text, so that an application's operations are parsed and validated once. */
export type DocumentCache = { get: (text: string) => DocumentNode | undefined; set: (text: string, document: DocumentNode) => void }

/**
 * Keeps the documents that are used. It is bounded by weight: a caller can send any number of documents of any length. When there are
 * too many, the oldest goes, unless it was used since it was last looked at. Using one moves nothing: a map that changes all the time
 * holds what was in it until the old generation is collected.
 */
export function createDocumentCache(): DocumentCache {
  const kept = new Map<string, { document: DocumentNode; isUsed: boolean }>()
  let total = 0
  const set = (text: string, document: DocumentNode): void => {
    kept.set(text, { document, isUsed: false })
    total += weight(text, document)
    for (const [oldest, one] of kept) {
      if (total <= maxWeight) break
      kept.delete(oldest)
      if (one.isUsed) kept.set(oldest, { ...one, isUsed: false })
      else total -= weight(oldest, one.document)
    }
  }
  const get = (text: string): DocumentNode | undefined => {
    const one = kept.get(text)
    if (one !== undefined) one.isUsed = true
    return one?.document
  }
  return { get, set }
}

function weight(text: string, document: DocumentNode): number {
  return 2 * text.length + tokenWeight * (document.tokenCount ?? 0)
}
