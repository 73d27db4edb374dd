-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "roster";

-- CreateTable
CREATE TABLE "roster"."users" (
    "id" UUID NOT NULL,
    "email" TEXT,
    "email_normal" TEXT COLLATE "C",
    "email_verified" BOOLEAN NOT NULL DEFAULT false,
    "phone_number" TEXT COLLATE "C",
    "phone_number_verified" BOOLEAN NOT NULL DEFAULT false,
    "username" TEXT,
    "username_normal" TEXT COLLATE "C",
    "name_normal" TEXT COLLATE "C",
    "external_id" TEXT COLLATE "C",
    "invited_at" TIMESTAMPTZ(3),
    "blocked_at" TIMESTAMPTZ(3),
    "blocked_until" TIMESTAMPTZ(3),
    "block_reason" TEXT,
    "user_metadata" JSONB NOT NULL DEFAULT '{}',
    "app_metadata" JSONB NOT NULL DEFAULT '{}',
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),
    "anonymized_at" TIMESTAMPTZ(3),
    "last_sign_in_at" TIMESTAMPTZ(3),
    "last_sign_in_ip" TEXT,
    "sign_in_count" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "roster"."profiles" (
    "user_id" UUID NOT NULL,
    "name" TEXT,
    "given_name" TEXT,
    "family_name" TEXT,
    "middle_name" TEXT,
    "nickname" TEXT,
    "preferred_username" TEXT,
    "picture" TEXT,
    "website" TEXT,
    "gender" TEXT,
    "birthdate" TEXT,
    "zoneinfo" TEXT,
    "locale" TEXT,
    "address" JSONB,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "profiles_pkey" PRIMARY KEY ("user_id")
);

-- CreateTable
CREATE TABLE "roster"."profile_sources" (
    "user_id" UUID NOT NULL,
    "attribute" TEXT NOT NULL,
    "origin" TEXT NOT NULL,
    "identity_id" UUID,
    "set_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "profile_sources_pkey" PRIMARY KEY ("user_id","attribute")
);

-- CreateTable
CREATE TABLE "roster"."identities" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "provider" TEXT COLLATE "C" NOT NULL,
    "provider_user_id" TEXT COLLATE "C" NOT NULL,
    "email" TEXT,
    "email_verified" BOOLEAN NOT NULL DEFAULT false,
    "claims" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_sign_in_at" TIMESTAMPTZ(3),

    CONSTRAINT "identities_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "roster"."password_credentials" (
    "user_id" UUID NOT NULL,
    "hash" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "password_credentials_pkey" PRIMARY KEY ("user_id")
);

-- CreateTable
CREATE TABLE "roster"."sessions" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "last_used_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),
    "ip" TEXT,
    "user_agent" TEXT,
    "aal" TEXT NOT NULL,
    "amr" TEXT[],
    "connection" TEXT,

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "roster"."admin_tokens" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "scopes" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "admin_tokens_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "roster"."signing_keys" (
    "id" TEXT NOT NULL,
    "algorithm" TEXT NOT NULL,
    "public_jwk" JSONB NOT NULL,
    "sealed_private_jwk" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "signing_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "roster"."audit_events" (
    "id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "subject_id" UUID,
    "user_id" UUID,
    "actor_kind" TEXT NOT NULL,
    "actor_id" TEXT,
    "ip" TEXT,
    "user_agent" TEXT,
    "request_id" TEXT,
    "connection" TEXT,
    "application" TEXT,
    "success" BOOLEAN NOT NULL DEFAULT true,
    "changes" JSONB NOT NULL DEFAULT '[]',

    CONSTRAINT "audit_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "roster"."outbox" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "available_at" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "done_at" TIMESTAMPTZ(3),

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "users_email_key" ON "roster"."users"("email_normal");

-- CreateIndex
CREATE UNIQUE INDEX "users_phone_number_key" ON "roster"."users"("phone_number");

-- CreateIndex
CREATE UNIQUE INDEX "users_username_key" ON "roster"."users"("username_normal");

-- CreateIndex
CREATE UNIQUE INDEX "users_external_id_key" ON "roster"."users"("external_id");

-- CreateIndex
CREATE INDEX "users_created_at_id_idx" ON "roster"."users"("created_at", "id");

-- CreateIndex
CREATE INDEX "users_updated_at_id_idx" ON "roster"."users"("updated_at", "id");

-- CreateIndex
CREATE INDEX "users_last_sign_in_at_id_idx" ON "roster"."users"("last_sign_in_at", "id");

-- CreateIndex
CREATE INDEX "users_sign_in_count_id_idx" ON "roster"."users"("sign_in_count", "id");

-- CreateIndex
CREATE INDEX "users_name_normal_id_idx" ON "roster"."users"("name_normal", "id");

-- CreateIndex
CREATE INDEX "users_blocked_idx" ON "roster"."users"("id") WHERE ("blocked_at" IS NOT NULL);

-- CreateIndex
CREATE INDEX "users_invited_idx" ON "roster"."users"("id") WHERE ("invited_at" IS NOT NULL);

