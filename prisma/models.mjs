// Writes src/generated/models.ts: how tables and columns are called, and what relations join by, for reads that are one statement.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const target = fileURLToPath(new URL('../src/generated/models.ts', import.meta.url))

/** Generates the file, from the schema as Prisma has read it. */
export function generateModels({ datamodel: { models } }) {
  const described = Object.fromEntries(models.map((model) => [model.name, describe(model, models)]))
  writeFileSync(target, `${types}export const models: Models = ${JSON.stringify(described, null, 2)}\n`)
}

const types = `/** A column, and whether it holds times, or something that no other row has. */
type Column = Readonly<{ column: string; type: string; unique: boolean }>
/** The columns that are equal: \`from\` of this model, \`to\` of the other. */
type Relation = Readonly<{ model: string; list: boolean; from: string; to: string }>
type Models = Readonly<Record<string, Readonly<{ table: string; columns: Readonly<Record<string, Column>>; relations: Readonly<Record<string, Relation>> }>>>

`

function describe({ schema, dbName, name, fields }, models) {
  const columns = fields
    .filter(({ kind }) => kind !== 'object')
    .map((field) => [field.name, { column: columnOf(field), type: typeOf(field), unique: field.isId || field.isUnique }])
  const relations = fields.filter(({ kind }) => kind === 'object').flatMap((field) => relation(field, name, models))
  return {
    table: `"${schema ?? 'roster'}"."${dbName ?? name}"`,
    columns: Object.fromEntries(columns),
    relations: Object.fromEntries(relations),
  }
}

/** One side of a relation names the columns of both. A relation by several columns is left out. */
function relation(field, owner, models) {
  const other = models.find(({ name }) => name === field.type)
  const opposite = other.fields.find(
    ({ relationName, name }) => relationName === field.relationName && !(other.name === owner && name === field.name),
  )
  const isHere = field.relationFromFields.length > 0
  const [from, ...more] = isHere ? field.relationFromFields : opposite.relationToFields
  const [to] = isHere ? field.relationToFields : opposite.relationFromFields
  if (from === undefined || more.length > 0) return []
  const mine = models.find(({ name }) => name === owner)
  return [[field.name, { model: field.type, list: field.isList, from: columnNamed(mine, from), to: columnNamed(other, to) }]]
}

function columnNamed({ fields }, name) {
  return columnOf(fields.find((field) => field.name === name))
}

function columnOf({ dbName, name }) {
  return dbName ?? name
}

/** PostgreSQL's, where it matters. */
function typeOf({ type, isList, nativeType }) {
  if (nativeType?.[0] === 'Uuid') return 'uuid'
  return isList ? `${type}[]` : type
}
