import type { DomainError, DomainErrorCode } from '../domain/errors.ts'
import { everyone } from './access.ts'
import { builder } from './builder.ts'

const summaries: { readonly [Code in DomainErrorCode]: string } = {
  INVALID_INPUT: 'An input field does not have the form it needs.',
  EMAIL_TAKEN: 'Another user has this e-mail address, in this or another spelling.',
  PHONE_NUMBER_TAKEN: 'Another user has this phone number.',
  USERNAME_TAKEN: 'Another user has this username, in this or another spelling.',
  EXTERNAL_ID_TAKEN: 'Another user has this external id.',
  USER_NOT_FOUND: 'There is no such user, or it is deleted.',
  ADMIN_TOKEN_NOT_FOUND: 'There is no such admin token.',
  VERSION_CONFLICT: 'The user has been changed since the version that was expected.',
  METADATA_TOO_LARGE: 'The metadata would be larger than is kept.',
  WEAK_PASSWORD: 'The password may not be used.',
  INVALID_CREDENTIALS: 'The name and the password do not belong together, or the user may not sign in. Which of it is not told.',
  EMAIL_NOT_VERIFIED: 'The e-mail address has to be verified first. Who signs in is told so only with the right password.',
  SIGN_UP_DISABLED: 'Nobody can sign up here.',
  TOKEN_EXPIRED: 'The link, code, refresh token or ID token is too old.',
  TOKEN_NOT_VALID: 'The link, code, refresh token or ID token is not valid, or was used before.',
  REAUTHENTICATION_REQUIRED: 'The change needs the current password, or a code from `requestReauthentication`.',
  SESSION_NOT_FOUND: 'There is no such session, or it has ended.',
  IDENTITY_NOT_FOUND: 'There is no such identity.',
  IDENTITY_TAKEN: 'Another user has this account at the provider.',
  LAST_IDENTITY: 'It is the last way the user signs in.',
  CONNECTION_NOT_FOUND: 'There is no such connection, or it is disabled.',
  CONNECTION_KEY_TAKEN: 'Another connection has this key.',
  CONNECTION_IN_USE: 'Users have identities of the connection.',
  PROVIDER_UNAVAILABLE: 'The provider does not answer now, or not as it must. The same request may succeed later.',
  JOB_NOT_FOUND: 'There is no such job.',
  UPLOAD_NOT_FOUND: 'There is no such upload, or it is not whole.',
  REDIRECT_NOT_ALLOWED: 'The URL is none that browsers may be sent to from here: see ALLOWED_REDIRECTS.',
  MAIL_NOT_CONFIGURED: 'This server sends no mail: the operator has to set SMTP_URL.',
  CONSTRAINT_FAILED: "A constraint in the operator's database refused the change.",
  TRIGGER_REJECTED: "A trigger in the operator's database refused the change, or failed.",
  DELETE_BLOCKED: "Rows of the operator's own tables refer to the user and do not allow it to be deleted.",
}

const codes = Object.keys(summaries) as DomainErrorCode[]

const UserErrorCode = builder.enumType('UserErrorCode', {
  description: "What an expected failure is: its type's name in UPPER_SNAKE.",
  values: Object.fromEntries(codes.map((code) => [code, { description: summaries[code] }])) as Record<
    DomainErrorCode,
    { description: string }
  >,
})

/** A failure as the graph answers it: an `Error` itself would be thrown by graphql-js instead of answered. */
export type Failure<Code extends DomainErrorCode = DomainErrorCode> = Pick<DomainError<Code>, 'code' | 'message' | 'path' | 'details'>

/** The failure without what makes it an `Error`: its stack and its cause stay inside. */
export function toFailure({ code, message, path, details }: DomainError): Failure {
  return { code, message, path, details }
}

/** An expected failure of a mutation. */
export const UserError = builder.interfaceRef<Failure>('UserError').implement({
  description: 'An expected failure of a mutation: something to show to a person, who can then go on. Nothing was changed.',
  fieldAccess: everyone,
  resolveType: ({ code }) => typeName(code),
  fields: (t) => ({
    code: t.field({ type: UserErrorCode, description: 'What it is, for programs.', resolve: ({ code }) => code }),
    message: t.exposeString('message', { description: 'What is wrong and what to do, for people, in English.' }),
    path: t.stringList({
      description: 'The argument it is about, from the outside in: `["input", "email"]`. Empty: the request as a whole.',
      resolve: ({ path }) => [...path],
    }),
  }),
})