-- CreateIndex
CREATE INDEX "users_deleted_idx" ON "roster"."users"("id") WHERE ("deleted_at" IS NOT NULL);

-- CreateIndex
CREATE INDEX "users_user_metadata_idx" ON "roster"."users" USING GIN ("user_metadata" jsonb_path_ops);

-- CreateIndex
CREATE INDEX "users_app_metadata_idx" ON "roster"."users" USING GIN ("app_metadata" jsonb_path_ops);

-- CreateIndex
CREATE INDEX "profile_sources_identity_id_idx" ON "roster"."profile_sources"("identity_id");

-- CreateIndex
CREATE INDEX "identities_user_id_idx" ON "roster"."identities"("user_id");

-- CreateIndex
CREATE INDEX "identities_provider_user_id_idx" ON "roster"."identities"("provider_user_id");

-- CreateIndex
CREATE UNIQUE INDEX "identities_provider_key" ON "roster"."identities"("provider", "provider_user_id");

-- CreateIndex
CREATE INDEX "sessions_user_id_idx" ON "roster"."sessions"("user_id");

-- CreateIndex
CREATE INDEX "audit_events_user_id_id_idx" ON "roster"."audit_events"("user_id", "id");

-- CreateIndex
CREATE INDEX "audit_events_subject_id_idx" ON "roster"."audit_events"("subject_id");

-- CreateIndex
CREATE INDEX "outbox_done_at_available_at_idx" ON "roster"."outbox"("done_at", "available_at");

-- AddForeignKey
ALTER TABLE "roster"."profiles" ADD CONSTRAINT "profiles_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "roster"."users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "roster"."profile_sources" ADD CONSTRAINT "profile_sources_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "roster"."users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "roster"."profile_sources" ADD CONSTRAINT "profile_sources_identity_id_fkey" FOREIGN KEY ("identity_id") REFERENCES "roster"."identities"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "roster"."identities" ADD CONSTRAINT "identities_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "roster"."users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "roster"."password_credentials" ADD CONSTRAINT "password_credentials_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "roster"."users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "roster"."sessions" ADD CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "roster"."users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "roster"."audit_events" ADD CONSTRAINT "audit_events_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "roster"."users"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- JSON Merge Patch, RFC 7396: what MERGE_DEEP does to metadata, in the statement that changes the row.
CREATE FUNCTION "roster"."json_merge_patch"(target JSONB, patch JSONB) RETURNS JSONB
LANGUAGE plpgsql IMMUTABLE SET search_path = '' AS $$
DECLARE
    result JSONB;
    key TEXT;
    value JSONB;
BEGIN
    IF jsonb_typeof(patch) IS DISTINCT FROM 'object' THEN
        RETURN patch;
    END IF;
    result := CASE WHEN jsonb_typeof(target) = 'object' THEN target ELSE '{}'::jsonb END;
    FOR key, value IN SELECT * FROM jsonb_each(patch) LOOP
        IF jsonb_typeof(value) = 'null' THEN
            result := result - key;
        ELSE
            result := result || jsonb_build_object(key, "roster"."json_merge_patch"(result -> key, value));
        END IF;
    END LOOP;
    RETURN result;
END
$$;

-- History is append-only. What may change is the erasure of what is personal, and the reference to a user who is gone.
CREATE FUNCTION "roster"."keep_audit_events"() RETURNS TRIGGER
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND (NEW.id, NEW.type, NEW.at, NEW.actor_kind, NEW.actor_id, NEW.request_id, NEW.connection, NEW.application, NEW.success)
            IS NOT DISTINCT FROM
            (OLD.id, OLD.type, OLD.at, OLD.actor_kind, OLD.actor_id, OLD.request_id, OLD.connection, OLD.application, OLD.success)
        AND NEW.subject_id IS NOT DISTINCT FROM OLD.subject_id
        AND (NEW.user_id IS NULL OR NEW.user_id = OLD.user_id)
        AND (NEW.ip IS NULL OR NEW.ip = OLD.ip)
        AND (NEW.user_agent IS NULL OR NEW.user_agent = OLD.user_agent)
        AND (NEW.changes = '[]'::jsonb OR NEW.changes = OLD.changes)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audit events are kept as they were written' USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER "keep_audit_events" BEFORE UPDATE OR DELETE ON "roster"."audit_events"
FOR EACH ROW EXECUTE FUNCTION "roster"."keep_audit_events"();

-- Indexes for `contains`, where the server offers pg_trgm and the role may install it, or somebody has.
DO $$
DECLARE
    home TEXT;
BEGIN
    BEGIN
        CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA "roster";
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'pg_trgm is not available (%): `contains` filters will scan', SQLERRM;
    END;
    SELECT quote_ident(n.nspname) INTO home FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm';
    IF home IS NOT NULL THEN
        EXECUTE format('CREATE INDEX "users_trigram_idx" ON "roster"."users" USING GIN ("email_normal" %1$s.gin_trgm_ops, "username_normal" %1$s.gin_trgm_ops, "phone_number" %1$s.gin_trgm_ops, "external_id" %1$s.gin_trgm_ops, "name_normal" %1$s.gin_trgm_ops)', home);
    END IF;
END
$$;
