import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What the process counts for Prometheus. Every label takes its value from a closed list, so that no caller can grow them. */
export type Metrics = Readonly<{
  /** Counts an answered HTTP request; `route` is the route's template, never the path that was sent. */
  request: (labels: Readonly<{ method: string; route: string; status: number; seconds: number }>) => void
  /** Counts an executed or refused GraphQL operation; `code` is its first error's, or `OK`. */
  operation: (type: string, code: string) => void
  /** Counts a transaction that lost against another one and was tried again. */
  databaseRetry: () => void
  /** Counts a request that was refused because too many were at work. */
  shed: () => void
  /** Counts a request that begins (1) or ends (-1) to be at work. */
  inFlight: (difference: 1 | -1) => void
  /** Counts an attempt at a message of the outbox: it was done, failed for now, or is dead. */
  outboxAttempt: (kind: string, outcome: 'done' | 'failed' | 'dead') => void
  /** Says how the outbox is, as all processes see it. */
  outbox: (measures: Readonly<{ pending: number; dead: number; lagSeconds: number }>) => void
  /** All metrics as text, in the format that `contentType` names. */
  text: () => Promise<string>
  contentType: string
}>

/** Makes a registry of its own, with the process's default metrics in it. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const requests = new Histogram({
    name: 'roster_http_request_duration_seconds',
    help: 'How long HTTP requests took, by route and class of status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const operations = new Counter({
    name: 'roster_graphql_operations_total',
    help: 'GraphQL operations by type and by the code of their first error.',
    labelNames: ['type', 'code'],
    registers,
  })
  const retries = new Counter({ name: 'roster_database_retries_total', help: 'Transactions that were tried again.', registers })
  const shed = new Counter({ name: 'roster_http_requests_shed_total', help: 'Requests refused because too many were at work.', registers })
  const inFlight = new Gauge({ name: 'roster_http_requests_in_flight', help: 'Requests at work.', registers })
  const attempts = new Counter({
    name: 'roster_outbox_attempts_total',
    help: 'Attempts at messages of the outbox, by kind and outcome.',
    labelNames: ['kind', 'outcome'],
    registers,
  })
  const messages = new Gauge({
    name: 'roster_outbox_messages',
    help: 'Messages in the outbox that wait, or were given up.',
    labelNames: ['state'],
    registers,
  })
  const lag = new Gauge({ name: 'roster_outbox_lag_seconds', help: 'How long the message that is due longest has waited.', registers })
  return Object.freeze({
    request: ({ method, route, status, seconds }) => requests.observe({ method, route, status: `${Math.floor(status / 100)}xx` }, seconds),
    operation: (type, code) => operations.inc({ type, code }),
    databaseRetry: () => retries.inc(),
    shed: () => shed.inc(),
    inFlight: (difference) => inFlight.inc(difference),
    outboxAttempt: (kind, outcome) => attempts.inc({ kind, outcome }),
    outbox: ({ pending, dead, lagSeconds }) => {
      messages.set({ state: 'pending' }, pending)
      messages.set({ state: 'dead' }, dead)
      lag.set(lagSeconds)
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  })
}
