/** Whole numbers below a bound; the salt says what for, so that one draw says nothing of another. */
export type Random = (salt: number, below: number) => number

/** Draws that an index always leads to. */
export function randomOf(index: number): Random {
  return (salt, below) => mix(index, salt) % below
}

/** A number from 0 to 2³² - 1, from MurmurHash3's finalizer. */
export function mix(index: number, salt: number): number {
  let hash = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x27d4eb2f)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** The item at a position that a draw has found. */
export function pick<Item>(list: readonly Item[], position: number): Item {
  return list[position] as Item
}
