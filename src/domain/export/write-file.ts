import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseRecord, type RecordText } from './read-records.ts'
import { createUtf8Buffer } from './utf8-buffer.ts'
import type { UserWriter } from './writer/user-writer.ts'

/** A piece of a file in UTF-8, and how many users are in it. */
export type FilePiece = Readonly<{ content: Buffer; users: number }>

/** The same pieces, put together until they have so many bytes. */
export async function* joined(pieces: AsyncIterable<FilePiece>, least: number): AsyncGenerator<FilePiece> {
  let [parts, length, users]: [Buffer[], number, number] = [[], 0, 0]
  const whole = () => ({ content: Buffer.concat(parts, length), users })
  for await (const piece of pieces) {
    parts.push(piece.content)
    length += piece.content.length
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
  const file = createUtf8Buffer()
  let before = writer.head
  for await (const page of pages)
    for (let start = 0; start < page.length; start += pieceSize) {
      const users = page.slice(start, start + pieceSize)
      for (const user of users) {
        file.append(before)
        writer.write(parseRecord(user), file)
        before = writer.separator
      }
      yield { content: file.take(), users: users.length }
      await nextTurn()
    }
  // Nobody was written: the head is all there is.
  if (before === writer.head) file.append(writer.head)
  file.append(writer.tail)
  const content = file.take()
  if (content.length > 0) yield { content, users: 0 }
}
