/** What users are written and read as. */
export const userDataFormats = ['ROSTER_NDJSON', 'CSV', 'AUTH0', 'SUPABASE'] as const

export type UserDataFormat = (typeof userDataFormats)[number]
