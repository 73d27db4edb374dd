import { type Cluster, connect } from './cluster.ts'

/** Holds up, inside its transaction, each insert of a user that meets the condition, until it is opened. */
export async function closeGate(cluster: Cluster, condition = 'true'): Promise<{ open: () => Promise<void> }> {
  const holder = await connect(cluster.url)
  await holder.query('SELECT pg_advisory_lock(1)')
  await cluster.sql(`
    CREATE OR REPLACE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN WHILE NOT pg_try_advisory_xact_lock_shared(1) LOOP PERFORM pg_sleep(0.02); END LOOP; RETURN NEW; END $$;
    CREATE OR REPLACE TRIGGER wait BEFORE INSERT ON roster.users FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION public.wait()`)
  return { open: () => holder.end() }
}
