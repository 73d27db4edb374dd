import { expectData, type Harness } from './harness.ts'

type Payload = Readonly<{
  errors: { code: string; path: string[] }[]
  user?: { id: string; email: string; emailVerified: boolean; status: string } | null
  tokens?: { accessToken: string; refreshToken: string; expiresIn: number } | null
  link?: Record<string, string | null> | null
}>

const selections: Readonly<Record<string, string>> = {
  verifyToken: 'user { id email emailVerified status } tokens { accessToken refreshToken expiresIn }',
  inviteUser: 'user { id email emailVerified status }',
  generateLink: 'user { id } link { actionLink emailOtp hashedToken verificationType redirectTo expiresAt }',
  updateUser: 'user { id email emailVerified }',
}

type Asked = Readonly<{ token?: string | null; headers?: Record<string, string> }>

/** Calls a mutation and answers its payload. */
export async function call(harness: Pick<Harness, 'run'>, name: string, input: object, asked: Asked = {}): Promise<Payload> {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input!`
  const query = `mutation($input: ${type}) { ${name}(input: $input) { ${selections[name] ?? ''} errors { code path } } }`
  return expectData(await harness.run(query, { ...asked, variables: { input } }))[name] as Payload
}

/** The codes of a payload's errors. */
export function codes({ errors }: Payload): string[] {
  return errors.map(({ code }) => code)
}
