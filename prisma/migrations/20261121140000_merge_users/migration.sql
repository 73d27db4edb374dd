-- History is append-only. What may change is the erasure of what is personal, the reference to a user who is gone, and that to a user
-- who the transaction says is merged into another; what may go is what is older than the time that it says history is kept from.
CREATE OR REPLACE FUNCTION "roster"."keep_audit_events"() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND (NEW.id, NEW.type, NEW.at, NEW.actor_kind, NEW.actor_id, NEW.request_id, NEW.connection, NEW.application, NEW.success)
            IS NOT DISTINCT FROM
            (OLD.id, OLD.type, OLD.at, OLD.actor_kind, OLD.actor_id, OLD.request_id, OLD.connection, OLD.application, OLD.success)
        AND NEW.subject_id IS NOT DISTINCT FROM OLD.subject_id
        AND (NEW.user_id IS NULL OR NEW.user_id = OLD.user_id OR OLD.user_id::text = current_setting('roster.merged_user', true))
        AND (NEW.ip IS NULL OR NEW.ip = OLD.ip)
        AND (NEW.user_agent IS NULL OR NEW.user_agent = OLD.user_agent)
        AND (NEW.changes = '[]'::jsonb OR NEW.changes = OLD.changes)
    THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND OLD.at < NULLIF(current_setting('roster.history_kept_from', true), '')::timestamptz THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit events are kept as they were written' USING ERRCODE = 'restrict_violation';
END
$$;
