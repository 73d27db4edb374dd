/** Keys that came by before. It holds eight bytes of each, so that those of millions of users have room. */
export type SeenKeys = Readonly<{
  has: (key: string) => boolean
  add: (key: string) => void
}>

const firstSlots = 2 ** 12

/**
 * An empty set. It keeps a hash of 64 bits in place of the key: of ten million keys, one is taken for another with a probability of
 * one in 400,000.
 */
export function createSeenKeys(): SeenKeys {
  let slots = new Uint32Array(2 * firstSlots)
  let count = 0
  /** Where the hash is, or would be. Two zeros are an empty slot. */
  const find = (table: Uint32Array, high: number, low: number): number => {
    const mask = table.length / 2 - 1
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const at = 2 * slot
      if ((table[at] === high && table[at + 1] === low) || (table[at] === 0 && table[at + 1] === 0)) return at
    }
  }
  const grow = (): void => {
    const larger = new Uint32Array(2 * slots.length)
    for (let at = 0; at < slots.length; at += 2) {
      const [high = 0, low = 0] = [slots[at], slots[at + 1]]
      if (high !== 0 || low !== 0) larger.set([high, low], find(larger, high, low))
    }
    slots = larger
  }
  return {
    has: (key) => {
      const [high, low] = hash(key)
      const at = find(slots, high, low)
      return slots[at] === high && slots[at + 1] === low
    },
    add: (key) => {
      const [high, low] = hash(key)
      const at = find(slots, high, low)
      if (slots[at] === high && slots[at + 1] === low) return
      slots[at] = high
      slots[at + 1] = low
      count++
      if (count > slots.length / 4) grow()
    },
  }
}

/** 64 bits that differ for different texts: two multiplicative hashes that are mixed at the end. Never both zero. */
function hash(text: string): [number, number] {
  let first = 0xdeadbeef
  let second = 0x41c6ce57
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    first = Math.imul(first ^ unit, 2654435761)
    second = Math.imul(second ^ unit, 1597334677)
  }
  first = Math.imul(first ^ (first >>> 16), 2246822507) ^ Math.imul(second ^ (second >>> 13), 3266489909)
  second = Math.imul(second ^ (second >>> 16), 2246822507) ^ Math.imul(first ^ (first >>> 13), 3266489909)
  return [first >>> 0, (second | 1) >>> 0]
}
