/** Text in UTF-8, put together in bytes that are there: to make one string of it first takes longer than that. */
export type Utf8Buffer = Readonly<{
  append: (text: string) => void
  /** The text with each of its quotes twice, as CSV has it. */
  appendDoubled: (text: string) => void
  /** What there is, and nothing from then on. */
  take: () => Buffer
}>

/** No character of a string takes more bytes. */
const mostBytes = 3

const quote = 0x22

/** It grows to what it was asked to hold, and keeps that: `take` answers a copy. */
export function createUtf8Buffer(): Utf8Buffer {
  let [room, length] = [Buffer.alloc(0), 0]

  function reserve(bytes: number): void {
    if (length + bytes <= room.length) return
    const larger = Buffer.allocUnsafeSlow(2 * (length + bytes))
    room.copy(larger, 0, 0, length)
    room = larger
  }

  return {
    append(text) {
      reserve(mostBytes * text.length)
      length += room.write(text, length)
    },
    // Byte by byte, for a cell of JSON has so many quotes that to replace them takes three times as long. The text is written so far
    // ahead that what comes of it never reaches what is still to be read.
    appendDoubled(text) {
      const most = mostBytes * text.length
      reserve(2 * most)
      const start = length + most
      const end = start + room.write(text, start)
      for (let index = start; index < end; index++) {
        const byte = room[index] ?? 0
        room[length++] = byte
        if (byte === quote) room[length++] = quote
      }
    },
    take() {
      const bytes = Buffer.from(room.subarray(0, length))
      length = 0
      return bytes
    },
  }
}
