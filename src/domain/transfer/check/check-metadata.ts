import type { DomainError } from '../../errors.ts'
import { metadataMaxBytes } from '../../metadata.ts'
import type { Refuse } from './field-reader.ts'

/** Tells what is wrong with a bag, or that it has more than is kept. */
export function checkSize(bag: unknown, problems: readonly DomainError[], path: readonly string[], refuse: Refuse): void {
  for (const problem of problems) refuse(problem.path, problem.message, 'INVALID_FORMAT')
  const bytes = Buffer.byteLength(JSON.stringify(bag))
  if (bytes > metadataMaxBytes) refuse(path, `This has ${bytes} bytes; at most ${metadataMaxBytes} are kept.`, 'MAX_LENGTH')
}
