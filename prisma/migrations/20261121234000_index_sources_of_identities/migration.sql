-- Few sources have an identity: an index of those only costs the others nothing. Whoever looks for one names it.
-- DropIndex
DROP INDEX "roster"."profile_sources_identity_id_idx";

-- CreateIndex
CREATE INDEX "profile_sources_identity_id_idx" ON "roster"."profile_sources"("identity_id") WHERE ("identity_id" IS NOT NULL);
