import type { Command } from 'commander'
import { createAccessTokens } from '../crypto/access-token.ts'
import { createSecrets } from '../crypto/secrets.ts'
import { createAdminToken, listAdminTokens, revokeAdminToken } from '../domain/admin-token.ts'
import { durationSeconds } from '../domain/duration.ts'
import { DomainError, DomainErrors } from '../domain/errors.ts'
import { loadSecret } from '../domain/secret.ts'
import { loadSigningKeys } from '../domain/signing-key.ts'
import { tokenSettings } from '../domain/token-settings.ts'
import { withDatabase } from './open.ts'
import { CommandError, type Terminal } from './terminal.ts'
import { formatTokens } from './token-table.ts'

/** Adds `roster token create | list | revoke`. */
export function addToken(program: Command, terminal: Terminal): void {
  const token = program
    .command('token')
    .description('Makes, lists and revokes admin tokens: tokens without a user, for administrators and back ends.')
  token
    .command('create')
    .description('Makes a token, and prints it on standard output. It is shown this once.')
    .requiredOption('--name <name>', 'what it is for')
    .requiredOption('--scope <scopes>', 'what it may do: scopes separated by spaces, or admin for all')
    .option('--expires <duration>', 'how long it lives: 90d, 12h, 30m, or ISO 8601 such as P1M; 400 days at most', '90d')
    .addHelpText('after', '\nExample:\n  TOKEN=$(roster token create --name ci --scope "read:users update:users" --expires 30d)')
    .action((options: CreateOptions) => create(terminal, options))
  token
    .command('list')
    .description('Lists all tokens, newest first, those that have ended too.')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  roster token list --json')
    .action(({ json }: { json?: true }) => list(terminal, json === true))
  token
    .command('revoke')
    .description('Ends a token: it is refused at its next request.')
    .argument('<id>', 'its id, as the list shows it')
    .addHelpText('after', '\nExample:\n  roster token revoke 019aa2f0-0000-7000-8000-000000000000')
    .action((id: string) => revoke(terminal, id))
}

type CreateOptions = Readonly<{ name: string; scope: string; expires: string }>

async function create(terminal: Terminal, { name, scope: scopeList, expires }: CreateOptions): Promise<void> {
  const instead = 'Or make the token in GraphiQL, with createAdminToken.'
  await withDatabase(terminal, { instead }, async ({ config, database, scope }) => {
    const signingKeys = await loadSigningKeys({ database, clock: scope.clock, secrets: createSecrets(loadSecret(config)) })
    const accessTokens = createAccessTokens(tokenSettings(config), signingKeys)
    const expiresInSeconds = durationSeconds(toIsoDuration(expires), scope.clock.now())
    const scopes = scopeList.split(/[\s,]+/).filter(Boolean)
    const input = { name, scopes, expiresInSeconds }
    const { token, adminToken } = await createAdminToken({ ...scope, accessTokens }, input).catch((error) => explain(error, scopes))
    terminal.print(`${token}\n`)
    terminal.printError(
      `Made ${adminToken.id}, "${adminToken.name}", until ${adminToken.expiresAt?.toISOString()}. It is not shown again.\n`,
    )
  })
}

async function list(terminal: Terminal, isJson: boolean): Promise<void> {
  const instead = 'Or list them in GraphiQL, with adminTokens.'
  await withDatabase(terminal, { instead }, async ({ scope }) => {
    const tokens = await listAdminTokens(scope)
    terminal.print(isJson ? `${JSON.stringify(tokens, null, 2)}\n` : formatTokens(tokens, scope.clock.now()))
  })
}

async function revoke(terminal: Terminal, id: string): Promise<void> {
  const instead = 'Or revoke it in GraphiQL, with revokeAdminToken.'
  await withDatabase(terminal, { instead }, async ({ scope }) => {
    const { name } = await revokeAdminToken(scope, id).catch((error) => explain(error))
    terminal.printError(`Revoked ${id}, "${name}".\n`)
  })
}

/** `90d`, `12h`, `30m` and `45s` beside ISO 8601. */
function toIsoDuration(text: string): string {
  const [, amount, unit] = /^(\d{1,9})([dhms])$/.exec(text) ?? []
  if (amount === undefined) return text
  return unit === 'd' ? `P${amount}D` : `PT${amount}${unit?.toUpperCase()}`
}

const optionNames: Readonly<Record<string, string>> = { name: '--name', scopes: '--scope', expiresIn: '--expires', id: '<id>' }

function explain(error: unknown, scopes: readonly string[] = []): never {
  const errors = error instanceof DomainErrors ? error.errors : error instanceof DomainError ? [error] : []
  if (errors.length === 0) throw error
  const lines = errors.map(({ path: [, field = '', index], message }) => {
    const value = index === undefined ? '' : ` "${scopes[Number(index)]}"`
    return `${optionNames[field] ?? field}${value}: ${message}`
  })
  const isMissing = errors.some(({ code }) => code === 'ADMIN_TOKEN_NOT_FOUND')
  throw new CommandError(lines.join('\n'), isMissing ? 1 : 2, error)
}
