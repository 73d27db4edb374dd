/** For those who run `npx prisma migrate deploy --config prisma/prisma.config.ts` themselves; Roster applies its migrations at start. */
export default {
  schema: 'schema.prisma',
  migrations: { path: 'migrations' },
  datasource: { url: process.env['DATABASE_URL'] ?? '' },
}
