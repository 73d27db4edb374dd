import type { IncomingMessage } from 'node:http'
import type { Principal } from '../domain/principal.ts'

/** A request as the routes see it. */
export type Exchange = Readonly<{
  request: IncomingMessage
  requestId: string
  /** Where it came from; null when the connection is gone. */
  ip: string | null
}>

/** What a route answers; the server adds the headers that every answer has. */
export type Answer = Readonly<{
  status: number
  headers?: Readonly<Record<string, string>>
  /** A stream is sent as fast as the caller reads. */
  body?: string | Uint8Array | AsyncIterable<string | Uint8Array>
  /** What is logged and counted of a GraphQL operation. */
  operation?: OperationFacts
}>

/** What may be known of an operation outside of its answer: nothing that the caller wrote. */
export type OperationFacts = Readonly<{
  type: 'query' | 'mutation' | 'subscription' | null
  /** The codes of its errors, each once. */
  codes: readonly string[]
  /** Null when the operation was refused before it was asked who calls. */
  principal: Principal | null
}>

/** Answers one method of one path. @throws {HttpError} to refuse */
export type Route = (exchange: Exchange) => Answer | Promise<Answer>

/** Answers a value as JSON. */
export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers }, body: JSON.stringify(value) }
}
