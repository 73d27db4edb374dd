import type { App } from '../app.ts'
import type { ConnectionStrategy as ConnectionStrategyName } from '../domain/connection/strategy.ts'
import { metadataMaxBytes, metadataMaxDepth } from '../domain/metadata.ts'
import { passwordMaxBytes } from '../domain/password/password-policy.ts'
import { defaultPageSize, maxPageSize } from '../domain/user-page.ts'
import { everyone } from './access.ts'
import { builder, maxComplexity, maxDepth } from './builder.ts'
import { ConnectionStrategy } from './connections.ts'

const ServerLimits = builder.objectRef<App>('ServerLimits').implement({
  description: 'What the server refuses beyond.',
  fieldAccess: everyone,
  fields: (t) => ({
    defaultPageSize: t.int({ description: 'Entries on a page unless asked otherwise.', resolve: () => defaultPageSize }),
    maxPageSize: t.int({ description: 'Entries on a page at most.', resolve: () => maxPageSize }),
    maxMetadataBytes: t.int({
      description: 'Bytes of each of `userMetadata` and `appMetadata`, as UTF-8 of compact JSON.',
      resolve: () => metadataMaxBytes,
    }),
    maxMetadataDepth: t.int({ description: 'Levels of nesting in metadata.', resolve: () => metadataMaxDepth }),
    maxBodyBytes: t.int({ description: 'Bytes of a request body.', resolve: ({ config }) => config.maxBodyBytes }),
    maxComplexity: t.int({
      description:
        'The price of an operation: a field costs 1, a page its size times what is asked of each entry. On the embedded database, counting users and filters that read many of them cost more.',
      resolve: () => maxComplexity,
    }),
    maxDepth: t.int({ description: 'Levels of nesting in an operation.', resolve: () => maxDepth }),
    requestTimeoutMs: t.int({ description: 'How long a request may take.', resolve: ({ config }) => config.requestTimeoutMs }),
  }),
})

const ServerFeatures = builder.objectRef<App>('ServerFeatures').implement({
  description: 'What is enabled.',
  fieldAccess: everyone,
  fields: (t) => ({
    graphiql: t.boolean({ description: 'Whether `GET /graphql` shows GraphiQL.', resolve: ({ config }) => config.graphiql }),
    introspection: t.boolean({ description: 'Whether the schema may be introspected.', resolve: ({ config }) => config.introspection }),
    trustedIssuers: t.boolean({
      description: 'Whether tokens of other issuers are accepted.',
      resolve: ({ config }) => config.trustedIssuers.length > 0,
    }),
    embeddedDatabase: t.boolean({
      description: 'Whether the database is the embedded one, for one process.',
      resolve: ({ database }) => database.engine === 'pglite',
    }),
  }),
})

const SignInName = builder.enumType('SignInName', {
  description: 'A name that users sign up and in with.',
  values: {
    EMAIL: { description: 'The e-mail address.' },
    PHONE_NUMBER: { description: 'The phone number.' },
    USERNAME: { description: 'The username.' },
  } as const,
})

type SignInConnectionShape = Readonly<{ key: string; strategy: string; displayName: string }>

const SignInConnection = builder.objectRef<SignInConnectionShape>('SignInConnection').implement({
  description: 'A provider that people can sign in with: what a button needs.',
  fieldAccess: everyone,
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The `connection` of `GET /auth/authorize`.' }),
    strategy: t.field({
      type: ConnectionStrategy,
      description: 'How it signs people in, for the icon.',
      resolve: ({ strategy }) => strategy as ConnectionStrategyName,
    }),
    displayName: t.exposeString('displayName', { description: 'What people see: `Google`.' }),
  }),
})

const ServerSignIn = builder.objectRef<App>('ServerSignIn').implement({
  description: 'What a page has to know where people sign up and in.',
  fieldAccess: everyone,
  fields: (t) => ({
    names: t.field({
      type: [SignInName],
      description: 'What to sign up and in with.',
      resolve: () => ['EMAIL', 'PHONE_NUMBER', 'USERNAME'] as const,
    }),
    connections: t.field({
      type: [SignInConnection],
      description: 'The providers to sign in with: the connections that are enabled, by their keys.',
      resolve: ({ database: { prisma } }) =>
        prisma.connection.findMany({
          where: { enabled: true },
          select: { key: true, strategy: true, displayName: true },
          orderBy: { key: 'asc' },
        }),
    }),
    signUp: t.boolean({ description: 'Whether people may sign up by themselves.', resolve: ({ config }) => config.signUp }),
    emailConfirmation: t.boolean({
      description: 'Whether whoever has an e-mail address signs in only once it is verified.',
      resolve: ({ authentication }) => authentication.confirmsEmail,
    }),
    passwordMinLength: t.int({
      description: 'The fewest characters of a new password.',
      resolve: ({ authentication }) => authentication.passwords.policy.minLength,
    }),
    passwordMaxBytes: t.int({ description: 'The most bytes of a new password, as UTF-8.', resolve: () => passwordMaxBytes }),
  }),
})

const ServerInfo = builder.objectRef<App>('ServerInfo').implement({
  description: 'What this server is and does.',
  fieldAccess: everyone,
  fields: (t) => ({
    version: t.string({ description: 'The version of Roster.', resolve: ({ version }) => version }),
    limits: t.field({ type: ServerLimits, description: 'What it refuses beyond.', resolve: (app) => app }),
    features: t.field({ type: ServerFeatures, description: 'What is enabled.', resolve: (app) => app }),
    signIn: t.field({ type: ServerSignIn, description: 'How people sign up and in.', resolve: (app) => app }),
  }),
})

builder.queryField('serverInfo', (t) =>
  t.field({ type: ServerInfo, access: everyone, description: 'What this server is and does.', resolve: (_root, _args, { app }) => app }),
)
