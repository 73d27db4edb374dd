import { type ExportUsersInput, exportUsers } from '../domain/export/export-users.ts'
import { scopes } from './access.ts'
import { jobPayload } from './job-mutations.ts'
import { mutation } from './mutation.ts'
import { UserDataFormat } from './user-data-format.ts'
import { UserWhere } from './user-filter.ts'

mutation<ExportUsersInput, { jobId: string }>({
  name: 'exportUsers',
  description: 'Writes users to a file, as they are at one moment: a job, whose `downloadUrl` has the file for a day.',
  access: scopes('export:users'),
  input: (t) => ({
    format: t.field({ type: UserDataFormat, required: true, description: 'What they are written as.' }),
    where: t.field({ type: UserWhere, description: 'Which users; everybody who is not deleted when it is not said.' }),
    fields: t.stringList({
      description:
        'Which fields, by their names in the format, in this order: `email`, `profile.name`, `user_metadata.plan`. All of them when it is not said.',
    }),
    includePasswordHashes: t.boolean({
      access: scopes('admin'),
      defaultValue: false,
      description: 'Whether password hashes are written as well.',
    }),
  }),
  payload: jobPayload,
  run: async (scope, input, { app }) => {
    const made = await exportUsers(scope, input)
    app.jobRunner.wake()
    return made
  },
})
