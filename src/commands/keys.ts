import type { Command } from 'commander'
import { createSecrets } from '../crypto/secrets.ts'
import { loadSecret } from '../domain/secret.ts'
import { dropSigningKey } from '../domain/signing-key/drop-signing-key.ts'
import { type ListedSigningKey, listSigningKeys } from '../domain/signing-key/list-signing-keys.ts'
import { rotateSigningKeys } from '../domain/signing-key/rotate-signing-keys.ts'
import type { KeyScope } from '../domain/signing-key/signing-key-record.ts'
import { withDatabase } from './open.ts'
import { formatTable, formatTime } from './table.ts'
import { CommandError, type Terminal } from './terminal.ts'

/** Adds `roster keys list | rotate | drop`. */
export function addKeys(program: Command, terminal: Terminal): void {
  const keys = program
    .command('keys')
    .description('Lists, rotates and drops the keys that tokens are signed with. SIGNING_KEY_DAYS rotates them by itself.')
  keys
    .command('list')
    .description('Lists the keys: the one that signs next, the one that signs, and those that only verify.')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  roster keys list --json')
    .action(({ json }: { json?: true }) => list(terminal, json === true))
  keys
    .command('rotate')
    .description('Makes the key that signs next. It is published now, and signs in an hour.')
    .addHelpText(
      'after',
      `
No token is refused for it: the key that signs now verifies until no token that it signed stands any more, and is deleted then.
Where somebody else may have that key, drop it: roster keys drop <kid>

Example:
  roster keys rotate`,
    )
    .action(() => rotate(terminal))
  keys
    .command('drop')
    .description('Deletes a key at once, because somebody else may have it.')
    .argument('<kid>', 'its kid, as the list shows it')
    // A kid may begin with a dash.
    .helpOption('--help', 'display help for command')
    .allowUnknownOption()
    .addHelpText(
      'after',
      `
Every token that the key signed is void, on all servers within half a minute. Users stay signed in: their next refresh brings another
access token. Admin tokens of that key must be made again; roster token list --json shows when each was made. Where the key is the one that
signs, the next key takes over now, or a new one is made. Who verifies tokens by /.well-known/jwks.json accepts those of the dropped key
until he reads it again: caches hold it for five minutes, and verifiers as long as they are set to.

Example:
  roster keys drop 0Ylq1aQbU5Vt3gq6rCwT5kYQ8l8rJ6kP2m0Wc1nXz9A`,
    )
    .action((kid: string) => drop(terminal, kid))
}

/** The embedded database is its server's alone. */
const instead = 'Stop the server first, and start it again afterwards.'

function withKeys(terminal: Terminal, work: (scope: KeyScope) => Promise<void>): Promise<void> {
  return withDatabase(terminal, { instead }, ({ config, scope: { db, clock } }) =>
    work({ db, clock, secrets: createSecrets(loadSecret(config)) }),
  )
}

function list(terminal: Terminal, isJson: boolean): Promise<void> {
  return withKeys(terminal, async (scope) => {
    const keys = await listSigningKeys(scope)
    terminal.print(isJson ? `${JSON.stringify(keys, null, 2)}\n` : formatKeys(keys))
  })
}

function formatKeys(keys: readonly ListedSigningKey[]): string {
  if (keys.length === 0) return 'There are no keys. The server makes the first one when it starts.\n'
  const rows = keys.map(({ id, state, signsFrom, signsUntil, verifiesUntil }) => [
    id,
    state,
    formatTime(signsFrom),
    signsUntil === null ? '' : formatTime(signsUntil),
    verifiesUntil === null ? '' : formatTime(verifiesUntil),
  ])
  return formatTable([['KID', 'STATE', 'SIGNS FROM', 'SIGNS UNTIL', 'VERIFIES UNTIL'], ...rows])
}

function rotate(terminal: Terminal): Promise<void> {
  return withKeys(terminal, async (scope) => {
    const { key, isNew } = await rotateSigningKeys(scope)
    const signs = `signs from ${formatTime(key.activatesAt)}`
    if (!isNew) throw new CommandError(`There is a next key already: ${key.id} ${signs}.`, 1)
    terminal.printError(`Made ${key.id}. It is published now, and ${signs}.\n`)
  })
}

function drop(terminal: Terminal, kid: string): Promise<void> {
  return withKeys(terminal, async (scope) => {
    const dropped = await dropSigningKey(scope, kid)
    if (dropped === null) throw new CommandError('There is no such key. See: roster keys list', 1)
    const { state, successor } = dropped
    terminal.printError(`Dropped ${kid}, the ${state} key. ${successor === null ? '' : `${successor.id} signs from now on. `}`)
    terminal.printError('Its tokens are void on all servers within half a minute.\n')
  })
}
