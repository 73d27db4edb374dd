import type { Metadata } from '../domain/metadata.ts'
import type { ProfileInput as ProfileInputShape } from '../domain/profile.ts'
import { eachSource } from '../domain/profile-source.ts'
import { everyone, selfOr } from './access.ts'
import { builder } from './builder.ts'
import { Identity } from './identity.ts'

const reader = selfOr('read:users')

const ProfileOrigin = builder.enumType('ProfileOrigin', {
  description: 'Where an attribute of a profile came from.',
  values: {
    USER: { description: 'The user wrote it.' },
    ADMIN: { description: 'An administrator wrote it.' },
    IDENTITY: { description: 'A provider said it at a sign-in.' },
    IMPORT: { description: 'It was imported.' },
  },
})

const ProfileSource = builder.prismaObject('ProfileSource', {
  description: 'Where one attribute of a profile came from, and when.',
  // A row is of several, and `sources` makes one of it for each.
  select: { userId: true, attribute: true, others: true },
  owner: ({ userId }) => userId,
  fieldAccess: reader,
  fields: (t) => ({
    attribute: t.exposeString('attribute', { description: "The attribute's name in the graph: `givenName`." }),
    origin: t.field({
      type: ProfileOrigin,
      description: 'Who said it.',
      select: { origin: true },
      resolve: ({ origin }) => origin as typeof ProfileOrigin.$inferType,
    }),
    identity: t.relation('identity', {
      type: Identity,
      nullable: true,
      description: 'The identity it came with; null unless the origin is IDENTITY, or when the identity is gone.',
    }),
    setAt: t.expose('setAt', { type: 'DateTime', description: 'When it was set.' }),
  }),
})

/** The normalised profile of a user. */
export const Profile = builder.prismaObject('Profile', {
  description: 'OpenID Connect Core 5.1 standard claims, normalised across providers. An attribute that nobody has set is null.',
  select: { userId: true },
  owner: ({ userId }) => userId,
  fieldAccess: reader,
  fields: (t) => ({
    name: t.exposeString('name', { nullable: true, description: 'The full name, in the form to display.' }),
    givenName: t.exposeString('givenName', { nullable: true, description: 'Given or first names.' }),
    familyName: t.exposeString('familyName', { nullable: true, description: 'Surnames.' }),
    middleName: t.exposeString('middleName', { nullable: true, description: 'Middle names.' }),
    nickname: t.exposeString('nickname', { nullable: true, description: 'The casual name.' }),
    preferredUsername: t.exposeString('preferredUsername', {
      nullable: true,
      description: 'The name the person would like to be known by; not unique.',
    }),
    picture: t.expose('picture', { type: 'URL', nullable: true, description: 'A picture of the person.' }),
    website: t.expose('website', { type: 'URL', nullable: true, description: "The person's page." }),
    gender: t.exposeString('gender', { nullable: true, description: '`female`, `male`, or any other word.' }),
    birthdate: t.exposeString('birthdate', { nullable: true, description: 'YYYY-MM-DD, with the year 0000 when it is left out, or YYYY.' }),
    zoneinfo: t.exposeString('zoneinfo', { nullable: true, description: 'A name of the time zone database: `Europe/Paris`.' }),
    locale: t.exposeString('locale', { nullable: true, description: 'A BCP 47 language tag: `en-US`.' }),
    address: t.field({
      type: 'JSONObject',
      nullable: true,
      description:
        'A postal address, OpenID Connect Core 5.1.1: `formatted`, `street_address`, `locality`, `region`, `postal_code`, `country`.',
      select: { address: true },
      resolve: ({ address }) => address as Metadata | null,
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When an attribute last changed.' }),
    sources: t.field({
      type: [ProfileSource],
      description: 'Where each attribute that is set came from, and when.',
      select: (_args, _context, nested) => ({ user: { select: { profileSources: nested() } } }),
      resolve: ({ user }) => eachSource(user.profileSources),
    }),
  }),
})

/** What an input says of a profile. */
export const ProfileInput = builder.inputRef<ProfileInputShape>('ProfileInput').implement({
  description: 'Attributes of a profile. What is absent is left alone, null clears.',
  fieldAccess: everyone,
  fields: (t) => ({
    name: t.string({ description: 'The full name: 1 to 300 characters, as all of these but where it is said.' }),
    givenName: t.string({ description: 'Given or first names.' }),
    familyName: t.string({ description: 'Surnames.' }),
    middleName: t.string({ description: 'Middle names.' }),
    nickname: t.string({ description: 'The casual name.' }),
    preferredUsername: t.string({ description: 'The name the person would like to be known by.' }),
    picture: t.string({ description: 'An http or https URL, 2048 characters at most.' }),
    website: t.string({ description: 'An http or https URL, 2048 characters at most.' }),
    gender: t.string({ description: '`female`, `male`, or any other word.' }),
    birthdate: t.string({ description: 'YYYY-MM-DD (the year may be 0000) or YYYY.' }),
    zoneinfo: t.string({ description: 'A name of the time zone database: `Europe/Paris`.' }),
    locale: t.string({ description: 'A BCP 47 language tag: `en-US`.' }),
    address: t.field({
      type: 'JSONObject',
      description: 'A postal address, OpenID Connect Core 5.1.1; 4 KiB at most. It replaces the one there is.',
    }),
  }),
})
