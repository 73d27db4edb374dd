import type { Metadata } from '../domain/metadata.ts'
import { selfOr } from './access.ts'
import { builder } from './builder.ts'
import { Node } from './node.ts'

/** One way a user signs in. */
export const Identity = builder.prismaObject('Identity', {
  description: 'One way a user signs in: an account at a provider.',
  interfaces: [Node],
  select: { id: true, userId: true },
  owner: ({ userId }) => userId,
  fieldAccess: selfOr('read:users'),
  fields: (t) => ({
    user: t.relation('user', { description: 'Whose it is.' }),
    provider: t.exposeString('provider', { description: "A connection's key: `password`, `email`, `google`, `acme-okta`." }),
    providerUserId: t.exposeString('providerUserId', { description: "The provider's `sub`." }),
    email: t.expose('email', { type: 'EmailAddress', nullable: true, description: 'The address as the provider last said it.' }),
    emailVerified: t.exposeBoolean('emailVerified', { description: 'Whether the provider vouches for the address.' }),
    claims: t.field({
      type: 'JSONObject',
      description: 'The claims as the provider last sent them.',
      select: { claims: true },
      resolve: ({ claims }) => claims as Metadata,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was linked to the user.' }),
    lastSignInAt: t.expose('lastSignInAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used to sign in; null before the first time.',
    }),
  }),
})
