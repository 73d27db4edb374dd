import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql'
import { createYoga, type Plugin } from 'graphql-yoga'
import type { App } from '../app.ts'
import type { Context } from '../context.ts'
import { RequestError, serviceUnavailable } from '../domain/errors.ts'
import type { Principal } from '../domain/principal.ts'
import type { Ending } from '../ports/ending.ts'
import { countedLists } from './counted-lists.ts'
import { createDocumentCache } from './document-cache.ts'
import { assertWithinLimits, operationLimits, tooComplex } from './limits.ts'
import { quietSyntaxError, validationRules } from './literal-rules.ts'
import { maskError } from './mask-error.ts'
import { credentialMutations } from './mutation.ts'
import { variableErrors } from './variable-error.ts'

/** What a GraphQL request asks for. */
export type Params = Readonly<{ query: string; variables: Readonly<Record<string, unknown>>; operationName: string | null }>

type Surroundings = Readonly<{
  requestId: string
  /** Finds out who calls; asked for valid operations only, with how many counts of whole lists they ask for. */
  createContext: (counts: number) => Promise<Context>
  /** When it comes, no further field is begun, nor a further mutation. */
  ending: Ending
}>

type Result = Readonly<{ data?: unknown; errors?: readonly GraphQLFormattedError[] }>

/** What became of an operation. */
export type Outcome = Readonly<{
  /** The answer, fit to be sent. Without `data` nothing was run. */
  result: Result
  /** The answers of a subscription that has begun, as they come; null for everything else. Whoever takes them ends them. */
  events: AsyncIterable<Result> | null
  type: 'query' | 'mutation' | 'subscription' | null
  /** Null when it was refused before it was asked who calls. */
  principal: Principal | null
}>

/** Runs an operation. It never throws: what goes wrong is in the outcome. */
export type RunOperation = (params: Params, surroundings: Surroundings) => Promise<Outcome>

/**
 * Puts the pipeline together: parse, limits, validate, who calls, execute, mask. Yoga runs it with its plugins; its own HTTP side is
 * not used, because most of its defaults are more than this API offers.
 */
export function createOperationRunner({ config, logger }: Pick<App, 'config' | 'logger'>, schema: GraphQLSchema): RunOperation {
  const yoga = createYoga({
    schema,
    plugins: [useGuards(config)],
    logging: false,
    maskedErrors: false,
    parserAndValidationCache: { documentCache: createDocumentCache(), errorCache: noCache, validationCache: true },
  })
  return async (params, surroundings) => {
    const engine = yoga.getEnveloped({})
    const mask = (error: unknown) => maskError(error, { requestId: surroundings.requestId, logger })
    const prepared = prepare(engine, params)
    if ('errors' in prepared) return { result: { errors: prepared.errors.map(mask) }, events: null, type: null, principal: null }
    const { operation } = prepared
    let principal: Principal | null = null
    try {
      const context = await surroundings.createContext(countedLists(prepared.document, operation))
      principal = context.principal
      surroundings.ending.throwIfAborted()
      const unsubscribing = operation.operation === 'subscription' ? new AbortController() : null
      const contextValue = unsubscribing === null ? context : { ...context, unsubscribed: unsubscribing.signal }
      const result = await engine.execute({ ...executionArgs(prepared, params, surroundings), schema: engine.schema, contextValue })
      surroundings.ending.throwIfAborted()
      if (unsubscribing !== null && isEvents(result)) {
        const events = endedBy(unsubscribing, maskEvents(result, surroundings, mask))
        return { result: {}, events, type: operation.operation, principal }
      }
      // Without `data` the variables were not taken, and the errors quote them.
      const quiet = 'data' in result ? [] : variableErrors(engine.schema, operation, params.variables, !config.introspection)
      const errors = quiet.length > 0 ? quiet : result.errors
      return { result: { ...result, ...(errors ? { errors: errors.map(mask) } : {}) }, events: null, type: operation.operation, principal }
    } catch (error) {
      const reason = surroundings.ending.aborted ? serviceUnavailable(error) : error
      return { result: { errors: [mask(reason)] }, events: null, type: operation.operation, principal }
    }
  }
}

function isEvents(result: unknown): result is AsyncIterable<ExecutionResult> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result
}

