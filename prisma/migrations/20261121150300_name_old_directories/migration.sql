-- AlterTable
ALTER TABLE "roster"."connections" ADD COLUMN     "verifier_url" TEXT;
