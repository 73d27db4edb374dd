-- CreateTable
CREATE TABLE "roster"."jobs" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "input" JSONB NOT NULL,
    "caller" JSONB NOT NULL,
    "checkpoint" JSONB,
    "served" BOOLEAN NOT NULL DEFAULT true,
    "processed" INTEGER NOT NULL DEFAULT 0,
    "total" INTEGER,
    "inserted" INTEGER NOT NULL DEFAULT 0,
    "updated" INTEGER NOT NULL DEFAULT 0,
    "skipped" INTEGER NOT NULL DEFAULT 0,
    "failed" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "leased_until" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "stalled" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "jobs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "roster"."job_errors" (
    "id" UUID NOT NULL,
    "job_id" UUID NOT NULL,
    "line" INTEGER NOT NULL,
    "code" TEXT NOT NULL,
    "path" TEXT,
    "message" TEXT NOT NULL,

    CONSTRAINT "job_errors_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "roster"."uploads" (
    "id" UUID NOT NULL,
    "bytes" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "completed_at" TIMESTAMPTZ(3),

    CONSTRAINT "uploads_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "roster"."upload_chunks" (
    "upload_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "content" BYTEA NOT NULL,

    CONSTRAINT "upload_chunks_pkey" PRIMARY KEY ("upload_id","position")
);

-- CreateIndex
CREATE INDEX "jobs_open_idx" ON "roster"."jobs"("created_at") WHERE ("finished_at" IS NULL);

-- CreateIndex
CREATE INDEX "jobs_finished_at_idx" ON "roster"."jobs"("finished_at");

-- CreateIndex
CREATE INDEX "job_errors_job_id_id_idx" ON "roster"."job_errors"("job_id", "id");

-- CreateIndex
CREATE INDEX "uploads_created_at_idx" ON "roster"."uploads"("created_at");

-- AddForeignKey
ALTER TABLE "roster"."job_errors" ADD CONSTRAINT "job_errors_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "roster"."jobs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "roster"."upload_chunks" ADD CONSTRAINT "upload_chunks_upload_id_fkey" FOREIGN KEY ("upload_id") REFERENCES "roster"."uploads"("id") ON DELETE CASCADE ON UPDATE CASCADE;
