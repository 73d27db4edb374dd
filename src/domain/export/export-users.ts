import { change } from '../change.ts'
import { DomainErrors, RequestError } from '../errors.ts'
import { insertJob } from '../job/create-job.ts'
import { hasScope, type PermissionScope, type Principal } from '../principal.ts'
import type { Scope } from '../scope.ts'
import type { UserDataFormat } from '../transfer/user-data-format.ts'
import { compileUserFilter, type UserFilter } from '../user-filter.ts'
import { fieldProblems, namesAppMetadata } from './create-writer.ts'
import { type ExportInput, writeInput } from './export-input.ts'

/** Which users, and as what. Null counts as absent. */
export type ExportUsersInput = Readonly<{
  format: UserDataFormat
  where?: UserFilter | null
  fields?: readonly string[] | null
  includePasswordHashes?: boolean | null
}>

/**
 * Queues an export: `job.created`. Without `where`, everybody who is not deleted. `appMetadata` is in it where the caller may read it.
 * @throws {DomainErrors} what is wrong with the fields
 * @throws {RequestError} BAD_USER_INPUT for a filter; FORBIDDEN for fields, or hashes, that the caller may not read
 */
export async function exportUsers(scope: Scope, input: ExportUsersInput): Promise<{ jobId: string }> {
  const wanted = parseExport(scope.caller.principal, input, scope.clock.now())
  return change(scope, 'job.created', (tx) => insertJob(tx, { kind: 'EXPORT', input: writeInput(wanted) }))
}

/** Holds what was asked for against what the caller may. @throws as `exportUsers` */
export function parseExport(
  principal: Principal,
  { format, where, fields, includePasswordHashes }: ExportUsersInput,
  now: Date,
): ExportInput {
  const withAppMetadata = hasScope(principal, 'read:users_app_metadata')
  const wanted = { format, where: where ?? {}, fields: fields ?? null, withPasswordHashes: includePasswordHashes ?? false, withAppMetadata }
  if (wanted.withPasswordHashes && !hasScope(principal, 'admin')) throw forbidden('includePasswordHashes', 'admin')
  if (namesAppMetadata(wanted.fields) && !withAppMetadata) throw forbidden('fields', 'read:users_app_metadata')
  compileUserFilter(wanted.where, { now })
  const problems = fieldProblems(wanted, ['input', 'fields'])
  if (problems.length > 0) throw new DomainErrors(problems)
  return wanted
}

function forbidden(field: string, scope: PermissionScope): RequestError {
  const extensions = { requiredScopes: [scope], field: `input.${field}` }
  return new RequestError('FORBIDDEN', `\`input.${field}\` needs a token with ${scope}.`, extensions)
}
