-- The difference between two objects as history keeps it: objects are compared member by member, arrays as a whole. What is absent
-- counts as null. Paths are JSON Pointers (RFC 6901).
CREATE FUNCTION "roster"."json_changes"(before JSONB, after JSONB, prefix TEXT) RETURNS JSONB
LANGUAGE plpgsql IMMUTABLE SET search_path = '' AS $$
DECLARE
    result JSONB := '[]';
    name TEXT;
    old JSONB;
    new JSONB;
    path TEXT;
BEGIN
    IF before = after THEN
        RETURN result;
    END IF;
    FOR name, old, new IN
        SELECT member, COALESCE(b.value, 'null'), COALESCE(a.value, 'null')
        FROM jsonb_each(before) WITH ORDINALITY AS b (member, value, place)
        FULL JOIN jsonb_each(after) WITH ORDINALITY AS a (member, value, place) USING (member)
        WHERE b.value IS DISTINCT FROM a.value
        ORDER BY b.place NULLS LAST, a.place
    LOOP
        path := prefix || '/' || replace(replace(name, '~', '~0'), '/', '~1');
        IF jsonb_typeof(old) IN ('object', 'null') AND jsonb_typeof(new) IN ('object', 'null') AND NOT old = new THEN
            result := result || "roster"."json_changes"(NULLIF(old, 'null'), NULLIF(new, 'null'), path);
        ELSIF NOT old = new THEN
            result := result || jsonb_build_object('path', path, 'before', old, 'after', new);
        END IF;
    END LOOP;
    RETURN result;
END
$$;
