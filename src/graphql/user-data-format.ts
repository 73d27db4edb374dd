import { builder } from './builder.ts'

/** What users are imported from and exported to. */
export const UserDataFormat = builder.enumType('UserDataFormat', {
  description: 'What users are written and read as.',
  values: {
    ROSTER_NDJSON: { description: "Roster's own: a JSON object a line, with all that is kept of a user." },
    CSV: { description: 'Comma-separated values with a line of headers; a dot goes inside: `profile.name`, `userMetadata.plan`.' },
    AUTH0: { description: "Auth0's: the JSON array of its bulk import, or the JSON object a line of its export." },
    SUPABASE: { description: "Supabase's: `auth.users`, with `auth.identities`, as JSON or CSV." },
  },
})
