-- CreateTable
CREATE TABLE "roster"."export_chunks" (
    "job_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "content" TEXT NOT NULL,

    CONSTRAINT "export_chunks_pkey" PRIMARY KEY ("job_id","position")
);

-- AddForeignKey
ALTER TABLE "roster"."export_chunks" ADD CONSTRAINT "export_chunks_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "roster"."jobs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Kept for a day, and read as it was written: compressing it would take longer than all else.
ALTER TABLE "roster"."export_chunks" ALTER COLUMN "content" SET STORAGE EXTERNAL;
