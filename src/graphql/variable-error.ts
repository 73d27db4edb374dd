import {
  coerceInputValue,
  type GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  getNullableType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql'
import { RequestError } from '../domain/errors.ts'

type Variables = Readonly<Record<string, unknown>>

const maxErrors = 20

/**
 * What is wrong with the variables of an operation, by path and expected type. graphql-js says it with the value, which may be a
 * password; so this says it again, after an execution that did not begin.
 */
export function variableErrors(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Variables,
  hideSuggestions: boolean,
): RequestError[] {
  const errors: RequestError[] = []
  for (const { variable, type: typeNode, defaultValue } of operation.variableDefinitions ?? []) {
    const name = variable.name.value
    const type = typeFromAST(schema, typeNode)
    if (!isInputType(type)) continue
    if (!Object.hasOwn(variables, name)) {
      if (isNonNullType(type) && defaultValue === undefined) errors.push(badVariable([name], `a value of type "${type}" is needed`))
      continue
    }
    const onError = (path: readonly (string | number)[], _value: unknown, error: GraphQLError): void => {
      errors.push(badVariable([name, ...path], problem(type, path, error)))
    }
    coerceInputValue(variables[name], type, onError, hideSuggestions)
  }
  return errors.slice(0, maxErrors)
}

function badVariable(path: readonly (string | number)[], problem: string): RequestError {
  const field = path.join('.')
  return new RequestError('BAD_USER_INPUT', `Variable "$${field}": ${problem}.`, { field })
}

/** Messages about the fields of an input object, whose names the caller may have made up: any other is not repeated. */
const namesOnly = /^(Field "[_A-Za-z]\w{0,63}" |Exactly one key )/

function problem(type: GraphQLInputType, path: readonly (string | number)[], error: GraphQLError): string {
  const isOurs = error.extensions['code'] === 'BAD_USER_INPUT'
  if (isOurs || namesOnly.test(error.message)) return error.message.replace(/\.$/, '')
  return `expected a value of type "${typeAt(type, path)}"`
}

function typeAt(type: GraphQLInputType, path: readonly (string | number)[]): GraphQLInputType {
  const [step, ...rest] = path
  if (step === undefined) return type
  const nullable = getNullableType(type) as GraphQLInputType
  if (isListType(nullable)) return typeAt(nullable.ofType, typeof step === 'number' ? rest : path)
  if (isInputObjectType(nullable)) return typeAt(nullable.getFields()[step]?.type ?? nullable, rest)
  return nullable
}
