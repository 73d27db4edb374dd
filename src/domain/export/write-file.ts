import { parseRecord, type RecordText } from './read-records.ts'
import type { UserWriter } from './writer/user-writer.ts'

/** A piece of a file, and how many users are in it. */
export type FilePiece = Readonly<{ text: string; users: number }>

/** Writes pages of users as a file, piece by piece. */
export async function* writeFile(writer: UserWriter, pages: AsyncIterable<readonly RecordText[]>): AsyncGenerator<FilePiece> {
  let before = writer.head
  for await (const page of pages) {
    yield { text: `${before}${page.map((text) => writer.write(parseRecord(text))).join(writer.separator)}`, users: page.length }
    before = writer.separator
  }
  // Nobody was written: the head is all there is.
  const rest = `${before === writer.head ? writer.head : ''}${writer.tail}`
  if (rest !== '') yield { text: rest, users: 0 }
}