/** Who stops listening stops what is watched, too: a generator that waits for its next event cannot be told so. */
function endedBy<Item>(unsubscribing: AbortController, events: AsyncGenerator<Item>): AsyncIterable<Item> {
  const end = (): ReturnType<typeof events.return> => {
    unsubscribing.abort()
    return events.return(undefined)
  }
  return { [Symbol.asyncIterator]: () => ({ next: () => events.next(), return: end }) }
}

/** Before each event it is found out again who calls: whose session has ended, or who was blocked, is told nothing more. */
async function* maskEvents(
  results: AsyncIterable<ExecutionResult>,
  { createContext }: Surroundings,
  mask: (error: unknown) => GraphQLFormattedError,
): AsyncGenerator<Result> {
  try {
    for await (const { data, errors } of results) {
      await createContext(0)
      yield { ...(data === undefined ? {} : { data }), ...(errors ? { errors: errors.map(mask) } : {}) }
    }
  } catch (error) {
    yield { errors: [mask(error)] }
  }
}

type Engine = ReturnType<ReturnType<typeof createYoga>['getEnveloped']>
type Prepared = Readonly<{ document: DocumentNode; operation: OperationDefinitionNode }>

/** Parses and validates. */
function prepare(
  { parse, validate, schema }: Engine,
  { query, operationName }: Params,
): Prepared | Readonly<{ errors: readonly unknown[] }> {
  try {
    const document: DocumentNode = parse(query)
    const operation = findOperation(document, operationName)
    if (!schema.getRootType(operation.operation)) throw new RequestError('BAD_USER_INPUT', `There are no ${operation.operation}s here.`)
    const errors: readonly GraphQLError[] = validate(schema, document)
    return errors.length > 0 ? { errors: errors.map(asBadInput) } : { document, operation }
  } catch (error) {
    return { errors: [error] }
  }
}

function executionArgs(
  { document, operation }: Prepared,
  { variables, operationName }: Params,
  { ending }: Surroundings,
): Omit<ExecutionArgs, 'schema'> {
  // Envelop does not know of the executor's signal. Where there is one, what an operation has made outlives it by several collections of
  // garbage, which take longer by it. Fields ask for themselves (access-plugin.ts): only what has further roots to begin has one.
  return { document, variableValues: variables, operationName, ...(beginsAtOnce(operation) ? {} : { signal: ending }) }
}

/** Whether all roots of an operation begin together, or there is but one. */
function beginsAtOnce({ operation, selectionSet: { selections } }: OperationDefinitionNode): boolean {
  return operation === 'query' || (operation === 'mutation' && selections.length === 1 && selections[0]?.kind === Kind.FIELD)
}

/** Parsing and validation as this API does them. */
function useGuards({ introspection }: Pick<App['config'], 'introspection'>): Plugin {
  const rules = introspection ? validationRules : [...validationRules, NoSchemaIntrospectionCustomRule]
  const options = { hideSuggestions: !introspection, maxErrors: 20 }
  return {
    onParse: ({ setParseFn }) => setParseFn(parseWithinLimits),
    onValidate: ({ setValidationFn }) =>
      setValidationFn((schema: GraphQLSchema, document: DocumentNode) => {
        assertWithinLimits(document, credentialMutations(schema))
        return validate(schema, document, rules, options)
      }),
  }
}

function parseWithinLimits(query: string): DocumentNode {
  try {
    return parse(query, { maxTokens: operationLimits.tokens })
  } catch (error) {
    // The parser descends into literals: what is too deep for the stack is too deep for everybody.
    if (error instanceof RangeError) throw tooComplex('depth')
    if (!(error instanceof GraphQLError)) throw error
    throw error.message.startsWith('Syntax Error: Document contains more') ? tooComplex('tokens') : quietSyntaxError(error)
  }
}

function findOperation(document: DocumentNode, name: string | null): OperationDefinitionNode {
  const operation = getOperationAST(document, name)
  if (operation) return operation
  const problem =
    name === null
      ? 'The document must hold one operation, or `operationName` must name one.'
      : 'The document has no operation of the name in `operationName`.'
  throw new RequestError('BAD_USER_INPUT', problem)
}

function asBadInput(error: GraphQLError): GraphQLError {
  return new GraphQLError(error.message, { nodes: error.nodes ?? [], extensions: { code: 'BAD_USER_INPUT' } })
}

/** Broken documents are not kept: there is no end to them. */
const noCache = { get: () => undefined, set: () => {} }
