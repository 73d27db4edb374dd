import type { PermissionScope } from '../src/domain/principal.ts'
import { expectData, type Harness } from './harness.ts'

/** A job as the graph answers it. */
export type ImportedJob = {
  id: string
  status: string
  processed: number
  total: number | null
  inserted: number
  updated: number
  skipped: number
  failed: number
  errors: { nodes: { line: number; code: string; path: string | null; message: string }[]; totalCount: number }
}

const fields =
  'id status processed total inserted updated skipped failed errors(first: 250) { totalCount nodes { line code path message } }'

/** Records in Roster's own format, or as any other that has one a line. */
export function ndjson(...records: readonly unknown[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('')
}

/** Sends a file to `PUT /uploads`. */
export async function upload({ url }: Pick<Harness, 'url'>, token: string, content: BodyInit): Promise<{ status: number; id: string }> {
  const response = await fetch(`${url}/uploads`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}` },
    body: content,
    duplex: 'half',
  } as RequestInit)
  const { id = '' } = (await response.json()) as { id?: string }
  return { status: response.status, id }
}

/** Asks for an import of what was uploaded, and answers the job's id. */
export async function requestImport(harness: Harness, token: string, input: object): Promise<string> {
  const query = 'mutation($input: ImportUsersInput!) { importUsers(input: $input) { job { id } errors { code path message } } }'
  const data = expectData(await harness.run(query, { token, variables: { input } })) as {
    importUsers: { job: { id: string } | null; errors: unknown[] }
  }
  if (data.importUsers.job === null) throw new Error(JSON.stringify(data.importUsers.errors))
  return data.importUsers.job.id
}

export async function readJob(harness: Harness, id: string): Promise<ImportedJob> {
  return (await harness.admin(`query($id: ID!) { job(id: $id) { ${fields} } }`, { id }))['job'] as ImportedJob
}

/** Imports a file over the API, with these scopes beside `import:users`. */
export async function importFile(
  harness: Harness,
  content: string | Buffer,
  options: Readonly<{ format: string; scopes?: PermissionScope[] }> & Record<string, unknown>,
): Promise<ImportedJob> {
  const { scopes = ['update:users_app_metadata'], ...input } = options
  const token = await harness.adminToken('import:users', ...scopes)
  const { id } = await upload(harness, token, typeof content === 'string' ? content : new Uint8Array(content))
  const job = await requestImport(harness, token, { ...input, upload: id })
  await harness.app.jobRunner.settled()
  return readJob(harness, job)
}
