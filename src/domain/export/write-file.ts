import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseRecord, type RecordText } from './read-records.ts'
import type { UserWriter } from './writer/user-writer.ts'

/** A piece of a file, and how many users are in it. */
export type FilePiece = Readonly<{ text: string; users: number }>

/** The same pieces in UTF-8, put together until they have so many bytes. */
export async function* joined(
  pieces: AsyncIterable<FilePiece>,
  least: number,
): AsyncGenerator<Readonly<{ content: Buffer; users: number }>> {
  let [parts, length, users]: [Buffer[], number, number] = [[], 0, 0]
  const whole = () => ({ content: Buffer.concat(parts, length), users })
  for await (const piece of pieces) {
    const part = Buffer.from(piece.text)
    parts.push(part)
    length += part.length
    users += piece.users
    if (length < least) continue
    yield whole()
    ;[parts, length, users] = [[], 0, 0]
  }
  if (length > 0) yield whole()
}

/** Users of a piece: they are written in a few milliseconds, in which nobody else has a turn. */
const pieceSize = 50

/** Writes pages of users as a file, piece by piece. */
export async function* writeFile(writer: UserWriter, pages: AsyncIterable<readonly RecordText[]>): AsyncGenerator<FilePiece> {
  let before = writer.head
  for await (const page of pages)
    for (let start = 0; start < page.length; start += pieceSize) {
      const users = page.slice(start, start + pieceSize)
      yield { text: `${before}${users.map((text) => writer.write(parseRecord(text))).join(writer.separator)}`, users: users.length }
      before = writer.separator
      await nextTurn()
    }
  // Nobody was written: the head is all there is.
  const rest = `${before === writer.head ? writer.head : ''}${writer.tail}`
  if (rest !== '') yield { text: rest, users: 0 }
}
