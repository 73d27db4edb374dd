import type { DocumentNode } from 'graphql'

/** What the parsed documents that are kept may weigh together, in bytes, by estimate. */
const maxWeight = 16_000_000
/** About what a token weighs when it is parsed. */
const tokenWeight = 400

/** Parsed documents by their text, so that an application's operations are parsed and validated once. */
export type DocumentCache = { get: (text: string) => DocumentNode | undefined; set: (text: string, document: DocumentNode) => void }

/** Keeps the documents used last. It is bounded by weight: a caller can send any number of documents of any length. */
export function createDocumentCache(): DocumentCache {
  const kept = new Map<string, DocumentNode>()
  let total = 0
  const remove = (text: string, document: DocumentNode): void => {
    kept.delete(text)
    total -= weight(text, document)
  }
  const set = (text: string, document: DocumentNode): void => {
    kept.set(text, document)
    total += weight(text, document)
    for (const [oldest, itsDocument] of kept) {
      if (total <= maxWeight) break
      remove(oldest, itsDocument)
    }
  }
  const get = (text: string): DocumentNode | undefined => {
    const document = kept.get(text)
    if (document !== undefined) {
      kept.delete(text)
      kept.set(text, document)
    }
    return document
  }
  return { get, set }
}

function weight(text: string, document: DocumentNode): number {
  return 2 * text.length + tokenWeight * (document.tokenCount ?? 0)
}
