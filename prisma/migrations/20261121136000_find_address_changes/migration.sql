-- AlterTable
ALTER TABLE "roster"."one_time_tokens" ADD COLUMN     "new_email_normal" TEXT;

-- CreateIndex
CREATE INDEX "one_time_tokens_new_email_normal_idx" ON "roster"."one_time_tokens"("new_email_normal") WHERE ("new_email_normal" IS NOT NULL);
