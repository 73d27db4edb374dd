import { uuidv7 } from 'uuidv7'

/** A new UUID of version 7 (RFC 9562 §5.7). Those of one process sort in the order they were made, also within a millisecond. */
export function newId(): string {
  return uuidv7()
}

/** The lowest UUID of version 7 that is made at this time: ids below it were made before. */
export function lowestIdAt(time: Date): string {
  const hex = time.getTime().toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`
}
