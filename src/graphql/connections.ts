import type { ProfileSync as ProfileSyncName } from '../domain/connection/connection-settings.ts'
import type { ConnectionStrategy as ConnectionStrategyName } from '../domain/connection/strategy.ts'
import type { Metadata } from '../domain/metadata.ts'
import { scopes } from './access.ts'
import { builder } from './builder.ts'
import { Node } from './node.ts'

const reader = scopes('read:connections')

/** How connections sign people in. */
export const ConnectionStrategy = builder.enumType('ConnectionStrategy', {
  description: 'How a connection signs people in.',
  values: {
    PASSWORD: { description: "With a password: Roster's own, and an old system that is asked about people Roster does not know yet." },
    EMAIL: { description: "With a link or code by e-mail: Roster's own." },
    OIDC: { description: 'With any OpenID Connect provider.' },
    GOOGLE: { description: 'With Google.' },
    GITHUB: { description: 'With GitHub.' },
    APPLE: { description: 'With Apple.' },
    MICROSOFT: { description: 'With Microsoft.' },
  },
})

/** When the profile is taken from the provider. */
export const ProfileSync = builder.enumType('ProfileSync', {
  description: 'When a sign-in writes the profile.',
  values: {
    ON_EACH_SIGN_IN: { description: 'Each time, over what people edited.' },
    ON_FIRST_SIGN_IN: { description: 'The first time, and what is not set.' },
    NEVER: { description: 'Never.' },
  },
})

/** A provider that people sign in with. */
export const Connection = builder.prismaObject('Connection', {
  description: 'A provider that people sign in with. Its client secret cannot be read.',
  interfaces: [Node],
  select: { id: true },
  fieldAccess: reader,
  fields: (t) => ({
    key: t.exposeString('key', { description: 'What identities and sessions name it by. It never changes.' }),
    strategy: t.field({
      type: ConnectionStrategy,
      description: 'How it signs people in.',
      select: { strategy: true },
      resolve: ({ strategy }) => strategy as ConnectionStrategyName,
    }),
    displayName: t.exposeString('displayName', { description: 'What people see: `Google`.' }),
    enabled: t.exposeBoolean('enabled', { description: 'Whether people can sign in with it.' }),
    issuer: t.expose('issuer', { type: 'URL', nullable: true, description: 'The OpenID provider; null for GITHUB. It never changes.' }),
    clientId: t.string({
      nullable: true,
      description: 'What the provider knows Roster by; null for PASSWORD.',
      select: { clientId: true },
      resolve: ({ clientId }) => clientId || null,
    }),
    hasClientSecret: t.boolean({
      description: 'Whether there is a client secret.',
      select: { secret: { select: { connectionId: true } } },
      resolve: ({ secret }) => secret !== null,
    }),
    scopes: t.exposeStringList('scopes', { description: 'What the provider is asked for.' }),
    profileSync: t.field({
      type: ProfileSync,
      description: 'When a sign-in writes the profile.',
      select: { profileSync: true },
      resolve: ({ profileSync }) => profileSync as ProfileSyncName,
    }),
    attributeMap: t.field({
      type: 'JSONObject',
      description:
        'By the profile\'s attributes, a JSON Pointer into the claims (`{ "givenName": "/first" }`), or null to leave the attribute alone. The others are taken as usual.',
      select: { attributeMap: true },
      resolve: ({ attributeMap }) => attributeMap as Metadata,
    }),
    linkByVerifiedEmail: t.exposeBoolean('linkByVerifiedEmail', {
      description: 'Whether it is linked to an existing user when both sides hold the same verified e-mail address.',
    }),
    verifierUrl: t.expose('verifierUrl', {
      type: 'URL',
      nullable: true,
      description: 'For PASSWORD: the old system that is asked about people Roster does not know yet. See docs/old-directories.md.',
    }),
    allowSignUp: t.exposeBoolean('allowSignUp', { description: 'Whether somebody who is not known becomes a user.' }),
  }),
})

builder.queryField('connections', (t) =>
  t.prismaField({
    type: [Connection],
    access: reader,
    description: 'All connections to providers, by their keys.',
    resolve: (query, _root, _args, { app }) => app.database.prisma.connection.findMany({ ...query, orderBy: { key: 'asc' } }),
  }),
)

builder.queryField('connection', (t) =>
  t.prismaField({
    type: Connection,
    nullable: true,
    access: reader,
    description: 'One connection; null when there is none.',
    args: { key: t.arg.string({ required: true, description: 'Its key.' }) },
    resolve: (query, _root, { key }, { app }) => app.database.prisma.connection.findUnique({ ...query, where: { key } }),
  }),
)