const DeleteReference = builder.objectRef<{ table: string; constraint: string; rows: number }>('DeleteReference').implement({
  description: "A foreign key of one of the operator's tables that holds a user.",
  fieldAccess: everyone,
  fields: (t) => ({
    table: t.exposeString('table', { description: 'The table, with its schema.' }),
    constraint: t.exposeString('constraint', { description: "The foreign key's name." }),
    rows: t.exposeInt('rows', { description: 'How many rows hold the user; counting stops at 1000.' }),
  }),
})

const typed = <Code extends DomainErrorCode>(code: Code) => builder.objectRef<Failure<Code>>(typeName(code))
const frame = (code: DomainErrorCode) => ({ interfaces: [UserError], description: summaries[code], fieldAccess: everyone })

const withoutDetails = [
  'INVALID_INPUT',
  'EMAIL_TAKEN',
  'PHONE_NUMBER_TAKEN',
  'USERNAME_TAKEN',
  'EXTERNAL_ID_TAKEN',
  'USER_NOT_FOUND',
  'ADMIN_TOKEN_NOT_FOUND',
  'INVALID_CREDENTIALS',
  'EMAIL_NOT_VERIFIED',
  'SIGN_UP_DISABLED',
  'TOKEN_EXPIRED',
  'TOKEN_NOT_VALID',
  'REAUTHENTICATION_REQUIRED',
  'SESSION_NOT_FOUND',
  'IDENTITY_NOT_FOUND',
  'IDENTITY_TAKEN',
  'LAST_IDENTITY',
  'CONNECTION_NOT_FOUND',
  'CONNECTION_KEY_TAKEN',
  'CONNECTION_IN_USE',
  'PROVIDER_UNAVAILABLE',
  'JOB_NOT_FOUND',
  'UPLOAD_NOT_FOUND',
  'REDIRECT_NOT_ALLOWED',
  'MAIL_NOT_CONFIGURED',
] as const
for (const code of withoutDetails) typed(code).implement(frame(code))

typed('VERSION_CONFLICT').implement({
  ...frame('VERSION_CONFLICT'),
  fields: (t) => ({
    currentVersion: t.int({ description: 'The version the user has now.', resolve: ({ details }) => details.currentVersion }),
  }),
})

typed('METADATA_TOO_LARGE').implement({
  ...frame('METADATA_TOO_LARGE'),
  fields: (t) => ({
    limit: t.int({ description: 'The most bytes that are kept, as UTF-8 of compact JSON.', resolve: ({ details }) => details.limit }),
    actual: t.int({ description: 'The bytes it would have after the change.', resolve: ({ details }) => details.actual }),
  }),
})

typed('WEAK_PASSWORD').implement({
  ...frame('WEAK_PASSWORD'),
  fields: (t) => ({
    reasons: t.stringList({
      description:
        '`TOO_SHORT`; `TOO_LONG`; `COMMON`: one of those that are tried first; `CONTEXT`: little more than the e-mail address, the username or the name of the product.',
      resolve: ({ details }) => details.reasons,
    }),
  }),
})

const hint = 'What the operator can do about it.'

typed('CONSTRAINT_FAILED').implement({
  ...frame('CONSTRAINT_FAILED'),
  fields: (t) => ({
    table: t.string({
      nullable: true,
      description: 'The table, with its schema, when the database tells.',
      resolve: ({ details }) => details.table,
    }),
    constraint: t.string({
      nullable: true,
      description: "The constraint's name, when it has one.",
      resolve: ({ details }) => details.constraint,
    }),
    column: t.string({ nullable: true, description: 'The column, when the database tells.', resolve: ({ details }) => details.column }),
    hint: t.string({ description: hint, resolve: ({ details }) => details.hint }),
  }),
})

typed('TRIGGER_REJECTED').implement({
  ...frame('TRIGGER_REJECTED'),
  fields: (t) => ({
    trigger: t.string({
      nullable: true,
      description: "The trigger's name, when it can be told.",
      resolve: ({ details }) => details.trigger,
    }),
    function: t.string({
      nullable: true,
      description: 'The function it calls, with its schema.',
      resolve: ({ details }) => details.function,
    }),
    table: t.string({
      nullable: true,
      description: 'The table the trigger is on, with its schema.',
      resolve: ({ details }) => details.table,
    }),
    hint: t.string({ description: hint, resolve: ({ details }) => details.hint }),
  }),
})

typed('DELETE_BLOCKED').implement({
  ...frame('DELETE_BLOCKED'),
  fields: (t) => ({
    references: t.field({
      type: [DeleteReference],
      description: 'All foreign keys that hold the user.',
      resolve: ({ details }) => details.references,
    }),
  }),
})

/** EMAIL_TAKEN -> EmailTaken. */
function typeName(code: DomainErrorCode): string {
  return code.toLowerCase().replace(/(^|_)(\w)/g, (_, _separator, letter: string) => letter.toUpperCase())
}
