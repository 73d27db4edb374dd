-- DropIndex
DROP INDEX "roster"."outbox_done_at_available_at_idx";

-- AlterTable
ALTER TABLE "roster"."outbox" ADD COLUMN     "dead_at" TIMESTAMPTZ(3),
ADD COLUMN     "expires_at" TIMESTAMPTZ(3),
ADD COLUMN     "failure" TEXT,
ADD COLUMN     "leased_until" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "outbox_done_at_dead_at_available_at_idx" ON "roster"."outbox"("done_at", "dead_at", "available_at");
