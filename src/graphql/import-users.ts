import { matchKeys } from '../domain/transfer/import-options.ts'
import { type ImportUsersInput, requestImport } from '../domain/transfer/request-import.ts'
import { scopes } from './access.ts'
import { builder } from './builder.ts'
import { jobPayload } from './job-mutations.ts'
import { mutation } from './mutation.ts'
import { UserDataFormat } from './user-data-format.ts'
import { MetadataMode } from './user-mutations.ts'

const MatchKey = builder.enumType('MatchKey', {
  description: 'What a record and a user have in common that makes them the same person.',
  values: {
    ID: { description: "The user's id." },
    EMAIL: { description: 'The e-mail address, in any case.' },
    EXTERNAL_ID: { description: 'The external id.' },
    PHONE_NUMBER: { description: 'The phone number.' },
  },
})

mutation<ImportUsersInput, { jobId: string }>({
  name: 'importUsers',
  description:
    'Imports users from a file that was sent to `PUT /uploads`. It is done by a job, of which each record that is refused becomes an error; the rest goes in. `appMetadata` needs `update:users_app_metadata`, or the records that bring some are refused.',
  access: scopes('import:users'),
  input: (t) => ({
    format: t.field({ type: UserDataFormat, required: true, description: 'What the file is.' }),
    upload: t.id({ required: true, description: 'What `PUT /uploads` answered.' }),
    upsert: t.boolean({
      defaultValue: false,
      description:
        'Whether users who are there already are changed: what a record says takes the place of what they have, null clears, what it says nothing of stays. A password is taken only where there is none. Otherwise such records are refused.',
    }),
    matchOn: t.field({
      type: [MatchKey],
      description: `What to find users by, of whom one record is; the first of these that finds one counts. ${matchKeys.join(', ')} unless given.`,
    }),
    metadataMode: t.field({ type: MetadataMode, defaultValue: 'REPLACE', description: 'How metadata meets what is there, with `upsert`.' }),
    dryRun: t.boolean({ defaultValue: false, description: 'Whether the job only says what would happen, and writes nothing.' }),
  }),
  payload: jobPayload,
  run: async (scope, input, { app }) => {
    const made = await requestImport(scope, input)
    app.jobRunner.wake()
    return made
  },
})
