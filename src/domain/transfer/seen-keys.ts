/** Keys that came by before. It holds eight bytes of each, so that those of millions of users have room. */
export type SeenKeys = Readonly<{
  has: (key: string) => boolean
  add: (key: string) => void
}>

/** Many small tables grow one after the other: none of them needs the room of all twice. */
const tableCount = 64
const firstSlots = 64
/** The share of slots that may be taken: above it, looking for a free one takes long. */
const mostTaken = 0.75

/** Hashes of two numbers each; the second one of an empty slot is zero. */
type Table = { slots: Uint32Array; count: number }

/**
 * An empty set. It keeps a hash of 64 bits in place of the key: of ten million keys, one is taken for another with a probability of
 * one in 400,000.
 */
export function createSeenKeys(): SeenKeys {
  const tables = Array.from({ length: tableCount }, (): Table => ({ slots: new Uint32Array(2 * firstSlots), count: 0 }))
  const tableOf = (high: number): Table => tables[high % tableCount] as Table
  return {
    has: (key) => {
      const [high, low] = hash(key)
      const { slots } = tableOf(high)
      return slots[find(slots, high, low) + 1] === low
    },
    add: (key) => {
      const [high, low] = hash(key)
      const table = tableOf(high)
      const at = find(table.slots, high, low)
      if (table.slots[at + 1] === low) return
      table.slots[at] = high
      table.slots[at + 1] = low
      table.count++
      if (table.count > (table.slots.length / 2) * mostTaken) table.slots = grown(table.slots)
    },
  }
}

/** Where the hash is, or would be. */
function find(slots: Uint32Array, high: number, low: number): number {
  const mask = slots.length / 2 - 1
  // The lowest bit is always set.
  for (let slot = (low >>> 1) & mask; ; slot = (slot + 1) & mask) {
    const at = 2 * slot
    if ((slots[at] === high && slots[at + 1] === low) || slots[at + 1] === 0) return at
  }
}

function grown(slots: Uint32Array): Uint32Array {
  const larger = new Uint32Array(2 * slots.length)
  for (let at = 0; at < slots.length; at += 2) {
    const [high = 0, low = 0] = [slots[at], slots[at + 1]]
    if (low === 0) continue
    const to = find(larger, high, low)
    larger[to] = high
    larger[to + 1] = low
  }
  return larger
}

/** 64 bits that differ for different texts: two multiplicative hashes that are mixed at the end. The second one is never zero. */
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
