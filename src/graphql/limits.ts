import { type DocumentNode, Kind, OperationTypeNode, type SelectionNode, type SelectionSetNode } from 'graphql'
import { RequestError } from '../domain/errors.ts'

/** What a document may ask for before anything is validated or run. Fragments count as often as they are spread. */
export const operationLimits = {
  /** Names, punctuators and values of the whole document; the parser stops here. */
  tokens: 2000,
  fields: 1000,
  /** The standard introspection query has 15. */
  depth: 20,
  aliases: 50,
  directives: 50,
  /** Each mutation is a transaction. */
  mutations: 10,
  /** Mutations that try a password, a code or a token: a request is one guess. */
  credentials: 1,
  /** About one and a half times the standard introspection query, by the weights below. */
  introspection: 150_000,
} as const

/** About how many entries the lists of the introspection types have. */
const introspectionLists = new Map([
  ['types', 100],
  ['fields', 10],
  ['inputFields', 5],
  ['enumValues', 5],
  ['directives', 5],
  ['possibleTypes', 3],
  ['interfaces', 2],
  ['args', 2],
])

type Size = {
  fields: number
  depth: number
  aliases: number
  directives: number
  rootFields: number
  /** How many of them try a credential. */
  credentials: number
  /** The weight of what stands below `__schema` and `__type`. */
  introspection: number
  /** What the set would weigh there. */
  weight: number
}

const nothing: Readonly<Size> = {
  fields: 0,
  depth: 0,
  aliases: 0,
  directives: 0,
  rootFields: 0,
  credentials: 0,
  introspection: 0,
  weight: 0,
}

/**
 * Holds a parsed document against the limits. Each fragment is measured once, so the time is linear in the length of the document
 * however much it asks for. Works on documents that are not valid yet. `credentialFields` are the names of the mutations that try a
 * credential.
 *
 * @throws {RequestError} QUERY_TOO_COMPLEX with the name of the limit and its value
 */
export function assertWithinLimits(document: DocumentNode, credentialFields: ReadonlySet<string>): void {
  const fragments = fragmentSizes(document, credentialFields)
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    const size = sizeOfSet(definition.selectionSet, fragments)
    assertLimit('fields', size.fields)
    assertLimit('depth', size.depth)
    assertLimit('aliases', size.aliases)
    assertLimit('directives', size.directives + (definition.directives?.length ?? 0))
    assertLimit('introspection', size.introspection)
    if (definition.operation === OperationTypeNode.MUTATION) {
      assertLimit('mutations', size.rootFields)
      assertLimit('credentials', size.credentials)
    }
  }
}

/** The refusal of a document that passes a limit. */
export function tooComplex(name: keyof typeof operationLimits): RequestError {
  const limit = operationLimits[name]
  return new RequestError('QUERY_TOO_COMPLEX', `The operation has more than ${limit} ${nouns[name]}.`, { limit, of: name })
}

const nouns: Readonly<Record<keyof typeof operationLimits, string>> = {
  tokens: 'tokens',
  fields: 'fields, counted as often as they are spread',
  depth: 'levels of fields',
  aliases: 'aliases, counted as often as they are spread',
  directives: 'directives, counted as often as they are spread',
  mutations: 'mutations',
  credentials: 'mutation that tries a credential',
  introspection: 'values of introspection, by estimate',
}

function assertLimit(name: keyof typeof operationLimits, actual: number): void {
  if (actual > operationLimits[name]) throw tooComplex(name)
}

/** The size of the fragment of that name, and which fields try a credential. */
type FragmentSizes = Readonly<{ of: (name: string) => Readonly<Size>; credentialFields: ReadonlySet<string> }>

function fragmentSizes(document: DocumentNode, credentialFields: ReadonlySet<string>): FragmentSizes {
  const sets = new Map<string, SelectionSetNode>()
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) sets.set(definition.name.value, definition.selectionSet)
  const measured = new Map<string, Readonly<Size>>()
  const of = (name: string): Readonly<Size> => {
    const known = measured.get(name)
    if (known) return known
    // A fragment that spreads itself counts as nothing here: validation refuses it.
    measured.set(name, nothing)
    const size = sizeOfSet(sets.get(name), fragments)
    measured.set(name, size)
    return size
  }
  const fragments: FragmentSizes = { of, credentialFields }
  return fragments
}

function sizeOfSet(set: SelectionSetNode | undefined, fragments: FragmentSizes): Size {
  const total = { ...nothing }
  for (const node of set?.selections ?? []) {
    const size = sizeOfSelection(node, fragments)
    total.fields += size.fields
    total.depth = Math.max(total.depth, size.depth)
    total.aliases += size.aliases
    total.directives += size.directives + (node.directives?.length ?? 0)
    total.rootFields += size.rootFields
    total.credentials += size.credentials
    total.introspection += size.introspection
    total.weight += size.weight
  }
  return total
}

function sizeOfSelection(node: SelectionNode, fragments: FragmentSizes): Readonly<Size> {
  if (node.kind === Kind.FRAGMENT_SPREAD) return fragments.of(node.name.value)
  const inner = sizeOfSet(node.selectionSet, fragments)
  if (node.kind === Kind.INLINE_FRAGMENT) return inner
  const name = node.name.value
  const weight = (introspectionLists.get(name) ?? 1) * (1 + inner.weight)
  return {
    fields: 1 + inner.fields,
    depth: 1 + inner.depth,
    aliases: inner.aliases + (node.alias === undefined ? 0 : 1),
    directives: inner.directives,
    rootFields: 1,
    credentials: fragments.credentialFields.has(name) ? 1 : 0,
    introspection: inner.introspection + (name === '__schema' || name === '__type' ? weight : 0),
    weight,
  }
}
