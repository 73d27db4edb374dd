import type { Command } from 'commander'
import { type App, createApp } from '../app.ts'
import { parseConfig } from '../config.ts'
import { startJobs } from '../jobs.ts'
import { describeError } from '../ports/describe-error.ts'
import { createServer, type RosterServer } from '../server.ts'
import { welcome } from './serve-welcome.ts'
import { CommandError, type StopRequest, type Terminal } from './terminal.ts'

/** In production, how long load balancers get to see that `/health/ready` says 503 before connections are refused. */
const probeDelayMs = 2000

/** One of the servers of the process, and the variable that says its port. */
type Listener = Readonly<{ graph: 'whole' | 'public'; variable: 'PORT' | 'ADMIN_PORT'; port: number; server: RosterServer }>

/** Adds `roster serve`. */
export function addServe(program: Command, terminal: Terminal): void {
  program
    .command('serve')
    .description('Starts the server. The environment configures it: roster config')
    .addHelpText(
      'after',
      `
It ends gracefully on SIGTERM and SIGINT, and at once on the second of them.

Examples:
  roster serve
  PORT=8080 DATABASE_URL=postgresql://roster@localhost/app roster serve
  NODE_ENV=production PUBLIC_URL=https://users.example.com ROSTER_SECRET_FILE=/run/secrets/roster roster serve`,
    )
    .action(() => serve(terminal))
}

async function serve(terminal: Terminal): Promise<void> {
  const app = await createApp(parseConfig(terminal.environment))
  // Before anybody is told that the server is there: whoever reads that may end it at once.
  const stopRequested = terminal.stopRequested()
  const jobs = startJobs(app)
  try {
    const listeners = await listen(app)
    app.outbox.start()
    app.jobRunner.start()
    announce(app, listeners, terminal)
    const request = await stopRequested
    await Promise.all([leave(app, listeners, request), jobs.stop()])
  } finally {
    await jobs.stop()
    await app.close()
  }
}

async function listen(app: App): Promise<readonly Listener[]> {
  const { host, port, adminPort } = app.config
  const wholeOn = (variable: Listener['variable'], port: number): Listener => ({
    graph: 'whole',
    variable,
    port,
    server: createServer(app, { graph: 'whole' }),
  })
  const wanted: readonly Listener[] =
    adminPort === null
      ? [wholeOn('PORT', port)]
      : [wholeOn('ADMIN_PORT', adminPort), { graph: 'public', variable: 'PORT', port, server: createServer(app, { graph: 'public' }) }]
  try {
    const listening: Listener[] = []
    for (const listener of wanted) listening.push({ ...listener, port: await listenOn(listener, host) })
    return listening
  } catch (error) {
    await Promise.all(wanted.map(({ server }) => server.drain()))
    throw error
  }
}

async function listenOn({ server, port, variable }: Listener, host: string): Promise<number> {
  try {
    return (await server.listen(port, host)).port
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new CommandError(`Port ${port} on ${host} is in use. Set ${variable} to another one.`, 1, error)
    if (code === 'EACCES') throw new CommandError(`Port ${port} is not open to this user. Set ${variable} to one above 1023.`, 1, error)
    throw new CommandError(`The server cannot listen on ${host}, port ${port} (${code}). Set HOST and ${variable}.`, 1, error)
  }
}

function announce(app: App, listeners: readonly Listener[], terminal: Terminal): void {
  const { config, logger, version, database, mailEnabled } = app
  const ports = Object.fromEntries(listeners.map(({ graph, port }) => [graph, port]))
  const { whole = 0, public: publicPort = null } = ports
  if (config.mode === 'development') terminal.print(welcome({ ...app, command: terminal.command, port: whole, publicPort }))
  else logger.info({ version, database: database.engine, host: config.host, ports, mailEnabled }, 'ready')
}

/** @throws {CommandError} after an error that nobody caught */
async function leave({ config, logger, outbox, jobRunner }: App, listeners: readonly Listener[], request: StopRequest): Promise<void> {
  const isCrash = 'error' in request
  if (isCrash) logger.fatal({ error: describeError(request.error) }, 'an error that nobody caught: stopping')
  else logger.info({ signal: request.signal }, 'stopping when the requests at work are done')
  const delayMs = config.mode === 'production' && !isCrash ? probeDelayMs : 0
  await Promise.all([outbox.stop(), jobRunner.stop(), ...listeners.map(({ server }) => server.drain(delayMs))])
  logger.info('stopped')
  if (isCrash) throw new CommandError('', 1, request.error)
}
