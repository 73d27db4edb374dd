-- Attributes that came together share a row: each row costs the check of a foreign key and entries in indexes. Rows that are there stay as
-- they are. Processes of the version before go on; of rows that this one writes they tell the first attribute only.
-- AlterTable
ALTER TABLE "roster"."profile_sources" ADD COLUMN     "others" TEXT[] DEFAULT ARRAY[]::TEXT[];
