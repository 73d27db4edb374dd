/** How a connection signs people in; see the GraphQL enum of the same name. PASSWORD and EMAIL are Roster's own. */
export type ConnectionStrategy = 'PASSWORD' | 'EMAIL' | 'OIDC' | 'GOOGLE' | 'GITHUB' | 'APPLE' | 'MICROSOFT'

/** A strategy that goes by way of a provider. */
export type ProviderStrategy = Exclude<ConnectionStrategy, 'PASSWORD' | 'EMAIL'>

/** A strategy that a connection is made of: a provider's, or PASSWORD, whose connection names an old system. */
export type ConfiguredStrategy = ProviderStrategy | 'PASSWORD'

type Provider = Readonly<{
  displayName: string
  /** Null where there is none until one is given, or none at all. */
  issuer: string | null
  /** Whether one may, must or cannot be given. */
  issuerInput: 'optional' | 'required' | 'none'
  scopes: readonly string[]
}>

const standardScopes = ['openid', 'profile', 'email']

/** What is known of each provider beforehand. GitHub's OAuth has no issuer; Microsoft's names the tenant. */
export const providers: { readonly [Strategy in ProviderStrategy]: Provider } = {
  OIDC: { displayName: 'OpenID Connect', issuer: null, issuerInput: 'required', scopes: standardScopes },
  GOOGLE: { displayName: 'Google', issuer: 'https://accounts.google.com', issuerInput: 'none', scopes: standardScopes },
  GITHUB: { displayName: 'GitHub', issuer: null, issuerInput: 'none', scopes: ['read:user', 'user:email'] },
  APPLE: { displayName: 'Apple', issuer: 'https://appleid.apple.com', issuerInput: 'none', scopes: ['openid', 'name', 'email'] },
  MICROSOFT: {
    displayName: 'Microsoft',
    issuer: 'https://login.microsoftonline.com/common/v2.0',
    issuerInput: 'optional',
    scopes: standardScopes,
  },
}

const oldSystem: Provider = { displayName: 'Password', issuer: null, issuerInput: 'none', scopes: [] }

/** What is known of a connection beforehand. */
export function knownBeforehand(strategy: ConfiguredStrategy): Provider {
  return strategy === 'PASSWORD' ? oldSystem : providers[strategy]
}

/** Whether the provider speaks OpenID Connect. */
export function isOpenId(strategy: ConfiguredStrategy): boolean {
  return strategy !== 'GITHUB' && strategy !== 'PASSWORD'
}
