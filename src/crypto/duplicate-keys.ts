/**
 * Whether an object in this valid JSON text, at any depth, names a key twice: two readers of such a text may see different values
 * (RFC 8259 §4).
 */
export function hasDuplicateKeys(json: string): boolean {
  /** The keys of each object that is open; null for an array. */
  const open: (Set<string> | null)[] = []
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"\s*:?|[{}[\]]/g)) {
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : null)
    else if (token === '}' || token === ']') open.pop()
    else if (token.endsWith(':')) {
      const key = JSON.parse(token.slice(0, -1)) as string
      if (open.at(-1)?.has(key)) return true
      open.at(-1)?.add(key)
    }
  }
  return false
}
