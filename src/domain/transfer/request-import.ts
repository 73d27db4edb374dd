import { change } from '../change.ts'
import { DomainError, invalidInput } from '../errors.ts'
import { insertJob } from '../job/create-job.ts'
import type { MetadataMode } from '../metadata.ts'
import { isUuid } from '../normalize.ts'
import type { Scope } from '../scope.ts'
import { type MatchKey, matchKeys } from './import-options.ts'
import type { UserDataFormat } from './user-data-format.ts'

/** What is to be imported, and how. */
export type ImportUsersInput = Readonly<{
  format: UserDataFormat
  upload: string
  upsert?: boolean | null
  matchOn?: readonly MatchKey[] | null
  metadataMode?: MetadataMode | null
  dryRun?: boolean | null
}>

/** The same, as a job's input keeps it. */
export type ImportJobInput = Readonly<{
  format: UserDataFormat
  upload: string
  upsert: boolean
  matchOn: MatchKey[]
  metadataMode: MetadataMode
  dryRun: boolean
}>

/**
 * Queues an import of what was uploaded. Writes `job.created`.
 * @throws {DomainError} UPLOAD_NOT_FOUND when there is none, or not all of it came
 */
export async function requestImport(scope: Scope, input: ImportUsersInput): Promise<{ jobId: string }> {
  const { format, upsert, matchOn, metadataMode, dryRun } = input
  if (matchOn && matchOn.length === 0) throw invalidInput(['input', 'matchOn'], 'Name one field or more, or leave it out.')
  return change(scope, 'job.created', async (tx) => {
    const where = { id: input.upload, completedAt: { not: null } }
    const upload = isUuid(input.upload) ? await tx.db.upload.findFirst({ where, select: { id: true } }) : null
    if (upload === null) throw uploadNotFound()
    const options: ImportJobInput = {
      format,
      upload: upload.id,
      upsert: upsert ?? false,
      matchOn: [...(matchOn ?? matchKeys)],
      metadataMode: metadataMode ?? 'REPLACE',
      dryRun: dryRun ?? false,
    }
    return insertJob(tx, { kind: 'IMPORT', input: options })
  })
}

function uploadNotFound(): DomainError<'UPLOAD_NOT_FOUND'> {
  return new DomainError(
    'UPLOAD_NOT_FOUND',
    'There is no such upload, or not all of it has come. Uploads are kept for a day.',
    ['input', 'upload'],
    {},
  )
}
